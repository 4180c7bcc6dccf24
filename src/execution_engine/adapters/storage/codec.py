"""Rows as column values and back, exactly: derived once per row type from its type hints.

Decimal → digits and a point; datetime → ISO text of fixed width in UTC, so that text order is time order;
tuples and nested dataclasses → JSON text; bool → 0 or 1; everything else as it is. A `StrEnum` is a `str`.
"""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any, Generic, TypeVar, Union, get_args, get_origin, get_type_hints

Value = int | str | None
Convert = Callable[[Any], Any]
T = TypeVar("T")


class Codec(Generic[T]):
    """The way between one row type and its columns.

    columns: names in the order of the values. integers: those stored as INTEGER, the others are TEXT.
    optional: those that may be NULL.
    """

    def __init__(self, row_type: type[T]) -> None:
        hints = {name: without_none(hint) for name, hint in get_type_hints(row_type).items()}
        self.row_type = row_type
        self.columns = tuple(field.name for field in fields(row_type))  # type: ignore[arg-type]
        self.optional = frozenset(name for name in self.columns if hints[name][1])
        self.integers = frozenset(name for name in self.columns if hints[name][0] in (int, bool))
        kinds = [hints[name][0] for name in self.columns]
        self._encode: Callable[[T], list[Value]] = written_out(
            {
                name: database_text if kind is str else encoder(kind)
                for name, kind in zip(self.columns, kinds, strict=True)
            }
        )
        self._decoders = [
            (at, of)
            for at, (name, kind) in enumerate(zip(self.columns, kinds, strict=True))
            if (of := shared(name, kind) or decoder(kind))
        ]

    def encode(self, row: T) -> list[Value]:
        """Return the values of a row in the order of `columns`.

        Raises ValueError for a time without a zone.
        """
        return self._encode(row)

    def decode(self, values: Sequence[Any]) -> T:
        """Return the row that was encoded as `values`."""
        made = list(values)
        for at, convert in self._decoders:
            if (value := made[at]) is not None:
                made[at] = convert(value)
        return self.row_type(**dict(zip(self.columns, made, strict=True)))


def written_out(converts: Mapping[str, Convert | None]) -> Callable[[Any], list[Value]]:
    """Return what makes the list of a row's values, each converted unless it is None.

    As dataclasses do, it is written out as source once: a row that is stored has some forty columns, and looping
    over them takes three times as long as the conversions do.
    """
    tools = {f"convert_{name}": convert for name, convert in converts.items() if convert is not None}
    values = (
        f"None if (value := row.{name}) is None else convert_{name}(value)" if convert else f"row.{name}"
        for name, convert in converts.items()
    )
    made: Callable[[Any], list[Value]] = eval(f"lambda row: [{', '.join(values)}]", tools)
    return made


def without_none(hint: Any) -> tuple[Any, bool]:
    """Split `X | None` into X and True; any other hint comes back with False."""
    if get_origin(hint) not in (Union, types.UnionType):
        return hint, False
    kinds = [kind for kind in get_args(hint) if kind is not type(None)]
    if len(kinds) != 1:
        raise TypeError(f"a column cannot hold {hint}")
    return kinds[0], True


def encoder(kind: Any) -> Convert | None:
    """Return what turns a value of this type into a column's value; None where nothing has to be done."""
    if kind is Decimal:
        return decimal_text
    if kind is datetime:
        return time_text
    if kind is bool:
        return int
    return json_text(kind) if is_nested(kind) else None


def decoder(kind: Any) -> Convert | None:
    """Return what turns a column's value into one of this type; None where nothing has to be done."""
    if kind is Decimal:
        return read_decimal
    if kind is datetime:
        return read_time
    if kind is bool:
        return bool
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return {member.value: member for member in kind}.__getitem__
    return json_reader(kind) if is_nested(kind) else None


def database_text(value: str) -> str:
    """Return a text as a database can hold it.

    Two things no database text can hold, and nothing we store means anything by them: NUL, at which SQLite
    would cut the text off, and halves of surrogate pairs, which UTF-8 does not have. They become U+FFFD.
    """
    if value.isascii() and "\0" not in value:
        return value
    return "".join(
        "\ufffd" if letter == "\0" or "\ud800" <= letter <= "\udfff" else letter for letter in value
    )


def decimal_text(value: Decimal) -> str:
    return format(value, "f")


@lru_cache(maxsize=1_024)
def time_text(value: datetime) -> str:
    """Write a time as `2026-11-20T10:03:38.000000Z`. The rows of one decision share theirs."""
    if value.tzinfo is not UTC:
        if value.tzinfo is None:
            raise ValueError(f"the time {value} has no zone")
        value = value.astimezone(UTC)
    return value.isoformat(timespec="microseconds")[:-6] + "Z"


# Names that thousands of rows share; each row would come with a copy of its own.
SHARED = frozenset(
    {"account", "exchange", "symbol", "base", "quote", "timeframe", "grid_name", "token", "fee_currency"}
)


def shared(name: str, kind: Any) -> Convert | None:
    """Return what makes one text of the equal texts in a column; None where they are not worth it."""
    return sys.intern if kind is str and name in SHARED else None


# A text stands for one value whatever row it is in, and zeros, percentages and times of creation come again
# and again. Of numbers the other direction is not remembered: 1.0 and 1.00 are equal, but not the same text.
read_decimal = lru_cache(maxsize=32_768)(Decimal)
read_time = lru_cache(maxsize=4_096)(datetime.fromisoformat)
REMEMBERED = 2_000  # numbers that may stay once everything was read


def forget_much() -> None:
    """Let go of the numbers of a large reading; its rows share them, and the next reading has others."""
    if read_decimal.cache_info().currsize > REMEMBERED:
        read_decimal.cache_clear()
        read_time.cache_clear()


def is_nested(kind: Any) -> bool:
    return get_origin(kind) is tuple or is_dataclass(kind)


def json_text(kind: Any) -> Convert:
    """Return a writer of JSON text that remembers the last objects it was given.

    A group is written with every fill and keeps the one grid it was opened with.
    """
    to_plain, written = plain_writer(kind), json.JSONEncoder(separators=(",", ":")).encode
    known: dict[int, tuple[Any, str]] = {}  # by identity; holding the object keeps its id from being reused

    def write(value: Any) -> str:
        found = known.get(id(value))
        if found is not None:
            return found[1]
        text = written(to_plain(value))
        if len(known) >= 256:
            known.clear()
        known[id(value)] = (value, text)
        return text

    return write


def json_reader(kind: Any) -> Convert:
    from_plain = plain_reader(kind)
    return lru_cache(maxsize=256)(lambda text: from_plain(json.loads(text)))


def plain_writer(kind: Any) -> Convert:
    """Return what turns a value into lists, objects and texts; fields that are None are left out."""
    if is_dataclass(kind):
        hints = nested_hints(kind)
        names, values = tuple(hints), written_out({name: part_writer(hint) for name, hint in hints.items()})
        return lambda value: {
            name: part for name, part in zip(names, values(value), strict=True) if part is not None
        }
    items = tuple_items(kind)
    if isinstance(items, tuple):
        each = [part_writer(item) or same for item in items]
        return lambda value: [write(part) for write, part in zip(each, value, strict=True)]
    one = part_writer(items)
    return (lambda value: [one(part) for part in value]) if one else list


def part_writer(kind: Any) -> Convert | None:
    """Return what turns a part of a value into what JSON has; None where it is that already."""
    return plain_writer(kind) if is_nested(kind) else encoder(kind)


def same(value: Any) -> Any:
    return value


def plain_reader(kind: Any) -> Convert:
    """Return the inverse of `plain_writer`; fields that were not written yet get their defaults."""
    if is_dataclass(kind):
        readers = {
            name: shared(name, hint) or plain_reader(hint) for name, hint in nested_hints(kind).items()
        }
        make: Callable[..., Any] = kind  # type: ignore[assignment]

        def read(parts: Mapping[str, Any]) -> Any:
            return make(**{name: readers[name](part) for name, part in parts.items()})

        return read
    if get_origin(kind) is tuple:
        items = tuple_items(kind)
        if isinstance(items, tuple):
            each = [plain_reader(item) for item in items]
            return lambda parts: tuple(of(part) for of, part in zip(each, parts, strict=True))
        one = plain_reader(items)
        return lambda parts: tuple(one(part) for part in parts)
    return decoder(kind) or (lambda value: value)


def nested_hints(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: without_none(hints[field.name])[0] for field in fields(kind)}


def tuple_items(kind: Any) -> Any:
    """Return the type of every item of `tuple[X, ...]`, or a tuple of types for `tuple[X, Y]`."""
    arguments = get_args(kind)
    return arguments[0] if arguments[1:] == (...,) else arguments
