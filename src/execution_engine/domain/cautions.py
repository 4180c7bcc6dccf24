"""What a change of the settings makes more dangerous: said before it is saved."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from execution_engine.domain.exposure import worst_case
from execution_engine.domain.money import ZERO, text
from execution_engine.domain.settings import Settings, Webhook

TRADING = ("capital", "pool", "grid", "take_profit", "signals", "risk", "accounts", "orders")


@dataclass(frozen=True, slots=True)
class Caution:
    """One thing to think about: what it is about, and a sentence."""

    about: str
    sentence: str


def cautions(old: Settings, new: Settings, *, live: Collection[str] = ()) -> tuple[Caution, ...]:
    """Return what is more dangerous after a change. live: names of the enabled accounts that trade real money."""
    return (*_exposure(old, new), *_exits(old, new), *_door(old.webhook, new.webhook), *_rest(old, new, live))


def _exposure(old: Settings, new: Settings) -> Iterator[Caution]:
    before, after = worst_case(old), worst_case(new)
    if after.total > before.total:
        yield Caution(
            "Worst case",
            f"rises from {_usd(before.total)} to {_usd(after.total)} USD, {_times(after.times)} × the capital.",
        )
    if after.leverage > before.leverage:
        yield Caution(
            "Leverage",
            f"rises from {text(before.leverage)} to {text(after.leverage)} ×; "
            "positions are liquidated after a smaller move.",
        )
    if _lifted(old.capital.max_order_usd, new.capital.max_order_usd):
        yield Caution("Largest order", "is not limited any more.")
    if _lifted(old.signals.max_entries_per_day, new.signals.max_entries_per_day):
        yield Caution("Entries per day", "are not limited any more.")


def _lifted(old: object, new: object) -> bool:
    return old != ZERO and new == ZERO


def _exits(old: Settings, new: Settings) -> Iterator[Caution]:
    if new.signals.max_exit_age_s < old.signals.max_exit_age_s:
        yield Caution(
            "Exits", f"that are older than {new.signals.max_exit_age_s} s are rejected from now on."
        )
    if old.risk.rehearsal in ("auto", True) and new.risk.rehearsal is False:
        yield Caution(
            "Risk engine", "closes positions in the live world, too: it does not rehearse any more."
        )


def _door(old: Webhook, new: Webhook) -> Iterator[Caution]:
    if is_exposed(new.host) and not is_exposed(old.host):
        yield Caution(
            "Webhook", f"is reachable from the network at {new.host}; behind a tunnel 127.0.0.1 is enough."
        )
    for name, said in (
        ("token_required", "a token in the path"),
        ("secret_required", "the secret in the body"),
        ("signature_required", "a signature"),
    ):
        if getattr(old, name) and not getattr(new, name):
            yield Caution(
                "Webhook",
                f"does not insist on {said} any more; one of token, secret and signature is enough.",
            )
    if old.ip_allowlist and not new.ip_allowlist:
        yield Caution("Webhook", "takes alerts from every address.")
    wide = [entry for entry in new.trusted_proxies if entry not in old.trusted_proxies and _is_wide(entry)]
    if wide:
        yield Caution("Webhook", f"believes the forwarding header of everybody in {', '.join(wide)}.")


def _rest(old: Settings, new: Settings, live: Collection[str]) -> Iterator[Caution]:
    if old.security.read_only and not new.security.read_only:
        yield Caution("Read only", "ends: everything can be changed again.")
    if new.security.read_only and not old.security.read_only:
        yield Caution(
            "Read only",
            "begins: nothing can be changed by hand, not even paused or closed, until it is switched off.",
        )
    changed = [name for name in TRADING if getattr(old, name) != getattr(new, name)]
    if live and changed:
        names = ", ".join(sorted(live))
        yield Caution(
            "Real money",
            f"{names} trades by these settings at once."
            if len(live) == 1
            else f"{names} trade by these settings at once.",
        )


def is_exposed(host: str) -> bool:
    """Tell whether others than this machine can reach an address that is listened on."""
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        return host.casefold() != "localhost"


def _is_wide(entry: str) -> bool:
    """Tell whether a network holds more than a company's own machines would need."""
    network = ip_network(entry, strict=False)
    return network.prefixlen < (8 if network.version == 4 else 16)


def _usd(amount: object) -> str:
    return f"{amount:,.2f}"


def _times(factor: object) -> str:
    return f"{factor:,.1f}"
