"""The risk engine's page: who can be the loser and why, the plan before anything happens, and what was done."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QMenu, QWidget
from pytestqt.qtbot import QtBot

from execution_engine.domain.inputs import Pause
from execution_engine.domain.rows import GroupStatus, Mode, RiskType, World, WorldHold
from execution_engine.ui import theme
from execution_engine.ui.frame.attention import Attention
from execution_engine.ui.pages.positions.words import timer
from execution_engine.ui.pages.risk import RiskPage
from execution_engine.ui.tables import TableModel
from execution_engine.ui.widgets import Notice
from tests.domain.house_risk import D, group, save
from tests.house import NOON
from tests.ui.house_risk import RiskDesk
from tests.waiting import until


@pytest.fixture(autouse=True)
def _dark(qapp: QApplication) -> None:
    theme.apply(qapp, "dark")


class Desk:
    """The page over a desk that holds the worked example: L loses, A and B win."""

    def __init__(self, qtbot: QtBot, settings: dict[str, Any] | None = None, *, fee: str = "0.1") -> None:
        self.house = RiskDesk({"paper.taker_fee_percent": D(fee)} | (settings or {}))
        self.house.worked_example()
        self.house.show()
        self.page = RiskPage(self.house.bridge)
        self.notices: list[Notice] = []
        self.wanted: list[tuple[str, object]] = []
        self.page.notice.connect(self.notices.append)
        self.page.wanted.connect(lambda key, row: self.wanted.append((key, row)))
        qtbot.addWidget(self.page)
        self.page.resize(1272, 772)
        self.page.show()
        self.page.shown()

    @property
    def loser(self) -> int:
        return self.house.of("L").id

    def row(self, name: str) -> dict[str, str]:
        return cells(self.page.model, self.house.of(name).id)

    @property
    def steps(self) -> list[list[str]]:
        model = self.page.plan.model
        return [[cell.text for cell in model.cells(model.index_of(key))] for key in model.keys()]  # noqa: SIM118

    @property
    def says(self) -> str:
        return self.page.plan.table.empty.sentence

    def past(self, *key: int) -> list[str]:
        history = self.page.history
        return [cell.text for cell in history.cells(history.index_of(key))]

    def menu(self, name: str) -> dict[str, Any]:
        menu = QMenu(self.page)
        self.page._fill_menu(self.house.of(name).id, menu)
        return {action.text(): action for action in menu.actions() if action.text()}


def cells(model: TableModel[Any], key: object) -> dict[str, str]:
    found = zip(model.columns, model.cells(model.index_of(key)), strict=True)
    return {column.key: cell.text for column, cell in found}


def words(widget: QWidget) -> str:
    return " ".join(label.text() for label in widget.findChildren(QLabel) if not label.isHidden())


@pytest.fixture
def desk(qtbot: QtBot) -> Desk:
    return Desk(qtbot)


# -- state and plan


async def test_the_plan_of_the_worked_example_is_shown_before_anything_happens(desk: Desk) -> None:
    assert desk.page.bar.chip.look.word == "On"
    assert desk.page.bar.when.text() == "next in 01:00 · every 60 s"
    assert [line[:5] + line[7:8] for line in desk.steps] == [
        ["1", "AUSDT 15m Long", "Close all", "100.000", "100.0\u202f%", "+48.95"],
        ["2", "BUSDT 15m Long", "Close a part", "6.156", "30.8\u202f%", "+11.99"],
        ["3", "LUSDT 15m Long", "Close the loser", "10.000", "100.0\u202f%", "−60.94"],
    ]
    assert desk.page.plan.chip.look.word == "Ready"
    assert desk.page.plan.heading.subtitle.text() == "runs at the next evaluation, in 01:00"
    assert desk.page.plan.cover.missing.text() == "nothing is missing"
    facts = desk.page.projection.facts
    told = {key: facts.text(key) for key in ("winners", "loser", "fee", "missing", "slots", "open")}
    assert told == {
        "winners": "+60.94",
        "loser": "−60.00",
        "fee": "−0.94",
        "missing": "0.00",
        "slots": "2",
        "open": "BUSDT, 13.844 of 20",
    }
    assert not desk.house.offsets


async def test_a_plan_follows_the_prices(desk: Desk) -> None:
    desk.house.move(L="93")
    desk.house.show()
    assert desk.steps[2][7] == "−70.93"
    assert desk.page.projection.facts.text("winners") == "+70.93"


async def test_what_is_missing_is_said_when_winners_do_not_cover(desk: Desk) -> None:
    desk.house.move(A="10.1", B="50.2")
    desk.house.show()
    assert desk.page.plan.chip.look.word == "Not covered"
    missing = desk.page.projection.facts.text("missing")
    assert desk.page.plan.heading.subtitle.text() == f"{missing} USD are missing. Partial offsets are off."
    assert desk.page.projection.facts.text("open") == "all of it, nothing is closed"
    assert desk.page.plan.cover.missing.text() == f"{missing} USD are missing"
    assert not desk.page.plan.run.isEnabled()


async def test_without_a_plan_it_says_who_comes_nearest_and_what_that_one_lacks(desk: Desk) -> None:
    expires = NOON + timedelta(minutes=23, seconds=41)
    desk.house.change(desk.house.of("L"), timer_expires_at=expires)
    assert desk.says == "No plan: no group meets all rules. Nearest: LUSDT 15m, timer 23:41 left."
    desk.house.clock.forward(seconds=41)
    desk.page.tick()
    assert "timer 23:00 left" in desk.says
    assert desk.row("L")["timer"] == "23:00 left"
    desk.house.clock.forward(minutes=23)
    desk.page.tick()
    assert len(desk.steps) == 3
    assert desk.row("L")["timer"].startswith("ended ")


@pytest.mark.parametrize(
    ("keep", "word", "subtitle"),
    [
        (lambda house: house.post(Pause()), "Paused", "The engine is paused: no offset is begun."),
        (
            lambda house: house.bridge.released((WorldHold(name=World.PAPER, reason="a defect"),), ()),
            "On hold",
            "No offset is begun: a defect.",
        ),
        (
            lambda house: save(house, rehearsal=True),
            "Rehearsal",
            "rehearsed at the next evaluation, in 01:00: nothing is sent",
        ),
    ],
    ids=["paused", "held", "rehearsal"],
)
async def test_what_keeps_a_plan_from_being_carried_out_is_said(
    desk: Desk, keep: Any, word: str, subtitle: str
) -> None:
    keep(desk.house)
    desk.house.show()
    assert desk.page.bar.chip.look.word == word
    assert desk.page.plan.heading.subtitle.text() == subtitle
    assert desk.page.plan.run.isEnabled() is (word == "Rehearsal")


async def test_switched_off_it_says_so_and_leads_to_the_setting(desk: Desk) -> None:
    save(desk.house, enabled=False)
    desk.house.show()
    assert desk.page.bar.chip.look.word == "Off"
    assert desk.says == "Off: the risk engine does nothing."
    desk.page.bar.settings.click()
    assert desk.wanted == [("settings", "risk.enabled")]


# -- who can be the loser


async def test_each_rule_is_told_by_itself(desk: Desk) -> None:
    row = desk.row("L")
    assert (row["position"], row["pyramids"], row["loss"]) == ("10.000", "1 / 1", "−6.00\u202f%")
    assert (row["age"], row["verdict"]) == ("off", "Loser of the plan")
    assert desk.row("A")["verdict"] == "Pays in the plan"
    said = desk.page.model.tooltip(desk.page.model.index_of(desk.loser, 9)).split("\n")
    assert len(said) == 12
    assert desk.page.model.tooltip(desk.page.model.index_of(desk.loser)).startswith(
        "on paper\nHas a position: met"
    )
    assert "Has lost enough: met, −6.00 % now; asked is −5 % or less" in said


@pytest.mark.parametrize(
    ("change", "column", "shown", "verdict"),
    [
        ({"blocked": True}, "free", "blocked", "no: blocked"),
        ({"skip_once": True}, "free", "skipped once", "no: skipped once"),
        ({"hold": "a defect"}, "open", "on hold", "no: on hold"),
        ({"status": GroupStatus.CLOSING}, "open", "closing", "no: closing, entries"),
        ({"status": GroupStatus.PARTIALLY_FILLED}, "entries", "legs work", "no: entries"),
        ({"max_pyramids": 5}, "pyramids", "1 / 5", "no: pyramids"),
        ({"timer_expires_at": None}, "timer", "not started", "not yet: timer"),
    ],
    ids=["blocked", "skipped", "held", "closing", "working", "pyramids", "timer"],
)
async def test_a_rule_that_is_not_met_is_named(
    desk: Desk, change: dict[str, Any], column: str, shown: str, verdict: str
) -> None:
    desk.house.change(desk.house.of("L"), **change)
    assert desk.row("L")[column] == shown
    assert desk.row("L")["verdict"] == verdict


async def test_a_price_that_grew_old_takes_the_loser_away(desk: Desk) -> None:
    desk.house.price("LUSDT", "94", manual=False)
    desk.house.show()
    assert len(desk.steps) == 3
    desk.house.clock.forward(minutes=10)
    desk.page.tick()
    assert desk.row("L")["loss"] == "price is old"
    assert desk.row("L")["verdict"] == "no: price"
    assert "its price is old" in desk.says


async def test_the_loser_stands_first_and_the_default_order_comes_back(desk: Desk) -> None:
    assert desk.page.model.keys()[0] == desk.loser
    desk.page.model.sort_by("loss", True)
    assert desk.page.model.keys()[-1] == desk.loser
    desk.page.model.sort_by(None)
    assert desk.page.model.keys()[0] == desk.loser


async def test_an_account_can_be_looked_at_alone(desk: Desk) -> None:
    desk.house.hold("C.P", "10", "100")
    desk.house.show()
    desk.page.shown()
    accounts = desk.page.bar.accounts
    assert not accounts.isHidden()
    accounts.setCurrentIndex(accounts.findData("paper-perp"))
    accounts.activated.emit(accounts.currentIndex())
    assert desk.page.model.keys() == [desk.house.of("C.P").id]


async def test_worlds_are_chosen_where_there_are_several(qtbot: QtBot) -> None:
    desk = Desk(qtbot)
    desk.house.add_account("real", Mode.LIVE)
    desk.house.change(desk.house.of("B"), world=World.LIVE, account="real")
    desk.page.shown()
    worlds = desk.page.bar.worlds
    assert not worlds.isHidden()
    assert desk.page.bar.world is World.LIVE
    assert desk.page.model.keys() == [desk.house.of("B").id]
    worlds.setCurrentIndex(worlds.findData(World.PAPER))
    worlds.activated.emit(worlds.currentIndex())
    assert desk.loser in desk.page.model.keys()  # noqa: SIM118


# -- what the user can do


async def test_skip_and_block_from_the_menu_change_the_plan_and_stand_in_the_history(desk: Desk) -> None:
    desk.menu("L")["Block risk"].trigger()
    await until(lambda: desk.notices)
    desk.house.show()
    assert desk.row("L")["free"] == "blocked"
    assert "Unblock risk" in desk.menu("L")
    assert "blocked by you" in desk.says
    (entry,) = desk.house.actions
    assert desk.past(entry.id)[1:2] + desk.past(entry.id)[6:] == ["LUSDT 15m", "Blocked", "blocked by you"]


async def test_the_loser_of_the_plan_can_be_skipped_beside_it(desk: Desk, qtbot: QtBot) -> None:
    assert desk.page.plan.block.text() == "Block LUSDT 15m"
    qtbot.mouseClick(desk.page.plan.skip, Qt.MouseButton.LeftButton)
    await until(lambda: desk.notices)
    desk.house.show()
    assert desk.house.of("L").skip_once
    assert not desk.steps


async def test_run_now_shows_the_plan_asks_and_closes_step_by_step(desk: Desk, qtbot: QtBot) -> None:
    qtbot.mouseClick(desk.page.plan.run, Qt.MouseButton.LeftButton)
    dialog = desk.page.dialog
    assert dialog is not None
    assert "Close AUSDT 15m, part of BUSDT 15m, then LUSDT 15m?" in words(dialog)
    assert "BUSDT 15m 6.156 at 52 +11.99 USD fee 0.32" in words(dialog)
    assert "BUSDT, 13.844 of 20" in words(dialog)
    assert not desk.house.offsets
    qtbot.mouseClick(dialog.confirm, Qt.MouseButton.LeftButton)
    await until(lambda: desk.page.dialog is None)
    desk.house.show()
    assert desk.page.bar.chip.look.word == "Running"
    assert desk.page.plan.heading.subtitle.text().startswith("an offset is under way, step 1 of 3")
    assert [line[8] for line in desk.steps] == ["Closing", "Planned", "Planned"]
    assert desk.row("L")["verdict"] == "Loser of the plan"
    assert desk.page.plan.cover.missing.text() == "60.94 USD are still to come"
    desk.house.fill(desk.house.next_offset(), fee_percent="0.1")
    desk.house.show()
    said = "So far winners gave 48.95, the loser 0.00: together +48.95 USD"
    assert desk.page.plan.footer.text() == said
    assert [line[8] for line in desk.steps] == ["Closed", "Closing", "Planned"]
    assert desk.steps[0][3] == "100.000 of 100.000"
    desk.house.carry_out("0.1")
    desk.house.show()
    assert desk.past(desk.house.action.id)[6] == "Complete"
    assert not desk.steps


async def test_a_plan_that_became_another_one_is_not_run_unseen(desk: Desk, qtbot: QtBot) -> None:
    qtbot.mouseClick(desk.page.plan.run, Qt.MouseButton.LeftButton)
    dialog = desk.page.dialog
    assert dialog is not None
    desk.house.move(A="9")
    desk.house.show()
    qtbot.mouseClick(dialog.confirm, Qt.MouseButton.LeftButton)
    assert "The plan has changed meanwhile" in dialog.error
    assert not desk.house.actions
    dialog.reject()


async def test_a_rehearsal_says_that_it_is_one_and_what_it_would_have_meant(qtbot: QtBot) -> None:
    desk = Desk(qtbot, {"risk.rehearsal": True}, fee="0")
    qtbot.mouseClick(desk.page.plan.run, Qt.MouseButton.LeftButton)
    dialog = desk.page.dialog
    assert dialog is not None
    assert dialog.windowTitle() == "Rehearse the offset"
    assert "nothing is sent to an exchange" in words(dialog)
    qtbot.mouseClick(dialog.confirm, Qt.MouseButton.LeftButton)
    await until(lambda: desk.page.dialog is None)
    desk.house.show()
    assert not desk.house.offsets
    (entry,) = desk.house.actions
    assert entry.type is RiskType.REHEARSAL
    assert desk.past(entry.id)[6:] == ["Rehearsed", "would be the same by now"]
    desk.house.move(L="92")
    desk.house.show()
    desk.page.tick()
    assert desk.past(entry.id)[7] == "would have gained 20.00 USD"
    desk.page.tree.select((entry.id,))
    assert "by now that would have gained 20.00 USD." in desk.page.note.text()


# -- the history


async def test_an_offset_opens_to_its_steps_and_those_to_their_fills(desk: Desk) -> None:
    desk.house.evaluate()
    desk.house.carry_out("0.1")
    desk.house.show()
    action = desk.house.action
    index = desk.page.history.index_of((action.id,))
    desk.page.tree.expand(index)
    await until(lambda: desk.page.history.rowCount(desk.page.history.index_of((action.id, 0))))
    assert desk.past(action.id)[1:4] == ["LUSDT 15m", "−60.94", "AUSDT 15m, BUSDT 15m"]
    assert desk.past(action.id, 1)[:2] == ["Step 2, winner", "BUSDT 15m"]
    assert desk.past(action.id, 1)[3] == "6.156 of 6.156 at 52"
    fill = next(row.fill for row in desk.page._past._fills[action.id] if row.at == 1)
    assert desk.past(action.id, 1, fill.id)[3] == "6.156 at 52"
    assert "3 of 3 steps" in desk.past(action.id)[7]


async def test_the_history_survives_a_restart(desk: Desk, qtbot: QtBot) -> None:
    desk.house.evaluate()
    desk.house.carry_out()
    action = desk.house.action
    desk.house.book.risk_actions.clear()
    desk.house.bridge.attach(desk.house.doors())
    page = RiskPage(desk.house.bridge)
    qtbot.addWidget(page)
    page.show()
    page.shown()
    await until(lambda: page.history.index_of((action.id,)).isValid())


async def test_an_empty_history_says_what_will_be_kept_there(desk: Desk) -> None:
    assert desk.page.tree.empty.sentence == (
        "Nothing yet. Every offset, rehearsal, skip and block is kept here."
    )


async def test_an_action_that_stopped_says_where(desk: Desk) -> None:
    desk.house.evaluate()
    desk.house.change(desk.house.of("L"), blocked=True)
    desk.house.carry_out()
    desk.house.show()
    action = desk.house.action
    assert desk.past(action.id)[6] == "Incomplete"
    assert "the loser was blocked" in desk.past(action.id)[7]


# -- a small window


async def test_in_a_small_window_groups_and_history_take_turns(desk: Desk) -> None:
    desk.page.set_narrow(True)
    assert desk.page.projection.isHidden()
    assert "together" in desk.page.plan.footer.text()
    assert (desk.page.groups_panel.isHidden(), desk.page.history_panel.isHidden()) == (False, True)
    desk.page.bar.below.set_value("history")
    desk.page.bar.below.chosen.emit("history")
    assert (desk.page.groups_panel.isHidden(), desk.page.history_panel.isHidden()) == (True, False)
    desk.page.go_to(desk.loser)
    assert desk.page.table.key() == desk.loser


async def test_a_group_of_a_market_without_rules_is_left_out(desk: Desk) -> None:
    ghost = replace(desk.house.of("A"), id=99999, symbol="GHOSTUSDT")
    desk.house.bridge.released((ghost,), ())
    desk.house.show()
    assert desk.page.model.record(99999) is None


# -- elsewhere in the window


async def test_a_plan_that_is_ready_needs_attention_until_it_is_only_rehearsed(desk: Desk) -> None:
    attention = Attention(desk.house.bridge)
    (thing,) = attention.things(NOON)
    assert (thing.title, thing.page) == ("Offset plan is ready", "risk")
    assert thing.sentence == "LUSDT 15m needs 60.94 USD; 2 winners give 60.94 USD."
    desk.house.evaluate()
    desk.house.show()
    assert [each.title for each in attention.things(NOON)] == ["An offset is under way"]
    desk.house.carry_out("0.1")
    desk.house.show()
    assert attention.things(NOON) == []


async def test_a_rehearsed_plan_asks_for_no_attention(qtbot: QtBot) -> None:
    assert Attention(Desk(qtbot, {"risk.rehearsal": True}).house.bridge).things(NOON) == []


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({}, "until "),
        ({"blocked": True}, ", blocked"),
        ({"skip_once": True}, ", skipped once"),
        ({"timer_expires_at": None}, "not started"),
        ({"timer_expires_at": None, "blocked": True}, "blocked"),
    ],
    ids=["runs", "blocked", "skipped", "not started", "blocked before"],
)
def test_a_groups_waiting_time_is_told_among_its_facts(change: dict[str, Any], shown: str) -> None:
    told, _ = timer(replace(group(), **change))
    assert shown in told
