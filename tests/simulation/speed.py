"""How fast the simulation runs when nothing goes wrong: 20 groups on 5 symbols, one price a second each."""

from __future__ import annotations

from tests.simulation.draw import BASES
from tests.simulation.program import AccountPlan, Event, Program
from tests.simulation.world import Ending, run

GROUPS = 20
LENGTH_S = 3600


def program() -> Program:
    """Return an hour with 20 groups that stay open: the market hardly moves."""
    symbols = tuple(f"{base}USDT" for base in BASES)
    timeframes = ("15", "60", "240", "1D")
    keys = [(symbol, timeframe) for symbol in symbols for timeframe in timeframes][:GROUPS]
    grid = [
        {"gap_percent": gap, "weight_percent": weight, "tp_percent": "5"}
        for gap, weight in (("0", "40"), ("-10", "30"), ("-20", "30"))
    ]
    return Program(
        seed=0,
        length_s=LENGTH_S,
        accounts=(AccountPlan(name="spot", exchange="binance", market="spot"),),
        symbols=symbols,
        volatility=0.005,
        settings={
            "grid.profiles": {"default": grid},
            "pool.max_open_groups": GROUPS,
            "capital.total_usd": 40_000,
        },
        events=tuple(_entry(number, *key) for number, key in enumerate(keys)),
    )


def _entry(number: int, symbol: str, timeframe: str) -> Event:
    body = {
        "id": f"entry {number}",
        "exchange": "BINANCE",
        "symbol": symbol,
        "timeframe": timeframe,
        "action": "buy",
        "market_position": "long",
    }
    return {"at": 1 + number / 10, "do": "alert", "body": body}


def measure() -> Ending:
    return run(program())


def report(ending: Ending) -> str:
    speed = ending.seconds / ending.took
    return (
        f"{GROUPS} groups on {len(BASES)} symbols, one price a second each, all invariants on: "
        f"{ending.seconds:,.0f} s in {ending.took:.2f} s, {speed:,.0f} × real time "
        f"({ending.prices:,} prices, {ending.commits:,} commits; the loop was never kept "
        f"longer than {ending.longest_s * 1000:.1f} ms; {ending.broken or 'every invariant held'})"
    )
