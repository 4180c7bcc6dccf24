"""The heading of a table: titles, units in a lighter weight, the mark of the order, the menu of columns."""

from typing import Any

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QSize, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QHeaderView, QMenu, QSizePolicy, QToolTip, QWidget

from execution_engine.ui.format import tooltip
from execution_engine.ui.tables.paint import PADDING, baseline, draw_shape_at, elided, width_of
from execution_engine.ui.tables.rows import RowsModel
from execution_engine.ui.theme import SIZE, color, font, px
from execution_engine.ui.tongue import tr

MARK = 8


class HeadingEnd(QWidget):
    """Carry the headings on above the scroll bar, which otherwise stands beside them."""

    def __init__(self) -> None:
        """Take no more than the height of headings."""
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """Return the height of headings."""
        return QSize(1, px(SIZE["table_heading"]))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint what a heading without words looks like."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), color("window"))
        painter.fillRect(QRect(0, self.height() - 1, self.width(), 1), color("line"))


class Header(QHeaderView):
    """Paint headings and sort by a click: first up, second down, third the default order.

    `layout_reset` asks the view for its first layout; `columns_chosen` comes when a column was shown or
    hidden by the user.
    """

    layout_reset = Signal()
    columns_chosen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Stand over the columns of a view that shows a RowsModel."""
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setSectionsMovable(True)
        self.setFirstSectionMovable(True)
        self.setMinimumSectionSize(28)
        self.setHighlightSections(False)
        self.setMouseTracking(True)
        self.setStretchLastSection(True)
        self.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.sectionClicked.connect(self._clicked)
        self._menu: QMenu | None = None

    def rows_model(self) -> RowsModel[Any] | None:
        """Return the model below."""
        model = self.model()
        return model if isinstance(model, RowsModel) else None

    def sizeHint(self) -> QSize:
        """Return the height of headings."""
        return QSize(super().sizeHint().width(), px(SIZE["table_heading"]))

    def paintSection(self, painter: QPainter, rect: QRect, logical: int) -> None:
        """Paint one heading, aligned like its column."""
        painter.fillRect(rect, color("window"))
        painter.fillRect(QRect(rect.x(), rect.bottom(), rect.width(), 1), color("line"))
        model = self.rows_model()
        if model is None or logical >= len(model.columns):
            return
        column = model.columns[logical]
        sorted_here = model.sort_column == column.key
        inner = rect.adjusted(PADDING, 0, -PADDING, 0)
        mark = px(MARK) + 4 if sorted_here else 0
        # A heading that is only just too long uses the padding on its open side.
        spare = 0 if column.align == "center" else PADDING - 1
        title = elided(column.title, inner.width() + spare - mark, "small", 500)
        unit = f" {column.unit}" if column.unit and column.title else column.unit
        room = inner.width() + spare - mark - width_of(title, "small", 500)
        unit = unit if width_of(unit, "small") <= room else ""
        width = width_of(title, "small", 500) + width_of(unit, "small")
        x = inner.x() + {"left": 0.0, "right": inner.width() - width - mark}.get(
            column.align, (inner.width() - width - mark) / 2
        )
        y = baseline(rect, "small", 500)
        painter.setPen(color("text3"))
        painter.setFont(font("small", 500))
        painter.drawText(QPointF(x, y), title)
        painter.setFont(font("small"))
        painter.drawText(QPointF(x + width_of(title, "small", 500), y), unit)
        if sorted_here:
            shape = "triangle_down" if model.sort_descending else "triangle"
            draw_shape_at(painter, round(x + width) + 4, rect, shape, "accent", px(MARK))  # type: ignore[arg-type]

    def viewportEvent(self, event: QEvent) -> bool:
        """Say the whole of a heading that is cut, above what is to be known of its column."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            words = self.tooltip_at(self.logicalIndexAt(event.pos()))
            QToolTip.showText(event.globalPos(), tooltip(words), self) if words else QToolTip.hideText()
            return True
        return super().viewportEvent(event)

    def tooltip_at(self, logical: int) -> str:
        """Return what the tooltip of a heading says; nothing where all is in sight."""
        model = self.rows_model()
        if model is None or not 0 <= logical < len(model.columns):
            return ""
        column = model.columns[logical]
        mark = px(MARK) + 4 if model.sort_column == column.key else 0
        whole = width_of(column.title, "small", 500) + width_of(
            f" {column.unit}" if column.unit else "", "small"
        )
        cut = whole + mark > self.sectionSize(logical) - PADDING - 1
        return "\n".join(each for each in (column.heading if cut else "", column.hint) if each)

    def paintEvent(self, event: Any) -> None:
        """Paint the headings and, beside them, the ground and the line."""
        painter = QPainter(self.viewport())
        painter.fillRect(self.viewport().rect(), color("window"))
        painter.fillRect(0, self.viewport().height() - 1, self.viewport().width(), 1, color("line"))
        painter.end()
        super().paintEvent(event)

    def _clicked(self, logical: int) -> None:
        model = self.rows_model()
        if model is None or model.columns[logical].sort_key is None:
            return
        key = model.columns[logical].key
        if model.sort_column != key:
            model.sort_by(key)
        elif not model.sort_descending:
            model.sort_by(key, descending=True)
        else:
            model.sort_by(None)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Offer the columns and the first layout."""
        self.open_menu(event.globalPos())

    def open_menu(self, at: QPoint) -> None:
        """Offer the columns and the first layout at a place of the screen."""
        model = self.rows_model()
        if model is None:
            return
        model.hold()
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.aboutToHide.connect(model.release)
        for logical, column in enumerate(model.columns):
            action = menu.addAction(column.heading or column.key)
            action.setCheckable(True)
            action.setChecked(not self.isSectionHidden(logical))
            # The first column names the row: without it the others say nothing.
            action.setEnabled(logical > 0)
            action.toggled.connect(lambda shown, at=logical: self.show_column(at, shown))
        menu.addSeparator()
        menu.addAction(tr("Reset layout")).triggered.connect(self.layout_reset)
        self._menu = menu
        menu.popup(at)

    def show_column(self, logical: int, shown: bool) -> None:
        """Show or hide a column, as the user wished."""
        self.setSectionHidden(logical, not shown)
        self.columns_chosen.emit()
