"""What the Logs page asks of the system log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LogQuestion:
    """Which lines are asked for; empty filters and None let everything pass.

    before_id, after_id: only older or newer ones, for the next window; limit: how many at most, the newest ones,
    or with `after_id` the oldest ones.
    """

    levels: Sequence[str] = ()
    categories: Sequence[str] = ()
    contains: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before_id: int | None = None
    after_id: int | None = None
    limit: int = 500
