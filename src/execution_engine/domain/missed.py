"""Alerts that never came: what a strategy says it held is compared with what is held here.

Whatever is found is shown and kept until somebody decides, or until it is settled by itself: the alert comes after
all, the position is gone, or the strategy has gone on. Nothing is sent or closed on this account alone.

An alert tells where the strategy was before it. If the alert before that one left it elsewhere, one is missing in
between. If it did not, every alert came: being flat then follows from what is known here (a target, a limit, the user),
but a position that the strategy has left is told all the same.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from execution_engine.domain.draft import Draft
from execution_engine.domain.errors import Refusal
from execution_engine.domain.findings import note, settle_finding
from execution_engine.domain.routing import route
from execution_engine.domain.rows import (
    Alert,
    Choice,
    Finding,
    FindingKind,
    Group,
    GroupStatus,
    Missed,
    World,
)
from execution_engine.domain.signal import Position, SignalType

CAME = "The alert came after all: alert {id}."
GONE = "The position is gone."
LEFT = "The strategy has left that position since."
BACK = "The strategy is where you are again."
ANOTHER = "A later alert tells of another gap."
Place = tuple[str, World, Group | None]  # account, its world, what it holds of the key


def compare(draft: Draft, alert: Alert) -> None:
    """Note what must have been missed before an alert, and settle what it makes up for or leaves behind."""
    waits = _waits(draft, alert)
    for place in _places(draft, alert):
        found = draft.finding_of((place[0], FindingKind.MISSED, _ref(alert)))
        if found is not None and _is_awaited(found, alert):
            settle_finding(draft, found, CAME.format(id=alert.id))
            continue
        if found is not None and (why := _overtaken(found, alert)):
            settle_finding(draft, found, why)
        if not waits and not sent_by_hand(draft, alert, place[0]):
            _look(draft, alert, place)


def sent_by_hand(draft: Draft, alert: Alert, account: str) -> str:
    """Return how an alert that comes late was made up for already; empty if it was not, or cannot be told."""
    known = _known(draft, (account, FindingKind.MISSED, _ref(alert)))
    if known is None or known.choice is not Choice.SEND or alert.replay_of is not None:
        return ""
    missed, signal, settled = told(known), alert.parsed, known.settled_at
    if signal.sent_at is None or missed.sent_at is None or settled is None or alert.received_at <= settled:
        return ""
    is_late = signal.sent_at <= missed.sent_at
    is_it = (signal.previous, signal.leads_to) == (missed.held, missed.expected)
    return known.done if is_late and is_it else ""


def asks_for(missed: Missed) -> SignalType:
    """Return what kind of signal was missed."""
    if missed.expected is Position.FLAT:
        return SignalType.EXIT
    return SignalType.ENTRY if missed.held is Position.FLAT else SignalType.REVERSAL


def ended(draft: Draft, group: Group) -> None:
    """With its position gone there is nothing left to decide about an alert that was missed."""
    found = draft.finding_of((group.account, FindingKind.MISSED, _ref(group)))
    if found is not None and group.id in found.group_ids:
        settle_finding(draft, found, GONE)


def told(finding: Finding) -> Missed:
    """Return what was missed."""
    assert finding.missed is not None  # every finding of this kind has it
    return finding.missed


# -- what is compared


def _ref(row: Alert | Group) -> str:
    return f"{row.exchange} {row.symbol} {row.timeframe}"


def _places(draft: Draft, alert: Alert) -> list[Place]:
    """Return who holds an alert's key among those it may reach, or else who would if the strategy held it."""
    groups = draft.groups_in((alert.exchange, alert.symbol))
    own = [group for group in groups if group.timeframe == alert.timeframe and _may_reach(alert, group)]
    if own:
        return [(group.account, group.world, group) for group in {row.account: row for row in own}.values()]
    entry = replace(alert, parsed=replace(alert.parsed, wants_exit=False, position=None))
    accounts = route(draft, entry)
    if isinstance(accounts, Refusal):
        return []  # nothing of it could be held here
    return [(account.name, account.world, None) for account in accounts]


def _may_reach(alert: Alert, group: Group) -> bool:
    """An alert concerns the account that it names, or all that its webhook may use."""
    if named := alert.parsed.account:
        return group.account == named
    return not alert.allowed or group.account in alert.allowed


def _waits(draft: Draft, alert: Alert) -> bool:
    """A key that waits in the queue or for its price is not missed, it is late."""
    key = (alert.exchange, alert.symbol, alert.timeframe)
    queued = [(row.exchange, row.symbol, row.timeframe) for world in World for row in draft.waiting(world)]
    undecided = [draft.alert(id) for id in draft.view.undecided()]
    return key in queued or any((row.exchange, row.symbol, row.timeframe) == key for row in undecided)


def _look(draft: Draft, alert: Alert, place: Place) -> None:
    group, before = place[2], alert.parsed.previous
    if before is None or (group is not None and group.status is GroupStatus.CLOSING):
        return  # what is being closed is on its way to where the strategy is
    held = Position.FLAT if group is None else Position(group.side.value)
    if before is held:
        return
    last = _last(draft, alert)
    if group is None and last is not None and last.parsed.leads_to is before:
        text = f"{_where(alert)}: the strategy was {before} before alert {alert.id}, you are flat; no alert is missing."
        draft.tell("position_differs", text, alert=alert)
        return
    missed = Missed(
        timeframe=alert.timeframe,
        expected=before,
        held=held,
        alert_id=alert.id,
        told_at=alert.received_at,
        sent_at=alert.parsed.sent_at,
        since=last.received_at if last is not None else None,
    )
    _note(draft, alert, place, missed, last)


def _last(draft: Draft, alert: Alert) -> Alert | None:
    """Return the alert before this one that told of the same strategy, if it is still known."""
    id = draft.view.last_alert(alert.chain)
    return draft.alert_or_none(id) if id is not None else None


# -- what is noted


def _note(draft: Draft, alert: Alert, place: Place, missed: Missed, last: Alert | None) -> None:
    account, world, group = place
    choices = _choices(missed, alert.parsed.leads_to)
    if Choice.SEND in choices:
        missed = replace(missed, message=_message(alert, account, missed))
    may_act = len(choices) > 1
    groups = (group,) if group is not None and may_act else ()
    known = _known(draft, (account, FindingKind.MISSED, _ref(alert)))
    if known is not None and _goes_on(known, missed, groups, last):
        return
    if known is not None and known.settled_at is None:
        settle_finding(draft, known, ANOTHER)
    note(
        draft,
        FindingKind.MISSED,
        _ref(alert),
        _sentence(alert, missed, last),
        done="Nothing is sent by itself." if may_act else "There is nothing left to make up for.",
        account=account,
        world=world,
        groups=groups,
        exchange=alert.exchange,
        symbol=alert.symbol,
        choices=choices,
        missed=missed,
    )


def _known(draft: Draft, key: tuple[str, FindingKind, str]) -> Finding | None:
    """Return the last finding about a key, whether it is open or not."""
    id = draft.view.last_finding(key)
    return draft.finding_or_none(id) if id is not None else None


def _goes_on(known: Finding, missed: Missed, groups: tuple[Group, ...], last: Alert | None) -> bool:
    """Return whether this very gap is shown already, or was decided on: no other alert is missing since."""
    before, ids = told(known), tuple(group.id for group in groups)
    if known.settled_at is not None and known.choice is None:
        return False
    if (before.held, known.group_ids) != (missed.held, ids):
        return False
    return (before.expected if last is None else last.parsed.leads_to) is missed.expected


def _choices(missed: Missed, leads_to: Position) -> tuple[Choice, ...]:
    """Offer what still brings the account to where the strategy is, or nearer to it."""
    if leads_to is Position.FLAT:
        return (Choice.DISMISS,)  # this alert closes whatever there is
    is_there = leads_to is missed.expected
    if missed.held is Position.FLAT:
        return (Choice.SEND, Choice.DISMISS) if is_there else (Choice.DISMISS,)
    may_send = is_there or missed.expected is Position.FLAT
    return (Choice.CLOSE, Choice.SEND, Choice.DISMISS) if may_send else (Choice.CLOSE, Choice.DISMISS)


def _message(alert: Alert, account: str, missed: Missed) -> str:
    """Write the alert that was missed, with the wishes of the one that gave it away."""
    kind, signal = asks_for(missed), alert.parsed
    closes = kind is SignalType.EXIT
    buys = missed.held is Position.SHORT if closes else missed.expected is Position.LONG
    market = {
        "exchange": alert.exchange.upper(),
        "symbol": alert.symbol,
        "timeframe": alert.timeframe,
        "action": "buy" if buys else "sell",
        "market_position": missed.expected.value,
        "prev_market_position": missed.held.value,
    }
    wishes: dict[str, Any] = {"type": "exit" if closes else "signal", "strategy": "grid", "account": account}
    own = {"grid": signal.grid, "tp_mode": signal.tp_mode, "capital_usd": signal.capital_usd}
    if not closes:
        wishes |= {name: str(wish) for name, wish in own.items() if wish is not None}
    body = {"id": f"missed|{account}|{alert.id}", "tv": market, "execution_intent": wishes}
    return json.dumps(body, indent=2, ensure_ascii=False)


def _where(alert: Alert) -> str:
    return f"{alert.symbol} {alert.timeframe}"


def _sentence(alert: Alert, missed: Missed, last: Alert | None) -> str:
    """Say what differs, and why an alert must be missing."""
    strategy, you = missed.expected, missed.held
    if last is not None and last.parsed.leads_to is strategy:
        return _not_followed(alert, missed, last)
    wanted = {
        SignalType.EXIT: f"the exit of the {you}",
        SignalType.ENTRY: f"the {strategy} entry",
        SignalType.REVERSAL: f"the reversal to {strategy}",
    }[asks_for(missed)]
    gap = f"{_where(alert)}: the strategy was {strategy} before alert {alert.id}, you are {you}: {wanted} never came."
    before = (
        f" The last one to come was alert {last.id}." if last is not None else " No earlier one is known."
    )
    return gap + before


def _not_followed(alert: Alert, missed: Missed, last: Alert) -> str:
    """Say that the alert came, and what became of it."""
    since, you = f"{_where(alert)}: the strategy is {missed.expected} since alert {last.id}", missed.held
    if last.outcome is None:
        return f"{since}, which is not carried out yet; you are {you}."
    return f"{since}, which ended {last.outcome}: {last.reason}; you are {you}."


# -- what settles it


def _is_awaited(finding: Finding, alert: Alert) -> bool:
    """Return whether this is the alert that was missed, only late; one that was sent later is another."""
    missed, signal = told(finding), alert.parsed
    if signal.leads_to is not missed.expected or signal.previous not in (None, missed.held):
        return False
    if signal.sent_at is None or missed.sent_at is None:
        return len(finding.choices) > 1
    return signal.sent_at <= missed.sent_at


def _overtaken(finding: Finding, alert: Alert) -> str:
    """Return why nothing can be made up for any more; empty if it can."""
    missed, leads_to = told(finding), alert.parsed.leads_to
    if not missed.message or missed.expected is Position.FLAT:
        return ""
    if missed.held is Position.FLAT:
        return LEFT if leads_to is not missed.expected else ""
    return BACK if leads_to is missed.held else ""
