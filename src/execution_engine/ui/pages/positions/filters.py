"""The toolbar of Positions: what is shown, and what that comes to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QWidget

from execution_engine.domain.money import ZERO
from execution_engine.domain.rows import World
from execution_engine.ui import format as f
from execution_engine.ui.icons import shape_icon, state_look
from execution_engine.ui.pages import choosing
from execution_engine.ui.pages.positions.lines import GroupLine, Line
from execution_engine.ui.theme import THEME, px
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import Label, PageBar, SearchField, button

ALL, CLOSED_TODAY = "", "closed today"
_STATES = ("waiting", "live", "partially_filled", "active", "closing", "hold")
_SERIOUS = (World.LIVE, World.TEST, World.PAPER)


class FilterBar(PageBar):
    """Choose groups by symbol, account and state, and read their sums.

    changed: another choice was made
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin with everything that holds a slot."""
        super().__init__(tr("Positions"), parent)
        self.search = SearchField(tr("Filter by symbol"))
        self.accounts, self.states = QComboBox(), QComboBox()
        self.accounts.setAccessibleName(tr("Account"))
        self.states.setAccessibleName(tr("State"))
        self.accounts.addItem(tr("All accounts"), ALL)
        self._add_states()
        self.clear_all = button(tr("Clear filters"), "link")
        self.clear_all.hide()
        for each in (self.search, self.accounts, self.states, self.clear_all):
            self.add(each)
        for box in (self.accounts, self.states):
            box.setMinimumWidth(px(118))
            box.currentIndexChanged.connect(self._changed)
        choosing.narrowed(self.accounts)
        self.search.textChanged.connect(self._changed)
        self.clear_all.clicked.connect(self.clear)
        self._counts, self._result, self._unit = (
            Label("", "small", "text2"),
            Label("", "body", "text"),
            Label("USD", "small", "text2"),
        )
        for label in (self._counts, self._result, self._unit):
            self.add_right(label)
        self._narrow = False
        THEME.theme_changed.connect(self._draw_states)

    def set_narrow(self, narrow: bool) -> None:
        """Leave out what does not fit."""
        self._narrow = narrow
        self.search.setFixedWidth(px(170 if narrow else 200))

    def show_accounts(self, names: Sequence[str]) -> None:
        """Offer the accounts that there are; the one that is chosen stays."""
        offered = [self.accounts.itemData(row) for row in range(1, self.accounts.count())]
        if offered == list(names):
            return
        chosen = self.accounts.currentData()
        self.accounts.blockSignals(True)
        while self.accounts.count() > 1:
            self.accounts.removeItem(1)
        for name in names:
            self.accounts.addItem(f.visible(name, 40), name)
        choosing.opens_wide(self.accounts)
        self.accounts.setCurrentIndex(max(0, self.accounts.findData(chosen)))
        self.accounts.blockSignals(False)
        if self.accounts.currentData() != chosen:
            self._changed()

    @property
    def active(self) -> bool:
        """Tell whether anything is filtered."""
        return bool(self.search.text().strip() or self.accounts.currentData() or self.states.currentData())

    def clear(self) -> None:
        """Show everything that holds a slot again."""
        for box in (self.accounts, self.states):
            box.setCurrentIndex(0)
        self.search.clear()

    def accepts(self, line: Line, now: datetime) -> bool:
        """Tell whether a group is wanted."""
        if not isinstance(line, GroupLine):
            return True
        group, state = line.group, self.states.currentData()
        if state == CLOSED_TODAY:
            # The day of results is UTC's.
            wanted = group.closed_at is not None and group.closed_at.astimezone(UTC).date() == now.date()
        else:
            wanted = group.holds_slot and (not state or line.state == state)
        typed, account = self.search.text().strip().upper(), self.accounts.currentData()
        return wanted and typed in group.symbol.upper() and account in (ALL, group.account)

    def describe(self) -> str:
        """Name the filter in a sentence."""
        typed = self.search.text().strip()
        if typed:
            return tr("No group matches “{typed}”.").format(typed=f.visible(typed, 40))
        if self.states.currentData() == CLOSED_TODAY:
            return tr("No group was closed today.")
        return tr("No group matches the filter.")

    def show_sums(self, lines: Sequence[GroupLine], of: int) -> None:
        """Show how many groups are shown and what they come to; paper and real money are never added up."""
        world = next((each for each in _SERIOUS if any(line.group.world is each for line in lines)), None)
        counted = [line for line in lines if line.group.world is world]
        mixed = len(counted) < len(lines)
        held = [line for line in counted if line.group.avg_entry is not None]
        invested = sum((line.group.invested for line in held), ZERO)
        results = [line.unrealized for line in held]
        closed = self.states.currentData() == CLOSED_TODAY
        values = (
            [line.group.realized for line in counted]
            if closed
            else [each for each in results if each is not None]
        )
        total = sum(values, ZERO) if closed or len(values) == len(held) else None
        stale = not closed and any(line.stale for line in held)
        self._say(len(lines), of, invested, f"{world} " if mixed else "", closed, stale)
        self._result.show_text(f.signed_usd(total), "text3" if stale else f.result_token(total))
        self._result.setToolTip(tr("A price is old, the sum is too") if stale else f"{f.exact(total)} USD")

    @property
    def summary(self) -> str:
        """Return the sums as they are written."""
        return f"{self._counts.text()} {self._result.text()} {self._unit.text()}"

    def _say(self, shown: int, of: int, invested: Decimal, world: str, closed: bool, stale: bool) -> None:
        count = (
            f.counted(shown, tr("group"), tr("groups"))
            if shown == of or closed
            else tr("{shown} of {count}").format(shown=shown, count=f.counted(of, tr("group"), tr("groups")))
        )
        parts = [count]
        if not closed and not self._narrow:
            parts.append(tr("{world}invested {amount} USD").format(world=world, amount=f.usd(invested)))
        parts.append(
            f"{world}{(tr('realized') if closed else tr('unrealized'))}{(tr(', stale') if stale else '')}"
        )
        self._counts.show_text(" · ".join(parts))

    def _changed(self, *_: object) -> None:
        self.clear_all.setVisible(self.active)
        self.changed.emit()

    def _add_states(self) -> None:
        self.states.addItem(tr("All states"), ALL)
        for state in _STATES:
            self.states.addItem(state_look("group", state).word, state)
        self.states.insertSeparator(self.states.count())
        self.states.addItem(tr("Closed today"), CLOSED_TODAY)
        self._draw_states()

    def _draw_states(self) -> None:
        for row in range(self.states.count()):
            state = self.states.itemData(row)
            if state in _STATES:
                look = state_look("group", state)
                self.states.setItemIcon(row, shape_icon(look.shape, look.token))
