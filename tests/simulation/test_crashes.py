"""Crashes change nothing in the end: where the exchange behaves alike, the same trades are made without them.

The market stands still for minutes and then moves at once, so that what comes a minute later because of a crash
still meets the same prices.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import product

import pytest

from tests.simulation.program import AccountPlan, Event, Program
from tests.simulation.world import Ending, run

PLATEAU_S = 180
WHERE = [*product(("commit", "send", "receive"), ("before", "after")), ("power", "")]


def program(seed: int, market: str) -> Program:
    """Return some half an hour of entries and exits, each at the beginning of a plateau."""
    suffix = ".P" if market == "swap" else ""
    symbols = tuple(f"{base}USDT{suffix}" for base in ("BTC", "ETH"))
    events: list[Event] = []
    for number in range(8):
        position = "flat" if number % 4 == 3 else "long"
        body = {
            "id": f"alert {number}",
            "exchange": "BINANCE",
            "symbol": symbols[number % 2],
            "timeframe": "15",
            "action": "buy" if position == "long" else "sell",
            "market_position": position,
        }
        events.append({"at": 5.0 + number * PLATEAU_S, "do": "alert", "body": body})
    grid = [
        {"gap_percent": gap, "weight_percent": weight, "tp_percent": "0.4"}
        for gap, weight in (("0", "40"), ("-0.4", "30"), ("-1", "30"))
    ]
    return Program(
        seed=seed,
        length_s=9.5 * PLATEAU_S,
        accounts=(AccountPlan(name=market, exchange="binance", market=market),),
        symbols=symbols,
        volatility=0.05,
        plateau_s=PLATEAU_S,
        settings={"grid.profiles": {"default": grid}, "take_profit.mode": "per_leg"},
        events=tuple(events),
    )


def with_crashes(calm: Program, where: str, when: str) -> Program:
    """Have the program killed once in every plateau, soon after its beginning."""
    crashes = [
        {"at": plateau * PLATEAU_S + 4.0, "do": "power", "pause": 1.0}
        if where == "power"
        else {"at": plateau * PLATEAU_S + 4.0, "do": "crash", "where": where, "when": when, "pause": 1.0}
        for plateau in range(9)
    ]
    return replace(calm, events=tuple(sorted([*calm.events, *crashes], key=lambda event: event["at"])))


@cache
def calm(market: str) -> Ending:
    """Run the history without crashes, once for all that it is compared with."""
    return held(run(program(1 if market == "spot" else 2, market)))


def held(ending: Ending) -> Ending:
    assert ending.broken is None
    return ending


@pytest.mark.slow
@pytest.mark.fault(15, 56, 57)
@pytest.mark.timeout(180)
@pytest.mark.parametrize("market", ["spot", "swap"])
@pytest.mark.parametrize(("where", "when"), WHERE)
def test_a_history_with_crashes_ends_with_the_same_trades(where: str, when: str, market: str):
    crashed = held(run(with_crashes(calm(market).program, where, when)))
    assert crashed.lives > 5
    assert crashed.economy == calm(market).economy
