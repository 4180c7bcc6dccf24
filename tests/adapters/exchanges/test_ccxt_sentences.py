"""What keeps an account from trading, and the sentence of its own that the user reads for each."""

from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest

from execution_engine.adapters.exchanges.catalogue import Topic
from execution_engine.adapters.exchanges.ccxt_check import KUCOIN_UNIFIED, CcxtKeyCheck
from execution_engine.adapters.exchanges.translate import TOPICS
from execution_engine.domain.inputs import About, AccountUnreadable, Verdict
from execution_engine.domain.instrument import Market
from execution_engine.domain.keys import CheckResult, Keys
from execution_engine.domain.rows import Mode
from tests.adapters.exchanges.ccxt_stage import Stage, stage
from tests.waiting import until

EXCHANGES = ["binance", "bybit", "okx", "kucoin"]
BOTH = [(name, market) for name in EXCHANGES for market in Market]
BAD_KEYS = "Invalid API credentials. Please check your keys in Settings."
NO_MARKET = "The exchange does not trade this market any more, or not now."
READ_AGAIN = "The rules of this market are read again."


async def checked(on: Stage, keys: Keys | None = None) -> CheckResult:
    check = CcxtKeyCheck(on.ours._session, lambda *which: on.markets, lambda name: on.terms, on.clock)
    own = Keys(on.theirs.keys.api_key, on.theirs.keys.secret, on.theirs.keys.passphrase)
    return await check.check(on.ours.account, keys or own)


async def refusal(on: Stage, about: About | None = None, **order: str) -> str:
    """Return the words of a refused order, of which nothing is on the exchange."""
    before = len(on.venue.orders)
    (report,) = await on.place(on.order(**order))
    assert (report.verdict, report.about) == (Verdict.REFUSED, about), report
    assert len(on.venue.orders) == before
    return report.reason


async def wrong_keys(on: Stage) -> str:
    return " ".join((await checked(on, Keys("nobody", "has", "these"))).faults)


async def revoked_keys(on: Stage) -> str:
    await on.ours.balances("main")
    on.theirs.revoked = True
    said = await on.ours.balances("main")
    on.theirs.revoked = False
    assert isinstance(said, AccountUnreadable)
    return said.reason


async def keys_that_withdraw(on: Stage) -> str:
    on.theirs.withdraw = True
    said = (await checked(on)).faults
    on.theirs.withdraw = False
    return " ".join(said)


async def too_little_balance(on: Stage) -> str:
    return await refusal(on, quantity="20")


async def changed_filters(on: Stage) -> str:
    on.local.change(on.symbol, tick="50")
    on.markets._doubted.clear()
    said = await refusal(on, About.RULES, price="60010")
    assert on.markets._doubted.is_set()
    return said


async def another_position_mode(on: Stage) -> str:
    """It was the right one when it was read, and somebody changed it."""
    (report,) = await on.place(on.order())
    assert report.verdict is Verdict.ACCEPTED
    for order in on.theirs.open_orders:
        on.venue.cancel(order)
    on.theirs.hedge = True
    said = await refusal(on)
    assert "hedge position mode" in await refusal(on)  # from then on nothing even leaves
    on.theirs.hedge = False
    return said


async def halted(on: Stage) -> str:
    on.local.halt(on.symbol)
    return await refusal(on, About.MARKET)


async def delisted(on: Stage) -> str:
    on.local.delist(on.symbol)
    return await refusal(on, About.MARKET)


TABLE: list[tuple[Callable[[Stage], Awaitable[str]], str, str]] = [
    (wrong_keys, BAD_KEYS, ""),
    (revoked_keys, f"{BAD_KEYS} It took them before: they were revoked, have expired,", ""),
    (keys_that_withdraw, "These keys may withdraw or transfer: make keys that may only read and trade.", ""),
    (too_little_balance, "Insufficient funds on the exchange to place the order.", ""),
    (changed_filters, "Order validation failed (size or price). See the log for details.", READ_AGAIN),
    (
        another_position_mode,
        "The account's position mode on the exchange is another one than the settings",
        "",
    ),
    (halted, NO_MARKET, READ_AGAIN),
    (delisted, NO_MARKET, READ_AGAIN),
]


@pytest.mark.fault(38, 39, 43, 50, 52)
@pytest.mark.parametrize(("name", "market"), BOTH)
async def test_each_reason_has_a_sentence_of_its_own(name: str, market: Market) -> None:
    async with stage(name, market) as on:
        for meets, begins, ends in TABLE:
            if meets is another_position_mode and market is Market.SPOT:
                continue
            said = await meets(on)
            assert said.startswith(begins), (meets.__name__, said)
            assert said.endswith(ends or said[-1]), (meets.__name__, said)


def test_no_two_reasons_share_a_sentence() -> None:
    said = [begins for meets, begins, _ in TABLE if meets is not halted]
    said += [
        "These keys are not of this mode: were they made for another one",
        KUCOIN_UNIFIED,
        TOPICS[Topic.REDUCE_ONLY],
    ]
    assert len(set(said)) == len(said)


@pytest.mark.fault(53)
@pytest.mark.parametrize(("name", "market"), [one for one in BOTH if one[0] != "kucoin"])
async def test_keys_of_another_environment_are_asked_about(name: str, market: Market) -> None:
    """KuCoin has no other one."""
    async with stage(name, market, Mode.DEMO) as on:
        theirs = on.local.account(mode="live")
        keys = Keys(theirs.keys.api_key, theirs.keys.secret, theirs.keys.passphrase)
        (first, second) = (await checked(on, keys)).faults[:2]
        assert first == BAD_KEYS
        assert second.startswith("These keys are not of this mode: were they made for another one (live")


@pytest.mark.fault(51)
@pytest.mark.parametrize("name", EXCHANGES)
async def test_keys_bound_to_another_address_say_what_the_exchange_says(name: str) -> None:
    async with stage(name, Market.SPOT) as on:
        await on.ours.balances("main")
        on.theirs.ips = ("203.0.113.7",)
        said = await on.ours.balances("main")
        assert isinstance(said, AccountUnreadable)
        assert "or are bound to another address." in said.reason
        assert said.reason.endswith(")")  # the exchange's own code, and its words before it


@pytest.mark.fault(38)
@pytest.mark.parametrize("name", EXCHANGES)
async def test_after_a_filter_changed_the_next_order_is_made_for_the_new_rules(name: str) -> None:
    async with stage(name, Market.SPOT) as on:
        on.local.change(on.symbol, tick="50")
        await refusal(on, About.RULES, price="60010")
        await on.markets.refresh()
        await until(lambda: on.instrument.tick == Decimal(50), 10)
        (report,) = await on.place(on.order(price="60000"))
        assert report.verdict is Verdict.ACCEPTED
