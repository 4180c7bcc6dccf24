"""The fourth step: the URL and the message for TradingView's alert dialog, each with Copy."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication, QHideEvent, QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from execution_engine.domain import composer
from execution_engine.domain.composer import Act, Composition, SentBy
from execution_engine.domain.errors import Refusal
from execution_engine.domain.rows import WebhookToken
from execution_engine.ui.bridge import Batch, Bridge
from execution_engine.ui.format import visible
from execution_engine.ui.icons import Mark
from execution_engine.ui.pages.welcome.step import LONGEST, Step
from execution_engine.ui.panels.tunnel import TunnelPanel
from execution_engine.ui.theme import THEME, mono, px
from execution_engine.ui.tongue import tr, translated
from execution_engine.ui.widgets import ElidedLabel, Label, Panel, SegmentedChoice, button

MASK = "••••••••"
FIRST_NAME = "TradingView"
REFRESH_MS = 1000
SECRET = tr("your body secret")
COPIED_MS = 4000
ALERTS = {
    "strategy": (tr("Strategy"), Composition(sent_by=SentBy.STRATEGY)),
    "long": (tr("Price, long"), Composition(sent_by=SentBy.PRICE, act=Act.LONG)),
    "short": (tr("Price, short"), Composition(sent_by=SentBy.PRICE, act=Act.SHORT)),
    "exit": (tr("Price, exit"), Composition(sent_by=SentBy.PRICE, act=Act.EXIT)),
}
TIMEFRAMES = (
    ("1m", tr("1 minute")),
    ("5m", tr("5 minutes")),
    ("15m", tr("15 minutes")),
    ("30m", tr("30 minutes")),
    ("1h", tr("1 hour")),
    ("4h", tr("4 hours")),
    ("1d", tr("1 day")),
    ("1w", tr("1 week")),
)
HOW = tr("""\
1.  In TradingView open the chart, press Alt+A for a new alert and choose its condition.
2.  Settings, Message: replace everything with the message.
3.  Notifications: tick Webhook URL and paste the URL. Then press Create.""")


class HookStep(Step):
    """Show the URL and the message."""

    name: ClassVar = tr("Webhook")
    about: ClassVar = tr("URL and message")
    question: ClassVar = tr("What TradingView has to know")
    sentence: ClassVar = tr(
        "Put these two into TradingView's alert dialog. Choose what the alert is made of "
        "and the chart's timeframe: in "
        "price alerts TradingView does not say the timeframe, so it is written out."
    )

    def __init__(self, bridge: Bridge) -> None:
        """Show the first webhook that is enabled."""
        super().__init__(bridge)
        self._open = False
        self.url = ElidedLabel("", "body", "text")
        self.eye = button(role="icon", icon="eye", tip=tr("Show the webhook URL"))
        self.copy_url = button(tr("Copy URL"), icon="copy")
        self.make = button(tr("Make a webhook"), "primary")
        self.made_of = SegmentedChoice(
            [(key, words) for key, (words, _) in ALERTS.items()],
            name=tr("What the alert is made of"),
            small=False,
        )
        self.timeframe = QComboBox()
        self.timeframe.setAccessibleName(tr("Timeframe of the chart"))
        for key, words in TIMEFRAMES:
            self.timeframe.addItem(words, key)
        self.timeframe.setCurrentIndex(self.timeframe.findData("15m"))
        self.message = QPlainTextEdit()
        self.message.setReadOnly(True)
        self.message.setTabChangesFocus(True)
        self.message.setAccessibleName(tr("Message for TradingView"))
        self.copy_message = button(tr("Copy message"), icon="copy", small=True)
        self.no_way = Label("", "body", "warn", wrap=True)
        self.tunnel_button = button(tr("Set up a tunnel"))
        self.tunnel = TunnelPanel(bridge)
        self.tunnel.hide()
        self._lay_out()
        self._timer = QTimer(self)
        self._timer.setInterval(REFRESH_MS)
        self._timer.timeout.connect(self.refresh)
        self.eye.clicked.connect(self._reveal)
        self.copy_url.clicked.connect(self._copy_url)
        self.copy_message.clicked.connect(self._copy_message)
        self.make.clicked.connect(self._make)
        self.tunnel_button.clicked.connect(self._show_tunnel)
        self.made_of.chosen.connect(lambda _: self.refresh())
        self.timeframe.currentIndexChanged.connect(lambda _: self.refresh())
        bridge.changed.connect(self._changed)
        THEME.theme_changed.connect(self._themed)
        self._themed()
        self.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        """Follow the public address while somebody looks."""
        self.refresh()
        self._timer.start()
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        """Rest while nobody does, with the secret masked again."""
        self._timer.stop()
        self._open = False
        super().hideEvent(event)

    # -- how it is built

    def _lay_out(self) -> None:
        self.add(self._address())
        self.add(self._messages())
        self.add(self.said)
        self.add(Label(HOW, "body", "text2", wrap=True))

    def _address(self) -> Panel:
        panel = Panel(tr("Webhook URL"), tr("it contains a secret"))
        row = QHBoxLayout()
        row.setSpacing(px(8))
        row.addWidget(self.url)
        row.addWidget(self.eye)
        row.addStretch(1)
        row.addWidget(self.make)
        row.addWidget(self.copy_url)
        self._way = QHBoxLayout()
        self._way.setSpacing(px(8))
        self.warning = Mark(icon="warning", token="warn", size=px(16))
        beside = QVBoxLayout()  # the button: its words stand on the first line
        beside.setContentsMargins(0, px(6), 0, 0)
        beside.addWidget(self.warning)
        beside.addStretch(1)
        self._way.addLayout(beside)
        self.no_way.setContentsMargins(0, px(5), 0, 0)
        self._way.addWidget(self.no_way, 1, Qt.AlignmentFlag.AlignTop)
        self._way.addWidget(self.tunnel_button, alignment=Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout()
        column.setContentsMargins(px(12), px(10), px(12), px(10))
        column.setSpacing(px(10))
        column.addLayout(row)
        column.addLayout(self._way)
        column.addWidget(self.tunnel)
        panel.add(column)
        return panel

    def _messages(self) -> Panel:
        panel = Panel(tr("Message"), tr("paste it as it is, with its {{placeholders}}"))
        grid = QGridLayout()
        grid.setContentsMargins(px(12), px(10), px(12), px(10))
        grid.setHorizontalSpacing(px(12))
        grid.setVerticalSpacing(px(8))
        rows: tuple[tuple[str, QWidget], ...] = (
            (tr("Alert of"), self.made_of),
            (tr("Timeframe"), self.timeframe),
        )
        for line, (caption, field) in enumerate(rows):
            label = Label(caption, "body", "text2")
            label.setBuddy(field)
            grid.addWidget(label, line, 0)
            grid.addWidget(field, line, 1)
        panel.add_right(self.copy_message)
        grid.addWidget(self.message, 2, 0, 1, 3)
        grid.setColumnStretch(2, 1)
        panel.add(grid)
        return panel

    def set_narrow(self, narrow: bool) -> None:
        """Show less of the message, so that what to do with it stays in sight."""
        super().set_narrow(narrow)
        self.message.setFixedHeight(px(128 if narrow else 320))

    def _themed(self) -> None:
        self.url.setFont(mono("body"))
        self.message.setFont(mono("small"))

    # -- what is shown

    def _token(self) -> WebhookToken | None:
        return next((token for token in self.bridge.doors.tokens() if token.enabled), None)

    def address(self) -> str:
        """Return the whole address; empty where there is no webhook."""
        token, shown = self._token(), self.bridge.doors.way_in()
        return composer.url(shown.url or shown.local, token.token) if token is not None else ""

    def refresh(self) -> None:
        """Show everything as it is now."""
        address = self.address()
        place, _, _ = address.rpartition("/")
        there = tr("There is no webhook: every alert is refused.") if not address else f"{place}/{MASK}"
        self.url.show_text(address if self._open and address else there)
        for part, wanted in (
            (self.make, not address),
            (self.copy_url, bool(address)),
            (self.eye, bool(address)),
        ):
            part.setVisible(wanted)
        self._show_way()
        text = self._message()
        if text != self.message.toPlainText():
            self.message.setPlainText(text)

    def _show_way(self) -> None:
        shown = self.bridge.doors.way_in()
        state, sentence = shown.light
        self.no_way.show_text("" if state == "ok" else visible(translated(sentence), LONGEST))
        for part in (self.warning, self.no_way):
            part.setVisible(state != "ok" and self.tunnel.isHidden())  # else its panel says the same
        self.tunnel_button.setVisible(not shown.url and self.tunnel.isHidden())

    def _message(self) -> str:
        secret = SECRET if self.bridge.doors.settings().webhook.secret_required else ""
        _, chosen = ALERTS[self.made_of.value()]
        return composer.message(replace(chosen, timeframe=self.timeframe.currentData()), secret)

    def _changed(self, batch: Batch) -> None:
        if batch.whole or batch.tokens or batch.settings:
            self.refresh()

    def shown(self) -> None:
        self.refresh()

    def begin(self) -> None:
        (self.copy_url if self.address() else self.make).setFocus()

    # -- what the user wants

    def _reveal(self) -> None:
        self._open = not self._open
        self.refresh()

    def _copy_url(self) -> None:
        self._copy(self.copy_url, self.address())

    def _copy_message(self) -> None:
        self._copy(self.copy_message, self._message())

    def _copy(self, pressed: QPushButton, text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        before = {self.copy_url: tr("Copy URL"), self.copy_message: tr("Copy message")}[pressed]
        pressed.setText(tr("Copied"))
        QTimer.singleShot(COPIED_MS, pressed, lambda: pressed.setText(before))

    def _show_tunnel(self) -> None:
        self.tunnel.show()
        self.tunnel.toggle.setFocus()
        self.refresh()

    def _make(self) -> None:
        self.set_busy(True)
        self.bridge.run(self.bridge.doors.webhooks.add(FIRST_NAME), self._made)

    def _made(self, told: str | Refusal) -> None:
        self.set_busy(False)
        self.say(visible(translated(told.message), LONGEST) if isinstance(told, Refusal) else "")
        self.refresh()
