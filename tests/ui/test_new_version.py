"""A new version is told of, explained, and left to the user."""

from pathlib import Path

import pytest
from PySide6.QtGui import QDesktopServices

from execution_engine.domain.errors import Refusal
from execution_engine.domain.updates import Offer, Release, UpToDate, read
from execution_engine.ui.frame.memory import Memory
from execution_engine.ui.frame.new_version import NewVersion
from execution_engine.ui.main_window import MainWindow
from execution_engine.ui.places import PLACES
from tests.adapters.updates.server import release
from tests.ui.house_window import WindowHouse
from tests.waiting import until


def offered(groups: int = 0, *, asks: bool = False, machine: str = "x86_64", **fields: str) -> Offer:
    found = read(release("0.2.0", **fields))
    assert isinstance(found, Release)
    return Offer(found, found.download("linux", machine), groups, asks)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give the addresses that the browser was sent to."""
    seen: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: seen.append(url.toString()))
    return seen


@pytest.fixture
def main(qtbot, qloop, tmp_path: Path) -> MainWindow:
    house = WindowHouse(tmp_path)
    made = MainWindow(house.bridge, PLACES, Memory(tmp_path / "window.json"))
    made.house = house
    qtbot.addWidget(made)
    made.show()
    return made


def test_a_new_version_is_a_notice_that_leads_to_what_is_new(main: MainWindow):
    main.offer(offered())
    (card,) = main.notices.cards
    assert card.notice.title == "Version 0.2.0 is available"
    card.notice.then()
    assert isinstance(main.dialog, NewVersion)
    assert "Something that was missed." in main.dialog.notes.toPlainText()


async def test_whoever_asks_is_told_what_there_is(main: MainWindow):
    main.house.updates = UpToDate("0.1.0")
    main.acts.updates.trigger()
    assert not main.acts.updates.isEnabled()
    await until(lambda: main.notices.cards)
    assert main.notices.cards[-1].notice.title == "There is no newer version"

    main.house.updates = Refusal("X", "The release document was changed after it was signed.")
    main.acts.updates.trigger()
    await until(lambda: len(main.notices.cards) == 2)
    assert main.notices.cards[-1].notice.sentence == main.house.updates.message

    main.house.updates = offered()
    main.acts.updates.trigger()
    await until(lambda: main.dialog is not None)
    assert main.acts.updates.isEnabled()


def test_the_file_is_downloaded_by_the_browser(qtbot, opened: list[str]):
    dialog = NewVersion(offered(), "0.1.0")
    qtbot.addWidget(dialog)
    dialog.show()
    assert dialog.agreed.isHidden()
    dialog.download.click()
    assert opened == ["https://example.org/0.2.0/execution-engine-linux-x86_64"]


def test_with_positions_open_nothing_is_downloaded_unless_the_user_says_so(qtbot, opened: list[str]):
    dialog = NewVersion(offered(3, asks=True), "0.1.0")
    qtbot.addWidget(dialog)
    dialog.show()
    assert "3 position groups open" in dialog.agreed.text()
    dialog.download.click()
    assert opened == []
    dialog.agreed.click()
    dialog.download.click()
    assert len(opened) == 1


def test_where_there_is_no_file_the_page_is_left(qtbot, opened: list[str]):
    dialog = NewVersion(offered(machine="riscv64"), "0.1.0")
    qtbot.addWidget(dialog)
    dialog.show()
    assert dialog.download.isHidden()
    dialog.page.click()
    assert opened == ["https://example.org/0.2.0/"]


def test_notes_are_text_and_no_page_of_the_web(qtbot):
    dialog = NewVersion(
        offered(notes="<b>loud</b> ![x](https://example.org/x.png) [here](file:///etc)"), "0.1.0"
    )
    qtbot.addWidget(dialog)
    assert "<b>loud</b>" in dialog.notes.toPlainText()
    assert not dialog.notes.openLinks()
