"""What the application asks of the computer: to stay awake while positions are open, and to start it at login."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from loguru import logger

from execution_engine.adapters import autostart
from execution_engine.adapters.awake import Awake
from execution_engine.domain.rows import Group
from execution_engine.domain.settings import Desktop as Wished
from execution_engine.engine.feed import Released


@dataclass(slots=True)
class Desktop:
    """Follows the settings and the groups. holds: whether a position is open or closing now."""

    root: Path
    wished: Callable[[], Wished]
    holds: Callable[[], bool]
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
        if Group in change.kinds:
            self._look()

    async def stop(self) -> None:
        """Let the computer sleep again."""
        await asyncio.to_thread(self.awake.stop)

    def _look(self) -> None:
        self.awake.want(self.wished().keep_awake and self.holds())
