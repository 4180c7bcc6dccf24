"""What is wrong with a widget as it stands: cut texts, overlaps, controls that a screen reader cannot name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations

from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractScrollArea,
    QComboBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QSplitter,
    QToolButton,
    QWidget,
)

from execution_engine.ui.tables import CellDelegate, RowsView
from execution_engine.ui.widgets.labels import ElidedLabel

CONTROLS = (QAbstractButton, QAbstractItemView, QComboBox, QLineEdit, QPlainTextEdit)
TOLERANCE = 1  # [px]: rounding of glyph widths
ARROW = 24  # of a combo box


def faults(root: QWidget) -> list[str]:
    """Return what a reader could not read or a screen reader could not say, each as a sentence."""
    shown = [root, *(each for each in root.findChildren(QWidget) if each.isVisibleTo(root))]
    return [
        *_cut(root, shown),
        *_overlaps(shown),
        *_nameless(shown),
        *_short_cells(shown),
        *_sideways(shown),
        *_primaries(root, shown),
    ]


def _cut(root: QWidget, shown: Iterable[QWidget]) -> Iterator[str]:
    for widget in shown:
        missing = _missing(widget)
        if missing > TOLERANCE:
            yield f"{named(widget)} lacks {missing} px for its text"
        if widget is not root and _sticks_out(widget):
            yield f"{named(widget)} sticks out of {named(widget.parentWidget())}"


def _missing(widget: QWidget) -> int:
    """Return how many pixels are missing for the text of a widget."""
    if isinstance(widget, ElidedLabel):
        return 0  # made to be cut: the whole stands in its tooltip
    metrics = widget.fontMetrics()
    if isinstance(widget, QLabel) and widget.text() and not widget.pixmap():
        room = widget.contentsRect()
        if widget.wordWrap():
            return widget.heightForWidth(widget.width()) - widget.height()
        lines = widget.text().split("\n")
        return max(
            max(metrics.horizontalAdvance(line) for line in lines) - room.width(),
            metrics.height() * len(lines) - 2 * len(lines) - room.height(),
        )
    if isinstance(widget, QPushButton):
        return widget.minimumSizeHint().width() - widget.width()
    if isinstance(widget, QToolButton) and not widget.icon().isNull():
        return 0  # shows its icon alone: what Qt makes of the action's name is not painted
    if isinstance(widget, QAbstractButton) and widget.text():
        least = widget.minimumSizeHint()  # of those that cut their words and say them whole in a tooltip
        return (least if least.isValid() else widget.sizeHint()).width() - widget.width()
    if isinstance(widget, QComboBox):
        return metrics.horizontalAdvance(widget.currentText()) + ARROW - widget.width()
    if isinstance(widget, QLineEdit) and not widget.text():
        return metrics.horizontalAdvance(widget.placeholderText()) - widget.width()
    return 0


def _sticks_out(widget: QWidget) -> bool:
    parent = widget.parentWidget()
    if parent is None or widget.isWindow() or _scrolls(widget):
        return False
    return not parent.rect().adjusted(-1, -1, 1, 1).contains(widget.geometry())


def _scrolls(widget: QWidget) -> bool:
    """Tell whether a widget may be larger than what surrounds it."""
    parent = widget.parentWidget()
    area = parent.parentWidget() if parent is not None else None
    return isinstance(area, QAbstractScrollArea) or isinstance(parent, QAbstractScrollArea | QSplitter)


def _overlaps(shown: Iterable[QWidget]) -> Iterator[str]:
    """Name neighbours in a layout that cover one another; what is meant to lie above is in no layout."""
    for parent in shown:
        layout = parent.layout()
        if layout is None or isinstance(parent, QAbstractScrollArea | QScrollArea):
            continue
        placed = [each for each in _placed(layout) if each.isVisibleTo(parent) and not each.isWindow()]
        boxes = [(each, QRect(each.mapTo(parent, QPoint()), each.size())) for each in placed]
        for (one, first), (other, second) in combinations(boxes, 2):
            shared = first.intersected(second)
            nested = one.isAncestorOf(other) or other.isAncestorOf(one)
            if shared.width() > TOLERANCE and shared.height() > TOLERANCE and not nested:
                yield f"{named(one)} and {named(other)} overlap by {shared.width()} × {shared.height()} px"


def _placed(layout: object) -> Iterator[QWidget]:
    if type(layout).__name__ == "QStackedLayout":
        return
    for place in range(layout.count()):  # type: ignore[attr-defined]
        item = layout.itemAt(place)  # type: ignore[attr-defined]
        if item.widget() is not None:
            yield item.widget()
        elif item.layout() is not None:
            yield from _placed(item.layout())


def _nameless(shown: Iterable[QWidget]) -> Iterator[str]:
    for widget in shown:
        if not isinstance(widget, CONTROLS) or isinstance(widget, QHeaderView):
            continue
        said = QAccessible.queryAccessibleInterface(widget)
        if said is None or not said.text(QAccessible.Text.Name).strip():
            yield f"{named(widget)} has no accessible name"


def _short_cells(shown: Iterable[QWidget]) -> Iterator[str]:
    """Name figures and headings of tables that are cut: half a number is a wrong number."""
    for view in shown:
        if not isinstance(view, RowsView):
            continue
        model = view.rows_model
        for place, column in enumerate(model.columns):
            if view.isColumnHidden(place) or not model.rowCount():
                continue
            width = view.columnWidth(place)
            delegate = view.itemDelegateForColumn(place)
            cell = model.cell(model.index(0, place))
            if (
                column.align == "right"
                and isinstance(delegate, CellDelegate)
                and delegate.wanted(cell) > width + 1
            ):
                yield f"{named(view)}: {column.heading} shows “{cell.text}” in {width} px"


def _sideways(shown: Iterable[QWidget]) -> Iterator[str]:
    """Name what has to be scrolled sideways to be read."""
    for area in shown:
        if isinstance(area, QScrollArea) and (inside := area.widget()) is not None:
            hidden = inside.width() - area.viewport().width()
            if hidden > TOLERANCE:
                yield f"{named(area)} hides {hidden} px at its right"
        if isinstance(area, QAbstractScrollArea) and area.horizontalScrollBar().isVisibleTo(area):
            more = area.horizontalScrollBar().maximum()
            if more > 0:
                yield f"{named(area)} scrolls sideways by {more} px"


def _primaries(root: QWidget, shown: Iterable[QWidget]) -> Iterator[str]:
    """Name buttons that each say to be the one to press; the page that a dialog covers has its own."""
    filled = [
        each
        for each in shown
        if isinstance(each, QPushButton)
        and each.property("role") in ("primary", "danger")
        and each.isEnabled()
        and each.window() is root.window()
    ]
    if len(filled) > 1:
        yield f"two primary buttons: {' and '.join(named(each) for each in filled)}"


def named(widget: QWidget | None) -> str:
    """Name a widget so that it is found."""
    if widget is None:
        return "nothing"
    text = getattr(widget, "text", None)
    said = widget.accessibleName() or (text() if callable(text) else "") or widget.windowTitle()
    holder = widget.parentWidget()
    inside = f" in {type(holder).__name__}" if holder is not None else ""
    return f"{type(widget).__name__} “{str(said)[:60]}”{inside}"
