"""The process dies in the middle of everything: after the restart all ends as if it had not."""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.nest import Process
from tests.stories.installation import (
    D,
    Installation,
    Markets,
    Plain,
    groups_of,
    legs_of,
    orders_of,
    until,
)

# A request is on its way for half of it and its answer for the other half: time to die in between.
LATENCY_MS = 200

MOMENTS = ["never", "right after the answer", "with the request at the exchange"]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory, nest: Process | None) -> Iterator[Installation]:
    """Give an installation that dies again and again; at the end its books are compared with the exchange's."""
    installation = Installation(
        tmp_path_factory.mktemp("killed") / "data",
        nest=nest,
        capital__total_usd="50000",
        pool__max_open_groups=50,
        signals__max_entries_per_day=0,
        paper__start_balance_usd="1000000",
        paper__latency_ms=LATENCY_MS,
    )
    try:
        yield installation.start()
        installation.stop()
        installation.prove_books()
    finally:
        installation.give_up()


@pytest.fixture
def spot(engine: Installation, markets: Markets) -> str:
    """Give a spot market at 101, which no other story uses."""
    symbol = markets.spot()
    engine.price(symbol, 101)
    return symbol


@pytest.fixture
def perpetual(engine: Installation, markets: Markets) -> str:
    symbol = markets.perpetual()
    engine.price(symbol, 101)
    return symbol


def at_the_exchange(engine: Installation) -> list[tuple[Any, ...]]:
    """Return what the exchange has noted so far, whether or not the engine was told."""
    return [(row["client_order_id"], row["status"], row["filled_quantity"]) for row in engine.paper_orders()]


def dies(engine: Installation, moment: str, act: Callable[[], Any]) -> Any:
    """Do something, and let the process die at a moment of what follows from it."""
    before = at_the_exchange(engine)
    answer = act()
    if moment == "never":
        return answer
    if moment == "with the request at the exchange":
        until(lambda: at_the_exchange(engine) != before, "the request arrives")
    engine.restart(ready=False)
    if moment == "twice":
        engine.restart(ready=False)
    return answer


def states(group: Plain) -> str:
    """Write the states of a group's legs by their first letters: o open, f filled, t at its target, c cancelled."""
    return "".join(leg["status"][0] for leg in legs_of(group))


def wait_for_legs(engine: Installation, symbol: str, wanted: str) -> Plain:
    engine.wait_for(
        lambda state: states(groups_of(state, symbol)[-1]) == wanted, f"legs {wanted} of {symbol}"
    )
    return engine.groups(symbol)[-1]


def prove_flat(engine: Installation, symbol: str) -> None:
    """Nothing works on the exchange in a market, and no perpetual is held there."""
    exchange, _, ticker = symbol.rpartition(":")
    market = (exchange.lower(), ticker)
    working = [row for row in engine.paper_orders() if (row["exchange"], row["symbol"]) == market]
    assert {row["status"] for row in working} <= {"filled", "cancelled"}
    for row in engine.rows("SELECT * FROM position", file="paper"):
        assert (row["exchange"], row["symbol"]) != market or D(row["quantity"]) == 0


@pytest.mark.fault(15, 56)
@pytest.mark.parametrize("moment", MOMENTS)
def test_an_entry(engine: Installation, spot: str, moment: str) -> None:
    alert = dies(engine, moment, lambda: engine.accepted(spot, id=f"the one for {spot}", price=100))
    told = engine.alert(spot, id=f"the one for {spot}", price=100)
    assert (told.status, told.alert) == (200, alert)  # a copy is known afterwards
    group = engine.live(spot)
    assert engine.outcome(alert)[0] == "opened"
    assert states(group) == "ooooo"
    assert len(engine.groups(spot)) == 1


@pytest.mark.parametrize("moment", ["never", "twice"])
def test_fills(engine: Installation, spot: str, moment: str) -> None:
    engine.accepted(spot, price=100)
    engine.live(spot)
    dies(engine, moment, lambda: engine.price(spot, 98))
    group = wait_for_legs(engine, spot, "ffffo")
    assert D(group["filled_quantity"]) == sum(D(leg["quantity"]) for leg in legs_of(group)[:4])


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_target(engine: Installation, spot: str, moment: str) -> None:
    engine.accepted(spot, price=100)
    engine.live(spot)
    engine.price(spot, 99)
    wait_for_legs(engine, spot, "fffoo")
    dies(engine, moment, lambda: engine.price(spot, "99.5"))  # the target of the third leg, and of none other
    group = wait_for_legs(engine, spot, "fftoo")
    (close,) = [order for order in orders_of(group, "take_profit") if order["status"] == "filled"]
    assert close["avg_fill_price"] == "99.5"
    engine.price(spot, 102)
    assert D(engine.group(spot, "closed")["realized_pnl_usd"]) > 0
    prove_flat(engine, spot)


@pytest.mark.fault(56)
@pytest.mark.parametrize("moment", MOMENTS)
def test_an_exit(engine: Installation, spot: str, moment: str) -> None:
    engine.accepted(spot, price=100)
    engine.live(spot)
    engine.price(spot, 99)
    alert = dies(engine, moment, lambda: engine.accepted(spot, type="exit"))
    group = engine.group(spot, "closed")
    assert engine.outcome(alert)[0] == "exited"
    assert len([order for order in orders_of(group, "exit") if order["status"] == "filled"]) == 1
    assert states(group) == "fffcc"
    prove_flat(engine, spot)


@pytest.mark.parametrize("moment", [*MOMENTS, "twice"])
def test_a_reversal(engine: Installation, perpetual: str, moment: str) -> None:
    engine.accepted(perpetual, price=101)
    engine.live(perpetual)
    turn = {"action": "sell", "market_position": "short", "prev_market_position": "long", "price": 101}
    alert = dies(engine, moment, lambda: engine.accepted(perpetual, **turn))
    group = engine.live(perpetual, after=1)
    assert group["side"] == "short"
    assert engine.outcome(alert)[0] == "reversed"
    assert [row["status"] for row in engine.groups(perpetual)] == ["closed", "partially_filled"]
    (position,) = engine.rows(
        "SELECT quantity FROM position WHERE exchange = ? AND symbol = ?",
        group["exchange"],
        group["symbol"],
        file="paper",
    )
    assert -D(position["quantity"]) == D(group["open_quantity"])


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_pyramid(engine: Installation, spot: str, moment: str) -> None:
    engine.accepted(spot, price=100)
    engine.live(spot)
    alert = dies(engine, moment, lambda: engine.accepted(spot, price=98))
    group = engine.live(spot, legs=10)
    assert engine.outcome(alert) == ("pyramided", "pyramid 2 of 5")
    assert group["pyramid_count"] == 2


@pytest.mark.fault(56, 78)
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_full_pool_with_a_queue(engine: Installation, markets: Markets, moment: str) -> None:
    first, second = markets.spot(), markets.spot()
    engine.price(first, 101)
    engine.price(second, 101)
    engine.accepted(first, price=100)
    engine.live(first)
    slots = engine.state()["engine"]["worlds"]["paper"]["slots_used"]
    engine.configure(pool__max_open_groups=slots, capital__total_usd=slots * 1000)
    try:
        waits = engine.accepted(second, price=100)
        engine.queued(waits)
        leave = dies(engine, moment, lambda: engine.accepted(first, type="exit"))
        engine.group(first, "closed")
        engine.live(second)
        assert engine.outcome(leave)[0] == "exited"
        outcome, reason = engine.outcome(waits)
        assert outcome == "opened"
        assert reason.endswith(f"pool {slots} / {slots}")  # before it: why it was the next one
        assert engine.state()["queue"] == []
    finally:
        engine.configure(pool__max_open_groups=50, capital__total_usd=50000)


@pytest.mark.parametrize("moment", MOMENTS)
def test_close_everything(engine: Installation, spot: str, perpetual: str, moment: str) -> None:
    engine.accepted(spot, price=101)
    engine.accepted(perpetual, action="sell", price=101)
    engine.live(spot)
    engine.live(perpetual)
    dies(engine, moment, lambda: engine.command("close-all"))
    for symbol in (spot, perpetual):
        engine.group(symbol, "closed")
        prove_flat(engine, symbol)
    assert engine.wait_for(
        lambda state: all(group["closed_at"] for group in state["groups"]), "all is closed"
    )
    assert engine.state()["engine"]["status"] == "paused"
    engine.command("resume")


def test_at_rest_nothing_changes(engine: Installation, markets: Markets) -> None:
    """The exchange matches only while the program runs, so a restart finds everything as it was."""
    long, short, waiting = markets.spot(), markets.perpetual(), markets.spot()
    for symbol in (long, short, waiting):
        engine.price(symbol, 101)
    engine.accepted(long, price=100)
    engine.live(long)
    engine.price(long, 99)
    engine.accepted(short, action="sell", price=101)
    engine.live(short)
    slots = engine.state()["engine"]["worlds"]["paper"]["slots_used"]
    engine.configure(pool__max_open_groups=slots, capital__total_usd=slots * 1000)
    engine.queued(engine.accepted(waiting, price=100))
    before, orders = engine.state(), at_the_exchange(engine)
    for leave in (engine.kill, engine.stop):
        leave()
        engine.start()
        # The prices that were set by hand are there again as well, so even unrealized results are.
        assert engine.state() == before
        assert at_the_exchange(engine) == orders
    engine.accepted(waiting, type="exit")
    engine.configure(pool__max_open_groups=50, capital__total_usd=50000)


def test_alerts_that_come_while_the_exchange_is_read_are_decided_in_their_order(
    engine: Installation, markets: Markets
) -> None:
    held, new = markets.spot(), markets.spot()
    engine.price(held, 101)
    engine.price(new, 101)
    engine.accepted(held, price=100)
    engine.live(held)
    engine.restart(ready=False)
    enter = engine.accepted(new, price=100)
    leave = engine.accepted(new, type="exit")
    pyramid = engine.accepted(held, price=98)
    assert engine.state()["engine"]["status"] == "starting"
    assert engine.outcome(pyramid)[0] == "pyramided"
    assert engine.outcome(enter)[0] == "cancelled"
    assert engine.outcome(leave)[0] == "dequeued"
    assert engine.groups(new) == []


@dataclass
class Stream:
    """Alerts and prices without end, and what was answered."""

    engine: Installation
    chance: random.Random
    symbols: list[str]
    taken: dict[str, str]
    sent: int = 0

    def step(self) -> None:
        symbol = self.chance.choice(self.symbols)
        self.sent += 1
        what = self.chance.random()
        if what < 0.5:
            self.engine.price(symbol, self.chance.choice(["96", "98", "99", "99.5", "100", "101", "102"]))
            return
        fields: Plain = {"type": "exit"} if what < 0.65 else {"price": 100}
        identity = f"stream {self.sent}"
        told = self.engine.alert(symbol, id=identity, **fields)
        assert told.status == 202, told
        self.taken[identity] = told.alert


@pytest.mark.fault(56)
def test_a_stream_of_alerts_and_prices_survives_deaths_at_any_time(
    install: Callable[..., Installation],
) -> None:
    chance = random.Random(20)
    engine = install(
        capital__total_usd="3000",
        pool__max_open_groups=3,
        paper__latency_ms=20,
        signals__max_entries_per_day=0,
    ).start()
    stream = Stream(
        engine, chance, [f"BINANCE:{coin}USDT" for coin in ("BTC", "ETH", "SOL", "LTC", "BNB")], {}
    )
    for symbol in stream.symbols:
        engine.price(symbol, 101)
    for _ in range(15):
        alive_until = time.monotonic() + chance.random() * 1.2
        while time.monotonic() < alive_until:
            stream.step()
        engine.restart(ready=False)
    engine.wait_for(lambda state: state["engine"]["status"] == "running")
    stored = {row["id"] for row in engine.rows("SELECT id FROM alerts")}
    assert {int(alert) for alert in stream.taken.values()} <= stored
    assert len(set(stream.taken.values())) == len(stream.taken)
    for symbol in stream.symbols:
        engine.accepted(symbol, type="exit")
    engine.wait_for(
        lambda state: not state["queue"] and all(g["closed_at"] for g in state["groups"]), "all is closed"
    )
    state = engine.wait_for(
        lambda state: all(row["outcome"] not in (None, "queued") for row in state["alerts"])
    )
    assert len({row["outcome"] for row in state["alerts"]}) > 4
    assert state["engine"]["worlds"]["paper"]["slots_used"] == 0
    engine.stop()
    engine.prove_books()
    engine.prove_flat()
