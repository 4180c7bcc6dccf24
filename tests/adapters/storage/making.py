"""Rows for the tests: whole ones with little said, and any ones that Hypothesis can think of."""

import types
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cache
from queue import SimpleQueue
from typing import Any, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from execution_engine.domain.errors import StoreFailed
from execution_engine.domain.instrument import Action, Market, Side
from execution_engine.domain.rows import (
    Alert,
    Fill,
    Group,
    Layer,
    Leg,
    LogEntry,
    Order,
    OrderType,
    Purpose,
    Pyramid,
    Row,
    World,
)
from execution_engine.domain.signal import Signal, TakeProfitMode

NOW = datetime(2026, 11, 20, 10, 3, 38, 123456, tzinfo=UTC)
D = Decimal
GRID = tuple(Layer(gap_percent=D(-n), weight_percent=D(20), tp_percent=D("1.5")) for n in range(5))


def group(id: int = 1, **changes: Any) -> Group:
    made = Group(
        id=id,
        account="main",
        world=World.PAPER,
        exchange="binance",
        symbol="BTCUSDT",
        market=Market.SPOT,
        base="BTC",
        quote="USDT",
        timeframe="15m",
        side=Side.LONG,
        alert_id=1,
        grid_name="default",
        grid=GRID,
        max_pyramids=5,
        tp_mode=TakeProfitMode.PER_LEG,
        tp_aggregate_percent=D(1),
        tp_order=OrderType.MARKET,
        on_flat="close",
        created_at=NOW,
    )
    return replace(made, **changes)


def pyramid(id: int, group_id: int = 1) -> Pyramid:
    price, capital = D("65000"), D("1000")
    return Pyramid(
        id=id,
        group_id=group_id,
        index=0,
        alert_id=1,
        base_price=price,
        capital_usd=capital,
        grid_name="default",
        created_at=NOW,
    )


def leg(id: int, pyramid_id: int, group_id: int = 1, **changes: Any) -> Leg:
    made = Leg(
        id=id,
        group_id=group_id,
        pyramid_id=pyramid_id,
        pyramid_index=0,
        index=0,
        gap_percent=D("-1.5"),
        weight_percent=D(20),
        tp_percent=D("1.5"),
        price=D("64025.00"),
        quantity=D("0.00307"),
        tp_price=D("64985.38"),
    )
    return replace(made, **changes)


def order(id: int, group_id: int = 1, **changes: Any) -> Order:
    made = Order(
        id=id,
        client_order_id=f"c{id}",
        account="main",
        exchange="binance",
        symbol="BTCUSDT",
        group_id=group_id,
        purpose=Purpose.ENTRY,
        position=Side.LONG,
        action=Action.BUY,
        type=OrderType.LIMIT,
        price=D("64025.00"),
        quantity=D("0.00307"),
        created_at=NOW,
    )
    return replace(made, **changes)


def fill(id: int, order_id: int, group_id: int = 1, **changes: Any) -> Fill:
    made = Fill(
        id=id,
        account="main",
        exchange="binance",
        symbol="BTCUSDT",
        trade_id=f"t{id}",
        order_id=order_id,
        group_id=group_id,
        purpose=Purpose.ENTRY,
        action=Action.BUY,
        price=D("64025.00"),
        quantity=D("0.00307"),
        fee=D("0.19"),
        fee_currency="USDT",
        fee_value=D("0.19"),
        at=NOW,
    )
    return replace(made, **changes)


def alert(id: int, **changes: Any) -> Alert:
    signal = Signal(exchange="binance", symbol="BTCUSDT", market=Market.SPOT, timeframe="15m")
    made = Alert(
        id=id,
        received_at=NOW + timedelta(seconds=id),
        body="{}",
        parsed=signal,
        exchange="binance",
        symbol="BTCUSDT",
        timeframe="15m",
    )
    return replace(made, **changes)


def line(id: int, text: str = "something happened", at: datetime = NOW) -> LogEntry:
    return LogEntry(id=id, at=at, level="INFO", category="SYSTEM", code="test", text=text)


def family(id: int, **changes: Any) -> tuple[Group, Pyramid, Leg, Order, Fill]:
    """Return a group that filled one leg, everything with ids from `id` on and figures that agree."""
    quantity, cost, fee = D("0.00307"), D("64025.00") * D("0.00307"), D("0.19")
    sums = {"filled_quantity": quantity, "open_quantity": quantity}
    booked = {"filled_quantity": quantity, "filled_cost": cost}
    return (
        group(id, **(sums | changes)),
        pyramid(id + 1, id),
        leg(id + 2, id + 1, id, entry_fees=fee, open_quantity=quantity, **booked),
        order(id + 3, id, pyramid_id=id + 1, leg_id=id + 2, fee_value=fee, **booked),
        fill(id + 4, id + 3, id),
    )


class Answers:
    """Stands for the event loop: what the store schedules waits here until the test runs it."""

    def __init__(self) -> None:
        self._scheduled: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self.heard: list[Any] = []

    def call(self, callback: Callable[[], None]) -> None:
        self._scheduled.put(callback)

    def run_next(self) -> None:
        self._scheduled.get(timeout=20)()

    def note(self, name: Any = None) -> Callable[[StoreFailed | None], None]:
        """Return a `then` that records its name, or the failure."""
        return lambda failed: self.heard.append(failed or name)


def nothing(_: StoreFailed | None) -> None:
    pass


def committed(store: Any, *rows: Row) -> None:
    """Write to a store without a thread, and insist."""
    failures: list[StoreFailed | None] = []
    store.write(rows, failures.append)
    assert failures == [None]


# Whatever a type allows. SQLite's texts hold neither NUL nor halves of surrogate pairs.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
NUMBERS = st.builds(
    lambda digits, places: D(digits).scaleb(-places),
    st.integers(-(10**25), 10**25),
    st.integers(0, 18),
)
TIMES = st.datetimes(datetime(1990, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda at: at.replace(fold=0)  # UTC repeats no hour
)


@cache
def any_of(kind: Any) -> st.SearchStrategy[Any]:
    """Return a strategy for every value that a type allows in a row."""
    if get_origin(kind) in (Union, types.UnionType):
        return st.one_of(*map(any_of, get_args(kind)))
    if get_origin(kind) is tuple:
        items = get_args(kind)
        if items[1:] == (...,):
            return st.lists(any_of(items[0]), max_size=4).map(tuple)
        return st.tuples(*map(any_of, items))
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return st.builds(kind, **{field.name: any_of(hints[field.name]) for field in fields(kind)})
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return st.sampled_from(kind)
    simple: dict[Any, st.SearchStrategy[Any]] = {
        int: st.integers(-(2**63), 2**63 - 1),
        bool: st.booleans(),
        str: TEXTS,
        D: NUMBERS,
        datetime: TIMES,
        type(None): st.none(),
    }
    return simple[kind]
