"""Who loses, who pays, how much of each: ties, steps, minima, parts, and what is missing, as tables."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from execution_engine.domain.instrument import Market, Side
from execution_engine.domain.risk_plan import evaluate, give
from execution_engine.domain.risk_words import balance
from execution_engine.domain.rows import GroupStatus, World
from tests.domain.house_risk import NOON, RULES, D, group, perp, risk, seen, spot

LONG, SHORT = Side.LONG, Side.SHORT
# market rules of the worked example: spot, a perpetual by the step, one by contracts of 0.1
SPOT = (Market.SPOT, RULES)
PERP = (Market.SWAP, RULES)
CONTRACTS = (Market.SWAP, RULES | {"step": D("0.1"), "min_qty": D("0.1"), "contract_size": D("0.1")})

# fee %, needed, then quantity and result of A, B and L, and what all of it leaves
LONGS = [
    ("0", "60", "100.000", "50", "5.000", "10", "-60", "0"),
    ("0.1", "60.94", "100.000", "48.95", "6.156", "11.991888", "-60.94", "0.001888"),
]
# mirrored: L from 100 to 106, A from 10 to 9.5, B from 50 to 48
SHORTS = [
    ("0", "60", "100.000", "50", "5.000", "10", "-60", "0"),
    ("0.1", "61.06", "100.000", "49.05", "6.153", "12.010656", "-61.06", "0.000656"),
]


@pytest.mark.parametrize(("market", "rules"), [SPOT, PERP])
@pytest.mark.parametrize(
    ("side", "fee", "needed", "a", "gives_a", "b", "gives_b", "loses", "left"),
    [(LONG, *row) for row in LONGS] + [(SHORT, *row) for row in SHORTS],
)
def test_the_worked_example_to_the_last_digit(
    market: Market, rules: dict[str, Any], side: Side, fee: str, needed: str,
    a: str, gives_a: str, b: str, gives_b: str, loses: str, left: str,
):  # fmt: skip
    plan = evaluate(World.PAPER, example(side, fee, market, rules), risk(), NOON).plan
    assert plan is not None
    assert plan.acts
    assert [(s.symbol[0], s.quantity, s.expected) for s in plan.steps] == [
        ("A", D(a), D(gives_a)),
        ("B", D(b), D(gives_b)),
        ("L", D(10), D(loses)),
    ]
    assert (plan.needed, plan.total, plan.missing, plan.is_partial) == (D(needed), D(left), 0, False)
    assert plan.fees == sum((s.price * s.quantity * D(fee) / 100 for s in plan.steps), D(0))


def test_contracts_are_given_in_whole_ones_rounded_up():
    plan = evaluate(World.PAPER, example(LONG, "0.1", *CONTRACTS), risk(), NOON).plan
    assert plan is not None
    assert [step.quantity for step in plan.steps] == [D(100), D("6.2"), D(10)]
    assert plan.total == D("48.95") + D("6.2") * D("1.948") - D("60.94")


def example(side: Side, fee: str, market: Market, rules: dict[str, Any]) -> list[Any]:
    prices = ("94", "10.5", "52") if side is LONG else ("106", "9.5", "48")
    rows = zip((1, 2, 3), "LAB", ("10", "100", "20"), ("100", "10", "50"), prices, strict=True)
    made = spot if market is Market.SPOT else perp
    return [
        seen(
            group(id, name, quantity, entry, side=side, market=market),
            price,
            fee=fee,
            rules=made(f"{name}USDT", **rules),
        )
        for id, name, quantity, entry, price in rows
    ]


# candidates as (name, quantity, entry, price, more), the settings, and the steps that come of them
Given = tuple[str, str, str, str, dict[str, Any]]
L: Given = ("L", "10", "100", "94", {})  # loses 60
PLANS: list[tuple[str, list[Given], dict[str, Any], list[tuple[str, str]] | None, str]] = [
    (
        "the highest loss % is chosen, not the highest in USD",
        [L, ("M", "1", "100", "93", {}), ("A", "100", "10", "12", {})],
        {},
        [("A", "3.500"), ("M", "1.000")],
        "MUSDT 15m needs 7.00 USD; 1 winner gives 7.00 USD",
    ),
    (
        "of equal percentages the highest loss in USD",
        [("M", "1", "100", "94", {}), L, ("A", "100", "10", "12", {})],
        {},
        [("A", "30.000"), ("L", "10.000")],
        "LUSDT 15m needs 60.00 USD; 1 winner gives 60.00 USD",
    ),
    (
        "of equal losses the oldest",
        [L, ("M", "10", "100", "94", {"created_at": NOON - timedelta(days=2)}), ("A", "100", "10", "12", {})],
        {},
        [("A", "30.000"), ("M", "10.000")],
        "MUSDT 15m needs 60.00 USD; 1 winner gives 60.00 USD",
    ),
    (
        "of equal winners the oldest gives first",
        [L, ("A", "100", "10", "11", {}), ("B", "100", "10", "11", {"created_at": NOON - timedelta(days=2)})],
        {},
        [("B", "60.000"), ("L", "10.000")],
        "LUSDT 15m needs 60.00 USD; 1 winner gives 60.00 USD",
    ),
    (
        "the highest USD profit gives first, whatever its percentage",
        [L, ("A", "1", "10", "60", {}), ("B", "100", "10", "11", {})],
        {},
        [("B", "60.000"), ("L", "10.000")],
        "LUSDT 15m needs 60.00 USD; 1 winner gives 60.00 USD",
    ),
    (
        "at most so many winners are combined",
        [L, ("A", "100", "10", "10.5", {}), ("B", "20", "50", "52", {})],
        {"max_winners_to_combine": 1},
        None,
        "LUSDT 15m needs 60.00 USD; the winners can give 50.00 USD; 10.00 USD are missing; nothing happens",
    ),
    (
        "what is missing is said, and nothing happens",
        [L, ("A", "100", "10", "10.5", {})],
        {},
        None,
        "LUSDT 15m needs 60.00 USD; the winners can give 50.00 USD; 10.00 USD are missing; nothing happens",
    ),
    (
        "without any winner nothing happens, whatever is allowed",
        [L],
        {"allow_partial_offset": True},
        None,
        "LUSDT 15m needs 60.00 USD; the winners can give 0.00 USD; 60.00 USD are missing; nothing happens",
    ),
    (
        "the part whose loss is covered is closed, rounded down to the step",
        [L, ("A", "100", "10", "10.5", {})],
        {"allow_partial_offset": True},
        [("A", "100.000"), ("L", "8.333")],
        "LUSDT 15m needs 60.00 USD; the winners can give 50.00 USD; 10.00 USD are missing; a part of it is closed",
    ),
    (
        "a part below the exchange's minimum is none",
        [L, ("A", "1", "10", "10.3", {"open_quantity": D(1)})],
        {"allow_partial_offset": True},
        None,
        "LUSDT 15m needs 60.00 USD; the winners can give 0.30 USD; 59.70 USD are missing; nothing happens",
    ),
    (
        "quantities are rounded up to the step",
        [("L", "10", "100", "94.001", {}), ("A", "100", "10", "13", {})],
        {},
        [("A", "19.997"), ("L", "10.000")],
        "LUSDT 15m needs 59.99 USD; 1 winner gives 59.99 USD",
    ),
    (
        "what is rounded up is capped by what is held",
        [L, ("A", "100", "10", "10.6", {})],
        {},
        [("A", "100.000"), ("L", "10.000")],
        "LUSDT 15m needs 60.00 USD; 1 winner gives 60.00 USD",
    ),
    (
        "winners that are closing, on hold, waiting after a refused close or in loss give nothing",
        [
            L,
            ("A", "100", "10", "12", {"status": GroupStatus.CLOSING}),
            ("B", "100", "10", "12", {"hold": "2 B are missing"}),
            ("C", "100", "10", "12", {"retry_at": NOON}),
            ("D", "100", "10", "9.9", {}),
        ],
        {},
        None,
        "LUSDT 15m needs 60.00 USD; the winners can give 0.00 USD; 60.00 USD are missing; nothing happens",
    ),
    (
        "a blocked or skipped winner gives all the same: it is only kept from being the loser",
        [L, ("A", "100", "10", "12", {"blocked": True, "skip_once": True})],
        {},
        [("A", "30.000"), ("L", "10.000")],
        "LUSDT 15m needs 60.00 USD; 1 winner gives 60.00 USD",
    ),
    (
        "a winner whose entries still work gives as well",
        [L, ("A", "100", "10", "12", {"status": GroupStatus.PARTIALLY_FILLED})],
        {},
        [("A", "30.000"), ("L", "10.000")],
        "LUSDT 15m needs 60.00 USD; 1 winner gives 60.00 USD",
    ),
]


@pytest.mark.parametrize(
    ("given", "settings", "steps", "words"), [row[1:] for row in PLANS],
    ids=[row[0] for row in PLANS],
)  # fmt: skip
def test_a_plan_follows_from_the_groups(
    given: list[Given], settings: dict[str, Any], steps: list[tuple[str, str]] | None, words: str
):
    found = [seen(group(id, *row[:3], **row[4]), row[3]) for id, row in enumerate(given, 1)]
    told = evaluate(World.PAPER, found, risk(**settings), NOON)
    assert told.plan is not None
    assert told.words == words
    assert told.plan.acts is (steps is not None)
    if steps is not None:
        assert [(s.symbol[0], format(s.quantity, "f")) for s in told.plan.steps] == steps


def test_a_close_below_the_minimum_notional_is_skipped_and_the_next_winner_is_asked():
    loser = seen(group(1, "L", "1", "100"), "94")  # 6 are needed
    rich = seen(group(2, "A", "10", "1"), "3")  # 20 of profit, but 6 of it are 9 units of 3: sold for 27
    small = seen(group(2, "A", "10", "0.1"), "1.1")  # 10 of profit, 6 units of it are 6.60
    tiny = seen(group(2, "A", "100", "0.01"), "0.11")  # 10 of profit, 60 units of it are 6.60
    dust = seen(group(2, "A", "4", "0.1"), "2.6")  # 10 of profit, 2.4 units of it are 6.24
    none = seen(group(2, "A", "1", "0.1"), "20.1", rules=spot("AUSDT", **(RULES | {"min_notional": D(7)})))
    other = seen(group(3, "B", "100", "10"), "10.1")  # 10 of profit as well, younger by its id
    for winner, quantity in ((rich, "3"), (small, "6"), (tiny, "60"), (dust, "2.4")):
        plan = evaluate(World.PAPER, [loser, winner, other], risk(), NOON).plan
        assert plan is not None
        assert [(s.symbol[0], s.quantity) for s in plan.winners] == [("A", D(quantity))]
    plan = evaluate(World.PAPER, [loser, none, other], risk(), NOON).plan
    assert plan is not None
    assert [(s.symbol[0], s.quantity) for s in plan.winners] == [("B", D(60))]


def test_a_reduce_only_close_on_a_perpetual_has_no_minimum_notional():
    found = seen(
        group(1, "A", "1", "0.1", market=Market.SWAP),
        "20.1",
        rules=perp("AUSDT", **(RULES | {"min_notional": D(7)})),
    )
    step = give(found, D(6))
    assert step is not None
    assert step.quantity == D("0.300")


def test_a_profit_that_the_closing_fee_eats_gives_nothing():
    assert give(seen(group(1, "A", "100", "10"), "10.01", fee="0.1"), D(5)) is None
    assert give(seen(group(1, "A", "100", "10"), "10.02", fee="0.1"), D("0.5")) is not None


def test_dust_cannot_be_given():
    found = seen(group(1, "A", "1.0004", "10"), "20")
    step = give(found, D(100))
    assert step is not None
    assert (step.quantity, step.expected, step.left) == (D("1.000"), D(10), D("0.0004"))
    assert give(found, D(100), held=D("0.0009")) is None


@pytest.mark.parametrize(
    ("price", "needed"),
    [("13", "59.99"), ("13", "0.000000000000003"), ("19", "9.000000000000000000000000000000000000001")],
)
def test_a_quotient_that_was_rounded_still_covers_the_need(price: str, needed: str):
    rules = spot("AUSDT", **(RULES | {"min_notional": D(0)}))
    step = give(seen(group(1, "A", "100", "10"), price, rules=rules), D(needed))
    assert step is not None
    assert step.expected >= D(needed)
    assert step.expected - (D(price) - 10) * D("0.001") < D(needed)


def test_a_skipped_group_is_passed_over_and_its_skip_is_used_up_only_where_it_would_have_been_chosen():
    rows = [("L", "94", True), ("M", "93", True), ("A", "80", False), ("B", "94.5", True)]
    found = [seen(group(id, n, "10", "100", skip_once=s), p) for id, (n, p, s) in enumerate(rows, 1)]
    told = evaluate(World.PAPER, found, risk(), NOON)
    assert told.skips == ()
    assert told.plan is not None
    assert told.plan.loser.symbol == "AUSDT"
    told = evaluate(World.PAPER, [found[0], found[1], found[3]], risk(), NOON)
    assert (told.plan, told.skips) == (None, (2, 1, 4))
    assert told.words == "the groups that could be the loser are skipped once"
    free = seen(group(9, "C", "10", "100"), "94.2")
    told = evaluate(World.PAPER, [*found[:2], found[3], free], risk(), NOON)
    assert told.skips == (2, 1)
    assert told.plan is not None
    assert told.plan.loser.symbol == "CUSDT"


def test_the_richest_who_may_not_give_are_passed_over_however_many_they_are():
    held = [seen(group(id, "A", "100", "10", hold="1 A is missing"), "20") for id in range(2, 100)]
    poor = seen(group(200, "B", "100", "10"), "11")
    plan = evaluate(World.PAPER, [seen(group(), "94"), *held, poor], risk(), NOON).plan
    assert plan is not None
    assert [(step.group_id, step.quantity) for step in plan.winners] == [(200, D(60))]


def test_no_group_can_be_the_loser_while_none_has_lost_enough():
    told = evaluate(World.PAPER, [seen(group(), "99")], risk(), NOON)
    assert (told.plan, told.words) == (None, "no group can be the loser")


def test_the_plan_is_told_as_a_balance_sheet():
    found = evaluate(World.PAPER, example(LONG, "0.1", *SPOT), risk(), NOON)
    assert balance(found, rehearsed=True) == [
        "Paper: LUSDT 15m needs 60.94 USD; 2 winners give 60.94 USD; only rehearsed, nothing is sent.",
        "  winner AUSDT 15m on paper: close 100.000 at 10.5, +48.95 USD; 0.000 stay open",
        "  winner BUSDT 15m on paper: close 6.156 at 52, +11.99 USD; 13.844 stay open",
        "  loser LUSDT 15m on paper: close 10.000 at 94, −60.94 USD; 0.000 stay open",
        "  together +0.00 USD, closing fees of 2.31 USD included",
    ]
    nothing = evaluate(World.LIVE, [], risk(), NOON)
    assert balance(nothing) == ["Live: no group can be the loser."]
    assert found.plan is not None
    assert found.plan.signature == found.plan.signature


def test_a_loser_in_contracts_closes_a_part_of_whole_contracts():
    rows = example(LONG, "0", *CONTRACTS)[:2]
    plan = evaluate(World.PAPER, rows, risk(allow_partial_offset=True), NOON).plan
    assert plan is not None
    assert plan.is_partial
    assert plan.loser.quantity == D("8.3")
    assert plan.loser.expected == D("-49.8")
    assert plan.loser.left == D("1.7")
