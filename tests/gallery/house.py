"""A desk with something on it to look at: nothing, a full day, or names and reasons of great length."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from execution_engine.domain.facts import Category, Fact, Level
from execution_engine.domain.rows import (
    Account,
    AccountStatus,
    Choice,
    EquityPoint,
    FindingKind,
    Group,
    GroupStatus,
    World,
)
from tests.gallery import real_money
from tests.gallery.long_texts import LONG_NAME, LONG_REASON
from tests.house import D
from tests.ui.house_found import FoundHouse

KINDS = ("full", "empty", "long", "live")
SAID = {
    Category.SECURITY: "The key of account paper was {}.",
    Category.TRADING: "ETHUSDT 4h, leg 2: the order was {}.",
    Category.SYSTEM: "The backup of the database was {}.",
    Category.RISK: "The offset of SOLUSDT 1h was {}.",
    Category.API: "The answer of the exchange was {}.",
}
HOW = {
    Level.DEBUG: "looked at",
    Level.INFO: "taken, as expected",
    Level.WARNING: "late by 4.2 s",
    Level.ERROR: "refused and is tried again in 8 s",
    Level.CRITICAL: "refused for good",
}
REASONS = ("target of leg 1 reached", "exit alert", "aggregate target reached", "closed by hand", "offset")


def house_of(kind: str, folder: Path) -> FoundHouse:
    """Return a desk in which one of KINDS stands."""
    house = FoundHouse(folder, {"pool.max_open_groups": 6})
    house.clock.forward(hours=2)
    if kind == "live":
        real_money.begin(house)
    elif kind != "empty":
        _fill(house, long=kind == "long")
    return house


def _fill(house: FoundHouse, *, long: bool) -> None:
    _past(house, 160)
    for symbol, price, timeframe in (
        ("BTCUSDT", "65000", "60"),
        ("ETHUSDT", "3000", "240"),
        ("SOLUSDT", "150", "60"),
        ("DOGEUSDT", "0.174", "15"),
        ("BTCUSDT.P", "65000", "D"),
        ("ETHUSDT.P", "3000", "240"),
    ):
        house.holding(symbol, price, timeframe=timeframe)
        house.clock.forward(minutes=13)
    house.fill_all("take_profit")
    house.fill(next(o for o in house.working if o.symbol == "BTCUSDT" and o.purpose == "entry"))
    for symbol, price in (("ETHUSDT", "2990"), ("SOLUSDT", "149"), ("DOGEUSDT", "0.17")):
        house.queued(symbol, price, timeframe="5")
        house.clock.forward(minutes=31)
    house.find(FindingKind.EXTERNAL, found=LONG_REASON if long else "0.4 BTC that no position explains.")
    house.find(
        FindingKind.DEFECT,
        found="BTCUSDT 1h is on hold after an internal error; the log has its cause.",
        choices=(Choice.RELEASE,),
        group_ids=(house.groups[0].id,),
    )
    house.find(
        FindingKind.DEFICIT,
        ref="ETH",
        found="The books hold 0.0666 ETH on paper, the exchange 0.0333.",
        done=LONG_REASON if long else "Nothing is sent for ETHUSDT until this is settled.",
        ours=D("0.0666"),
        theirs=D("0.0333"),
        price=D("2987.4"),
        exchange="binance",
        symbol="ETHUSDT",
        choices=(Choice.BOOK, Choice.CLOSE, Choice.CHECK),
        group_ids=tuple(group.id for group in house.groups if group.symbol == "ETHUSDT" and group.holds_slot),
    )
    house.find(FindingKind.FILLED, found="Leg 2 of SOLUSDT 1h was filled at 148.51 while nobody watched.")
    # A strategy was out of what is held, and says so with its next entry; and one whose whole trade was missed.
    house.alert(symbol="DOGEUSDT", market_position="short", prev_market_position="flat", action="sell")
    house.alert(symbol="SOLUSDT", timeframe="D", market_position="flat", prev_market_position="long")
    if long:
        _lengthen(house)
    house.show()


def move(house: FoundHouse) -> None:
    """Let the prices of the open groups wander, as a window that stands there hears them."""
    chance = random.Random(5)
    walks = {group.symbol: [D(group.avg_entry or 100)] for group in house.groups}
    for _ in range(240):
        house.clock.forward(seconds=60)
        for symbol, walk in walks.items():
            walk.append(walk[-1] * (1 + D(chance.randrange(-100, 100)) / 60_000))
            house.price(symbol, str(walk[-1].quantize(D("0.00001") if walk[0] < 1 else D("0.01"))))
        house.show()


def _past(house: FoundHouse, count: int) -> None:
    """Let groups have closed over the last weeks, with what each came to."""
    like = house.opened()
    house.alert(symbol=like.symbol, market_position="flat")
    house.confirm_cancels()
    chance, total, rows = random.Random(7), D(0), []
    for number in range(count):
        result = D(chance.randrange(-3200, 4600)) / 100
        closed = house.clock.now() - timedelta(hours=11 * (count - number))
        total += result
        rows.append(
            replace(
                like,
                id=100_000 + number,
                symbol=chance.choice(("BTCUSDT", "ETHUSDT", "SOLUSDT", "DOGEUSDT")),
                timeframe=chance.choice(("15m", "1h", "4h")),
                status=GroupStatus.CLOSED,
                filled_quantity=D("0.01429"),
                avg_entry=D("64341.47"),
                realized=result,
                fees=D("0.42"),
                created_at=closed - timedelta(hours=chance.randrange(2, 60)),
                filled_at=closed - timedelta(hours=chance.randrange(1, 40)),
                closed_at=closed,
                close_reason=chance.choice(REASONS),
            )
        )
        rows.append(
            EquityPoint(
                id=100_000 + number, world=World.PAPER, at=closed, realized=total, group_id=100_000 + number
            )
        )
    house.store.committed += rows
    house.book.apply([row for row in rows if isinstance(row, EquityPoint)])
    house.book.counter = 200_000


def talk(house: FoundHouse, *, long: bool) -> None:
    """Write lines of every level and category."""
    facts = [
        Fact(
            code=f"sample_{level.value.lower()}",
            text=LONG_REASON if long else SAID[category].format(HOW[level]),
            level=level,
            category=category,
        )
        for level in Level
        for category in Category
    ]
    house.facts += facts
    house.bridge.released((), tuple(facts))


def _lengthen(house: FoundHouse) -> None:
    """Give names and reasons the length that German ones have."""
    some: Any = next(iter(house.book.accounts.values()))
    account: Account = replace(some, name=LONG_NAME, status=AccountStatus.HOLD, reason=LONG_REASON)
    held: Group = replace(house.groups[0], hold=LONG_REASON, close_reason=LONG_REASON)
    big = replace(house.groups[1], realized=D("-1234567.12"), fees=D("12345.67"))
    house.write(account, held, big)
