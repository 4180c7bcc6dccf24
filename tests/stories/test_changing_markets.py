"""What becomes of a grid when its exchange changes the market's rules, or halts the market, while it runs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import aiohttp
import certifi
import pytest

from execution_engine.adapters.exchanges import ccxt_markets
from execution_engine.adapters.exchanges.ccxt_markets import Markets
from execution_engine.domain.instrument import Market
from execution_engine.domain.rows import AccountStatus, FindingKind, Order
from execution_engine.engine.breaker import State
from tests.adapters.exchanges.matrix import without_processes
from tests.exchanges import Fault
from tests.stories.at_exchanges import Trading, at_exchange

D = Decimal
SPOT, SWAP = Market.SPOT, Market.SWAP


@pytest.fixture(autouse=True)
def _names_lead_where_they_led(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(aiohttp, "ThreadedResolver", aiohttp.ThreadedResolver)
    monkeypatch.setattr(certifi, "where", certifi.where)
    return iter([None])


@pytest.fixture(autouse=True)
def _read_often(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have markets read as often as they are doubted, and by this process: what a process does is shown elsewhere."""
    monkeypatch.setattr(Markets.keep, "__defaults__", (0.05,))
    monkeypatch.setattr(ccxt_markets, "HALTED_AGAIN", timedelta(seconds=0.3))
    with without_processes():
        yield


def entries(here: Trading, leg: int) -> list[Order]:
    """Return the orders of one leg of the newest group."""
    id = here.legs(here.groups[-1])[leg].id
    own = (here.book.orders[one] for one in here.book.orders_of(here.groups[-1].id))
    return [order for order in own if order.leg_id == id and order.purpose == "entry"]


@pytest.mark.fault(38)
@pytest.mark.parametrize(
    ("exchange", "market"), [("binance", SWAP), ("bybit", SPOT), ("okx", SWAP), ("kucoin", SPOT)]
)
async def test_legs_that_break_new_rules_are_planned_anew_and_rest(
    exchange: str, market: Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at_exchange(tmp_path / "data", monkeypatch, exchange, market, True, 1, {}) as here:
        here.local.change(here.ticker, tick="0.4")
        await here.alert()
        await here.until(lambda: here.groups, "it is opened")
        await here.stand("ooooo")
        group = here.groups[-1]
        assert [leg.price for leg in here.legs(group)] == [
            D(price) for price in ("100", "99.2", "98.8", "98", "96")
        ]
        assert [[order.attempt for order in entries(here, leg)] for leg in range(5)] == [
            [1],
            [1, 2],
            [1, 2],
            [1],
            [1],
        ]
        assert len(here.theirs.open_orders) == 5
        await here.alert(type="exit")
        await here.ends()
        here.prove_flat()


@pytest.mark.fault(39)
@pytest.mark.parametrize(("exchange", "market"), [("bybit", SWAP), ("kucoin", SPOT)])
async def test_a_position_in_a_halted_market_is_held_without_a_storm_and_closed_when_it_is_traded_again(
    exchange: str, market: Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at_exchange(tmp_path / "data", monkeypatch, exchange, market, True, 1, {}) as here:
        await here.alert()
        await here.rests()
        here.goes("-1.1")
        await here.stand("fffoo")
        here.local.halt(here.ticker)
        await here.alert(type="exit")
        key = (exchange, here.ticker)
        await here.until(lambda: not here.application.catalogue.get(*key).traded, "it is known to be halted")
        await here.until(lambda: here.groups[-1].hold, "it is held")
        (finding,) = [one for one in here.book.findings.values() if one.kind is FindingKind.HALTED]
        assert here.groups[-1].hold == finding.found
        sent = len(here.local.calls("create"))
        readings = len(here.local.calls("markets"))
        await here.until(
            lambda: len(here.local.calls("markets")) >= readings + 3, "its markets are read again"
        )
        assert len(here.local.calls("create")) <= sent + 1  # what was on its way when it became known
        await here.alert(timeframe="60")
        (alert,) = [one for one in here.book.alerts.values() if one.timeframe == "1h"]
        await here.until(lambda: here.book.alerts[alert.id].outcome == "rejected", "an entry is refused")
        assert here.book.alerts[alert.id].reason.endswith("any more, or not now")
        here.local.listings[here.ticker].status = "trading"
        await here.ends()
        assert here.book.findings[finding.id].settled_at is not None
        here.prove_flat()


@pytest.mark.fault(24)
async def test_under_maintenance_entries_wait_and_an_exit_goes_on_as_soon_as_it_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"orders.breaker_failures": 2, "orders.breaker_pause_s": 1}
    async with at_exchange(tmp_path / "data", monkeypatch, "okx", SWAP, True, 1, settings) as here:
        await here.alert()
        await here.rests()
        here.goes("-1.1")
        await here.stand("fffoo")
        other = here.of("LINK")
        other.goes("1")
        sent = len(here.local.calls("create"))
        here.local.faults.add("*", Fault.MAINTENANCE, times=None)
        await here.alert(type="exit")
        ways, rows = here.application.core.running.ways, here.book.accounts
        await here.until(
            lambda: any(one.breaker is not State.CLOSED for one in ways.conditions), "all pause for a while"
        )
        await here.until(lambda: rows["real"].status is AccountStatus.HOLD, "the account is on hold")
        await other.alert()
        assert len(here.local.calls("create")) <= sent + 2  # the exit, and nothing that opens
        assert here.groups[0].status == "closing"
        here.local.faults.clear()
        await here.until(lambda: here.theirs.position(here.ticker) == 0, "it is closed")
        await other.rests()
