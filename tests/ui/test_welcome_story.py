"""From an empty folder through the guide to an open paper position: the real engine, the real window."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal as D
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from execution_engine.adapters.security.vault import Vault
from execution_engine.core import Options
from execution_engine.domain.inputs import OpenOrders
from execution_engine.domain.rows import GroupStatus
from execution_engine.domain.settings import PaperFeed
from execution_engine.main import Application
from execution_engine.ui.app import Window
from execution_engine.ui.main_window import MainWindow
from execution_engine.ui.pages.positions import PositionsPage
from execution_engine.ui.pages.welcome import WelcomePage
from execution_engine.ui.pages.welcome.hook import HookStep
from execution_engine.ui.pages.welcome.trial import TrialStep
from execution_engine.window import doors
from tests.waiting import until


@pytest.fixture(autouse=True)
def _no_keyring(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(Vault, "keyring_is_there", lambda vault: False)
    return iter([None])


@asynccontextmanager
async def first_start(folder: Path, qapp: QApplication) -> AsyncIterator[tuple[Application, MainWindow]]:
    """Start the application with its window, as the roof does."""
    application = Application(Options(data_dir=str(folder), port=0, paper_feed=PaperFeed.SYNTHETIC))
    await asyncio.to_thread(application.open)
    screen = Window(qapp)
    try:
        await application.start()
        screen.attach(doors(application))
        core = application.core
        core.feed.on_released(lambda change: screen.released(change.rows, change.facts))
        core.feed.on_price(screen.price)
        core.feed.on_balances(screen.balances)
        await until(lambda: application.status()[0] == "running", 10)
        assert screen.main is not None
        yield application, screen.main
    finally:
        await application.stop()
        await until(lambda: not screen.bridge._tasks, 10)  # a page may still read
        screen.close()
        application.close()


async def test_from_nothing_to_a_paper_position(tmp_path: Path, qapp: QApplication, qloop: object) -> None:
    async with first_start(tmp_path / "data", qapp) as (application, window):
        page = window.stage.page("welcome")
        assert isinstance(page, WelcomePage)
        assert window.stage.current == "welcome"
        page.forward.click()  # paper
        page.steps[page.at].templates.panels["Careful"].radio.click()  # type: ignore[attr-defined]
        page.forward.click()
        await until(lambda: isinstance(page.step, HookStep), 5)
        book = application.core.book
        assert book.settings.pool.max_open_groups == 5
        (token,) = book.tokens.values()
        assert page.step.address() == f"http://127.0.0.1:{application.address[1]}/webhook/{token.token}"  # type: ignore[attr-defined, index]
        page.forward.click()
        story = page.step
        assert isinstance(story, TrialStep)
        page.forward.click()
        await until(lambda: "is open on paper" in story.lines["position"].text(), 10)
        assert story.lines["orders"].text() == "5 of 5 buy limits accepted"
        assert story.lines["fills"].text().startswith("1 of 5 filled")

        read = await application.core.paper.open_orders("paper")
        assert isinstance(read, OpenOrders)
        (group,) = book.groups.values()
        assert (group.account, group.status) == ("paper", GroupStatus.PARTIALLY_FILLED)
        (pyramid,) = book.pyramids.values()
        prices = {order.client_order_id: order.price for order in book.orders.values()}
        resting = sorted(prices[report.client_order_id] or D(0) for report in read.reports)[:4]
        below = [round(price / pyramid.base_price * 100 - 100, 1) for price in resting]
        assert below == [D("-4.0"), D("-2.0"), D("-1.0"), D("-0.5")]

        page.forward.click()
        assert window.stage.current == "positions"
        positions = window.stage.page("positions")
        assert isinstance(positions, PositionsPage)
        window.bridge.flush()
        assert positions.tree.selected_keys() == [group.id]
    async with first_start(tmp_path / "data", qapp) as (_, window):
        assert window.stage.current == "positions"
