"""How fast alerts become orders and fills, over the last hour, and a bundle for whoever is to help."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from execution_engine.domain.errors import Refusal
from execution_engine.domain.observation import Latency, Stage
from execution_engine.ui.bridge import Bridge
from execution_engine.ui.format import visible
from execution_engine.ui.theme import px
from execution_engine.ui.tongue import tr, translated
from execution_engine.ui.widgets import Label, Panel, button

REFRESH_MS = 2000
_STAGES = {
    Stage.ANSWER: (tr("Alert → answer"), tr("received, stored, answered; TradingView waits 3 s at most")),
    Stage.ORDER: (tr("Alert → order"), tr("received until the exchange has the order; not from the queue")),
    Stage.FILL: (
        tr("Order → fill"),
        tr("order left until its fill is in the books, where it fills within a minute"),
    ),
}
_HEADINGS = ("", "p50", "p95", "p99", tr("measured"))


class LatencyPanel(Panel):
    """Show each stage's percentiles."""

    def __init__(self, bridge: Bridge) -> None:
        """Show them as they are; while they are seen they follow."""
        super().__init__(tr("Latency"), tr("of the last hour"))
        self._bridge = bridge
        self.bundle = button(
            tr("Diagnostic bundle…"),
            icon="export",
            small=True,
            tip=tr("Write versions, settings and the newest log into a zip, without any secret"),
        )
        self.said = Label("", "small", "text2", wrap=True)
        self.said.setContentsMargins(px(12), 0, px(12), px(8))
        self.said.hide()
        self.add_right(self.bundle)
        self.cells: dict[tuple[Stage, str], Label] = {}
        self.add(self._table())
        self.add(self.said)
        self.bundle.clicked.connect(self._write)
        self._timer = QTimer(self)
        self._timer.setInterval(REFRESH_MS)
        self._timer.timeout.connect(self.refresh)
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
        """Show the figures as they are now."""
        for latency in self._bridge.doors.latencies():
            for heading, text in zip(_HEADINGS[1:], _texts(latency), strict=True):
                self.cells[latency.stage, heading].show_text(text)

    def _table(self) -> QWidget:
        ground = QWidget()
        column = QVBoxLayout(ground)
        column.setContentsMargins(px(12), px(8), px(12), px(10))
        grid = QGridLayout()
        grid.setHorizontalSpacing(px(16))
        grid.setVerticalSpacing(px(6))
        right = Qt.AlignmentFlag.AlignRight
        for place, heading in enumerate(_HEADINGS):
            unit = " ms" if heading.startswith("p") else ""
            grid.addWidget(Label(f"{heading}{unit}" if heading else "", "small", "text3"), 0, place, right)
        for line, (stage, (title, help_)) in enumerate(_STAGES.items(), 1):
            name = Label(title, "body", "text")
            name.setToolTip(f"{title}: {help_}")
            grid.addWidget(name, line, 0)
            for place, heading in enumerate(_HEADINGS[1:], 1):
                cell = Label("–", "body", "text2" if heading == "measured" else "text")
                cell.setAccessibleName(f"{title}, {heading}")
                self.cells[stage, heading] = cell
                grid.addWidget(cell, line, place, right)
        grid.setColumnStretch(0, 1)
        for place in range(1, len(_HEADINGS)):
            grid.setColumnMinimumWidth(place, px(72))
        column.addLayout(grid)
        return ground

    def _write(self) -> None:
        doors = self._bridge.doors
        path = doors.data_folder / f"diagnostics-{_stamp(doors.now())}.zip"
        self.bundle.setEnabled(False)
        self._bridge.run(doors.write_diagnostics(Path(path)), self._written)

    def _written(self, reply: str | Refusal) -> None:
        self.bundle.setEnabled(True)
        self.said.show_text(visible(translated(reply.message if isinstance(reply, Refusal) else reply), 300))
        self.said.show()


def _stamp(now: datetime) -> str:
    return f"{now.astimezone():%Y-%m-%d-%H-%M-%S}"


def _texts(latency: Latency) -> Sequence[str]:
    figures = (latency.p50_ms, latency.p95_ms, latency.p99_ms)
    return (*(_figure(each) for each in figures), f"{latency.count:,}")


def _figure(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"
