"""Positions with round figures for the risk engine: each opened by an alert, filled at its price, moved by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from execution_engine.domain import document as documents
from execution_engine.domain.inputs import Evaluate, OpenOrders, Price, RunRisk, SaveSettings
from execution_engine.domain.instrument import Instrument, Side
from execution_engine.domain.risk_candidate import Candidate, candidate
from execution_engine.domain.rows import (
    Account,
    AccountStatus,
    Group,
    GroupStatus,
    Mode,
    Order,
    OrderStatus,
    OrderType,
    RiskAction,
    World,
)
from execution_engine.domain.settings import Risk, Settings
from execution_engine.domain.signal import TakeProfitMode
from tests.house import NOON, D, House, Market, perp, spot

ONE_LEG = [{"gap_percent": "0", "weight_percent": "100", "tp_percent": "500"}]
THREE_LEGS = [
    {"gap_percent": "0", "weight_percent": "50", "tp_percent": "500"},
    {"gap_percent": "-1", "weight_percent": "30", "tp_percent": "500"},
    {"gap_percent": "-2", "weight_percent": "20", "tp_percent": "500"},
]
RULES: dict[str, Any] = {"step": D("0.001"), "min_qty": D("0.001"), "min_notional": D(5)}
MARKETS = [spot(f"{name}USDT", **RULES) for name in "LMABCD"] + [
    perp(f"{name}USDT.P", tick=D("0.01"), contract_size=D("0.1"), step=D("0.1"), min_qty=D("0.1"))
    for name in "LMABCD"
]
READY = {
    "pool.max_pyramids": 1,
    "risk.post_full_wait_minutes": 0,
    "risk.rehearsal": False,
    "paper.taker_fee_percent": D(0),
    "grid.profiles": {"default": ONE_LEG},
    "signals.max_deviation_percent": D(1000),
    "signals.max_capital_usd": D(1000000),
}


class RiskHouse(House):
    """A house with markets L, M (losers) and A to D (winners), and groups that can be the loser at once."""

    def __init__(self, settings: dict[str, Any] | None = None, **more: Any) -> None:
        super().__init__(READY | (settings or {}), ready=False, **more)
        self.catalogue.add(MARKETS)
        self.reconcile()

    def reconcile(self) -> None:
        """Read every account as an exchange that holds what the books say."""
        self.catalogue.add(MARKETS)
        super().reconcile()

    def hold(self, name: str, quantity: str, entry: str, *, fee: str = "0", **alert: Any) -> Group:
        """Open a position of one leg: `A` is AUSDT on spot, `A.P` its perpetual; `side` may be short."""
        symbol = f"{name.removesuffix('.P')}USDT{'.P' if name.endswith('.P') else ''}"
        self.price(symbol, entry)
        capital = str(D(quantity) * D(entry))
        given = {"symbol": symbol, "price": entry, "capital_usd": capital, "timeframe": "15"} | alert
        if given.pop("side", "long") == "short":
            given["action"] = "sell"
        self.alert(**given)
        group = self.groups[-1]
        for order in [o for o in self.working if o.group_id == group.id]:
            self.fill(order, fee_percent=fee)
        return self.book.groups[group.id]

    def move(self, **prices: str) -> None:
        """Set prices by hand: A=… for AUSDT, A_P=… for its perpetual."""
        for name, price in prices.items():
            letter, *swap = name.split("_")
            self.price(f"{letter}USDT{'.P' if swap else ''}", price)

    def worked_example(self, *, fee: str = "0", swap: bool = False, short: bool = False) -> None:
        """Hold the positions of the worked example at their prices before the offset."""
        end, side = (".P" if swap else ""), ("short" if short else "long")
        for name, quantity, entry in (("L", "10", "100"), ("A", "100", "10"), ("B", "20", "50")):
            self.hold(name + end, quantity, entry, fee=fee, side=side)
        prices = {"L": "106", "A": "9.5", "B": "48"} if short else {"L": "94", "A": "10.5", "B": "52"}
        self.move(**{name + ("_P" if swap else ""): price for name, price in prices.items()})

    def evaluate(self, world: World = World.PAPER) -> None:
        self.desk.post(Evaluate(world=world))

    def run(self, world: World | None = None) -> Any:
        return self.post(RunRisk(world=world))

    def of(self, name: str) -> Group:
        """Return the newest group of a market."""
        symbol = f"{name.removesuffix('.P')}USDT{'.P' if name.endswith('.P') else ''}"
        return next(group for group in reversed(self.groups) if group.symbol == symbol)

    @property
    def actions(self) -> list[RiskAction]:
        return list(self.book.risk_actions.values())

    @property
    def action(self) -> RiskAction:
        """Return the one offset or rehearsal."""
        (action,) = [action for action in self.actions if not action.type.startswith("manual")]
        return action

    @property
    def offsets(self) -> list[Order]:
        return self.orders("offset")

    def next_offset(self) -> Order:
        """Return the one close of an offset that is on its way."""
        (order,) = [order for order in self.working if order.purpose == "offset"]
        return order

    def carry_out(self, fee: str = "0") -> list[tuple[str, str]]:
        """Fill every close of an offset at the market's price; return what was closed, in order."""
        done: list[tuple[str, str]] = []
        while orders := [order for order in self.working if order.purpose == "offset"]:
            for order in orders:
                self.fill(order, fee_percent=fee)
                done.append((order.symbol.removesuffix("USDT"), format(order.quantity.normalize(), "f")))
        return done

    def restarted(self) -> RiskHouse:
        """Return a new house on the same store, as after a kill."""
        house = RiskHouse.__new__(RiskHouse)
        House.__init__(house, store=self.store, ready=False)
        house.catalogue.add(MARKETS)
        house.clock.time = self.clock.time
        house.book.prices.update(self.book.prices)
        return house

    def reconcile_ledger(self) -> None:
        """Read every account as an exchange that holds what the books say."""
        if any(account.status is AccountStatus.RECONCILING for account in self.book.accounts.values()):
            for name in list(self.book.accounts):
                self.balance(name)
                self.post(OpenOrders(account=name, reports=(), at=self.clock.now()))
        else:
            self.reconcile()

    def post_grid(self, layers: list[dict[str, str]]) -> None:
        """Open what comes from now on with another grid."""
        document = documents.with_value(self.book.settings, "grid.profiles", {"default": layers})
        self.post(SaveSettings(document=documents.dump(document)))

    def put_on_hold(self, name: str, why: str) -> None:
        self.book.apply([replace(self.of(name), hold=why)])

    def confirm_cancels_of(self, *names: str) -> None:
        for order in self.working:
            if order.symbol[0] in names and order.cancel_sent_at is not None:
                self.says(order, status=OrderStatus.CANCELLED, about_cancel=True)

    def add_account(self, name: str, mode: Mode, market: Market = Market.SPOT) -> None:
        world = {Mode.PAPER: World.PAPER, Mode.LIVE: World.LIVE}.get(mode, World.TEST)
        account = Account(
            name=name,
            exchange="binance",
            market=market,
            mode=mode,
            world=world,
            enabled=True,
            created_at=NOON,
        )
        self.store.committed.append(account)
        self.book.apply([account])
        self.reconcile()


def group(id: int = 1, name: str = "L", quantity: str = "10", entry: str = "100", **more: Any) -> Group:
    """Return a position that could be the loser but for its price."""
    given: dict[str, Any] = {
        "account": "paper",
        "world": World.PAPER,
        "exchange": "binance",
        "symbol": f"{name}USDT",
        "market": Market.SPOT,
        "base": name,
        "quote": "USDT",
        "timeframe": "15m",
        "side": Side.LONG,
        "status": GroupStatus.ACTIVE,
        "alert_id": 1,
        "grid_name": "default",
        "grid": (),
        "max_pyramids": 1,
        "tp_mode": TakeProfitMode.PER_LEG,
        "tp_aggregate_percent": D(1),
        "tp_order": OrderType.MARKET,
        "on_flat": "close",
        "open_quantity": D(quantity),
        "avg_entry": D(entry),
        "invested": D(quantity) * D(entry),
        "created_at": NOON - timedelta(days=1),
        "timer_started_at": NOON - timedelta(hours=1),
        "timer_expires_at": NOON,
    }
    return Group(id=id, **(given | more))


def seen(
    of: Group, price: str | None, *, fee: str = "0", rules: Instrument | None = None, **account: Any
) -> Candidate:
    """Return a group as the risk engine sees it at a price; None: there is no fresh one."""
    quote = Price(exchange="binance", symbol=of.symbol, last=D(price), at=NOON) if price else None
    settings = documents.with_value(Settings(), "paper.taker_fee_percent", D(fee))
    return candidate(of, rules or spot(of.symbol, **RULES), quote, account_row(**account), settings, NOON)


def account_row(**changes: Any) -> Account:
    given: dict[str, Any] = {
        "name": "paper",
        "exchange": "paper",
        "market": Market.SPOT,
        "mode": Mode.PAPER,
        "world": World.PAPER,
        "enabled": True,
        "status": AccountStatus.READY,
        "created_at": NOON,
    }
    return Account(**(given | changes))


def risk(**changes: Any) -> Risk:
    return Risk(**changes)


def save(house: House, **changes: Any) -> None:
    """Change risk settings while the house runs."""
    document = house.book.settings
    for name, value in changes.items():
        document = documents.with_value(document, f"risk.{name}", value)
    house.post(SaveSettings(document=documents.dump(document)))
