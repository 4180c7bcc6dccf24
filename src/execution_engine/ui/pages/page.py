"""What the pages of the sidebar have in common."""

from typing import ClassVar

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHeaderView, QWidget

from execution_engine.ui.tables import RowsView


class Page(QWidget):
    """A page that can ask for another one and have something said in the corner.

    wanted:  another page's key, and the key of a row there or None
    notice:  a Notice for the corner
    asked:   the key of an action of the frame: "test_alert", "paper", "resume", "guide"
    """

    title: ClassVar[str] = ""
    wanted = Signal(str, object)
    notice = Signal(object)
    asked = Signal(str)


def stretch(view: RowsView, column: str) -> None:
    """Let one column take the rest of the width, where the last one is only a button."""
    header = view.heading
    header.setStretchLastSection(False)
    place = next(n for n, each in enumerate(view.rows_model.columns) if each.key == column)
    header.setSectionResizeMode(place, QHeaderView.ResizeMode.Stretch)
