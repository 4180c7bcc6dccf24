"""The transport matrix: every fault on every call of every exchange. Nothing unclear is told as success or refusal."""

from datetime import timedelta

import pytest

from execution_engine.domain.inputs import AccountUnreadable, Verdict
from execution_engine.domain.instrument import Market
from execution_engine.domain.rows import OrderStatus
from tests.adapters.exchanges.ccxt_stage import Stage, resting, stage
from tests.exchanges import Fault

EXCHANGES = ["binance", "bybit", "okx", "kucoin"]
TOO_MANY = {Fault.TOO_MANY, Fault.TOO_MANY_BARE, Fault.BANNED}
UNCLEAR = [fault for fault in Fault if fault not in TOO_MANY and fault is not Fault.REFUSED]
each = pytest.mark.parametrize("name", EXCHANGES)
SHORT_MS = 400


async def hurried(on: Stage) -> None:
    """Wait less long for answers that never come."""
    client = await on.ours.ready(on.symbol)
    client.exchange.timeout = SHORT_MS
    for limit in on.local.limits.values():
        limit.most = 1_000_000  # a test is quicker than anybody


def calm(on: Stage) -> None:
    """The exchange is itself again, and it no longer asks to be left alone."""
    on.local.faults.clear()
    assert on.ours.client is not None
    on.ours.client.blocked_until = None


@each
@pytest.mark.parametrize("market", list(Market))
async def test_a_placing_whose_answer_went_wrong_is_unknown_and_the_look_up_tells_the_truth(
    name: str, market: Market
) -> None:
    async with stage(name, market, USDT="10000000") as on:
        await hurried(on)
        for fault in UNCLEAR:
            for accepted in (False, True):
                if accepted and fault is Fault.MAINTENANCE:
                    continue
                order = on.order()
                on.local.faults.add("create", fault, accepted=accepted)
                (report,) = await on.place(order)
                assert report.verdict is Verdict.UNKNOWN, (fault, accepted, report)
                calm(on)
                seen = await on.ours.look(order)
                told = Verdict.ACCEPTED if accepted else Verdict.ABSENT
                assert seen.verdict is told, (fault, accepted, seen)
                there = [one for one in on.venue.orders.values() if one.client_id == order.client_order_id]
                assert len(there) == int(accepted), (fault, accepted)


@each
async def test_a_grid_whose_answer_went_wrong_is_unknown_leg_by_leg(name: str) -> None:
    async with stage(name, Market.SWAP) as on:
        await hurried(on)
        for fault in (Fault.CUT, Fault.HTML, Fault.EMPTY, Fault.E502):
            orders = [on.order(price=f"{60000 - leg * 100}") for leg in range(3)]
            on.local.faults.add("create", fault, accepted=True, times=3)
            reports = await on.place(*orders)
            assert {one.verdict for one in reports} == {Verdict.UNKNOWN}, fault
            calm(on)
            assert {(await on.ours.look(one)).verdict for one in orders} == {Verdict.ACCEPTED}


@each
async def test_one_too_many_is_a_refusal_and_the_account_waits_as_long_as_it_was_told(name: str) -> None:
    async with stage(name, Market.SPOT) as on:
        await hurried(on)
        for fault in TOO_MANY:
            on.local.faults.add("create", fault)
            (report,) = await on.place(on.order())
            assert (report.verdict, report.code) == (Verdict.REFUSED, "RateLimitError"), (fault, report)
            sent = len(on.local.requests)
            (next_one,) = await on.place(on.order())
            assert (next_one.verdict, next_one.code) == (Verdict.REFUSED, "RateLimitError")
            assert isinstance(await on.ours.balances("main"), AccountUnreadable)
            assert len(on.local.requests) == sent  # nothing left
            assert on.ours.client is not None
            assert on.ours.client.blocked_until is not None
            left = on.ours.client.blocked_until - on.clock.now()
            told = {Fault.TOO_MANY: 1, Fault.TOO_MANY_BARE: 10, Fault.BANNED: 120}[fault]
            if fault is Fault.BANNED and name != "binance":
                told = 10  # only Binance says for how long
            if fault is Fault.TOO_MANY and name == "bybit":
                told = 10
            assert timedelta(seconds=told - 3) < left <= timedelta(seconds=told), fault
            calm(on)
        assert not on.theirs.open_orders


@each
async def test_a_cancel_whose_answer_went_wrong_never_counts_as_done(name: str) -> None:
    async with stage(name, Market.SPOT, USDT="10000000") as on:
        await hurried(on)
        for fault in UNCLEAR:
            order = on.order()
            (report,) = await on.place(order)
            on.local.faults.add("cancel", fault, times=3)
            (said,) = await on.ours.cancel([resting(order, report)])
            calm(on)
            open_there = any(one.client_id == order.client_order_id for one in on.theirs.open_orders)
            assert open_there, fault
            assert (said.verdict, said.about_cancel) == (Verdict.UNKNOWN, True), (fault, said)
            (again,) = await on.ours.cancel([resting(order, report)])
            assert again.status is OrderStatus.CANCELLED, (fault, again)


@each
async def test_a_cancel_that_was_carried_out_unheard_is_cancelled_after_the_next(name: str) -> None:
    async with stage(name, Market.SPOT, USDT="10000000") as on:
        await hurried(on)
        for fault in (Fault.TIMEOUT, Fault.CUT, Fault.HTML, Fault.EMPTY, Fault.E504, Fault.UNKNOWN_CODE):
            order = on.order()
            (report,) = await on.place(order)
            on.local.faults.add("cancel", fault, accepted=True)
            (said,) = await on.ours.cancel([resting(order, report)])
            calm(on)
            assert said.verdict is Verdict.UNKNOWN or said.status is OrderStatus.CANCELLED, (fault, said)
            (again,) = await on.ours.cancel([resting(order, report)])
            assert again.status is OrderStatus.CANCELLED, (fault, again)


@each
async def test_a_look_up_that_failed_proves_nothing(name: str) -> None:
    async with stage(name, Market.SPOT) as on:
        await hurried(on)
        order = on.order()
        await on.place(order)
        for fault in [*UNCLEAR, *TOO_MANY]:
            for call in ("lookup", "open_orders", "closed_orders", "trades"):
                on.local.faults.add(call, fault, times=3)
            for asked in (order, on.order()):  # one that is there, and one that is not
                said = await on.ours.look(asked)
                assert said.verdict is Verdict.UNKNOWN, (fault, said)
            calm(on)
        assert (await on.ours.look(order)).verdict is Verdict.ACCEPTED


@each
@pytest.mark.parametrize(
    "faults", [*(UNCLEAR[at : at + 3] for at in range(0, len(UNCLEAR), 3)), sorted(TOO_MANY)]
)
async def test_an_account_that_cannot_be_read_is_no_empty_account(name: str, faults: list[Fault]) -> None:
    async with stage(name, Market.SWAP) as on:
        await hurried(on)
        await on.place(on.order(), on.order(price=None))
        for fault in faults:
            for call in ("open_orders", "positions", "balance", "trades"):
                on.local.faults.clear()
                on.local.faults.add(call, fault, times=5)
                said = {
                    "open_orders": on.ours.open_orders("main"),
                    "positions": on.ours.open_orders("main"),
                    "balance": on.ours.balances("main"),
                    "trades": on.ours.fills("main", on.clock.now() - timedelta(hours=1)),
                }
                for asked, reading in said.items():
                    answer = await reading
                    if asked == call:
                        assert isinstance(answer, AccountUnreadable), (fault, call, answer)
                        assert answer.reason.endswith((".", "…")), answer.reason
                calm(on)


@each
async def test_an_order_that_reads_lag_behind_is_not_taken_for_placed_twice(name: str) -> None:
    async with stage(name, Market.SPOT) as on:
        order = on.order()
        on.local.faults.lag(reads=2)
        on.local.faults.add("create", Fault.TIMEOUT, accepted=True)
        await hurried(on)
        (report,) = await on.place(order)
        assert report.verdict is Verdict.UNKNOWN
        seen = [(await on.ours.look(order)).verdict for _ in range(4)]
        assert seen[-1] is Verdict.ACCEPTED
        assert Verdict.REFUSED not in seen
        assert len(on.theirs.open_orders) == 1
