"""What the tests and the application take for granted about loops, Qt and the bundled fonts."""

import asyncio
import sys
from pathlib import Path

import pytest
import qasync
from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QFontDatabase, QFontInfo, QFontMetricsF
from PySide6.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from tests.conftest import run_on_plain_loop
from tests.waiting import until

FONTS = Path(__file__).resolve().parents[1] / "resources" / "fonts"


async def test_a_coroutine_without_qt_runs_on_a_plain_loop() -> None:
    assert not isinstance(asyncio.get_running_loop(), qasync.QEventLoop)


class PressedLater(QPushButton):
    """A button whose slot is a coroutine."""

    def __init__(self) -> None:
        super().__init__()
        self.clicked.connect(self._press)

    @qasync.asyncSlot()
    async def _press(self) -> None:
        await asyncio.sleep(0)
        self.setText("pressed")


async def test_a_coroutine_with_qtbot_runs_on_the_loop_of_qt(qtbot: QtBot) -> None:
    assert isinstance(asyncio.get_running_loop(), qasync.QEventLoop)
    button = PressedLater()
    qtbot.addWidget(button)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    await until(lambda: button.text() == "pressed")


def test_a_task_that_fails_unseen_fails_the_test() -> None:
    async def breaks() -> None:
        raise LookupError("nobody waits for this")

    async def leaves_a_task_alone() -> None:
        asyncio.create_task(breaks())  # noqa: RUF006 (to lose it is the point)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    with pytest.raises(pytest.fail.Exception, match="nobody waits for this"):
        run_on_plain_loop(leaves_a_task_alone())


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None cannot be lost any more")
def test_qt_does_not_lose_references_to_none(qtbot: QtBot) -> None:
    # PySide6 6.12.0 drops one in every void call, and Python 3.11 dies of it within a second of load.
    label = QLabel()
    qtbot.addWidget(label)
    before = sys.getrefcount(None)
    for _ in range(500):
        label.setText("x")
    assert before - sys.getrefcount(None) < 50


@pytest.fixture
def bundled_fonts(qapp: QApplication) -> None:
    for file in sorted(FONTS.glob("*/*.[ot]tf")):
        assert QFontDatabase.addApplicationFont(str(file)) >= 0, f"{file.name} does not load"


@pytest.mark.usefixtures("bundled_fonts")
@pytest.mark.parametrize("weight", [400, 500, 600, 700])
def test_inter_has_the_weight_and_digits_of_equal_width(weight: int) -> None:
    font = QFont("Inter", 11, QFont.Weight(weight))
    font.setFeature(QFont.Tag("tnum"), 1)
    assert (QFontInfo(font).family(), QFontInfo(font).weight()) == ("Inter", weight)
    metrics = QFontMetricsF(font)
    widths = [metrics.horizontalAdvance(digit) for digit in "0123456789"]
    # Rounding of outlines leaves a hundredth of a pixel; without `tnum` a 1 is two pixels narrower.
    assert max(widths) - min(widths) < 0.05


@pytest.mark.usefixtures("bundled_fonts")
def test_jetbrains_mono_has_one_width() -> None:
    font = QFont("JetBrains Mono", 11)
    assert QFontInfo(font).family() == "JetBrains Mono"
    metrics = QFontMetricsF(font)
    assert metrics.horizontalAdvance("i") == metrics.horizontalAdvance("W")
