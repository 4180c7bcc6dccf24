"""What each code of each exchange proves: sent through the unmodified ccxt classes under the real host names."""

from typing import Any

import pytest

from execution_engine.adapters.exchanges.catalogue import VENUES, Topic
from execution_engine.adapters.exchanges.translate import SENTENCES, TOPICS
from execution_engine.domain import order as orders
from execution_engine.domain.inputs import Verdict
from execution_engine.domain.instrument import Market
from execution_engine.domain.rows import Purpose
from tests.adapters.exchanges.ccxt_wire import Said, Wired, bybit, okx, wired
from tests.adapters.exchanges.test_ccxt_wire import CREATE, terms_as_wanted

SPOT, SWAP = Market.SPOT, Market.SWAP
REFUSED, UNKNOWN = Verdict.REFUSED, Verdict.UNKNOWN
FUNDS, VALIDATION = "InsufficientFundsError", "OrderValidationError"
KEYS, RATE, GENERIC = "InvalidCredentialsError", "RateLimitError", "GenericExchangeError"
CONNECTION = "ExchangeConnectionError"

# exchange, market, code, the exchange's words, HTTP status, what it proves, the engine's name
CODES = [
    ("binance", SPOT, "-2010", "Account has insufficient balance for requested action.", 400, REFUSED, FUNDS),
    ("binance", SPOT, "-2010", "Order would immediately match and take.", 400, REFUSED, VALIDATION),
    ("binance", SPOT, "-2010", "Market is closed.", 400, REFUSED, GENERIC),
    ("binance", SPOT, "-2010", "Duplicate order sent.", 400, UNKNOWN, VALIDATION),
    ("binance", SPOT, "-1013", "Filter failure: LOT_SIZE", 400, REFUSED, VALIDATION),
    ("binance", SPOT, "-1013", "Filter failure: MARKET_LOT_SIZE", 400, REFUSED, VALIDATION),
    ("binance", SPOT, "-1013", "Filter failure: PRICE_FILTER", 400, REFUSED, VALIDATION),
    ("binance", SPOT, "-1013", "Filter failure: NOTIONAL", 400, REFUSED, VALIDATION),
    ("binance", SPOT, "-1013", "Filter failure: PERCENT_PRICE_BY_SIDE", 400, REFUSED, VALIDATION),
    ("binance", SPOT, "-1111", "Precision is over the maximum.", 400, REFUSED, VALIDATION),
    ("binance", SPOT, "-1121", "Invalid symbol.", 400, REFUSED, VALIDATION),
    ("binance", SPOT, "-1104", "Not all sent parameters were read.", 400, REFUSED, GENERIC),
    ("binance", SPOT, "-1022", "Signature for this request is not valid.", 400, REFUSED, KEYS),
    ("binance", SPOT, "-2014", "API-key format invalid.", 401, REFUSED, KEYS),
    ("binance", SPOT, "-2015", "Invalid API-key, IP, or permissions for action.", 401, REFUSED, KEYS),
    ("binance", SPOT, "-1003", "Too many requests.", 429, REFUSED, RATE),
    ("binance", SPOT, "-1015", "Too many new orders.", 400, REFUSED, RATE),
    ("binance", SPOT, "-1000", "An unknown error occurred.", 400, UNKNOWN, CONNECTION),
    ("binance", SPOT, "-1001", "Internal error.", 400, UNKNOWN, CONNECTION),
    ("binance", SPOT, "-1006", "An unexpected response was received.", 400, UNKNOWN, CONNECTION),
    ("binance", SPOT, "-1007", "Timeout waiting for response.", 400, UNKNOWN, CONNECTION),
    ("binance", SPOT, "-1008", "Server is currently overloaded.", 503, UNKNOWN, None),
    ("binance", SPOT, "-2010", "Account has insufficient balance for requested action.", 503, UNKNOWN, None),
    ("binance", SPOT, "-9999", "Nobody has heard of this.", 400, UNKNOWN, GENERIC),
    ("binance", SWAP, "-2019", "Margin is insufficient.", 400, REFUSED, FUNDS),
    ("binance", SWAP, "-2022", "ReduceOnly Order is rejected.", 400, REFUSED, VALIDATION),
    ("binance", SWAP, "-2021", "Order would immediately trigger.", 400, REFUSED, VALIDATION),
    ("binance", SWAP, "-2027", "Exceeded the maximum allowable position.", 400, REFUSED, GENERIC),
    ("binance", SWAP, "-4164", "Order's notional must be no smaller than 100.", 400, REFUSED, VALIDATION),
    ("binance", SWAP, "-4116", "ClientOrderId is duplicated.", 400, UNKNOWN, VALIDATION),
    ("binance", SWAP, "-4131", "The counterparty's best price does not meet the filter.", 400, REFUSED, VALIDATION),
    ("binance", SWAP, "-4061", "Order's position side does not match user's setting.", 400, REFUSED, GENERIC),
    ("binance", SWAP, "-1008", "Request throttled by system-level protection.", 503, UNKNOWN, None),
    ("bybit", SPOT, "170131", "Insufficient balance.", 200, REFUSED, FUNDS),
    ("bybit", SPOT, "170033", "margin Insufficient account balance", 200, REFUSED, FUNDS),
    ("bybit", SPOT, "170140", "Order value exceeded lower limit", 200, REFUSED, VALIDATION),
    ("bybit", SPOT, "170124", "Order amount too large.", 200, REFUSED, VALIDATION),
    ("bybit", SPOT, "170134", "Order price has too many decimals.", 200, REFUSED, VALIDATION),
    ("bybit", SPOT, "170137", "Order quantity has too many decimals.", 200, REFUSED, VALIDATION),
    ("bybit", SPOT, "170121", "Invalid symbol.", 200, REFUSED, VALIDATION),
    ("bybit", SPOT, "170141", "Duplicate clientOrderId", 200, UNKNOWN, VALIDATION),
    ("bybit", SPOT, "170146", "Order creation timeout", 200, UNKNOWN, VALIDATION),
    ("bybit", SPOT, "170007", "Timeout waiting for response from backend server.", 200, UNKNOWN, CONNECTION),
    ("bybit", SPOT, "170001", "Internal error.", 200, UNKNOWN, GENERIC),
    ("bybit", SPOT, "170032", "Network error. Please try again later", 200, UNKNOWN, GENERIC),
    ("bybit", SPOT, "170149", "Create order failed", 200, UNKNOWN, GENERIC),
    ("bybit", SWAP, "110007", "ab not enough for new order", 200, REFUSED, FUNDS),
    ("bybit", SWAP, "110004", "Wallet balance is insufficient", 200, REFUSED, FUNDS),
    ("bybit", SWAP, "110012", "Insufficient available balance.", 200, REFUSED, FUNDS),
    ("bybit", SWAP, "110045", "Wallet balance is insufficient.", 200, REFUSED, FUNDS),
    ("bybit", SWAP, "110017", "current position is zero, cannot fix reduce-only order qty", 200, REFUSED, VALIDATION),
    ("bybit", SWAP, "110094", "Order does not meet minimum order value 5USDT", 200, REFUSED, VALIDATION),
    ("bybit", SWAP, "110072", "OrderLinkedID is duplicate", 200, UNKNOWN, VALIDATION),
    ("bybit", SWAP, "10001", "position idx not match position mode", 200, REFUSED, VALIDATION),
    ("bybit", SWAP, "10003", "API key is invalid.", 200, REFUSED, KEYS),
    ("bybit", SWAP, "10004", "Error sign, please check your signature generation algorithm.", 200, REFUSED, KEYS),
    ("bybit", SWAP, "10005", "Permission denied, please check your API key permissions.", 200, REFUSED, KEYS),
    ("bybit", SWAP, "10010", "Unmatched IP, please check your API key's bound IP addresses.", 200, REFUSED, KEYS),
    ("bybit", SWAP, "10006", "Too many visits. Exceeded the API Rate Limit.", 200, REFUSED, RATE),
    ("bybit", SWAP, "10018", "Exceeded the IP Rate Limit.", 200, REFUSED, RATE),
    ("bybit", SWAP, "10000", "Server Timeout", 200, UNKNOWN, GENERIC),
    ("bybit", SWAP, "10016", "Server error.", 200, UNKNOWN, None),
    ("bybit", SWAP, "987654", "Nobody has heard of this.", 200, UNKNOWN, GENERIC),
    ("okx", SPOT, "51008", "Order failed. Insufficient USDT balance in account.", 200, REFUSED, FUNDS),
    ("okx", SPOT, "51119", "Order placement failed due to insufficient balance.", 200, REFUSED, FUNDS),
    ("okx", SPOT, "51131", "Insufficient balance.", 200, REFUSED, FUNDS),
    ("okx", SPOT, "51020", "Your order should meet or exceed the minimum order amount.", 200, REFUSED, VALIDATION),
    ("okx", SPOT, "51121", "Order quantity must be a multiple of the lot size.", 200, REFUSED, VALIDATION),
    ("okx", SPOT, "51000", "Parameter clOrdId error", 200, REFUSED, VALIDATION),
    ("okx", SPOT, "51016", "Client order ID already exists.", 200, UNKNOWN, VALIDATION),
    ("okx", SWAP, "51010", "You can't complete this request under your current account mode.", 200, REFUSED, KEYS),
    ("okx", SWAP, "50011", "Rate limit reached.", 429, REFUSED, RATE),
    ("okx", SWAP, "50061", "You've reached the maximum order rate limit for this account.", 200, REFUSED, GENERIC),
    ("okx", SWAP, "50101", "APIKey does not match current environment.", 401, REFUSED, KEYS),
    ("okx", SWAP, "50105", "OK-ACCESS-PASSPHRASE incorrect", 401, REFUSED, KEYS),
    ("okx", SWAP, "50111", "Invalid OK-ACCESS-KEY", 401, REFUSED, KEYS),
    ("okx", SWAP, "50113", "Invalid Sign", 401, REFUSED, KEYS),
    ("okx", SWAP, "50001", "Service temporarily unavailable.", 503, UNKNOWN, CONNECTION),
    ("okx", SWAP, "50004", "API endpoint request timeout.", 400, UNKNOWN, CONNECTION),
    ("okx", SWAP, "50013", "Systems are busy.", 429, UNKNOWN, CONNECTION),
    ("okx", SWAP, "50026", "System error. Please try again later.", 500, UNKNOWN, CONNECTION),
    ("okx", SWAP, "98765", "Nobody has heard of this.", 200, UNKNOWN, GENERIC),
    ("kucoin", SPOT, "600100", "Price increment invalid.", 200, REFUSED, VALIDATION),
    ("kucoin", SPOT, "200004", "Balance insufficient!", 200, REFUSED, FUNDS),
    ("kucoin", SPOT, "400100", "Order size below the minimum requirement.", 200, REFUSED, VALIDATION),
    ("kucoin", SPOT, "600100", "Order size increment invalid.", 200, REFUSED, VALIDATION),
    ("kucoin", SPOT, "600101", "The order funds should more than 0.1 USDT.", 200, REFUSED, VALIDATION),
    ("kucoin", SPOT, "400100", "validation.createOrder.clientOidDuplicated", 400, UNKNOWN, VALIDATION),
    ("kucoin", SPOT, "400003", "KC-API-KEY not exists", 401, REFUSED, KEYS),
    ("kucoin", SPOT, "400004", "Invalid KC-API-PASSPHRASE", 401, REFUSED, KEYS),
    ("kucoin", SPOT, "400005", "Invalid KC-API-SIGN", 401, REFUSED, KEYS),
    ("kucoin", SPOT, "400006", "The requested ip address is not in the api whitelist", 401, REFUSED, KEYS),
    ("kucoin", SPOT, "429000", "Too many requests.", 429, REFUSED, RATE),
    ("kucoin", SPOT, "500000", "Internal Server Error", 500, UNKNOWN, CONNECTION),
    ("kucoin", SPOT, "408000", "Network timeout, please try again later", 200, UNKNOWN, GENERIC),
    ("kucoin", SPOT, "987654", "Nobody has heard of this.", 200, UNKNOWN, GENERIC),
    ("kucoin", SWAP, "300003", "Balance not enough, please first deposit.", 200, REFUSED, FUNDS),
    ("kucoin", SWAP, "330005", "The order's margin mode does not match.", 200, REFUSED, VALIDATION),
    ("kucoin", SWAP, "300009", "No open positions to close.", 200, REFUSED, VALIDATION),
    ("kucoin", SWAP, "300012", "The order price is too high.", 200, REFUSED, VALIDATION),
]  # fmt: skip


def saying(stage: Wired, code: str, words: str, status: int) -> Said:
    """Say a code the way an exchange says it to a single order."""
    own = {"clOrdId": stage.order(1).client_order_id, "ordId": ""}
    about_an_order = code.startswith("51") or code in ("50061",)
    said: dict[str, Any] = {
        "binance": {"code": int(code), "msg": words},
        "bybit": bybit({}, int(code), words),
        "okx": okx({**own, "sCode": code, "sMsg": words}, code="1")
        if about_an_order
        else okx(code=code, message=words),
        "kucoin": {"code": code, "msg": words},
    }
    return Said(said[stage.ours.venue.name], status)


@pytest.mark.parametrize(("name", "market", "code", "words", "status", "verdict", "engine"), CODES)
async def test_a_code_proves_what_it_proves(
    name: str, market: Market, code: str, words: str, status: int, verdict: Verdict, engine: str | None
) -> None:
    stage = wired(name, market)
    terms_as_wanted(stage)
    nothing_there(stage)
    stage.wire.on(CREATE[name, market], saying(stage, code, words, status))
    sent_before = len(stage.wire.orders)

    (report,) = await stage.place(stage.order(purpose=Purpose.EXIT))

    assert report.verdict is verdict, report
    assert engine in (None, report.code), report
    assert len(stage.wire.orders) == sent_before + 1  # sent once, whatever the answer
    if verdict is REFUSED and engine is VALIDATION:
        assert report.reason.startswith((SENTENCES[VALIDATION], *TOPICS.values()))
        assert words in report.reason


@pytest.mark.fault(24)
@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("binance", "-4087", "User can only place reduce only order"),
        (
            "binance",
            "-4400",
            "Futures Trading Quantitative Rules violated, only reduceOnly order is allowed.",
        ),
        ("bybit", "110023", "Currently only reduce-only orders are accepted."),
    ],
)
async def test_where_only_closes_are_taken_an_entry_is_refused_in_a_sentence(
    name: str, code: str, said: str
) -> None:
    stage = wired(name, SWAP)
    terms_as_wanted(stage)
    stage.wire.on(CREATE[name, SWAP], saying(stage, code, said, 200 if name == "bybit" else 400))
    (report,) = await stage.place(stage.order())
    assert (report.verdict, report.about) == (REFUSED, None)
    assert report.reason == f"{TOPICS[Topic.REDUCE_ONLY]} {said} ({code})"


def nothing_there(stage: Wired) -> None:
    """Let look-ups find nothing."""
    wire = stage.wire
    for path in ("/api/v3", "/fapi/v1"):
        wire.on(f"GET {path}/order", Said({"code": -2013, "msg": "Order does not exist."}, 400))
        wire.on(f"GET {path}/openOrders", [])
    for path in ("/v5/order/realtime", "/v5/order/history", "/v5/execution/list"):
        wire.on(f"GET {path}", bybit({"list": [], "nextPageCursor": ""}))
    wire.on("GET /api/v5/trade/order", okx(code="51603", message="Order does not exist"))
    wire.on("GET /api/v5/trade/orders-pending", okx())
    wire.on("GET /api/v5/trade/fills-history", okx())
    id = stage.order(1).client_order_id
    gone = {"code": "400100", "msg": "order_not_exist_or_not_allow_to_cancel"}
    wire.on(f"GET /api/v1/hf/orders/client-order/{id}", gone)
    wire.on("GET /api/v1/hf/orders/active", {"code": "200000", "data": []})


@pytest.mark.parametrize("name", list(VENUES))
def test_no_code_means_two_things(name: str) -> None:
    venue = VENUES[name]
    kinds = [venue.refused, venue.duplicate, venue.gone, venue.clock, venue.unclear]
    for index, one in enumerate(kinds):
        for other in kinds[index + 1 :]:
            assert not one & other
    assert venue.filters <= venue.refused


@pytest.mark.parametrize("name", list(VENUES))
def test_an_order_is_not_given_up_before_its_request_can_no_longer_be_admitted(name: str) -> None:
    assert orders.FENCE.get(name, orders.DEFAULT_FENCE) >= VENUES[name].fence
