"""What the user chooses: where the alert goes, what it asks for, how it is written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from execution_engine.domain.composer import Act, Composition, Form, SentBy
from execution_engine.domain.composer_check import BodySecret
from execution_engine.domain.rows import WebhookToken
from execution_engine.domain.signal import TakeProfitMode
from execution_engine.domain.timeframe import canonical
from execution_engine.domain.typed import read_number
from execution_engine.ui.bridge import Bridge
from execution_engine.ui.composer.words import SENDERS, TP_MODES
from execution_engine.ui.format import tooltip, visible
from execution_engine.ui.pages.test_alert import FIRST, symbol_field
from execution_engine.ui.tables.paint import width_of
from execution_engine.ui.theme import SIZE, px, restyle
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import Label, SegmentedChoice

WIDTH = 348
CAPTION = 84
SHOWN = 12  # characters of a choice that a field asks room for
SHORT = 24  # characters of a name that fit; its tooltip has them all
FROM_CHART = tr("From the chart")
TIMEFRAMES = ("1m", "3m", "5m", "15m", "30m", "45m", "1h", "2h", "3h", "4h", "1d", "1w", "1M", "30s")
BY_SETTINGS = tr("As the settings say")
BY_SYMBOL = tr("Chosen by the symbol")
WRITTEN_OUT = tr("{{interval}} is always 1 in price alerts, so it is written out.")
NEEDED, ENOUGH = tr("The settings ask for it."), tr("The token in the URL is enough.")
NONE_SET, LOCKED = (
    tr("No secret is set; the token in the URL is enough."),
    tr("The vault is locked; unlock it first."),
)


class ComposerForm(QFrame):
    """The left side. changed: another choice was made."""

    changed = Signal()

    def __init__(self, bridge: Bridge) -> None:
        """Begin with a strategy's alert on the chart's own symbol."""
        super().__init__()
        self._bridge = bridge
        self.setProperty("ground", "panel")
        self.webhook, self.account = _combo(tr("Webhook")), _combo(tr("Account"))
        self.sent_by = SegmentedChoice(SENDERS[:2], small=False, name=tr("What sends the alert"))
        self.act = SegmentedChoice(
            [(Act.LONG, tr("Long")), (Act.SHORT, tr("Short")), (Act.EXIT, tr("Exit"))],
            small=False,
            name=tr("Side"),
        )
        self.act_said = Label(tr("as the strategy's orders say"), "body", "text2")
        self.symbol_form = SegmentedChoice(
            [("chart", FROM_CHART), ("fixed", tr("Fixed"))], small=False, name=tr("Symbol")
        )
        markets = bridge.doors.catalogue.instruments
        self.symbol = symbol_field(
            (f"{exchange.upper()}:{name}" for exchange, name in markets), tr("Fixed symbol"), "", FIRST
        )
        self.timeframe = _combo(tr("Timeframe"))
        self.timeframe.setEditable(True)
        self.timeframe.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self._name_typed_timeframe()
        self.timeframe_said = Label(WRITTEN_OUT, "small", "text3", wrap=True)
        self.grid, self.tp_mode = _combo(tr("Grid")), _combo(tr("TP mode"))
        self.capital = QLineEdit()
        self.capital.setAccessibleName(tr("Capital in USD"))
        self.capital.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.capital.setMaxLength(40)
        self.capital.setPlaceholderText(BY_SETTINGS)
        self.form = SegmentedChoice(
            [(Form.STRUCTURED, tr("Structured")), (Form.FLAT, tr("Flat"))], small=False, name=tr("Form")
        )
        self.order = SegmentedChoice(
            [("usual", tr("Usual")), ("name", tr("By name"))], small=False, name=tr("Fields")
        )
        self.layout_choice = SegmentedChoice(
            [("lines", tr("Lines")), ("one", tr("One line"))], small=False, name=tr("Layout")
        )
        self.secret = QCheckBox(tr("Secret in the message"))
        self.secret_said = Label("", "small", "text3", wrap=True)
        self._secret_touched = False
        self._lay_out()
        self._fill_fixed()
        self.refresh()
        self._listen()
        self._show_what_applies()

    # -- what was chosen

    @property
    def composition(self) -> Composition:
        """Return the choices; a fault is told by `fault`."""
        text, capital = self.timeframe.currentText(), self._capital()
        return Composition(
            sent_by=SentBy(self.sent_by.value()),
            act=Act(self.act.value()),
            symbol=self.symbol.text().strip().upper() if self.symbol_form.value() == "fixed" else "",
            timeframe=canonical(text) or "1h",
            from_chart=text == FROM_CHART,
            account=self.account.currentData() or "",
            grid=self.grid.currentData() or "",
            tp_mode=TakeProfitMode(self.tp_mode.currentData()) if self.tp_mode.currentData() else None,
            capital_usd=capital if isinstance(capital, Decimal) and capital > 0 else None,
            form=Form(self.form.value()),
            by_name=self.order.value() == "name",
            one_line=self.layout_choice.value() == "one",
        )

    @property
    def fault(self) -> str:
        """Say what no message can be written from; empty when all is well."""
        if self.symbol_form.value() == "fixed" and not self.symbol.text().strip():
            return tr("Name a symbol, as {first}.").format(first=FIRST)
        text = self.timeframe.currentText()
        if text != FROM_CHART and canonical(text) is None:
            return tr("“{text}” is no timeframe: 15m, 4h, 1d, 30s, or minutes as a number.").format(
                text=visible(text, 20)
            )
        capital = self._capital()
        if isinstance(capital, str):
            return tr("The capital {capital}.").format(capital=capital)
        if capital is not None and capital <= 0:
            return tr("The capital must be above 0.")
        return ""

    def _capital(self) -> Decimal | str | None:
        """Return what was typed, or why it is no number; None where nothing was, or nothing is asked."""
        typed = self.capital.text().strip()
        return read_number(typed, "USD") if typed and self.capital.isEnabled() else None

    @property
    def token(self) -> WebhookToken | None:
        """Return the webhook that was chosen."""
        name = self.webhook.currentData()
        return next((token for token in self._bridge.doors.tokens() if token.name == name), None)

    @property
    def wants_secret(self) -> bool:
        return self.secret.isEnabled() and self.secret.isChecked()

    def choose_webhook(self, name: str) -> None:
        """Choose a webhook by its name."""
        if (place := self.webhook.findData(name)) >= 0:
            self.webhook.setCurrentIndex(place)

    # -- how it follows the rest

    def refresh(self) -> None:
        """Offer the webhooks, accounts and profiles that there are now; what is chosen stays chosen."""
        doors = self._bridge.doors
        tokens = [token for token in doors.tokens() if token.enabled and not _is_over(token, doors.now())]
        _offer(self.webhook, [(visible(token.name, SHORT), token.name) for token in tokens])
        self._offer_accounts()
        profiles = doors.settings().grid.profiles
        _offer(self.grid, [(BY_SETTINGS, ""), *((visible(name, SHORT), name) for name in profiles)])
        self._show_secret(doors.body_secret())

    def _offer_accounts(self) -> None:
        token = self.token
        allowed = token.accounts if token else ()
        names = [name for name in self._bridge.accounts if not allowed or name in allowed]
        _offer(self.account, [(BY_SYMBOL, ""), *((visible(name, SHORT), name) for name in sorted(names))])

    def _show_secret(self, secret: BodySecret) -> None:
        required = self._bridge.doors.settings().webhook.secret_required
        self.secret.setEnabled(bool(secret.text))
        if not self._secret_touched:
            self.secret.setChecked(required)
        known = NEEDED if required else ENOUGH
        self.secret_said.show_text(known if secret.text else LOCKED if secret.locked else NONE_SET)

    # -- how it is built

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(px(16), px(12), px(16), px(10))
        column.setSpacing(px(6))
        column.addLayout(
            _grid(
                (
                    (tr("Webhook"), self.webhook),
                    (tr("Account"), self.account),
                    (tr("Sent by"), self.sent_by),
                    (tr("Side"), _both(self.act, self.act_said)),
                    (tr("Symbol"), self.symbol_form),
                    ("", self.symbol),
                    (tr("Timeframe"), self.timeframe),
                    ("", self.timeframe_said),
                    (tr("Grid"), self.grid),
                    (tr("TP mode"), self.tp_mode),
                    (tr("Capital, USD"), self.capital),
                )
            )
        )
        column.addStretch(1)
        column.addLayout(
            _grid(((tr("Form"), self.form), (tr("Fields"), self.order), (tr("Layout"), self.layout_choice)))
        )
        column.addWidget(self.secret)
        column.addWidget(self.secret_said)

    def _fill_fixed(self) -> None:
        self.timeframe.addItems([FROM_CHART, *TIMEFRAMES])
        self.timeframe.setCurrentText("1h")
        self.tp_mode.addItem(BY_SETTINGS, "")
        for mode, word in TP_MODES.items():
            self.tp_mode.addItem(word, mode.value)

    def _name_typed_timeframe(self) -> None:
        typed = self.timeframe.lineEdit()
        assert typed is not None  # it is editable
        typed.setAccessibleName(tr("Timeframe"))
        typed.setMaxLength(16)

    def _listen(self) -> None:
        for each in (self.sent_by, self.act, self.symbol_form, self.form, self.order, self.layout_choice):
            each.chosen.connect(self._changed)
        for combo in (self.account, self.grid, self.tp_mode):
            combo.currentIndexChanged.connect(self._changed)
        self.webhook.currentIndexChanged.connect(self._webhook_changed)
        self.timeframe.currentTextChanged.connect(self._changed)
        self.symbol.textChanged.connect(self._changed)
        self.capital.textChanged.connect(self._changed)
        self.secret.clicked.connect(self._secret_clicked)

    def _webhook_changed(self) -> None:
        self._offer_accounts()
        self._changed()

    def _secret_clicked(self) -> None:
        self._secret_touched = True
        self._changed()

    def _changed(self) -> None:
        self._show_what_applies()
        self.changed.emit()

    def _show_what_applies(self) -> None:
        """Ask only for what the kind of alert has."""
        chosen = self.composition
        self.act.setVisible(not chosen.is_strategy)
        self.act_said.setVisible(chosen.is_strategy)
        self.symbol.setVisible(self.symbol_form.value() == "fixed")
        self.timeframe_said.setVisible(not chosen.is_strategy)
        for each in (self.grid, self.tp_mode, self.capital):
            each.setEnabled(not chosen.is_exit)
        self._offer_from_chart(chosen.is_strategy)
        capital = self._capital()
        restyle(self.timeframe, bad="true" if _no_timeframe(self.timeframe.currentText()) else "false")
        restyle(self.capital, bad="true" if isinstance(capital, str) else "false")

    def _offer_from_chart(self, offered: bool) -> None:
        there = self.timeframe.itemText(0) == FROM_CHART
        if there == offered:
            return
        blocked = self.timeframe.blockSignals(True)
        text = self.timeframe.currentText()
        if offered:
            self.timeframe.insertItem(0, FROM_CHART)
        else:
            self.timeframe.removeItem(0)
        self.timeframe.setCurrentText("1h" if text == FROM_CHART else text)
        self.timeframe.blockSignals(blocked)


def _is_over(token: WebhookToken, now: datetime) -> bool:
    return token.expires_at is not None and token.expires_at <= now


def _no_timeframe(text: str) -> bool:
    return text != FROM_CHART and canonical(text) is None


def _combo(name: str) -> QComboBox:
    made = QComboBox()
    made.setAccessibleName(name)
    # A long name is cut there instead of making the whole column wider.
    made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    made.setMinimumContentsLength(SHOWN)
    return made


def _offer(combo: QComboBox, options: Iterable[tuple[str, str]]) -> None:
    """Let a combo box offer other options; the choice stays if it is still there, and nobody is told."""
    wanted = list(options)
    if [(combo.itemText(place), combo.itemData(place)) for place in range(combo.count())] == wanted:
        return
    chosen, blocked = combo.currentData(), combo.blockSignals(True)
    combo.clear()
    for text, data in wanted:
        combo.addItem(text, data)
        combo.setItemData(combo.count() - 1, tooltip(visible(data)), Qt.ItemDataRole.ToolTipRole)
    combo.setCurrentIndex(max(0, combo.findData(chosen)))
    combo.blockSignals(blocked)


def _grid(rows: Sequence[tuple[str, QWidget]]) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(px(10))
    grid.setVerticalSpacing(px(6))
    # The same in both parts of the form, whatever words another language has.
    captions = [*(caption for caption, _ in rows), tr("Sent by"), tr("Timeframe"), tr("Capital, USD")]
    widest = max(round(width_of(caption)) for caption in captions)
    grid.setColumnMinimumWidth(0, max(px(CAPTION), widest))
    grid.setColumnStretch(1, 1)
    for place, (caption, widget) in enumerate(rows):
        if caption:
            label = Label(caption, "body", "text2")
            label.setBuddy(widget)
            grid.addWidget(label, place, 0)
        left = isinstance(widget, SegmentedChoice)
        grid.addWidget(widget, place, 1, Qt.AlignmentFlag.AlignLeft if left else Qt.AlignmentFlag(0))
    return grid


def _both(one: QWidget, other: QWidget) -> QWidget:
    """Return a place for two of which one is shown."""
    ground = QWidget()
    row = QHBoxLayout(ground)
    row.setContentsMargins(0, 0, 0, 0)
    row.addWidget(one)
    row.addWidget(other)
    row.addStretch(1)
    ground.setFixedHeight(px(SIZE["button"]))
    return ground
