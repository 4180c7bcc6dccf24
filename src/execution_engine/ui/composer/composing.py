"""The first view: choices at the left, URL and message at the right, what TradingView would make of them below."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication, QHideEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget
from shiboken6 import isValid

from execution_engine.domain import composer
from execution_engine.domain.alert import HIDDEN, ParsedAlert
from execution_engine.domain.composer import Composition, SentBy
from execution_engine.domain.composer_check import Checked, check
from execution_engine.domain.composer_rehearsal import Rehearsed
from execution_engine.domain.composer_traps import Trap, traps
from execution_engine.domain.inputs import AlertReceived
from execution_engine.ui.bridge import Bridge
from execution_engine.ui.composer import words
from execution_engine.ui.composer.chart import Prices, sample
from execution_engine.ui.composer.form import WIDTH, ComposerForm
from execution_engine.ui.composer.text import MessageText
from execution_engine.ui.composer.told import ToldList
from execution_engine.ui.format import visible
from execution_engine.ui.icons import Mark, bind
from execution_engine.ui.theme import ICON, Token, mono, px
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import ElidedLabel, Label, button

MASK = "••••••••"
TRAPS_HIGHEST = 132
WIDEST_FORM = 480
NO_WEBHOOK = tr("There is no webhook: add one under Settings, Webhook & tunnel.")


class Checks:
    """Checks messages against the engine as it is now: nothing is sent, nothing is kept."""

    def __init__(self, bridge: Bridge, form: ComposerForm) -> None:
        self._bridge, self._form = bridge, form

    def check(self, message: str, sent_by: SentBy, chosen: Composition) -> Checked | None:
        """Return what the listener would answer; None while no market is known."""
        chart, doors = sample(self._bridge, chosen), self._bridge.doors
        if chart is None:
            return None
        rules = doors.settings().webhook
        return check(message, chart, sent_by, doors.catalogue, rules, doors.body_secret())

    def rehearsed(self, parsed: ParsedAlert) -> Rehearsed:
        """Return what a valid message would come to now."""
        token, doors = self._form.token, self._bridge.doors
        received = AlertReceived(
            signal=parsed.signal,
            key=parsed.key,
            body=parsed.body,
            body_hash=parsed.body_hash,
            received_at=doors.now(),
            token=token.name if token else "",
            accounts=token.accounts if token else (),
            source="this machine",
        )
        return doors.rehearse(received)

    def traps(self, message: str, sent_by: SentBy, chosen: Composition) -> tuple[Trap, ...]:
        """Return the traps that a message, the URL and the settings walk into."""
        doors = self._bridge.doors
        return traps(
            message, sent_by, chosen.timeframe, doors.way_in(), doors.settings(), doors.body_secret()
        )


class ComposePage(QWidget):
    """Compose a message; tunnel_wanted: the user wants a public address."""

    tunnel_wanted = Signal()

    def __init__(self, bridge: Bridge) -> None:
        """Begin with a strategy's alert."""
        super().__init__()
        self._bridge = bridge
        self._url_open = self._secret_open = False
        self.form = ComposerForm(bridge)
        self.checks = Checks(bridge, self.form)
        self._prices = Prices(bridge, self._price_came)
        self.url = ElidedLabel("", "small", "text2")
        self.url.setFont(mono("small"))
        self.url_eye = button(role="icon", icon="eye", tip=tr("Show the URL"))
        self.copy_url = button(tr("Copy URL"), icon="copy")
        self.message = MessageText(tr("Message for TradingView"), read_only=True)
        self.size_said = Label("", "small", "text3")
        self.eye = button(role="icon", icon="eye", tip=tr("Show the secret in the message"))
        self.copy_message = button(tr("Copy message"), "primary", icon="copy")
        self.verdict_mark = Mark(icon="success", token="profit", size=px(ICON["button"]))
        self.verdict = Label("", "body", "text", wrap=True)
        self.copied = Label("", "small", "text2")
        self.traps = ToldList(tr("What to look out for"))
        self.steps = [Label("", "small", "text2", wrap=True) for _ in range(3)]
        self._lay_out()
        self._listen()
        self.refresh()

    @property
    def text(self) -> str:
        """Return the message as it would be copied."""
        secret = self._bridge.doors.body_secret().text if self.form.wants_secret else ""
        return composer.message(self.form.composition, secret)

    @property
    def masked(self) -> str:
        """Return the message with its secret hidden."""
        return composer.message(self.form.composition, HIDDEN if self.form.wants_secret else "")

    def refresh(self) -> None:
        """Write the message anew and judge it."""
        self.form.refresh()
        chosen, fault = self.form.composition, self.form.fault
        self._show_url()
        self._look_at_price(chosen)
        self.message.show_text(self.text if self._secret_open else self.masked)
        self.eye.setVisible(self.form.wants_secret)
        found: tuple[Trap, ...] = ()
        if fault:
            self._judge(fault, "error", "danger")
        else:
            found = self.checks.traps(self.text, chosen.sent_by, chosen)
            self._show_checked(self.checks.check(self.text, chosen.sent_by, chosen))
        self.copy_message.setEnabled(not fault)
        self.traps.show_entries(words.trap_entries(found))
        self._fit_traps()
        for number, (label, step) in enumerate(zip(self.steps, words.steps(chosen), strict=True), 1):
            label.show_text(f"{number}  {step}")

    def hideEvent(self, event: QHideEvent) -> None:
        """Mask every secret again."""
        super().hideEvent(event)
        self._url_open = self._secret_open = False
        self.copied.show_text("")
        self._draw_eyes()
        self.refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the traps the height that their sentences need in this width."""
        super().resizeEvent(event)
        self._fit_traps()

    def _look_at_price(self, chosen: Composition) -> None:
        chart = sample(self._bridge, chosen)
        if chart is not None and self.isVisible():
            self._prices.look_at(chart.instrument)

    # -- what is shown

    def _show_checked(self, checked: Checked | None) -> None:
        if checked is None:
            self._judge(words.UNKNOWN_MARKETS, "warning", "warn")
            return
        self.size_said.show_text(tr("{size} bytes").format(size=f"{checked.size:,}"))
        if checked.found:
            self._judge(words.first_fault(checked), "error", "danger")
            return
        read = checked.reads[0]
        first = self.checks.rehearsed(read.parsed)
        said = words.valid(read.situation.name if len(checked.reads) > 1 else "", first)
        if first.is_refused:
            self._judge(said, "warning", "warn")
        else:
            self._judge(said, "success", "profit")

    def _judge(self, sentence: str, icon: str, token: Token) -> None:
        self.verdict_mark.show_icon(icon, token)
        self.verdict.show_text(sentence)

    def _show_url(self) -> None:
        token = self.form.token
        place = self._place()
        shown = token.token if token and self._url_open else MASK
        self.url.show_text(composer.url(place, shown) if token else NO_WEBHOOK)
        for each in (self.copy_url, self.url_eye):
            each.setEnabled(token is not None)

    def _place(self) -> str:
        shown = self._bridge.doors.way_in()
        return shown.url or shown.local

    def _fit_traps(self) -> None:
        self.traps.setVisible(bool(self.traps.entries))
        self.traps.ask_for(max(px(200), self.traps.width() - px(12)), px(TRAPS_HIGHEST))

    # -- what the user does

    def _listen(self) -> None:
        self.form.changed.connect(self._changed)
        self.url_eye.clicked.connect(self._reveal_url)
        self.eye.clicked.connect(self._reveal_secret)
        self.copy_url.clicked.connect(self._copy_url)
        self.copy_message.clicked.connect(self._copy_message)
        self.traps.acted.connect(lambda _: self.tunnel_wanted.emit())

    def _price_came(self) -> None:
        if isValid(self) and self.isVisible():
            self.refresh()

    def _changed(self) -> None:
        self.copied.show_text("")
        self.refresh()

    def _reveal_url(self) -> None:
        self._url_open = not self._url_open
        self._draw_eyes()
        self._show_url()

    def _reveal_secret(self) -> None:
        self._secret_open = not self._secret_open
        self._draw_eyes()
        self.refresh()

    def _draw_eyes(self) -> None:
        _draw_eye(self.url_eye, tr("the URL"), self._url_open)
        _draw_eye(self.eye, tr("the secret in the message"), self._secret_open)

    def _copy_url(self) -> None:
        if (token := self.form.token) is None:
            return
        QGuiApplication.clipboard().setText(composer.url(self._place(), token.token))
        public = bool(self._bridge.doors.way_in().url)
        local = "" if public else tr(" It is the local one: TradingView cannot reach it.")
        self.copied.show_text(
            tr("Copied the URL of {token}. It contains your secret.{local}").format(
                token=visible(token.name, 40), local=local
            )
        )

    def _copy_message(self) -> None:
        QGuiApplication.clipboard().setText(self.text)
        told = tr(" It contains your secret.") if self.form.wants_secret else ""
        self.copied.show_text(tr("Copied the message.{told}").format(told=told))

    # -- how it is built

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(_scrolling(self.form, px(WIDTH)))
        right = QVBoxLayout()
        right.setContentsMargins(px(16), px(12), px(16), px(10))
        right.setSpacing(px(8))
        right.addLayout(
            _row(Label(tr("Webhook URL"), "body", "text", weight=600), None, self.url_eye, self.copy_url)
        )
        right.addWidget(self.url)
        head = Label(tr("Message"), "body", "text", weight=600)
        right.addLayout(_row(head, self.size_said, self.eye, self.copy_message))
        right.addWidget(self.message, 1)
        judged = QHBoxLayout()
        judged.setSpacing(px(8))
        judged.addWidget(self.verdict_mark, alignment=Qt.AlignmentFlag.AlignTop)
        judged.addWidget(self.verdict, 1)
        right.addLayout(judged)
        right.addWidget(self.traps)
        right.addWidget(Label(tr("In TradingView"), "body", "text", weight=600))
        for label in self.steps:
            right.addWidget(label)
        row.addLayout(right, 1)


def _scrolling(form: ComposerForm, width: int) -> QFrame:
    """Give the form a place of its own width, in which it scrolls where the screen is low."""
    frame = QFrame()
    frame.setProperty("ground", "panel")
    frame.setProperty("rule", "right")
    longest = form.minimumSizeHint().width() + 1  # beside the line; other languages have longer words
    frame.setFixedWidth(max(width, min(longest, px(WIDEST_FORM))))
    area = QScrollArea()
    area.setAccessibleName(tr("What is composed"))
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(form)
    inside = QVBoxLayout(frame)
    inside.setContentsMargins(0, 0, 1, 0)  # beside the line
    inside.addWidget(area)
    return frame


def _row(head: QWidget, beside: QWidget | None, *tools: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(px(8))
    row.addWidget(head)
    if beside is not None:
        row.addWidget(beside)
    row.addStretch(1)
    for tool in tools:
        row.addWidget(tool)
    return row


def _draw_eye(eye: QPushButton, what: str, is_open: bool) -> None:
    bind(eye, "eye_off" if is_open else "eye", "text2")
    eye.setToolTip((tr("Hide {what}") if is_open else tr("Show {what}")).format(what=what))
    eye.setAccessibleName(eye.toolTip())
