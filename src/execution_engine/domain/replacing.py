"""A row with some of its fields changed, ten times as fast as `dataclasses.replace`.

Every decision makes dozens of rows from rows with some forty fields each, and each copy asks the class what
its fields are anew and sets each past the guard that freezes it. Here a copy is made of a class with the same
slots and no guard, by a function that is written out once per class, and becomes one of its own class at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import cache
from typing import Any, TypeVar

T = TypeVar("T")


def replace(row: T, **changes: Any) -> T:
    """Return a copy of a frozen dataclass with slots. Raises AttributeError for a field that it does not have."""
    kind: Any = type(row)
    made = _copier(kind)(row)
    for name, value in changes.items():
        setattr(made, name, value)
    made.__class__ = kind
    return made  # type: ignore[no-any-return]


@cache
def _copier(kind: type[Any]) -> Callable[[Any], Any]:
    """Return what copies all fields into an object that is not frozen yet."""
    names = [field.name for field in fields(kind)]
    bare = type(kind.__name__, (), {"__slots__": tuple(names)})
    source = "\n ".join(["def copy(row):", "made = bare()", *(f"made.{name} = row.{name}" for name in names)])
    defined: dict[str, Any] = {"bare": bare}
    exec(f"{source}\n return made", defined)
    copy: Callable[[Any], Any] = defined["copy"]
    return copy
