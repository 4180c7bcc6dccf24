"""The application in this process, on one loop with a local exchange that it reaches over real sockets.

Nothing of the application is replaced but where names lead. A process of its own per story would show no more, and
takes ten times as long; those that are about death have one (test_real_exchanges.py).
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from execution_engine.adapters.exchanges import ccxt_prices
from execution_engine.adapters.security import vault as vaults
from execution_engine.adapters.security.password import Cost
from execution_engine.core import Options
from execution_engine.domain import alert as alerts
from execution_engine.domain import document as documents
from execution_engine.domain.errors import Refusal
from execution_engine.domain.inputs import AlertReceived, Answer, SaveSettings
from execution_engine.domain.instrument import Market
from execution_engine.domain.rows import AccountStatus, Group, Leg, Mode, Order, OrderStatus
from execution_engine.domain.settings import PaperFeed
from execution_engine.main import Application
from tests.adapters.exchanges.matrix import without_processes
from tests.exchanges import Account, LocalExchanges
from tests.exchanges.application import lead_to

D = Decimal
PATIENCE_S = 20.0
LETTERS = {"f": "filled", "h": "tp_hit", "o": "open", "c": "cancelled"}
OVER = (OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.REJECTED, OrderStatus.FAILED)
MODES = {"binance": Mode.DEMO, "bybit": Mode.TESTNET, "okx": Mode.DEMO, "kucoin": Mode.LIVE}


@dataclass
class Trading:
    """One account on one exchange, and the application that trades it; prices are measured from 100 [%]."""

    world: LocalExchanges
    application: Application
    exchange: str
    market: Market
    theirs: Account
    sign: int = 1
    coin: str = "LTC"
    ids: Any = field(default_factory=lambda: itertools.count(1))

    @property
    def local(self) -> Any:
        return self.world[self.exchange]

    @property
    def ticker(self) -> str:
        return f"{self.coin}USDT{'.P' if self.market is Market.SWAP else ''}"

    def of(self, coin: str) -> Trading:
        """Return the same on another market."""
        return Trading(
            self.world, self.application, self.exchange, self.market, self.theirs, self.sign, coin, self.ids
        )

    @property
    def book(self) -> Any:
        return self.application.core.book

    # What happens outside

    def price(self, price: object) -> None:
        """Move the market: the bid where it is said to be, and the ask one tick above."""
        tick = self.local.listings[self.ticker].rules.tick
        bid = (D(str(price)) / tick).quantize(D(1)) * tick
        self.local.price(self.ticker, bid, bid=bid, ask=bid + tick)

    def goes(self, percent: str) -> None:
        """Let the price stand so far from 100; above zero is good for the position."""
        self.price(100 + self.sign * D(percent))

    async def alert(self, **fields: Any) -> Answer | Refusal:
        """Send an alert through the door; what is not given is an entry from 100 to the side of this story."""
        body = {
            "exchange": self.exchange.upper(), "symbol": self.ticker, "timeframe": "15", "account": "real",
            "id": f"story {next(self.ids)}",
        } | fields  # fmt: skip
        if not {"action", "type"} & set(fields):
            body |= {"action": "buy" if self.sign > 0 else "sell"}
        if "type" not in fields:
            body.setdefault("entry_price", "100")
        read = alerts.read(json.dumps(body).encode())
        assert isinstance(read, alerts.Body)
        parsed = alerts.parse(read, self.application.catalogue)
        assert isinstance(parsed, alerts.ParsedAlert), parsed
        return await self.application.core.desk.ask(
            AlertReceived(
                signal=parsed.signal,
                key=parsed.key,
                body=parsed.body,
                body_hash=parsed.body_hash,
                received_at=self.application.clock.now(),
            )
        )

    # What is seen

    @property
    def groups(self) -> list[Group]:
        """Return this market's groups, oldest first."""
        found = [row for row in self.book.groups.values() if row.symbol == self.ticker]
        return sorted(found, key=lambda row: row.id)

    def legs(self, group: Group) -> list[Leg]:
        return [self.book.legs[id] for id in self.book.legs_of(group.id)]

    async def until(self, true: Callable[[], object], what: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not true():  # noqa: ASYNC110 (what is waited for has no event)
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"waited for: {what}\n{self.told()}") from None

    def told(self) -> str:
        """Say how things stand, for a story that waits in vain."""
        lines = [
            f"{group.id} {group.side} {group.status} {[leg.status.value for leg in self.legs(group)]}"
            for group in self.groups
        ]
        orders = [one for one in self.book.orders.values() if one.status not in OVER]
        lines += [
            f"{one.id} {one.purpose} {one.action} {one.quantity} {one.status} {one.reason}" for one in orders
        ]
        lines += [f"{row.name} {row.status} {row.reason}" for row in self.book.accounts.values()]
        lines.append(f"price {self.book.price((self.exchange, self.ticker))}")
        return "\n".join(lines)

    async def rests(self, legs: int = 5, after: int = 0) -> Group:
        """Wait until every leg of the newest group rests there or has filled, and compare it with the exchange."""
        placed = ("open", "filled", "partially_filled")

        def there() -> bool:
            groups = self.groups
            return (
                len(groups) > after
                and [one.status in placed for one in self.legs(groups[-1])] == [True] * legs
            )

        await self.until(there, f"{legs} legs of {self.ticker} rest")
        group = self.groups[-1]
        known = {one.client_id: one for one in self.theirs.orders}
        for id in self.book.orders_of(group.id):
            order: Order = self.book.orders[id]
            if order.purpose == "entry" and order.price is not None:
                one = known[order.client_order_id]
                assert (one.price, one.quantity) == (order.price, order.quantity)
        return group

    async def stand(self, statuses: str) -> list[Leg]:
        """Wait until the newest group's legs stand like this: f filled, h at its target, o open, c cancelled."""
        wanted = [LETTERS[letter] for letter in statuses]
        await self.until(
            lambda: [leg.status for leg in self.legs(self.groups[-1])] == wanted, f"legs stand {statuses}"
        )
        return self.legs(self.groups[-1])

    async def ends(self, number: int = -1) -> Group:
        """Wait until a group has ended and prove that nothing is left, and that both sides know the same."""
        await self.until(
            lambda: self.groups and self.groups[number].status in ("closed", "cancelled", "expired"),
            "the end",
        )
        return self.groups[number]

    # What is proven

    def prove_same(self) -> None:
        """Compare every order and every trade of this market with the exchange's; each is there once."""
        ours = {row.client_order_id: row for row in self.book.orders.values() if row.symbol == self.ticker}
        theirs = [one for one in self.theirs.orders if one.symbol == self.ticker]
        assert not [id for id, count in Counter(one.client_id for one in theirs).items() if count > 1]
        assert {one.client_id for one in theirs} <= set(ours)
        for one in theirs:
            row = ours[one.client_id]
            assert (row.filled_quantity, row.filled_cost, row.status) == (one.filled, one.value, one.status)
        sent = {id for id, row in ours.items() if row.filled_quantity or row.status == "open"}
        assert sent <= {one.client_id for one in theirs}
        fees = sum((row.fee_value for row in ours.values()), D(0))
        traded = [trade for one in theirs for trade in one.trades]
        said = [t.fee if t.fee_currency == "USDT" else t.fee * t.price for t in traded]
        assert abs(fees - sum(said, D(0))) < D("1e-9")

    def prove_flat(self) -> None:
        """Nothing rests there, and nothing but dust is held."""
        assert not [one for one in self.theirs.open_orders if one.symbol == self.ticker]
        if self.market is Market.SWAP:
            assert self.theirs.position(self.ticker) == 0
        else:
            assert self.theirs.wallet("spot").get(self.coin, D(0)) < D("0.1")


@asynccontextmanager
async def at_exchange(
    folder: Path,
    patch: Any,
    exchange: str,
    market: Market,
    streams: bool,
    sign: int,
    settings: dict[str, Any],
    *,
    add: int = 0,
) -> AsyncIterator[Trading]:
    """Run the application with one account on one exchange, which trades there."""
    mode = MODES[exchange] if (exchange, market) != ("binance", Market.SPOT) else Mode.LIVE
    async with LocalExchanges(exchange) as world:
        lead_to(world.routes_file)
        local = world[exchange]
        local.unlimited()
        local.add_markets(add)
        if not streams:
            local.streams.refuse = True
            # Asking takes the streams' place; quicker here, where nobody counts.
            patch.setattr(ccxt_prices, "LOOK_S", 0.05)
            patch.setattr(ccxt_prices, "ASK_EVERY_S", 0.1)
        theirs = local.account(mode=mode.value, USDT="100000")
        options = Options(data_dir=str(folder), port=0, paper_feed=PaperFeed.MANUAL)
        application = Application(options)
        await asyncio.to_thread(application.open)
        here = Trading(world, application, exchange, market, theirs, sign)
        try:
            await application.start()
            await here.until(lambda: application.status()[0] == "running", "it runs")
            wanted = {
                "capital.total_usd": "50000",
                "take_profit.on_flat": "close",
                "orders.poll_s": 1,
            } | settings
            document = application.core.book.settings
            for path, value in wanted.items():
                document = documents.with_value(document, path, value)
            await application.core.desk.ask(SaveSettings(document=documents.dump(document)))
            here.goes("1")
            keys = theirs.keys
            given = {"api_key": keys.api_key, "api_secret": keys.secret, "passphrase": keys.passphrase}
            patch.setattr(vaults, "calibrated", lambda: Cost(memory_mib=8, passes=1))
            await application.unlocking.ready("of a story")
            with without_processes():  # the markets are read now; that a process does is shown elsewhere
                await application.accounts.add("real", exchange, market, mode, given)
            await application.accounts.enable("real")
            rows = application.core.book.accounts
            await here.until(lambda: rows["real"].status is AccountStatus.READY, "the account is ready")
            yield here
        finally:
            await here.application.stop()
            here.application.close()
