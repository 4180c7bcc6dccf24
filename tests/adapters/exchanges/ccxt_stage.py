"""An account of ours on a local exchange: the adapter as the application builds it, over real sockets."""

import asyncio
import os
import shutil
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

from execution_engine.adapters.clock import SystemClock
from execution_engine.adapters.exchanges.catalogue import VENUES
from execution_engine.adapters.exchanges.ccxt_exchange import CcxtExchange
from execution_engine.adapters.exchanges.ccxt_markets import Markets
from execution_engine.domain.inputs import Instruments, OrderReport
from execution_engine.domain.instrument import Action, Instrument, Market, Side
from execution_engine.domain.keys import Keys
from execution_engine.domain.order import client_order_id, prefix
from execution_engine.domain.rows import Account, Mode, Order, OrderStatus, OrderType, Purpose, World
from execution_engine.domain.settings import AccountSettings
from tests.exchanges import LocalExchanges

INSTALL = "the-install-key-of-the-tests"
WORLDS = {Mode.LIVE: World.LIVE, Mode.DEMO: World.TEST, Mode.TESTNET: World.TEST}


@dataclass
class Stage:
    """local: the exchange. theirs: the account there. ours: the adapter. posted: what nobody waited for."""

    local: Any
    theirs: Any
    ours: CcxtExchange
    markets: Markets
    symbol: str
    clock: SystemClock
    posted: list[Any] = field(default_factory=list)
    rules: dict[tuple[str, str], Instrument] = field(default_factory=dict)
    terms: AccountSettings = field(default_factory=AccountSettings)
    ids: Any = field(default_factory=lambda: count(1))

    @property
    def instrument(self) -> Instrument:
        return self.rules[self.local.name, self.symbol]

    @property
    def venue(self) -> Any:
        return self.local.venue(self.ours.account.mode.value)

    def order(
        self, action: str = "buy", quantity: str = "", price: str | None = "60000", **more: Any
    ) -> Order:
        """Return an intent: a limit order, or one at market where there is no price."""
        id = next(self.ids)
        purpose = more.pop("purpose", Purpose.ENTRY)
        return Order(
            id=id,
            client_order_id=client_order_id(INSTALL, 1, id, 1),
            account=self.ours.account.name,
            exchange=self.local.name,
            symbol=self.symbol,
            group_id=1,
            purpose=purpose,
            position=more.pop("position", Side.LONG),
            action=Action(action),
            type=OrderType.LIMIT if price is not None else OrderType.MARKET,
            price=Decimal(price) if price is not None else None,
            quantity=Decimal(quantity or "0.01"),
            created_at=self.clock.now(),
            **more,
        )

    async def place(self, *orders: Order) -> list[OrderReport]:
        return list(await self.ours.place(orders))

    def sent(self, call: str) -> list[Any]:
        return list(self.local.calls(call))


def resting(order: Order, report: OrderReport) -> Order:
    """Return an order's row after it was acknowledged."""
    return replace(
        order,
        status=OrderStatus.OPEN,
        exchange_order_id=report.exchange_order_id,
        acknowledged_at=report.at,
        sent_at=report.at,
    )


@asynccontextmanager
async def stage(
    name: str, market: Market, mode: Mode = Mode.LIVE, *, price: str = "64000", **wallet: str
) -> AsyncIterator[Stage]:
    """Open a local exchange with one account on it, and ours at that account."""
    async with LocalExchanges(name) as world:
        local = world[name]
        symbol = "BTCUSDT" if market is Market.SPOT else "BTCUSDT.P"
        local.price(symbol, price)
        theirs = local.account(mode=mode.value, **(wallet or {"USDT": "100000"}))
        posted: list[Any] = []
        rules: dict[tuple[str, str], Instrument] = {}

        def post(said: Any) -> None:
            posted.append(said)
            if isinstance(said, Instruments):
                rules.update({one.key: one for one in said.instruments})

        clock = SystemClock()
        session = world.session()
        folder = Path(world.folder) / "markets"
        markets = Markets(VENUES[name], market, mode, folder, lambda: session, clock, post)
        await with_markets(markets, folder / f"{name}-{market}-{mode}.sqlite")
        keys = Keys(theirs.keys.api_key, theirs.keys.secret, theirs.keys.passphrase)
        account = Account(
            name="main",
            exchange=name,
            market=market,
            mode=mode,
            world=WORLDS[mode],
            enabled=True,
            created_at=datetime(2026, 11, 20, tzinfo=UTC),
        )
        made = Stage(local, theirs, None, markets, symbol, clock, posted, rules)  # type: ignore[arg-type]
        made.ours = CcxtExchange(
            account,
            lambda: keys,
            lambda: session,
            markets,
            lambda exchange, symbol: rules.get((exchange, symbol)),
            lambda: made.terms,
            prefix(INSTALL),
            lambda: [symbol],
            clock,
            post,
        )
        try:
            yield made
        finally:
            await made.ours.close()


async def with_markets(markets: Markets, file: Path) -> None:
    """Read the markets the way the application does; every other test of this run takes what was read."""
    kept = KEPT and KEPT / file.name
    if kept and kept.exists():
        await asyncio.to_thread(_copy, kept, file)
        await markets.tell()
        return
    await markets.refresh()
    if kept:
        await asyncio.to_thread(_copy, file, kept)


def _copy(file: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    half = to.with_name(f"{to.name}.{os.getpid()}.{threading.get_ident()}")
    shutil.copyfile(file, half)
    half.replace(to)  # another process may be reading it


KEPT: Path | None = None
"""Where this run keeps the markets that were read; `conftest.py` beside this says where."""
