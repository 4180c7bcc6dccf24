"""TradingView's traps, told only where a message, its URL or the settings walk into them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from execution_engine.domain.composer import SentBy
from execution_engine.domain.composer_check import BodySecret
from execution_engine.domain.composer_placeholders import FOUND, span
from execution_engine.domain.senders import PRESETS, spelled_out
from execution_engine.domain.settings import Settings
from execution_engine.domain.way_in import NO_ADDRESS, WayIn

GIVES_UP_S = 3
MOST_TRIGGERS, WITHIN = 15, timedelta(minutes=3)

_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_FROM_SCRIPT = "{{strategy.order.alert_message}}"
_SCRIPT_TEXTS = ("strategy.order.id", "strategy.order.comment", "strategy.order.alert_message")


class Weight(StrEnum):
    """STOPS: no alert gets through, or none after the first. LOOK: some may not. KNOW: good to know."""

    STOPS = "stops"
    LOOK = "look"
    KNOW = "know"


@dataclass(frozen=True, slots=True)
class Trap:
    """One trap: a stable code, how bad it is, and a sentence that says what to do."""

    code: str
    weight: Weight
    sentence: str


def traps(
    message: str, sent_by: SentBy, timeframe: str, way: WayIn, settings: Settings, secret: BodySecret
) -> tuple[Trap, ...]:
    """Return the traps that apply, the worst first. timeframe: canonical, of the chart."""
    found = [
        *_address(way),
        *_senders(settings),
        *_placeholders(message, sent_by),
        *_age(message, timeframe, settings.signals.max_alert_age_s),
        *_identity(message, sent_by, settings.signals.duplicate_window_s),
        *_pace(sent_by, timeframe),
        *_secret(message, settings.webhook.secret_required, secret),
    ]
    order = list(Weight)
    return tuple(sorted(found, key=lambda trap: order.index(trap.weight)))


def _address(way: WayIn) -> Iterator[Trap]:
    """Where TradingView cannot get to, or not in time."""
    if not way.url:
        yield Trap("no_address", Weight.STOPS, NO_ADDRESS)
        return
    place = urlsplit(way.url)
    if place.port not in (None, 80, 443):
        said = f"TradingView sends to the ports 80 and 443 only; the address has port {place.port}."
        yield Trap("port", Weight.STOPS, said)
    if ":" in (place.hostname or ""):
        yield Trap("ipv6", Weight.STOPS, "TradingView sends over IPv4 only; the address is one of IPv6.")
    took = way.reach.took_s if way.reach.url == way.url else None
    if took is not None and took >= GIVES_UP_S:
        said = f"TradingView gives up after {GIVES_UP_S} s and does not try again; the last check took {took:.1f} s."
        yield Trap("slow", Weight.STOPS, said)
    elif way.light[0] == "error":
        yield Trap("unreachable", Weight.STOPS, way.light[1])


def _senders(settings: Settings) -> Iterator[Trap]:
    rules = settings.webhook
    networks = [ip_network(each, strict=False) for each in spelled_out(rules.ip_allowlist)]
    left_out = [
        each for each in PRESETS["tradingview"] if not any(ip_address(each) in net for net in networks)
    ]
    if networks and left_out:
        said = f"The IP allowlist leaves out TradingView's {', '.join(left_out)}: add tradingview to it."
        yield Trap("allowlist", Weight.STOPS, said)


def _placeholders(message: str, sent_by: SentBy) -> Iterator[Trap]:
    names = FOUND.findall(message)
    if sent_by is SentBy.PINE and names:
        said = "The text of an alert() call is sent as it stands, placeholders too: put values in with str.tostring()."
        yield Trap("pine", Weight.STOPS, said)
        return
    if message.strip() == _FROM_SCRIPT:
        said = "The script writes this message itself: check here what it gives as alert_message."
        yield Trap("from_script", Weight.LOOK, said)
        return
    bare = FOUND.findall(_STRING.sub("", message))
    if bare:
        said = (
            f"{_braced(bare[0])} stands without quotes: where TradingView puts text or NaN there, the message is no "
            "JSON any more and is refused. Quote it; numbers may be quoted."
        )
        yield Trap("unquoted", Weight.LOOK, said)
    if "interval" in names:
        yield from _interval(sent_by)
    if any(name in _SCRIPT_TEXTS for name in names):
        said = (
            "A quotation mark or a backslash in an order's name or comment in the script breaks the message."
        )
        yield Trap("script_text", Weight.KNOW, said)


def _age(message: str, timeframe: str, most_s: int) -> Iterator[Trap]:
    """What makes an alert look older than it is, or as if it had no age."""
    told = _value(message, "timestamp")
    if not told:
        said = 'Without a timestamp a late alert is taken for a new one: add "timestamp": "{{timenow}}".'
        yield Trap("no_timestamp", Weight.LOOK, said)
    if "time" in FOUND.findall(told):
        too_old = span(timeframe).total_seconds() > most_s
        said = (
            f"{{{{time}}}} is when the bar began: with {timeframe} bars every alert seems {timeframe} old"
            f"{f', and entries older than {most_s} s are rejected' if too_old else ''}. Use {{{{timenow}}}}."
        )
        yield Trap("time", Weight.STOPS if too_old else Weight.LOOK, said)


def _interval(sent_by: SentBy) -> Iterator[Trap]:
    if sent_by is SentBy.PRICE:
        said = "{{interval}} is always 1 in price alerts, whatever the chart shows: write the timeframe out."
        yield Trap("interval", Weight.STOPS, said)
    else:
        said = "{{interval}} is 1 on Range charts: there, write the timeframe out."
        yield Trap("interval", Weight.KNOW, said)


def _identity(message: str, sent_by: SentBy, window_s: int) -> Iterator[Trap]:
    """What makes two alerts one, or one alert no longer the newest."""
    id = _value(message, "id")
    names = FOUND.findall(id)
    in_time = {"timenow", "time"} & set(names)
    if id and not in_time:
        said = (
            "The id holds no {{timenow}}: for 90 days every alert after the first is taken for its copy. "
            "Put {{timenow}} into it."
        )
        yield Trap("same_id", Weight.STOPS, said)
    if id and in_time and sent_by is SentBy.STRATEGY and "strategy.order.id" not in names:
        said = (
            "{{timenow}} has whole seconds: two orders of the same second have the same id, and the second is taken "
            "for a copy. Put {{strategy.order.id}} into it."
        )
        yield Trap("same_second", Weight.LOOK, said)
    if id and "ticker" in FOUND.findall(_value(message, "symbol")) and "ticker" not in names:
        said = (
            "The id does not name the symbol: on several charts, alerts of the same second count as one. Put "
            "{{ticker}} into it."
        )
        yield Trap("same_chart", Weight.LOOK, said)
    told = FOUND.findall(message)
    if not id and "timenow" not in told:
        said = (
            f"Nothing tells one alert from the next: two of them within {window_s} s count as one. Add an id."
        )
        yield Trap("no_id", Weight.LOOK, said)


def _pace(sent_by: SentBy, timeframe: str) -> Iterator[Trap]:
    if span(timeframe) * MOST_TRIGGERS < WITHIN:
        said = (
            f"TradingView stops an alert that fires more than {MOST_TRIGGERS} times in 3 minutes; bars of {timeframe} "
            "can do that."
        )
        yield Trap("pace", Weight.LOOK, said)
    elif sent_by is SentBy.PRICE:
        said = (
            "“Only Once” ends the alert with its first firing, “Once Per Bar” fires before the bar is done, and more "
            f"than {MOST_TRIGGERS} firings in 3 minutes stop it: choose “Once Per Bar Close”."
        )
        yield Trap("trigger", Weight.KNOW, said)


def _secret(message: str, required: bool, secret: BodySecret) -> Iterator[Trap]:
    shown = _value(message, "secret")
    if not shown:
        return
    more = "" if required else " The token in the URL is enough here."
    said = f"TradingView shows the message, secret and all, in its alert list and log.{more}"
    yield Trap("secret", Weight.KNOW, said)
    if not required and secret.text and shown != json.dumps(secret.text, ensure_ascii=False)[1:-1]:
        yield Trap("other_secret", Weight.LOOK, "The secret in the message is not the one that is set.")


def _value(message: str, field: str) -> str:
    """Return what stands behind a field, as it is written; empty where it is missing."""
    found = re.search(rf'"{field}"\s*:\s*(?:"((?:[^"\\\n]|\\.)*)"|([^\s,}}"]+\}}*))', message)
    return (found[1] if found[1] is not None else found[2]) if found else ""


def _braced(name: str) -> str:
    return f"{{{{{name}}}}}"
