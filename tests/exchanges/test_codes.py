"""What ccxt makes of the exchanges' codes: to be looked at again with every new version of it.

Under the real host names, because Binance's classes hang on them.
"""

from __future__ import annotations

import json

import ccxt
import pytest

from tests.exchanges import Fault
from tests.exchanges.trading import trading

BINANCE = [
    ("spot", -1000, "An unknown error occurred.", ccxt.OperationFailed),
    ("spot", -1001, "Internal error.", ccxt.OperationFailed),
    ("spot", -1003, "Too many requests.", ccxt.RateLimitExceeded),
    ("spot", -1006, "An unexpected response was received.", ccxt.OperationFailed),
    ("spot", -1007, "Timeout waiting for response from backend server.", ccxt.RequestTimeout),
    ("spot", -1013, "Filter failure: LOT_SIZE", ccxt.InvalidOrder),
    ("spot", -1013, "Filter failure: PRICE_FILTER", ccxt.InvalidOrder),
    ("spot", -1013, "Filter failure: NOTIONAL", ccxt.BadRequest),
    ("spot", -1013, "Market is closed.", ccxt.MarketClosed),
    ("spot", -1021, "Timestamp for this request is outside of the recvWindow.", ccxt.InvalidNonce),
    ("spot", -1022, "Signature for this request is not valid.", ccxt.AuthenticationError),
    ("spot", -1111, "Precision is over the maximum defined for this asset.", ccxt.BadRequest),
    ("spot", -1121, "Invalid symbol.", ccxt.BadSymbol),
    ("spot", -2010, "Account has insufficient balance for requested action.", ccxt.InsufficientFunds),
    ("spot", -2010, "Order would immediately match and take.", ccxt.OrderImmediatelyFillable),
    ("spot", -2010, "Duplicate order sent.", ccxt.InvalidOrder),
    ("spot", -2011, "Unknown order sent.", ccxt.OrderNotFound),
    ("spot", -2014, "API-key format invalid.", ccxt.AuthenticationError),
    ("spot", -2026, "Order was canceled or expired with no executed qty.", ccxt.InvalidOrder),
    ("swap", -1008, "Server is currently overloaded.", ccxt.OperationFailed),
    ("swap", -2019, "Margin is insufficient.", ccxt.InsufficientFunds),
    ("swap", -2021, "Order would immediately trigger.", ccxt.OrderImmediatelyFillable),
    ("swap", -2022, "ReduceOnly Order is rejected.", ccxt.InvalidOrder),
    ("swap", -2027, "Exceeded the maximum allowable position.", ccxt.OperationRejected),
    ("swap", -4046, "No need to change margin type.", ccxt.MarginModeAlreadySet),
    ("swap", -4059, "No need to change position side.", ccxt.OperationRejected),
    ("swap", -4061, "Order's position side does not match user's setting.", ccxt.OperationRejected),
    ("swap", -4116, "ClientOrderId is duplicated.", ccxt.InvalidOrder),
    ("swap", -4164, "Order's notional must be no smaller than 5.", ccxt.InvalidOrder),
]
BYBIT = [
    (10001, ccxt.BadRequest),
    (10002, ccxt.InvalidNonce),
    (10003, ccxt.AuthenticationError),
    (10004, ccxt.AuthenticationError),
    (10005, ccxt.PermissionDenied),
    (10006, ccxt.RateLimitExceeded),
    (10010, ccxt.PermissionDenied),
    (10016, ccxt.ExchangeError),
    (10018, ccxt.RateLimitExceeded),
    (10000, ccxt.ExchangeError),
    (10429, ccxt.ExchangeError),
    (110001, ccxt.OrderNotFound),
    (110003, ccxt.InvalidOrder),
    (110007, ccxt.InsufficientFunds),
    (110012, ccxt.InsufficientFunds),
    (110017, ccxt.InvalidOrder),
    (110025, ccxt.NoChange),
    (110026, ccxt.MarginModeAlreadySet),
    (110043, ccxt.BadRequest),
    (110072, ccxt.InvalidOrder),
    (110094, ccxt.InvalidOrder),
    (170007, ccxt.RequestTimeout),
    (170032, ccxt.ExchangeError),
    (170121, ccxt.InvalidOrder),
    (170131, ccxt.InsufficientFunds),
    (170134, ccxt.InvalidOrder),
    (170136, ccxt.InvalidOrder),
    (170137, ccxt.InvalidOrder),
    (170140, ccxt.InvalidOrder),
    (170141, ccxt.InvalidOrder),
    (170146, ccxt.InvalidOrder),
    (170149, ccxt.ExchangeError),
    (170213, ccxt.OrderNotFound),
]
OKX = [
    ("50001", ccxt.OnMaintenance),
    ("50004", ccxt.RequestTimeout),
    ("50005", ccxt.ExchangeNotAvailable),
    ("50011", ccxt.RateLimitExceeded),
    ("50013", ccxt.ExchangeNotAvailable),
    ("50026", ccxt.ExchangeNotAvailable),
    ("50061", ccxt.ExchangeError),
    ("50101", ccxt.AuthenticationError),
    ("50102", ccxt.InvalidNonce),
    ("50110", ccxt.PermissionDenied),
    ("50111", ccxt.AuthenticationError),
    ("50113", ccxt.AuthenticationError),
    ("50120", ccxt.ExchangeError),
    ("51000", ccxt.BadRequest),
    ("51008", ccxt.InsufficientFunds),
    ("51010", ccxt.AccountNotEnabled),
    ("51016", ccxt.InvalidOrder),
    ("51020", ccxt.InvalidOrder),
    ("51028", ccxt.ContractUnavailable),
    ("51119", ccxt.InsufficientFunds),
    ("51121", ccxt.InvalidOrder),
    ("51127", ccxt.InsufficientFunds),
    ("51131", ccxt.InsufficientFunds),
    ("51169", ccxt.ExchangeError),
    ("51400", ccxt.OrderNotFound),
    ("51401", ccxt.OrderNotFound),
    ("51402", ccxt.OrderNotFound),
    ("51410", ccxt.CancelPending),
    ("51503", ccxt.OrderNotFound),
    ("51603", ccxt.OrderNotFound),
]
KUCOIN = [
    ("100001", "error.getOrder.orderNotExist", ccxt.OrderNotFound),
    ("200004", "Balance insufficient!", ccxt.InsufficientFunds),
    ("230003", "Balance insufficient!", ccxt.InsufficientFunds),
    ("300000", "Not now.", ccxt.InvalidOrder),
    ("300003", "Balance insufficient.", ccxt.InsufficientFunds),
    ("300012", "Too far.", ccxt.InvalidOrder),
    ("300018", "clientOid parameter repeated", ccxt.ExchangeError),
    ("330005", "The order's margin mode does not match the selected one.", ccxt.InvalidOrder),
    ("330011", "The order's position mode does not match the selected one.", ccxt.ExchangeError),
    ("400002", "KC-API-TIMESTAMP Invalid", ccxt.InvalidNonce),
    ("400003", "KC-API-KEY not exists", ccxt.AuthenticationError),
    ("400007", "Access denied", ccxt.AuthenticationError),
    ("400100", "validation.createOrder.clientOidDuplicated", ccxt.BadRequest),
    ("400100", "order_not_exist_or_not_allow_to_cancel", ccxt.OrderNotFound),
    ("400200", "Forbidden to place an order", ccxt.InvalidOrder),
    ("408000", "Network timeout, please try again later", ccxt.BadRequest),
    ("429000", "Too many requests", ccxt.RateLimitExceeded),
    ("500000", "Internal Server Error", ccxt.ExchangeNotAvailable),
    ("600101", "The order funds should more then 0.1 USDT.", ccxt.InvalidOrder),
]

Said = tuple[object, tuple[int, str], type[Exception]]


async def outcomes(name: str, market: str, said: list[Said]) -> dict[object, str]:
    """Let each answer be given to a new order; return where ccxt's class is another than was expected."""
    different = {}
    async with trading(name, market) as here:
        for what, says, expected in said:
            here.exchange.faults.add("create", Fault.REFUSED, says=says)
            with pytest.raises(Exception) as caught:  # noqa: PT011 (which one is what is asked)
                await here.order("buy", "0.01", "60000")
            if caught.type is not expected:
                different[what] = caught.type.__name__
        assert here.account.orders == []
    return different


@pytest.mark.parametrize("market", ["spot", "swap"])
async def test_binance(market: str) -> None:
    said: list[Said] = [
        ((code, message), (400, json.dumps({"code": code, "msg": message})), error)
        for place, code, message, error in BINANCE
        if place == market
    ]
    assert await outcomes("binance", market, said) == {}


async def test_bybit() -> None:
    said: list[Said] = [
        (code, (200, json.dumps({"retCode": code, "retMsg": "said so", "result": {}})), error)
        for code, error in BYBIT
    ]
    assert await outcomes("bybit", "swap", said) == {}


@pytest.mark.parametrize("inside", [True, False])
async def test_okx(inside: bool) -> None:
    """A code may stand for the answer, or for an order inside it."""
    said: list[Said] = []
    for code, error in OKX:
        row = {"ordId": "", "clOrdId": "", "sCode": code, "sMsg": "said so"}
        body = (
            {"code": "1", "msg": "", "data": [row]}
            if inside
            else {"code": code, "msg": "said so", "data": []}
        )
        said.append((code, (200, json.dumps(body)), error))
    assert await outcomes("okx", "swap", said) == {}


async def test_kucoin() -> None:
    said: list[Said] = [
        ((code, message), (200, json.dumps({"code": code, "msg": message})), error)
        for code, message, error in KUCOIN
    ]
    assert await outcomes("kucoin", "spot", said) == {}
