"""Lists of an account: over which time, how many pages, and how often they are asked for."""

import asyncio
import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from execution_engine.adapters.exchanges import ccxt_lists
from execution_engine.domain.inputs import AccountUnreadable, Fills, Verdict
from execution_engine.domain.instrument import Market
from tests.adapters.exchanges.ccxt_stage import stage
from tests.adapters.exchanges.ccxt_wire import bybit, kucoin, okx
from tests.exchanges import Fault
from tests.waiting import until

EXCHANGES = ["binance", "bybit", "okx", "kucoin"]
HOUR_MS = 3_600_000


@pytest.mark.fault(25)
@pytest.mark.parametrize("name", EXCHANGES)
async def test_trades_are_found_whatever_the_computers_clock_says(name: str) -> None:
    async with stage(name, Market.SPOT) as on:
        for skew_ms in (-HOUR_MS, HOUR_MS):
            on.local.clock_skew_ms = skew_ms
            order = on.order(price=None)
            (report,) = await on.place(order)
            assert report.verdict is Verdict.ACCEPTED
            seen = await on.ours.look(order)
            assert [one.quantity for one in seen.trades] == [Decimal("0.01")]
            read = await on.ours.fills("main", on.clock.now() - timedelta(seconds=10))
            assert isinstance(read, Fills)
            assert [one.trade.trade_id for one in read.trades] == [one.trade_id for one in seen.trades]


@pytest.mark.parametrize("name", EXCHANGES)
async def test_a_clock_that_went_wrong_by_less_than_a_second_hides_no_trade(name: str) -> None:
    async with stage(name, Market.SPOT) as on:
        await on.ours.balances("main")
        for skew_ms in (-700, 700):
            on.local.clock_skew_ms = skew_ms
            since = on.clock.now()
            (report,) = await on.place(on.order(price=None))
            read = await on.ours.fills("main", since)
            assert isinstance(read, Fills)
            assert report.exchange_order_id in {one.exchange_order_id for one in read.trades}


# A page of orders or trades that says that more follow, whatever is asked.
_FULL: dict[str, Any] = {
    "binance": [
        {"id": 1, "orderId": 1, "time": 1, "symbol": "BTCUSDT", "side": "BUY", "price": "1", "qty": "1"}
    ]
    * 1000,
    "bybit": bybit({"list": [{"symbol": "BTCUSDT"}], "nextPageCursor": "more"}),
    "okx": okx(*[{"instId": "BTC-USDT-SWAP", "ordId": "1", "billId": "1"}] * 100),
    "kucoin": kucoin({"items": [{"symbol": "XBTUSDTM"}], "totalPage": 999_999}),
}


@pytest.mark.parametrize("name", EXCHANGES)
async def test_a_list_that_never_ends_is_none_and_is_not_taken_for_a_whole_one(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ccxt_lists, "MOST_PAGES", 3)
    async with stage(name, Market.SWAP) as on:
        said = (200, json.dumps(_FULL[name]))
        call = "trades" if name == "binance" else "open_orders"
        on.local.faults.add(call, Fault.REFUSED, times=None, says=said)
        async with asyncio.timeout(5):
            if name == "binance":
                read: Any = await on.ours.fills("main", on.clock.now() - timedelta(hours=1))
            else:
                read = await on.ours.open_orders("main")
        assert isinstance(read, AccountUnreadable)
        assert "no end" in read.reason


async def test_lists_leave_one_after_the_other_and_orders_pass_them() -> None:
    async with stage("okx", Market.SPOT) as on:
        client = await on.ours.ready()
        client._next_reading = on.clock.monotonic()
        began = on.clock.monotonic()
        reading = [asyncio.create_task(on.ours.open_orders("main")) for _ in range(6)]
        await until(lambda: on.sent("open_orders"), 2)
        (report,) = await on.place(on.order())
        assert report.verdict is Verdict.ACCEPTED
        assert len(on.sent("open_orders")) < 6
        await asyncio.gather(*reading)
        assert on.clock.monotonic() - began >= 0.25


async def test_pages_by_id_end_where_the_time_that_was_asked_for_does() -> None:
    async with stage("binance", Market.SPOT, USDT="10000000") as on:
        client = await on.ours.ready(on.symbol)
        since = on.clock.now() - timedelta(minutes=1)
        await on.place(on.order(price="60000", quantity="10.1"))
        for _ in range(1003):
            on.local.price(on.symbol, "60000", fills="0.01")
        until_then = on.clock.now()
        on.local.clock_skew_ms = 4_000  # the rest is traded later
        for _ in range(5):
            on.local.price(on.symbol, "60000", fills="0.01")
        asked = ccxt_lists.trades(client, since, until_then, symbols=["BTC/USDT"])
        assert len([one async for page in asked for one in page]) == 1003
