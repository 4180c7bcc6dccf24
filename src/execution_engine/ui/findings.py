"""What was found on the exchanges and in the books: what of it waits, and in which words it is told."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final, Literal, NamedTuple

from execution_engine.domain.missed import asks_for
from execution_engine.domain.rows import Choice, Finding, FindingKind, Group, Missed
from execution_engine.domain.signal import Position, SignalType
from execution_engine.ui.bridge import Bridge
from execution_engine.ui.format import local_date, local_moment, local_time, visible
from execution_engine.ui.theme import Token
from execution_engine.ui.tongue import tr, translated

Part = Literal["decide", "done", "found", "earlier"]
# Where the engine did something about it; the others are only told.
ACTED: Final = frozenset(
    {
        FindingKind.FILLED,
        FindingKind.LATE_FILL,
        FindingKind.LOST,
        FindingKind.ORPHAN,
        FindingKind.LIQUIDATED,
    }
)
LONGEST = 600


class Telling(NamedTuple):
    """Say how a kind of finding appears: its title and its icon."""

    title: str
    icon: str
    token: Token


TELLING: Final[dict[FindingKind, Telling]] = {
    FindingKind.FILLED: Telling(tr("Filled while nobody watched"), "success", "profit"),
    FindingKind.LATE_FILL: Telling(tr("Filled after its group had ended"), "clock", "warn"),
    FindingKind.LOST: Telling(tr("An order is gone from the exchange"), "question", "warn"),
    FindingKind.ORPHAN: Telling(tr("An order of ours that the books lack"), "question", "warn"),
    FindingKind.EXTERNAL: Telling(tr("Orders of somebody else"), "eye", "neutral"),
    FindingKind.DEFICIT: Telling(tr("The exchange holds less than the books"), "warning", "warn"),
    FindingKind.SURPLUS: Telling(tr("The exchange holds more than the books"), "info", "accent"),
    FindingKind.LIQUIDATED: Telling(tr("Closed by the exchange, by force"), "bolt", "danger"),
    FindingKind.HALTED: Telling(tr("A market is not traded"), "warning", "warn"),
    FindingKind.DEFECT: Telling(tr("An internal error froze it"), "error", "danger"),
    FindingKind.MISSED: Telling(tr("An alert was missed"), "webhook", "warn"),
}
# What the button says; an ellipsis where a question follows.
VERBS: Final[dict[Choice, str]] = {
    Choice.BOOK: tr("Book as closed outside…"),
    Choice.CLOSE: tr("Close the rest…"),
    Choice.SEND: tr("Send the missed alert now…"),
    Choice.CHECK: tr("Compare again"),
    Choice.RELEASE: tr("Lift the hold"),
    Choice.DISMISS: tr("Got it"),
}


def verb(finding: Finding, choice: Choice) -> str:
    """Return what the button of a choice says; where nothing is missing, all of it is closed."""
    if finding.kind is FindingKind.HALTED and choice is Choice.CLOSE:
        return tr("Close at market…")
    if finding.kind is FindingKind.MISSED and choice is Choice.CLOSE:
        return tr("Close the position…")
    if finding.kind is FindingKind.MISSED and choice is Choice.DISMISS and len(finding.choices) > 1:
        return tr("Dismiss")
    return VERBS[choice]


DOING: Final[dict[Choice, str]] = {
    Choice.BOOK: tr("Booking…"),
    Choice.CLOSE: tr("Closing…"),
    Choice.SEND: tr("Sending…"),
    Choice.CHECK: tr("Reading the exchange…"),
    Choice.RELEASE: tr("Lifting the hold…"),
    Choice.DISMISS: tr("Noting…"),
}
CHOSEN: Final[dict[Choice, str]] = {
    Choice.BOOK: tr("You booked it as closed outside."),
    Choice.CLOSE: tr("You closed the rest."),
    Choice.SEND: tr("You sent the missed alert."),
    Choice.CHECK: tr("You had it compared again."),
    Choice.RELEASE: tr("You lifted the hold."),
    Choice.DISMISS: tr("You noted it."),
}


def newest_first(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings, the newest first; of the same moment, the one written last."""
    return sorted(findings, key=lambda each: (each.at, each.id), reverse=True)


def part_of(finding: Finding) -> Part:
    """Tell where a finding belongs: it waits for a decision, was dealt with, is only told, or is over."""
    if finding.settled_at is not None:
        return "earlier"
    if any(choice is not Choice.DISMISS for choice in finding.choices):
        return "decide"
    return "done" if finding.kind in ACTED else "found"


def waiting(bridge: Bridge) -> list[Finding]:
    """Return what is not settled, the newest first."""
    return newest_first(each for each in bridge.findings.values() if each.settled_at is None)


def decisions(bridge: Bridge) -> list[Finding]:
    """Return what waits for a decision, the newest first."""
    return [each for each in waiting(bridge) if part_of(each) == "decide"]


def of_group(bridge: Bridge, group_id: int) -> list[Finding]:
    """Return what is not settled about a group, the newest first."""
    return [each for each in waiting(bridge) if group_id in each.group_ids]


def releasing(bridge: Bridge, group_id: int) -> Finding | None:
    """Return the finding whose hold on a group can be lifted."""
    return next((each for each in of_group(bridge, group_id) if Choice.RELEASE in each.choices), None)


def pair(finding: Finding) -> str:
    """Name what a finding is about: its symbol, or else its currency or market."""
    if finding.symbol:
        return finding.symbol
    quantity = finding.kind in (FindingKind.DEFICIT, FindingKind.SURPLUS, FindingKind.LIQUIDATED)
    return visible(finding.ref.rpartition(" ")[2], 30) if quantity else ""


def where(finding: Finding) -> str:
    """Say where and when: pair, account or world, time."""
    account = (
        tr("account {account}").format(account=visible(finding.account, 40))
        if finding.account
        else tr("{world} world").format(world=tr(finding.world))
    )
    return " · ".join(each for each in (pair(finding), account, local_moment(finding.at)) if each)


def sentences(finding: Finding) -> tuple[str, str]:
    """Return what was found and what was done, safe to show."""
    return visible(translated(finding.found), LONGEST), visible(translated(finding.done), LONGEST)


def expectation(missed: Missed) -> str:
    """Say which alert was expected: what it would have done, and on which chart."""
    what = {
        SignalType.EXIT: tr("exit of the {side} on {timeframe}"),
        SignalType.ENTRY: tr("{side} entry on {timeframe}"),
        SignalType.REVERSAL: tr("reversal to {side} on {timeframe}"),
    }[asks_for(missed)]
    side = missed.held if missed.expected is Position.FLAT else missed.expected
    return what.format(side=tr(side.value), timeframe=missed.timeframe)


def when_missed(missed: Missed) -> str:
    """Say when the missed alert was due: between the alerts before and after it."""
    if missed.since is None:
        return tr("Before {time}").format(time=local_moment(missed.told_at))
    same_day = local_date(missed.since) == local_date(missed.told_at)
    told = local_time(missed.told_at) if same_day else local_moment(missed.told_at)
    return f"{local_moment(missed.since)} – {told}"


def missing(finding: Finding) -> Decimal | None:
    """Return how much of what the books hold the exchange lacks, on either side; negative where it has more."""
    if finding.ours is None or finding.theirs is None:
        return None
    ours, theirs = finding.ours, finding.theirs
    if not ours:
        return -abs(theirs)
    return abs(ours) - (abs(theirs) if ours * theirs > 0 else Decimal(0))


def unit_of(bridge: Bridge, finding: Finding) -> str:
    """Return the currency in which a finding's quantities are counted, where it is known."""
    for id in finding.group_ids:
        if id in bridge.groups:
            return bridge.groups[id].base
    exchange, _, symbol = finding.ref.rpartition(" ")
    known = bridge.doors.catalogue.get(finding.exchange or exchange, finding.symbol or symbol)
    return known.base if known is not None else "" if exchange else visible(finding.ref, 12)


def groups_of(bridge: Bridge, finding: Finding) -> list[Group]:
    """Return the groups that a finding concerns and that still hold a slot."""
    found = (bridge.groups.get(id) for id in finding.group_ids)
    return [group for group in found if group is not None and group.holds_slot]
