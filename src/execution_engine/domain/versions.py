"""The saved versions of the settings: numbered from 1, each with what it changed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from execution_engine.domain import document as documents
from execution_engine.domain.changes import Change, of_plain
from execution_engine.domain.errors import FieldFault, Refusal, SettingsError
from execution_engine.domain.rows import SettingsVersion
from execution_engine.domain.settings import Settings

FIRST = 0
"""The defaults, from which the first saved version differs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One saved version. changes: what differs from the one before it. fault: why it can't be used again."""

    number: int
    saved_at: datetime | None
    note: str
    document: str
    changes: tuple[Change, ...] = ()
    fault: str = ""


def numbered(rows: Iterable[SettingsVersion]) -> tuple[Version, ...]:
    """Return the versions, newest first; the last is number 0, the defaults."""
    usual = Settings().model_dump(mode="json")
    before: Any = usual
    found = [Version(number=FIRST, saved_at=None, note="the defaults", document=documents.dump(Settings()))]
    for number, row in enumerate(sorted(rows, key=lambda row: row.id), 1):
        plain, fault = _plain(row.document)
        found.append(
            Version(
                number=number,
                saved_at=row.saved_at,
                note=row.note,
                document=row.document,
                changes=() if fault else of_plain(before, plain),
                fault=fault,
            )
        )
        before = before if fault else plain
    return tuple(reversed(found))


def _plain(document: str) -> tuple[Any, str]:
    """Return a document as plain values without checking each of them, or why it is none."""
    try:
        plain = json.loads(document)
    except (ValueError, RecursionError):
        plain = None
    if not isinstance(plain, dict):
        return None, "this version cannot be read"
    return plain, ""


def find(versions: Sequence[Version], number: int) -> Version | Refusal:
    """Return one version by its number."""
    for version in versions:
        if version.number == number:
            return version
    newest = max(version.number for version in versions)
    return Refusal("VERSION", f"There is no version {number} of the settings; there are 0 to {newest}.")


def difference(versions: Sequence[Version], one: int, other: int) -> tuple[Change, ...] | Refusal:
    """Return what differs between any two versions."""
    plain: list[Any] = []
    for number in (one, other):
        version = find(versions, number)
        if isinstance(version, Refusal):
            return version
        values, fault = _plain(version.document)
        if fault:
            return Refusal("VERSION", f"Version {number} cannot be read.")
        plain.append(values)
    return of_plain(*plain)


def restorable(versions: Sequence[Version], number: int) -> Settings:
    """Return the settings of a version, to be saved as a new one. Raises SettingsError."""
    version = find(versions, number)
    if isinstance(version, Refusal):
        raise SettingsError((FieldFault("version", version.message),))
    return documents.parse(version.document)
