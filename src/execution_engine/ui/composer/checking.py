"""The second view: any message, checked as it is typed, and what it would come to."""

from __future__ import annotations

import json

from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication, QHideEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from execution_engine.domain.alert import HIDDEN
from execution_engine.domain.composer import SentBy
from execution_engine.ui.bridge import Bridge
from execution_engine.ui.composer import words
from execution_engine.ui.composer.chart import sample
from execution_engine.ui.composer.composing import ComposePage
from execution_engine.ui.composer.text import MessageText
from execution_engine.ui.composer.told import Entry, ToldList
from execution_engine.ui.theme import px
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import Label, SegmentedChoice, button

SOON_MS = 120  # after the last key: a check asks the rules once for each turn of a strategy
MASKED = tr(
    "The secret is hidden here, and counts as the right one. To have it whole, copy the message under Compose."
)
NOTHING = tr("Paste a message, yours or one from elsewhere. Nothing is sent.")


class CheckPage(QWidget):
    """Check what is typed or pasted. The webhook that was chosen for composing is the one it would come by."""

    def __init__(self, bridge: Bridge, compose: ComposePage) -> None:
        """Begin without a message."""
        super().__init__()
        self._bridge, self._compose = bridge, compose
        self.sent_by = SegmentedChoice(words.SENDERS, small=False, name=tr("What sends it"))
        self.edit = MessageText(tr("Message to check"), read_only=False)
        self.edit.setPlaceholderText(NOTHING)
        self.paste = button(tr("Paste"), small=True)
        self.take = button(tr("Take the composed one"), small=True)
        self.verdict = Label("", "body", "text", weight=600, wrap=True)
        self.filled = Label("", "small", "text3", wrap=True)
        self.told = ToldList(tr("What the listener would say"))
        self._soon = QTimer(self, singleShot=True, interval=SOON_MS)
        self._lay_out()
        self._soon.timeout.connect(self.refresh)
        self.edit.textChanged.connect(self._soon.start)
        self.sent_by.chosen.connect(self.refresh)
        self.paste.clicked.connect(self._paste)
        self.take.clicked.connect(self._take)
        self.refresh()

    def refresh(self) -> None:
        """Check what stands there."""
        message = self.edit.toPlainText()
        chosen = self._compose.form.composition
        chart = sample(self._bridge, chosen)
        entries: list[Entry] = []
        lines: list[int] = []
        if not message.strip():
            self._say(tr("Nothing to check yet"), "")
        elif chart is None:
            self._say(words.UNKNOWN_MARKETS, "")
        else:
            entries, lines = self._checked(message)
            place = f"{chart.instrument.exchange.upper()}:{chart.instrument.symbol} {chart.timeframe}"
            self.filled.show_text(
                tr("Placeholders are filled as on {place}. Nothing is sent.").format(place=place)
            )
        self.edit.mark_lines(lines)
        self.told.show_entries(entries)

    def hideEvent(self, event: QHideEvent) -> None:
        """Forget the message with the window: it may hold a secret."""
        super().hideEvent(event)
        if not self.window().isVisible():
            self.edit.clear()

    def _checked(self, message: str) -> tuple[list[Entry], list[int]]:
        sent_by, chosen = SentBy(self.sent_by.value()), self._compose.form.composition
        checks = self._compose.checks
        whole = self._unmasked(message)
        checked = checks.check(whole, sent_by, chosen)
        assert checked is not None  # there is a chart
        self.verdict.show_text(words.verdict(checked), "danger" if checked.found else "text")
        entries = words.fault_entries(checked.found)
        if checked.reads:
            entries.append(Entry("", "text", tr("What it would come to now"), ""))
            entries += words.outcome_entries(
                [(read.situation.name, checks.rehearsed(read.parsed)) for read in checked.reads]
            )
        found = [trap for trap in checks.traps(whole, sent_by, chosen) if trap.code != "no_address"]
        hints = [Entry("info", "text2", "", MASKED)] if whole != message else []
        if found or hints:
            entries.append(Entry("", "text", tr("What to look out for"), ""))
            entries += [*words.trap_entries(found), *hints]
        return entries, [fault.line for fault in checked.found]

    def _unmasked(self, message: str) -> str:
        """Put the secret where it is hidden: what comes from this program shows it to nobody."""
        secret = self._bridge.doors.body_secret().text
        written = json.dumps(secret, ensure_ascii=False)
        return message.replace(f'"{HIDDEN}"', written) if secret else message

    def _say(self, sentence: str, more: str) -> None:
        self.verdict.show_text(sentence, "text2")
        self.filled.show_text(more)

    def _paste(self) -> None:
        self.edit.setPlainText(QGuiApplication.clipboard().text())
        self.edit.setFocus()

    def _take(self) -> None:
        self.sent_by.set_value(self._compose.form.composition.sent_by.value)
        self.edit.setPlainText(self._compose.masked)
        self.refresh()

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        left, right = QFrame(), QVBoxLayout()
        left.setProperty("ground", "panel")
        left.setProperty("rule", "right")
        column = QVBoxLayout(left)
        for layout in (column, right):
            layout.setContentsMargins(px(16), px(12), px(16), px(12))
            layout.setSpacing(px(8))
        tools = QHBoxLayout()
        tools.setSpacing(px(8))
        tools.addWidget(Label(tr("Message"), "body", "text", weight=600))
        tools.addStretch(1)
        for each in (self.take, self.paste):
            tools.addWidget(each)
        column.addLayout(tools)
        column.addWidget(self.edit, 1)
        column.addWidget(Label(tr("Sent by"), "small", "text2"))
        column.addWidget(self.sent_by)
        right.addWidget(self.verdict)
        right.addWidget(self.filled)
        right.addWidget(self.told, 1)
        row.addWidget(left, 1)
        row.addLayout(right, 1)
