"""Two hundred deaths under load, and after each of them the two ledgers are compared."""

import random
import sys
import threading
from collections.abc import Callable

import pytest

from tests.processes.house import Engine
from tests.processes.ledgers import Ledgers, alert_faults, settle
from tests.processes.load import Load

CYCLES = 25
SEEDS = range(1, 9)

SETTINGS = {
    "capital__total_usd": "5000",
    "pool__max_open_groups": 5,
    "pool__max_pyramids": 2,
    "signals__max_entries_per_day": 0,
    "logs__level": "WARNING",
}
# Every request that is part of an order's life goes wrong now and then, and all take their time.
ROUGH = {
    "rates": {
        "place": {"lost": 0.05, "unanswered": 0.05, "cut": 0.03, "error": 0.03, "error after": 0.03, "nonsense": 0.02},
        "cancel": {"lost": 0.05, "unanswered": 0.05, "error after": 0.05},
        "look": {"lost": 0.1, "error": 0.1},
        "open_orders": {"lost": 0.05, "error": 0.05, "cut": 0.05},
        "balances": {"error": 0.05},
    },
    "slow_ms": 20,
}  # fmt: skip
SMOOTH = {"rates": {}, "slow_ms": 0}


def live_and_die(engine: Engine, load: Load, chance: random.Random) -> None:
    """Start the process, load it, and kill it at a moment that it cannot know.

    A third of the deaths come while it starts, a third after a few answers, a third after many.
    """
    engine.spawn()

    def strike() -> None:
        assert engine.process is not None
        engine.process.kill()
        load.cut_off.set()

    answers, in_s = chance.choice(
        ((0, 0.15), (chance.randrange(1, 10), 0.03), (chance.randrange(10, 40), 0.03))
    )
    death = threading.Timer(chance.uniform(0, in_s), strike)
    load.run(answers, death.start)
    death.join()
    assert engine.process is not None
    engine.process.wait(0)


def faults(engine: Engine, load: Load) -> list[str]:
    ledgers = Ledgers.read(engine.folder.database, engine.venue.file)
    return ledgers.at_any_time() + alert_faults(engine.folder.database, load.told)


def come_to_rest(engine: Engine) -> None:
    """Give the engine what it needs to find out everything, and wait until the ledgers are equal."""
    engine.venue.trouble(**SMOOTH)
    engine.start()
    settle(engine)


def tell(capsys: pytest.CaptureFixture[str], sentence: str) -> None:
    """Say something to whoever watches the run, workers' runs included."""
    with capsys.disabled():
        sys.stderr.write(sentence + "\n")


@pytest.mark.fault(1, 15, 19, 56)
@pytest.mark.parametrize("seed", SEEDS)
def test_whenever_it_is_killed_the_ledgers_agree(
    house: Callable[..., Engine], seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(seed)
    engine = house(**SETTINGS)
    engine.expected_errors = ["cannot be read"]
    load = Load(engine, chance)
    load.begin()
    happened = 0
    for cycle in range(1, CYCLES + 1):
        engine.venue.trouble(seed=seed * 1000 + cycle, **ROUGH)
        live_and_die(engine, load, chance)
        assert faults(engine, load) == [], f"seed {seed}, cycle {cycle}"
        happened += sum(engine.venue.trouble().values())
        if cycle % 8 == 0:
            come_to_rest(engine)
            engine.kill()
        if cycle % 11 == 0:  # the exchange dies as well, and comes back with what it had answered for
            engine.venue.kill()
            engine.venue.start()
    come_to_rest(engine)
    load.leave()
    engine.wait_for(
        lambda state: not state["queue"] and all(g["closed_at"] for g in state["groups"]), "closed"
    )
    ended = Ledgers.read(engine.folder.database, engine.venue.file)
    assert ended.at_rest() == []
    assert alert_faults(engine.folder.database, load.told) == []
    assert not any(ended.positions.values())
    engine.stop()
    tell(
        capsys,
        f"seed {seed}: killed {CYCLES} times; {load.taken} alerts, {len(ended.theirs)} orders, "
        f"{len(ended.trades)} trades, {happened} faults",
    )
    assert load.taken > 60
    assert len(ended.trades) > 40
    assert {row["purpose"] for row in ended.orders.values()} >= {"entry", "take_profit", "exit"}
    assert happened > 0
