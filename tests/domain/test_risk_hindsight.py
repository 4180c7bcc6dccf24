"""What a rehearsed offset would have meant by now."""

from __future__ import annotations

import pytest

from execution_engine.domain.risk_hindsight import average_exit, hindsight
from execution_engine.domain.rows import RiskAction
from tests.domain.house_risk import D, RiskHouse

DID = "It would have closed LUSDT 15m at −60.00 USD with AUSDT 15m, BUSDT 15m"


def rehearsed(fee: str = "0") -> tuple[RiskHouse, RiskAction]:
    house = RiskHouse({"risk.rehearsal": True, "paper.taker_fee_percent": D(fee)})
    house.worked_example()
    house.evaluate()
    return house, house.action


# prices of L, A and B by now, what the same closes come to by now, and what carrying it out would have meant
CASES = [
    ("94", "10.5", "52", "0", "by now that is the same"),
    ("84", "10.5", "52", "-100", "by now that would have gained 100.00 USD"),
    ("99", "10.5", "52", "50", "by now that would have cost 50.00 USD"),
    ("94", "12", "52", "150", "by now that would have cost 150.00 USD"),
    ("94", "10.5", "50", "-10", "by now that would have gained 10.00 USD"),
]


@pytest.mark.parametrize(("lost", "a", "b", "now", "meant"), CASES)
def test_a_rehearsal_is_held_against_the_same_quantities_now(lost: str, a: str, b: str, now: str, meant: str):
    house, action = rehearsed()
    prices = dict(zip((house.of(name).id for name in "LAB"), (D(lost), D(a), D(b)), strict=True))
    seen = hindsight(action, prices)
    assert (seen.then, seen.now, seen.gained) == (0, D(now), -D(now))
    assert seen.words == f"{DID}; {meant}"


def test_closing_fees_are_counted_then_and_now():
    house, action = rehearsed("0.1")
    prices = {house.of(name).id: D(price) for name, price in (("L", "94"), ("A", "10.5"), ("B", "52"))}
    seen = hindsight(action, prices)
    assert seen.then == D("0.001888")
    assert seen.now == D("0.001888")


def test_without_a_price_it_says_so():
    _, action = rehearsed()
    seen = hindsight(action, {})
    assert (seen.now, seen.gained) == (None, None)
    assert seen.words == f"{DID}; what that would have meant is not known: a price is missing"


def test_a_closed_group_counts_at_what_its_closes_got():
    house = RiskHouse()
    house.worked_example()
    assert average_exit(house.legs(house.of("A"))) is None
    house.evaluate()
    house.carry_out()
    assert average_exit(house.legs(house.of("A"))) == D("10.5")
