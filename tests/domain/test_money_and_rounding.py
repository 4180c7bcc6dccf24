"""Exact numbers: rounding never works against the user, a grid never spends more than its budget."""

from __future__ import annotations

from decimal import Decimal as D
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution_engine.domain import grid as grids
from execution_engine.domain.errors import Refusal
from execution_engine.domain.instrument import Instrument, Side
from execution_engine.domain.money import divide, percent_change, plain, round_down, round_up, text
from execution_engine.domain.rows import Layer
from execution_engine.domain.settings import DEFAULT_GRID
from tests.house import perp, spot

STEPS = st.sampled_from(
    [D(s) for s in ("1", "0.5", "0.1", "0.05", "0.01", "0.001", "0.00001", "0.00000001", "25", "1000")]
)
AMOUNTS = st.decimals("0.00000001", "100000000", places=8)
SIDES = st.sampled_from(list(Side))


@st.composite
def layers(draw: st.DrawFn) -> tuple[Layer, ...]:
    count = draw(st.integers(1, 8))
    cuts = sorted(draw(st.sets(st.integers(1, 9999), min_size=count - 1, max_size=count - 1)))
    weights = [D(b - a) / 100 for a, b in pairwise((0, *cuts, 10000))]
    gaps = sorted(draw(st.sets(st.integers(0, 9000), min_size=count, max_size=count)))
    return tuple(
        Layer(
            gap_percent=-D(gap) / 100, weight_percent=weight, tp_percent=D(draw(st.integers(1, 2000))) / 100
        )
        for gap, weight in zip(gaps, weights, strict=True)
    )


@st.composite
def instruments(draw: st.DrawFn) -> Instrument:
    rules = {"tick": draw(STEPS), "step": draw(STEPS)}
    return draw(st.sampled_from([spot, perp]))(**rules)


@given(AMOUNTS, STEPS)
def test_rounding_stays_within_one_step_and_keeps_to_its_side(value, step):
    down, up = round_down(value, step), round_up(value, step)
    assert down <= value <= up
    assert up - down in (0, step)
    assert down % step == up % step == 0


@given(layers(), AMOUNTS, AMOUNTS, instruments(), SIDES, st.sampled_from([D(1), D(3), D("12.5")]))
def test_a_grid_never_spends_more_than_its_budget(profile, base, capital, instrument, side, leverage):
    legs = grids.legs(profile, base, side, capital, instrument, leverage)
    gearing = leverage if instrument.market == "swap" else 1
    assert sum(leg.notional for leg in legs) <= capital * gearing
    for leg, layer in zip(legs, profile, strict=True):
        assert leg.notional <= capital * gearing * layer.weight_percent / 100
        assert leg.quantity % instrument.step == 0


@given(layers(), AMOUNTS, instruments(), SIDES)
def test_rounding_never_works_against_the_user(profile, base, instrument, side):
    for leg in grids.legs(profile, base, side, D(1000), instrument):
        asked = base * (100 + side.sign * leg.layer.gap_percent) / 100
        assert (asked - leg.price) * side.sign >= 0  # a long never pays more, a short never gets less
        earned = (leg.tp_price - leg.price) * side.sign
        assert earned >= leg.price * leg.layer.tp_percent / 100
        assert leg.price % instrument.tick == leg.tp_price % instrument.tick == 0


@given(AMOUNTS, STEPS, AMOUNTS)
def test_a_split_order_loses_nothing_and_keeps_within_the_maximum(quantity, step, most):
    rules = spot(step=step, max_qty=most)
    quantity = round_down(quantity, step)
    pieces = rules.pieces(quantity, market_order=False) if quantity / most < 500 else (quantity,)
    assert sum(pieces) == quantity
    if most >= step and len(pieces) > 1:
        assert max(pieces) <= most
        assert max(pieces) - min(pieces) <= step
        assert list(pieces) == sorted(pieces, reverse=True)
        assert all(piece % step == 0 for piece in pieces)


@pytest.mark.parametrize(
    ("quantity", "limit", "market_limit", "limit_pieces", "market_pieces"),
    [
        ("7", "0", "0", "7", "7"),
        ("7", "7", "0", "7", "7"),
        ("7", "3", "0", "3 2 2", "3 2 2"),  # not 3 3 1: a small rest would be below the minimum
        ("7", "0", "4", "7", "4 3"),
        ("7", "5", "2", "4 3", "2 2 2 1"),
        ("7", "3.5", "0", "3 2 2", "3 2 2"),  # a maximum off the step counts as the step below
    ],
)
def test_an_order_above_the_maximum_is_split_evenly(
    quantity, limit, market_limit, limit_pieces, market_pieces
):
    rules = spot(step=D(1), max_qty=D(limit), market_max_qty=D(market_limit))
    assert " ".join(map(str, rules.pieces(D(quantity), market_order=False))) == limit_pieces
    assert " ".join(map(str, rules.pieces(D(quantity), market_order=True))) == market_pieces


PERP_GRID = {
    "prices": "65000.0 65325.0 65650.0 66300.0 67600.0",
    "quantities": "0.003 0.003 0.003 0.003 0.002",
    "targets": "64350.0 64998.3 65321.7 65968.5 67262.0",
}
FINE_GRID = {
    "prices": "65000.00 65325.00 65650.00 66300.00 67600.00",
    "quantities": "0.00307 0.00306 0.00304 0.00301 0.00295",
    "targets": "64350.00 64998.37 65321.75 65968.50 67262.00",
}


@pytest.mark.parametrize(
    ("tick", "step", "expected"),
    [("0.1", "0.001", PERP_GRID), ("0.01", "0.00001", FINE_GRID)],
    ids=["a real perpetual", "hypothetical rules"],
)
def test_the_default_grid_as_a_short_is_the_specifications_to_the_last_digit(tick, step, expected):
    rules = perp(tick=D(tick), step=D(step))
    legs = grids.legs([layer.layer() for layer in DEFAULT_GRID], D(65000), Side.SHORT, D(1000), rules)
    assert " ".join(str(leg.price) for leg in legs) == expected["prices"]
    assert " ".join(str(leg.quantity) for leg in legs) == expected["quantities"]
    assert " ".join(str(leg.tp_price) for leg in legs) == expected["targets"]


@pytest.mark.parametrize(
    ("capital", "rules", "sentence"),
    [
        ("1000", {}, None),
        ("20", {}, "leg 0 of 5: notional 3.90 USDT is below the minimum of 5 USDT; raise the capital or the weight"),
        ("1000", {"min_qty": D("0.00308")},
         "leg 0 of 5: quantity 0.00307 BTC is below the minimum of 0.00308 BTC; raise the capital or the weight"),
        ("1000", {"min_notional": D("199.5")}, "leg 2 of 5: notional 199.49 USDT is below the minimum of 199.5 USDT; "
         "raise the capital or the weight"),
        ("1000", {"min_notional": D(0), "min_qty": D(0), "step": D(1)},
         "leg 0 of 5: quantity 0 BTC is below the minimum of 0 BTC; raise the capital or the weight"),
        ("1000", {"tick": D(70000)}, "leg 0 of 5: its price would be 0; bring its gap nearer"),
    ],
)  # fmt: skip
def test_the_first_leg_that_breaks_a_rule_is_named_with_its_value_and_the_limit(capital, rules, sentence):
    instrument = spot(**rules)
    legs = grids.legs([layer.layer() for layer in DEFAULT_GRID], D(65000), Side.LONG, D(capital), instrument)
    wrong = grids.fault(legs, instrument)
    assert (wrong.message if isinstance(wrong, Refusal) else None) == sentence


@pytest.mark.parametrize(
    ("side", "leverage", "refused"),
    [
        ("long", "1", False),
        ("long", "20", False),
        ("long", "50", True),
        ("short", "20", False),
        ("short", "40", True),
    ],
)
def test_a_leverage_that_liquidates_before_the_last_leg_is_refused(side, leverage, refused):
    rules = perp()
    layer = [layer.layer() for layer in DEFAULT_GRID]
    legs = grids.legs(layer, D(65000), Side(side), D(1000), rules, D(leverage))
    wrong = grids.liquidation_fault(legs, Side(side), D(leverage))
    assert (wrong is not None) is refused
    if wrong:
        assert wrong.message.startswith("leg 4 of 5: ")


def test_a_perpetual_asks_for_margin_and_fees_a_spot_account_for_the_cost():
    layer = [layer.layer() for layer in DEFAULT_GRID]
    swap, cash = perp(), spot()
    geared = grids.legs(layer, D(65000), Side.LONG, D(1000), swap, D(5))
    cost = sum(leg.notional for leg in geared)
    assert grids.needed(geared, swap, D(5)) == cost / 5 + cost / 1000
    plain_legs = grids.legs(layer, D(65000), Side.LONG, D(1000), cash)
    assert grids.needed(plain_legs, cash, D(1)) == sum(leg.notional for leg in plain_legs)


@pytest.mark.parametrize(
    ("value", "written"),
    [("0", "0"), ("0.000", "0"), ("1.500", "1.5"), ("100", "100"), ("1E+3", "1000"), ("1E-8", "0.00000001"),
     ("1E+50", "1" + "0" * 50)],
)  # fmt: skip
def test_a_number_is_written_with_digits_and_a_point(value, written):
    assert text(plain(D(value))) == written


def test_a_quotient_of_senseless_size_is_still_a_number():
    assert percent_change(D("1e28"), D("1e-8")) > D("1e37")
    assert divide(D(10) ** 30, D(3)).adjusted() == 29
    assert divide(D(1), D(3)) == D("0.333333333333333333")
