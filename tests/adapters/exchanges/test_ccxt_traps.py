"""Traps of ccxt and of the exchanges that no other test here is about (docs/exchange-traps.md has them all)."""

import json
import time
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from execution_engine.adapters.exchanges import translate
from execution_engine.adapters.exchanges.ccxt_own import OwnStream
from execution_engine.domain.inputs import Verdict
from execution_engine.domain.instrument import Market
from execution_engine.domain.order import prefix
from execution_engine.domain.rows import OrderStatus, Purpose
from tests.adapters.exchanges.ccxt_stage import INSTALL, resting, stage
from tests.adapters.exchanges.ccxt_wire import Said, wired
from tests.adapters.exchanges.test_ccxt_refusals import nothing_there
from tests.adapters.exchanges.test_ccxt_wire import CREATE, terms_as_wanted
from tests.exchanges import Fault
from tests.waiting import until

EXCHANGES = ["binance", "bybit", "okx", "kucoin"]
BOTH = [(name, market) for name in EXCHANGES for market in Market]
PAGE = "<html><head><title>Access denied</title></head><body>cloudflare</body></html>"
STATUSES = (
    400,
    401,
    403,
    404,
    405,
    407,
    408,
    409,
    410,
    422,
    451,
    500,
    502,
    503,
    504,
    511,
    520,
    525,
    526,
    530,
)


@pytest.mark.parametrize(("name", "market"), BOTH)
async def test_a_page_proves_nothing_whatever_its_status_and_whatever_ccxt_calls_it(
    name: str, market: Market
) -> None:
    stage = wired(name, market)
    terms_as_wanted(stage)
    nothing_there(stage)
    for status in STATUSES:
        stage.wire.on(CREATE[name, market], Said(PAGE, status))
        (report,) = await stage.place(stage.order(purpose=Purpose.EXIT))
        assert report.verdict is Verdict.UNKNOWN, (status, report)


GONE: dict[str, tuple[Any, ...]] = {
    "binance": ({"code": -2011, "msg": "Unknown order sent."},),
    "bybit": (
        {"retCode": 110001, "retMsg": "order not exists or too late to cancel", "result": {}},
        {"retCode": 170213, "retMsg": "Order does not exist.", "result": {}},
    ),
    "okx": tuple(
        {"code": "1", "msg": "", "data": [{"sCode": code, "sMsg": "no such order", "clOrdId": "", "ordId": ""}]}
        for code in ("51400", "51401", "51402", "51503", "51603", "51410")  # the last one: being cancelled
    ),
    "kucoin": ({"code": "100001", "msg": "error.getOrder.orderNotExist"}, {"code": "400100", "msg": "order not exist"}),
}  # fmt: skip


@pytest.mark.fault(27)
@pytest.mark.parametrize("name", EXCHANGES)
async def test_no_word_of_an_exchange_about_a_cancel_counts_more_than_a_look(name: str) -> None:
    async with stage(name, Market.SPOT) as on:
        for said in GONE[name]:
            order = on.order()
            (report,) = await on.place(order)
            status = 400 if name == "binance" else 200
            on.local.faults.add("cancel", Fault.REFUSED, says=(status, json.dumps(said)), times=9)
            (told,) = await on.ours.cancel([resting(order, report)])
            on.local.faults.clear()
            assert told.verdict is Verdict.UNKNOWN, told  # it rests there, whatever was said
            assert told.about_cancel
            (told,) = await on.ours.cancel([resting(order, report)])
            assert told.status is OrderStatus.CANCELLED


@pytest.mark.parametrize(("name", "market"), BOTH)
async def test_a_market_order_that_found_too_little_ends_with_what_it_found(
    name: str, market: Market
) -> None:
    async with stage(name, market) as on:
        on.local.depth(on.symbol, "0.006")
        order = on.order(price=None, quantity="0.01")
        (report,) = await on.place(order)
        assert report.verdict is Verdict.ACCEPTED
        seen = await on.ours.look(order)
        assert (seen.status, seen.filled_quantity) == (OrderStatus.CANCELLED, Decimal("0.006"))
        assert sum(one.quantity for one in seen.trades) == Decimal("0.006")


async def test_a_listen_key_that_ran_out_begins_the_stream_anew() -> None:
    async with stage("binance", Market.SWAP) as on:
        news: list[Any] = []
        again: list[str] = []
        stream = OwnStream(on.ours, prefix(INSTALL), news.append, again.append)
        stream.start()
        await until(lambda: stream.up, 10)
        on.local.expire_listen_keys()
        await until(lambda: len(again) == 2, 15)  # the account is read again: something may have happened
        await on.place(on.order())
        await until(lambda: news, 5)
        await stream.stop()


async def test_bybits_ban_is_a_403_and_nothing_more_is_sent_for_as_long_as_it_lasts() -> None:
    async with stage("bybit", Market.SWAP) as on:
        await on.ours.balances("main")
        said = '{"retCode":10006,"retMsg":"access too frequent","result":{}}'
        for body in (said, "403, access too frequent"):
            on.local.faults.add("balance", Fault.REFUSED, says=(403, body))
            await on.ours.balances("main")
            assert on.ours.client is not None
            assert on.ours.client.blocked_until is not None
            left = (on.ours.client.blocked_until - on.clock.now()).total_seconds()
            assert 590 < left <= 600
            sent = len(on.local.requests)
            (report,) = await on.place(on.order())
            assert (report.verdict, report.code) == (Verdict.REFUSED, "RateLimitError")
            assert len(on.local.requests) == sent
            on.ours.client.blocked_until = None
        on.local.faults.add("balance", Fault.REFUSED, says=(403, PAGE))  # somebody else's page is no ban
        await on.ours.balances("main")
        assert on.ours.client is not None
        assert on.ours.client.blocked_until is None


@pytest.mark.parametrize(
    ("said", "left_s"), [("7", 7), ("1000000", 259_200), ("9" * 30, 259_200), ("tomorrow", 10), ("", 10)]
)
async def test_an_exchange_is_left_alone_for_as_long_as_it_says_and_never_longer_than_bans_last(
    said: str, left_s: int
) -> None:
    stage = wired("binance", Market.SPOT)
    client = await stage.ours.ready()
    stage.wire.on(
        "GET /api/v3/account", Said({"code": -1003, "msg": "Too much."}, 429, {"Retry-After": said})
    )
    await stage.ours.balances("main")
    assert client.blocked_until == stage.clock.now() + timedelta(seconds=left_s)


async def test_a_ban_ends_in_time_although_the_clock_was_set_back_meanwhile() -> None:
    stage = wired("binance", Market.SPOT)
    await stage.ours.ready()
    asked = "GET /api/v3/account"
    stage.wire.on(asked, Said({"code": -1003, "msg": "Banned."}, 418, {"Retry-After": "120"}))
    await stage.ours.balances("main")
    stage.clock.pass_(hours=-3)
    for later_s, sent in ((100, 1), (121, 2)):
        stage.clock.monotonic = lambda later_s=later_s: time.monotonic() + later_s  # type: ignore[misc]
        await stage.ours.balances("main")
        assert len(stage.wire.sent(asked)) == sent


async def test_lists_wait_for_the_next_minute_when_binance_says_that_most_of_this_one_is_spent() -> None:
    stage = wired("binance", Market.SPOT)
    client = await stage.ours.ready()
    was = client._light_again
    client._weigh({"X-MBX-USED-WEIGHT-1M": "3000"})
    assert client._light_again == was
    client._weigh({"X-MBX-USED-WEIGHT-1M": "4000"})
    assert client._light_again - stage.clock.monotonic() == pytest.approx(60 - stage.clock.now().second)


@pytest.mark.parametrize("nothing", [None, "", "NaN", "Infinity", "nonsense"])
def test_what_an_exchange_leaves_blank_is_zero_and_never_a_failure(nothing: Any) -> None:
    assert translate.decimal(nothing) == 0


@pytest.mark.parametrize("market", list(Market))
async def test_kucoin_is_asked_at_its_own_endpoints_and_not_about_its_account_each_time(
    market: Market,
) -> None:
    async with stage("kucoin", market) as on:
        before = len(on.local.requests)
        order = on.order()
        await on.place(order)
        await on.ours.look(order)
        await on.ours.cancel([order])
        await on.ours.open_orders("main")
        asked = [one.path for one in on.local.requests[before:]]
        assert not [path for path in asked if "/ua/" in path or path == "/api/v1/accounts"]
        if market is Market.SPOT:  # those of old are abandoned
            orders = [path for path in asked if "orders" in path]
            assert orders
            assert all(path.startswith("/api/v1/hf/") for path in orders), orders


async def test_bybit_names_an_order_by_order_link_id_in_every_request() -> None:
    async with stage("bybit", Market.SWAP) as on:
        before = len(on.local.requests)
        order = on.order()
        await on.place(order)
        await on.ours.look(order)
        await on.ours.cancel([order])
        named = [one for one in on.local.requests[before:] if one.call in ("create", "lookup", "cancel")]
        assert named
        for one in named:
            assert one.params["orderLinkId"] == order.client_order_id
            assert one.params.get("orderId", "") not in ("None", "null")
            assert "clientOrderId" not in one.params
