"""What the settings schema says of each single setting: for forms, for the search, for the reference.

Profiles, bindings and accounts have names of the user's own; they are left to whoever shows them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from execution_engine.domain.money import text
from execution_engine.domain.settings import AccountSettings, Section, Settings

Plain = str | int | bool | list[str]


class Kind(StrEnum):
    """What is entered: an exact number, a whole one, yes or no, one of a few, a text, several texts."""

    NUMBER = "number"
    WHOLE = "whole number"
    SWITCH = "yes or no"
    CHOICE = "choice"
    TEXT = "text"
    LIST = "list"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting. default: as the document has it. choices: each value with its word.

    minimum, maximum: limits; `above` and `below` say that the limit itself is outside.
    """

    path: str
    name: str
    title: str
    help: str
    kind: Kind
    unit: str = ""
    default: Plain
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    above: bool = False
    below: bool = False
    choices: tuple[tuple[str | bool, str], ...] = ()

    @property
    def section(self) -> str:
        return self.path.partition(".")[0]

    @property
    def range(self) -> str:
        """Return the limits in words; nothing where there are none."""
        low = "" if self.minimum is None else f"{'above' if self.above else 'from'} {text(self.minimum)}"
        word = "below" if self.below else "up to" if low.startswith("above") or not low else "to"
        high = "" if self.maximum is None else f"{word} {text(self.maximum)}"
        return f"{low} {high}".strip()

    def fault_of(self, value: Decimal) -> str:
        """Return what is wrong with a number; nothing if it is within the limits."""
        if self.kind is Kind.WHOLE and value != value.to_integral_value():
            return "must be a whole number"
        if self.minimum is not None and (value <= self.minimum if self.above else value < self.minimum):
            return f"must be {'above' if self.above else 'at least'} {text(self.minimum)}"
        if self.maximum is not None and (value >= self.maximum if self.below else value > self.maximum):
            return f"must be {'below' if self.below else 'at most'} {text(self.maximum)}"
        return ""


SECTIONS: Mapping[str, tuple[str, str]] = {
    "capital": ("Capital", "How much the engine trades with."),
    "pool": ("Pool and queue", "How many groups may be open, and what waits for a place."),
    "grid": ("Grid", "How a signal becomes legs."),
    "take_profit": ("Take profit", "When a position is closed with a profit."),
    "signals": ("Signals", "Which alerts are acted on."),
    "risk": ("Risk engine", "When a loser is closed and paid for by winners."),
    "accounts": ("Accounts", "How each account trades perpetuals."),
    "webhook": ("Webhook", "Where alerts arrive, and who may send them."),
    "tunnel": ("Tunnel", "The way in from outside."),
    "paper": ("Paper exchange", "How practice trading behaves."),
    "orders": ("Orders", "How orders are followed at the exchange."),
    "logs": ("Logs", "What is written down, and how long it is kept."),
    "backups": ("Backups", "Copies of the database that are made by themselves."),
    "notifications": ("Notifications", "What is told outside of the window."),
    "updates": ("Updates", "New versions of the application."),
    "ui": ("Appearance", "How the window looks."),
    "desktop": ("This computer", "How the application lives on the desktop."),
    "security": ("Security", "What may be changed, and when the window locks itself."),
}
_ELSEWHERE = frozenset({"profiles", "bindings", "targets"})  # they have an editor of their own
_SUFFIXES = ("_usd", "_percent", "_minutes", "_hours", "_days", "_ms", "_s")


@cache
def settings() -> tuple[Setting, ...]:
    """Return every setting that has a fixed path, in the order of the document."""
    return tuple(_all())


def _all() -> Iterator[Setting]:
    for section, field in Settings.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            yield from _of(kind, section)


@cache
def of_account(name: str) -> tuple[Setting, ...]:
    """Return the settings of one account."""
    return tuple(_of(AccountSettings, f"accounts.{name}"))


def section(name: str) -> tuple[Setting, ...]:
    """Return the settings of one section."""
    return tuple(each for each in settings() if each.section == name)


@cache
def by_path() -> Mapping[str, Setting]:
    return {each.path: each for each in settings()}


def _of(section: type[Section], prefix: str) -> Iterator[Setting]:
    usual = section().model_dump(mode="json")
    for name, field in section.model_fields.items():
        if name not in _ELSEWHERE:
            yield _setting(f"{prefix}.{name}", name, field, usual[name])


def _setting(path: str, name: str, field: FieldInfo, default: Any) -> Setting:
    kind, choices = _kind(field.annotation)
    limits = {
        limit: getattr(each, limit)
        for each in field.metadata
        for limit in ("ge", "gt", "le", "lt")
        if hasattr(each, limit)
    }
    numeric = kind in (Kind.NUMBER, Kind.WHOLE)
    low, high = limits.get("ge", limits.get("gt")), limits.get("le", limits.get("lt"))
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    return Setting(
        path=path,
        name=name,
        title=field.title or title_of(name),
        help=field.description or "",
        kind=kind,
        unit=str(extra.get("unit", "")),
        default=default,
        minimum=Decimal(low) if numeric and low is not None else None,
        maximum=Decimal(high) if numeric and high is not None else None,
        above="gt" in limits,
        below="lt" in limits,
        choices=choices,
    )


def _kind(annotation: Any) -> tuple[Kind, tuple[tuple[str | bool, str], ...]]:
    if annotation is bool:
        return Kind.SWITCH, ()
    if annotation is int:
        return Kind.WHOLE, ()
    if annotation is Decimal:
        return Kind.NUMBER, ()
    if annotation is str:
        return Kind.TEXT, ()
    if get_origin(annotation) is tuple:
        return Kind.LIST, ()
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return Kind.CHOICE, tuple((each.value, word_of(each.value)) for each in annotation)
    words = [word for part in get_args(annotation) if get_origin(part) is Literal for word in get_args(part)]
    return Kind.CHOICE, (*((word, word_of(word)) for word in words), (True, "On"), (False, "Off"))


def title_of(name: str) -> str:
    """Write a field's name for people, without its unit: `loss_threshold_percent` → “Loss threshold”."""
    for suffix in _SUFFIXES:
        name = name.removesuffix(suffix)
    return name.replace("_", " ").capitalize()


def word_of(value: str) -> str:
    """Write a value for people: `keep_grid` → “Keep grid”; what is written in capitals stays so."""
    return value if value.isupper() else value.replace("_", " ").capitalize().replace(" dca ", " DCA ")
