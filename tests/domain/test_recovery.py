"""After a backup was restored nothing is sent by its books until the user says so, not even what closes."""

from __future__ import annotations

import pytest

from execution_engine.domain.audit import Act
from execution_engine.domain.inputs import CloseAll, DatabaseReplaced, ExitGroup, Resume
from execution_engine.domain.origin import Origin
from execution_engine.domain.rows import AuditEntry
from execution_engine.engine.state import running_status
from tests.house import House

WHY = "The backup monday.sqlite was restored."


def restored() -> House:
    """A position as a backup has it, at the start after the restore, its account read and fitting."""
    house = House()
    house.price("BTCUSDT", "65000")
    house.alert(action="buy", price="65000")
    house.accept()
    house.fill_all("entry")
    assert house.group.open_quantity
    later = house.restarted()
    later.post(
        DatabaseReplaced(act=Act.BACKUP_RESTORED, detail="Restored.", why=WHY, origin=Origin.COMMAND_LINE)
    )
    later.reconcile()
    later.price("BTCUSDT", "62500")
    return later


def sent(house: House, purpose: str) -> list[str]:
    return [order.client_order_id for order in house.orders(purpose) if not order.is_final]


@pytest.mark.fault(61)
def test_it_is_on_hold_with_the_reason_and_the_audit_log_knows_who_restored():
    house = restored()
    word, reasons = running_status(house.book, house.clock.now())
    assert (word, reasons[0]) == ("hold", WHY)
    (entry,) = [row for row in house.store.committed if isinstance(row, AuditEntry)]
    assert (entry.act, entry.origin) == ("backup_restored", "command line")
    assert any(fact.notice and WHY in fact.text for fact in house.facts)


@pytest.mark.fault(61)
def test_neither_an_entry_nor_a_target_nor_an_exit_is_sent_until_the_user_resumes():
    house = restored()
    house.price("ETHUSDT", "3000")
    alert = house.alert(symbol="ETHUSDT", price="3000")
    assert house.outcome(alert) == ("rejected", "paused")
    house.price("BTCUSDT", "70000")  # far beyond every target
    assert sent(house, "take_profit") == []
    house.price("BTCUSDT", "62500")
    house.post(Resume())
    assert sent(house, "take_profit") == []  # the price as it is now decides
    assert running_status(house.book, house.clock.now())[0] == "running"
    house.price("BTCUSDT", "70000")
    assert sent(house, "take_profit")


@pytest.mark.fault(61)
def test_an_exit_waits_for_the_user_who_is_told_so():
    house = restored()
    answer = house.post(ExitGroup(group_id=house.group.id))
    assert (
        "once you resume: no order is sent before that, because newer books may be elsewhere" in answer.text
    )
    assert sent(house, "exit") == []
    house.post(Resume())
    assert len(sent(house, "exit")) == 1


@pytest.mark.fault(61)
def test_what_a_target_reached_meanwhile_is_asked_of_the_price_at_the_end():
    house = restored()
    house.price("BTCUSDT", "70000")
    house.post(Resume())
    assert sent(house, "take_profit")


@pytest.mark.fault(61)
def test_to_close_everything_is_the_users_word_as_well():
    house = restored()
    house.post(CloseAll())
    assert len(sent(house, "exit")) == 1
    assert running_status(house.book, house.clock.now())[0] == "paused"


@pytest.mark.fault(61)
def test_it_outlives_another_restart():
    house = restored().restarted()
    house.reconcile()
    house.price("BTCUSDT", "70000")
    assert sent(house, "take_profit") == []
    assert running_status(house.book, house.clock.now())[0] == "hold"


def test_a_position_whose_price_is_not_known_yet_is_decided_on_once_it_is():
    house = restored()
    house.book.prices.clear()
    house.post(Resume())
    assert sent(house, "take_profit") == []
    house.price("BTCUSDT", "70000")
    assert sent(house, "take_profit")


def test_entries_that_never_left_are_not_sent_again_either():
    house = House()
    house.price("BTCUSDT", "65000")
    house.alert(action="buy", price="65000")
    assert len(house.orders("entry")) == 5
    later = house.restarted()
    later.post(DatabaseReplaced(act=Act.BACKUP_RESTORED, detail="Restored.", why=WHY))
    later.reconcile()
    before = len(later.orders("entry"))
    later.clock.forward(minutes=5)
    later.desk.look_at_clock()
    assert len(later.orders("entry")) == before
