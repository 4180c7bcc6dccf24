"""Programs that behave like cloudflared, ngrok and tailscale, as far as they are listened to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from execution_engine.adapters.tunnel import Pauses, Tunnel
from execution_engine.adapters.tunnel.programs import Wish
from execution_engine.domain.way_in import TunnelState, Word
from tests.waiting import until

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
WISH = Wish("127.0.0.1", 8787)
QUICK = Pauses(first=0.01, last=0.04, steady=60, ask=0.01, address=10, look=0.01)
LIMIT_S = 10.0  # shells on a busy machine

# What cloudflared 2026 prints for a quick tunnel; the number makes each start's address another one.
CLOUDFLARED = """
count=$(cat "$0.count" 2>/dev/null || echo 0); echo $((count + 1)) > "$0.count"; echo "$@" >> "$0.said"
echo "2026-11-20T12:00:00Z INF Requesting new quick Tunnel on trycloudflare.com..." >&2
echo "2026-11-20T12:00:01Z INF |  Your quick Tunnel has been created! Visit it at:              |" >&2
echo "2026-11-20T12:00:01Z INF |  https://calm-example-$count.trycloudflare.com                 |" >&2
"""
WAIT = "exec sleep 600"


class Stage:
    """A folder of programs, and a tunnel that finds them there."""

    def __init__(
        self,
        folder: Path,
        pauses: Pauses = QUICK,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.folder = folder
        self.states: list[TunnelState] = []
        self.moves: list[tuple[str, str]] = []
        self.record = folder / "tunnel.json"
        self.tunnel = Tunnel(
            self.record,
            lambda: NOW,
            find=self.find,
            pauses=pauses,
            sleep=sleep,
        )
        self.tunnel.changed = self.states.append
        self.tunnel.moved = lambda old, new: self.moves.append((old, new))

    def find(self, program: str) -> str | None:
        path = self.folder / program
        return str(path) if path.exists() else None

    def install(self, program: str, script: str) -> Path:
        path = self.folder / program
        beside = self.folder / f"{program}.new"  # or it could be started half written
        beside.write_text(f"#!/bin/sh\n{script}\n")
        beside.chmod(0o755)
        beside.rename(path)
        return path

    def said(self, program: str) -> list[str]:
        """Return the arguments of each start."""
        path = self.folder / f"{program}.said"
        return path.read_text().splitlines() if path.exists() else []

    def words(self) -> list[Word]:
        return [state.word for state in self.states]

    async def until(self, word: Word) -> TunnelState:
        await until(lambda: self.tunnel.state.word is word, LIMIT_S)
        return self.tunnel.state
