"""The body of an alert: from bytes to a `Signal`, or every fault at once in sentences."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from execution_engine.domain import timeframe as timeframes
from execution_engine.domain.errors import FieldFault
from execution_engine.domain.instrument import Instrument, Side
from execution_engine.domain.signal import Position, Signal, TakeProfitMode
from execution_engine.domain.symbols import Catalogue

MAX_BYTES = 16 * 1024
MAX_DEPTH = 8
MAX_DIGITS = 28
MAX_TEXT = 256
HIDDEN = "•••"

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?", re.ASCII)
_SECRET = re.compile(r'("secret"\s*:\s*)"(?:[^"\\]|\\.)*"')
_PLACEHOLDER = re.compile(r"\{\{[^{}]*\}\}?")
_PLAIN = re.compile(r"[\x21-\x7e]+")

E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Faults:
    """Why a body is refused: 400 when it is no JSON object, 422 when it makes no sense."""

    status: int
    errors: tuple[FieldFault, ...]


@dataclass(frozen=True, slots=True)
class Body:
    """A JSON object as received. `redacted` is its text with the value of `secret` replaced."""

    fields: dict[str, Any]
    secret: str | None
    redacted: str


@dataclass(frozen=True, slots=True)
class ParsedAlert:
    """A valid body. `key` is its identity, `body_hash` tells whether two of one identity differ."""

    signal: Signal
    key: str
    body_hash: str
    body: str


class _NotUsable(ValueError):
    """Valid JSON or not: something that no alert has a reason to hold."""


def read(raw: bytes) -> Body | Faults:
    """Read the JSON of a request, whatever its content type says; nothing else is judged."""
    try:
        text = raw.decode("utf-8")
        fields = json.loads(
            text,
            parse_float=_number,
            parse_int=_integer,
            parse_constant=_constant,
            object_pairs_hook=_unique,
        )
        if not isinstance(fields, dict):
            raise _NotUsable('the body must be a JSON object, as {"tv": …}')
        if _depth(fields) > MAX_DEPTH:
            raise _NotUsable(f"the body is nested more than {MAX_DEPTH} levels deep")
    except UnicodeDecodeError:
        return _not_json("the body is not UTF-8 text")
    except RecursionError:
        return _not_json(f"the body is nested more than {MAX_DEPTH} levels deep")
    except _NotUsable as error:
        return _not_json(str(error))
    except ValueError as error:
        return _not_json(f"the body is not valid JSON ({error}); check quotes and commas around placeholders")
    secret = fields.get("secret")
    return Body(fields, secret if isinstance(secret, str) else None, _redacted(text, fields))


def _not_json(message: str) -> Faults:
    return Faults(400, (FieldFault("body", message),))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _NotUsable(f"the field “{_shown(twice)}” stands twice")
    return fields


def _constant(name: str) -> None:
    raise _NotUsable(f"{name} is not a number that can be used; an unquoted placeholder may have become it")


def _integer(text: str) -> int | Decimal:
    return int(text) if len(text) <= MAX_DIGITS else Decimal(text)


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except ArithmeticError:
        raise _NotUsable(f"the number {_shown(text)} cannot be used") from None


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0


def _redacted(text: str, fields: dict[str, Any]) -> str:
    """Hide the secret in the text itself, so that the rest stays as it was received."""
    if "secret" not in fields:
        return text
    hidden = _SECRET.sub(rf'\1"{HIDDEN}"', text)
    if json.loads(hidden, parse_int=str, parse_float=str).get("secret") == HIDDEN:
        return hidden
    # The key was written with escapes or the value is no text: write the whole body anew.
    return json.dumps({**fields, "secret": HIDDEN}, default=str)


def parse(body: Body, catalogue: Catalogue) -> ParsedAlert | Faults:
    """Turn a body into a signal, or return every fault that it has."""
    reader = _Reader(body.fields)
    instrument = reader.instrument(catalogue)
    timeframe = reader.timeframe()
    identity = reader.text("id")
    reader.only("strategy", ("grid",))
    fields: dict[str, Any] = {
        "id": identity,
        "sent_at": reader.time("timestamp"),
        "wants_exit": reader.only("type", ("signal", "entry", "exit")) == "exit",
        "action": reader.only("action", ("buy", "sell")),
        "position": reader.choice("market_position", Position),
        "previous": reader.choice("prev_market_position", Position),
        "intent_side": reader.choice("side", Side),
        "entry_price": reader.base_price(),
        "account": reader.text("account"),
        "grid": reader.text("grid"),
        "tp_mode": reader.choice("tp_mode", TakeProfitMode),
        "capital_usd": reader.number("capital_usd"),
    }
    if instrument is None or timeframe is None or reader.faults:
        return Faults(422, tuple(reader.faults))
    signal = Signal(
        exchange=instrument.exchange,
        symbol=instrument.symbol,
        market=instrument.market,
        timeframe=timeframe,
        **fields,
    )
    if not signal.is_exit and signal.side is None:
        message = "nothing says what to do: send action (buy, sell), market_position or execution_intent"
        return Faults(422, (FieldFault(reader.path("action"), message),))
    digest = _hash(body.fields)
    return ParsedAlert(signal, f"id:{identity}" if identity else f"body:{digest}", digest, body.redacted)


def _hash(fields: dict[str, Any]) -> str:
    """Return the digest of the canonical body; the secret is no part of it."""
    rest = {name: value for name, value in fields.items() if name != "secret"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class _Reader:
    """Reads known fields from the structured or the flat form and collects every fault.

    In the structured form market fields stand in `tv` and wishes in `execution_intent`; in the flat form all
    of them stand at the top.
    """

    _MARKET = frozenset(
        [
            "exchange",
            "symbol",
            "timeframe",
            "action",
            "market_position",
            "prev_market_position",
            "entry_price",
            "price",
            "close",
        ]
    )
    _INTENT = frozenset(["type", "strategy", "side", "account", "grid", "tp_mode", "capital_usd"])

    def __init__(self, fields: dict[str, Any]) -> None:
        self.faults: list[FieldFault] = []
        self._top = fields
        self._tv = self._section("tv")
        self._intent = self._section("execution_intent")

    def _section(self, name: str) -> dict[str, Any] | None:
        section = self._top.get(name)
        if section is None or isinstance(section, dict):
            return section
        self._fault(name, "must be an object, as {…}")
        return None

    def _fault(self, path: str, message: str) -> None:
        self.faults.append(FieldFault(path, message))

    def path(self, name: str) -> str:
        """Return where a field stands, or would stand, in this body."""
        if name in self._MARKET and self._tv is not None and (name in self._tv or name not in self._top):
            return f"tv.{name}"
        if name in self._INTENT and self._intent is not None and name in self._intent:
            return f"execution_intent.{name}"
        return name

    def _value(self, name: str) -> Any:
        for section, holds in ((self._tv, self._MARKET), (self._intent, self._INTENT)):
            if name in holds and section is not None and name in section:
                return section[name]
        return self._top.get(name)

    def text(self, name: str) -> str | None:
        """Read a short text; numbers count as their digits, empty text as absent."""
        value = self._value(name)
        if value is None or value == "":
            return None
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            return self._wrong(name, "must be text")
        value = value.strip()
        if match := _PLACEHOLDER.search(value):
            return self._wrong(name, _unreplaced(match[0]))
        if len(value) > MAX_TEXT:
            return self._wrong(name, f"is longer than {MAX_TEXT} characters")
        if not value.isprintable():
            return self._wrong(name, "holds characters that cannot be shown")
        return value or None

    def _wrong(self, name: str, message: str) -> None:
        self._fault(self.path(name), message)

    def _plain(self, name: str, example: str) -> str | None:
        """Read a required text of plain ASCII without spaces."""
        before = len(self.faults)
        value = self.text(name)
        if value is None:
            if len(self.faults) == before:
                self._wrong(name, f"is missing; send it as {example}")
            return None
        if not _PLAIN.fullmatch(value):
            return self._wrong(
                name, f"{_shown(value)} holds characters that no {name} has; send it as {example}"
            )
        return value

    def instrument(self, catalogue: Catalogue) -> Instrument | None:
        exchange = self._plain("exchange", '"{{exchange}}"')
        symbol = self._plain("symbol", '"{{ticker}}"')
        if exchange is None or symbol is None:
            return None
        found = catalogue.find(exchange, symbol)
        if isinstance(found, FieldFault):
            return self._wrong(found.field, _shown(found.message))
        return found

    def timeframe(self) -> str | None:
        value = self._plain("timeframe", '"15"')
        if value is None:
            return None
        found = timeframes.canonical(value)
        if found is None:
            message = f"{_shown(value)} is no timeframe; send minutes (15, 240), 30S, 1D, 1W or 1M"
            return self._wrong("timeframe", message)
        return found

    def only(self, name: str, allowed: tuple[str, ...]) -> str | None:
        value = self.text(name)
        if value is None or value.lower() in allowed:
            return value and value.lower()
        return self._wrong(name, f"{_shown(value)} must be {' or '.join(allowed)}")

    def choice(self, name: str, kind: type[E]) -> E | None:
        value = self.only(name, tuple(kind))
        return kind(value) if value else None

    def base_price(self) -> Decimal | None:
        """Read every price that is there, so that each fault is told; the first one present counts."""
        prices = [self.number(name) for name in ("entry_price", "price", "close")]
        return next((price for price in prices if price is not None), None)

    def number(self, name: str) -> Decimal | None:
        value = self._value(name)
        if isinstance(value, bool | list | dict):
            return self._wrong(name, "must be a number")
        if isinstance(value, str) or value is None:
            text = self.text(name)
            if text is None:
                return None
            if not _NUMBER.fullmatch(text):
                return self._wrong(name, f"{_shown(text)} is not a number; write it with a point, as 64000.5")
            value = Decimal(text)
        return self._positive(name, Decimal(value))

    def _positive(self, name: str, value: Decimal) -> Decimal | None:
        if len(value.as_tuple().digits) > MAX_DIGITS or abs(value.adjusted()) > MAX_DIGITS:
            return self._wrong(name, f"has more than {MAX_DIGITS} digits")
        if value <= 0:
            return self._wrong(name, f"{value} must be above 0")
        return value

    def time(self, name: str) -> datetime | None:
        """Read ISO 8601, or seconds or milliseconds since 1970."""
        text = self.text(name)
        if text is None:
            return None
        try:
            return _epoch(text) if text.isascii() and text.isdigit() else _iso(text)
        except (ValueError, OverflowError, OSError):  # the last one is how Windows says "out of range"
            message = f"{_shown(text)} is no time; send it as {{{{timenow}}}} or 2026-11-20T14:32:08Z"
            return self._wrong(name, message)


def _iso(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _epoch(text: str) -> datetime:
    number = int(text[:20])
    seconds, rest = divmod(number, 1000) if number >= 10**11 else (number, 0)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1000)


def _unreplaced(placeholder: str) -> str:
    return (
        f"{_shown(placeholder)} arrived unreplaced: TradingView fills it only in the message of an alert made on "
        "a chart, and {{strategy.…}} only in alerts of a strategy"
    )


def _shown(text: str) -> str:
    """Make untrusted text safe to show: short, and nothing that cannot be printed."""
    safe = "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text[:80])
    return f"{safe}…" if len(text) > 80 else safe
