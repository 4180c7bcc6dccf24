"""The questions before what cannot be undone: booking as closed outside, closing the rest or all of it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from PySide6.QtWidgets import QWidget

from execution_engine.domain.rows import Account, Choice, Finding, FindingKind, Group
from execution_engine.ui.findings import missing, pair
from execution_engine.ui.format import counted, exact
from execution_engine.ui.widgets import ConfirmDialog, Consequence, follows

MOST_NAMED = 4
NO_WAY_BACK = "It cannot be undone."
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
    price = f"at {exact(finding.price)}, as it was traded" if finding.price else "at the market price of now"
    return _asking(
        "Book as closed outside",
        f"Book {amount} as closed outside?",
        "Book as closed",
        [
            _account(finding, account),
            Consequence("Missing", ((amount, "text!"), (_both(finding), "text"))),
            follows("Price", price),
            follows("Positions", f"{_names(groups)}, the oldest first"),
            follows("Exchange", "nothing is sent; the loss or gain is booked as realized"),
            follows("Afterwards", "the hold ends, and what is still held is looked after again"),
        ],
        account,
        parent,
    )


def _close(
    finding: Finding, groups: Sequence[Group], account: Account | None, unit: str, parent: QWidget
) -> ConfirmDialog:
    held = sum((group.open_quantity for group in groups), Decimal(0))
    rest = "" if finding.kind in WHOLE else "the rest of "
    return _asking(
        "Close at market" if not rest else "Close the rest",
        f"Close {rest}{pair(finding) or 'it'} at market?",
        "Close at market",
        [
            _account(finding, account),
            follows("Positions", _names(groups)),
            follows("Orders", "what is open for them is cancelled"),
            Consequence("Close", (("at most", "text"), (f"{exact(held)} {unit}".rstrip(), "text!"))),
            follows("Afterwards", "the positions are closed, their slots are free"),
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
    return Consequence("Account", ((finding.account, "text"),), mode=mode)


def _both(finding: Finding) -> str:
    return f"the groups add up to {exact(finding.ours)}, the exchange holds {exact(finding.theirs)}"


def _names(groups: Sequence[Group]) -> str:
    if not groups:
        return "those that are still open"
    named = ", ".join(f"{group.symbol} {group.timeframe}" for group in groups[:MOST_NAMED])
    more = len(groups) - MOST_NAMED
    return f"{named} and {counted(more, 'more', 'more')}" if more > 0 else named
