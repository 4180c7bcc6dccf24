"""A paper exchange with everything it needs, in memory and on a virtual clock, for tests to read like prose."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from execution_engine.adapters.exchanges.instruments import load
from execution_engine.adapters.exchanges.paper import PaperExchange
from execution_engine.adapters.exchanges.paper_book import Portion
from execution_engine.adapters.exchanges.paper_faults import PaperFaults
from execution_engine.adapters.exchanges.paper_rows import PaperTerms
from execution_engine.domain.inputs import Balances, Input, OpenOrders, OrderReport, Price
from execution_engine.domain.instrument import Action, Instrument, Market, Side
from execution_engine.domain.rows import Order, OrderType, Purpose

SHIPPED = Path(__file__).resolve().parents[3] / "resources" / "instruments.json"
RULES: dict[tuple[str, str], Instrument] = {instrument.key: instrument for instrument in load(SHIPPED)}
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
SPOT, SWAP = "paper", "paper-perp"

Kind = TypeVar("Kind")


def rules(exchange: str, symbol: str) -> Instrument | None:
    return RULES.get((exchange, symbol))


def D(number: str | int) -> Decimal:
    return Decimal(number)


class VirtualClock:
    """Stands still until somebody sleeps or moves it."""

    def __init__(self, now: datetime = START) -> None:
        self._now = now
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)


class World:
    """An exchange with a spot and a swap account, and everything it posted."""

    def __init__(
        self,
        path: Path | None = None,
        *,
        terms: PaperTerms | None = None,
        leverage: str = "1",
        faults: PaperFaults | None = None,
        inline: bool = True,
    ) -> None:
        self.terms = terms or PaperTerms()
        self.clock = VirtualClock()
        self.posted: list[Input] = []
        self.ids = count(1)
        self.exchange = PaperExchange(
            path,
            rules,
            self.clock,
            self.posted.append,
            lambda: self.terms,
            leverage=lambda account: Decimal(leverage),
            faults=faults,
            sleep=self.clock.sleep,
            inline=inline,
        )
        self.exchange.open_account(SPOT, Market.SPOT)
        self.exchange.open_account(SWAP, Market.SWAP)

    async def price(
        self,
        last: str,
        symbol: str = "BTCUSDT",
        *,
        exchange: str = "binance",
        bid: str = "0",
        ask: str = "0",
        portion: Portion | None = None,
    ) -> None:
        """Move one market; bid and ask where there is a spread."""
        price = Price(
            exchange=exchange,
            symbol=symbol,
            last=Decimal(last),
            bid=Decimal(bid),
            ask=Decimal(ask),
            at=self.clock.now(),
        )
        await self.exchange.move([price], portion)

    def order(
        self,
        action: str,
        quantity: str | Decimal,
        price: str | Decimal | None = None,
        symbol: str = "BTCUSDT",
        **changes: Any,
    ) -> Order:
        """Intend to buy or sell; without a price at market. The account fits the symbol."""
        number = next(self.ids)
        order = Order(
            id=number,
            client_order_id=f"e{number:031}",
            account=SWAP if symbol.endswith(".P") else SPOT,
            exchange="binance",
            symbol=symbol,
            group_id=1,
            purpose=Purpose.ENTRY,
            position=Side.LONG,
            action=Action(action),
            type=OrderType.MARKET if price is None else OrderType.LIMIT,
            price=None if price is None else Decimal(price),
            quantity=Decimal(quantity),
            created_at=self.clock.now(),
        )
        return replace(order, **changes)

    async def place(self, order: Order) -> OrderReport:
        (report,) = await self.exchange.place([order])
        return report

    async def buy(self, quantity: str, price: str | None = None, **changes: Any) -> OrderReport:
        return await self.place(self.order("buy", quantity, price, **changes))

    async def sell(self, quantity: str, price: str | None = None, **changes: Any) -> OrderReport:
        return await self.place(self.order("sell", quantity, price, **changes))

    async def cancel(self, order: Order) -> OrderReport:
        (report,) = await self.exchange.cancel([order])
        return report

    async def free(self, account: str = SPOT) -> dict[str, Decimal]:
        """Return what can be spent, without what is used up."""
        answer = await self.exchange.balances(account)
        assert isinstance(answer, Balances)
        return {currency: amount for currency, amount in answer.free.items() if amount}

    async def opened(self, account: str = SPOT) -> OpenOrders:
        answer = await self.exchange.open_orders(account)
        assert isinstance(answer, OpenOrders)
        return answer

    async def position(self, symbol: str = "BTCUSDT.P") -> Decimal:
        return (await self.opened(SWAP)).positions.get(("binance", symbol), Decimal(0))

    def said(self, kind: type[Kind]) -> list[Kind]:
        """Return what of one kind was posted, and forget everything that was."""
        found: list[Kind] = [entry for entry in self.posted if isinstance(entry, kind)]
        self.posted.clear()
        return found


def planned(*faults: Any) -> Callable[..., Any]:
    """Plan faults for the next calls, None where a call goes well."""
    waiting = iter(faults)
    return lambda call, account, client_order_id: next(waiting, None)
