"""The desk and everything that serves it, joined: the same in the application and in the simulation."""

from __future__ import annotations

from collections.abc import Callable

from execution_engine.domain.inputs import Started
from execution_engine.engine.book import Book
from execution_engine.engine.desk import Desk
from execution_engine.engine.feed import Feed
from execution_engine.engine.lanes import Lanes
from execution_engine.engine.ports import Clock, Exchange, Store
from execution_engine.engine.reconcile import Reconcile
from execution_engine.engine.tasks import Tasks
from execution_engine.engine.watch import Prices, Watch


class Running:
    """One book at work on one store.

    exchange: gives an account's way to its exchange by the account's name.
    """

    def __init__(
        self, book: Book, store: Store, clock: Clock, exchange: Callable[[str], Exchange], prices: Prices
    ) -> None:
        self.book = book
        self.feed = Feed()
        self.tasks = Tasks()
        self.desk = Desk(book, store, clock, self.feed)
        self.lanes = Lanes(book, exchange, self.desk.post, clock, self.tasks)
        self.watch = Watch(book, prices)
        self.reconcile = Reconcile(book, exchange, self.desk.post)
        self.feed.on_released(self.lanes.released)
        self.feed.on_released(self.watch.released)

    def start(self) -> None:
        """Begin: nothing is known to be true until each exchange has answered."""
        self.desk.post(Started())
        self.watch.start()
        self.tasks.spawn("clock", self.desk.keep_time())
        self.tasks.spawn("watch", self.watch.keep())
        for name in self.book.accounts:
            self.tasks.spawn(f"reconcile {name}", self.reconcile.keep(name))

    @property
    def busy(self) -> bool:
        """Return whether a change is not durable yet or orders are at the exchange."""
        return self.desk.behind > 0 or self.lanes.busy

    async def stop(self) -> None:
        """Send nothing more and end every task; what was decided is the store's."""
        self.lanes.stop()
        await self.tasks.stop()
