"""Queue and risk engine from the alert over HTTP to the orders at the exchange and the rows on the screen."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from execution_engine.ui.pages.positions import PositionsPage
from execution_engine.ui.pages.queue import QueuePage
from execution_engine.ui.pages.risk import RiskPage
from tests.stories.screen import Screen, on_the_screen, rows, words
from tests.stories.test_risk import FIRST, LOSER, ONE_LEG

BTC, ETH, SOL = (f"BINANCE:{coin}USDT" for coin in ("BTC", "ETH", "SOL"))
SHORT = "BINANCE:LTCUSDT.P"
FULL = "The only slot is used: the first goes as soon as one is free."


def queued(page: QueuePage) -> list[tuple[str, str, str, str]]:
    return [(row["rank"], row["signal"], row["loss"], row["why"]) for row in rows(page.model)]


def positions(page: PositionsPage) -> list[str]:
    return sorted(line.group.symbol for line in page.tree.groups())


async def bought(screen: Screen, symbol: str) -> int:
    return entered(await screen.at_the_exchange(), symbol)


def entered(orders: list[tuple[str, str, str]], symbol: str) -> int:
    return [row[:2] for row in orders].count((symbol, "buy"))


async def test_signals_wait_in_order_go_when_a_slot_is_free_and_are_forced(
    qapp: QApplication, qtbot: QtBot, tmp_path: Path
) -> None:
    settings = {"capital__total_usd": "1000", "pool__max_open_groups": 1}
    async with on_the_screen(qapp, tmp_path / "data", **settings) as screen:
        for symbol in (BTC, ETH, SOL):
            await screen.price(symbol, 101)
        await screen.alert(BTC, price=100)
        page = screen.page("queue", QueuePage)
        await screen.sees(lambda: len(page.slots) == 1)

        # No slot is left: two wait, the deeper loss before who came first.
        await screen.alert(ETH, price=100)
        await screen.alert(SOL, price=100)
        await screen.price(SOL, "96.9")
        await screen.sees(
            lambda: (
                queued(page)
                == [
                    ("1st", "SOLUSDT 15m Long", "−3.10\u202f%", "−3.1 %"),
                    ("2nd", "ETHUSDT 15m Long", "0.00\u202f%", "no loss"),
                ]
            )
        )
        assert page.note.text == FULL
        assert await bought(screen, "SOLUSDT") == 0

        # The position leaves: the first goes at once, and its orders are at the exchange.
        await screen.alert(BTC, type="exit")
        await screen.sees(lambda: [row[0:2] for row in queued(page)] == [("1st", "ETHUSDT 15m Long")])
        await screen.sees(lambda: [row["why"] for row in rows(page.promoted)] == ["1st: −3.1 %"])
        await screen.sees(lambda: [row["group"] for row in rows(page.slots)] == ["SOLUSDT 15m Long"])
        await screen.leads_to(lambda orders: entered(orders, "SOLUSDT") == 5)
        held = screen.page("positions", PositionsPage)
        await screen.sees(lambda: positions(held) == ["SOLUSDT"])

        # Forced, it goes past the limit.
        screen.page("queue", QueuePage)
        (key,) = page.model.keys()
        page.table.action.emit(key, "force")
        dialog = page.dialog
        assert dialog is not None
        assert dialog.windowTitle() == "Confirm Pool Override"
        assert (
            "This action will override the 'Max Open Groups' limit and immediately execute the signal for "
            "ETHUSDT 15m. Are you sure you want to proceed?"
        ) in words(dialog)
        assert (dialog.cancel.text(), dialog.confirm.text()) == ("Cancel", "Confirm && Execute")
        assert await bought(screen, "ETHUSDT") == 0
        qtbot.mouseClick(dialog.confirm, Qt.MouseButton.LeftButton)
        assert [row["force"] for row in rows(page.model)] == ["Opening…"]
        success = "Success: Position group for ETHUSDT 15m has been forced into the pool."
        await screen.sees(lambda: success in screen.notices())
        await screen.sees(lambda: not page.model.keys())
        await screen.leads_to(lambda orders: entered(orders, "ETHUSDT") == 5)
        await screen.sees(lambda: page.pool_panel.heading.subtitle.text() == "2 / 1")
        held = screen.page("positions", PositionsPage)
        await screen.sees(lambda: positions(held) == ["ETHUSDT", "SOLUSDT"])

        # While paused it cannot be forced: the row is usable again.
        await screen.alert(BTC, price=100)
        screen.page("queue", QueuePage)
        await screen.sees(lambda: len(page.model) == 1)
        await screen.command("pause")
        await screen.sees(lambda: page.note.text.startswith("Paused: nothing is promoted or forced"))
        page.table.action.emit(page.model.keys()[0], "force")
        assert page.dialog is not None
        qtbot.mouseClick(page.dialog.confirm, Qt.MouseButton.LeftButton)
        failed = "Error: Could not force position into the pool. See logs for details."
        await screen.sees(lambda: failed in screen.notices())
        assert [row["force"] for row in rows(page.model)] == ["Force add…"]


async def test_winners_pay_for_the_loser_as_the_balance_sheet_said(
    qapp: QApplication, qtbot: QtBot, tmp_path: Path
) -> None:
    settings = {
        "capital__total_usd": "30000",
        "pool__max_open_groups": 3,
        "pool__max_pyramids": 1,
        "grid__profiles": ONE_LEG,
        "risk__post_full_wait_minutes": 0,
        "risk__interval_s": 86400,
        "signals__max_deviation_percent": 1000,
        "paper__taker_fee_percent": 0,
        "paper__maker_fee_percent": 0,
    }
    async with on_the_screen(qapp, tmp_path / "data", **settings) as screen:
        for symbol, entry, action in ((LOSER, "100", "buy"), (FIRST, "10", "buy"), (SHORT, "50", "sell")):
            await screen.holding(symbol, "1000", entry, action=action)
        await screen.price(BTC, 100)
        await screen.alert(BTC, price=100, capital_usd="500")
        for symbol, price in ((LOSER, "94"), (FIRST, "10.5"), (SHORT, "48")):
            await screen.price(symbol, price)
        before = len(await screen.at_the_exchange())

        # The plan is a balance sheet before anything happens.
        page = screen.page("risk", RiskPage)
        await screen.sees(lambda: len(page.plan.model) == 3)
        await screen.sees(lambda: page.projection.facts.text("winners") == "+60.00")
        planned = [(row["position"], row["quantity"], row["realizes"]) for row in rows(page.plan.model)]
        assert planned == [
            ("SOLUSDT 15m Long", "100.000", "+50.00"),
            ("LTCUSDT.P 15m Short", "5.000", "+10.00"),
            ("ETHUSDT 15m Long", "10.0000", "−60.00"),
        ]
        assert page.projection.facts.text("loser") == "−60.00"
        assert page.projection.facts.text("missing") == "0.00"
        assert page.plan.cover.missing.text() == "nothing is missing"
        verdicts = {row["group"]: row["verdict"] for row in rows(page.model)}
        assert verdicts["ETHUSDT 15m Long"] == "Loser of the plan"
        assert verdicts["LTCUSDT.P 15m Short"] == "Pays in the plan"

        # Run now asks, and then what was planned is what is closed.
        qtbot.mouseClick(page.plan.run, Qt.MouseButton.LeftButton)
        assert page.dialog is not None
        assert "Close SOLUSDT 15m, part of LTCUSDT.P 15m, then ETHUSDT 15m?" in words(page.dialog)
        assert len(await screen.at_the_exchange()) == before
        qtbot.mouseClick(page.dialog.confirm, Qt.MouseButton.LeftButton)
        await screen.sees(lambda: [row["result"] for row in entries(page)] == ["Complete"])
        after = (await screen.at_the_exchange())[before:]
        assert [(*row[:2], float(row[2])) for row in after if row[0] != "BTCUSDT"] == [
            ("SOLUSDT", "sell", 100),
            ("LTCUSDT.P", "buy", 5),
            ("ETHUSDT", "sell", 10),
        ]
        await screen.sees(lambda: not page.plan.model.keys())

        # A slot that became free went to the one that waited for it.
        await screen.leads_to(
            lambda orders: ("BTCUSDT", "buy", 5) in [(*row[:2], float(row[2])) for row in orders]
        )
        queue = screen.page("queue", QueuePage)
        await screen.sees(lambda: [row["why"] for row in rows(queue.promoted)] == ["1st: no loss"])
        held = screen.page("positions", PositionsPage)
        await screen.sees(lambda: positions(held) == ["BTCUSDT", "LTCUSDT.P"])


def entries(page: RiskPage) -> list[dict[str, str]]:
    """Return the entries of the history as they are read."""
    history = page.history
    found = [history.index(at, 0) for at in range(history.rowCount())]
    return [
        {column.key: cell.text for column, cell in zip(history.columns, history.cells(at), strict=True)}
        for at in found
    ]
