"""The questions before what cannot be undone: booking as closed outside, closing the rest or all of it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from PySide6.QtWidgets import QWidget

from execution_engine.domain.rows import Account, Choice, Finding, FindingKind, Group
from execution_engine.ui.findings import missing, pair
from execution_engine.ui.format import counted, exact
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import ConfirmDialog, Consequence, follows

MOST_NAMED = 4
NO_WAY_BACK = tr("It cannot be undone.")
WHOLE = (FindingKind.HALTED, FindingKind.MISSED)  # what is closed is all there is


def question(
    choice: Choice,
    finding: Finding,
    groups: Sequence[Group],
    account: Account | None,
    unit: str,
    parent: QWidget,
) -> ConfirmDialog | None:
    """Return the question before a choice is carried out; None where none is needed."""
    if choice is Choice.BOOK:
        return _book(finding, groups, account, unit, parent)
    return _close(finding, groups, account, unit, parent) if choice is Choice.CLOSE else None


def _book(
    finding: Finding, groups: Sequence[Group], account: Account | None, unit: str, parent: QWidget
) -> ConfirmDialog:
    amount = f"{exact(missing(finding))} {unit}".rstrip()
    price = (
        tr("at {price}, as it was traded").format(price=exact(finding.price))
        if finding.price
        else tr("at the market price of now")
    )
    return _asking(
        tr("Book as closed outside"),
        tr("Book {amount} as closed outside?").format(amount=amount),
        tr("Book as closed"),
        [
            _account(finding, account),
            Consequence(tr("Missing"), ((amount, "text!"), (_both(finding), "text"))),
            follows(tr("Price"), price),
            follows(tr("Positions"), tr("{groups}, the oldest first").format(groups=_names(groups))),
            follows(tr("Exchange"), tr("nothing is sent; the loss or gain is booked as realized")),
            follows(tr("Afterwards"), tr("the hold ends, and what is still held is looked after again")),
        ],
        account,
        parent,
    )


def _close(
    finding: Finding, groups: Sequence[Group], account: Account | None, unit: str, parent: QWidget
) -> ConfirmDialog:
    held = sum((group.open_quantity for group in groups), Decimal(0))
    rest = "" if finding.kind in WHOLE else tr("the rest of ")
    return _asking(
        tr("Close at market") if not rest else tr("Close the rest"),
        tr("Close {rest}{finding} at market?").format(rest=rest, finding=pair(finding) or tr("it")),
        tr("Close at market"),
        [
            _account(finding, account),
            follows(tr("Positions"), _names(groups)),
            follows(tr("Orders"), tr("what is open for them is cancelled")),
            Consequence(tr("Close"), ((tr("at most"), "text"), (f"{exact(held)} {unit}".rstrip(), "text!"))),
            follows(tr("Afterwards"), tr("the positions are closed, their slots are free")),
        ],
        account,
        parent,
    )


def _asking(
    title: str,
    asked: str,
    verb: str,
    consequences: Sequence[Consequence],
    account: Account | None,
    parent: QWidget,
) -> ConfirmDialog:
    live = account is not None and account.mode.value == "live"
    return ConfirmDialog(
        title,
        asked,
        verb,
        consequences=consequences,
        mode="live" if live else "",
        note=NO_WAY_BACK,
        parent=parent,
    )


def _account(finding: Finding, account: Account | None) -> Consequence:
    mode = account.mode.value if account is not None else ""
    return Consequence(tr("Account"), ((finding.account, "text"),), mode=mode)


def _both(finding: Finding) -> str:
    return tr("the groups add up to {ours}, the exchange holds {theirs}").format(
        ours=exact(finding.ours), theirs=exact(finding.theirs)
    )


def _names(groups: Sequence[Group]) -> str:
    if not groups:
        return tr("those that are still open")
    named = ", ".join(f"{group.symbol} {group.timeframe}" for group in groups[:MOST_NAMED])
    more = len(groups) - MOST_NAMED
    return (
        tr("{named} and {count}").format(named=named, count=counted(more, tr("more"), tr("more")))
        if more > 0
        else named
    )
