"""Shows a story: a dot and a line for every step, what happened, a table of orders."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from execution_engine.ui.pages.signals.story import Ordered, Step
from execution_engine.ui.shapes import SHAPE_SIZE, draw_shape
from execution_engine.ui.theme import THEME, color, px
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import Label, StateChip

_RAIL = 36


class StoryView(QScrollArea):
    """Show the steps of a story; what stays the same is not made anew."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin without a story."""
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(tr("Story of the alert"))
        inside = QWidget()
        self._column = QVBoxLayout(inside)
        self._column.setContentsMargins(0, 12, 12, 8)
        self._column.setSpacing(0)
        self._column.addStretch(1)
        self._empty = Label(tr("Select an alert to read its story."), "body", "text2", parent=self)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setWidget(inside)
        for each in (inside, self.viewport()):
            each.setAutoFillBackground(False)
        self._views: list[_StepView] = []
        self.steps: tuple[Step, ...] = ()

    def show_story(self, steps: Sequence[Step]) -> None:
        """Show a story; an empty one asks to select an alert."""
        if tuple(steps) == self.steps:
            return
        self.steps = tuple(steps)
        self._empty.setVisible(not steps)
        while len(self._views) > len(steps):
            gone = self._views.pop()
            self._column.removeWidget(gone)
            gone.hide()
            gone.deleteLater()
        while len(self._views) < len(steps):
            view = _StepView()
            self._column.insertWidget(len(self._views), view)
            self._views.append(view)
        for place, (view, step) in enumerate(zip(self._views, steps, strict=True)):
            view.show_step(step, last=place == len(steps) - 1)

    def text(self) -> str:
        """Return the whole story as it is read."""
        return "\n".join(view.text() for view in self._views)

    def resizeEvent(self, event: object) -> None:
        """Keep the sentence in the middle."""
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._empty.setGeometry(self.viewport().rect())


class _StepView(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self._rail = _Rail()
        self._title = Label("", "body", "text", weight=600)
        self._when, self._later = Label("", "small", "text3"), Label("", "small", "text3")
        self._said = Label("", "body", "text2", wrap=True)
        self._said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._orders = _Orders()
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self._title)
        head.addWidget(self._when)
        head.addStretch(1)
        head.addWidget(self._later)
        column = QVBoxLayout()
        column.setContentsMargins(0, 0, 0, 10)
        column.setSpacing(2)
        for each in (self._said, self._orders):
            each.hide()
        column.addLayout(head)
        column.addWidget(self._said)
        column.addWidget(self._orders)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self._rail)
        row.addLayout(column, 1)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)

    def show_step(self, step: Step, *, last: bool) -> None:
        self._title.show_text(step.title)
        self._when.show_text(step.when)
        self._when.setToolTip(step.utc)
        self._later.show_text(step.later)
        self._said.show_text("\n".join(step.sentences))
        self._said.setVisible(bool(step.sentences))
        self._orders.show_orders(step.orders)
        self._orders.setVisible(bool(step.orders))
        self._rail.show_step(step, last)
        self.setAccessibleName(f"{step.title} {step.when}")
        self.setAccessibleDescription(" ".join(step.sentences))

    def text(self) -> str:
        head = f"{self._title.text()} {self._when.text()} {self._later.text()}".strip()
        table = self._orders.text()
        return "\n".join(each for each in (head, self._said.text(), table) if each)


class _Rail(QWidget):
    """The dot of a step and the line to the next one."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedWidth(px(_RAIL))
        self._step, self._last = Step(""), True
        THEME.theme_changed.connect(self.update)

    def show_step(self, step: Step, last: bool) -> None:
        if (step.shape, step.token, last) != (self._step.shape, self._step.token, self._last):
            self.update()
        self._step, self._last = step, last

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        size = px(SHAPE_SIZE)
        left, top = (self.width() - size) // 2 + 4, 4
        if not self._last:
            x = left + size // 2
            painter.fillRect(x, top + size + 4, 1, self.height() - top - size - 4, color("ctl"))
        box = QRectF(left, top, size, size)
        draw_shape(painter, self._step.shape, box, color(self._step.token))


class _Orders(QWidget):
    """A small table: name, price, quantity, spent, state; below each what else there is to say of it."""

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 4, 0, 0)
        self._grid.setHorizontalSpacing(18)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(5, 1)
        self._rows: list[tuple[list[Label], StateChip, Label]] = []

    def show_orders(self, orders: Sequence[Ordered]) -> None:
        while len(self._rows) < len(orders):
            self._rows.append(self._row(len(self._rows)))
        for place, (labels, chip, detail) in enumerate(self._rows):
            shown = place < len(orders)
            for each in (*labels, chip):
                each.setVisible(shown)
            detail.show_text(orders[place].detail if shown else "")
            detail.setVisible(bool(detail.text()))
            if shown:
                order = orders[place]
                texts = (order.name, order.price, order.quantity, order.spent)
                for label, text in zip(labels, texts, strict=True):
                    label.show_text(text)
                chip.show_look(*order.look)

    def text(self) -> str:
        return "\n".join(
            " ".join([*(label.text() for label in labels), chip.look.word, detail.text()]).rstrip()
            for labels, chip, detail in self._rows
            if not chip.isHidden()
        )

    def _row(self, place: int) -> tuple[list[Label], StateChip, Label]:
        labels = [Label("", "body", "text2") for _ in range(4)]
        for column, label in enumerate(labels):
            right = Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft
            self._grid.addWidget(label, 2 * place, column, right | Qt.AlignmentFlag.AlignVCenter)
        chip = StateChip()
        self._grid.addWidget(chip, 2 * place, 4)
        detail = Label("", "small", "text3", wrap=True)
        detail.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._grid.addWidget(detail, 2 * place + 1, 0, 1, 6)
        return labels, chip, detail
