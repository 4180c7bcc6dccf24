"""What an order looks like when it leaves, on each exchange: the unmodified ccxt classes on a wire."""

import base64
import hashlib
import hmac
import json
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import pytest

from execution_engine.domain.inputs import Verdict
from execution_engine.domain.instrument import Action, Market
from execution_engine.domain.rows import OrderType, Purpose
from execution_engine.domain.settings import MarginMode, PositionMode
from tests.adapters.exchanges.ccxt_wire import BOTH, KEYS, Said, Wired, bybit, kucoin, okx, wired

CREATE = {
    ("binance", Market.SPOT): "POST /api/v3/order",
    ("binance", Market.SWAP): "POST /fapi/v1/order",
    ("bybit", Market.SPOT): "POST /v5/order/create",
    ("bybit", Market.SWAP): "POST /v5/order/create",
    ("okx", Market.SPOT): "POST /api/v5/trade/batch-orders",
    ("okx", Market.SWAP): "POST /api/v5/trade/batch-orders",
    ("kucoin", Market.SPOT): "POST /api/v1/hf/orders",
    ("kucoin", Market.SWAP): "POST /api/v1/orders",
}
# The exchange's word for price, quantity and client id.
WORDS = {
    "binance": ("price", "quantity", "newClientOrderId"),
    "bybit": ("price", "qty", "orderLinkId"),
    "okx": ("px", "sz", "clOrdId"),
    "kucoin": ("price", "size", "clientOid"),
}


def answered(stage: Wired, **changes: Any) -> None:
    """Have the exchange take whatever it is sent, and name it."""
    name, market = stage.ours.venue.name, stage.ours.account.market

    def take(request: Any) -> Said:
        said = request.fields
        client_id = changes.get("client_id") or (said[0] if isinstance(said, list) else said)[WORDS[name][2]]
        id = changes.get("id", "12345")
        taken = {
            "binance": {"symbol": "BTCUSDT", "orderId": id, "clientOrderId": client_id, "status": "NEW"},
            "bybit": bybit({"orderId": id, "orderLinkId": client_id}),
            "okx": okx({"ordId": id, "clOrdId": client_id, "sCode": "0", "sMsg": ""}),
            "kucoin": kucoin({"orderId": id, "clientOid": client_id}),
        }
        return Said(taken[name])

    stage.wire.on(CREATE[name, market], take)


def terms_as_wanted(stage: Wired) -> None:
    """Have the exchange keep leverage and modes as our settings ask."""
    wire = stage.wire
    margin = stage.terms.margin_mode is MarginMode.CROSS
    wire.on(
        "GET /fapi/v1/symbolConfig",
        [
            {
                "symbol": "BTCUSDT",
                "marginType": "CROSSED" if margin else "ISOLATED",
                "leverage": int(stage.terms.leverage),
            }
        ],
    )
    hedge = stage.terms.position_mode is PositionMode.HEDGE
    wire.on("GET /fapi/v1/positionSide/dual", {"dualSidePosition": hedge})
    leverage = str(stage.terms.leverage)
    wire.on(
        "GET /v5/position/list",
        bybit(
            {"list": [{"symbol": "BTCUSDT", "leverage": leverage, "positionIdx": int(hedge), "size": "0"}]}
        ),
    )
    wire.on("GET /v5/account/info", bybit({"marginMode": "REGULAR_MARGIN" if margin else "ISOLATED_MARGIN"}))
    wire.on(
        "GET /api/v5/account/leverage-info", okx({"lever": leverage, "mgnMode": "isolated", "posSide": "net"})
    )
    wire.on(
        "GET /api/v5/account/config",
        okx({"posMode": "long_short_mode" if hedge else "net_mode", "acctLv": "2"}),
    )
    wire.on("GET /api/v2/position/getMarginMode", kucoin({"marginMode": "CROSS" if margin else "ISOLATED"}))
    wire.on("GET /api/v2/position/getPositionMode", kucoin({"positionMode": int(hedge)}))
    wire.on("GET /api/v2/getCrossUserLeverage", kucoin({"symbol": "XBTUSDTM", "leverage": leverage}))


def sent(stage: Wired) -> dict[str, Any]:
    fields = stage.wire.orders[-1].fields
    return fields[0] if isinstance(fields, list) else fields


@pytest.mark.fault(86)
@pytest.mark.parametrize(("name", "market"), BOTH)
async def test_a_limit_order_says_price_quantity_and_id_digit_for_digit(name: str, market: Market) -> None:
    stage = wired(name, market)
    answered(stage)
    terms_as_wanted(stage)
    order = stage.order(price=Decimal("60123.4"), quantity=Decimal("0.013"))

    (report,) = await stage.place(order)

    price, quantity, client_id = WORDS[name]
    said = sent(stage)
    assert said[price] == "60123.4"
    assert said[client_id] == order.client_order_id
    # KuCoin counts contracts of 0.001 BTC, OKX of 0.01; the others count BTC.
    contracts = {("okx", Market.SWAP): "1.3", ("kucoin", Market.SWAP): 13}
    assert said[quantity] == contracts.get((name, market), "0.013")
    assert (report.verdict, report.exchange_order_id) == (Verdict.ACCEPTED, "12345")


@pytest.mark.parametrize(("name", "market"), BOTH)
async def test_a_market_order_carries_no_price_and_is_counted_in_base(name: str, market: Market) -> None:
    stage = wired(name, market)
    answered(stage)
    terms_as_wanted(stage)
    for action in Action:
        await stage.place(stage.order(type=OrderType.MARKET, price=None, action=action))
        said = sent(stage)
        assert WORDS[name][0] not in said
        assert "quoteOrderQty" not in said
        assert "funds" not in said
        assert said.get("marketUnit", "baseCoin") == "baseCoin"
        assert said.get("tgtCcy", "base_ccy") == "base_ccy"
        counted = {("okx", Market.SWAP): "1", ("kucoin", Market.SWAP): 10}
        assert said[WORDS[name][1]] == counted.get((name, market), "0.01")
    await stage.ours.close()


@pytest.mark.parametrize("name", ["binance", "bybit", "okx", "kucoin"])
async def test_only_perpetuals_know_reduce_only(name: str) -> None:
    for market in Market:
        stage = wired(name, market)
        answered(stage)
        terms_as_wanted(stage)
        await stage.place(stage.order(action=Action.SELL, reduce_only=True))
        reduces = str(sent(stage).get("reduceOnly", "")).lower()
        assert reduces == ("true" if market is Market.SWAP else "")


async def test_kucoin_perpetuals_say_leverage_and_margin_mode_with_each_order() -> None:
    stage = wired("kucoin", Market.SWAP)
    stage.terms = replace_terms(stage, leverage=Decimal(7))
    answered(stage)
    terms_as_wanted(stage)
    await stage.place(stage.order())
    assert sent(stage)["leverage"] == "7"
    assert sent(stage)["marginMode"] == "ISOLATED"


async def test_okx_perpetuals_say_the_margin_mode_with_each_order_and_spot_pays_cash() -> None:
    stage = wired("okx", Market.SWAP)
    answered(stage)
    terms_as_wanted(stage)
    await stage.place(stage.order())
    assert sent(stage)["tdMode"] == "isolated"
    spot = wired("okx", Market.SPOT)
    answered(spot)
    await spot.place(spot.order())
    assert sent(spot)["tdMode"] == "cash"


@pytest.mark.parametrize(
    ("name", "field", "long", "short"),
    [
        ("binance", "positionSide", "LONG", "SHORT"),
        ("bybit", "positionIdx", 1, 2),
        ("okx", "posSide", "long", "short"),
        ("kucoin", "positionSide", "LONG", "SHORT"),
    ],
)
async def test_hedge_mode_names_the_side_that_is_opened_or_closed(
    name: str, field: str, long: object, short: object
) -> None:
    stage = wired(name, Market.SWAP)
    stage.terms = replace_terms(stage, position_mode=PositionMode.HEDGE)
    answered(stage)
    terms_as_wanted(stage)
    await stage.place(stage.order(action=Action.BUY))
    assert sent(stage)[field] == long
    await stage.place(stage.order(action=Action.SELL))
    assert sent(stage)[field] == short
    await stage.place(stage.order(action=Action.SELL, reduce_only=True))
    assert sent(stage)[field] == long
    await stage.place(stage.order(action=Action.BUY, reduce_only=True))
    assert sent(stage)[field] == short


def replace_terms(stage: Wired, **changes: Any) -> Any:
    return stage.terms.model_copy(update=changes)


@pytest.mark.parametrize(("name", "market"), BOTH)
@pytest.mark.parametrize(
    "changes",
    [{"quantity": Decimal("0.0100000001")}, {"price": Decimal("60000.055")}, {"quantity": Decimal(0)}],
    ids=["half a step", "half a tick", "nothing"],
)
async def test_what_would_have_to_be_rounded_is_refused_before_it_leaves(
    name: str, market: Market, changes: dict[str, Decimal]
) -> None:
    stage = wired(name, market)
    terms_as_wanted(stage)
    if name in ("okx", "kucoin") and market is Market.SPOT and "quantity" in changes and changes["quantity"]:
        changes = {"quantity": Decimal("0.010000000001")}
    (report,) = await stage.place(stage.order(**changes))
    assert report.verdict is Verdict.REFUSED
    assert report.code == "OrderValidationError"
    assert "no multiple of" in report.reason
    assert stage.wire.orders == []


@pytest.mark.fault(86)
@pytest.mark.parametrize(("name", "market"), BOTH)
async def test_an_answer_counts_only_if_it_names_the_order_and_repeats_our_id(
    name: str, market: Market
) -> None:
    for wrong in ({"id": ""}, {"client_id": "somebodyelse"}):
        stage = wired(name, market)
        answered(stage, **wrong)
        terms_as_wanted(stage)
        (report,) = await stage.place(stage.order(purpose=Purpose.EXIT))
        assert report.verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(("name", "market"), BOTH)
async def test_requests_are_signed_with_the_keys_of_the_account(name: str, market: Market) -> None:
    stage = wired(name, market)
    answered(stage)
    terms_as_wanted(stage)
    await stage.place(stage.order())
    request = stage.wire.orders[-1]
    headers = {key.lower(): value for key, value in request.headers.items()}
    secret = KEYS.api_secret.encode()
    if name == "binance":
        signed, _, signature = request.body.rpartition("&signature=")
        assert headers["x-mbx-apikey"] == KEYS.api_key
        assert signature == hmac.new(secret, signed.encode(), hashlib.sha256).hexdigest()
        assert parse_qs(signed)["recvWindow"] == ["5000"]
    elif name == "bybit":
        window, stamp = headers["x-bapi-recv-window"], headers["x-bapi-timestamp"]
        text = stamp + KEYS.api_key + window + request.body
        assert headers["x-bapi-sign"] == hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()
        assert window == "5000"
    else:
        prefix = "ok-access" if name == "okx" else "kc-api"
        text = headers[f"{prefix}-timestamp"] + "POST" + request.path + request.body
        digest = hmac.new(secret, text.encode(), hashlib.sha256).digest()
        assert headers[f"{prefix}-sign"] == base64.b64encode(digest).decode()


@pytest.mark.parametrize(("name", "market"), BOTH)
async def test_a_grid_leaves_as_one_request_where_the_exchange_has_one(name: str, market: Market) -> None:
    stage = wired(name, market)
    terms_as_wanted(stage)
    orders = [stage.order(id, price=Decimal(60000 - 100 * id)) for id in range(1, 6)]
    batch = {
        ("binance", Market.SWAP): "POST /fapi/v1/batchOrders",
        ("bybit", Market.SPOT): "POST /v5/order/create-batch",
        ("bybit", Market.SWAP): "POST /v5/order/create-batch",
        ("okx", Market.SPOT): "POST /api/v5/trade/batch-orders",
        ("okx", Market.SWAP): "POST /api/v5/trade/batch-orders",
        ("kucoin", Market.SPOT): "POST /api/v1/hf/orders/multi",
        ("kucoin", Market.SWAP): "POST /api/v1/orders/multi",
    }
    answered(stage)
    if what := batch.get((name, market)):
        stage.wire.on(what, lambda request: Said(_taken_together(name, market, request)))

    reports = await stage.place(*orders)

    assert [report.verdict for report in reports] == [Verdict.ACCEPTED] * 5
    assert [report.client_order_id for report in reports] == [order.client_order_id for order in orders]
    assert len(stage.wire.orders) == (1 if what else 5)
    if what:  # each id is that of its own order, although the exchange answers in another order
        assert [report.exchange_order_id for report in reports] == [f"n{order.price:f}" for order in orders]


def _taken_together(name: str, market: Market, request: Any) -> Any:
    said = request.fields
    if name == "binance":
        said = json.loads(parse_qs(request.body)["batchOrders"][0])
    elif name == "bybit":
        said = said["request"]
    elif name == "kucoin" and market is Market.SPOT:
        said = said["orderList"]
    price, _, client_id = WORDS[name]
    taken = [(f"n{item[price]}", item[client_id]) for item in said]
    if name == "binance":
        return [
            {"orderId": id, "clientOrderId": own, "symbol": "BTCUSDT", "status": "NEW"} for id, own in taken
        ]
    if name == "bybit":
        return bybit(
            {
                "list": [
                    {"orderId": id, "orderLinkId": own, "createAt": str(99 - n)}
                    for n, (id, own) in enumerate(taken)
                ]
            },
            more={"list": [{"code": 0, "msg": "OK"} for _ in taken]},
        )
    if name == "okx":
        return okx(*({"ordId": id, "clOrdId": own, "sCode": "0", "sMsg": ""} for id, own in reversed(taken)))
    rows = [
        {"orderId": id, "clientOid": own, "code": "200000", "success": True, "symbol": "XBTUSDTM"}
        for id, own in reversed(taken)
    ]
    return kucoin({"data": rows} if market is Market.SPOT else rows)


@pytest.mark.parametrize(("name", "market"), BOTH)
def test_the_client_ids_we_make_are_of_the_form_every_exchange_takes(name: str, market: Market) -> None:
    own = wired(name, market).order().client_order_id
    assert own.isalnum()
    assert own.isascii()
    assert own[0].isalpha()
    assert len(own) <= 32
