"""What happened, in the past tense: for logs, notices and screens. Nothing is decided from a fact."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"


class Category(StrEnum):
    SECURITY = "SECURITY"
    TRADING = "TRADING"
    SYSTEM = "SYSTEM"
    RISK = "RISK"
    API = "API"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One thing that happened. `code` is stable (`group_closed`), `text` is a sentence for the reader.

    notice: show it in the corner of the window as well as in the log.
    """

    code: str
    text: str
    level: Level = Level.INFO
    category: Category = Category.TRADING
    world: str = ""
    alert_id: int | None = None
    group_id: int | None = None
    order_id: int | None = None
    notice: bool = False
