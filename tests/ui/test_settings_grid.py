"""The editor of grids: legs, profiles, bindings, and the preview that follows what is typed."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication, QLineEdit
from shiboken6 import delete

from execution_engine.domain import document as documents
from execution_engine.domain.grid import legs as laid
from execution_engine.domain.instrument import Side
from execution_engine.domain.settings import DEFAULT_GRID, Settings
from execution_engine.ui import theme
from execution_engine.ui.charts.grid_preview import averages
from execution_engine.ui.pages.settings.bindings import which
from execution_engine.ui.pages.settings.grid_tab import GridTab
from execution_engine.ui.pages.settings.sheet import Sheet
from tests.house import spot
from tests.ui.house_window import WindowHouse


@pytest.fixture(autouse=True)
def _dark(qapp: QApplication) -> None:
    theme.apply(qapp, "dark")


@pytest.fixture
def tab(tmp_path: Path, qapp: QApplication) -> Iterator[GridTab]:
    house = WindowHouse(tmp_path)
    house.price("BTCUSDT", "65000")
    house.show()
    made = GridTab("Grid profiles", Sheet(Settings()), house.bridge)
    made.ready()
    made.resize(1100, 900)
    made.show()
    yield made
    delete(made)  # at once: every theme that is put on later would be put on it, too


def typed(field: QLineEdit, text: str) -> None:
    field.selectAll()
    field.insert(text) if text else field.del_()


def cell(tab: GridTab, leg: int, column: str, text: str) -> None:
    typed(tab.legs.cells[leg][f"{column}_percent"], text)


def legs_of(tab: GridTab, name: str = "default") -> list[tuple[D, D, D]]:
    settings = tab.book.sheet.settings
    assert settings is not None
    return [(each.gap_percent, each.weight_percent, each.tp_percent) for each in settings.grid.profiles[name]]


def test_the_preview_shows_the_worked_example(tab: GridTab) -> None:
    assert tab.preview.chart.shown() == [
        (D("65000.00"), D("65650.00")),
        (D("64675.00"), D("64998.38")),
        (D("64350.00"), D("64671.75")),
        (D("63700.00"), D("64018.50")),
        (D("62400.00"), D("62712.00")),
    ]
    assert tab.legs.filled.text() == "All filled: 997.94 USDT at 64,011.66"
    assert tab.legs.said.text() == "Gaps move strictly away; weights add up; every leg is above 5 USDT."
    assert tab.legs.sum.text() == "5 legs · weights add up to 100 %"
    assert tab.worst.facts.text("total") == "50,000.00"


def test_the_preview_follows_every_key(tab: GridTab) -> None:
    cell(tab, 1, "gap", "-0,75")
    assert tab.preview.chart.shown()[1] == (D("64512.50"), D("64835.07"))
    assert legs_of(tab)[1][0] == D("-0.75")
    tab.preview.side.chosen.emit("short")
    tab.preview.side.set_value("short")
    tab.preview.refresh()
    assert tab.preview.chart.shown()[1] == (D("65487.50"), D("65160.06"))
    typed(tab.preview.base, "0")
    assert tab.preview.chart.shown() == []
    assert tab.legs.said.text() == "Enter a base price above 0."
    typed(tab.preview.base, "1000")
    assert tab.preview.chart.shown()[0][0] == D("1000.00")
    tab.preview.symbol.setText("NOSUCH")
    assert tab.preview.chart.shown() == []
    assert tab.preview.symbol.property("bad") == "true"
    tab.preview.symbol.setText("ETHUSDT")
    assert tab.preview.instrument is not None
    assert tab.preview.instrument.symbol == "ETHUSDT"


@pytest.mark.parametrize(
    ("edits", "words"),
    [
        ([(1, "gap", "0")], "Gap of leg 1 must be below 0 %."),
        ([(0, "gap", "1")], "Gap of leg 0 must be 0 or below."),
        ([(4, "gap", "-100")], "Gap of leg 4 must be above −100 %."),
        ([(2, "weight", "15")], "Weights add up to 95 %; 5 % are missing."),
        ([(2, "weight", "0")], "Must be above 0."),
        ([(2, "tp", "-1")], "Must be above 0."),
        ([(2, "tp", "1001")], "Must be at most 1000."),
        ([(2, "tp", "")], "Enter a value."),
        ([(2, "tp", "1,234")], "“1,234” can be read as 1234 and as 1.234: write it one of these ways."),
        ([(2, "tp", "x"), (3, "weight", "15")], "Must be a number."),
    ],
)
def test_what_is_wrong_with_a_leg_is_said_and_cannot_be_saved(
    tab: GridTab, edits: list[tuple[int, str, str]], words: str
) -> None:
    for leg, column, text in edits:
        cell(tab, leg, column, text)
    assert tab.legs.said.text() == words
    assert tab.book.sheet.settings is None
    for leg, column, _ in edits:
        index = ("gap", "weight", "tp").index(column)
        right = DEFAULT_GRID[leg]
        cell(tab, leg, column, str((right.gap_percent, right.weight_percent, right.tp_percent)[index]))
    assert tab.book.sheet.settings == Settings()


def test_one_wrong_number_leaves_the_others_as_they_were_typed(tab: GridTab) -> None:
    cell(tab, 1, "tp", "0.7")
    cell(tab, 2, "tp", "x")
    assert tab.legs.cells[2]["tp_percent"].property("bad") == "true"
    assert tab.legs.cells[1]["tp_percent"].property("bad") != "true"
    cell(tab, 2, "tp", "0.6")
    assert [leg[2] for leg in legs_of(tab)] == [D("1.0"), D("0.7"), D("0.6"), D("0.5"), D("0.5")]


def test_a_leg_too_small_for_the_market_is_pointed_out(tab: GridTab) -> None:
    tab.book.sheet.put("capital.total_usd", "200")
    assert "notional 3.90 USDT is below the minimum of 5 USDT" in tab.legs.said.text()
    assert tab.book.sheet.settings is not None


def test_legs_are_added_removed_moved_and_evened(tab: GridTab) -> None:
    tab.legs.add_button.click()
    assert len(tab.legs.cells) == 6
    assert tab.legs.cells[5]["gap_percent"].text() == "\u22126.0"
    assert tab.legs.said.text() == "Weights add up to 120 %; 20 % are too much."
    tab.legs.even_button.click()
    assert [leg[1] for leg in legs_of(tab)] == [D("16.66")] * 5 + [D("16.7")]
    tab.legs.cells[5]["gap_percent"].entered.emit()
    cell(tab, 5, "tp", "0.9")
    tab.legs.up_button.click()
    assert [leg[2] for leg in legs_of(tab)][-2:] == [D("0.9"), D("0.5")]
    assert [leg[0] for leg in legs_of(tab)][-2:] == [D("-4.0"), D("-6.0")]
    tab.legs.down_button.click()
    tab.legs.remove_button.click()
    assert len(tab.legs.cells) == 5
    for _ in range(4):
        tab.legs.remove_button.click()
    assert not tab.legs.remove_button.isEnabled()
    assert not tab.legs.up_button.isEnabled()
    tab.legs.add_button.click()
    assert [each["gap_percent"].text() for each in tab.legs.cells] == ["0", "\u22121"]


def test_profiles_are_added_copied_renamed_and_deleted(tab: GridTab) -> None:
    book, names = tab.book, lambda: [tab.list.list.item(n).text() for n in range(tab.list.list.count())]
    tab.list.new.click()
    tab.list.copy.click()
    assert names() == ["default", "profile", "profile copy"]
    typed(tab.legs.name, "tight")
    assert names() == ["default", "profile", "tight"]
    assert legs_of(tab, "tight") == legs_of(tab, "default")
    tab.legs.make_default.click()
    assert names()[0] == "tight"
    assert book.sheet.value("grid.default") == "tight"
    assert tab.list.remove.toolTip() == "It is the default; make another one the default first."
    typed(tab.legs.name, "tight ones")
    assert book.sheet.value("grid.default") == "tight ones"
    tab.list.list.setCurrentRow(1)
    assert tab.legs.name.text() == "default"
    tab.list.remove.click()
    assert names() == ["tight ones", "profile"]
    assert book.sheet.settings is not None
    book.sheet.discard()
    assert names() == ["default"]
    assert tab.legs.name.text() == "default"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "A profile needs a name."),
        ("a/b", "A name has up to 64 letters, digits, spaces, “-” and “_”."),
        ("ümlaut", "A name has up to 64 letters, digits, spaces, “-” and “_”."),
        ("PROFILE", "There is a profile “PROFILE” already."),
    ],
)
def test_a_name_that_cannot_be_is_marked(tab: GridTab, name: str, words: str) -> None:
    tab.list.new.click()
    tab.list.list.setCurrentRow(0)
    typed(tab.legs.name, name)
    assert tab.legs.said.text() == words
    assert tab.legs.name.property("bad") == "true"
    assert tab.book.sheet.settings is None
    tab.legs.name.editingFinished.emit()
    assert tab.legs.name.text() == "default"
    assert tab.book.sheet.settings is not None


def test_a_profile_that_is_bound_stays(tab: GridTab) -> None:
    tab.list.new.click()
    tab.bindings.new.click()
    typed(tab.bindings.lines[0][0], "ETH*")
    assert not tab.list.remove.isEnabled()
    assert tab.list.remove.toolTip() == "It is bound to ETH*; change that first."
    assert tab.book.subtitle("profile") == "5 legs · ETH*"


def test_bindings_are_tried_in_their_order(tab: GridTab) -> None:
    tab.list.new.click()
    tab.bindings.new.click()
    typed(tab.bindings.lines[0][0], "BTC*")
    typed(tab.bindings.lines[0][1], "15")
    assert tab.bindings.answer.text() == "profile, by line 1: BTC* on 15m"
    tab.bindings.new.click()
    typed(tab.bindings.lines[1][0], "BINANCE:BTCUSDT")
    tab.bindings.lines[1][2].setCurrentText("default")
    tab.bindings.lines[1][2].textActivated.emit("default")
    tab.bindings._move(1, -1)
    assert [line[0].text() for line in tab.bindings.lines] == ["BINANCE:BTCUSDT", "BTC*"]
    assert tab.bindings.answer.text() == "default, by line 1: BINANCE:BTCUSDT on *"
    tab.bindings._remove(0)
    tab.bindings.timeframe.setText("60")
    assert tab.bindings.answer.text() == "default, the default: no line fits BTCUSDT on 1h"
    typed(tab.bindings.lines[0][1], "often")
    assert tab.bindings.fault.text() == "“often” is no timeframe, as 15m, 4h or 1d, nor a pattern, as *h."
    assert tab.bindings.lines[0][1].property("bad") == "true"
    assert tab.bindings.answer.text() == "Known as soon as nothing is wrong with the bindings."
    typed(tab.bindings.lines[0][1], "1h")
    cell(tab, 0, "weight", "99")
    assert tab.book.sheet.settings is None
    assert tab.bindings.answer.text() == "profile, by line 1: BTC* on 1h"


@pytest.mark.parametrize(
    ("symbol", "timeframe", "answer", "right"),
    [
        ("", "15", "Enter a symbol, as BTCUSDT or BINANCE:BTCUSDT.P.", False),
        ("BTCUSDT", "soon", "“soon” is no timeframe, as 15, 4h or 1D.", False),
        ("BYBIT:BTCUSDT", "15", "default, by line 1: BYBIT:* on *", True),
        ("btcusdt", "15", "default, the default: no line fits BTCUSDT on 15m", True),
    ],
)
def test_what_a_symbol_gets(symbol: str, timeframe: str, answer: str, right: bool) -> None:
    bound: list[dict[str, Any]] = [{"symbol": "BYBIT:*", "profile": "default"}]
    settings = documents.with_value(Settings(), "grid.bindings", bound)
    assert which(settings, symbol, timeframe) == (answer, right)


def test_a_small_window_chooses_the_profile_from_a_list(tab: GridTab) -> None:
    tab.set_narrow(True)
    assert not tab.list.isVisible()
    tab.new.click()
    assert [tab.choice.itemText(n) for n in range(tab.choice.count())] == ["default", "profile"]
    assert tab.choice.currentText() == "profile"
    tab.choice.textActivated.emit("default")
    assert tab.legs.name.text() == "default"
    assert tab.worst_line.text().startswith("Worst case: leg 200.00, pyramid 1,000.00, group 5,000.00")
    assert tab.legs.filled.text() == "All filled: 997.94 USDT at 64,011.66"


def test_averages_begin_once_something_is_held() -> None:
    layers = [each.layer() for each in DEFAULT_GRID]
    none = laid(layers[:2], D("65000"), Side.LONG, D("0.01"), spot())
    assert averages(none) == [None, None]
