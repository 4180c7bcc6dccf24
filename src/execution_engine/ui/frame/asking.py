"""The questions of the frame: close everything, quit while something is open, lose changes, reset layouts."""

from __future__ import annotations

from decimal import Decimal

from PySide6.QtWidgets import QWidget

from execution_engine.domain.money import ZERO
from execution_engine.domain.rows import Group, Purpose, World
from execution_engine.ui.bridge import Bridge
from execution_engine.ui.format import counted, usd
from execution_engine.ui.holdings import Holdings
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import ConfirmDialog, Consequence, follows


def open_groups(bridge: Bridge) -> list[Group]:
    """Return the groups that hold a slot, in every world."""
    return [group for group in bridge.groups.values() if group.holds_slot]


def close_everything(bridge: Bridge, holdings: Holdings, parent: QWidget) -> ConfirmDialog:
    """Return the question before everything is closed; live money asks to type the number of groups."""
    groups = open_groups(bridge)
    live = any(group.world is World.LIVE for group in groups)
    count = counted(len(groups), tr("group"), tr("groups"))
    return ConfirmDialog(
        tr("Close everything"),
        tr("Close {count} at market?").format(count=count) if groups else tr("Pause and empty the queue?"),
        tr("Close {count}").format(count=count) if groups else tr("Pause and empty"),
        consequences=_close_consequences(bridge, holdings),
        mode="live" if live else "",
        type_this=str(len(groups)) if live else "",
        parent=parent,
    )


def _close_consequences(bridge: Bridge, holdings: Holdings) -> list[Consequence]:
    queued = counted(len(bridge.queue), tr("signal"), tr("signals"))
    working = [
        order for order in bridge.orders.values() if not order.is_final and order.purpose is Purpose.ENTRY
    ]
    held = [each for each in holdings.by_id.values() if each.holds]
    return [
        follows(tr("Entries"), tr("are paused; alerts go on being stored")),
        follows(
            tr("Queue"),
            tr("is emptied, {queued}").format(queued=queued) if bridge.queue else tr("is empty already"),
        ),
        follows(
            tr("Orders"),
            (tr("{orders} is cancelled") if len(working) == 1 else tr("{orders} are cancelled")).format(
                orders=counted(len(working), tr("open order"), tr("open orders"))
            ),
        ),
        Consequence(tr("Positions"), _positions(len(held), _worth(holdings))),
        follows(tr("Afterwards"), tr("what cannot be closed is listed")),
    ]


def _positions(count: int, worth: Decimal) -> list[tuple[str, str]]:
    if not count:
        return [(tr("no group holds anything"), "text")]
    holding = tr("{groups} that holds") if count == 1 else tr("{groups} that hold")
    return [
        (holding.format(groups=counted(count, tr("group"), tr("groups"))), "text"),
        (f"{usd(worth)} USD", "text!"),
        (tr("is closed at market") if count == 1 else tr("are closed at market"), "text"),
    ]


def _worth(holdings: Holdings) -> Decimal:
    """Return what is held at the newest prices, at entry where there is none [USD]."""
    return sum(
        (
            each.group.invested if each.price is None else each.price * each.group.open_quantity
            for each in holdings.by_id.values()
            if each.holds
        ),
        ZERO,
    )


def quitting(bridge: Bridge, parent: QWidget, *, tray: bool = False) -> ConfirmDialog:
    """Return the question before the application ends with groups open. tray: there is one to keep running in."""
    count = len(open_groups(bridge))
    groups = counted(count, tr("group"), tr("groups"))
    asked = tr("Quit while {groups} is open?") if count == 1 else tr("Quit while {groups} are open?")
    without = (
        tr("{groups} stays open without care: no targets, no exits, no risk engine until you start again.")
        if count == 1
        else tr(
            "{groups} stay open without care: no targets, no exits, no risk engine until you start again."
        )
    ).format(groups=groups)
    return ConfirmDialog(
        tr("Quit"),
        asked.format(groups=groups),
        tr("Quit"),
        explanation=f"{without} {tr('Orders already on the exchange stay there.')}",
        instead=tr("Keep running in the tray") if tray else "",
        parent=parent,
    )


def losing(count: int, parent: QWidget) -> ConfirmDialog:
    """Return the question before changes of the settings are lost."""
    changes = counted(count, tr("change"), tr("changes"))
    return ConfirmDialog(
        tr("Unsaved settings"),
        tr("Quit without saving {changes} of the settings?").format(changes=changes),
        tr("Discard {changes}").format(changes=changes),
        explanation=tr("What is typed there is not in force and would be forgotten."),
        danger=False,
        parent=parent,
    )


def resetting(parent: QWidget) -> ConfirmDialog:
    """Return the question before every layout is put back: it cannot be had back."""
    return ConfirmDialog(
        tr("Reset every layout"),
        tr("Put every page back as it was made?"),
        tr("Reset every layout"),
        explanation=tr(
            "Columns, their order and widths, sorting, splitters, and size and place of the window. "
            "Settings, filters and what is open stay as they are."
        ),
        danger=False,
        parent=parent,
    )
