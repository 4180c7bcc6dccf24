"""What the closed groups came to: read from the database, again when one closes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QHBoxLayout, QWidget

from execution_engine.domain.errors import Refusal
from execution_engine.domain.rows import World
from execution_engine.domain.statistics import Statistics
from execution_engine.ui.bridge import Bridge
from execution_engine.ui.format import MISSING, exact, number, result_token, signed_usd, usd
from execution_engine.ui.theme import Token, px
from execution_engine.ui.tongue import tr, translated
from execution_engine.ui.widgets import Facts

EVERY_MS = 2000
PATIENT_MS = 15_000

LEFT = (
    ("realized", tr("Realized"), "USD", tr("Everything that was realized in this world, fees included")),
    (
        "unrealized",
        tr("Unrealized"),
        "USD",
        tr("Sum of (price − average entry) × open quantity over open groups"),
    ),
    ("total", tr("Total"), "USD", tr("Realized + unrealized")),
    ("win_rate", tr("Win rate"), "%", tr("Closed groups with a profit / closed groups that had filled")),
    ("average_win", tr("Average win"), "USD", tr("Sum of profits / number of closed groups with a profit")),
)
RIGHT = (
    ("average_loss", tr("Average loss"), "USD", tr("Sum of losses / number of closed groups with a loss")),
    ("profit_factor", tr("Profit factor"), "", tr("Sum of profits / sum of losses")),
    ("trades", tr("Trades"), "", tr("Closed groups that had filled")),
    ("today", tr("Trades today"), "", tr("Closed since midnight UTC")),
    ("volume", tr("Volume today"), "USD", tr("Price × quantity of all fills since midnight UTC")),
)


def midnight(now: datetime) -> datetime:
    """Return the start of the UTC day."""
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


@dataclass(frozen=True, slots=True)
class Read:
    """What the database said: all time and since midnight UTC."""

    all: Statistics
    today: Statistics


class Reading(QObject):
    """Asks the database off the loop, never twice at once and at most every two seconds."""

    def __init__(
        self, bridge: Bridge, world: Callable[[], World], then: Callable[[], object], parent: QObject
    ) -> None:
        """Call `then` after each answer, as long as `parent` lives."""
        super().__init__(parent)
        self._bridge, self._world, self._then = bridge, world, then
        self.read: Read | None = None
        self._before: tuple[World, datetime, Statistics] | None = None
        self.failed = ""
        self._wanted = self._busy = False
        self._timer = QTimer(self, singleShot=True, interval=EVERY_MS)
        self._timer.timeout.connect(self._go)
        self._patient = QTimer(self, singleShot=True, interval=PATIENT_MS)
        self._patient.timeout.connect(self.ask)

    def ask_later(self) -> None:
        """Say that a figure moved a little; a reading walks through every fill and would be felt by alerts."""
        if not self._patient.isActive():
            self._patient.start()

    def ask(self) -> None:
        """Say that what was read is out of date."""
        self._wanted = True
        if not self._busy and not self._timer.isActive():
            self._go()

    def _go(self) -> None:
        if self._wanted and not self._busy:
            self._wanted, self._busy = False, True
            self._bridge.run(self._both(), self._done)

    def forget(self) -> None:
        """Read from the beginning the next time."""
        self._before = None

    async def _both(self) -> Read:
        """Read today, and what was before once a day: it stays as it is, and takes long after a year."""
        doors, world = self._bridge.doors, self._world()
        since = midnight(doors.now())
        today = await doors.read_statistics(world, since)
        if self._before is not None and self._before[:2] == (world, since):
            return Read(self._before[2] + today, today)
        everything = await doors.read_statistics(world, None)
        if await doors.read_statistics(world, since) == today:  # nothing closed between the two readings
            self._before = (world, since, everything - today)
        return Read(everything, today)

    def _done(self, read: Read | Refusal) -> None:
        self._busy = False
        if isinstance(read, Refusal):
            self.failed = translated(read.message)
        else:
            self.read, self.failed = read, ""
        self._timer.start()
        self._then()


class Results(QWidget):
    """List ten facts, in one column or in two."""

    def __init__(self) -> None:
        """Start in one column."""
        super().__init__()
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(0)
        self._lists: list[Facts] = []
        self._of: dict[str, Facts] = {}
        self._shown: dict[str, tuple[str, Token, str]] = {}
        self.set_columns(1)

    def set_columns(self, count: int) -> None:
        """Put the facts below one another, or in two columns."""
        for facts in self._lists:
            self._row.removeWidget(facts)
            facts.deleteLater()
        parts = [(*LEFT, *RIGHT)] if count == 1 else [LEFT, RIGHT]
        self._lists = []
        for part in parts:
            facts = Facts(unit_width=26)
            for key, label, unit, tip in part:
                facts.add(key, label, unit=unit, tip=tip)
                self._of[key] = facts
            self._row.addWidget(facts, 1)
            self._lists.append(facts)
        self._row.setSpacing(px(12) if count > 1 else 0)
        for key, (text, token, tip) in self._shown.items():
            self._of[key].show_fact(key, text, token, tip=tip)

    def text(self, key: str) -> str:
        """Return what a fact says."""
        return self._of[key].text(key)

    def show_money(self, realized: Decimal, unrealized: Decimal | None) -> None:
        """Show what changes with every price."""
        total = None if unrealized is None else realized + unrealized
        for key, value in (("realized", realized), ("unrealized", unrealized), ("total", total)):
            self._show_result(key, value)

    def show_statistics(self, read: Read | None) -> None:
        """Show what the database said."""
        if read is None:
            return
        all_time, today = read.all, read.today
        self._show("win_rate", number(all_time.win_rate, 1))
        self._show_result("average_win", all_time.average_win)
        self._show_result("average_loss", all_time.average_loss)
        self._show("profit_factor", number(all_time.profit_factor, 2))
        self._show("trades", f"{all_time.trades:,}")
        self._show("today", f"{today.trades:,}")
        self._show("volume", usd(today.volume), tip=exact(today.volume))

    def _show_result(self, key: str, value: Decimal | None) -> None:
        self._show(
            key, signed_usd(value), result_token(value), "" if value is None else f"{exact(value)} USD"
        )

    def _show(self, key: str, text: str, token: Token = "text", tip: str = "") -> None:
        shown = (text, "text3" if text == MISSING else token, tip)
        if self._shown.get(key) != shown:
            self._shown[key] = shown
            self._of[key].show_fact(key, shown[0], shown[1], tip=self._hint(key, tip))

    @staticmethod
    def _hint(key: str, exactly: str) -> str:
        hint = next(tip for name, _, _, tip in (*LEFT, *RIGHT) if name == key)
        return f"{hint}\n{exactly}" if exactly else hint
