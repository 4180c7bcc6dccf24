"""Leverage, margin mode and position mode: set and read back before a symbol's first entry."""

from decimal import Decimal
from typing import Any

import pytest

from execution_engine.domain.inputs import Verdict
from execution_engine.domain.instrument import Market
from execution_engine.domain.rows import Purpose
from execution_engine.domain.settings import MarginMode, PositionMode
from tests.adapters.exchanges.ccxt_stage import Stage, stage
from tests.exchanges import Fault

EXCHANGES = ["binance", "bybit", "okx", "kucoin"]
each = pytest.mark.parametrize("name", EXCHANGES)


def want(on: Stage, **changes: Any) -> None:
    on.terms = on.terms.model_copy(update=changes)


@pytest.mark.fault(44)
@each
@pytest.mark.parametrize("margin", list(MarginMode))
async def test_the_first_entry_goes_out_under_what_the_settings_ask_for(
    name: str, margin: MarginMode
) -> None:
    async with stage(name, Market.SWAP) as on:
        want(on, leverage=Decimal(3), margin_mode=margin)
        (report,) = await on.place(on.order(price=None))
        assert report.verdict is Verdict.ACCEPTED
        (order,) = on.venue.orders.values()
        assert order.margin_mode == margin.value
        assert order.leverage == 3


@each
async def test_they_are_set_once_and_again_when_the_settings_change(name: str) -> None:
    async with stage(name, Market.SWAP) as on:
        await on.place(on.order(), on.order())
        before = len(on.local.requests)
        await on.place(on.order())
        assert [one.call for one in on.local.requests[before:]] == ["create"]
        want(on, leverage=Decimal(5))
        await on.place(on.order())
        last = list(on.venue.orders.values())[-1]
        assert last.leverage == 5


@pytest.mark.fault(44)
@each
async def test_where_something_is_held_nothing_is_changed_and_entries_are_refused(name: str) -> None:
    async with stage(name, Market.SWAP) as on:
        want(on, margin_mode=MarginMode.CROSS, leverage=Decimal(2))
        await on.place(on.order(price=None, quantity="0.02"))
        want(on, margin_mode=MarginMode.ISOLATED, leverage=Decimal(4))
        before = dict(on.theirs.leverage), dict(on.theirs.margin_mode)
        (entry,) = await on.place(on.order(price=None))
        close = on.order("sell", price=None, quantity="0.02", reduce_only=True, purpose=Purpose.EXIT)
        (closed,) = await on.place(close)
        assert entry.verdict is Verdict.REFUSED
        assert "but the settings ask for leverage 4, isolated margin" in entry.reason
        assert entry.reason.endswith("nothing new is opened there.")
        assert (dict(on.theirs.leverage), dict(on.theirs.margin_mode)) == before
        assert closed.verdict is not Verdict.UNKNOWN  # an exit is never kept back for that


@pytest.mark.fault(43)
@each
async def test_an_account_in_the_other_position_mode_takes_no_entries(name: str) -> None:
    async with stage(name, Market.SWAP) as on:
        on.theirs.hedge = True
        (report,) = await on.place(on.order())
        assert report.verdict is Verdict.REFUSED
        assert "the hedge position mode" in report.reason
        assert not on.venue.orders


@each
async def test_hedge_mode_works_where_the_settings_ask_for_it(name: str) -> None:
    async with stage(name, Market.SWAP) as on:
        on.theirs.hedge = True
        want(on, position_mode=PositionMode.HEDGE)
        (long,) = await on.place(on.order(price=None, quantity="0.02"))
        (short,) = await on.place(on.order("sell", price=None, quantity="0.01"))
        assert [long.verdict, short.verdict] == [Verdict.ACCEPTED] * 2
        sides = {(held.side, held.quantity) for held in on.theirs.positions.values() if held.quantity}
        assert sides == {("long", Decimal("0.02")), ("short", Decimal("-0.01"))}


@pytest.mark.fault(44)
@each
async def test_what_cannot_be_read_keeps_entries_back_and_sends_no_order(name: str) -> None:
    async with stage(name, Market.SWAP) as on:
        for call in ("leverage", "margin_mode", "position_mode", "positions", "other", "key"):
            on.local.faults.add(call, Fault.E502, times=9)
        (report,) = await on.place(on.order())
        assert report.verdict is not Verdict.ACCEPTED
        assert not on.venue.orders


async def test_binance_takes_whole_leverages_only() -> None:
    async with stage("binance", Market.SWAP) as on:
        want(on, leverage=Decimal("2.5"))
        (report,) = await on.place(on.order())
        assert report.verdict is Verdict.REFUSED
        assert report.reason == "Binance takes whole leverages only, not 2.5."
