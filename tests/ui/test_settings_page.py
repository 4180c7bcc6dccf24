"""The settings page as a whole: tabs, search, saving, versions, import, templates, read only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot
from shiboken6 import delete

from execution_engine.domain import document as documents
from execution_engine.domain.inputs import Pause, SaveSettings
from execution_engine.domain.rows import SettingsVersion
from execution_engine.domain.settings import Settings
from execution_engine.ui import theme
from execution_engine.ui.frame.memory import Memory
from execution_engine.ui.main_window import MainWindow
from execution_engine.ui.pages.settings import SettingsPage
from execution_engine.ui.pages.settings.editors import NumberEditor
from execution_engine.ui.pages.settings.review import ReviewDialog
from execution_engine.ui.pages.settings.tabs import tab_of
from execution_engine.ui.pages.settings.template_panel import TemplatePanel
from execution_engine.ui.pages.settings.versions import IN_FORCE, VersionsDialog
from execution_engine.ui.pages.settings.worst import WorstCase
from execution_engine.ui.places import PLACES
from execution_engine.ui.widgets import ConfirmDialog, Notice
from tests.ui.house_window import WindowHouse
from tests.waiting import until


@pytest.fixture(autouse=True)
def _dark(qapp: QApplication) -> None:
    theme.apply(qapp, "dark")


@pytest.fixture
def house(tmp_path: Path) -> WindowHouse:
    return WindowHouse(tmp_path)


@pytest.fixture
def page(house: WindowHouse, qapp: QApplication) -> Iterator[SettingsPage]:
    made = SettingsPage(house.bridge)
    made.resize(1200, 800)
    made.show()
    made.shown()
    yield made
    delete(made)  # at once: every theme that is put on later would be put on it, too


OWN_PANELS = {"notifications.targets"}  # settings that a panel of their own edits


def typed(page: SettingsPage, path: str, text: str) -> None:
    row = page.tab(tab_of(path)).row(path)
    assert row is not None
    assert isinstance(row.editor, NumberEditor)
    row.editor.line.selectAll()
    row.editor.line.insert(text)


def save_elsewhere(house: WindowHouse, **values: Any) -> None:
    settings = house.book.settings
    for path, value in values.items():
        settings = documents.with_value(settings, path.replace("__", "."), value)
    house.post(SaveSettings(document=documents.dump(settings), note="elsewhere"))
    house.show()


def review(page: SettingsPage) -> ReviewDialog:
    assert isinstance(page.dialog, ReviewDialog)
    return page.dialog


def listed(dialog: ReviewDialog) -> list[str]:
    return [str(change) for change in dialog.table.changes.records()]


def said(dialog: ReviewDialog) -> list[str]:
    return [f"{caution.about} {caution.sentence}" for caution in dialog.cautions]


def notices(page: SettingsPage) -> list[Notice]:
    found: list[Notice] = []
    page.notice.connect(found.append)
    return found


async def test_the_tabs_are_those_of_the_specification_and_every_setting_has_its_place(
    page: SettingsPage,
) -> None:
    titles = [page.rail.item(n).text() for n in range(page.rail.count())]
    assert titles == [
        "Trading", "Grid profiles", "Risk", "Pool & queue", "Exchanges", "Webhook & tunnel", "Notifications",
        "Security", "Data & backups", "Appearance",
    ]  # fmt: skip
    shown = {row.setting.path for key in page.tabs for row in page.tab(key).rows}
    plain = Settings().model_dump(mode="json")
    document = {f"{section}.{name}" for section in plain if section != "version" for name in plain[section]}
    assert {"grid.default", "grid.profiles", "grid.bindings"} <= document - shown
    assert document - shown <= {"grid.default", "grid.profiles", "grid.bindings"} | OWN_PANELS
    assert shown - document == {
        "accounts.paper.default",
        *(f"accounts.paper-perp.{name}" for name in ("leverage", "margin_mode", "position_mode", "default")),
    }


async def test_a_panel_of_somebody_else_is_put_on_a_tab_and_taken_away(page: SettingsPage) -> None:
    page.rail.choose("security")
    panel = QLabel("Master password")
    page.tab("security").add_panel(panel)
    await until(panel.isVisible)
    page.tab("security").remove_panel(panel)
    assert not panel.isVisible()


async def test_saving_is_in_force_at_once_and_makes_a_version(house: WindowHouse, page: SettingsPage) -> None:
    assert not page.save_bar.isVisible()
    typed(page, "pool.max_queue", "50")
    assert page.save_bar.isVisible()
    assert page.save_bar.count.text() == "1 change"
    assert page.save_bar.what.text() == "pool.max_queue 100 → 50."
    assert page.rail.dot_of("pool") == "accent"
    await until(lambda: page.save_bar.save_button.text() == "Save as version 1")
    page.save_bar.save_button.click()
    await until(lambda: house.book.settings.pool.max_queue == 50)
    await until(lambda: not page.save_bar.isVisible())
    assert page.rail.dot_of("pool") == ""
    house.show()
    await until(lambda: page.version.text().startswith("Version 1, saved 20 Nov"))
    (version,) = [row for row in house.store.committed if isinstance(row, SettingsVersion)]
    assert version.note == "saved in the window"


async def test_what_was_saved_is_taken_back_with_undo_and_makes_a_version_of_its_own(
    house: WindowHouse, page: SettingsPage
) -> None:
    told = notices(page)
    before = house.book.settings
    typed(page, "pool.max_queue", "7")
    page.save()
    await until(lambda: bool(told))
    house.show()
    assert (told[0].title, told[0].sentence) == ("1 setting is in force", "pool.max_queue")
    assert told[0].action == "Undo"
    assert told[0].then is not None
    told[0].then()
    await until(lambda: len(told) == 2)
    assert house.book.settings == before
    assert told[1].title == "The settings are as before"
    house.show()
    assert not page.unsaved()


async def test_undo_shows_first_what_it_would_change_once_others_saved_too(
    house: WindowHouse, page: SettingsPage
) -> None:
    told = notices(page)
    typed(page, "pool.max_queue", "7")
    page.save()
    await until(lambda: bool(told))
    house.show()
    save_elsewhere(house, pool__max_pyramids=4)
    assert told[0].then is not None
    told[0].then()
    said = " ".join(listed(review(page)))
    assert "pool.max_queue" in said
    assert "pool.max_pyramids" in said
    assert house.book.settings.pool.max_queue == 7


async def test_what_is_wrong_keeps_everything_from_being_saved_and_is_found(
    house: WindowHouse, page: SettingsPage
) -> None:
    typed(page, "pool.max_queue", "50")
    typed(page, "pool.max_pyramids", "0")
    assert page.save_bar.count.text() == "2 changes"
    assert page.save_bar.what.text() == "Pyramids at most: must be at least 1."
    assert not page.save_bar.save_button.isEnabled()
    assert page.rail.dot_of("pool") == "danger"
    page.save()
    assert house.book.settings_version is None
    assert page.rail.current() == "trading"
    page.save_bar.show_fault.click()
    assert page.rail.current() == "pool"
    row = page.tab("pool").row("pool.max_pyramids")
    assert row is not None
    assert row.editor.field.hasFocus() or not page.isActiveWindow()
    page.save_bar.discard_button.click()
    assert isinstance(row.editor, NumberEditor)
    assert row.editor.line.text() == "5"
    assert not page.save_bar.isVisible()


async def test_a_change_made_elsewhere_leaves_edits_alone(house: WindowHouse, page: SettingsPage) -> None:
    typed(page, "pool.max_queue", "50")
    save_elsewhere(house, pool__max_open_groups=3)
    row = page.tab("pool").row("pool.max_open_groups")
    assert row is not None
    assert isinstance(row.editor, NumberEditor)
    assert row.editor.line.text() == "3"
    assert page.save_bar.what.text() == "pool.max_queue 100 → 50."
    save_elsewhere(house, pool__max_queue=50)
    assert not page.save_bar.isVisible()


async def test_what_becomes_more_dangerous_is_asked_about_first(
    house: WindowHouse, page: SettingsPage
) -> None:
    typed(page, "pool.max_pyramids", "10")
    page.save()
    dialog = review(page)
    assert listed(dialog) == ["pool.max_pyramids 5 → 10"]
    assert said(dialog) == ["Worst case rises from 50,000.00 to 100,000.00 USD, 10.0 × the capital."]
    dialog.reject()
    assert house.book.settings_version is None
    assert page.save_bar.isVisible()
    page.save()
    review(page).confirm.click()
    await until(lambda: house.book.settings.pool.max_pyramids == 10)
    await until(lambda: page.dialog is None)
    assert not page.save_bar.isVisible()


async def test_opening_the_door_to_the_network_is_a_red_button_that_enter_never_presses(
    house: WindowHouse, page: SettingsPage, qtbot: QtBot
) -> None:
    page.sheet.put("webhook.host", "0.0.0.0")
    page.sheet.put("webhook.token_required", False)
    page.save()
    dialog = review(page)
    assert [each.split(" ")[0] for each in said(dialog)] == ["Webhook", "Webhook"]
    assert dialog.confirm.property("role") == "danger"
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    assert house.book.settings_version is None


async def test_a_refusal_is_said_where_it_was_saved(house: WindowHouse, page: SettingsPage) -> None:
    save_elsewhere(house, security__read_only=True)
    typed(page, "pool.max_queue", "50")
    page.save()
    await until(lambda: page.save_bar.what.text().startswith("Read only: nothing can be changed by hand."))
    assert page.save_bar.save_button.isEnabled()
    typed(page, "pool.max_pyramids", "9")
    page.save()
    review(page).confirm.click()
    await until(lambda: "Read only" in review(page).error.text())
    assert review(page).cancel.isEnabled()


async def test_a_setting_is_found_by_words_and_the_cursor_goes_there(
    page: SettingsPage, qtbot: QtBot
) -> None:
    page.search.setText("practice money")
    assert page.rail.shown() == ["exchanges"]
    assert page.rail.current() == "exchanges"
    hits = [row.setting.path for row in page.tab("exchanges").rows if row.is_hit]
    assert hits == ["paper.start_balance_usd"]
    assert [key for key, tab in page.tabs.items() if tab.filled] == ["trading", "exchanges"]
    qtbot.keyClick(page.search, Qt.Key.Key_Return)
    page.search.setText("zzz")
    assert page.rail.shown() == []
    qtbot.keyClick(page.search, Qt.Key.Key_Return)
    page.search.clear()
    assert len(page.rail.shown()) == 10
    assert not any(row.is_hit for tab in page.tabs.values() for row in tab.rows)


@pytest.mark.parametrize("where", ["security", "security.read_only", "signals.symbols", "nowhere.at_all"])
async def test_a_link_leads_to_a_tab_or_a_setting(page: SettingsPage, where: str) -> None:
    page.go_to(where)
    assert page.rail.current() == {"signals.symbols": "trading", "nowhere.at_all": "appearance"}.get(
        where, "security"
    )


async def test_a_template_fills_the_forms_and_saves_nothing(house: WindowHouse, page: SettingsPage) -> None:
    typed(page, "capital.total_usd", "500")
    panel = page.findChild(TemplatePanel)
    worst = page.tab("trading").findChild(WorstCase)
    assert panel is not None
    assert worst is not None
    panel.buttons["Careful"].click()
    changed = {change.path for change in page.sheet.changes}
    assert {"capital.total_usd", "capital.pyramid_capital", "pool.max_pyramids"} <= changed
    assert house.book.settings_version is None
    assert worst.facts.text("total") == "500.00"
    assert worst.facts.text("before") == "50,000.00"
    assert not worst.note.isVisible()
    panel.buttons["Aggressive"].click()
    assert worst.facts.text("total") == "4,000.00"
    assert worst.note.title.text() == "8.0 × your capital"
    worst.note.split.click()
    assert worst.facts.text("total") == "500.00"
    typed(page, "capital.total_usd", "x")
    assert worst.facts.text("total") == "–"


async def test_versions_are_listed_compared_and_restored(house: WindowHouse, page: SettingsPage) -> None:
    save_elsewhere(house, pool__max_queue=5)
    save_elsewhere(house, risk__enabled=False)
    page.show_versions()
    await until(lambda: isinstance(page.dialog, VersionsDialog))
    dialog = page.dialog
    assert isinstance(dialog, VersionsDialog)
    rows = [[cell.text for cell in dialog.model.cells(dialog.model.index_of(number))] for number in (2, 1, 0)]
    assert [row[0] for row in rows] == ["2", "1", "0"]
    assert [row[3] for row in rows] == [
        "risk.enabled on → off",
        "pool.max_queue 100 → 5",
        "the values it began with",
    ]
    assert not dialog.again.isEnabled()
    dialog.table.select(1)
    assert [str(change) for change in dialog.changes.changes.records()] == ["pool.max_queue 100 → 5"]
    dialog.compare_with(IN_FORCE)
    assert dialog.compared.text() == "1 change from version 1 to 2"
    dialog.compare_with(0)
    assert [str(change) for change in dialog.changes.changes.records()] == ["pool.max_queue 100 → 5"]
    dialog.table.select(0)
    dialog.compare_with(2)
    assert len(dialog.changes.changes) == 2
    dialog.again.click()
    assert listed(review(page)) == ["pool.max_queue 5 → 100", "risk.enabled off → on"]
    review(page).confirm.click()
    await until(lambda: house.book.settings == Settings())
    newest = house.book.settings_version
    assert newest is not None
    assert newest.note == "version 0 restored"


async def test_an_import_is_shown_before_it_is_saved(
    house: WindowHouse, page: SettingsPage, tmp_path: Path
) -> None:
    file = tmp_path / "mine.json"
    file.write_text(json.dumps({"pool": {"max_queue": 7}, "capital": {"total_usd": "2500.50"}}))
    page.import_file(file)
    assert listed(review(page)) == ["capital.total_usd 10000 → 2500.50", "pool.max_queue 100 → 7"]
    assert house.book.settings_version is None
    review(page).confirm.click()
    await until(lambda: house.book.settings.pool.max_queue == 7)
    assert house.book.settings_version is not None
    assert house.book.settings_version.note == "imported from mine.json"


@pytest.mark.fault(76)
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"pool": {"max_queue": 7', "ends too early"),
        (b"", "is empty"),
        (b"\xff\xfe\x00nonsense", "is not valid JSON"),
        (b'{"version": 99}', "written by a newer version of this application"),
        (b'{"pool": {"max_qeue": 7}}', "there is no such setting; is max_queue meant?"),
        (
            b'{"pool": {"max_queue": -7}, "logs": {"level": "LOUD"}}',
            "pool.max_queue: must be at least 0; logs.level",
        ),
        (b" " * (5 * 1024 * 1024), "is too large for settings"),
        (None, "No such file or directory"),
    ],
)
async def test_a_file_that_makes_no_sense_is_not_imported(
    house: WindowHouse, page: SettingsPage, tmp_path: Path, content: bytes | None, words: str
) -> None:
    told = notices(page)
    file = tmp_path / "odd.json"
    if content is not None:
        file.write_bytes(content)
    page.import_file(file)
    (notice,) = told
    assert notice.title == "odd.json was not imported"
    assert words in notice.sentence
    assert page.dialog is None


async def test_an_export_can_be_imported(house: WindowHouse, page: SettingsPage, tmp_path: Path) -> None:
    told = notices(page)
    save_elsewhere(house, pool__max_queue=5)
    page.export_file(tmp_path / "out.json")
    assert told[-1].level == "success"
    assert documents.parse((tmp_path / "out.json").read_text()) == house.book.settings
    page.export_file(tmp_path / "nowhere" / "out.json")
    assert told[-1].level == "error"


async def test_settings_that_make_no_sense_are_told_with_what_is_used_instead(
    house: WindowHouse, page: SettingsPage
) -> None:
    house.book.settings_fault = "The newest settings make no sense, so the defaults are used: pool: is wrong"
    house.bridge.attach(house.doors())
    assert page.banner.isVisible()
    assert page.banner.text().startswith("The newest settings make no sense, so the defaults are used")
    page.banner.button.click()
    await until(lambda: isinstance(page.dialog, VersionsDialog))
    page.dialog.reject() if page.dialog else None
    save_elsewhere(house, pool__max_queue=5)
    assert not page.banner.isVisible()


async def test_a_form_comes_and_goes_with_its_account(house: WindowHouse, page: SettingsPage) -> None:
    tab = page.tab("exchanges")
    assert tab.row("accounts.paper-perp.leverage") is not None
    assert tab.row("accounts.paper.leverage") is None
    typed(page, "accounts.paper-perp.leverage", "3")
    page.save()
    review(page).confirm.click()
    await until(lambda: house.book.settings.account("paper-perp").leverage == 3)
    house.bridge.accounts.clear()
    page.accounts.refresh()
    assert tab.row("accounts.paper-perp.leverage") is None


# -- in the window


@pytest.fixture
def window(house: WindowHouse, qtbot: QtBot) -> Iterator[MainWindow]:
    made = MainWindow(house.bridge, PLACES, Memory(house.folder / "window.json"))
    made.quit_wished.connect(house.doors().quit)
    qtbot.addWidget(made, before_close_func=lambda window: window.put_away())
    made.showNormal()
    yield made
    made.put_away()


async def test_unsaved_changes_survive_other_pages_and_are_asked_about_before_the_end(
    house: WindowHouse, window: MainWindow
) -> None:
    window.go("settings")
    page = window.stage.page("settings")
    assert isinstance(page, SettingsPage)
    typed(page, "pool.max_queue", "50")
    window.go("queue")
    window._refresh()
    assert window.sidebar.count_of("settings") == (1, False)
    window.go("settings")
    assert page.save_bar.isVisible()
    window.go("queue")
    window.close()
    assert isinstance(window.dialog, ConfirmDialog)
    window.dialog.reject()
    assert window.stage.current == "settings"
    assert house.quits == 0
    window.close()
    assert isinstance(window.dialog, ConfirmDialog)
    window.dialog.confirm.click()
    await until(lambda: house.quits == 1)


async def test_read_only_stands_in_a_banner_that_leads_to_its_switch(
    house: WindowHouse, window: MainWindow, qtbot: QtBot
) -> None:
    save_elsewhere(house, security__read_only=True)
    assert window.banner.text() == "Read only: nothing can be changed by hand, the engine goes on"
    house.post(Pause())
    assert not house.book.engine.paused
    window.banner.button.click()
    page = window.stage.page("settings")
    assert isinstance(page, SettingsPage)
    assert page.rail.current() == "security"
    page.sheet.put("security.read_only", False)
    page.save()
    assert said(review(page)) == ["Read only ends: everything can be changed again."]
    review(page).confirm.click()
    await until(lambda: not house.book.settings.security.read_only)
    house.show()
    assert window.banner.isHidden()


async def test_a_small_window_leaves_out_what_it_has_no_room_for(window: MainWindow) -> None:
    window.go("settings")
    page = window.stage.page("settings")
    assert isinstance(page, SettingsPage)
    for size, shown in (((1024, 700), False), ((1440, 900), True)):
        window.resize(*size)
        assert page.version.isVisible() is shown
