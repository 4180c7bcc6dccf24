"""What the user decides about what was found."""

from __future__ import annotations

from execution_engine.domain.audit import Act
from execution_engine.domain.draft import Draft
from execution_engine.domain.errors import Refusal
from execution_engine.domain.findings import settle_finding
from execution_engine.domain.holdings import book_outside
from execution_engine.domain.inputs import Answer, DecideFinding, Interrupted, PromoteWaiting, Settle
from execution_engine.domain.money import ZERO
from execution_engine.domain.rows import Choice, Finding, WorldHold

Reply = Answer | Refusal


def decide_finding(draft: Draft, wish: DecideFinding) -> Reply:
    """Do what the user chose; a choice that the finding does not offer is refused."""
    finding = draft.finding_or_none(wish.finding_id)
    if finding is None or finding.settled_at is not None:
        return Refusal("UNKNOWN", f"there is nothing to decide under {wish.finding_id}")
    if wish.choice not in finding.choices:
        offered = ", ".join(finding.choices)
        return Refusal("CHOICE", f"“{wish.choice}” cannot be chosen here; there are: {offered}")
    draft.record(Act.FINDING_DECIDED, f"{wish.choice.capitalize()}: {finding.found}")
    if wish.choice is Choice.BOOK:
        return _book(draft, finding)
    if wish.choice is Choice.CHECK:
        return _check(draft, finding)
    if wish.choice is Choice.RELEASE:
        return _release(draft, finding)
    settle_finding(draft, finding, choice=Choice.DISMISS)
    return Answer(status="done", text="Noted.")


def _book(draft: Draft, finding: Finding) -> Reply:
    """Book what the exchange lacks as closed outside, at the price at which it was traded if that is known."""
    groups = [group for id in finding.group_ids if (group := draft.group_or_none(id)) and group.holds_slot]
    ours, theirs = finding.ours or ZERO, finding.theirs or ZERO
    missing = abs(ours) - (abs(theirs) if ours * theirs > 0 else 0)
    settle_finding(draft, finding, "Booked as closed outside, by you.", Choice.BOOK)
    book_outside(draft, groups, missing, finding.price, "closed outside the application")
    return Answer(status="done", text="What was missing is booked as closed outside.")


def _check(draft: Draft, finding: Finding) -> Reply:
    draft.follow(Interrupted(reason="compared again at your wish", accounts=(finding.account,), doubt=False))
    return Answer(status="done", text="The exchange is being read again; the hold ends if it fits now.")


def _release(draft: Draft, finding: Finding) -> Reply:
    """Lift a hold that an internal error had set; should it happen again, it is held again."""
    settle_finding(draft, finding, "Released by you.", Choice.RELEASE)
    if finding.group_ids:
        for id in finding.group_ids:
            if draft.group_or_none(id) is not None:  # it may have moved to history meanwhile
                draft.follow(Settle(group_id=id))
        return Answer(status="done", text="The position is looked after again.")
    draft.put(WorldHold(name=finding.world))
    draft.follow(PromoteWaiting(world=finding.world))
    return Answer(status="done", text="Waiting signals are promoted again.")
