"""The questions of the frame: close everything, quit while something is open, lose changes, reset layouts."""

from __future__ import annotations

from decimal import Decimal

from PySide6.QtWidgets import QWidget

from execution_engine.domain.money import ZERO
from execution_engine.domain.rows import Group, Purpose, World
from execution_engine.ui.bridge import Bridge
from execution_engine.ui.format import counted, usd
from execution_engine.ui.holdings import Holdings
from execution_engine.ui.widgets import ConfirmDialog, Consequence, follows


def open_groups(bridge: Bridge) -> list[Group]:
    """Return the groups that hold a slot, in every world."""
    return [group for group in bridge.groups.values() if group.holds_slot]


def close_everything(bridge: Bridge, holdings: Holdings, parent: QWidget) -> ConfirmDialog:
    """Return the question before everything is closed; live money asks to type the number of groups."""
    groups = open_groups(bridge)
    live = any(group.world is World.LIVE for group in groups)
    count = counted(len(groups), "group")
    return ConfirmDialog(
        "Close everything",
        f"Close {count} at market?" if groups else "Pause and empty the queue?",
        f"Close {count}" if groups else "Pause and empty",
        consequences=_close_consequences(bridge, holdings),
        mode="live" if live else "",
        type_this=str(len(groups)) if live else "",
        parent=parent,
    )


def _close_consequences(bridge: Bridge, holdings: Holdings) -> list[Consequence]:
    queued = counted(len(bridge.queue), "signal")
    working = [
        order for order in bridge.orders.values() if not order.is_final and order.purpose is Purpose.ENTRY
    ]
    held = [each for each in holdings.by_id.values() if each.holds]
    return [
        follows("Entries", "are paused; alerts go on being stored"),
        follows("Queue", f"is emptied, {queued}" if bridge.queue else "is empty already"),
        follows("Orders", f"{counted(len(working), 'open order')} {_are(len(working))} cancelled"),
        Consequence("Positions", _positions(len(held), _worth(holdings))),
        follows("Afterwards", "what cannot be closed is listed"),
    ]


def _positions(count: int, worth: Decimal) -> list[tuple[str, str]]:
    if not count:
        return [("no group holds anything", "text")]
    verb = "holds" if count == 1 else "hold"
    return [
        (f"{counted(count, 'group')} that {verb}", "text"),
        (f"{usd(worth)} USD", "text!"),
        (f"{_are(count)} closed at market", "text"),
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
    stays = "stays" if count == 1 else "stay"
    return ConfirmDialog(
        "Quit",
        f"Quit while {counted(count, 'group')} {_are(count)} open?",
        "Quit",
        explanation=f"{counted(count, 'group')} {stays} open without care: no targets, no exits, no risk engine "
        "until you start again. Orders already on the exchange stay there.",
        instead="Keep running in the tray" if tray else "",
        parent=parent,
    )


def losing(count: int, parent: QWidget) -> ConfirmDialog:
    """Return the question before changes of the settings are lost."""
    changes = counted(count, "change")
    return ConfirmDialog(
        "Unsaved settings",
        f"Quit without saving {changes} of the settings?",
        f"Discard {changes}",
        explanation="What is typed there is not in force and would be forgotten.",
        danger=False,
        parent=parent,
    )


def resetting(parent: QWidget) -> ConfirmDialog:
    """Return the question before every layout is put back: it cannot be had back."""
    return ConfirmDialog(
        "Reset every layout",
        "Put every page back as it was made?",
        "Reset every layout",
        explanation="Columns, their order and widths, sorting, splitters, and size and place of the window. "
        "Settings, filters and what is open stay as they are.",
        danger=False,
        parent=parent,
    )


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
