"""A wire in place of the network: what ccxt sends is kept, what it gets is what a test put there.

It stands where aiohttp's session stands, so that ccxt's own signing, fetching and judging of answers run.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from multidict import CIMultiDict

from execution_engine.adapters.exchanges.catalogue import VENUES
from execution_engine.adapters.exchanges.ccxt_client import Client, build
from execution_engine.adapters.exchanges.ccxt_exchange import CcxtExchange
from execution_engine.adapters.exchanges.translate import instrument
from execution_engine.domain.inputs import OrderReport
from execution_engine.domain.instrument import Action, Instrument, Market, Side
from execution_engine.domain.keys import Keys
from execution_engine.domain.order import client_order_id, prefix
from execution_engine.domain.rows import Account, Mode, Order, OrderType, Purpose, World
from execution_engine.domain.settings import AccountSettings

KEYS = Keys("the-api-key", "the-api-secret", "the-passphrase")
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@dataclass
class Request:
    method: str
    url: str
    headers: dict[str, str]
    body: str

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def fields(self) -> Any:
        """What was said: the JSON of the body, or the fields of body and query."""
        if self.body.startswith(("{", "[")):
            return json.loads(self.body)
        return dict(parse_qsl(urlsplit(self.url).query)) | dict(parse_qsl(self.body))


@dataclass
class Said:
    """An answer: JSON or text, with a status."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class _Response:
    reason = "as the test says"

    def __init__(self, said: Said) -> None:
        self.status = said.status
        self._text = said.body if isinstance(said.body, str) else json.dumps(said.body)
        kind = "text/html" if self._text.startswith("<") else "application/json"
        self.headers = CIMultiDict({"Content-Type": kind, **said.headers})

    async def text(self, errors: str = "strict") -> str:
        return self._text

    async def __aenter__(self) -> "_Response":
        return self

    async def __aexit__(self, *gone: object) -> None:
        return None


class _Failing:
    def __init__(self, error: BaseException) -> None:
        self._error = error

    async def __aenter__(self) -> None:
        raise self._error

    async def __aexit__(self, *gone: object) -> None:
        return None


Answering = Said | BaseException | Callable[[Request], Said | BaseException]


class Wire:
    """`on("POST /api/v3/order", answers…)`: one after the other, the last one again and again."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._answers: dict[str, list[Answering]] = {}
        self.closed = False
        self.headers: dict[str, str] = {}

    def on(self, what: str, *answers: Any) -> None:
        self._answers[what] = [
            one if isinstance(one, Said | BaseException) or callable(one) else Said(one) for one in answers
        ]

    def sent(self, what: str) -> list[Request]:
        method, _, path = what.partition(" ")
        return [one for one in self.requests if one.method == method and one.path == path]

    @property
    def orders(self) -> list[Request]:
        """Requests that could have changed something."""
        return [one for one in self.requests if one.method != "GET"]

    def _ask(self, method: str, url: Any, data: Any = None, headers: Any = None, **more: Any) -> Any:
        body = data.decode() if isinstance(data, bytes) else data or ""
        request = Request(method, str(url), dict(headers or {}), body)
        self.requests.append(request)
        answers = self._answers.get(f"{method} {request.path}")
        if answers is None:
            return _Failing(
                AssertionError(f"the test has no answer to {method} {request.path} {request.fields}")
            )
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if callable(answer) and not isinstance(answer, Said | BaseException):
            answer = answer(request)
        return _Failing(answer) if isinstance(answer, BaseException) else _Response(answer)

    def get(self, url: Any, **more: Any) -> Any:
        return self._ask("GET", url, **more)

    def post(self, url: Any, **more: Any) -> Any:
        return self._ask("POST", url, **more)

    def put(self, url: Any, **more: Any) -> Any:
        return self._ask("PUT", url, **more)

    def delete(self, url: Any, **more: Any) -> Any:
        return self._ask("DELETE", url, **more)

    async def close(self) -> None:
        self.closed = True


class StillClock:
    """A clock whose time of day the test moves."""

    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return time.monotonic()

    def pass_(self, **how_long: float) -> None:
        self.time += timedelta(**how_long)


# The rules of one spot market and one perpetual of each exchange, in the exchange's own words.

BINANCE_FILTERS = [
    {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000.00", "tickSize": "0.01"},
    {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000.00", "stepSize": "0.00001"},
    {"filterType": "MARKET_LOT_SIZE", "minQty": "0.00000", "maxQty": "97.00", "stepSize": "0.00000"},
    {"filterType": "NOTIONAL", "minNotional": "5.00", "applyMinToMarket": True, "maxNotional": "9000000.00"},
]
BINANCE_SPOT = {
    "timezone": "UTC",
    "serverTime": 1,
    "symbols": [
        {
            "symbol": "BTCUSDT",
            "status": "TRADING",
            "baseAsset": "BTC",
            "quoteAsset": "USDT",
            "baseAssetPrecision": 8,
            "quotePrecision": 8,
            "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"],
            "isSpotTradingAllowed": True,
            "isMarginTradingAllowed": False,
            "permissions": [],
            "permissionSets": [["SPOT"]],
            "filters": BINANCE_FILTERS,
        }
    ],
}
BINANCE_SWAP = {
    "timezone": "UTC",
    "serverTime": 1,
    "symbols": [
        {
            "symbol": "BTCUSDT",
            "pair": "BTCUSDT",
            "contractType": "PERPETUAL",
            "deliveryDate": 4133404800000,
            "onboardDate": 1569398400000,
            "status": "TRADING",
            "baseAsset": "BTC",
            "quoteAsset": "USDT",
            "marginAsset": "USDT",
            "pricePrecision": 2,
            "quantityPrecision": 3,
            "orderTypes": ["LIMIT", "MARKET", "STOP"],
            "filters": [
                {
                    "filterType": "PRICE_FILTER",
                    "minPrice": "556.80",
                    "maxPrice": "4529764",
                    "tickSize": "0.10",
                },
                {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "1000", "stepSize": "0.001"},
                {"filterType": "MARKET_LOT_SIZE", "minQty": "0.001", "maxQty": "120", "stepSize": "0.001"},
                {"filterType": "MIN_NOTIONAL", "notional": "100"},
            ],
        }
    ],
}


def bybit(result: Any, code: int = 0, message: str = "OK", more: Any = None) -> dict[str, Any]:
    return {"retCode": code, "retMsg": message, "result": result, "retExtInfo": more or {}, "time": 1}


BYBIT_SPOT = bybit(
    {
        "category": "spot",
        "list": [
            {
                "symbol": "BTCUSDT",
                "baseCoin": "BTC",
                "quoteCoin": "USDT",
                "innovation": "0",
                "status": "Trading",
                "marginTrading": "both",
                "lotSizeFilter": {
                    "basePrecision": "0.000001",
                    "quotePrecision": "0.00000001",
                    "minOrderQty": "0.000048",
                    "maxOrderQty": "71.73956243",
                    "minOrderAmt": "5",
                    "maxOrderAmt": "4000000",
                    "maxLimitOrderQty": "71.7",
                    "maxMarketOrderQty": "35.8",
                },
                "priceFilter": {"tickSize": "0.01"},
            }
        ],
    }
)
BYBIT_SWAP = bybit(
    {
        "category": "linear",
        "list": [
            {
                "symbol": "BTCUSDT",
                "contractType": "LinearPerpetual",
                "status": "Trading",
                "baseCoin": "BTC",
                "quoteCoin": "USDT",
                "settleCoin": "USDT",
                "launchTime": "1584230400000",
                "deliveryTime": "0",
                "priceScale": "2",
                "leverageFilter": {"minLeverage": "1", "maxLeverage": "100.00", "leverageStep": "0.01"},
                "priceFilter": {"minPrice": "0.10", "maxPrice": "1999999.80", "tickSize": "0.10"},
                "lotSizeFilter": {
                    "maxOrderQty": "1190.000",
                    "minOrderQty": "0.001",
                    "qtyStep": "0.001",
                    "maxMktOrderQty": "500.000",
                    "minNotionalValue": "5",
                },
                "unifiedMarginTrade": True,
                "fundingInterval": 480,
            }
        ],
        "nextPageCursor": "",
    }
)


def okx(*data: Any, code: str = "0", message: str = "") -> dict[str, Any]:
    return {"code": code, "data": list(data), "msg": message}


OKX_SPOT = okx(
    {
        "instType": "SPOT",
        "instId": "BTC-USDT",
        "baseCcy": "BTC",
        "quoteCcy": "USDT",
        "settleCcy": "",
        "ctVal": "",
        "ctMult": "",
        "ctValCcy": "",
        "ctType": "",
        "lever": "10",
        "lotSz": "0.00000001",
        "minSz": "0.00001",
        "tickSz": "0.1",
        "maxLmtSz": "9999999999",
        "maxMktSz": "1000000",
        "maxLmtAmt": "20000000",
        "maxMktAmt": "1000000",
        "state": "live",
        "listTime": "1548133413000",
        "expTime": "",
        "instFamily": "",
        "uly": "",
    }
)
OKX_SWAP = okx(
    {
        "instType": "SWAP",
        "instId": "BTC-USDT-SWAP",
        "instFamily": "BTC-USDT",
        "uly": "BTC-USDT",
        "baseCcy": "",
        "quoteCcy": "",
        "settleCcy": "USDT",
        "ctVal": "0.01",
        "ctMult": "1",
        "ctValCcy": "BTC",
        "ctType": "linear",
        "lever": "100",
        "lotSz": "0.01",
        "minSz": "0.01",
        "tickSz": "0.1",
        "maxLmtSz": "100000000",
        "maxMktSz": "12000",
        "state": "live",
        "listTime": "1573557408000",
        "expTime": "",
    }
)


def kucoin(data: Any, code: str = "200000", message: str = "") -> dict[str, Any]:
    said = {"code": code, "data": data}
    return said | {"msg": message} if message else said


KUCOIN_SPOT = kucoin(
    [
        {
            "symbol": "BTC-USDT",
            "name": "BTC-USDT",
            "baseCurrency": "BTC",
            "quoteCurrency": "USDT",
            "feeCurrency": "USDT",
            "market": "USDS",
            "baseMinSize": "0.00001",
            "quoteMinSize": "0.1",
            "baseMaxSize": "10000000000",
            "quoteMaxSize": "99999999",
            "baseIncrement": "0.00000001",
            "quoteIncrement": "0.000001",
            "priceIncrement": "0.1",
            "priceLimitRate": "0.1",
            "minFunds": "1",
            "isMarginEnabled": True,
            "enableTrading": True,
            "makerFeeCoefficient": "1.00",
            "takerFeeCoefficient": "1.00",
        }
    ]
)
KUCOIN_SWAP = kucoin(
    [
        {
            "symbol": "XBTUSDTM",
            "rootSymbol": "USDT",
            "type": "FFWCSX",
            "firstOpenDate": 1585555200000,
            "expireDate": None,
            "settleDate": None,
            "baseCurrency": "XBT",
            "quoteCurrency": "USDT",
            "settleCurrency": "USDT",
            "maxOrderQty": 1000000,
            "marketMaxOrderQty": 300000,
            "maxPrice": 1000000.0,
            "lotSize": 1,
            "tickSize": 0.1,
            "multiplier": 0.001,
            "initialMargin": 0.008,
            "maintainMargin": 0.004,
            "maxLeverage": 125,
            "makerFeeRate": 0.0002,
            "takerFeeRate": 0.0006,
            "nextFundingRateTime": 25481884,
            "isInverse": False,
            "isQuanto": False,
            "status": "Open",
        }
    ]
)

MARKETS: dict[tuple[str, Market], tuple[str, Any]] = {
    ("binance", Market.SPOT): ("GET /api/v3/exchangeInfo", BINANCE_SPOT),
    ("binance", Market.SWAP): ("GET /fapi/v1/exchangeInfo", BINANCE_SWAP),
    ("bybit", Market.SPOT): ("GET /v5/market/instruments-info", BYBIT_SPOT),
    ("bybit", Market.SWAP): ("GET /v5/market/instruments-info", BYBIT_SWAP),
    ("okx", Market.SPOT): ("GET /api/v5/public/instruments", OKX_SPOT),
    ("okx", Market.SWAP): ("GET /api/v5/public/instruments", OKX_SWAP),
    ("kucoin", Market.SPOT): ("GET /api/v2/symbols", KUCOIN_SPOT),
    ("kucoin", Market.SWAP): ("GET /api/v1/contracts/active", KUCOIN_SWAP),
}


TIMES: dict[tuple[str, Market], tuple[str, Callable[[int], Any]]] = {
    ("binance", Market.SPOT): ("GET /api/v3/time", lambda ms: {"serverTime": ms}),
    ("binance", Market.SWAP): ("GET /fapi/v1/time", lambda ms: {"serverTime": ms}),
    **{("bybit", market): ("GET /v5/market/time", lambda ms: {**bybit({}), "time": ms}) for market in Market},
    **{("okx", market): ("GET /api/v5/public/time", lambda ms: okx({"ts": str(ms)})) for market in Market},
    ("kucoin", Market.SPOT): ("GET /api/v1/timestamp", kucoin),
    ("kucoin", Market.SWAP): ("GET /api/v1/timestamp", kucoin),
}

BOTH = [(name, market) for name in VENUES for market in Market]


class KnownMarkets:
    """The markets of this file, in the place of those on disk."""

    def __init__(self, name: str, market: Market, wire: Any) -> None:
        self._venue = VENUES[name]
        # Without keys, as the application reads markets.
        self._reader, _ = build(self._venue, market, Mode.LIVE, None, wire)
        self.doubted = 0
        self.rules: dict[tuple[str, str], Instrument] = {}

    async def teach(self, client: Client, symbols: Any) -> None:
        if client.exchange.markets is None:
            client.exchange.set_markets(await self._reader.fetch_markets())
            self._reader.session = None
            for market in client.exchange.markets.values():
                rules = instrument(self._venue, market)
                assert rules is not None
                self.rules[rules.key] = rules

    async def teach_ids(self, client: Client, ids: Any) -> None:
        await self.teach(client, ())

    def doubt(self) -> None:
        self.doubted += 1


@dataclass
class Wired:
    """Our account at one end of a wire."""

    ours: CcxtExchange
    wire: Wire
    clock: StillClock
    markets: KnownMarkets
    posted: list[Any]
    terms: AccountSettings

    def __del__(self) -> None:
        if self.ours.client is not None:
            self.ours.client.exchange.session = None  # otherwise ccxt complains on standard error

    @property
    def symbol(self) -> str:
        return "BTCUSDT" if self.ours.account.market is Market.SPOT else "BTCUSDT.P"

    def order(self, id: int = 1, **more: Any) -> Order:
        given: dict[str, Any] = {
            "purpose": Purpose.EXIT if more.get("reduce_only") else Purpose.ENTRY,
            "position": Side.LONG,
            "action": Action.BUY,
            "type": OrderType.LIMIT,
            "price": Decimal("60000.0"),
            "quantity": Decimal("0.01"),
        } | more
        return Order(
            id=id,
            client_order_id=client_order_id("wired", 1, id, 1),
            account="main",
            exchange=self.ours.venue.name,
            symbol=self.symbol,
            group_id=1,
            created_at=self.clock.now(),
            **given,
        )

    async def place(self, *orders: Order) -> list[OrderReport]:
        return list(await self.ours.place(orders))


def wired(name: str, market: Market, mode: Mode = Mode.LIVE, keys: Keys | None = KEYS) -> Wired:
    """Return an account of ours whose exchange is a wire that knows its markets and the time."""
    wire, clock = Wire(), StillClock()
    markets = KnownMarkets(name, market, wire)
    what, said = MARKETS[name, market]
    wire.on(what, said)
    what, say = TIMES[name, market]
    wire.on(what, lambda request: Said(say(int(time.time() * 1000))))
    account = Account(
        name="main",
        exchange=name,
        market=market,
        mode=mode,
        world=World.LIVE if mode is Mode.LIVE else World.TEST,
        enabled=True,
        created_at=NOW,
    )
    posted: list[Any] = []
    made = Wired(None, wire, clock, markets, posted, AccountSettings())  # type: ignore[arg-type]
    made.ours = CcxtExchange(
        account,
        lambda: keys,
        lambda: wire,  # type: ignore[arg-type, return-value]
        markets,  # type: ignore[arg-type]
        lambda exchange, symbol: markets.rules.get((exchange, symbol)),
        lambda: made.terms,
        prefix("wired"),
        lambda: [made.symbol],
        clock,
        posted.append,
    )
    return made
