"""When evaluations come: every `risk.interval_s`, whatever the clock on the wall does."""

from __future__ import annotations

from datetime import timedelta

from execution_engine.domain.inputs import AdvanceOffset, Evaluate, Input
from execution_engine.domain.rows import World
from execution_engine.engine.risk import RiskRounds
from tests.domain.house_risk import RiskHouse, save


class Ear:
    def __init__(self, house: RiskHouse) -> None:
        self.heard: list[Input] = []
        self.house = house
        self.rounds = RiskRounds(house.book, house.clock, self.heard.append)

    def after(self, seconds: float) -> list[Input]:
        """Return what is posted when so much time has passed."""
        self.heard.clear()
        self.house.clock.forward(seconds=seconds)
        self.rounds.look()
        return list(self.heard)


def test_it_is_evaluated_every_interval_and_the_next_time_is_known():
    house = RiskHouse({"risk.interval_s": 30})
    house.worked_example()
    ear = Ear(house)
    assert ear.rounds.next_at == house.clock.now() + timedelta(seconds=30)
    assert ear.after(29) == []
    assert ear.rounds.next_at == house.clock.now() + timedelta(seconds=1)
    assert ear.after(1) == [Evaluate(world=World.PAPER)]
    assert ear.after(29.5) == []
    assert ear.after(40) == [Evaluate(world=World.PAPER)]  # late: once, not twice


def test_a_changed_interval_counts_at_once():
    house = RiskHouse({"risk.interval_s": 3600})
    house.worked_example()
    ear = Ear(house)
    assert ear.after(20) == []
    save(house, interval_s=10)
    assert ear.rounds.next_at == house.clock.now()
    assert ear.after(0) == [Evaluate(world=World.PAPER)]


def test_a_world_with_nothing_open_is_not_evaluated():
    assert Ear(RiskHouse()).after(3600) == []


def test_an_offset_under_way_is_looked_at_each_second():
    house = RiskHouse()
    house.worked_example()
    house.evaluate()
    assert Ear(house).after(1) == [AdvanceOffset(action_id=house.action.id)]


def test_no_evaluation_is_due_while_the_risk_engine_is_switched_off():
    assert Ear(RiskHouse({"risk.enabled": False})).rounds.next_at is None
