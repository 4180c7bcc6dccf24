"""The time of this computer."""

from __future__ import annotations

from datetime import UTC, datetime


class SystemClock:
    def now(self) -> datetime:
        """Return the time in UTC, with its zone."""
        return datetime.now(UTC)
