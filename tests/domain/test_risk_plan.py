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
        "of equals in everything the first",
        [L, ("M", "10", "100", "94", {}), ("A", "100", "10", "12", {}), ("B", "100", "10", "12", {})],
        {},
        [("A", "30.000"), ("L", "10.000")],
        "LUSDT 15m needs 60.00 USD; 1 winner gives 60.00 USD",
    ),
    (
        "a loss that repeats in per cent is compared exactly",
        [("L", "3", "90", "80", {}), ("M", "6", "45", "40", {}), ("A", "100", "10", "12", {})],
        {},
        [("A", "15.000"), ("L", "3.000")],
        "LUSDT 15m needs 30.00 USD; 1 winner gives 30.00 USD",
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
        [L, ("A", "1", "60", "110", {}), ("B", "100", "10", "11", {})],
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
        "one step less than is needed is not enough",
        [L, ("A", "59.999", "10", "11", {})],
        {},
        None,
        "LUSDT 15m needs 60.00 USD; the winners can give 60.00 USD; 0.00 USD are missing; nothing happens",
    ),
    (
        "many winners give what they have, the richest first, until it is enough",
        [
            L,
            ("A", "10", "10", "11", {}),
            ("B", "20", "10", "11", {}),
            ("C", "30", "10", "11", {}),
            ("D", "40", "10", "11", {}),
        ],
        {"max_winners_to_combine": 4},
        [("D", "40.000"), ("C", "20.000"), ("L", "10.000")],
        "LUSDT 15m needs 60.00 USD; 2 winners give 60.00 USD",
    ),
    (
        "whoever can give nothing takes no place from who can",
        [L, ("A", "100", "10", "12", {"hold": "2 A are missing"}), ("B", "60", "10", "11", {})],
        {"max_winners_to_combine": 1},
        [("B", "60.000"), ("L", "10.000")],
        "LUSDT 15m needs 60.00 USD; 1 winner gives 60.00 USD",
    ),
    (
        "at break-even there is nothing to give",
        [L, ("A", "100", "10", "10", {})],
        {},
        None,
        "LUSDT 15m needs 60.00 USD; the winners can give 0.00 USD; 60.00 USD are missing; nothing happens",
    ),
    (
        "the losses of others are not paid with",
        [L, ("M", "1", "100", "95", {}), ("A", "100", "10", "12", {})],
        {},
        [("A", "30.000"), ("L", "10.000")],
        "LUSDT 15m needs 60.00 USD; 1 winner gives 60.00 USD",
    ),
    (
        "a part is paid by as many winners as may be combined",
        [L, ("A", "30", "10", "11", {}), ("B", "20", "10", "11", {}), ("C", "9", "10", "11", {})],
        {"max_winners_to_combine": 2, "allow_partial_offset": True},
        [("A", "30.000"), ("B", "20.000"), ("L", "8.333")],
        "LUSDT 15m needs 60.00 USD; the winners can give 50.00 USD; 10.00 USD are missing; a part of it is closed",
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


def found_of(
    given: list[Given], side: Side, market: Market, rules: dict[str, Any], fee: str = "0"
) -> list[Any]:
    """Return the groups of a row, for shorts with their prices mirrored about the entry."""
    made = spot if market is Market.SPOT else perp
    found = []
    for id, (name, quantity, entry, price, more) in enumerate(given, 1):
        now = price if side is LONG else str(2 * D(entry) - D(price))
        of = group(id, name, quantity, entry, side=side, market=market, **more)
        found.append(seen(of, now, fee=fee, rules=made(of.symbol, **rules)))
    return found


def planned(found: list[Any], settings: dict[str, Any]) -> tuple[list[tuple[str, str]] | None, str]:
    told = evaluate(World.PAPER, found, risk(**settings), NOON)
    assert told.plan is not None
    assert told.plan.words == told.words
    made = [(step.symbol[0], format(step.quantity, "f")) for step in told.plan.steps]
    return (made if told.plan.acts else None), told.words


@pytest.mark.parametrize(
    ("side", "kind"),
    [(LONG, SPOT), (LONG, PERP), (SHORT, PERP)],
    ids=["long spot", "long perp", "short perp"],
)
@pytest.mark.parametrize(
    ("given", "settings", "steps", "words"), [row[1:] for row in PLANS],
    ids=[row[0] for row in PLANS],
)  # fmt: skip
def test_a_plan_follows_from_the_groups(
    given: list[Given], settings: dict[str, Any], steps: list[tuple[str, str]] | None, words: str,
    side: Side, kind: tuple[Market, dict[str, Any]],
):  # fmt: skip
    assert planned(found_of(given, side, *kind), settings) == (steps, words)


def test_a_part_below_the_exchanges_minimum_is_none_where_there_is_a_minimum():
    given: list[Given] = [L, ("A", "1", "10", "10.3", {})]
    settings = {"allow_partial_offset": True}
    words = "LUSDT 15m needs 60.00 USD; the winners can give 0.30 USD; 59.70 USD are missing; "
    assert planned(found_of(given, LONG, *SPOT), settings) == (None, words + "nothing happens")
    # A close that only reduces has no least value on a perpetual.
    steps = [("A", "1.000"), ("L", "0.050")]
    assert planned(found_of(given, LONG, *PERP), settings) == (steps, words + "a part of it is closed")
    # Half a contract cannot be closed.
    assert planned(found_of(given, SHORT, *CONTRACTS), settings) == (None, words + "nothing happens")


# With 0.1 % per close: the same groups on either side, on spot and perpetual, by the step and by contracts.
WITH_FEES: list[tuple[str, list[Given], dict[str, Any], Side, Any, list[tuple[str, str]] | None, str, str]] = [
    (
        "the whole loss and its closing fee are covered, long",
        [L, ("A", "100", "10", "12", {})], {}, LONG, SPOT,
        [("A", "30.654"), ("L", "10.000")], "60.94", "0.000152",
    ),
    (
        "the same short: the closes of a short are dearer for the loser and cheaper for the winner",
        [L, ("A", "100", "10", "12", {})], {}, SHORT, PERP,
        [("A", "30.653"), ("L", "10.000")], "61.06", "0.000776",
    ),
    (
        "by contracts, long: the last contract gives more than is needed",
        [L, ("A", "100", "10", "12", {})], {}, LONG, CONTRACTS,
        [("A", "30.7"), ("L", "10.0")], "60.94", "0.0916",
    ),
    (
        "by contracts, short",
        [L, ("A", "100", "10", "12", {})], {}, SHORT, CONTRACTS,
        [("A", "30.7"), ("L", "10.0")], "61.06", "0.0944",
    ),
    (
        "a profit that the fees eat is passed over and takes no place, long",
        [L, ("A", "1000", "100", "100.09", {}), ("B", "100", "10", "10.7", {})], {"max_winners_to_combine": 1},
        LONG, PERP, [("B", "88.409"), ("L", "10.000")], "60.94", "0.0003237",
    ),
    (
        "a profit that the fees eat is passed over and takes no place, short",
        [L, ("A", "1000", "100", "100.09", {}), ("B", "100", "10", "10.7", {})], {"max_winners_to_combine": 1},
        SHORT, PERP, [("B", "88.404"), ("L", "10.000")], "61.06", "0.0006428",
    ),
    (
        "without its fee it would be covered, long",
        [L, ("A", "100", "10", "10.6", {})], {}, LONG, PERP, None, "60.94", "-2",
    ),
    (
        "the covered part, long on spot",
        [L, ("A", "100", "10", "10.6", {})], {"allow_partial_offset": True}, LONG, SPOT,
        [("A", "100.000"), ("L", "9.671")], "60.94", "0.004926",
    ),
    (
        "the covered part, short on a perpetual",
        [L, ("A", "100", "10", "10.6", {})], {"allow_partial_offset": True}, SHORT, PERP,
        [("A", "100.000"), ("L", "9.672")], "61.06", "0.002768",
    ),
    (
        "the covered part in contracts",
        [L, ("A", "100", "10", "10.6", {})], {"allow_partial_offset": True}, SHORT, CONTRACTS,
        [("A", "100.0"), ("L", "9.6")], "61.06", "0.4424",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "settings", "side", "kind", "steps", "needed", "left"),
    [row[1:] for row in WITH_FEES],
    ids=[row[0] for row in WITH_FEES],
)
def test_closing_fees_are_paid_for_as_well(
    given: list[Given],
    settings: dict[str, Any],
    side: Side,
    kind: tuple[Market, dict[str, Any]],
    steps: list[tuple[str, str]] | None,
    needed: str,
    left: str,
):
    found = found_of(given, side, *kind, fee="0.1")
    plan = evaluate(World.PAPER, found, risk(**settings), NOON).plan
    assert plan is not None
    made = [(step.symbol[0], format(D(step.quantity), "f")) for step in plan.steps]
    assert (made if plan.acts else None) == steps
    assert (plan.needed, plan.total) == (D(needed), D(left))


CONTRACT_CASES: list[tuple[str, str, str, str | None]] = [
    # held, price (entry 10), needed, what is given
    ("100", "12", "0.2", "0.1"),  # exactly one contract
    ("100", "12", "0.2001", "0.2"),  # a little more: two
    ("100", "12", "0.0001", "0.1"),  # a little: one
    ("0.1", "12", "60", "0.1"),  # all that is held
    ("0.15", "12", "60", "0.1"),  # half a contract stays
    ("0.09", "12", "60", None),  # less than a contract
]


@pytest.mark.parametrize("side", [LONG, SHORT])
@pytest.mark.parametrize(("held", "price", "needed", "given"), CONTRACT_CASES)
def test_what_is_given_is_whole_contracts(held: str, price: str, needed: str, given: str | None, side: Side):
    (winner,) = found_of([("A", held, "10", price, {})], side, *CONTRACTS)
    step = give(winner, D(needed))
    assert (None if step is None else step.quantity) == (None if given is None else D(given))


def test_a_winner_without_a_fresh_price_gives_nothing_and_a_loser_without_one_is_none():
    loser, winner = seen(group(), "94"), seen(group(2, "A", "100", "10"), None)
    plan = evaluate(World.PAPER, [loser, winner], risk(), NOON).plan
    assert plan is not None
    assert (plan.winners, plan.acts) == ((), False)
    assert evaluate(World.PAPER, [seen(group(), None), winner], risk(), NOON).plan is None


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
