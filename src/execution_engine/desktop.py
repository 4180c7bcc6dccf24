"""What the application asks of the computer: to stay awake while positions are open, and to start it at login."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from loguru import logger

from execution_engine.adapters import autostart
from execution_engine.adapters.awake import Awake
from execution_engine.domain.rows import Group, Row
from execution_engine.domain.settings import Desktop as Wished
from execution_engine.engine.feed import Released


@dataclass(slots=True)
class Desktop:
    """Follows the settings and the groups. groups: the open ones, as they are now."""

    root: Path
    wished: Callable[[], Wished]
    groups: Callable[[], Iterable[Group]]
    awake: Awake = field(default_factory=Awake)
    way: autostart.Autostart = field(init=False)

    def __post_init__(self) -> None:
        self.way = autostart.autostart(self.root)

    async def follow(self) -> None:
        """Do what the settings say now."""
        self._look()
        try:
            await asyncio.to_thread(autostart.follow, self.way, self.root, self.wished().start_at_login)
        except autostart.AutostartFailed as error:
            logger.warning("{}", error)

    def released(self, change: Released) -> None:
        """Take note that groups opened or closed."""
        if _has_group(change.rows):
            self._look()

    async def stop(self) -> None:
        """Let the computer sleep again."""
        await asyncio.to_thread(self.awake.stop)

    def _look(self) -> None:
        open_now = any(group.holds_slot for group in self.groups())
        self.awake.want(open_now and self.wished().keep_awake)


def _has_group(rows: Iterable[Row]) -> bool:
    return any(isinstance(row, Group) for row in rows)
