"""What can be done with a group: the context menu, the wishes behind it, and what became of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from execution_engine.domain.errors import Refusal
from execution_engine.domain.inputs import (
    Answer,
    CancelLegs,
    DecideFinding,
    ExitGroup,
    Input,
    SetRisk,
    SetTakeProfitMode,
)
from execution_engine.domain.rows import Choice, Group, GroupStatus, Order
from execution_engine.domain.signal import TakeProfitMode
from execution_engine.ui.bridge import Bridge
from execution_engine.ui.findings import of_group, releasing
from execution_engine.ui.format import visible
from execution_engine.ui.pages.positions.asking import (
    cancel_dialog,
    exit_dialog,
    name,
    release_dialog,
    working_entries,
)
from execution_engine.ui.pages.positions.bulk import BulkActs
from execution_engine.ui.pages.positions.cells import MODE
from execution_engine.ui.pages.positions.lines import GroupLine
from execution_engine.ui.pages.positions.tree import PositionsTree
from execution_engine.ui.tongue import tr, translated
from execution_engine.ui.widgets import ConfirmDialog, Notice

Reply = Answer | Refusal


class GroupActs(QObject):
    """Fill the menu of a row and carry out what is chosen.

    notice: a `Notice` for the corner of the window. chart: show the chart of a group. alerts: show its alerts.
    found: show a finding.
    """

    notice = Signal(object)
    chart = Signal(int)
    alerts = Signal(int)
    found = Signal(int)

    def __init__(self, bridge: Bridge, tree: PositionsTree, page: QWidget) -> None:
        """Take the tree whose rows are acted on, and the page over which dialogs open."""
        super().__init__(page)
        self._bridge, self._tree, self._page = bridge, tree, page
        self.bulk = BulkActs(bridge, tree, page)
        self.bulk.notice.connect(self.notice)
        tree.set_menu(self.fill)

    def fill(self, key: object, menu: QMenu) -> None:
        """Put what can be done with a row's group into a menu, or with all groups of the selected rows."""
        group_id = self._tree.group_of(key)
        chosen = self.bulk.chosen()
        if len(chosen) > 1 and any(group.id == group_id for group in chosen):
            self.bulk.fill(chosen, menu)
            return
        if group_id is None or group_id not in self._bridge.groups:
            return
        group = self._bridge.groups[group_id]
        self._closing(group, menu)
        self._held(group, menu)
        menu.addSeparator()
        self._risk(group, menu)
        self._modes(group, menu)
        menu.addSeparator()
        _add(menu, tr("Show chart"), lambda: self.chart.emit(group.id))
        _add(menu, tr("Show alerts"), lambda: self.alerts.emit(group.id))
        _add(menu, tr("Copy"), self._tree.copy)

    def _closing(self, group: Group, menu: QMenu) -> None:
        idle = group.id not in self._tree.maker.busy
        leaving = group.status is GroupStatus.CLOSING
        can_exit = group.holds_slot and not leaving and idle
        can_cancel = (
            group.holds_slot and not leaving and idle and bool(working_entries(self._orders(group.id)))
        )
        _add(menu, tr("Exit group…"), lambda: self.ask_exit(group.id), enabled=can_exit)
        _add(menu, tr("Cancel open legs…"), lambda: self.ask_cancel(group.id), enabled=can_cancel)

    def _held(self, group: Group, menu: QMenu) -> None:
        found = of_group(self._bridge, group.id)
        if not found:
            return
        menu.addSeparator()
        if releasing(self._bridge, group.id) is not None:
            idle = group.id not in self._tree.maker.busy
            _add(menu, tr("Lift the hold…"), lambda: self.ask_release(group.id), enabled=idle)
        _add(menu, tr("See what was found"), lambda: self.found.emit(found[0].id))

    def _risk(self, group: Group, menu: QMenu) -> None:
        usable = group.holds_slot and group.id not in self._tree.maker.busy
        skip = _add(
            menu,
            tr("Skip risk once"),
            lambda: self._set_risk(group, skip=not group.skip_once),
            enabled=usable,
        )
        skip.setCheckable(True)
        skip.setChecked(group.skip_once)
        word = tr("Unblock risk") if group.blocked else tr("Block risk")
        _add(menu, word, lambda: self._set_risk(group, blocked=not group.blocked), enabled=usable)

    def _modes(self, group: Group, menu: QMenu) -> None:
        modes = menu.addMenu(tr("TP mode"))
        modes.setEnabled(group.holds_slot and group.id not in self._tree.maker.busy)
        one = QActionGroup(modes)
        for mode in TakeProfitMode:
            action = _add(modes, MODE[mode], partial(self._set_mode, group, mode))
            action.setCheckable(True)
            action.setChecked(mode is group.tp_mode)
            one.addAction(action)

    # Wishes.

    def ask_exit(self, group_id: int) -> None:
        """Ask, then close a group at market."""
        line = self._line(group_id)
        if line is not None:
            account = self._bridge.accounts.get(line.group.account)
            dialog = exit_dialog(line, self._orders(group_id), account, self._page)
            self._ask(dialog, line.group, ExitGroup(group_id=group_id), tr("Exiting…"))

    def ask_cancel(self, group_id: int) -> None:
        """Ask, then cancel the open legs of a group."""
        line = self._line(group_id)
        if line is not None:
            dialog = cancel_dialog(line, self._orders(group_id), self._page)
            self._ask(dialog, line.group, CancelLegs(group_id=group_id), tr("Cancelling…"))

    def ask_release(self, group_id: int) -> None:
        """Ask, then lift the hold of a group."""
        line, finding = self._line(group_id), releasing(self._bridge, group_id)
        if line is not None and finding is not None:
            wish = DecideFinding(finding_id=finding.id, choice=Choice.RELEASE)
            self._ask(release_dialog(line, self._page), line.group, wish, tr("Releasing…"))

    def _ask(self, dialog: ConfirmDialog, group: Group, wish: Input, doing: str) -> None:
        def done(reply: Reply) -> None:
            if isinstance(reply, Refusal):
                dialog.fail(visible(translated(reply.message)))
            else:
                dialog.accept()

        def confirmed() -> None:
            dialog.busy()
            self._wish(group, wish, doing, done)

        dialog.confirmed.connect(confirmed)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _set_risk(self, group: Group, *, blocked: bool | None = None, skip: bool | None = None) -> None:
        self._change(
            group,
            SetRisk(group_id=group.id, blocked=blocked, skip_once=skip),
            SetRisk(
                group_id=group.id,
                blocked=None if blocked is None else group.blocked,
                skip_once=None if skip is None else group.skip_once,
            ),
        )

    def _set_mode(self, group: Group, mode: TakeProfitMode) -> None:
        if mode is not group.tp_mode:
            self._change(
                group,
                SetTakeProfitMode(group_id=group.id, mode=mode),
                SetTakeProfitMode(group_id=group.id, mode=group.tp_mode),
            )

    def _change(self, group: Group, wish: Input, back: Input) -> None:
        """Change something of a group, and offer to take it back."""

        def undo() -> None:
            self._wish(group, back, tr("Saving…"), self._refused)

        self._wish(group, wish, tr("Saving…"), self._refused, undo)

    def _wish(
        self,
        group: Group,
        wish: Input,
        doing: str,
        then: Callable[[Reply], None],
        undo: Callable[[], None] | None = None,
    ) -> None:
        self._tree.set_busy(group.id, doing)

        def done(reply: Reply) -> None:
            self._tree.set_busy(group.id, "")
            then(reply)
            if isinstance(reply, Answer):
                offer = tr("Undo") if undo else ""
                self.notice.emit(Notice("success", name(group), visible(translated(reply.text)), offer, undo))

        self._bridge.wish(wish, done)

    def _refused(self, reply: Reply) -> None:
        if isinstance(reply, Refusal):
            self.notice.emit(Notice("error", tr("This was not done"), visible(translated(reply.message))))

    def _line(self, group_id: int) -> GroupLine | None:
        return self._tree.maker.group(group_id) if group_id in self._bridge.groups else None

    def _orders(self, group_id: int) -> list[Order]:
        return [self._bridge.orders[id] for id in self._bridge.orders_of.get(group_id, ())]


def _add(menu: QMenu, text: str, act: Callable[[], object], *, enabled: bool = True) -> QAction:
    action = menu.addAction(text)
    action.setEnabled(enabled)
    action.triggered.connect(lambda _=False: act())
    return action
