"""New versions: asked about once a day, believed only when signed, and offered; nothing is installed by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from loguru import logger

from execution_engine import __version__
from execution_engine.adapters.updates import fetch, seen
from execution_engine.adapters.updates.errors import Unreachable, UpdateError
from execution_engine.adapters.updates.source import Source, this_computer
from execution_engine.domain.errors import Refusal
from execution_engine.domain.settings import Updates
from execution_engine.domain.updates import Offer, UpToDate, Version, judge, read

FIRST_S = 60.0  # the start has better things to do
AGAIN_S = 3600.0  # after a server that could not be reached


@dataclass(slots=True)
class Updating:
    """Asks about new versions.

    memory: the file of what was seen. settings: those in force. open_groups: how many position groups are open.
    on_offer: called when there is a version that the user was not told of yet.
    """

    source: Source
    memory: Path
    settings: Callable[[], Updates]
    open_groups: Callable[[], int]
    on_offer: list[Callable[[Offer], None]] = field(default_factory=list)
    first_s: float = FIRST_S

    async def keep(self) -> None:
        """Ask from time to time, and tell of each new version once. Never returns, never raises."""
        await asyncio.sleep(self.first_s)
        while True:
            pause_s = self.settings().every_hours * 3600.0
            if self.settings().check and self.source:
                try:
                    self._tell(await self.check())
                except Unreachable as error:
                    logger.info("{}", error)
                    pause_s = min(pause_s, AGAIN_S)
                except UpdateError as error:
                    logger.bind(category="SECURITY").warning("{}", error)
            await asyncio.sleep(pause_s)

    async def check(self) -> Offer | UpToDate | Refusal:
        """Ask now. Raises UpdateError."""
        if not self.source:
            return Refusal(
                "NO_RELEASES", "This program was built without a place where new versions are announced."
            )
        document = await fetch.newest(self.source, f"execution-engine/{__version__}")
        release = read(document)
        if isinstance(release, Refusal):
            return release
        known = await asyncio.to_thread(seen.load, self.memory)
        system, machine = this_computer()
        found = judge(
            release,
            here=__version__,
            seen=known.newest,
            system=system,
            machine=machine,
            open_groups=self.open_groups(),
            while_open=self.settings().while_open,
        )
        newest = known.newest is None or Version.parse(known.newest) < Version.parse(release.version)
        if newest and not isinstance(found, Refusal):
            await asyncio.to_thread(seen.save, self.memory, replace(known, newest=release.version))
        return found

    def _tell(self, found: Offer | UpToDate | Refusal) -> None:
        if isinstance(found, Refusal):
            logger.bind(category="SECURITY").warning("{}", found.message)
        if not isinstance(found, Offer):
            return
        version, known = found.release.version, seen.load(self.memory)
        if known.told == version:
            return
        logger.info("version {} is available: {}", version, found.release.page)
        seen.save(self.memory, replace(known, told=version))
        for tell in self.on_offer:
            tell(found)
