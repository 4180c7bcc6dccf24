"""The books of one computer opened on another, as after their folder was copied: both may run."""

from __future__ import annotations

import pytest

from execution_engine.adapters import machine
from execution_engine.domain.inputs import ExitGroup, OrderReport, Resume, SeenOn, Verdict
from execution_engine.domain.order import prefix
from execution_engine.domain.rows import OrderStatus
from execution_engine.engine.reconcile import Reconcile
from tests.engine.test_lost_orders import Full, found
from tests.house import NOON, House

OURS = prefix("a test installation")


def theirs() -> OrderReport:
    """Return an entry that the other computer placed after the copy was made."""
    return OrderReport(
        account="paper",
        client_order_id=OURS + "1",
        verdict=Verdict.ACCEPTED,
        status=OrderStatus.OPEN,
        exchange="binance",
        symbol="BTCUSDT",
        at=NOON,
    )


def copied() -> House:
    """Return a house with a position, copied to another computer and started there."""
    house = House()
    house.post(SeenOn(machine="the first"))
    house.price("BTCUSDT", "65000")
    house.alert(entry_price="65000")
    house.accept()
    house.fill(house.sent[0])
    other = house.restarted()
    other.start()
    other.post(SeenOn(machine="the second"))
    return other


@pytest.mark.fault(62)
async def test_nothing_is_sent_or_cancelled_before_the_user_says_that_this_one_trades():
    house = copied()
    assert house.book.engine.recovering.startswith("These books were last used on another computer.")
    exchange = Full(theirs())
    account = Reconcile(house.book, lambda _: exchange, house.desk.post, house.clock)
    await account.read(house.book.accounts["paper"])
    assert exchange.cancelled == []
    assert found(house) == ["It is left alone until you resume: the other computer may look after it."]
    house.post(ExitGroup(group_id=house.group.id))
    house.price("BTCUSDT", "70000")
    assert (house.sent, house.cancelled) == ([], [])

    house.post(Resume())
    await account.read(house.book.accounts["paper"])
    assert exchange.cancelled == [OURS + "1"]
    assert (house.book.engine.machine, house.book.engine.moved_to) == ("the second", None)
    assert house.book.engine.recovering == ""


@pytest.mark.fault(62)
def test_the_question_stays_until_it_is_answered_and_comes_once():
    again = copied().restarted()
    again.start()
    again.post(SeenOn(machine="the second"))
    assert again.book.engine.recovering != ""
    assert [fact.code for fact in again.facts].count("moved") == 0  # it was told before
    again.post(Resume())
    last = again.restarted()
    last.start()
    last.post(SeenOn(machine="the second"))
    assert (last.book.engine.recovering, last.book.engine.paused) == ("", False)


def test_on_the_same_computer_nothing_is_asked():
    house = House()
    for _ in range(2):
        house.post(SeenOn(machine="the first"))
        assert (house.book.engine.machine, house.book.engine.recovering) == ("the first", "")


def test_a_computer_has_a_number_that_nobody_learns_by_its_digest():
    number = machine.number()
    assert number == machine.number()
    one, other = machine.digest(number, "a key"), machine.digest(number, "another key")
    assert one != other
    assert len(one) == 32
    assert not number or number not in one
