"""The panel of the tunnel: one light, the public address, start and stop, and what is missing."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication, QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from execution_engine.domain import document as documents
from execution_engine.domain.errors import Refusal
from execution_engine.domain.inputs import Answer, SaveSettings
from execution_engine.domain.settings import TunnelProgram
from execution_engine.domain.way_in import Reach, WayIn
from execution_engine.ui.bridge import Batch, Bridge
from execution_engine.ui.format import ago, visible
from execution_engine.ui.frame.status_line import LIGHTS
from execution_engine.ui.icons import Mark
from execution_engine.ui.theme import mono, px
from execution_engine.ui.tongue import later, tr, translated
from execution_engine.ui.widgets import ElidedLabel, Label, Panel, SegmentedChoice, button

REFRESH_MS = 1000


class TunnelPanel(Panel):
    """Show whether TradingView gets through, and let the user start and stop the tunnel."""

    def __init__(self, bridge: Bridge) -> None:
        """Show how it is now; while it is seen it follows every second."""
        super().__init__(tr("Way in from outside"), tr("TradingView sends to a public address only"))
        self._bridge = bridge
        programs = [(each.value, each.value) for each in TunnelProgram]
        self.program = SegmentedChoice(programs, name=tr("Program that makes the tunnel"))
        self.toggle = button(tr("Start tunnel"), icon="play", small=True)
        self.check = button(tr("Check now"), icon="refresh", small=True)
        self.copy = button(tr("Copy"), icon="copy", small=True, tip=tr("Copy the public address"))
        self.light = Mark("ring", "neutral", size=px(10))
        self.sentence = Label("", "body", "text", wrap=True)
        self.address = ElidedLabel("", "body", "text")
        self.address.setFont(mono("body"))
        self.checked = Label("", "small", "text3")
        self.hints = Label("", "small", "text2", wrap=True)
        self.said = Label("", "small", "danger", wrap=True)
        self.add_right(self.check)
        self.add_right(self.toggle)
        self._lay_out()
        self._timer = QTimer(self)
        self._timer.setInterval(REFRESH_MS)
        self._timer.timeout.connect(self.refresh)
        self.toggle.clicked.connect(self._toggle)
        self.check.clicked.connect(self._check)
        self.copy.clicked.connect(self._copy)
        self.program.chosen.connect(self._choose)
        bridge.changed.connect(self._changed)
        self.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        """Follow while somebody looks."""
        self.refresh()
        self._timer.start()
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        """Rest while nobody does."""
        self._timer.stop()
        super().hideEvent(event)

    def refresh(self) -> None:
        """Show everything as it is now."""
        shown = self._bridge.doors.way_in()
        settings = self._bridge.doors.settings().tunnel
        state, sentence = shown.light
        token, shape = LIGHTS[state]
        self.light.show_shape(shape, token)
        self.sentence.show_text(visible(translated(sentence), 400))
        self.address.show_text(
            visible(shown.url, 200) or tr("none; the local one is {local}").format(local=shown.local)
        )
        self.copy.setVisible(bool(shown.url))
        self.check.setEnabled(bool(shown.url))
        self.checked.show_text(self._last(shown))
        self.hints.show_text("\n".join(visible(translated(hint), 300) for hint in _hints(shown)))
        self.hints.setVisible(bool(self.hints.text()))
        self.said.setVisible(bool(self.said.text()))
        self.toggle.setText(tr("Stop tunnel") if settings.enabled else tr("Start tunnel"))
        self.program.set_value(settings.program.value)

    def _last(self, shown: WayIn) -> str:
        parts = []
        if shown.tunnel.program:
            parts.append(f"{shown.tunnel.program} {shown.tunnel.word.value}")
        if shown.reach.at is not None and shown.reach.url and shown.reach.url == shown.url:
            parts.append(tr("checked {span}").format(span=ago(self._bridge.doors.now() - shown.reach.at)))
        return " · ".join(parts)

    def _lay_out(self) -> None:
        column = QVBoxLayout()
        column.setContentsMargins(px(12), px(10), px(12), px(10))
        column.setSpacing(px(8))
        for parts in (
            (self.light, (self.sentence, 1), self.checked),
            (_caption(tr("Public address")), self.address, self.copy, (None, 1)),
            (_caption(tr("Program")), self.program, (None, 1)),
        ):
            row = QHBoxLayout()
            row.setSpacing(px(10))
            for part in parts:
                widget, stretch = part if isinstance(part, tuple) else (part, 0)
                row.addStretch(stretch) if widget is None else row.addWidget(widget, stretch)
            column.addLayout(row)
        column.addWidget(self.hints)
        column.addWidget(self.said)
        self.add(column)

    def _changed(self, batch: Batch) -> None:
        if batch.whole or batch.settings:
            self.refresh()

    # -- what the user wants

    def _toggle(self) -> None:
        self._save("tunnel.enabled", not self._bridge.doors.settings().tunnel.enabled)

    def _choose(self, program: str) -> None:
        self._save("tunnel.program", program)

    def _save(self, path: str, value: object) -> None:
        settings = documents.with_value(self._bridge.doors.settings(), path, value)
        note = later("{path} changed in the window").format(path=path)
        wish = SaveSettings(document=documents.dump(settings), note=note)
        self._bridge.wish(wish, self._saved)

    def _saved(self, reply: Answer | Refusal) -> None:
        self.said.show_text(visible(translated(reply.message), 240) if isinstance(reply, Refusal) else "")
        self.refresh()

    def _check(self) -> None:
        self.check.setEnabled(False)
        self.checked.show_text(tr("is being checked…"))
        self._bridge.run(self._bridge.doors.check_way_in(), self._was_checked)

    def _was_checked(self, _: Reach | Refusal) -> None:
        self.refresh()

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._bridge.doors.way_in().url)
        self.checked.show_text(tr("copied; a webhook's whole URL is copied above"))


def _caption(text: str) -> Label:
    label = Label(text, "body", "text2")
    label.setMinimumWidth(px(104))
    return label


def _hints(shown: WayIn) -> list[str]:
    return [tr("To install one of them:"), *shown.tunnel.hints] if shown.tunnel.hints else []
