"""The header: how the engine is, in which mode, what it all comes to, and the two ways to stop."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QWidget

from execution_engine.domain.money import HUNDRED, divide
from execution_engine.domain.rows import Mode
from execution_engine.ui.bridge import Bridge
from execution_engine.ui.format import (
    MISSING,
    counted,
    exact,
    result_token,
    signed_percent,
    signed_usd,
    tooltip,
    uptime,
    visible,
)
from execution_engine.ui.frame.acts import Acts
from execution_engine.ui.frame.away import is_reading
from execution_engine.ui.frame.worlds import accounts_in_use, gravest, shown_world
from execution_engine.ui.holdings import Holdings
from execution_engine.ui.icons import Mark, state_look
from execution_engine.ui.theme import ICON, SIZE, Token, color, px
from execution_engine.ui.tongue import tr, translated
from execution_engine.ui.widgets import ElidedLabel, Label, ModeBadge, button, divider

WHY_WIDE, WHY_NARROW = 300, 170
BY_USER = "paused by you"  # the word Paused says it already


class Header(QFrame):
    """Say the state in words and figures; the buttons are the frame's actions."""

    def __init__(self, bridge: Bridge, holdings: Holdings, acts: Acts, parent: QWidget | None = None) -> None:
        """Show what the bridge holds; `refresh` is called for each batch and each second."""
        super().__init__(parent)
        self._bridge, self._holdings, self._narrow = bridge, holdings, False
        self.setProperty("ground", "chrome")
        self.setProperty("rule", "bottom")
        self.setFixedHeight(px(SIZE["header"]))
        self.setAccessibleName(tr("Engine"))
        self.state_key = ""
        self._mark = Mark("ring", "neutral", size=px(10))
        self.state = Label("", "body", "text", weight=600)
        self.uptime = Label("", "body", "text3")
        self.why = ElidedLabel("", "body", "text2", longest=WHY_WIDE)
        self.why.hide()
        self.badge = ModeBadge("paper")
        self.accounts = Label("", "body", "text2")
        self.total = Label(MISSING, "total", "text3")
        self.share = Label("", "body", "text3")
        self.stale = Label(tr("stale"), "small", "warn")
        self.pause = _pressing(acts.pause, "normal")
        self.close_all = _pressing(acts.close_all, "danger-outline")
        self.theme = _pressing(acts.theme, "icon")
        self._lay_out()
        self.refresh()

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(px(15), 0, px(14), 0)
        row.setSpacing(px(10))
        for widget in (self._mark, self.state, self.uptime, self.why):
            row.addWidget(widget)
        row.addSpacing(px(4))
        row.addWidget(self.badge)
        row.addSpacing(px(4))
        row.addWidget(self.accounts)
        row.addSpacing(px(4))
        row.addWidget(divider(vertical=True, length=20))
        row.addSpacing(px(4))
        row.addWidget(Label(tr("Total PnL"), "small", "text3"))
        for widget in (self.total, Label("USD", "small", "text3"), self.share, self.stale):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self.theme)
        row.addSpacing(px(4))
        row.addWidget(self.pause)
        row.addSpacing(px(4))
        row.addWidget(self.close_all)

    def set_narrow(self, narrow: bool) -> None:
        """Leave out what a small window has no room for."""
        self._narrow = narrow
        self.accounts.setVisible(not narrow)
        self.why.set_longest(WHY_NARROW if narrow else WHY_WIDE)
        self._show_state()

    def refresh(self) -> None:
        """Show everything as it is now."""
        bridge = self._bridge
        self._show_state()
        used = accounts_in_use(bridge)
        self._show_mode(gravest(used))
        self.accounts.show_text(counted(len(used), tr("account"), tr("accounts")))
        self.accounts.setToolTip(", ".join(account.name for account in used))
        self._show_total()

    def _show_state(self) -> None:
        """Say how the engine is and, where it holds back, why in place of how long it runs."""
        bridge = self._bridge
        word, reasons = bridge.doors.status()
        self.state_key = self._state(word)
        look = state_look("engine", self.state_key)
        self._mark.show_shape(look.shape, look.token)
        self.state.show_text(look.word)
        self.state.setToolTip(tooltip("\n".join(visible(translated(each), 300) for each in reasons)))
        why = [each for each in reasons if each != BY_USER] if word in ("hold", "starting") else []
        self.why.show_text(" · ".join(visible(translated(each), 300) for each in why))
        self.why.setVisible(bool(why))
        self.uptime.setVisible(not why and not self._narrow)
        self.uptime.show_text(uptime(bridge.doors.now() - bridge.doors.started_at))

    def _state(self, word: str) -> str:
        if word == "error":
            return "stopped"
        accounts = self._bridge.accounts.values()
        reading = any(account.enabled and is_reading(account) for account in accounts)
        return "reconciling" if word == "starting" and reading else word

    def _show_mode(self, mode: Mode) -> None:
        if self.badge.mode != mode.value:
            self.badge.set_mode(mode.value)
            self.update()

    def _show_total(self) -> None:
        bridge = self._bridge
        world = shown_world(bridge)
        sums = self._holdings.sums(world, bridge.doors.now())
        realized = bridge.doors.realized(world)
        total = None if sums.unrealized is None else realized + sums.unrealized
        capital = bridge.doors.settings().capital.total_usd
        token: Token = "text3" if sums.old else result_token(total)
        self.total.show_text(signed_usd(total), token)
        self.share.show_text(
            "" if total is None else signed_percent(divide(total * HUNDRED, capital)),
            token,
        )
        self.stale.setVisible(sums.old)
        tip = tr(
            "Total = realized {realized} + unrealized {unrealized} = {total} USD\n% of "
            "capital.total_usd, {capital} USD"
        ).format(
            realized=exact(realized),
            unrealized=exact(sums.unrealized),
            total=exact(total),
            capital=exact(capital),
        )
        if tip != self.total.toolTip():
            self.total.setToolTip(tip)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the red line of a window that trades real money."""
        super().paintEvent(event)
        if self.badge.mode == Mode.LIVE:
            QPainter(self).fillRect(0, 0, self.width(), 2, color("danger"))


def _pressing(action: QAction, role: str) -> QPushButton:
    """Return a button that does what an action does and looks as the action says."""
    made = button("", role)  # type: ignore[arg-type]
    made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def take() -> None:
        icon_only = role == "icon"
        made.setText("" if icon_only else action.text())
        made.setIcon(action.icon())
        # Wider than the drawing: that is the only way to keep the words at a distance.
        made.setIconSize(QSize(px(ICON["button"]) + (0 if icon_only else 6), px(ICON["button"])))
        made.setToolTip(action.toolTip())
        made.setAccessibleName(action.text())
        made.setEnabled(action.isEnabled())

    action.changed.connect(take)
    made.clicked.connect(lambda: action.trigger())
    take()
    return made
