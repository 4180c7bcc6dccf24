"""The whole program with its window in the test's own process: alerts and prices go in over HTTP, eyes look at rows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtWidgets import QApplication, QLabel, QWidget

from execution_engine.commands import Commands
from execution_engine.core import Options
from execution_engine.domain.settings import PaperFeed
from execution_engine.main import Application
from execution_engine.ui.main_window import MainWindow
from execution_engine.ui.tables import TableModel
from execution_engine.window import give_window
from tests.stories.installation import Installation, Plain
from tests.waiting import until

T = TypeVar("T")
P = TypeVar("P", bound=QWidget)

PATIENCE_S = 15


class Screen:
    """A running program. outside: what can be done to it over HTTP and its command socket, off the window's thread."""

    def __init__(self, outside: Installation, window: MainWindow) -> None:
        self._outside, self.window = outside, window

    async def price(self, symbol: str, price: object) -> None:
        await asyncio.to_thread(self._outside.price, symbol, price)

    async def alert(self, symbol: str, **fields: Any) -> str:
        """Send an alert that must be taken and return its id."""
        return await asyncio.to_thread(lambda: self._outside.accepted(symbol, **fields))

    async def answer(self, symbol: str, **fields: Any) -> int:
        """Send an alert and return the status it is answered with."""
        return await asyncio.to_thread(lambda: self._outside.alert(symbol, **fields).status)

    async def command(self, name: str, **args: Any) -> Any:
        return await asyncio.to_thread(lambda: self._outside.command(name, **args))

    async def state(self) -> Plain:
        return await asyncio.to_thread(self._outside.state)

    async def at_the_exchange(self) -> list[tuple[str, str, str]]:
        """Return every order there: symbol, buy or sell, and what of it is filled; the oldest first."""
        rows = await asyncio.to_thread(self._outside.paper_orders)
        return [(row["symbol"], row["action"], str(row["filled_quantity"])) for row in rows]

    async def leads_to(self, true: Callable[[list[tuple[str, str, str]]], object]) -> None:
        """Wait until the orders there are like this: a row on the screen is written before its orders leave."""
        async with asyncio.timeout(PATIENCE_S):
            while not true(await self.at_the_exchange()):  # noqa: ASYNC110 (what is waited for has no event)
                await asyncio.sleep(0.01)

    async def holding(self, symbol: str, capital: str, entry: str, **fields: Any) -> None:
        """Open a position by an alert and wait until its only leg is filled."""
        await self.price(symbol, entry)
        await self.alert(symbol, price=entry, capital_usd=capital, **fields)
        await self.price(symbol, entry)
        ticker = symbol.rpartition(":")[2]
        await self.sees(lambda: any(g.symbol == ticker and g.open_quantity for g in self._groups()))

    def _groups(self) -> list[Any]:
        return list(self.window.bridge.groups.values())

    # -- what can be seen

    def page(self, key: str, kind: type[P]) -> P:
        """Go to a page as a click on the sidebar does, and return it."""
        self.window.go(key)
        found = self.window.findChild(kind)
        assert isinstance(found, kind)
        assert found.isVisible()
        return found

    async def sees(self, true: Callable[[], object]) -> None:
        """Wait until the screen shows something."""
        await until(true, PATIENCE_S)

    def notices(self) -> list[str]:
        """Return what stands in the corner of the window."""
        return [label.text() for label in self.window.notices.findChildren(QLabel) if label.isVisible()]


def rows(model: TableModel[Any]) -> list[dict[str, str]]:
    """Return what the cells of a table say, row by row as they stand."""
    return [
        {column.key: cell.text for column, cell in zip(model.columns, model.cells(at), strict=True)}
        for at in (model.index_of(key) for key in model.keys())  # noqa: SIM118 (a model is no dict)
    ]


def words(widget: QWidget) -> str:
    """Return everything that labels in a widget say."""
    return " ".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


@asynccontextmanager
async def on_the_screen(qt: QApplication, folder: Path, **settings: Any) -> AsyncIterator[Screen]:
    """Run the program on a folder; its books are proven at the end."""
    outside = Installation(folder)
    await asyncio.to_thread(lambda: outside.configure(**settings))
    application = Application(Options(data_dir=str(folder), port=0, paper_feed=PaperFeed.MANUAL))
    application.handle = Commands(application).handle
    await asyncio.to_thread(application.open)
    windows = give_window(application, qt)
    try:
        await application.start()
        await asyncio.to_thread(outside.find_address)
        (window,) = windows
        assert window.main is not None
        yield Screen(outside, window.main)
    finally:
        await application.stop()
        for each in windows:
            each.close()
        application.close()
        outside.give_up()
    outside.prove_books()
