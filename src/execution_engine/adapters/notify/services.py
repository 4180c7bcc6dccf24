"""One message to one outside service, through apprise. Everything here is blocking."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from execution_engine.domain.facts import Level
from execution_engine.domain.notify import Message

if TYPE_CHECKING:
    import apprise

CONNECT_S, READ_S = 5.0, 10.0
ALL_S = 20.0  # for the whole of one message, with every request that a service takes for it
NOT_UNDERSTOOD = (
    "This is no address that is understood. Examples: tgram://token/chat, discord://id/token, "
    "mailto://user:password@example.com, jsons://example.com/path."
)
# What a service answers that will be the same next time. Anything else, or none, is asked again.
_FOR_GOOD = {400, 401, 402, 403, 404, 405, 410, 413, 422, 535}
_CODE = re.compile(r"error=(\d{3})\b|\((\d{3}),")
# They speak to this machine: the desktop has a switch of its own, and the log is a log.
_NOT_OUTSIDE = {"dbus", "gio", "gnome", "glib", "kde", "qt", "macosx", "windows", "syslog"}
_TYPES = {Level.WARNING: "warning", Level.ERROR: "failure", Level.CRITICAL: "failure"}


class Result(StrEnum):
    SENT = "sent"
    LATER = "later"  # refused for now, or not reached
    REFUSED = "refused"  # it would be refused again


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message. reason: what the service or the library said; it may name secrets."""

    result: Result
    reason: str = ""


def fault_of(address: str) -> str:
    """Return why an address cannot be used; empty if it can. Sends nothing."""
    scheme = address.partition("://")[0].strip().lower()
    if scheme in _NOT_OUTSIDE:
        return f"“{scheme}” speaks to this machine only; notices of the desktop have a switch of their own."
    return "" if _opened(address) is not None else NOT_UNDERSTOOD


def send(address: str, message: Message) -> Outcome:
    """Send a message. Never raises; takes some `ALL_S` seconds at most."""
    try:
        service = _opened(address)
        if service is None:
            return Outcome(Result.REFUSED, NOT_UNDERSTOOD)
        return _sent(service, message)
    except Exception as error:  # of whatever one of a hundred plugins may raise
        return Outcome(Result.LATER, f"{type(error).__name__}: {error}")


def _sent(service: apprise.NotifyBase, message: Message) -> Outcome:
    import apprise  # 0.4 s and more, and only where something is told

    told = apprise.Apprise(asset=service.asset)
    told.add(service)
    answer = told.notify(
        title=message.title,
        body=message.text,
        notify_type=_TYPES.get(message.level, "info"),
        body_format="text",
        timeout=ALL_S,
    )
    if answer:
        return Outcome(Result.SENT)
    said = [entry.message for each in answer for entry in each.logs()]
    return Outcome(_judged(said), said[-1] if said else "the service did not take it")


def _judged(said: Iterable[str]) -> Result:
    codes = [int(first or second) for line in said for first, second in _CODE.findall(line)]
    return Result.REFUSED if codes and codes[-1] in _FOR_GOOD else Result.LATER


def _opened(address: str) -> apprise.NotifyBase | None:
    import apprise  # only where something is told, as above

    asset = apprise.AppriseAsset(
        app_id="Execution Engine",
        app_desc="Execution Engine",
        app_url="",
        async_mode=False,
        storage_mode="memory",  # nothing of it belongs on the disk
        default_service_retry=0,  # it is tried again here, and the pauses are ours
    )
    service = apprise.Apprise.instantiate(address.strip(), asset=asset)
    if service is not None:
        service.socket_connect_timeout, service.socket_read_timeout = CONNECT_S, READ_S
    return service
