"""The names under which the listener is asked.

Somebody's web page can have its own name point to this machine (DNS rebinding), but what the browser then sends still
carries that name. It is asked only where a public name is known, and in doubt a request is let through: a working
set-up must not break, and who sends has to know a secret anyway.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from execution_engine.domain.settings import Settings

ANY = "*"
_HOME = (".local", ".localhost", ".lan", ".home.arpa", ".internal")  # nobody outside can own such a name


def stranger_name(headers: Mapping[str, str], settings: Settings, place: str) -> str:
    """Return the name a request was sent to if it is none of this listener's; empty if it may be.

    place: the public address in use now, where there is one.
    """
    name = _name_of(headers.get("Host", ""))
    if not name or _is_nobodys(name):
        return ""
    known = known_names(settings, place)
    return name if known and ANY not in known and name not in known else ""


def known_names(settings: Settings, place: str) -> tuple[str, ...]:
    """Return the public names of this listener; none while a tunnel has not said yet what it is called."""
    wanted, rules = settings.tunnel, settings.webhook
    running = _host_of(place)
    tunnel = (running, wanted.hostname) if wanted.enabled else (running,)
    if wanted.enabled and not any(tunnel):
        return ()
    public = dict.fromkeys(filter(None, (*tunnel, _host_of(wanted.public_url))))
    return (*public, *(rules.names), rules.host.lower()) if public else ()


@lru_cache(maxsize=64)
def _host_of(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


@lru_cache(maxsize=64)
def _name_of(host: str) -> str:
    """Return the name in a `Host` header without its port, in lower case."""
    return _host_of(f"//{host.strip()}") or host.strip().lower()


def _is_nobodys(name: str) -> bool:
    """Say whether no stranger can have this name point here: a number, a name of the home, a name without a dot."""
    try:
        ip_address(name)
    except ValueError:
        return "." not in name or name.endswith(_HOME)
    return True
