"""What the local exchanges say has the fields that the exchanges' own recorded traffic has."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.exchanges.test_streams import hearing
from tests.exchanges.trading import Trading, trading
from tests.waiting import until

# Names of fields as they stand in recorded traffic. Newer fields may stand beside them.
SPOT_REPORT = "e E s c S o f q p P F g C x X r i l z L n N T t I w m M O Z Y Q W"
USDM_REPORT = "s c S o f q p ap sp x X i l z L T t b a m R wt ot ps cp rp"
BYBIT_ORDER = """symbol orderId side orderType cancelType price qty orderIv timeInForce orderStatus orderLinkId
    lastPriceOnCreated reduceOnly leavesQty leavesValue cumExecQty cumExecValue avgPrice blockTradeId positionIdx
    cumExecFee createdTime updatedTime rejectReason stopOrderType tpslMode triggerPrice takeProfit stopLoss
    tpTriggerBy slTriggerBy tpLimitPrice slLimitPrice triggerDirection triggerBy closeOnTrigger category
    placeType smpType smpGroup smpOrderId"""
BYBIT_EXECUTION = """category symbol execFee execId execPrice execQty execType execValue isMaker feeRate tradeIv markIv
    blockTradeId markPrice indexPrice underlyingPrice leavesQty orderId orderLinkId orderPrice orderQty orderType
    stopOrderType side execTime isLeverage closedSize seq"""
OKX_ORDER = """accFillSz amendResult avgPx cTime category ccy clOrdId code execType fee feeCcy fillFee fillFeeCcy
    fillNotionalUsd fillPx fillSz fillTime instId instType lever msg notionalUsd ordId ordType pnl posSide px rebate
    rebateCcy reduceOnly reqId side slOrdPx slTriggerPx slTriggerPxType source state sz tag tdMode tgtCcy tpOrdPx
    tpTriggerPx tpTriggerPxType tradeId uTime"""
KUCOIN_ORDER = """symbol orderType side orderId type orderTime size filledSize price clientOid remainSize status ts
    liquidity matchPrice matchSize tradeId"""


def private_events(here: Trading) -> list[Any]:
    return [json.loads(text) for text in here.exchange.streams.sent_private]


async def told(here: Trading) -> list[Any]:
    """Fill an order while its stream is listened to; return what was told of it."""
    client = here.client
    watches = [lambda: client.watch_orders(here.symbol), lambda: client.watch_my_trades(here.symbol)]
    async with hearing(here, *watches[: 2 if here.name == "bybit" else 1]) as (heard, *_):
        await here.order("buy", "0.01", id="m1")
        await until(lambda: heard.all)
    return private_events(here)


def assert_fields(found: dict[str, Any], names: str) -> None:
    missing = set(names.split()) - found.keys()
    assert not missing


async def test_binance_spot_reports() -> None:
    async with trading("binance") as here:
        reports = [message["event"] for message in await told(here)]
        fill = next(report for report in reports if report.get("x") == "TRADE")
        assert_fields(fill, SPOT_REPORT)
        account = next(report for report in reports if report["e"] == "outboundAccountPosition")
        assert_fields(account, "e E u B")
        assert_fields(account["B"][0], "a f l")


async def test_binance_usdm_reports() -> None:
    async with trading("binance", "swap") as here:
        reports = await told(here)
        fill = next(
            each for each in reports if each["e"] == "ORDER_TRADE_UPDATE" and each["o"]["x"] == "TRADE"
        )
        assert_fields(fill["o"], USDM_REPORT)
        account = next(each for each in reports if each["e"] == "ACCOUNT_UPDATE" and each["a"]["P"])
        assert_fields(account["a"]["P"][0], "s pa ep cr up mt iw ps")


@pytest.mark.parametrize("market", ["spot", "swap"])
async def test_bybit_orders_and_executions(market: str) -> None:
    async with trading("bybit", market) as here:
        by_topic = {message["topic"]: message["data"][0] for message in await told(here)}
        # Spot has no mode of take-profit and stop-loss, and ccxt tells spot from contracts by that.
        spot = market == "spot"
        assert ("tpslMode" in by_topic["order"]) is not spot
        assert_fields(by_topic["order"] | {"tpslMode": ""}, BYBIT_ORDER)
        assert_fields(by_topic["execution"], BYBIT_EXECUTION)


@pytest.mark.parametrize("market", ["spot", "swap"])
async def test_okx_orders(market: str) -> None:
    async with trading("okx", market) as here:
        for message in await told(here):
            assert_fields(message["data"][0], OKX_ORDER)


async def test_okx_tells_the_end_of_an_order_by_value_after_its_last_fill() -> None:
    async with trading("okx") as here:
        async with hearing(here, lambda: here.client.watch_orders(here.symbol)) as (heard,):
            await here.client.create_market_buy_order_with_cost(here.symbol, "640")
            await until(lambda: heard.all and heard.all[-1]["status"] == "closed")
        rows = [message["data"][0] for message in private_events(here)]
        assert [(row["state"], row["fillSz"]) for row in rows] == [
            ("live", "0"),
            ("partially_filled", "0.01"),
            ("filled", "0"),
        ]


@pytest.mark.parametrize("market", ["spot", "swap"])
async def test_kucoin_orders(market: str) -> None:
    async with trading("kucoin", market) as here:
        changes = [message["data"] for message in await told(here)]
        assert [change["type"] for change in changes] == ["match", "filled"]
        assert_fields(changes[0], KUCOIN_ORDER)


async def test_numbers_of_kucoin_futures_are_numbers_and_not_texts() -> None:
    async with trading("kucoin", "swap") as here:
        await here.order("buy", "0.01")
        (held,) = (await here.client.futuresPrivateGetPositions())["data"]
        assert isinstance(held["avgEntryPrice"], float)
        assert isinstance(held["currentQty"], int)


async def test_a_late_answer_comes_after_what_the_streams_tell() -> None:
    async with (
        trading("okx") as here,
        hearing(here, lambda: here.client.watch_orders(here.symbol)) as (heard,),
    ):
        here.exchange.latency_s = 0.2
        answer = here.order("buy", "0.01", id="m1")

        sending = asyncio.create_task(answer)
        await until(lambda: heard.all and heard.all[-1]["status"] == "closed")
        assert not sending.done()
        await sending


async def test_a_forgotten_order_is_not_found_any_more() -> None:
    async with trading("okx") as here:
        await here.order("buy", "0.01", "60000", id="a1")
        await here.cancel("a1")
        here.account.orders[0].forget()
        with pytest.raises(Exception, match="51603"):
            await here.look("a1")
