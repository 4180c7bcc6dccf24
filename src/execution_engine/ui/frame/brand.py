"""The application's icon, drawn: a rising staircase on the blue of the accent."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPen, QPixmap, QPolygonF

from execution_engine.ui.theme import DARK, WHITE

SIZES = (16, 24, 32, 48, 64, 128, 256)
_STEPS = ((3, 12.2), (5.7, 12.2), (5.7, 9.6), (8.4, 9.6), (8.4, 7), (11, 7), (11, 4.2), (13.2, 4.2))


def app_icon() -> QIcon:
    """Return the icon in every size a desktop asks for."""
    icon = QIcon()
    for size in SIZES:
        icon.addPixmap(drawn(size))
    return icon


def drawn(size: int) -> QPixmap:
    """Return the icon in one size [px]."""
    pixmap = QPixmap(size, size)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(size / 16, size / 16)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(DARK.accentfill))
    painter.drawRoundedRect(QRectF(0.5, 0.5, 15, 15), 3.4, 3.4)
    pen = QPen(QColor(WHITE), 1.7, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.drawPolyline(QPolygonF([QPointF(x, y) for x, y in _STEPS]))
    painter.end()
    return pixmap
