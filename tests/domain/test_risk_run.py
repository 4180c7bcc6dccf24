"""When the risk engine looks and what it may do then: worlds, rehearsals, skips, blocks, run now, history."""

from __future__ import annotations

from typing import Any

import pytest

from execution_engine.domain import risk_run
from execution_engine.domain.errors import Refusal
from execution_engine.domain.inputs import Answer, Pause, SetRisk
from execution_engine.domain.rows import Mode, RiskStatus, RiskType, World, WorldHold
from tests.domain.house_risk import NOON, D, RiskHouse, save


def ready(settings: dict[str, Any] | None = None) -> RiskHouse:
    house = RiskHouse(settings)
    house.worked_example()
    return house


def kept(house: RiskHouse) -> list[tuple[str, str]]:
    return [(action.type.value, action.status.value) for action in house.actions]


PLAN = "LUSDT 15m needs 60.00 USD; 2 winners give 60.00 USD"


def test_an_evaluation_begins_the_offset_that_its_preview_showed():
    house = ready()
    shown = risk_run.preview(house.book, World.PAPER, house.clock.now())
    assert shown.plan is not None
    house.evaluate()
    assert (
        tuple((step.role, step.group_id, step.quantity) for step in house.action.steps)
        == shown.plan.signature
    )
    assert (house.action.by_hand, house.action.loser) == (False, house.of("L").id)


def test_nothing_is_kept_of_an_evaluation_that_finds_nothing():
    house = RiskHouse()
    house.hold("L", "10", "100")
    written = len(house.store.committed)
    house.evaluate()
    assert len(house.store.committed) == written


@pytest.mark.parametrize(
    ("keep", "why"),
    [
        (lambda house: save(house, enabled=False), "the risk engine is switched off (risk.enabled)"),
        (lambda house: house.post(Pause()), "the engine is paused"),
        (lambda house: house.evaluate(), "an offset is under way already"),
        (
            lambda house: house.book.apply([WorldHold(name=World.PAPER, reason="a defect", since=NOON)]),
            "the world is on hold: a defect",
        ),
    ],
    ids=["switched off", "paused", "one at once", "held"],
)
def test_what_keeps_an_offset_from_being_begun_is_said(keep: Any, why: str):
    house = ready()
    keep(house)
    before = kept(house)
    house.evaluate()
    reply = house.run()
    assert isinstance(reply, Refusal)
    assert reply.message == f"Paper: {why}."
    assert kept(house) == before


def test_run_now_says_what_it_found_and_stands_in_the_audit_log():
    house = ready()
    reply = house.run()
    assert isinstance(reply, Answer)
    assert reply.text == f"Paper: {PLAN}."
    assert house.action.by_hand is True
    acts = [row.detail for row in house.store.committed if getattr(row, "act", "") == "risk_run"]
    assert acts == [f"The risk engine was run by hand. Paper: {PLAN}."]


def test_run_now_where_nothing_is_open():
    assert RiskHouse().run().text == "Paper: no group can be the loser."


def test_run_now_may_be_asked_of_one_world():
    house = ready()
    reply = house.run(World.LIVE)
    assert reply.text == "Live: no group can be the loser."
    assert not house.actions


# -- rehearsal


def test_a_rehearsal_is_kept_once_per_changed_plan_and_sends_nothing():
    house = ready({"risk.rehearsal": True})
    house.evaluate()
    house.evaluate()
    assert kept(house) == [("rehearsal", "planned")]
    assert house.run().text == f"Paper: {PLAN}; a rehearsal, nothing was sent."
    assert kept(house) == [("rehearsal", "planned")]
    house.move(B="51")
    house.evaluate()
    house.move(B="52")
    house.evaluate()
    assert kept(house) == [("rehearsal", "planned")] * 3
    assert not house.offsets
    rehearsal = house.actions[0]
    assert (rehearsal.finished_at, rehearsal.needed_usd, rehearsal.realized_usd) == (NOON, D(60), None)
    assert [step.symbol for step in rehearsal.steps] == ["AUSDT", "BUSDT", "LUSDT"]


def test_a_rehearsal_is_recognised_after_a_restart():
    house = ready({"risk.rehearsal": True})
    house.evaluate()
    again = house.restarted()
    again.reconcile()
    again.evaluate()
    assert kept(again) == [("rehearsal", "planned")]


def test_a_plan_that_would_not_act_is_not_rehearsed():
    house = ready({"risk.rehearsal": True})
    house.move(A="10.1", B="50.1")
    house.evaluate()
    assert not house.actions


def test_a_rehearsal_uses_up_no_skip():
    house = ready({"risk.rehearsal": True})
    house.post(SetRisk(group_id=house.of("L").id, skip_once=True))
    house.evaluate()
    assert house.of("L").skip_once is True


def test_real_money_is_only_rehearsed_unless_the_settings_say_otherwise():
    house = RiskHouse({"risk.rehearsal": "auto"})
    assert [house.book.settings.rehearses(world) for world in World] == [False, False, True]
    house.worked_example()
    house.evaluate()
    assert kept(house) == [("offset", "running")]


# -- worlds


def test_worlds_never_mix():
    house = RiskHouse({"risk.rehearsal": False})
    house.add_account("tests", Mode.TESTNET)
    house.add_account("money", Mode.LIVE)
    house.hold("L", "10", "100", account="money")
    house.hold("A", "100", "10", account="tests")
    house.hold("B", "20", "50", account="paper")
    house.move(L="94", A="12", B="55")
    for world in World:
        house.evaluate(world)
    assert not house.actions
    assert house.run().text.startswith(
        "Paper: no group can be the loser. Test: no group can be the loser. Live: "
    )
    house.hold("C", "100", "10", account="money")
    house.move(C="11")
    for world in World:
        house.evaluate(world)
    assert [(action.world, [step.symbol for step in action.steps]) for action in house.actions] == [
        (World.LIVE, ["CUSDT", "LUSDT"])
    ]


def test_each_world_may_have_an_offset_of_its_own_under_way():
    house = RiskHouse({"risk.rehearsal": False})
    house.worked_example()
    house.add_account("money", Mode.LIVE)
    house.hold("M", "10", "100", account="money")
    house.hold("C", "100", "10", account="money")
    house.move(M="94", C="12")
    for world in World:
        house.evaluate(world)
    assert [action.world for action in house.actions] == [World.PAPER, World.LIVE]
    house.carry_out()
    assert kept(house) == [("offset", "done")] * 2


# -- skip, block


def test_a_skip_spares_a_group_once():
    house = ready()
    house.post(SetRisk(group_id=house.of("L").id, skip_once=True))
    house.evaluate()
    assert kept(house) == [("manual_skip", "done")]
    assert house.of("L").skip_once is False
    assert any(fact.text == "LUSDT 15m was skipped once by the risk engine." for fact in house.facts)
    house.evaluate()
    assert kept(house)[-1] == ("offset", "running")


def test_a_skip_is_not_used_up_while_another_group_is_chosen():
    house = ready()
    house.hold("M", "10", "100")
    house.move(M="90", A="12")
    house.post(SetRisk(group_id=house.of("L").id, skip_once=True))
    house.evaluate()
    assert house.action.loser == house.of("M").id
    assert house.of("L").skip_once is True


def test_a_blocked_group_is_never_the_loser():
    house = ready()
    house.post(SetRisk(group_id=house.of("L").id, blocked=True))
    house.evaluate()
    house.post(SetRisk(group_id=house.of("L").id, blocked=True))  # nothing new: not kept again
    assert kept(house) == [("manual_block", "done")]
    house.post(SetRisk(group_id=house.of("L").id, blocked=False))
    house.evaluate()
    assert kept(house) == [("manual_block", "done"), ("manual_unblock", "done"), ("offset", "running")]
    assert (house.actions[0].loser, house.actions[0].notes) == (house.of("L").id, "LUSDT 15m on paper")


def test_the_memory_keeps_open_actions_the_newest_others_and_the_last_rehearsal():
    house = ready({"risk.rehearsal": True})
    house.evaluate()
    rehearsal = house.action
    id = house.of("L").id
    for blocked in [True, False] * 300:
        house.post(SetRisk(group_id=id, blocked=blocked))
    assert 200 <= len(house.actions) <= 401
    assert house.actions[0] == rehearsal
    assert house.actions[-1].type is RiskType.MANUAL_UNBLOCK
    assert {action.status for action in house.actions} == {RiskStatus.PLANNED, RiskStatus.DONE}
