"""The stage: pages are made when first wanted; one that fails shows a panel, the others go on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from execution_engine.ui.bridge import Bridge
from execution_engine.ui.format import visible
from execution_engine.ui.frame.places import Place
from execution_engine.ui.frame.trouble import modules
from execution_engine.ui.icons import Mark
from execution_engine.ui.theme import px
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import Label, button

log = logging.getLogger(__name__)

PAGES = "execution_engine.ui.pages."


class Stage(QStackedWidget):
    """Show one page at a time.

    made: a page was made: its key and the widget.
    """

    made = Signal(str, object)

    def __init__(self, bridge: Bridge, places: Sequence[Place], parent: QWidget | None = None) -> None:
        """Take the pages; none is made yet."""
        super().__init__(parent)
        self._bridge = bridge
        self.places = tuple(places)
        self._places = {place.key: place for place in places}
        self._pages: dict[str, QWidget] = {}
        self._narrow = self._cramped = False
        self.current = ""

    def page(self, key: str) -> QWidget:
        """Return a page, made now if it was not yet."""
        if key not in self._pages:
            self._put(key, self._make(self._places[key]))
        return self._pages[key]

    def show_page(self, key: str) -> None:
        """Bring a page to the front."""
        page = self.page(key)
        if key == self.current:
            return
        if self.current:
            self._call(self.current, "hidden")
        focused = self._has_cursor(self.window().focusWidget())
        self.current = key
        self.setCurrentWidget(page)
        self._call(key, "shown")
        if focused and not self._call(key, "focus_rows"):
            self.setFocus()  # rather than whatever button comes next

    def _has_cursor(self, focused: QWidget | None) -> bool:
        return focused is not None and (focused is self or self.isAncestorOf(focused))

    def set_narrow(self, narrow: bool, cramped: bool) -> None:
        """Tell the pages that have two layouts which one fits; cramped: a broad one's wide layout does not."""
        self._narrow, self._cramped = narrow, cramped
        for key in self._pages:
            self._fit(key)

    def _fit(self, key: str) -> None:
        narrow = self._narrow or (self._cramped and self._places[key].broad)
        self._call(key, "set_narrow", narrow)

    def call(self, method: str, *given: object) -> bool:
        """Call a method of the current page, if it has it."""
        return self._call(self.current, method, *given)

    def unsaved(self) -> int:
        """Return how many changes on pages are not saved."""
        asked = (getattr(page, "unsaved", None) for page in self._pages.values())
        return sum(ask() for ask in asked if ask is not None)

    def tick(self) -> None:
        """Let the current page show ages and countdowns anew; called each second."""
        self._call(self.current, "tick")

    def blame(self, error: BaseException) -> None:
        """Find the page an exception came from and show a panel in its place."""
        passed = set(modules(error))
        for key, page in self._pages.items():
            home = type(page).__module__
            package = PAGES + home.removeprefix(PAGES).partition(".")[0]
            if home.startswith(PAGES) and any(
                each == package or each.startswith(f"{package}.") for each in passed
            ):
                # Not now: Qt is still in the middle of telling the page something.
                QTimer.singleShot(0, self, lambda key=key: self._put(key, self._panel(key, error)))
                return

    def _make(self, place: Place) -> QWidget:
        try:
            return place.make(self._bridge)
        except Exception as error:
            log.exception("the page %s could not be made", place.title)
            return self._panel(place.key, error)

    def _put(self, key: str, page: QWidget) -> None:
        before = self._pages.pop(key, None)
        self._pages[key] = page
        self.addWidget(page)
        if key == self.current:
            self.setCurrentWidget(page)
        if before is not None:
            self.removeWidget(before)
            before.deleteLater()
        self._fit(key)
        self.made.emit(key, page)
        if key == self.current:
            self._call(key, "shown")

    def _call(self, key: str, method: str, *given: object) -> bool:
        """Call an optional method of a page; what it raises is the page's own trouble."""
        found = getattr(self._pages.get(key), method, None)
        if found is None:
            return False
        try:
            found(*given)
        except Exception as error:
            log.exception("the page %s failed", key)
            self.blame(error)
        return True

    def _panel(self, key: str, error: BaseException) -> QWidget:
        return ErrorPanel(self._places[key].title, error, lambda: self._again(key))

    def _again(self, key: str) -> None:
        self._put(key, self._make(self._places[key]))


class ErrorPanel(QWidget):
    """Say that a page failed, why, and offer to try again."""

    def __init__(self, title: str, error: BaseException, again: Callable[[], object]) -> None:
        """Take the page's name, what it raised, and what makes it anew."""
        super().__init__()
        middle = Qt.AlignmentFlag.AlignHCenter
        column = QVBoxLayout(self)
        column.setSpacing(px(8))
        column.addStretch(2)
        column.addWidget(Mark(icon="error", token="danger", size=px(20)), alignment=middle)
        column.addWidget(
            Label(tr("The page {title} failed").format(title=title), "heading"), alignment=middle
        )
        self.sentence = Label(visible(f"{type(error).__name__}: {error}", 300), "body", "text2", wrap=True)
        self.sentence.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.sentence.setMaximumWidth(px(560))
        self.sentence.setMinimumWidth(px(420))
        column.addWidget(self.sentence, alignment=middle)
        rest = Label(
            tr("The engine and the other pages go on. The details are in the log."), "small", "text3"
        )
        column.addWidget(rest, alignment=middle)
        column.addSpacing(px(8))
        self.again = button(tr("Try again"), "primary")
        self.again.clicked.connect(lambda: again())
        column.addWidget(self.again, alignment=middle)
        column.addStretch(3)
        self.setAccessibleName(tr("The page {title} failed").format(title=title))
