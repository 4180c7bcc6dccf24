"""Notices of the desktop, with a stand-in for its tray."""

from PySide6.QtWidgets import QSystemTrayIcon

from execution_engine.domain.facts import Level
from execution_engine.domain.notify import Message
from execution_engine.ui.desktop_notices import SHOWN_MS, DesktopNotices
from tests.house import NOON

ICON = QSystemTrayIcon.MessageIcon


class Desktop:
    def __init__(self) -> None:
        self.shown: list[tuple[str, str, ICON, int]] = []
        self.in_front = False

    def showMessage(self, title: str, text: str, icon: ICON, ms: int) -> None:
        self.shown.append((title, text, icon, ms))


def message(level: Level) -> Message:
    return Message(title="title", text="text", level=level, code="x", at=NOON)


def test_a_message_is_shown_while_the_window_is_not_looked_at() -> None:
    desktop = Desktop()
    notices = DesktopNotices(lambda: desktop, lambda: desktop.in_front)
    notices.show(message(Level.CRITICAL))
    notices.show(message(Level.INFO))
    desktop.in_front = True
    notices.show(message(Level.CRITICAL))
    assert desktop.shown == [
        ("title", "text", ICON.Critical, SHOWN_MS),
        ("title", "text", ICON.Information, SHOWN_MS),
    ]


def test_while_the_window_is_locked_the_desktop_shows_neither_amounts_nor_positions() -> None:
    desktop = Desktop()
    desktop.in_front = True  # its notices are behind the lock as well
    notices = DesktopNotices(lambda: desktop, lambda: desktop.in_front, lambda: True)
    for level in Level:
        told = Message(
            title="BTCUSDT 15m closed", text="-1,234.56 USD", level=level, code="group_closed", at=NOON
        )
        notices.show(told)
    assert len(desktop.shown) == len(Level)
    assert {text for _, text, _, _ in desktop.shown} == {"Unlock the window to read it."}
    assert not any(word in repr(desktop.shown) for word in ("BTC", "1,234", "closed"))
    assert (
        "Execution Engine needs you",
        "Unlock the window to read it.",
        ICON.Critical,
        SHOWN_MS,
    ) in desktop.shown


def test_a_desktop_without_a_tray_shows_nothing() -> None:
    DesktopNotices(lambda: None).show(message(Level.ERROR))
