"""What differs between two settings documents: path, old, new."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from execution_engine.domain.settings import Settings


@dataclass(frozen=True, slots=True)
class Change:
    """One difference; None stands for what is not there."""

    path: str
    old: str | None
    new: str | None

    def __str__(self) -> str:
        if self.old is None:
            return f"{self.path} added: {self.new or 'empty'}"
        if self.new is None:
            return f"{self.path} removed: {self.old or 'empty'}"
        return f"{self.path} {self.old or 'empty'} → {self.new or 'empty'}"


def between(old: Settings, new: Settings) -> tuple[Change, ...]:
    """Return what differs between two documents, in the order of the schema."""
    changed = {name for name in type(new).model_fields if getattr(old, name) != getattr(new, name)}
    return of_plain(
        old.model_dump(mode="json", include=changed), new.model_dump(mode="json", include=changed)
    )


def of_plain(old: Any, new: Any) -> tuple[Change, ...]:
    """Return what differs between two documents as plain values."""
    return tuple(_between(old, new, ""))


def _between(old: Any, new: Any, path: str) -> Iterator[Change]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in (*old, *(name for name in new if name not in old)):
            yield from _member(old, new, name, f"{path}.{name}" if path else name)
    elif _has_parts(old) and _has_parts(new):
        before, after = dict(enumerate(old)), dict(enumerate(new))
        for place in range(max(len(old), len(new))):
            yield from _member(before, after, place, f"{path}.{place}")
    elif not same(old, new):
        yield Change(path, written(old), written(new))


def _member(old: dict[Any, Any], new: dict[Any, Any], name: Any, path: str) -> Iterator[Change]:
    if name not in old:
        yield Change(path, None, written(new[name]))
    elif name not in new:
        yield Change(path, written(old[name]), None)
    else:
        yield from _between(old[name], new[name], path)


def _has_parts(value: Any) -> bool:
    """Tell whether a list is compared part by part: legs and bindings are, lists of texts are one value."""
    return isinstance(value, list) and any(isinstance(each, dict) for each in value)


def same(one: Any, other: Any) -> bool:
    """Tell whether two plain values mean the same: 1.0 and 1 are one number."""
    if one == other and isinstance(one, bool) == isinstance(other, bool):
        return True
    if isinstance(one, str | int) and isinstance(other, str | int):
        numbers = _number(one), _number(other)
        return numbers[0] is not None and numbers[0] == numbers[1]
    return False


def _number(value: str | int) -> Decimal | None:
    if isinstance(value, bool):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def written(value: Any) -> str:
    """Write a plain value on one line."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, dict):
        return ", ".join(f"{name} {written(each)}" for name, each in value.items())
    if _has_parts(value):
        return "1 entry" if len(value) == 1 else f"{len(value)} entries"
    if isinstance(value, list):
        return ", ".join(map(written, value))
    return str(value)


def told(changes: Sequence[Change], most: int = 5) -> str:
    """Write changes as one sentence part; more than that many are counted."""
    if not changes:
        return "nothing differs"
    some = "; ".join(map(str, changes[:most]))
    return some if len(changes) <= most else f"{some}; and {len(changes) - most} more"
