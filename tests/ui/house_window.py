"""The hand-played desk with the whole window on it: its doors answer from the same book and rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from execution_engine.domain.errors import Refusal
from execution_engine.domain.inputs import History
from execution_engine.domain.rows import EquityPoint, Fill, Group, World
from execution_engine.domain.statistics import Statistics
from execution_engine.engine.state import running_status
from execution_engine.ui.doors import Doors, Light
from tests.house import D
from tests.ui.house_bridge import WatchedHouse


class WindowHouse(WatchedHouse):
    """A desk that answers everything a window asks. trouble: what the engine failed of."""

    def __init__(self, folder: Path, settings: dict[str, Any] | None = None, **more: Any) -> None:
        self.folder, self.trouble, self.feed_name = folder, "", "manual"
        self.quits = 0
        self.unreadable: Callable[[], None] = lambda: None
        super().__init__(settings, **more)

    def doors(self) -> Doors:
        return replace(
            super().doors(),
            data_folder=self.folder,
            status=lambda: running_status(self.book, self.clock.now(), failed=self.trouble),
            busy=lambda: False,
            lights=lambda: (
                Light(name="Webhook", state="ok", text="127.0.0.1:8787"),
                Light(name="Exchange", state="ok", text=f"paper · {self.feed_name} prices"),
            ),
            webhook_urls=lambda: [("TradingView", "http://127.0.0.1:8787/webhook/abc")],
            feed_name=lambda: self.feed_name,
            set_price=self._set_price,
            read_equity=self._equity,
            read_statistics=self._statistics,
            quit=self._quit,
        )

    def _quit(self) -> None:
        self.quits += 1

    async def _set_price(self, symbol: str, price: str) -> Sequence[str] | Refusal:
        name = symbol.rpartition(":")[2]
        if self.catalogue.get("binance", name) is None:
            return Refusal("unknown_symbol", f"No exchange has a market {symbol}.")
        self.by_hand(name, price)
        return [f"BINANCE:{name}"]

    def by_hand(self, symbol: str, price: str) -> None:
        """Set a price that does not age."""
        self.price(symbol, price)
        known = self.book.prices["binance", symbol]
        self.desk.post(replace(known, manual=True))

    async def _equity(self, world: World) -> Sequence[EquityPoint]:
        self.unreadable()
        return [row for row in self.store.committed if isinstance(row, EquityPoint) and row.world is world]

    async def _statistics(self, world: World, since: datetime | None) -> Statistics:
        self.unreadable()
        closed = [
            group
            for group in self.newest(Group).values()
            if group.status == "closed"
            and group.filled_quantity
            and (since is None or (group.closed_at or since) >= since)
        ]
        fills = [row for row in self.newest(Fill).values() if since is None or row.at >= since]
        won = [group.realized for group in closed if group.realized > 0]
        lost = [group.realized for group in closed if group.realized < 0]
        return Statistics(
            trades=len(closed),
            wins=len(won),
            losses=len(lost),
            won=sum(won, D(0)),
            lost=sum(lost, D(0)),
            realized=sum(won + lost, D(0)),
            fees=D(0),
            volume=sum((row.price * row.quantity for row in fills), D(0)),
        )

    def newest(self, kind: type[Any]) -> dict[int, Any]:
        return {row.id: row for row in self.store.committed if isinstance(row, kind)}

    @property
    def closed(self) -> list[History]:
        ended = [group for group in self.newest(Group).values() if group.status in ("closed", "failed")]
        return [History(group=group, pyramids=(), legs=(), orders=()) for group in reversed(ended)]

    # -- short stories

    def opened(self, symbol: str = "BTCUSDT", price: str = "65000", **fields: Any) -> Group:
        """Open a group, its orders accepted, nothing filled."""
        if symbol.endswith(".P"):
            self.balance("paper-perp")
        self.price(symbol, price)
        alert = self.alert(symbol=symbol, entry_price=price, **fields)
        self.accept()
        self.show()
        group_id = self.book.alerts[alert.id].group_id
        assert group_id is not None
        return self.book.groups[group_id]

    def holding(self, symbol: str = "BTCUSDT", price: str = "65000", **fields: Any) -> Group:
        """Open a group whose first leg filled."""
        group = self.opened(symbol, price, **fields)
        first = next(o for o in self.working if o.group_id == group.id and o.purpose == "entry")
        self.fill(first)
        self.show()
        return self.book.groups[group.id]

    def traded(self, symbol: str = "ETHUSDT", price: str = "3000", sold: str = "3030") -> Group:
        """Open a group and let its first leg hit its target; the rest is cancelled."""
        group = self.holding(symbol, price)
        self.price(symbol, sold)
        self.fill_all("take_profit", sold)
        self.confirm_cancels()
        self.show()
        return self.newest(Group)[group.id]

    def full_pool(self) -> None:
        """Use the only slot; the house must have been made with `pool.max_open_groups` = 1."""
        self.holding()

    def queued(self, symbol: str = "ETHUSDT", price: str = "3000", **fields: Any) -> int:
        """Let a signal wait and return the id of its row."""
        self.price(symbol, price)
        before = set(self.book.queue)
        self.alert(symbol=symbol, entry_price=price, **fields)
        self.show()
        (added,) = set(self.book.queue) - before
        return added
