"""What a restart must not lose: critical messages that were not taken yet, and the day of the last summary."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from execution_engine.domain.facts import Level
from execution_engine.domain.notify import Message


@dataclass(frozen=True, slots=True)
class Kept:
    """waiting: critical messages by the target's name. told_on: the day of the last summary."""

    waiting: Mapping[str, Sequence[Message]] = field(default_factory=dict)
    told_on: date | None = None


def load(path: Path) -> Kept | None:
    """Return what is kept; None where nothing, or nothing that can be read, is. Blocking."""
    try:
        plain = json.loads(path.read_bytes())
        told_on = plain["told_on"]
        waiting = {name: [_message(each) for each in found] for name, found in plain["waiting"].items()}
        return Kept(waiting, date.fromisoformat(told_on) if told_on else None)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def save(path: Path, kept: Kept) -> None:
    """Write what is to be kept: the whole of it, or nothing. Blocking; raises OSError."""
    plain = {
        "told_on": kept.told_on.isoformat() if kept.told_on else None,
        "waiting": {name: [_plain(each) for each in found] for name, found in kept.waiting.items()},
    }
    part = path.with_name(f"{path.name}.part")
    with suppress(FileNotFoundError):
        part.unlink()
    number = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(number, "w", encoding="utf-8") as file:
        json.dump(plain, file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _plain(message: Message) -> dict[str, str]:
    return {
        "title": message.title,
        "text": message.text,
        "level": message.level.value,
        "code": message.code,
        "at": message.at.isoformat(),
    }


def _message(plain: Mapping[str, Any]) -> Message:
    return Message(
        title=str(plain["title"]),
        text=str(plain["text"]),
        level=Level(plain["level"]),
        code=str(plain["code"]),
        at=datetime.fromisoformat(plain["at"]),
    )
