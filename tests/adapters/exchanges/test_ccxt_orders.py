"""Orders on each local exchange, spot and perpetual, through the unmodified ccxt classes and real sockets."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from execution_engine.adapters.exchanges.ccxt_client import Client
from execution_engine.domain.inputs import AccountUnreadable, Balances, Fills, OpenOrders, Verdict
from execution_engine.domain.instrument import Action, Market
from execution_engine.domain.rows import OrderStatus, Purpose
from tests.adapters.exchanges.ccxt_stage import Stage, resting, stage
from tests.exchanges import Fault
from tests.waiting import until

BOTH = [(name, market) for name in ("binance", "bybit", "okx", "kucoin") for market in Market]
SWAPS = ["binance", "bybit", "okx", "kucoin"]
each = pytest.mark.parametrize(("name", "market"), BOTH)


async def listed(on: Stage) -> OpenOrders:
    said = await on.ours.open_orders("main")
    assert isinstance(said, OpenOrders)
    return said


@each
async def test_an_order_rests_where_it_was_sent_and_is_found_by_our_id(name: str, market: Market) -> None:
    async with stage(name, market) as on:
        order = on.order(price="60000.1", quantity="0.013")
        (report,) = await on.place(order)

        (there,) = on.venue.orders.values()
        assert (there.price, there.quantity, there.action) == (Decimal("60000.1"), Decimal("0.013"), "buy")
        assert there.client_id == order.client_order_id
        assert report.verdict is Verdict.ACCEPTED
        seen = await on.ours.look(order)
        assert (seen.verdict, seen.status) == (Verdict.ACCEPTED, OrderStatus.OPEN)
        assert seen.exchange_order_id == report.exchange_order_id
        (resting_there,) = (await listed(on)).reports
        assert resting_there.client_order_id == order.client_order_id
        assert resting_there.symbol == on.symbol


@each
async def test_a_market_order_fills_and_its_trades_come_by_themselves(name: str, market: Market) -> None:
    async with stage(name, market) as on:
        order = on.order(price=None, quantity="0.01")
        (report,) = await on.place(order)
        assert report.verdict is Verdict.ACCEPTED
        reports = [report]

        def filled() -> bool:
            told = [*reports, *(one for one in on.posted if hasattr(one, "client_order_id"))]
            return any(one.status is OrderStatus.FILLED and one.trades for one in told)

        await until(filled, 3)
        seen = await on.ours.look(order)
        assert seen.filled_quantity == Decimal("0.01") == sum(one.quantity for one in seen.trades)
        assert [one.price for one in seen.trades] == [Decimal(64000)]
        base_fee = market is Market.SPOT and name != "kucoin"
        assert {one.fee_currency for one in seen.trades} == {"BTC" if base_fee else "USDT"}
        assert all(one.fee > 0 for one in seen.trades)
        assert all((one.fee_value is None) == base_fee for one in seen.trades)


@each
async def test_a_grid_of_five_is_taken_whole(name: str, market: Market) -> None:
    async with stage(name, market) as on:
        orders = [on.order(price=f"{60000 - 500 * leg}", quantity=f"0.01{leg}") for leg in range(5)]
        reports = await on.place(*orders)
        assert [one.verdict for one in reports] == [Verdict.ACCEPTED] * 5
        by_id = {one.client_id: one for one in on.venue.orders.values()}
        assert len(by_id) == 5
        for order, report in zip(orders, reports, strict=True):
            there = by_id[order.client_order_id]
            assert (there.price, there.quantity) == (order.price, order.quantity)
            assert (await on.ours.look(order)).exchange_order_id == report.exchange_order_id


@each
async def test_of_a_grid_only_what_the_exchange_refused_is_refused(name: str, market: Market) -> None:
    async with stage(name, market, USDT="1500") as on:
        on.terms = on.terms.model_copy(update={"leverage": Decimal(1)})
        orders = [on.order(price="60000", quantity="0.01") for _ in range(4)]  # 600 each
        reports = await on.place(*orders)
        taken = {one.client_id for one in on.venue.orders.values() if one.status != "rejected"}
        for order, report in zip(orders, reports, strict=True):
            assert (report.verdict is Verdict.ACCEPTED) == (order.client_order_id in taken)
        refused = [one for one in reports if one.verdict is not Verdict.ACCEPTED]
        assert refused
        assert {one.verdict for one in refused} == {Verdict.REFUSED}
        assert {one.code for one in refused} == {"InsufficientFundsError"}
        assert refused[0].reason.startswith("Insufficient funds on the exchange to place the order.")


@each
async def test_an_order_sent_a_second_time_is_found_and_not_doubled(name: str, market: Market) -> None:
    async with stage(name, market) as on:
        order = on.order()
        (first,) = await on.place(order)
        (again,) = await on.place(order)
        assert again.verdict is Verdict.ACCEPTED
        assert again.exchange_order_id == first.exchange_order_id
        assert len(on.theirs.open_orders) == 1


async def test_an_order_stays_in_doubt_where_something_under_its_call_is_cancelled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def cancelled(_: object) -> None:
        raise asyncio.CancelledError

    async with stage("binance", Market.SPOT) as on:
        await on.place(on.order())
        on.ours.forget_time()
        monkeypatch.setattr(Client, "sync_clock", cancelled)
        (report,) = await on.ours.place([on.order()])
        assert report.verdict is Verdict.UNKNOWN


@each
async def test_what_is_too_little_is_refused_with_the_reason_and_the_rules_are_read_again(
    name: str, market: Market
) -> None:
    async with stage(name, market) as on:
        doubts = []
        on.markets.doubt = lambda: doubts.append(1)  # type: ignore[method-assign]
        on.local.change(on.symbol, tick="10")  # the rules changed under us
        (report,) = await on.place(on.order(price="60001.1"))
        assert (report.verdict, report.code) == (Verdict.REFUSED, "OrderValidationError")
        assert "Order validation failed (size or price)" in report.reason
        assert doubts
        assert not on.theirs.open_orders


@each
async def test_a_cancel_ends_with_the_true_quantity(name: str, market: Market) -> None:
    async with stage(name, market) as on:
        order, other = on.order(quantity="0.010"), on.order(price="59000", quantity="0.010")
        reports = await on.place(order, other)
        on.local.price(on.symbol, "60000", fills="0.004")
        first, second = await on.ours.cancel(
            [resting(one, said) for one, said in zip((order, other), reports, strict=True)]
        )
        assert (first.verdict, first.status) == (Verdict.ACCEPTED, OrderStatus.CANCELLED)
        assert first.about_cancel
        assert first.filled_quantity == Decimal("0.004") == sum(one.quantity for one in first.trades)
        assert (second.status, second.filled_quantity, second.trades) == (OrderStatus.CANCELLED, 0, ())
        assert not on.theirs.open_orders


@each
async def test_a_cancel_that_came_too_late_says_that_it_filled(name: str, market: Market) -> None:
    async with stage(name, market) as on:
        order = on.order()
        (report,) = await on.place(order)
        on.local.price(on.symbol, "59000")
        (said,) = await on.ours.cancel([resting(order, report)])
        assert (said.verdict, said.status) == (Verdict.ACCEPTED, OrderStatus.FILLED)
        assert said.filled_quantity == order.quantity == sum(one.quantity for one in said.trades)


@each
async def test_what_was_never_there_is_absent_and_its_cancel_proves_nothing_else(
    name: str, market: Market
) -> None:
    async with stage(name, market) as on:
        order = on.order()
        assert (await on.ours.look(order)).verdict is Verdict.ABSENT
        (said,) = await on.ours.cancel([order])
        assert (said.verdict, said.about_cancel) == (Verdict.ABSENT, True)


@each
async def test_an_order_that_filled_and_ended_before_the_first_look_is_found(
    name: str, market: Market
) -> None:
    async with stage(name, market) as on:
        order = on.order()
        on.local.faults.add("create", Fault.RESET, accepted=True)
        (report,) = await on.place(order)
        assert report.verdict is Verdict.UNKNOWN
        on.local.price(on.symbol, "59000")
        seen = await on.ours.look(order)
        assert (seen.verdict, seen.status) == (Verdict.ACCEPTED, OrderStatus.FILLED)
        assert sum(one.quantity for one in seen.trades) == order.quantity


@each
async def test_others_orders_are_described_and_never_taken_for_ours(name: str, market: Market) -> None:
    async with stage(name, market) as on:
        (ours,) = await on.place(on.order())
        by_hand = replace(on.order(price="58000"), client_order_id="handmade1")
        await on.place(by_hand)
        said = await listed(on)
        assert [one.client_order_id for one in said.reports] == [ours.client_order_id]
        assert said.foreign == (f"{on.symbol} buy {_contracts(on, '0.01')} at 58000",)


def _contracts(on: Stage, quantity: str) -> str:
    return f"{(Decimal(quantity) / on.instrument.contract_size).normalize():f}"


@pytest.mark.fault(54)
@pytest.mark.parametrize("name", SWAPS)
async def test_positions_are_counted_in_base_and_shorts_are_negative(name: str) -> None:
    async with stage(name, Market.SWAP) as on:
        for action, expected in ((Action.SELL, "-0.02"), (Action.BUY, "0.03")):
            quantity = "0.02" if action is Action.SELL else "0.05"
            await on.place(on.order(action.value, price=None, quantity=quantity))
            said = await listed(on)
            assert said.positions == {(name, "BTCUSDT.P"): Decimal(expected)}


@pytest.mark.fault(42)
@pytest.mark.parametrize("name", SWAPS)
async def test_a_reduce_only_order_closes_and_never_opens(name: str) -> None:
    async with stage(name, Market.SWAP) as on:
        await on.place(on.order(price=None, quantity="0.02"))
        close = on.order("sell", price=None, quantity="0.02", reduce_only=True, purpose=Purpose.EXIT)
        (report,) = await on.place(close)
        assert report.verdict is Verdict.ACCEPTED
        assert (await listed(on)).positions == {}
        again = on.order("sell", price=None, quantity="0.02", reduce_only=True, purpose=Purpose.EXIT)
        await on.place(again)
        assert (await listed(on)).positions == {}


@each
async def test_balances_say_what_is_free_and_what_there_is(name: str, market: Market) -> None:
    async with stage(name, market, USDT="10000") as on:
        await on.place(on.order(price="60000", quantity="0.05"))  # 3,000
        said = await on.ours.balances("main")
        assert isinstance(said, Balances)
        assert said.total["USDT"] == Decimal(10000)
        assert said.free["USDT"] <= Decimal(7000)


@each
async def test_every_trade_of_the_account_is_read_whoever_made_it(name: str, market: Market) -> None:
    async with stage(name, market) as on:
        mine = on.order(price=None, quantity="0.01")
        await on.place(mine)
        by_hand = replace(on.order(price=None, quantity="0.02"), client_order_id="handmade1")
        await on.place(by_hand)
        said = await on.ours.fills("main", on.clock.now() - timedelta(hours=1))
        assert isinstance(said, Fills)
        assert [one.trade.quantity for one in said.trades] == [Decimal("0.01"), Decimal("0.02")]
        assert {one.action for one in said.trades} == {Action.BUY}
        assert {one.symbol for one in said.trades} == {on.symbol}
        assert all(one.trade.price == 64000 for one in said.trades)


@pytest.mark.fault(45)
@pytest.mark.parametrize("name", ["binance", "bybit", "okx", "kucoin"])
async def test_what_an_exchange_closed_by_force_is_told_apart_from_what_was_traded(name: str) -> None:
    async with stage(name, Market.SWAP) as on:
        await on.place(on.order(price=None, quantity="0.02"))
        on.venue.trade_by_hand(on.theirs, on.symbol, "buy", "0.01")
        on.local.price(on.symbol, "50000")
        on.venue.liquidate(on.theirs, on.symbol)
        said = await on.ours.fills("main", on.clock.now() - timedelta(hours=1))
        assert isinstance(said, Fills)
        told = [(one.action, one.trade.quantity, one.liquidation) for one in said.trades]
        bought = [(Action.BUY, Decimal("0.02"), False), (Action.BUY, Decimal("0.01"), False)]
        assert told == [*bought, (Action.SELL, Decimal("0.03"), True)]


@each
async def test_more_trades_than_one_page_has_are_all_read(name: str, market: Market) -> None:
    async with stage(name, market, USDT="10000000") as on:
        await on.place(on.order(price="60000", quantity="1.5"))
        for _ in range(130):
            on.local.price(on.symbol, "60000", fills="0.01")
            on.local.price(on.symbol, "64000")
        said = await on.ours.fills("main", on.clock.now() - timedelta(hours=1))
        assert isinstance(said, Fills)
        assert len({one.trade.trade_id for one in said.trades}) == len(said.trades) == 130


@each
async def test_more_resting_orders_than_one_page_has_are_all_listed(name: str, market: Market) -> None:
    async with stage(name, market, USDT="10000000") as on:
        for limit in on.local.limits.values():
            limit.most = 1_000_000
        orders = [on.order(price=f"{60000 - leg * 10}") for leg in range(120)]
        for start in range(0, 120, 5):
            reports = await on.place(*orders[start : start + 5])
            assert {one.verdict for one in reports} == {Verdict.ACCEPTED}
        said = await listed(on)
        assert {one.client_order_id for one in said.reports} == {one.client_order_id for one in orders}


@each
async def test_keys_that_are_revoked_stop_the_account_with_a_sentence(name: str, market: Market) -> None:
    async with stage(name, market) as on:
        await on.place(on.order())
        await on.ours.open_orders("main")  # after one good answer ccxt takes Binance's refusal for a ban
        on.theirs.revoked = True
        (report,) = await on.place(on.order())
        assert (report.verdict, report.code) == (Verdict.REFUSED, "InvalidCredentialsError")
        assert report.reason.startswith("Invalid API credentials. Please check your keys in Settings.")
        said = await on.ours.open_orders("main")
        assert isinstance(said, AccountUnreadable)
        assert said.reason.startswith(
            "Invalid API credentials. Please check your keys in Settings. It took them"
        )


@pytest.mark.fault(25)
@each
async def test_a_clock_that_is_wrong_is_corrected_and_the_order_goes_out(name: str, market: Market) -> None:
    async with stage(name, market) as on:
        on.local.clock_skew_ms = -90_000
        await on.ours.balances("main")
        on.local.clock_skew_ms = 90_000  # the exchange's clock, or ours, jumped meanwhile
        (report,) = await on.place(on.order())
        assert report.verdict is Verdict.ACCEPTED
        assert len(on.theirs.open_orders) == 1
        assert on.ours.client is not None
        assert abs(on.ours.client.offset_ms + 90_000) < 2_000
