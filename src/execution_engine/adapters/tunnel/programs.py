"""The programs that can make a tunnel: how each is started, and where it tells its address."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Ask = Callable[[Sequence[str]], Awaitable[str]]
Fetch = Callable[[str], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a tunnel is to lead to. hostname and name: empty where the program chooses."""

    host: str
    port: int
    hostname: str = ""
    name: str = ""

    @property
    def target(self) -> str:
        return f"http://{self.host}:{self.port}"


class Program(Protocol):
    """One run of a program that makes tunnels."""

    def command(self) -> list[str]:
        """Return the arguments that start it, without its own path."""
        ...

    def heard(self, line: str) -> str | None:
        """Read a line that it printed; return the public address once it is known from there."""
        ...

    async def asked(self, ask: Ask, fetch: Fetch) -> str | None:
        """Ask for the public address where no line tells it. Raises OSError, ValueError."""
        ...


@dataclass(slots=True)
class Cloudflared:
    """A quick tunnel without any account, or a named one of the user's own.

    A quick tunnel prints its address in a box on standard error; a named one has it in the user's settings.
    """

    wish: Wish

    def command(self) -> list[str]:
        named = ["run", "--url", self.wish.target, self.wish.name]
        return ["tunnel", "--no-autoupdate", *(named if self.wish.name else ["--url", self.wish.target])]

    def heard(self, line: str) -> str | None:
        if self.wish.name:
            return f"https://{self.wish.hostname}" if "Registered tunnel connection" in line else None
        found = re.search(r"https://(?!api\.)[a-z0-9-]+\.trycloudflare\.com\b", line)
        return found[0] if found else None

    async def asked(self, ask: Ask, fetch: Fetch) -> str | None:
        return None


@dataclass(slots=True)
class Ngrok:
    """An agent that says in its log where its local API listens, and there which address it got.

    `--inspect=false`: it would otherwise show every request, with its secret, to whoever is on this machine.
    """

    wish: Wish
    api: str = "127.0.0.1:4040"

    def command(self) -> list[str]:
        fixed = [f"--url=https://{self.wish.hostname}"] if self.wish.hostname else []
        target = f"{self.wish.host}:{self.wish.port}"
        return ["http", target, "--log=stdout", "--log-format=json", "--inspect=false", *fixed]

    def heard(self, line: str) -> str | None:
        said = _parsed(line)
        if said.get("msg") == "starting web service" and _is_local(said.get("addr")):
            self.api = said["addr"]
        return None

    async def asked(self, ask: Ask, fetch: Fetch) -> str | None:
        tunnels = _parsed(await fetch(f"http://{self.api}/api/tunnels")).get("tunnels")
        for tunnel in tunnels if isinstance(tunnels, list) else ():
            leads_to = str((tunnel.get("config") or {}).get("addr", ""))
            url = str(tunnel.get("public_url", ""))
            if url.startswith("https://") and leads_to.endswith(f":{self.wish.port}"):
                return url
        return None


@dataclass(slots=True)
class Tailscale:
    """A funnel in the foreground: it ends with its process, and `funnel status` says where it is."""

    wish: Wish

    def command(self) -> list[str]:
        return ["funnel", "--yes", self.wish.target]

    def heard(self, line: str) -> str | None:
        return None

    async def asked(self, ask: Ask, fetch: Fetch) -> str | None:
        status = _parsed(await ask(["funnel", "status", "--json"]))
        inner = status.get("Foreground")
        for part in (status, *(inner.values() if isinstance(inner, dict) else ())):
            if (place := self._place(part)) is not None:
                return f"https://{place.removesuffix(':443')}"
        return None

    def _place(self, config: Any) -> str | None:
        """Find the host and port that are open to everybody and lead to the listener."""
        if not isinstance(config, dict):
            return None
        open_to_all = {place for place, on in (config.get("AllowFunnel") or {}).items() if on}
        for place, served in (config.get("Web") or {}).items():
            proxy = str(((served.get("Handlers") or {}).get("/") or {}).get("Proxy", ""))
            if place in open_to_all and proxy.rstrip("/").endswith(f":{self.wish.port}"):
                return str(place)
        return None


PROGRAMS: dict[str, Callable[[Wish], Program]] = {
    "cloudflared": Cloudflared,
    "ngrok": Ngrok,
    "tailscale": Tailscale,
}


def _parsed(text: str) -> dict[str, Any]:
    try:
        said = json.loads(text)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _is_local(place: Any) -> bool:
    return isinstance(place, str) and re.fullmatch(r"(127\.0\.0\.1|localhost):\d{1,5}", place) is not None
