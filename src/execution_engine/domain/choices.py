"""What the user decides about what was found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from execution_engine.domain import alert as alerts
from execution_engine.domain.audit import Act
from execution_engine.domain.closing import begin_closing, cancel_next
from execution_engine.domain.draft import Draft
from execution_engine.domain.errors import Refusal
from execution_engine.domain.findings import settle_finding
from execution_engine.domain.holdings import book_outside, held_by, ref_of
from execution_engine.domain.inputs import (
    AlertReceived,
    Answer,
    DecideFinding,
    Interrupted,
    PromoteWaiting,
    Settle,
)
from execution_engine.domain.intake import receive
from execution_engine.domain.missed import told
from execution_engine.domain.money import ZERO
from execution_engine.domain.origin import Origin
from execution_engine.domain.rows import (
    AccountStatus,
    Choice,
    Finding,
    FindingKind,
    Group,
    Purpose,
    WorldHold,
)

Reply = Answer | Refusal
HERE = "this machine"  # where an alert that is sent by hand comes from
_BY_HAND = {Origin.WINDOW: " (window)", Origin.COMMAND_LINE: " (command line)"}


def decide_finding(draft: Draft, wish: DecideFinding) -> Reply:
    """Do what the user chose; a choice that the finding does not offer is refused."""
    finding = draft.finding_or_none(wish.finding_id)
    if finding is None or finding.settled_at is not None:
        return Refusal("UNKNOWN", f"there is nothing to decide under {wish.finding_id}")
    if wish.choice not in finding.choices:
        offered = ", ".join(finding.choices)
        return Refusal("CHOICE", f"“{wish.choice}” cannot be chosen here; there are: {offered}")
    ways = _WAYS | {Choice.SEND: partial(_send, message=wish.message)}
    reply = ways[wish.choice](draft, finding)
    if isinstance(reply, Answer):
        draft.record(Act.FINDING_DECIDED, f"{wish.choice.capitalize()}: {finding.found}")
    return reply


def _dismiss(draft: Draft, finding: Finding) -> Reply:
    missed = finding.kind is FindingKind.MISSED
    done = f"Dismissed by you{_BY_HAND.get(draft.origin, '')}." if missed else ""
    settle_finding(draft, finding, done, Choice.DISMISS)
    return Answer(status="done", text="Noted.")


def _book(draft: Draft, finding: Finding) -> Reply:
    """Book what the exchange lacks as closed outside, at the price at which it was traded if that is known."""
    account = draft.account(finding.account)
    groups = [
        group for group in draft.groups() if group.account == finding.account and ref_of(group) == finding.ref
    ]
    ours, theirs = finding.ours or ZERO, finding.theirs or ZERO
    missing = abs(ours) - (abs(theirs) if ours * theirs > 0 else ZERO)
    if account is None or account.status is AccountStatus.RECONCILING:
        return Refusal("BUSY", "the exchange is being read again; decide once that is done")
    if held_by(groups) != ours:
        return Refusal(
            "BUSY",
            "what these positions hold has changed since it was compared; decide once it was compared again",
        )
    if not book_outside(draft, groups, missing, finding.price, "closed outside the application"):
        return Refusal(
            "BUSY", "orders that close this position rest or are on their way; wait until they are settled"
        )
    settle_finding(draft, finding, "Booked as closed outside, by you.", Choice.BOOK)
    return Answer(status="done", text="What was missing is booked as closed outside.")


def _groups(draft: Draft, finding: Finding) -> list[Group]:
    """Return the groups that share the quantity which a finding is about."""
    own = [group for group in draft.groups() if group.account == finding.account]
    return [group for group in own if ref_of(group) == finding.ref]


def _close(draft: Draft, finding: Finding) -> Reply:
    """Book what is missing, and close the rest of these positions at market."""
    if finding.kind is FindingKind.HALTED:
        return _close_halted(draft, finding)
    if finding.kind is FindingKind.MISSED:
        return _close_left(draft, finding)
    booked = _book(draft, finding)
    if isinstance(booked, Refusal):
        return booked
    for group in _groups(draft, finding):
        cancel_next(draft, group, "you closed it")
        begin_closing(draft, group.id, Purpose.EXIT, "the rest was closed by you")
        draft.follow(Settle(group_id=group.id))
    return Answer(
        status="done", text="What was missing is booked as closed outside; the rest is being closed."
    )


def _close_at_market(draft: Draft, finding: Finding) -> None:
    for id in finding.group_ids:
        group = draft.group_or_none(id)
        if group is not None and group.holds_slot:
            cancel_next(draft, group, "you closed it")
            begin_closing(draft, id, Purpose.EXIT, "closed by you")
            draft.follow(Settle(group_id=id))


def _close_left(draft: Draft, finding: Finding) -> Reply:
    """Close what the strategy has left already."""
    settle_finding(draft, finding, f"Closed by you{_BY_HAND.get(draft.origin, '')}.", Choice.CLOSE)
    _close_at_market(draft, finding)
    return Answer(status="done", text="The position is being closed.")


def _send(draft: Draft, finding: Finding, message: str) -> Reply:
    """Receive the alert that was missed, as if it came now: it is classified, limited and told like any other."""
    missed = told(finding)
    parsed = _read(draft, finding, message or missed.message)
    if isinstance(parsed, Refusal):
        return parsed
    first = draft.alert_or_none(missed.alert_id)
    answer = receive(
        draft,
        AlertReceived(
            signal=parsed.signal,
            key=parsed.key,
            body=parsed.body,
            body_hash=parsed.body_hash,
            received_at=draft.now,
            token=first.token if first is not None else "",
            accounts=(finding.account,),
            source=HERE,
        ),
    )
    if answer.status == "duplicate":
        return Refusal(
            "COPY", f"alert {answer.alert_id} came under this id already; give the message another one"
        )
    by = _BY_HAND.get(draft.origin, "")
    settle_finding(draft, finding, f"Sent by you as alert {answer.alert_id}{by}.", Choice.SEND)
    return Answer(status="done", text=f"It was sent as alert {answer.alert_id}.", alert_id=answer.alert_id)


def _read(draft: Draft, finding: Finding, message: str) -> alerts.ParsedAlert | Refusal:
    """Read a message as the listener would; it must be about what was missed."""
    raw = message.encode("utf-8", "replace")
    if len(raw) > alerts.MAX_BYTES:
        return Refusal("BODY", f"the message is longer than {alerts.MAX_BYTES} bytes")
    read = alerts.read(raw)
    parsed = alerts.parse(read, draft.view.catalogue) if isinstance(read, alerts.Body) else read
    if isinstance(parsed, alerts.Faults):
        return Refusal("BODY", "; ".join(f"{fault.field}: {fault.message}" for fault in parsed.errors))
    signal, timeframe = parsed.signal, told(finding).timeframe
    if (signal.exchange, signal.symbol, signal.timeframe) != (finding.exchange, finding.symbol, timeframe):
        sent = f"{signal.exchange.upper()}:{signal.symbol} {signal.timeframe}"
        return Refusal(
            "BODY", f"the message is about {sent}, what was missed about {finding.symbol} {timeframe}"
        )
    if signal.account != finding.account:
        return Refusal(
            "BODY", f"the message must name the account “{finding.account}”, where the alert was missed"
        )
    return parsed


def _close_halted(draft: Draft, finding: Finding) -> Reply:
    """Try to close, now; whether the exchange takes it is another question."""
    _close_at_market(draft, finding)
    return Answer(
        status="done", text="It is being closed; what the exchange refuses is tried again once it is traded."
    )


def _check(draft: Draft, finding: Finding) -> Reply:
    draft.follow(Interrupted(reason="compared again at your wish", accounts=(finding.account,), doubt=False))
    return Answer(status="done", text="The exchange is being read again; the hold ends if it fits now.")


def _release(draft: Draft, finding: Finding) -> Reply:
    """Lift a hold that an internal error had set; should it happen again, it is held again."""
    settle_finding(draft, finding, "Released by you.", Choice.RELEASE)
    if finding.group_ids:
        for id in finding.group_ids:
            group = draft.group_or_none(id)
            if group is not None:  # it may have moved to history meanwhile
                draft.put(replace(group, retry_at=None))  # its time may have met the error
                draft.follow(Settle(group_id=id))
        return Answer(status="done", text="The position is looked after again.")
    draft.put(WorldHold(name=finding.world))
    draft.follow(PromoteWaiting(world=finding.world))
    return Answer(status="done", text="Waiting signals are promoted again.")


_WAYS: dict[Choice, Callable[[Draft, Finding], Reply]] = {
    Choice.BOOK: _book,
    Choice.CLOSE: _close,
    Choice.CHECK: _check,
    Choice.RELEASE: _release,
    Choice.DISMISS: _dismiss,
}
