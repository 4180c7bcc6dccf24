"""The question before trading goes on after a restore: what the comparison with the exchanges came to."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from execution_engine.ui.bridge import Bridge
from execution_engine.ui.findings import decisions
from execution_engine.ui.format import counted, visible
from execution_engine.ui.frame.asking import open_groups
from execution_engine.ui.frame.away import is_reading
from execution_engine.ui.tongue import tr, translated
from execution_engine.ui.widgets import ConfirmDialog, Consequence, follows


def trading_again(bridge: Bridge, parent: QWidget) -> ConfirmDialog:
    """Return the question; it says what was found, what is not compared yet, and what will go out."""
    why = bridge.engine.recovering if bridge.engine is not None else ""
    return ConfirmDialog(
        tr("Trade again"),
        tr("Let trading go on?"),
        tr("Trade again"),
        explanation=visible(translated(why), 300),
        consequences=_consequences(bridge),
        danger=False,
        parent=parent,
    )


def _consequences(bridge: Bridge) -> list[Consequence]:
    unread = [each.name for each in bridge.accounts.values() if each.enabled and is_reading(each)]
    wait, groups = len(decisions(bridge)), len(open_groups(bridge))
    compared = (
        tr("not finished: {unread}").format(unread=", ".join(unread))
        if unread
        else tr("every account was compared")
    )
    return [
        Consequence(tr("Comparison"), ((compared, "warn" if unread else "text"),)),
        Consequence(tr("Differences"), ((_waiting(wait), "warn" if wait else "text"),)),
        follows(
            tr("Positions"),
            tr("{count}: targets, exits and open legs go on").format(
                count=counted(groups, tr("group"), tr("groups"))
            ),
        ),
        follows(tr("Entries"), tr("alerts open new groups again")),
    ]


def _waiting(count: int) -> str:
    if not count:
        return tr("none waits for you")
    return (
        tr("{count} waits under While you were away")
        if count == 1
        else tr("{count} wait under While you were away")
    ).format(count=counted(count, tr("decision"), tr("decisions")))
