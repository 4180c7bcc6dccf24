"""The table of instrument rules that ships with the application: read it, and refuse what makes no sense."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from execution_engine.domain.errors import EngineError
from execution_engine.domain.instrument import Instrument, Market
from execution_engine.domain.money import ZERO

_WORDS = ("exchange", "symbol", "base", "quote")
_ABOVE_ZERO = ("tick", "step", "min_qty", "contract_size", "max_leverage")
_ZERO_MEANS_NONE = ("max_qty", "market_min_qty", "market_max_qty", "min_notional")
_FEES = ("maker_fee_percent", "taker_fee_percent")
_NUMBERS = _ABOVE_ZERO + _ZERO_MEANS_NONE + _FEES
_FIELDS = {*_WORDS, "market", *_NUMBERS, "source"}
_SOURCES = ("recorded", "known")


class TableFaulty(EngineError):
    """The table can't be used; `faults` holds a sentence for everything that is wrong with it."""

    def __init__(self, path: Path, faults: tuple[str, ...]) -> None:
        super().__init__(f"{path.name} can't be used. {' '.join(faults)}")
        self.faults = faults


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentTable:
    """Rules of many markets, as they were on one day."""

    date: date
    note: str
    instruments: tuple[Instrument, ...]


def load(path: Path) -> tuple[Instrument, ...]:
    """Read the rules of all markets from a table. Raises TableFaulty with a sentence per fault."""
    return load_table(path).instruments


def load_table(path: Path) -> InstrumentTable:
    """Read a table with the day it is of. Raises TableFaulty with a sentence per fault."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TableFaulty(path, (f"It can't be read: {error.strerror or error}.",)) from None
    except ValueError as error:
        raise TableFaulty(path, (f"It is not valid JSON: {error}.",)) from None
    if not isinstance(document, dict) or not isinstance(document.get("instruments"), list):
        raise TableFaulty(path, ("It must be an object with a list `instruments`.",))
    faults: list[str] = []
    day = _day(document.get("date"), faults)
    instruments = tuple(_instruments(document["instruments"], faults))
    if faults:
        raise TableFaulty(path, tuple(faults))
    return InstrumentTable(date=day, note=str(document.get("note", "")), instruments=instruments)


def _day(value: object, faults: list[str]) -> date:
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        faults.append("`date` must be a day, written as 2026-01-31.")
        return date.min


def _instruments(entries: list[object], faults: list[str]) -> Iterator[Instrument]:
    seen: set[tuple[str, str]] = set()
    if not entries:
        faults.append("`instruments` is empty.")
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, dict):
            faults.append(f"Entry {number} is not an object.")
            continue
        name = f"Entry {number} ({entry.get('exchange')}:{entry.get('symbol')})"
        wrong = list(_faults(entry))
        faults += [f"{name}: {fault}" for fault in wrong]
        if wrong:
            continue
        instrument = _instrument(entry)
        if instrument.key in seen:
            faults.append(f"{name}: it is there twice.")
        seen.add(instrument.key)
        yield instrument


def _instrument(entry: Mapping[str, str]) -> Instrument:
    words: dict[str, Any] = {word: entry[word] for word in _WORDS}
    numbers: dict[str, Any] = {number: Decimal(entry[number]) for number in _NUMBERS}
    return Instrument(market=Market(entry["market"]), **words, **numbers)


def _faults(entry: Mapping[str, object]) -> Iterator[str]:
    """Yield what is wrong with one entry; the relations are only asked of well-formed numbers."""
    for field in sorted(_FIELDS - entry.keys()):
        yield f"`{field}` is missing."
    for field in sorted(entry.keys() - _FIELDS):
        yield f"`{field}` is not a field."
    for field in _WORDS:
        word = entry.get(field)
        if field in entry and not (isinstance(word, str) and word and word.isascii() and " " not in word):
            yield f"`{field}` must be a word."
    if "market" in entry and entry["market"] not in list(Market):
        yield "`market` must be spot or swap."
    if "source" in entry and entry["source"] not in _SOURCES:
        yield f"`source` must be {' or '.join(_SOURCES)}."
    numbers = {field: _number(entry[field]) for field in _NUMBERS if field in entry}
    for field, number in numbers.items():
        if number is None:
            yield f"`{field}` must be a number, written as text."
        elif field in _ABOVE_ZERO and number <= 0:
            yield f"`{field}` must be above zero."
        elif field in _ZERO_MEANS_NONE and number < 0:
            yield f"`{field}` must not be below zero."
    if entry.keys() == _FIELDS and None not in numbers.values():
        yield from _contradictions(entry, {field: number or ZERO for field, number in numbers.items()})


def _contradictions(entry: Mapping[str, object], numbers: Mapping[str, Decimal]) -> Iterator[str]:
    if any(numbers[field] <= 0 for field in _ABOVE_ZERO):
        return
    perpetual = str(entry["symbol"]).endswith(".P")
    if perpetual != (entry["market"] == Market.SWAP):
        yield "a perpetual's symbol ends in `.P`, a spot symbol does not."
    if numbers["min_qty"] % numbers["step"]:
        yield "`min_qty` is no multiple of `step`."
    if 0 < numbers["max_qty"] < numbers["min_qty"]:
        yield "`max_qty` is below `min_qty`."
    if 0 < numbers["market_max_qty"] < max(numbers["market_min_qty"], numbers["min_qty"]):
        yield "`market_max_qty` is below the least quantity."
    if not perpetual and (numbers["contract_size"] != 1 or numbers["max_leverage"] != 1):
        yield "a spot market has a contract size and a leverage of 1."


def _number(value: object) -> Decimal | None:
    try:
        number = Decimal(value) if isinstance(value, str) else None
    except InvalidOperation:
        return None
    return number if number is not None and number.is_finite() else None
