"""What differs between exchanges: data, and a few named functions where data does not say it.

Codes and limits were read in the exchanges' documents and in ccxt 4.5.90; the tests send each of them through
the real ccxt classes. Adding an exchange is an entry here and its recorded answers (docs/adding-an-exchange.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from execution_engine.domain.instrument import Market
from execution_engine.domain.rows import Mode

Document = Any  # JSON as an exchange sent it

RECV_WINDOW_MS = 5_000  # said explicitly in every request that can say it; ccxt's own for Binance is 10 s
# The request's validity, up to 10 s in which Binance may wait for its matching engine, and a margin of 5 s.
_FENCE = timedelta(milliseconds=RECV_WINDOW_MS) + timedelta(seconds=10 + 5)


class Meaning(StrEnum):
    """What a code proves about an order."""

    REFUSED = "refused"  # certainly not taken
    DUPLICATE = "duplicate"  # an order with this client id was taken before
    GONE = "gone"  # there is no such order, or it rests no more
    CLOCK = "clock"  # refused before matching, because of the time in the request
    UNCLEAR = "unclear"  # nothing is proven


class Topic(StrEnum):
    """What a refusal is about that has a sentence of its own."""

    MARKET = "market"  # it is not traded any more, or not now
    POSITION_MODE = "position mode"  # the account's is not the one that the order is for
    REDUCE_ONLY = "reduce only"  # nothing that opens a position is taken, for a market or an account


class Switch(StrEnum):
    """How ccxt is told to leave production."""

    NONE = ""
    SANDBOX = "sandbox"
    DEMO = "demo"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an account of one mode may send anything.

    hosts: what it may speak to; everything else is refused before a byte leaves.
    simulated: requests carry the mark of simulated trading here, and nowhere else.
    """

    switch: Switch = Switch.NONE
    hosts: frozenset[str]
    simulated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One order's part of an answer to a request that places orders."""

    client_id: str = ""
    exchange_id: str = ""
    code: str = ""  # empty: no error
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """How many orders one request can place; 1 where there is no such request."""

    place: int = 1
    limit_only: bool = False
    not_in: frozenset[Mode] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class TradePages:
    """How an account's trades are read: at most `days` per request, and the next page by `cursor`."""

    days: int
    size: int
    by_symbol: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ban:
    """How an exchange shuts somebody out for a while: a status, words in lower case, and for how long."""

    status: int
    words: str
    lasts: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """One exchange.

    name: ours and ccxt's. places: every market and mode that can be traded.
    greeting: a public address in production that answers at once; that it does shows that live prices can be had.
    options: what ccxt is built with. swap_type: ccxt's word for the markets of USDT perpetuals.
    password: whether keys come with a passphrase.
    entries: reads the parts of an answer. as_error: writes a part as an answer of its own, so that ccxt says
        which of its errors that is.
    fence: how long after sending a request may still be admitted.
    contracts: whether swaps are counted in contracts.
    refused, duplicate, gone, clock, unclear: codes by what they prove, with words where a code says too little.
        What is on no list proves nothing. filters: refusals that say our rules of the market are out of date.
        credentials: refusals of the key, where ccxt takes them for something else.
    topics: codes, with words where a code says too little, of refusals that have a sentence of their own.
    whole_contracts: ccxt compares the amount with a number there, so it gets an int.
    look_param: the parameter that names an order by its client id; ccxt translates `clientOrderId` except on
        Bybit.
    order_leverage: each order carries its leverage. order_margin: each order carries its margin mode.
    stream_fees: own trades on the stream say what they cost. trade_client_id: where they have our client id.
    stream_fee_negative: ccxt leaves the sign of a fee there as the exchange has it, negative for a charge.
    quotes_at_once: how many markets one subscription asks for.
    ban: how it shuts somebody out, where that is no 418 or 429.
    logged_out: the event by which a private stream says that it tells nothing more; it stays open all the same.
    weights: the header that says what this minute's requests weighed, and how much they may.
    retention: how long a cancelled, unfilled order can still be looked up.
    """

    name: str
    title: str
    places: Mapping[tuple[Market, Mode], Place]
    greeting: str
    options: Mapping[str, Any] = field(default_factory=dict)
    swap_type: str = "swap"
    password: bool = False
    entries: Callable[[Document], list[Entry]]
    as_error: Callable[[Entry], Document]
    refused: frozenset[str]
    duplicate: frozenset[str]
    duplicate_words: tuple[str, ...] = ()
    gone: frozenset[str]
    gone_words: tuple[str, ...] = ()
    clock: frozenset[str]
    unclear: frozenset[str] = frozenset()
    filters: frozenset[str] = frozenset()
    credentials: frozenset[str] = frozenset()
    topics: tuple[tuple[str, str, Topic], ...] = ()
    fence: timedelta
    contracts: bool = False
    whole_contracts: bool = False
    look_param: str = "clientOrderId"
    order_leverage: bool = False
    order_margin: bool = False
    batches: Mapping[Market, Batch]
    trades: Mapping[Market, TradePages]
    stream_fees: bool = True
    trade_client_id: str
    stream_fee_negative: bool = False
    quotes_at_once: int = 100
    whole_leverage: bool = False
    retention: timedelta
    ban: Ban | None = None
    logged_out: str = ""
    weights: Mapping[Market, tuple[str, int]] = field(default_factory=dict)

    def place(self, market: Market, mode: Mode) -> Place | None:
        """Return where accounts of this market and mode trade; None if there is no such thing."""
        return self.places.get((market, mode))

    def meaning(self, code: str, text: str) -> Meaning:
        """Say what a code with its words proves about an order."""
        words = text.lower()
        if code in self.duplicate or any(word in words for word in self.duplicate_words):
            return Meaning.DUPLICATE
        if code in self.gone or any(word in words for word in self.gone_words):
            return Meaning.GONE
        if code in self.clock:
            return Meaning.CLOCK
        if code in self.unclear:
            return Meaning.UNCLEAR
        return Meaning.REFUSED if code in self.refused else Meaning.UNCLEAR

    def topic(self, code: str, text: str) -> Topic | None:
        """Say what a code with its words is about; None where nothing more is known than that it refuses."""
        words = text.lower()
        return next((topic for known, word, topic in self.topics if known == code and word in words), None)


def _text(document: Mapping[str, Any], *names: str) -> str:
    for name in names:
        value = document.get(name)
        if value not in (None, ""):
            return str(value)
    return ""


def _numbers(first: int, last: int, step: int = 1) -> frozenset[str]:
    return frozenset(str(number) for number in range(first, last + step, step))


# Binance


def _binance_entries(answer: Document) -> list[Entry]:
    items = answer if isinstance(answer, list) else [answer]
    return [
        Entry(
            client_id=_text(item, "clientOrderId"),
            exchange_id=_text(item, "orderId"),
            code=_text(item, "code") if "orderId" not in item else "",
            text=_text(item, "msg"),
        )
        for item in items
        if isinstance(item, dict)
    ]


_BINANCE = Venue(
    name="binance",
    title="Binance",
    greeting="https://api.binance.com/api/v3/time",
    places={
        (Market.SPOT, Mode.LIVE): Place(
            hosts=frozenset({"api.binance.com", "stream.binance.com", "ws-api.binance.com"})
        ),
        (Market.SPOT, Mode.TESTNET): Place(
            switch=Switch.SANDBOX,
            hosts=frozenset(
                {"testnet.binance.vision", "stream.testnet.binance.vision", "ws-api.testnet.binance.vision"}
            ),
        ),
        (Market.SPOT, Mode.DEMO): Place(
            switch=Switch.DEMO,
            hosts=frozenset({"demo-api.binance.com", "demo-stream.binance.com", "demo-ws-api.binance.com"}),
        ),
        (Market.SWAP, Mode.LIVE): Place(
            # `api` for the rights of the key: futures have no call of their own for them.
            hosts=frozenset({"fapi.binance.com", "fstream.binance.com", "api.binance.com"})
        ),
        (Market.SWAP, Mode.DEMO): Place(
            switch=Switch.DEMO,
            hosts=frozenset({"demo-fapi.binance.com", "fstream.binancefuture.com"}),
        ),
    },
    options={
        "recvWindow": RECV_WINDOW_MS,
        "fetchMargins": False,
        "fetchCurrencies": False,
        "fetchOpenOrders": {"warnWithoutSymbol": False},
        "quoteOrderQty": False,
        # With a stream of orders ccxt takes a look at positions that nobody asked for, and fails at sizes as text.
        "watchPositions": {"fetchPositionsSnapshot": False, "awaitPositionsSnapshot": False},
    },
    swap_type="linear",
    entries=_binance_entries,
    as_error=lambda entry: {"code": int(entry.code), "msg": entry.text},
    refused=frozenset(
        {
            "-1002", "-1003", "-1013", "-1014", "-1015", "-1016", "-1020", "-1022", "-1111", "-1112",
            "-1114", "-1115", "-1116", "-1117", "-1118", "-1119", "-1121", "-1130", "-1131",
            "-2010", "-2014", "-2015", "-2018", "-2019", "-2020", "-2021", "-2022", "-2023", "-2024",
            "-2025", "-2027", "-2028", "-4059", "-4060", "-4061", "-4062", "-4067", "-4068", "-4087",
            "-4088", "-4108", "-4118", "-4120", "-4131", "-4137", "-4138", "-4140", "-4141", "-4142", "-4161",
            "-4164", "-4165", "-4183", "-4184", "-4192", "-4202", "-4203", "-4205", "-4206", "-4208",
            "-4400", "-4401", "-4402", "-4403", "-5021", "-5022",
        }
    ) | _numbers(-1108, -1099) | _numbers(-4029, -4001),
    duplicate=frozenset({"-4116"}),
    # Spot says it with the code of every refusal by the matching engine, -2010.
    duplicate_words=("duplicate order sent",),
    gone=frozenset({"-2011", "-2013", "-2026"}),
    clock=frozenset({"-1021"}),
    # After one good answer ccxt takes -2015 for a ban that ends by itself; a revoked key says the same.
    credentials=frozenset({"-2015"}),
    topics=(
        ("-1121", "", Topic.MARKET),
        ("-1013", "market is closed", Topic.MARKET),
        ("-2010", "market is closed", Topic.MARKET),
        ("-4108", "", Topic.MARKET),
        ("-4140", "", Topic.MARKET),
        ("-4141", "", Topic.MARKET),
        ("-4061", "", Topic.POSITION_MODE),
        ("-4087", "", Topic.REDUCE_ONLY),
        ("-4400", "", Topic.REDUCE_ONLY),
    ),
    filters=frozenset(
        {"-1013", "-1111", "-4164", "-4003", "-4004", "-4005", "-4013", "-4014", "-4023", "-4131", "-1121"}
    ),
    fence=_FENCE,
    batches={Market.SPOT: Batch(), Market.SWAP: Batch(place=5)},
    trades={
        Market.SPOT: TradePages(days=1, size=1000, by_symbol=True),
        Market.SWAP: TradePages(days=7, size=1000, by_symbol=True),
    },
    trade_client_id="c",
    logged_out="listenKeyExpired",
    whole_leverage=True,
    retention=timedelta(days=3),
    weights={
        Market.SPOT: ("x-mbx-used-weight-1m", 6000),
        Market.SWAP: ("x-mbx-used-weight-1m", 2400),
    },
)  # fmt: skip


# Bybit


def _bybit_entries(answer: Document) -> list[Entry]:
    if not isinstance(answer, dict):
        return []
    code = _text(answer, "retCode", "ret_code")
    if code != "0":
        return [Entry(code=code, text=_text(answer, "retMsg", "ret_msg"))] if code else []
    result = answer.get("result") or {}
    if "list" not in result:
        return [
            Entry(client_id=_text(result, "orderLinkId"), exchange_id=_text(result, "orderId")),
        ]
    said = (answer.get("retExtInfo") or {}).get("list") or []
    entries = []
    for index, item in enumerate(result["list"]):
        about = said[index] if index < len(said) else {}
        own = _text(about, "code")
        entries.append(
            Entry(
                client_id=_text(item, "orderLinkId"),
                exchange_id=_text(item, "orderId"),
                code="" if own in ("", "0") else own,
                text=_text(about, "msg"),
            )
        )
    return entries


_BYBIT = Venue(
    name="bybit",
    title="Bybit",
    greeting="https://api.bybit.com/v5/market/time",
    places={
        **{
            (market, Mode.LIVE): Place(hosts=frozenset({"api.bybit.com", "stream.bybit.com"}))
            for market in Market
        },
        **{
            (market, Mode.TESTNET): Place(
                switch=Switch.SANDBOX,
                hosts=frozenset({"api-testnet.bybit.com", "stream-testnet.bybit.com"}),
            )
            for market in Market
        },
        **{
            (market, Mode.DEMO): Place(
                switch=Switch.DEMO,
                # Prices of the demo mode are those of production, on its public stream.
                hosts=frozenset(
                    {"api-demo.bybit.com", "stream-demo.bybit.com", "stream.bybit.com/v5/public"}
                ),
            )
            for market in Market
        },
    },
    # Otherwise it asks for the account's kind with rights that a trading key need not have. Only unified
    # accounts are left; the key check says so where it is not one.
    options={
        "recvWindow": RECV_WINDOW_MS,
        "enableUnifiedMargin": False,
        "enableUnifiedAccount": True,
        "unifiedMarginStatus": 6,
    },
    swap_type="linear",
    entries=_bybit_entries,
    as_error=lambda entry: {"retCode": int(entry.code), "retMsg": entry.text},
    refused=frozenset(
        {
            "10001", "10003", "10004", "10005", "10006", "10009", "10010", "10017", "10018", "10024",
            "10027", "10028", "10029", "10429", "33004",
            "110003", "110004", "110005", "110006", "110007", "110011", "110012", "110013", "110014",
            "110016", "110017", "110018", "110020", "110021", "110022", "110023", "110024", "110028",
            "110031", "110032", "110040", "110041", "110044", "110045", "110046", "110047",
            "110048", "110049", "110051", "110052", "110053", "110059", "110063", "110066", "110069",
            "110073", "110074", "110090", "110092", "110093", "110094", "110099", "110100", "110101",
            "110102", "110103", "110104", "110106", "110120", "110123", "110124", "110125", "110126",
            "170005", "170010", "170011", "170031", "170033", "170037", "170115", "170116", "170117",
            "170121", "170124", "170130", "170131", "170132", "170133", "170134", "170135", "170136",
            "170137", "170140", "170148", "170193", "170194", "170203", "170206", "170209", "170210",
            "170212", "170217", "170221", "170222", "170224", "170229", "170234", "170241", "170344",
            "170348", "170355", "170372", "170381", "170382", "170810",
        }
    ),
    duplicate=frozenset({"110030", "110072", "170141"}),
    gone=frozenset({"110001", "110008", "110010", "170139", "170142", "170143", "170145", "170213"}),
    clock=frozenset({"10002"}),
    # The last two are `InvalidOrder` to ccxt, although the order may be there.
    unclear=frozenset(
        {"10000", "10016", "110079", "170001", "170007", "170032", "170149", "170146", "170147"}
    ),
    filters=frozenset(
        {
            "10001", "110003", "110094", "170121", "170124", "170132", "170133", "170134", "170135", "170136",
            "170137", "170140", "170148", "170193", "170194",
        }
    ),
    topics=(
        ("170121", "", Topic.MARKET),
        ("170210", "", Topic.MARKET),
        ("110074", "", Topic.MARKET),
        ("110023", "", Topic.REDUCE_ONLY),
        ("10001", "symbol invalid", Topic.MARKET),
        ("10001", "not match position mode", Topic.POSITION_MODE),
    ),
    fence=_FENCE,
    ban=Ban(status=403, words="access too frequent", lasts=timedelta(minutes=10)),
    look_param="orderLinkId",
    batches={
        Market.SPOT: Batch(place=10, not_in=frozenset({Mode.DEMO})),
        Market.SWAP: Batch(place=10),
    },
    trades={market: TradePages(days=7, size=100) for market in Market},
    trade_client_id="orderLinkId",
    retention=timedelta(hours=24),
)  # fmt: skip


# OKX


def _okx_entries(answer: Document) -> list[Entry]:
    if not isinstance(answer, dict):
        return []
    code = _text(answer, "code")
    items = [item for item in answer.get("data") or [] if isinstance(item, dict) and "sCode" in item]
    if not items:  # 1 and 2 only wrap the codes of the single orders
        return [Entry(code=code, text=_text(answer, "msg"))] if code not in ("", "0") else []
    return [
        Entry(
            client_id=_text(item, "clOrdId"),
            exchange_id=_text(item, "ordId"),
            code="" if str(item["sCode"]) == "0" else str(item["sCode"]),
            text=_text(item, "sMsg"),
        )
        for item in items
    ]


_OKX_HOSTS = frozenset({"www.okx.com", "ws.okx.com"})

_OKX = Venue(
    name="okx",
    title="OKX",
    greeting="https://www.okx.com/api/v5/public/time",
    places={
        **{(market, Mode.LIVE): Place(hosts=_OKX_HOSTS) for market in Market},
        **{
            (market, Mode.DEMO): Place(
                switch=Switch.SANDBOX,
                hosts=frozenset({"www.okx.com", "wspap.okx.com"}),
                simulated=True,
            )
            for market in Market
        },
    },
    options={"fetchCurrencies": False},
    password=True,
    entries=_okx_entries,
    as_error=lambda entry: {"code": "1", "data": [{"sCode": entry.code, "sMsg": entry.text}], "msg": ""},
    refused=frozenset(
        {
            "50006", "50007", "50008", "50009", "50010", "50011", "50014", "50015", "50016",
            "50018", "50019", "50020", "50021", "50022", "50027", "50028", "50030", "50035", "50040",
            "50044", "50061", "50100", "50101", "50103", "50104", "50105", "50106", "50107", "50108",
            "50109", "50110", "50111", "50113", "50114", "50119", "50120", "50121",
            "51000", "51001", "51002", "51003", "51004", "51005", "51006", "51007", "51008", "51009",
            "51010", "51012", "51015", "51017", "51018", "51019", "51020", "51021", "51022",
            "51023", "51024", "51025", "51026", "51027", "51028", "51029", "51031", "51037",
            "51039", "51040", "51041", "51046", "51047", "51054", "51058", "51068",
            "51100", "51101", "51102", "51103", "51104", "51105", "51106", "51107", "51108", "51109",
            "51110", "51111", "51112", "51113", "51115", "51116", "51117", "51118", "51119", "51120",
            "51121", "51122", "51123", "51124", "51125", "51127", "51128", "51129", "51131", "51132",
            "51133", "51134", "51135", "51136", "51137", "51138", "51139", "51143", "51147", "51148",
            "51150", "51155", "51169", "51170", "51201", "51202", "51203", "51204", "51205",
            "59200", "59506",
        }
    ),
    duplicate=frozenset({"51011", "51016"}),
    gone=frozenset({"51400", "51401", "51402", "51405", "51503", "51509", "51510", "51603"}),
    clock=frozenset({"50102", "50112"}),
    unclear=frozenset({"50001", "50004", "50005", "50013", "50026", "51030", "51149", "51600"}),
    filters=frozenset({"51000", "51006", "51020", "51120", "51121", "51122", "51124", "51136", "51137", "51138"}),
    topics=(
        ("51001", "", Topic.MARKET),
        ("51021", "", Topic.MARKET),
        ("51022", "", Topic.MARKET),
        ("51027", "", Topic.MARKET),
        ("51028", "", Topic.MARKET),
        ("51029", "", Topic.MARKET),
        ("51000", "posside", Topic.POSITION_MODE),
    ),
    # It takes requests up to 30 s old and says nothing about the engine behind it.
    fence=timedelta(seconds=60),
    contracts=True,
    order_margin=True,
    batches={market: Batch(place=20) for market in Market},
    trades={market: TradePages(days=90, size=100) for market in Market},
    trade_client_id="clOrdId",
    stream_fee_negative=True,
    retention=timedelta(hours=2),
)  # fmt: skip


# KuCoin


def _kucoin_entries(answer: Document) -> list[Entry]:
    if not isinstance(answer, dict):
        return []
    code = _text(answer, "code")
    if code != "200000":
        return [Entry(code=code, text=_text(answer, "msg", "data"))] if code else []
    data = answer.get("data")
    items = data if isinstance(data, list) else [data]
    if isinstance(data, dict) and isinstance(data.get("data"), list):
        items = data["data"]
    return [_kucoin_entry(item) for item in items if isinstance(item, dict)]


def _kucoin_entry(item: Mapping[str, Any]) -> Entry:
    """Read one order of a batch: futures give a code, spot a word and a message."""
    code = _text(item, "code")
    failed = item.get("success") is False or item.get("status") == "fail"
    text = _text(item, "failMsg", "msg")
    return Entry(
        client_id=_text(item, "clientOid"),
        exchange_id="" if failed else _text(item, "orderId", "id"),
        code=_kucoin_code(text) if failed and not code else code if code != "200000" else "",
        text=text,
    )


# The spot batch says why in words only.
_KUCOIN_WORDS = {
    "balance insufficient": "200004",
    "increment invalid": "600100",
    "below the minimum": "400100",
    "should more than": "600101",
}


def _kucoin_code(text: str) -> str:
    return next((code for words, code in _KUCOIN_WORDS.items() if words in text.lower()), "failed")


_KUCOIN = Venue(
    name="kucoin",
    title="KuCoin",
    greeting="https://api.kucoin.com/api/v1/timestamp",
    places={
        (Market.SPOT, Mode.LIVE): Place(
            hosts=frozenset({"api.kucoin.com", "*.kucoin.com"}),
        ),
        (Market.SWAP, Mode.LIVE): Place(
            hosts=frozenset({"api.kucoin.com", "api-futures.kucoin.com", "*.kucoin.com"}),
        ),
    },
    # `hf`: the endpoints that KuCoin has not abandoned. `uta`: asked once by the key check, not on every path.
    options={
        "hf": True,
        "uta": False,
        "fetchMarkets": {"fetchTickersFees": False},
        "fetchBalance": {"code": "USDT"},
    },
    password=True,
    entries=_kucoin_entries,
    as_error=lambda entry: {"code": entry.code, "msg": entry.text},
    refused=frozenset(
        {
            "200001", "200002", "200003", "200004", "200005", "200009", "210014", "210021", "230003",
            "230005", "260100", "300001", "300002", "300003", "300004", "300005", "300006", "300007",
            "300008", "300009", "300010", "300011", "300012", "300013", "300014", "300015", "300016",
            "300017", "330005", "330008", "330011", "330012", "400001", "400003", "400004", "400005",
            "400006", "400007", "400100", "400200", "400303", "400330", "400350", "400370", "400400",
            "400401", "400500", "400600", "400700", "400760", "411100", "415000", "429", "429000",
            "600100", "600101", "600203", "900001",
        }
    ),
    duplicate=frozenset({"126044", "300018"}),
    # Spot says it with the code of every parameter it does not like, 400100.
    duplicate_words=("clientoidduplicated", "clientoid duplicate", "clientoid is duplicated"),
    gone=frozenset({"100001", "100004", "126043"}),
    gone_words=("order_not_exist", "order not exist", "ordernotexist", "order does not exist"),
    clock=frozenset({"400002"}),
    unclear=frozenset({"408000", "500000", "503", "500"}),
    filters=frozenset({"400100", "600100", "600101", "300001", "300011", "300012", "900001"}),
    topics=(
        ("400600", "symbol", Topic.MARKET),
        ("900001", "", Topic.MARKET),
        ("300002", "", Topic.MARKET),
        ("400100", "contract parameter invalid", Topic.MARKET),
        ("330011", "", Topic.POSITION_MODE),
    ),
    fence=_FENCE,
    contracts=True,
    whole_contracts=True,
    order_leverage=True,
    order_margin=True,
    batches={
        Market.SPOT: Batch(place=5, limit_only=True),
        Market.SWAP: Batch(place=20),
    },
    trades={
        Market.SPOT: TradePages(days=7, size=100, by_symbol=True),
        Market.SWAP: TradePages(days=7, size=1000),
    },
    trade_client_id="clientOid",
    stream_fees=False,
    retention=timedelta(days=3),
)  # fmt: skip


VENUES: Mapping[str, Venue] = {venue.name: venue for venue in (_BINANCE, _BYBIT, _OKX, _KUCOIN)}
