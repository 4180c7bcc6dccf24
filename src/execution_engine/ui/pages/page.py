"""What the pages of the sidebar have in common."""

from typing import ClassVar

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget


class Page(QWidget):
    """A page that can ask for another one and have something said in the corner.

    wanted:  another page's key, and the key of a row there or None
    noticed: a Notice
    asked:   the key of an action of the frame: "test_alert", "paper", "resume"
    """

    title: ClassVar[str] = ""
    wanted = Signal(str, object)
    noticed = Signal(object)
    asked = Signal(str)
