"""The paper exchange's panel: where prices come from, and moving them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from execution_engine.domain.rows import World
from execution_engine.ui import theme
from execution_engine.ui.pages.paper import PaperDialog, PaperPanel
from tests.house import D
from tests.ui.house_window import WindowHouse
from tests.waiting import until


@pytest.fixture(autouse=True)
def _dark(qapp: QApplication) -> None:
    theme.apply(qapp, "dark")


@pytest.fixture
def house(tmp_path: Path) -> WindowHouse:
    return WindowHouse(tmp_path)


@pytest.fixture
def panel(house: WindowHouse, qtbot: QtBot) -> Iterator[PaperPanel]:
    dialog = PaperDialog(house.bridge)
    qtbot.addWidget(dialog)
    dialog.show()
    yield dialog.panel
    dialog.close()


def click(qtbot: QtBot, button) -> None:
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def shown(panel: PaperPanel) -> list[tuple[str, ...]]:
    model = panel.prices
    return [
        tuple(cell.text for cell in model.cells(model.index_of(key)))
        for key in model.keys()  # noqa: SIM118
    ]


async def test_a_price_is_set_and_the_answer_names_the_markets(
    house: WindowHouse, panel: PaperPanel, qtbot: QtBot
) -> None:
    panel.symbol.setText("btcusdt")
    assert panel.set.isEnabled()
    panel.price.setText("64000")
    panel.price.textEdited.emit("64000")
    click(qtbot, panel.set)
    await until(lambda: panel.said.text() == "64,000: BINANCE:BTCUSDT")
    house.show()
    assert shown(panel) == [("BTCUSDT binance", "64,000.00", "by hand")]


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("btcus", ["BTCUSDT", "BTCUSDT.P"]), ("btcusdt", []), ("BTCUSDT", []), ("nothing", [])],
)
def test_symbols_are_offered_until_one_is_there_in_full(
    panel: PaperPanel, typed: str, offered: list[str]
) -> None:
    """An open list would swallow the click on the price."""
    completer = panel.symbol.completer()
    completer.setCompletionPrefix(typed)
    found = completer.completionModel()
    assert [found.index(row, 0).data() for row in range(completer.completionCount())] == offered


async def test_nudges_move_the_chosen_market_to_its_tick(
    house: WindowHouse, panel: PaperPanel, qtbot: QtBot
) -> None:
    house.by_hand("BTCUSDT", "65000")
    house.show()
    panel.symbol.setText("BTCUSDT")
    assert [each.text() for each in panel.nudges] == ["−1 %", "−0.1 %", "+0.1 %", "+1 %"]
    click(qtbot, panel.nudges[1])
    await until(lambda: house.book.prices["binance", "BTCUSDT"].last == D("64935"))
    house.show()
    assert panel.price.value() == D("64935")


async def test_an_unknown_symbol_is_said_in_a_sentence(panel: PaperPanel, qtbot: QtBot) -> None:
    panel.symbol.setText("NOPE")
    panel.price.set_value(D(1))
    click(qtbot, panel.set)
    await until(lambda: panel.said.text() == "No exchange has a market NOPE.")
    assert panel.said.property("token") == "danger"


async def test_a_price_of_nothing_is_not_sent(house: WindowHouse, panel: PaperPanel, qtbot: QtBot) -> None:
    panel.symbol.setText("BTCUSDT")
    click(qtbot, panel.set)
    assert panel.said.text() == "Give a symbol and a price above zero."
    assert not house.book.prices


async def test_another_source_is_saved_in_the_settings(
    house: WindowHouse, panel: PaperPanel, qtbot: QtBot
) -> None:
    panel.feed.chosen.emit("synthetic")
    await until(lambda: house.book.settings.paper.feed == "synthetic")
    house.show()
    assert "started with --paper-feed manual; the setting says synthetic" in panel.feed_said.text()
    house.feed_name = "synthetic"
    panel.tick()
    assert panel.feed.value() == "synthetic"
    assert not panel.set.isEnabled()
    assert panel.feed_said.text() == "Prices move by themselves, from a seed; no exchange is contacted."


async def test_real_prices_and_who_chose_them_are_told(
    house: WindowHouse, panel: PaperPanel, qtbot: QtBot
) -> None:
    house.feed_name = "live"
    panel.tick()
    assert panel.feed.value() == "auto"
    said = "Prices of the real exchanges; lost ones get old."
    assert panel.feed_said.text() == f"{said} Chosen automatically."
    assert not panel.set.isEnabled()
    panel.feed.chosen.emit("live")
    await until(lambda: house.book.settings.paper.feed == "live")
    panel.tick()
    assert (panel.feed.value(), panel.feed_said.text()) == ("live", said)


async def test_choosing_a_known_market_fills_the_fields(house: WindowHouse, panel: PaperPanel) -> None:
    house.by_hand("SOLUSDT", "150.5")
    house.show()
    panel.table.select(("binance", "SOLUSDT"))
    assert panel.symbol.text() == "BINANCE:SOLUSDT"
    assert panel.price.value() == D("150.5")


async def test_balances_of_the_paper_accounts_are_listed(house: WindowHouse, panel: PaperPanel) -> None:
    house.balance("paper", "812.4")
    house.show()
    model = panel.balances
    rows = [[cell.text for cell in model.cells(model.index_of(key))] for key in model.keys()]  # noqa: SIM118
    assert ["paper", "USDT", "812.40"] in rows
    assert all(each.world is World.PAPER for each in house.book.accounts.values())


async def test_ages_are_shown(house: WindowHouse, panel: PaperPanel) -> None:
    house.price("BTCUSDT", "65000")
    house.clock.forward(seconds=42)
    house.show()
    panel.tick()
    assert shown(panel) == [("BTCUSDT binance", "65,000.00", "42 s")]
