"""A tunnel that is kept up: its program is found, started, watched, and started again when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
from loguru import logger

from execution_engine.adapters.ending import is_ending
from execution_engine.adapters.tunnel import finding
from execution_engine.adapters.tunnel.complaints import meaning
from execution_engine.adapters.tunnel.orphan import Left, Record, born, end_orphan
from execution_engine.adapters.tunnel.process import Process, output
from execution_engine.adapters.tunnel.programs import PROGRAMS, Program, Wish
from execution_engine.domain.way_in import TunnelState, Word

LONGEST_SENTENCE = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses:
    """How long is waited for what [s].

    first, last: before a program that ended is started again, doubled each time up to the last.
    steady: whoever ran that long begins with the first pause again. ask: between two questions for the address.
    address: for the address at most. look: between two looks for a program that was missing.
    """

    first: float = 1.0
    last: float = 60.0
    steady: float = 60.0
    ask: float = 0.5
    address: float = 60.0
    look: float = 15.0


class Tunnel:
    """Keeps one tunnel as it is wanted.

    changed: told each new state. moved: told the address of the last time and a new one that differs from it.
    """

    def __init__(
        self,
        record: Path,
        now: Callable[[], datetime],
        *,
        find: Callable[[str], str | None] = finding.find,
        pauses: Pauses | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._record = Record(record)
        self._now = now
        self.changed: Callable[[TunnelState], None] = lambda state: None
        self.moved: Callable[[str, str], None] = lambda old, new: None
        self._find = find
        self._pauses = pauses or Pauses()
        self._sleep = sleep
        self._wanted: tuple[str, Wish] | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self.state = TunnelState()

    async def want(self, program: str, wish: Wish) -> None:
        """Keep a tunnel like this one up from now on; `program` is a name or `auto`."""
        async with self._turn:
            if self._wanted == (program, wish) and self._keeping is not None and not self._keeping.done():
                return
            await self._end()
            self._wanted = (program, wish)
            self._keeping = asyncio.get_running_loop().create_task(self._keep(program, wish), name="tunnel")

    async def stop(self) -> None:
        """End the tunnel, or what an earlier run left of it, and keep none."""
        async with self._turn:
            await self._end()
            await asyncio.to_thread(self._end_orphan)
            self._wanted = None
            self._show(TunnelState())

    async def again(self) -> None:
        """Start the tunnel anew at once."""
        if (wanted := self._wanted) is not None:
            await self.stop()
            await self.want(*wanted)

    async def _end(self) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
            self._keeping = None

    async def _keep(self, wanted: str, wish: Wish) -> None:
        pause = self._pauses.first
        await asyncio.to_thread(self._end_orphan)
        while True:
            begun = asyncio.get_running_loop().time()
            try:
                found = self._found(wanted)
                if found is None:
                    self._missing(wanted)
                    await self._sleep(self._pauses.look)
                    continue
                name, path = found
                why = await self._run_once(name, path, PROGRAMS[name](wish))
            except Exception as error:  # whatever it is, nobody else would try again
                if is_ending():
                    raise
                logger.bind(category="SYSTEM").exception("The tunnel failed")
                why = f"{type(error).__name__}: {error}."
            if asyncio.get_running_loop().time() - begun >= self._pauses.steady:
                pause = self._pauses.first
            self._step(word=Word.DOWN, url="", sentence=f"{why} It is started again in {pause:.0f} s.")
            logger.bind(category="SYSTEM").warning("The tunnel is down: {}", self.state.sentence)
            await self._sleep(pause)
            pause = min(pause * 2, self._pauses.last)

    def _found(self, wanted: str) -> tuple[str, str] | None:
        for name in finding.candidates(wanted):
            if path := self._find(name):
                return name, path
        return None

    def _missing(self, wanted: str) -> None:
        names = finding.candidates(wanted)
        alone = f"{names[0]} is not installed."
        none = f"None of {', '.join(names)} is installed."
        self._step(
            word=Word.MISSING,
            program="" if len(names) > 1 else names[0],
            url="",
            sentence=alone if len(names) == 1 else none,
            hints=tuple(map(finding.how_to_install, names)),
        )

    async def _run_once(self, name: str, path: str, program: Program) -> str:
        """Run a program to its end and say why it ended."""
        self._step(
            word=Word.STARTING, program=name, url="", sentence=f"{name} is being started.", hints=(),
            starts=self.state.starts + 1,
        )  # fmt: skip
        address: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def heard(line: str) -> None:
            logger.bind(category="SYSTEM").debug("{}: {}", name, line)
            if (url := program.heard(line)) and not address.done():
                address.set_result(url)

        process = Process(heard)
        try:
            await process.start(path, program.command())
        except OSError as error:
            return f"{name} cannot be started: {(error.strerror or str(error)).lower()}."
        try:
            self._record.write(Left(name, process.pid, born(process.pid), self._record.read().url))
            return await self._watch(name, path, program, process, address)
        finally:
            await process.end()
            self._record.write(Left(name, url=self._record.read().url))

    async def _watch(
        self, name: str, path: str, program: Program, process: Process, address: asyncio.Future[str]
    ) -> str:
        ended = asyncio.ensure_future(process.ended())
        asking = asyncio.ensure_future(self._ask(path, program, address))
        first: set[asyncio.Future[Any]] = {ended, address}
        try:
            await asyncio.wait(first, timeout=self._pauses.address, return_when=asyncio.FIRST_COMPLETED)
            if address.done():
                self._up(name, address.result())
                await ended
            known = meaning(name, list(process.lines))
            if not ended.done():
                return known or f"{name} told no address within {self._pauses.address:.0f} s."
            last = process.lines[-1][:LONGEST_SENTENCE] if process.lines else "it said nothing"
            return known or f"{name} ended with status {ended.result()}: {last}."
        finally:
            for task in (ended, asking):
                task.cancel()
            await asyncio.gather(ended, asking, return_exceptions=True)

    async def _ask(self, path: str, program: Program, address: asyncio.Future[str]) -> None:
        """Ask for the address until it is known; that nobody answers yet is no trouble."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:

            async def fetch(url: str) -> str:
                async with session.get(url, allow_redirects=False) as answer:
                    return await answer.text()

            while not address.done():
                try:
                    url = await program.asked(lambda arguments: output(path, arguments), fetch)
                except (OSError, ValueError, aiohttp.ClientError):  # a TimeoutError is an OSError
                    url = None
                if url and not address.done():
                    address.set_result(url)
                await asyncio.sleep(self._pauses.ask)

    def _up(self, name: str, url: str) -> None:
        left = self._record.read()
        self._record.write(replace(left, url=url))
        self._step(word=Word.UP, url=url, sentence=f"{name} leads {url} to the listener.")
        logger.bind(category="SYSTEM").info("The tunnel is up: {}", url)
        if left.url and left.url != url:
            self.moved(left.url, url)

    def _end_orphan(self) -> None:
        left = self._record.read()
        if end_orphan(left):
            logger.bind(category="SYSTEM").warning("{} of an earlier run was ended", left.program)
        if left.pid:
            self._record.write(Left(left.program, url=left.url))

    def _step(self, **changes: object) -> None:
        self._show(replace(self.state, **changes))  # type: ignore[arg-type]

    def _show(self, state: TunnelState) -> None:
        self.state = replace(state, since=self._now())
        try:
            self.changed(self.state)
        except Exception:  # whoever looks on must not end the tunnel
            logger.bind(category="SYSTEM").exception("A change of the tunnel could not be shown")
