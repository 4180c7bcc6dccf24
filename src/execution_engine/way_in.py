"""The way in from outside, joined: the tunnel, the public address, and the check that both lead to the listener."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from loguru import logger

from execution_engine.adapters.clock import SystemClock
from execution_engine.adapters.tunnel import Reachability, Tunnel
from execution_engine.adapters.tunnel.programs import Wish
from execution_engine.adapters.webhook.probes import Probes
from execution_engine.domain.inputs import Input, WayInChanged
from execution_engine.domain.settings import Tunnel as Wanted
from execution_engine.domain.way_in import Reach, TunnelState, WayIn, Word

SILENT_TWICE = 2  # a machine that slept in the middle of a check is no reason to start the listener anew
AGAIN_S = 5.0  # after a first failure, and while the listener itself is silent
YOUNG_S = 30.0  # so long the name of a new tunnel may be unknown here and there


@dataclass(frozen=True, slots=True)
class House:
    """What the way in asks of the rest of the application.

    settings: what is wanted. address: where the listener listens. tell: the desk's door.
    listen_again: start the listener anew where it is.
    """

    settings: Callable[[], Wanted]
    address: Callable[[], tuple[str, int] | None]
    tell: Callable[[Input], None]
    listen_again: Callable[[], Awaitable[None]]


class WayInKept:
    """Keeps the tunnel as the settings want it and looks after it, the public address and the listener."""

    def __init__(
        self,
        house: House,
        record: Path,
        clock: SystemClock,
        *,
        probes: Probes | None = None,
        reachability: Reachability | None = None,
        tunnel: Tunnel | None = None,
    ) -> None:
        self._house = house
        self._clock = clock
        self.probes = probes or Probes(clock.monotonic)
        self._reachability = reachability or Reachability(clock.now)
        self.tunnel = tunnel or Tunnel(record, clock.now)
        self.tunnel.changed = self._tunnel_changed
        self.tunnel.moved = self._moved
        self.reach = Reach()
        self.local = Reach()
        self.on_change: list[Callable[[], None]] = []
        self._checking: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self._hurry = asyncio.Event()
        self._up_since = clock.monotonic()
        self._failures = 0
        self._silent = 0
        self._told = self._stopped = False

    @property
    def url(self) -> str:
        """Return the public address; empty where there is none."""
        wanted = self._house.settings()
        return self.tunnel.state.url if wanted.enabled else wanted.public_url

    @property
    def shown(self) -> WayIn:
        """Return everything there is to show."""
        address = self._house.address()
        local = f"http://{_named(address[0])}:{address[1]}" if address else ""
        return WayIn(tunnel=self.tunnel.state, reach=self.reach, url=self.url, local=local)

    async def start(self) -> None:
        """Begin to follow the settings and to check."""
        await self.follow()
        self._checking = asyncio.get_running_loop().create_task(self._keep_checking(), name="way in")

    async def follow(self) -> None:
        """Make the tunnel what the settings and the listener's address ask for."""
        if self._stopped:  # settings that were saved in the last moment start nothing
            return
        wanted, address = self._house.settings(), self._house.address()
        if wanted.enabled and address is not None:
            wish = Wish(_reached_at(address[0]), address[1], wanted.hostname, wanted.name)
            await self.tunnel.want(wanted.program.value, wish)
        else:
            await self.tunnel.stop()
        self._hurry.set()

    async def stop(self) -> None:
        """End the tunnel and the checks. From now on whoever sends is told to come again, by the tunnel's provider."""
        self._stopped = True
        if self._checking is not None:
            self._checking.cancel()
            await asyncio.gather(self._checking, return_exceptions=True)
            self._checking = None
        await self.tunnel.stop()

    async def check(self) -> Reach:
        """Send a probe through the public address now and return what was found."""
        async with self._turn:
            url = self.url
            found = await self._probe(url) if url else Reach(state="off", sentence="", at=self._clock.now())
            if url == self.url:
                self._found(found)
        return found

    async def check_listener(self) -> Reach:
        """Send a probe to the listener itself; one that is silent is started anew."""
        address = self._house.address()
        if address is not None and ":" not in address[0]:
            self.local = await self._probe(f"http://{_reached_at(address[0])}:{address[1]}")
            self._silent = self._silent + 1 if self.local.state == "error" else 0
            if self._silent >= SILENT_TWICE:
                logger.bind(category="SYSTEM").error("The listener does not answer: {}", self.local.sentence)
                await self._house.listen_again()
        return self.local

    async def _probe(self, url: str) -> Reach:
        probe = self.probes.new()
        return await self._reachability.check(url, probe, lambda: self.probes.cautions(probe))

    async def _keep_checking(self) -> None:
        while True:
            self._hurry.clear()
            try:
                await self.check_listener()
                await self.check()
            except Exception:  # a check that fails by itself must not be the last one
                logger.bind(category="SYSTEM").exception("The way in could not be checked")
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pause_s()):
                    await self._hurry.wait()

    def _pause_s(self) -> float:
        soon = self.local.state == "error" or self._failures == 1 or (self._failures and self._is_young())
        return AGAIN_S if soon else float(self._house.settings().check_every_s)

    def _is_young(self) -> bool:
        return self._house.settings().enabled and self._clock.monotonic() - self._up_since < YOUNG_S

    def _found(self, found: Reach) -> None:
        self._failures = self._failures + 1 if found.state == "error" else 0
        if self._failures and self._is_young():
            text = f"The tunnel is new and may not be known everywhere yet. {found.sentence}"
            found = Reach(state="warn", sentence=text, url=found.url, took_s=found.took_s, at=found.at)
        self.reach = found
        if self._failures >= 2 and found.state == "error" and not self._told:
            self._told = True
            self._tell(f"Alerts cannot arrive through {found.url}: {found.sentence}", bad=True)
        elif self._told and not self._failures:
            self._told = False
            self._tell(f"Alerts can arrive again. {found.sentence}".strip())
        self._show()

    def _tunnel_changed(self, state: TunnelState) -> None:
        if state.word is Word.UP:
            self._up_since = self._clock.monotonic()
            self._failures = 0
        if state.word in (Word.UP, Word.DOWN):
            self._hurry.set()
        self._show()

    def _moved(self, old: str, new: str) -> None:
        self._tell(
            f"The public address is {new} now, not {old}: put the new webhook URL into TradingView's alerts.",
            bad=True,
        )

    def _tell(self, text: str, *, bad: bool = False) -> None:
        self._house.tell(WayInChanged(text=text, bad=bad))

    def _show(self) -> None:
        for shown in self.on_change:
            try:
                shown()
            except Exception:  # one of them must not keep the others from being told
                logger.bind(category="SYSTEM").exception("The way in could not be shown")


def _reached_at(host: str) -> str:
    """Return where a listener on this address is reached from this machine."""
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host) or _named(host)


def _named(host: str) -> str:
    return f"[{host}]" if ":" in host else host
