"""What a sender may put into a body: everything wrong is told at once, in sentences, and nothing raises."""

from __future__ import annotations

import json
import string
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution_engine.domain import alert as alerts
from execution_engine.domain.alert import HIDDEN, Body, Faults, ParsedAlert
from execution_engine.domain.errors import FieldFault
from execution_engine.domain.symbols import Catalogue
from tests.house import INSTRUMENTS, faults, perp, spot

CATALOGUE = Catalogue(
    (
        *INSTRUMENTS,
        perp("XBTUSDTM", exchange="kucoin", base="BTC"),
        spot("BTC-USDT", exchange="okx", base="BTC"),
    )
)
FLAT = {"exchange": "BINANCE", "symbol": "BTCUSDT", "timeframe": "15", "action": "buy"}


def parse(**fields: Any) -> ParsedAlert | Faults:
    body = alerts.read(json.dumps(FLAT | fields).encode())
    assert isinstance(body, Body)
    return alerts.parse(body, CATALOGUE)


def signal(**fields: Any) -> Any:
    parsed = parse(**fields)
    assert isinstance(parsed, ParsedAlert), parsed
    return parsed.signal


def complain(raw: bytes) -> tuple[int, dict[str, str]]:
    """Return the status and the sentences that a body earns; an empty status means it is valid."""
    body = alerts.read(raw)
    if isinstance(body, Body):
        found = alerts.parse(body, CATALOGUE)
        if isinstance(found, ParsedAlert):
            return 0, {}
    else:
        found = body
    for fault in found.errors:
        assert isinstance(fault, FieldFault)
        assert fault.field
        assert len(fault.message) > 5
        assert fault.message.isprintable()
    assert found.errors
    return found.status, {fault.field: fault.message for fault in found.errors}


# -- what is no JSON object: 400

DEEP = 100_000
NOT_JSON: list[bytes] = [
    b"",
    b" ",
    b"buy",
    b"BTCUSDT buy now",
    b"null",
    b"true",
    b"0",
    b"-0",
    b"1e400",
    b'"text"',
    b"[]",
    b"[{}]",
    b'[{"symbol": "BTCUSDT"}]',
    b"{",
    b"}",
    b"{}}",
    b"{} {}",
    b"{'symbol': 'BTCUSDT'}",
    b"{symbol: 1}",
    b'{"a": 1,}',
    b'{"a" 1}',
    b'{"a": }',
    b'{"a": {{close}}}',
    b'{"a": undefined}',
    b'{"a": NaN}',
    b'{"a": Infinity}',
    b'{"a": -Infinity}',
    b'{"a": [NaN]}',
    b'{"a": 01}',
    b'{"a": 1.}',
    b'{"a": .5}',
    b'{"a": +1}',
    b'{"a": 0x10}',
    b'{"a": 1_000}',
    b'{"a": 1e99999999999999999999}',
    b'{"a": "b',
    b'{"a": "\x01"}',
    b'{"a": "line\nbreak"}',
    b'{"a": "\\x41"}',
    b'{"a": "\\u12"}',
    b'{"a": 1, "a": 2}',
    b'{"tv": {"close": 1, "close": 2}}',
    b'{"secret": "x", "secret": "y"}',
    b'{"\xff": 1}',
    b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}",
    b"\x00",
    b"{}\x00",
    b"\xc3\x28",
    b"[" * DEEP,
    b'{"a":' * DEEP,
    b"[" * DEEP + b"]" * DEEP,
    b'{"a":' * 9 + b"1" + b"}" * 9,
    b'{"a": ' + b"[" * 8 + b"]" * 8 + b"}",
    b"<html></html>",
    b"symbol=BTCUSDT&action=buy",
    "｛｝".encode(),
    '{"a": １}'.encode(),
    json.dumps(FLAT).encode("utf-16"),
    json.dumps(FLAT).encode("utf-32"),
    *(json.dumps(FLAT).encode()[:length] for length in range(1, 60, 7)),
]


@pytest.mark.fault(10)
@pytest.mark.parametrize("raw", NOT_JSON, ids=range(len(NOT_JSON)))
def test_what_is_no_json_object_is_refused_with_400_and_one_sentence(raw):
    status, sentences = complain(raw)
    assert status == 400
    assert list(sentences) == ["body"]


# -- what is an object and makes no sense: 422

WRONG_TYPES: list[Any] = [True, False, [], [1], {}, {"a": 1}, ["15"]]
UNREPLACED = ["{{close}}", "{{ticker}}", "{{strategy.order.price}}", " {{x}} ", "a{{b}}c", "{{close}"]
UNSHOWABLE = ["a\x00b", "\x07", "a\u202eb", "\u200b15", "\ud800", "a\nb", "\ufeff15"]
TOO_LONG = ["x" * 257, "9" * 5000]
NO_NUMBERS: list[Any] = [
    "NaN", "nan", "Infinity", "-inf", "1,5", "1 000", "1e", "e5", ".5", "5.", "0x10", "１２", "½", "1_000", "--1", "$5",
    "-1", "0", "-0", "0.0", -1, 0, "1e-400", "1e400", "1e29", "1e-29", "1" * 29, "0." + "1" * 30, 10**40,
    "1.00000000000000000000000000001", "sixty", "64000 USDT", "64000;", "١٢٣",
]  # fmt: skip
NO_WORDS: list[Any] = ["up", "LONGS", "b u y", "buy;sell", 1, "1.5", "buу", "sell\u200b"]
NO_SYMBOLS: list[Any] = [
    "BTC", "BTCUSD", "BTC/USDT", "BTC-USDT", "XXXUSDT", "BTCUSDT.X", "BТCUSDT", "ＢＴＣUSDT", "BTCUSDT ETHUSDT",
    "'; DROP TABLE alerts;--", "../../etc", "BYBIT:BTCUSDT", ":", "BINANCE:", "BTCUSDT🚀", 15, "<b>", "%s", "{0}",
]  # fmt: skip
NO_EXCHANGES: list[Any] = ["NYSE", "BINANCEUS", "", None, "BINANCE ", 7, "BINANCE:BTCUSDT", "бинанс", "_DLY"]
NO_TIMEFRAMES: list[Any] = [
    "0", "-15", "1441", "1.5", "15 m", "m", "h", "1y", "15min", "D1", "00", "999999", "25h", "367D", "1440m1", "{}",
    "1e2", 0, -5, 2.5, "１５", "86401S", "5Q", "",
]  # fmt: skip
NO_TIMES: list[Any] = [
    "now", "yesterday", "2026-13-01", "2026-02-30", "25:00", "12:00", "2026-11-20T25:00:00Z", "9" * 20, "1" * 30,
    "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "20/11/2026", "2026-11-20 12h", "-1", "1.5e9", "٢٠٢٦",
]  # fmt: skip

NUMBER_FIELDS = ("entry_price", "price", "close", "capital_usd")
WORD_FIELDS = ("action", "market_position", "prev_market_position", "side", "type", "strategy", "tp_mode")
TEXT_FIELDS = ("id", "account", "grid")


def _wrong_values() -> Iterator[tuple[str, Any]]:
    for field in NUMBER_FIELDS:
        for value in (*WRONG_TYPES, *UNREPLACED[:2], *NO_NUMBERS, *TOO_LONG):
            yield field, value
    for field in WORD_FIELDS:
        for value in (*WRONG_TYPES[2:], *UNREPLACED[:1], *UNSHOWABLE[:2], *NO_WORDS, *TOO_LONG):
            yield field, value
    for field in TEXT_FIELDS:
        for value in (*WRONG_TYPES, *UNREPLACED, *UNSHOWABLE, *TOO_LONG):
            yield field, value
    named = (
        ("symbol", NO_SYMBOLS),
        ("exchange", NO_EXCHANGES),
        ("timeframe", NO_TIMEFRAMES),
        ("timestamp", NO_TIMES),
    )
    for field, values in named:
        for value in (*values, *WRONG_TYPES, *UNREPLACED, *UNSHOWABLE[:4]):
            if not (field == "exchange" and value in ("BINANCE ",)):
                yield field, value


WRONG_VALUES = list(_wrong_values())


def test_the_table_of_hostile_bodies_is_long_enough():
    assert len(WRONG_VALUES) + len(NOT_JSON) >= 300


@pytest.mark.fault(11, 12, 13, 14)
@pytest.mark.parametrize(("field", "value"), WRONG_VALUES, ids=lambda v: ascii(v)[:24])
def test_a_value_that_makes_no_sense_is_refused_with_422_under_its_own_field(field, value):
    status, sentences = complain(json.dumps(FLAT | {field: value}).encode())
    assert status == 422
    assert [name.rpartition(".")[2] for name in sentences] == [field]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"exchange", "symbol", "timeframe"}),
        ({"tv": {}}, {"tv.exchange", "tv.symbol", "tv.timeframe"}),
        ({"tv": []}, {"tv", "exchange", "symbol", "timeframe"}),
        ({"tv": "x", "execution_intent": 5}, {"tv", "execution_intent", "exchange", "symbol", "timeframe"}),
        (FLAT | {"action": None}, {"action"}),
        ({"tv": {**FLAT, "action": ""}}, {"tv.action"}),
        (FLAT | {"price": "x", "close": "y", "capital_usd": "z"}, {"price", "close", "capital_usd"}),
        (FLAT | {"execution_intent": {"tp_mode": "never", "side": "up"}},
         {"execution_intent.tp_mode", "execution_intent.side"}),
        (FLAT | {"execution_intent": {"strategy": "martingale"}}, {"execution_intent.strategy"}),
        (FLAT | {"symbol": "NOPE", "timeframe": "7y", "close": "{{close}}", "timestamp": "soon"},
         {"symbol", "timeframe", "close", "timestamp"}),
    ],
)  # fmt: skip
def test_every_fault_is_told_at_once_and_where_it_stands(body, fields):
    status, sentences = complain(json.dumps(body).encode())
    assert (status, set(sentences)) == (422, fields)


@pytest.mark.fault(13, 14)
@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("close", "{{close}}", "arrived unreplaced"),
        ("symbol", "BTCUSD", "nearest: BTCUSDT"),
        ("symbol", "QQQQ", "unknown symbol QQQQ on BINANCE"),
        ("exchange", "NYSE", "there are: BINANCE, KUCOIN, OKX"),
        ("symbol", "BYBIT:BTCUSDT", "is not of the exchange BINANCE"),
        ("symbol", "x\x07" * 60, "cannot be shown"),
        ("timeframe", "7y", "is no timeframe"),
        ("close", "1,5", "write it with a point"),
        ("price", "-5", "must be above 0"),
    ],
)
def test_a_sentence_says_what_to_do(field, value, words):
    assert words in complain(json.dumps(FLAT | {field: value}).encode())[1][field]


@pytest.mark.fault(12)
def test_the_message_about_an_untrusted_text_is_short_and_printable():
    message = complain(json.dumps({"x" * 200: 1}).encode().replace(b": 1", b': 1, "%s": 2' % (b"x" * 200)))[
        1
    ]["body"]
    assert len(message) < 200


# -- what is right


def test_the_structured_form_of_the_composer_is_read_whole():
    body = {
        "secret": "…",
        "id": "BTCUSDT|15|long|long|2026-11-20T12:00:00Z",
        "timestamp": "2026-11-20T12:00:00Z",
        "tv": {
            "exchange": "BINANCE", "symbol": "BTCUSDT.P", "timeframe": "240", "action": "sell",
            "market_position": "SHORT", "prev_market_position": "flat", "entry_price": "65000.5", "close": 65001.25,
        },
        "execution_intent": {"type": "signal", "strategy": "grid", "tp_mode": "hybrid", "capital_usd": "250"},
        "note": {"kept": "and ignored"},
    }  # fmt: skip
    read = alerts.read(json.dumps(body).encode())
    assert isinstance(read, Body)
    assert read.secret == "…"
    parsed = alerts.parse(read, CATALOGUE)
    assert isinstance(parsed, ParsedAlert)
    found = parsed.signal
    assert (found.exchange, found.symbol, found.market, found.timeframe) == (
        "binance",
        "BTCUSDT.P",
        "swap",
        "4h",
    )
    assert (found.side, found.entry_price, found.capital_usd) == ("short", D("65000.5"), D(250))
    assert found.sent_at == datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert (found.tp_mode, found.is_exit, found.asks_reversal) == ("hybrid", False, False)
    assert "kept" in parsed.body


def test_overrides_may_stand_at_the_top_of_the_structured_form_too():
    body = {"tv": FLAT, "account": "paper", "grid": "wide", "tp_mode": "aggregate"}
    parsed = alerts.parse(alerts.read(json.dumps(body).encode()), CATALOGUE)  # type: ignore[arg-type]
    assert isinstance(parsed, ParsedAlert)
    assert (parsed.signal.account, parsed.signal.grid, parsed.signal.tp_mode) == (
        "paper",
        "wide",
        "aggregate",
    )


@pytest.mark.parametrize(
    ("prices", "base"),
    [
        ({"entry_price": "1", "price": "2", "close": "3"}, "1"),
        ({"price": "2", "close": "3"}, "2"),
        ({"close": 3}, "3"),
        ({"entry_price": "", "price": None, "close": "3.50"}, "3.50"),
        ({"entry_price": 6.5e4}, "65000"),
        ({"entry_price": "1e-8"}, "0.00000001"),
        ({}, None),
    ],
)
def test_the_base_price_is_the_first_that_is_there(prices, base):
    assert signal(**prices).entry_price == (None if base is None else D(base))


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("15", "15m"), (15, "15m"), ("60", "1h"), ("90", "90m"), ("240", "4h"), ("1440", "1d"), ("1D", "1d"),
        ("D", "1d"), ("W", "1w"), ("1W", "1w"), ("M", "1M"), ("2M", "2M"), ("30S", "30s"), ("60S", "1m"), ("S", "1s"),
        ("15m", "15m"), ("4h", "4h"), ("4H", "4h"), ("24h", "1d"), ("007", "7m"), ("3d", "3d"), ("90s", "90s"),
        ("366D", "366d"), ("45S", "45s"), (" 15 ", "15m"),
    ],
)  # fmt: skip
def test_a_timeframe_has_one_canonical_form(text, canonical):
    assert signal(timeframe=text).timeframe == canonical


@pytest.mark.fault(13)
@pytest.mark.parametrize(
    ("exchange", "symbol", "found"),
    [
        ("BINANCE", "BTCUSDT", ("binance", "BTCUSDT")),
        ("binance", "btcusdt", ("binance", "BTCUSDT")),
        ("BINANCE", "BINANCE:BTCUSDT", ("binance", "BTCUSDT")),
        ("BINANCE_DLY", "BTCUSDT", ("binance", "BTCUSDT")),
        ("BINANCE", "BINANCE_DL:BTCUSDT", ("binance", "BTCUSDT")),
        ("BINANCE", "BTCUSDT.P", ("binance", "BTCUSDT.P")),
        ("BINANCE", "BTCUSDTPERP", ("binance", "BTCUSDT.P")),
        ("KUCOIN", "BTCUSDT.P", ("kucoin", "XBTUSDTM")),
        ("KUCOIN", "XBTUSDTM", ("kucoin", "XBTUSDTM")),
        ("OKX", "BTCUSDT", ("okx", "BTC-USDT")),
    ],
)
def test_a_charts_symbol_is_found_by_looking_it_up(exchange, symbol, found):
    got = signal(exchange=exchange, symbol=symbol)
    assert (got.exchange, got.symbol) == found


@pytest.mark.parametrize(
    ("fields", "side", "contradicts"),
    [
        ({"action": "buy"}, "long", False),
        ({"action": "SELL"}, "short", False),
        ({"action": "buy", "side": "long"}, "long", False),
        ({"action": "sell", "side": "long"}, "long", True),
        ({"action": "sell", "market_position": "long"}, "long", True),
        ({"action": "buy", "market_position": "long", "side": "short"}, "long", True),
        ({"action": None, "side": "short"}, "short", False),
        ({"action": None, "market_position": "short"}, "short", False),
        ({"action": "sell", "type": "exit"}, "short", False),
        ({"action": "buy", "market_position": "flat", "side": "short"}, "short", False),
        ({"action": "buy", "market_position": "short", "prev_market_position": "long"}, "short", False),
        ({"action": "buy", "market_position": "short", "prev_market_position": "flat"}, "short", True),
    ],
)
def test_the_side_follows_from_the_first_part_that_names_one(fields, side, contradicts):
    found = signal(**fields)
    assert (found.side, found.contradicts_itself) == (side, contradicts)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-20T12:00:00Z", datetime(2026, 11, 20, 12, tzinfo=UTC)),
        ("2026-11-20T12:00:00", datetime(2026, 11, 20, 12, tzinfo=UTC)),
        ("2026-11-20T14:00:00+02:00", datetime(2026, 11, 20, 12, tzinfo=UTC)),
        ("1795176000", datetime(2026, 11, 20, 12, tzinfo=UTC)),
        (1795176000123, datetime(2026, 11, 20, 12, 0, 0, 123000, tzinfo=UTC)),
    ],
)
def test_a_time_is_iso_8601_or_counted_since_1970(text, time):
    assert signal(timestamp=text).sent_at == time


# -- identity


def key(text: str) -> str:
    parsed = alerts.parse(alerts.read(text.encode()), CATALOGUE)  # type: ignore[arg-type]
    assert isinstance(parsed, ParsedAlert)
    return parsed.key


def test_without_an_id_the_canonical_body_is_the_identity_and_the_secret_is_no_part_of_it():
    body = json.dumps(FLAT)
    assert key(body) == key(json.dumps(dict(reversed(FLAT.items())), indent=3))
    assert key(body) == key(json.dumps(FLAT | {"secret": "one"})) == key(json.dumps(FLAT | {"secret": "two"}))
    assert key(body) != key(json.dumps(FLAT | {"close": 1}))


def test_an_id_is_the_identity_whatever_the_body_says():
    assert key(json.dumps(FLAT | {"id": "7"})) == key(json.dumps(FLAT | {"id": 7, "close": 5})) == "id:7"


# -- the secret


@pytest.mark.parametrize(
    "body",
    [
        '{"secret": "CANARY", "symbol": "BTCUSDT"}',
        '{"symbol": "x", "secret":"CANARY"}',
        '{"secret"  :  "CANARY"}',
        '{"secr\\u0065t": "CANARY"}',
        '{"secret": "CAN\\"CANARY"}',
        '{"secret": ["CANARY"]}',
        '{"secret": {"a": "CANARY"}}',
        '{"secret": "CANARY", "n": %s}' % ("9" * 5000),
        '{"secr\\u0065t": "CANARY", "n": 1e400, "bad": "\\ud800"}',
        '{"a": {"secret": "CANARY"}, "secret": "CANARY"}',
        '{"secret": "\\u0043ANARY", "x": "\\\\"}',
    ],
)  # fmt: skip
def test_the_secret_never_survives_in_the_body_that_is_kept(body):
    read = alerts.read(body.encode())
    assert isinstance(read, Body)
    assert "CANARY" not in read.redacted
    assert json.loads(read.redacted, parse_int=str)["secret"] == HIDDEN
    read.redacted.encode()  # it can be stored


def test_a_body_without_a_secret_is_kept_as_it_came():
    text = '{ "symbol" : "BTCUSDT",  "close":1.50 }'
    read = alerts.read(text.encode())
    assert isinstance(read, Body)
    assert (read.redacted, read.secret) == (text, None)


# -- by chance

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(UNREPLACED),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["tv", "execution_intent", "timestamp", "secret", "exchange", "symbol", "timeframe", *NUMBER_FIELDS, *WORD_FIELDS,
     *TEXT_FIELDS]
)  # fmt: skip
PLAUSIBLE = st.sampled_from(
    ["BINANCE", "BTCUSDT", "15", "buy", "sell", "long", "short", "flat", "exit", "65000", "grid"]
)


@pytest.mark.fault(10)
@given(st.binary(max_size=200))
def test_no_bytes_make_the_reader_raise(raw):
    complain(raw)


@given(st.dictionaries(FIELDS, PLAUSIBLE | JSON, max_size=12), st.booleans())
def test_no_object_makes_the_parser_raise(fields, nested):
    body = {"tv": fields, "execution_intent": fields} | fields if nested else FLAT | fields
    complain(json.dumps(body).encode())


@given(
    st.text(string.ascii_letters + string.digits + '"\\/ é\x7f', min_size=12, max_size=40),
    st.booleans(),
    JSON,
)
def test_no_secret_survives_whatever_it_looks_like(secret, ascii_only, other):
    body = json.dumps({"other": other, "secret": f"s3cr3t-{secret}", "z": 1}, ensure_ascii=ascii_only)
    try:
        read = alerts.read(body.encode())
    except UnicodeEncodeError:  # a lone surrogate cannot even be sent
        return
    if isinstance(read, Body):
        assert read.secret == f"s3cr3t-{secret}"
        assert "s3cr3t" not in read.redacted


@given(st.dictionaries(FIELDS, PLAUSIBLE | JSON, max_size=6))
def test_what_is_valid_can_be_acted_on(fields):
    found = parse(**fields)
    if isinstance(found, ParsedAlert):
        assert found.signal.is_exit or found.signal.side is not None
        for number in (found.signal.entry_price, found.signal.capital_usd):
            assert number is None or (number.is_finite() and number > 0)


def test_the_short_way_of_asking_for_faults_agrees():
    assert faults("x") == complain(b"x")[1]
    assert set(faults("{}")) == {"exchange", "symbol", "timeframe"}
    assert faults(json.dumps(FLAT)) == {}
