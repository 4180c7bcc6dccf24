"""What a seed stands for: the settings, what goes wrong how often, and everything that is planned.

A program is plain data. It can be written down, made smaller and run again.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any

Event = dict[str, Any]
"""One thing that is planned: `at` (seconds from the beginning), `do` (what), and what that needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPlan:
    """An account on a distant exchange. market: `spot` or `swap`."""

    name: str
    exchange: str
    market: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One history before it happens.

    length_s: how long faults and events go on; what follows is quiet. start: the time on the wall at second 0.
    venue: the exchange whose instruments are traded. symbols: those that have prices.
    volatility: of a price in one second [%]. price_s: how often the program is told prices. plateau_s: prices stay
        where they are for so long; 0 lets them move each second. spread: ticks between bid and ask.
    rates: how often each fault happens, by its name: a part of the calls, or of the messages, that it concerns.
    commit_s, latency_s: how long a commit and one way to the exchange take at most.
    timeout_s: how long the engine's side waits for an answer.
    stream: fills and changes of orders are reported by the exchange by itself.
    counts_sleep: the machine's monotonic clock goes on while it sleeps.
    retention_s: how long the exchange remembers an order that ended without a fill.
    most_open: orders that may rest in one market of one account.
    budget: how many order requests the exchange takes in how many seconds; (0, 0) is what it really takes.
    fee_currency: that fees in the quote currency are taken in instead, as `BNB`.
    """

    seed: int
    length_s: float = 1200
    start: str = "2026-03-01T12:00:00+00:00"
    venue: str = "binance"
    accounts: tuple[AccountPlan, ...] = ()
    symbols: tuple[str, ...] = ()
    balance_usd: int = 100_000
    volatility: float = 0.05
    price_s: int = 1
    plateau_s: int = 0
    spread: int = 0
    settings: dict[str, Any] = field(default_factory=dict)
    rates: dict[str, float] = field(default_factory=dict)
    commit_s: float = 0.02
    latency_s: float = 0.1
    timeout_s: float = 5.0
    jitter: float = 0.0
    stream: bool = True
    counts_sleep: bool = False
    retention_s: float = 1e9
    most_open: int = 200
    budget: tuple[int, int] = (0, 0)
    fee_currency: str = ""
    events: tuple[Event, ...] = ()

    def rate(self, fault: str) -> float:
        return self.rates.get(fault, 0.0)

    def without_rate(self, fault: str) -> Program:
        return replace(self, rates={name: rate for name, rate in self.rates.items() if name != fault})

    def with_events(self, events: tuple[Event, ...]) -> Program:
        return replace(self, events=events)


def dump(program: Program) -> str:
    """Write a program as JSON that reads well in a diff: one event per line."""
    plain = asdict(program)
    events = plain.pop("events")
    head = json.dumps(plain, indent=1)
    lines = ",\n  ".join(json.dumps(event) for event in events)
    return head.removesuffix("\n}") + ',\n "events": [' + (f"\n  {lines}\n " if lines else "") + "]\n}\n"


def load(text: str) -> Program:
    plain = json.loads(text)
    accounts = tuple(AccountPlan(**account) for account in plain.pop("accounts"))
    symbols, events = tuple(plain.pop("symbols")), tuple(plain.pop("events"))
    budget = tuple(plain.pop("budget", (0, 0)))
    return Program(accounts=accounts, symbols=symbols, events=events, budget=budget, **plain)
