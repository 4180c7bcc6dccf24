"""The order of promotion, rule by rule, and the words that a rank is given in."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from itertools import pairwise
from random import Random

import pytest

from execution_engine.domain.instrument import Market, Side
from execution_engine.domain.ranking import Line, depth_of, ordinal, percent, placed, standings
from execution_engine.domain.rows import Group, GroupStatus, OrderType, QueuedSignal, World
from execution_engine.domain.signal import TakeProfitMode
from tests.house import NOON

BOOKED = {"BTCUSDT": D(65000), "ETHUSDT": D(3000), "SOLUSDT": D(150)}


def signal(id: int, text: str) -> QueuedSignal:
    """Read `BTCUSDT long 100 x2 @3`: entry 100, replaced twice, queued 3 s after noon; `-`: no entry price."""
    symbol, side, entry, *more = text.split()
    told = {part[0]: int(part[1:]) for part in more}
    at = NOON + timedelta(seconds=told.get("@", 0))
    return QueuedSignal(
        id=id,
        alert_id=id + 100,
        account="paper-perp",
        world=World.PAPER,
        exchange="binance",
        symbol=symbol,
        timeframe=f"{id}m",
        side=Side(side),
        entry_price=None if entry == "-" else D(entry),
        queued_at=at,
        updated_at=at,
        replacement_count=told.get("x", 0),
    )


def group(of: QueuedSignal, status: GroupStatus = GroupStatus.ACTIVE, side: Side | None = None) -> Group:
    return Group(
        id=1000 + of.id,
        account=of.account,
        world=of.world,
        exchange=of.exchange,
        symbol=of.symbol,
        market=Market.SWAP,
        base="X",
        quote="USDT",
        timeframe=of.timeframe,
        side=side or of.side,
        status=status,
        alert_id=1,
        grid_name="default",
        grid=(),
        max_pyramids=5,
        tp_mode=TakeProfitMode.PER_LEG,
        tp_aggregate_percent=D(1),
        tp_order=OrderType.MARKET,
        on_flat="close",
        created_at=NOON,
    )


# Each case: the signals by the numbers 1, 2, …, the prices, what their keys hold, and who goes in which order.
ORDER = [
    ("first in, first out", ["A long 100 @2", "B long 100 @1", "C long 100 @3"], {}, {}, [2, 1, 3]),
    ("at one instant the first id", ["A long 100", "B long 100"], {"A": 100, "B": 100}, {}, [1, 2]),
    ("the deepest loss", ["A long 100 @1", "B long 100 @2"], {"A": 99, "B": 98}, {}, [2, 1]),
    ("a short is mirrored", ["A short 100 @1", "B short 100 @2"], {"A": 98, "B": 101}, {}, [2, 1]),
    ("long and short together", ["A long 100", "A short 100 @1"], {"A": 103}, {}, [2, 1]),
    ("in per cent, not in money", ["A long 65000", "B long 3"], {"A": 64000, "B": D("2.9")}, {}, [2, 1]),
    ("a gain counts as nothing", ["A long 100 @2", "B long 100 @1"], {"A": 150, "B": 100}, {}, [2, 1]),
    ("a gain is no worse than none", ["A long 100 @1", "B long 100 @2"], {"A": 150, "B": 100}, {}, [1, 2]),
    (
        "the smallest loss before replacements",
        ["A long 100 x9", "B long 100 @1"],
        {"A": 100, "B": D("99.99")},
        {},
        [2, 1],
    ),
    (
        "equal losses: more replacements",
        ["A long 100", "B long 50 x1 @9"],
        {"A": 99, "B": D("49.5")},
        {},
        [2, 1],
    ),
    ("equal losses, one repeating", ["A long 3 @9", "B long 6 x1"], {"A": 2, "B": 4}, {}, [2, 1]),
    (
        "equal losses and replacements: time",
        ["A long 100 x1 @2", "B long 50 x1 @1"],
        {"A": 99, "B": D("49.5")},
        {},
        [2, 1],
    ),
    (
        "no loss: more replacements",
        ["A long 100", "B long 100 x1 @1", "C long 100 x2 @2"],
        {"A": 101},
        {},
        [3, 2, 1],
    ),
    ("no price: by the other rules", ["A long 100 @1", "B long 100 x1 @2"], {"A": 100}, {}, [2, 1]),
    ("no price is no loss", ["A long 100 x5", "B long 100 @1"], {"B": 99}, {}, [2, 1]),
    (
        "no price keeps its place in time",
        ["A long 100 @1", "B long 100 @2", "C long 100 @3"],
        {"A": 100, "C": 101},
        {},
        [1, 2, 3],
    ),
    ("no entry price is no loss", ["A long - @1", "B long 100 @2"], {"A": 1, "B": 99}, {}, [2, 1]),
    (
        "a continuation before the deepest loss",
        ["A long 100 @1", "B long 100"],
        {"A": 200, "B": 1},
        {1: ""},
        [1, 2],
    ),
    (
        "continuations among themselves",
        ["A long 100", "B long 100 @1"],
        {"A": 100, "B": 99},
        {1: "", 2: ""},
        [2, 1],
    ),
    ("a continuation without a price", ["A long 100 @9", "B long 100"], {"B": 50}, {1: ""}, [1, 2]),
    (
        "a closing key is in its place",
        ["A long 100", "B long 100"],
        {"A": 90, "B": 95},
        {1: "closing"},
        [1, 2],
    ),
    (
        "the other side is no continuation",
        ["A long 100", "B long 100"],
        {"A": 100, "B": 95},
        {1: "short"},
        [2, 1],
    ),
    ("a waiting group is open", ["A long 100 @5", "B long 100"], {"B": 50}, {1: "waiting"}, [1, 2]),
    (
        "many of one market",
        ["A long 90", "A long 110", "A long 100", "A short 80"],
        {"A": 95},
        {},
        [4, 2, 3, 1],
    ),
]


def holders(rows: list[QueuedSignal], held: dict[int, str]) -> dict[tuple[str, str, str, str], Group]:
    found = {}
    for number, how in held.items():
        row = rows[number - 1]
        if how == "short":
            found[row.key] = group(row, side=row.side.opposite)
        elif how == "hold":
            found[row.key] = replace(group(row), hold="its fills are in doubt")
        else:
            found[row.key] = group(row, GroupStatus(how or "active"))
    return found


@pytest.mark.parametrize(
    ("signals", "prices", "held", "order"), [case[1:] for case in ORDER], ids=[case[0] for case in ORDER]
)
def test_who_goes_before_whom(signals, prices, held, order):
    rows = [signal(id, text) for id, text in enumerate(signals, 1)]
    known = {("binance", symbol): D(price) for symbol, price in prices.items()}
    by_key = holders(rows, held)
    ranks = standings(rows, known.get, by_key.get)
    assert [rank.row.id for rank in ranks] == order
    assert [rank.place for rank in ranks] == list(range(1, len(rows) + 1))
    joins = [row.id for row in rows if (at := by_key.get(row.key)) and at.is_open and at.side is row.side]
    assert [each.row.id for each in Line(rows).order(known.get, joins)] == order


# What stands beside a rank: the signals, prices and keys of such a case, and the reasons in the order of the ranks.
REASONS = [
    (
        ["A long 100 x2 @1", "B long 100"],
        {"A": D("96.9"), "B": 95},
        {},
        ["1st: −5.0 %", "2nd: −3.1 %, replaced twice"],
    ),
    (["A long 100"], {"A": 100}, {}, ["1st: no loss"]),
    (
        ["A long 100", "B long 100"],
        {"A": 100, "B": 101},
        {},
        ["1st: no loss, came first", "2nd: no loss, came later"],
    ),
    (
        ["A long 100 x1", "B long 100 x3 @1"],
        {"A": 100, "B": 100},
        {},
        ["1st: no loss, replaced 3 times", "2nd: no loss, replaced once"],
    ),
    (["A long 100", "B long 100"], {"B": 90}, {}, ["1st: −10.0 %", "2nd: no fresh price"]),
    (
        ["A long 100", "B long 100"],
        {"B": 100},
        {},
        ["1st: no fresh price, came first", "2nd: no loss, came later"],
    ),
    (["A long -"], {}, {}, ["1st: enters at the market"]),
    (["A short 100"], {"A": D("100.04")}, {}, ["1st: −0.04 %"]),
    (["A long 100"], {"A": 50}, {1: ""}, ["1st: continues its open group, needs no slot, −50.0 %"]),
    (["A long 100"], {"A": 50}, {1: "closing"}, ["1st: −50.0 %, passed over while its key is closing"]),
    (
        ["A long 100"],
        {"A": 100},
        {1: "short"},
        ["1st: no loss, passed over while its key is open on the other side"],
    ),
    (
        ["A long 100"],
        {"A": 100},
        {1: "hold"},
        ["1st: continues its open group, needs no slot, no loss, passed over while its position is on hold"],
    ),
]


@pytest.mark.parametrize(("signals", "prices", "held", "said"), REASONS)
def test_a_rank_says_what_it_rests_on(signals, prices, held, said):
    rows = [signal(id, text) for id, text in enumerate(signals, 1)]
    known = {("binance", symbol): D(price) for symbol, price in prices.items()}
    assert [rank.reason for rank in standings(rows, known.get, holders(rows, held).get)] == said


@pytest.mark.parametrize(
    ("entry", "price", "side", "loss"),
    [
        ("3000", "2949", "long", "-1.7"),
        ("3000", "3051", "short", "-1.7"),
        ("3", "2", "long", "-33.333333333333333333"),
        ("3000", "3300", "long", "0"),
        ("3000", "3000", "short", "0"),
    ],
)
def test_the_loss_is_told_in_per_cent_of_the_entry_price(entry, price, side, loss):
    row = signal(1, f"A {side} {entry}")
    (rank,) = standings([row], lambda market: D(price), lambda key: None)
    assert str(rank.loss_percent) == loss
    assert not rank.joins


def test_a_loss_that_cannot_be_told_is_not_zero():
    (rank,) = standings([signal(1, "A long 100")], lambda market: None, lambda key: None)
    assert rank.loss_percent is None
    assert depth_of(signal(1, "A long -"), None) == 0


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (1, "1st"),
        (2, "2nd"),
        (3, "3rd"),
        (4, "4th"),
        (11, "11th"),
        (12, "12th"),
        (21, "21st"),
        (113, "113th"),
        (1002, "1002nd"),
    ],
)
def test_places_are_counted_in_words(number, written):
    assert ordinal(number) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("-3.149", "−3.1 %"),
        ("-3.15", "−3.2 %"),
        ("-0.05", "−0.1 %"),
        ("-0.0449", "−0.04 %"),
        ("-0.000012", "−0.00001 %"),
    ],
)
def test_a_loss_is_never_written_as_nothing(value, written):
    assert percent(D(value)) == written


# -- the queue as it is kept


def some_rows(chance: Random, count: int) -> list[QueuedSignal]:
    return [
        signal(
            id,
            f"{chance.choice('ABCDE')} {chance.choice(('long', 'short'))} "
            f"{chance.choice(('-', *map(str, range(95, 106))))} x{chance.choice((0, 0, 1, 2))} @{chance.randint(0, 9)}",
        )
        for id in range(1, count + 1)
    ]


@pytest.mark.parametrize("seed", range(60))
def test_the_queue_as_it_is_kept_is_in_the_order_that_sorting_gives(seed):
    chance = Random(seed)
    rows = some_rows(chance, chance.randint(1, 40))
    line = Line()
    for row in rows:
        line.put(row)
    for row in chance.sample(rows, len(rows) // 3):  # replaced: newest payload, the place in time kept
        changed = replace(
            row,
            entry_price=chance.choice((None, D(97), D(103))),
            side=chance.choice(tuple(Side)),
            replacement_count=chance.choice((0, row.replacement_count + 1)),
        )
        rows[rows.index(row)] = changed
        line.put(changed)
    for row in chance.sample(rows, len(rows) // 4):
        rows.remove(row)
        line.drop(row.id)
        line.drop(row.id)
    prices = {("binance", symbol): D(chance.randint(96, 104)) for symbol in "ABCD"}
    if rows:
        prices.pop(chance.choice(sorted(prices)))
    joins = [row.id for row in rows if chance.random() < 0.1]
    by_key = {row.key: group(row) for row in rows if row.id in joins}
    expected = standings(rows, prices.get, by_key.get)
    found = list(placed(line.order(prices.get, joins), {}))
    assert [(rank.row.id, rank.reason) for rank in found] == [(rank.row.id, rank.reason) for rank in expected]
    for before, after in pairwise(found):
        assert before.standing.order < after.standing.order
    last = line.lowest(prices.get, joins)
    assert (last.id if last else None) == (expected[-1].row.id if expected else None)
    assert len(line) == len(rows)
    assert sorted(row.id for row in line.rows()) == sorted(row.id for row in rows)
    assert Counter(m for m in line.markets) == Counter({(row.exchange, row.symbol) for row in rows})
    assert line.accounts == (["paper-perp"] if rows else [])
    for market in line.markets:
        assert {row.symbol for row in line.of(market)} == {market[1]}


def test_of_a_queue_all_under_water_the_shallowest_goes_last():
    rows = [signal(1, "A long 100"), signal(2, "A long 120"), signal(3, "A long 110")]
    last = Line(rows).lowest(lambda market: D(90))
    assert last is not None
    assert last.id == 1
    assert Line().lowest(lambda market: D(90)) is None
