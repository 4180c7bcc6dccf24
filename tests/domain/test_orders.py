"""One order's life: what a clear answer, an unclear one, a look-up and a late fill make of it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D

import pytest

from execution_engine.domain.inputs import ExitGroup, Interrupted, OrderReport, Settle, Verdict
from execution_engine.domain.order import client_order_id, prefix
from execution_engine.domain.rows import Order, OrderStatus
from tests.house import House


def entered(**settings) -> House:
    house = House(settings or None)
    house.price("BTCUSDT", "65000")
    house.first = house.alert(entry_price="65000")
    return house


def statuses(house: House, purpose: str = "entry") -> list[str]:
    return [order.status.value for order in house.orders(purpose)]


@pytest.mark.fault(47)
def test_every_client_order_id_is_unique_and_fits_all_exchanges():
    ids = {
        client_order_id("key", epoch, id, attempt)
        for epoch in (1, 2)
        for id in range(200)
        for attempt in (1, 2)
    }
    assert len(ids) == 800
    assert all(len(id) == 32 and id.isalnum() and id.islower() and id.startswith(prefix("key")) for id in ids)
    assert prefix("key") != prefix("other")
    assert prefix("key")[0].isalpha()


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"status": OrderStatus.OPEN}, "open"),
        ({"status": OrderStatus.CANCELLED}, "cancelled"),
        ({"status": OrderStatus.REJECTED}, "rejected"),
        ({"status": OrderStatus.FILLED}, "cancelled"),  # trimmed by the exchange: done with less than asked
        ({"status": None}, "open"),
        (
            {"status": OrderStatus.OPEN, "filled_quantity": D("0.001")},
            "unknown",
        ),  # its fills are still to come
    ],
)
def test_what_the_exchange_says_of_a_new_order_settles_it(said, status):
    house = entered()
    house.says(house.sent[0], **said)
    assert statuses(house)[0] == status


@pytest.mark.fault(33)
def test_a_fill_that_comes_before_the_acknowledgement_is_taken_in():
    house = entered()
    house.fill(house.sent[0], quantity="0.001")
    assert statuses(house)[0] == "partially_filled"
    house.says(house.sent[0], status=OrderStatus.OPEN, filled_quantity=D("0.001"))
    assert statuses(house)[0] == "partially_filled"
    assert house.group.open_quantity == D("0.001")


@pytest.mark.fault(34)
def test_stale_news_never_takes_a_state_back():
    house = entered()
    house.fill(house.sent[0])
    house.says(house.sent[0], status=OrderStatus.OPEN)
    house.says(house.sent[0], Verdict.REFUSED, reason="no")
    house.says(house.sent[0], Verdict.UNKNOWN)
    house.says(house.sent[0], Verdict.ABSENT)
    assert statuses(house)[0] == "filled"
    assert house.group.filled_quantity == D("0.00307")


@pytest.mark.fault(32)
def test_the_same_trade_counts_once_however_often_and_wherever_it_is_told():
    house = entered()
    trade = house.trade(house.sent[0], None, "0.001", "0", "USDT")
    for trades in ((trade, trade), (trade,), ()):
        house.says(
            house.sent[0], status=OrderStatus.PARTIALLY_FILLED, filled_quantity=D("0.001"), trades=trades
        )
    assert house.group.filled_quantity == D("0.001")


def test_an_order_that_rested_and_is_then_rejected_by_the_exchange_is_cancelled():
    house = entered()
    house.accept()
    house.says(house.sent[0], status=OrderStatus.REJECTED)
    assert statuses(house)[0] == "cancelled"
    assert house.group.hold == ""


def test_more_than_was_asked_for_is_booked_all_the_same():
    house = entered()
    house.fill(house.sent[0], quantity="0.004")
    assert statuses(house)[0] == "filled"
    assert house.group.open_quantity == D("0.004")


@pytest.mark.fault(36)
def test_a_fee_that_the_exchange_does_not_name_is_estimated_and_one_in_base_is_worth_its_fill():
    house = entered()
    trade = house.trade(house.sent[0], "65000", "0.001", "0", "USDT")
    for unnamed, worth in ((False, D("0.065")), (True, D("0.65"))):
        given = {"fee_value": None, "trade_id": f"x{worth}"}
        given |= {"fee": D("0.00001"), "fee_currency": "BTC"} if unnamed else {"fee_currency": ""}
        before = house.group.fees
        house.says(house.sent[0], status=OrderStatus.PARTIALLY_FILLED, trades=(replace(trade, **given),))
        assert house.group.fees - before == worth


# -- unknown


@pytest.mark.fault(19, 20)
def test_an_unclear_answer_is_looked_up_and_nothing_is_sent_again():
    house = entered()
    house.says(house.sent[0], Verdict.UNKNOWN, reason="timed out")
    order = house.orders()[0]
    assert (order.status, (order.look_at - house.clock.time).total_seconds()) == ("unknown", 0.5)
    assert len(house.sent) == 5
    assert any(fact.code == "order_unknown" for fact in house.facts)
    house.says(order)
    assert statuses(house)[0] == "open"
    assert len(house.sent) == 5


def test_look_ups_of_an_entry_grow_apart_and_those_of_a_close_stay_a_second_apart():
    house = entered()
    waits: dict[str, list[float]] = {"entry": [], "exit": []}
    house.fill(house.sent[1])
    house.says(house.sent[0], Verdict.UNKNOWN)
    house.post(ExitGroup(group_id=house.group.id))
    for order in (house.sent[0], house.orders("exit")[0]):
        for _ in range(7):
            house.says(order, Verdict.UNKNOWN)
            look = house.book.orders[order.id].look_at
            waits[order.purpose].append((look - house.clock.time).total_seconds())
            house.clock.forward(seconds=waits[order.purpose][-1])
    assert waits == {"entry": [1, 2, 4, 8, 8, 8, 8], "exit": [0.5, 1, 1, 1, 1, 1, 1]}


@pytest.mark.fault(22)
def test_absent_is_final_only_twice_two_seconds_apart():
    house = entered()
    order = house.sent[0]
    house.says(order, Verdict.UNKNOWN)
    house.says(order, Verdict.ABSENT)
    house.says(order, Verdict.ABSENT)
    assert statuses(house)[0] == "unknown"
    house.clock.forward(seconds=2)
    house.says(order, Verdict.UNKNOWN, reason="the look-up failed")  # proves nothing
    assert statuses(house)[0] == "unknown"
    house.says(order, Verdict.ABSENT)
    assert house.orders()[0].status == "failed"
    again = house.sent[-1]
    assert (again.leg_id, again.attempt, again.price, again.quantity) == (
        order.leg_id,
        2,
        order.price,
        order.quantity,
    )
    assert again.client_order_id != order.client_order_id


def test_a_lost_order_is_looked_up_at_the_moment_at_which_its_absence_is_final():
    house = entered()
    order = house.sent[0]
    began = house.clock.time
    house.says(order, Verdict.UNKNOWN)
    while (now := house.book.orders[order.id]).status == "unknown":
        house.clock.time = now.look_at
        house.says(order, Verdict.ABSENT)
    assert (house.clock.time - began).total_seconds() == 2.5  # two seconds after the first look-up


@pytest.mark.fault(22)
@pytest.mark.parametrize(("exchange", "how_long"), [("binance", 20), ("kucoin", 60)])
def test_absent_counts_for_nothing_while_a_real_exchange_may_still_admit_the_request(exchange, how_long):
    house = House()
    account = replace(house.book.accounts["paper"], name="mine", exchange="binance")
    house.book.apply([account])
    house.balance("mine")
    house.price("BTCUSDT", "65000")
    house.alert()
    order = house.sent[0]
    assert order.account == "mine"
    house.book.apply([replace(account, exchange=exchange)])
    house.says(order, Verdict.UNKNOWN)
    for _ in range(how_long // 10):
        house.says(order, Verdict.ABSENT)
        assert house.orders()[0].status == "unknown"
        house.clock.forward(seconds=10)
    house.says(order, Verdict.ABSENT)
    assert house.orders()[0].status == "unknown"  # the first that counts
    house.clock.forward(seconds=2)
    house.says(order, Verdict.ABSENT)
    assert house.orders()[0].status == "failed"


def absent(house: House, order) -> None:
    house.says(order, Verdict.ABSENT)
    house.clock.forward(seconds=2)
    house.says(order, Verdict.ABSENT)


def test_an_entry_is_tried_three_times_and_the_alert_fails_when_no_leg_was_ever_placed():
    house = entered()
    for _ in range(3):
        for order in house.working:
            house.says(order, Verdict.UNKNOWN)
            absent(house, order)
    assert len(house.sent) == 15
    assert house.working == []
    assert (house.group.status, house.outcome(house.first)[0]) == ("failed", "failed")


def test_a_close_that_was_never_placed_is_sent_anew():
    house = entered()
    house.accept()
    house.fill(house.sent[0])
    house.post(ExitGroup(group_id=house.group.id))
    house.confirm_cancels()
    (close,) = house.orders("exit")
    house.says(close, Verdict.UNKNOWN)
    assert len(house.orders("exit")) == 1  # a second close needs the first one's end
    absent(house, close)
    first, second = house.orders("exit")
    assert (first.status, second.quantity) == ("failed", first.quantity)
    house.fill(second)
    assert house.group.status == "closed"


def test_an_order_that_the_exchange_had_is_never_called_absent():
    house = entered()
    house.accept()
    house.says(house.sent[0], Verdict.UNKNOWN)
    absent(house, house.sent[0])
    absent(house, house.sent[0])
    assert statuses(house)[0] == "unknown"


# -- refused


@pytest.mark.fault(40)
def test_legs_that_the_exchange_refuses_leave_the_group_with_the_others():
    house = entered()
    for order in house.sent[3:]:
        house.says(order, Verdict.REFUSED, reason="too far away")
    house.accept()
    assert house.group.status == "live"
    assert house.outcome(house.first)[0] == "opened"
    assert [leg.status.value for leg in house.legs()] == ["open"] * 3 + ["rejected"] * 2
    assert sum(fact.notice and fact.code == "order_rejected" for fact in house.facts) == 2


def test_an_entry_that_the_exchange_refuses_whole_has_failed_and_frees_its_slot():
    house = entered(**{"pool.max_open_groups": 1})
    waiting = house.alert(symbol="ETHUSDT")
    house.price("ETHUSDT", "3000")
    for order in list(house.sent):
        house.says(order, Verdict.REFUSED, reason="market closed")
    assert house.outcome(house.first) == ("failed", "market closed")
    failed, opened = house.groups
    assert (failed.status, opened.status, opened.symbol) == ("failed", "waiting", "ETHUSDT")
    assert house.outcome(waiting)[0] is None


@pytest.mark.fault(41)
def test_insufficient_funds_stop_the_entries_that_were_not_sent_yet():
    house = entered()
    first, *others = house.orders()
    house.book.apply([replace(order, sent_at=None) for order in others])
    house.says(first, Verdict.REFUSED, reason="not enough", code="InsufficientFundsError")
    assert statuses(house) == ["rejected"] * 5
    assert house.orders()[1].reason == "not sent: insufficient funds"


def test_a_refused_close_is_tried_again_later_and_later():
    house = entered()
    house.accept()
    house.fill(house.sent[0])
    house.post(ExitGroup(group_id=house.group.id))
    house.confirm_cancels()
    waits = []
    for _ in range(8):
        close = house.orders("exit")[-1]
        assert close.status == "pending"
        house.says(close, Verdict.REFUSED, reason="reduce only is off")
        waits.append((house.group.retry_at - house.clock.time).total_seconds())
        house.clock.forward(seconds=waits[-1] - 1)
        house.desk.look_at_clock()
        assert house.orders("exit")[-1].status == "rejected"
        house.clock.forward(seconds=1)
        house.desk.look_at_clock()
    assert waits == [2, 4, 8, 16, 32, 60, 60, 60]
    house.fill(house.orders("exit")[-1])
    assert house.group.status == "closed"


# -- cancels


@pytest.mark.fault(26)
def test_a_cancel_that_races_a_fill_ends_with_the_true_quantity():
    house = entered()
    house.accept()
    house.post(ExitGroup(group_id=house.group.id))
    racing = house.cancelled[0]
    trade = house.trade(racing, None, None, "0", "USDT")
    house.says(
        racing, status=OrderStatus.FILLED, filled_quantity=trade.quantity, trades=(trade,), about_cancel=True
    )
    house.confirm_cancels()
    (close,) = house.orders("exit")
    assert close.quantity == racing.quantity
    house.fill(close)
    assert (house.group.status, house.group.open_quantity) == ("closed", 0)


@pytest.mark.fault(28)
@pytest.mark.parametrize("verdict", [Verdict.UNKNOWN, Verdict.REFUSED])
def test_a_cancel_without_a_clear_answer_is_looked_up_and_sent_again(verdict):
    house = entered()
    house.accept()
    house.post(ExitGroup(group_id=house.group.id))
    order = house.cancelled[0]
    house.says(order, verdict, about_cancel=True, reason="?")
    assert house.book.orders[order.id].status == "unknown"
    house.says(order)  # the look-up finds it still resting
    house.clock.forward(seconds=1)
    house.desk.look_at_clock()
    assert [row.id for row in house.cancelled].count(order.id) == 2


def seconds_between_cancels(house: House, order: Order, wanted: int, **answer) -> list[int]:
    """Answer each cancel of an order alike, have it found resting, and count the seconds until the next leaves."""
    waits: list[int] = []
    while len(waits) < wanted:
        known = cancels_of(house, order)
        house.says(order, about_cancel=True, **answer)
        house.says(order)
        for second in range(1, 100):
            house.clock.forward(seconds=1)
            house.says(order)  # every list of what rests shows it, too
            house.desk.look_at_clock()
            if cancels_of(house, order) > known:
                waits.append(second)
                break
    return waits


def cancels_of(house: House, order: Order) -> int:
    return [row.id for row in house.cancelled].count(order.id)


def cancelling() -> tuple[House, Order]:
    house = entered()
    house.accept()
    house.post(ExitGroup(group_id=house.group.id))
    return house, house.cancelled[0]


@pytest.mark.fault(28)
@pytest.mark.parametrize(
    ("answer", "waits"),
    [
        ({"verdict": Verdict.REFUSED}, [1, 2, 4, 8, 16, 32, 60, 60]),
        ({"verdict": Verdict.UNKNOWN, "code": "GenericExchangeError"}, [1, 2, 4, 8, 16, 32, 60, 60]),
        ({"verdict": Verdict.ACCEPTED}, [1, 2, 4, 8, 16, 32, 60, 60]),  # taken, and the order rests on
        ({"verdict": Verdict.UNKNOWN, "code": "ExchangeConnectionError"}, [1, 2, 4, 8, 8, 8]),
        ({"verdict": Verdict.UNKNOWN}, [1, 2, 4, 8, 8, 8]),  # the call broke off
    ],
)
def test_a_cancel_that_comes_to_nothing_goes_out_again_later_each_time(answer, waits):
    house, order = cancelling()
    assert seconds_between_cancels(house, order, len(waits), **answer) == waits


def test_a_cancel_that_an_order_in_doubt_refuses_is_not_repeated_before_the_order_is_found():
    house = entered()
    unknown = house.sent[0]
    house.says(unknown, Verdict.UNKNOWN)
    house.post(ExitGroup(group_id=house.group.id))
    known = cancels_of(house, unknown)
    house.says(unknown, Verdict.REFUSED, about_cancel=True, reason="no")
    house.clock.forward(minutes=2)
    house.desk.look_at_clock()
    assert (known, cancels_of(house, unknown)) == (1, 1)
    house.says(unknown)  # the look-up finds it
    assert cancels_of(house, unknown) == 2


def test_a_refusal_of_what_was_acknowledged_before_proves_nothing():
    house = entered()
    house.accept()
    order = house.sent[0]
    house.says(order, Verdict.REFUSED, reason="there is no such order")
    assert house.book.orders[order.id].status == "unknown"


def test_why_a_cancel_was_refused_is_told_once_and_kept_with_the_order():
    house, order = cancelling()
    seconds_between_cancels(
        house, order, 3, verdict=Verdict.REFUSED, reason="the market only takes new orders"
    )
    told = [fact for fact in house.facts if fact.code == "cancel_refused"]
    assert "the market only takes new orders" in told[0].text
    assert [fact.notice for fact in told] == [True, False, False]
    assert "again in 4 s" in told[2].text
    assert house.book.orders[order.id].reason == "the market only takes new orders"


def test_a_cancel_that_was_refused_often_and_is_then_taken_ends_the_order():
    house, order = cancelling()
    seconds_between_cancels(house, order, 4, verdict=Verdict.REFUSED)
    house.confirm_cancels()
    assert house.book.orders[order.id].status == "cancelled"
    assert house.group.status == "closed"


def test_a_clock_that_was_set_back_or_a_restart_keeps_no_cancel_waiting():
    house, order = cancelling()
    seconds_between_cancels(house, order, 6, verdict=Verdict.REFUSED)
    house.says(order, Verdict.REFUSED, about_cancel=True)
    house.says(order)
    known = cancels_of(house, order)
    house.clock.forward(hours=-3)
    house.post(Interrupted(reason="the clock was set back by 3 h", set_back=True))
    assert cancels_of(house, order) == known + 1
    house.says(order, Verdict.REFUSED, about_cancel=True)
    house.says(order)
    again = house.restarted()
    again.start()
    assert cancels_of(again, order) == 1


def test_an_order_of_unknown_outcome_keeps_its_group_closing_until_it_is_settled():
    house = entered()
    unknown, *others = house.sent
    house.says(unknown, Verdict.UNKNOWN)
    for order in others:
        house.says(order)
    house.post(ExitGroup(group_id=house.group.id))
    house.confirm_cancels()
    assert house.group.status == "closing"
    house.fill(unknown)  # the look-up finds it, filled
    (close,) = house.orders("exit")
    assert close.quantity == unknown.quantity
    house.fill(close)
    assert house.group.status == "closed"


# -- late


def close_without_fills(house: House) -> None:
    house.accept()
    house.post(ExitGroup(group_id=house.group.id))
    house.confirm_cancels()
    assert house.group.status == "closed"


@pytest.mark.fault(26)
def test_a_late_fill_reopens_its_group_closes_it_at_market_and_says_so():
    house = entered()
    close_without_fills(house)
    house.fill(house.sent[0], "65000")
    assert (house.group.status, house.group.closing) == ("closing", "emergency")
    assert any(fact.code == "late_fill" and fact.notice and fact.level == "CRITICAL" for fact in house.facts)
    (close,) = house.orders("emergency")
    house.fill(close, "64900")
    assert (house.group.status, house.group.realized) == ("closed", D("-0.307"))
    assert statuses(house)[0] == "filled" or statuses(house)[0] == "cancelled"


def test_a_late_fill_beside_a_newer_group_of_its_key_leaves_the_newer_one_in_charge():
    house = entered()
    close_without_fills(house)
    old = house.group
    house.alert(entry_price="65000")
    new = house.groups[1]
    house.accept()
    house.fill(house.sent[0], "65000")
    assert [group.status for group in house.groups] == ["closing", "live"]
    house.alert(entry_price="65000")
    assert [group.pyramid_count for group in house.groups] == [1, 2]
    house.fill_all("emergency")
    leave = house.alert(type="exit", action=None)
    assert house.book.alerts[leave.id].group_id == new.id
    assert house.book.groups[old.id].status == "closed"


def test_a_late_fill_takes_a_slot_over_the_limit_and_is_flagged():
    house = entered(**{"pool.max_open_groups": 1})
    close_without_fills(house)
    house.price("ETHUSDT", "3000")
    house.alert(symbol="ETHUSDT")
    house.fill(house.sent[0], "65000")
    assert [(group.status, group.forced) for group in house.groups] == [("closing", True), ("waiting", False)]


def test_an_order_that_is_found_after_its_group_has_ended_is_cancelled():
    house = entered()
    for order in house.sent:
        house.says(order, Verdict.REFUSED, reason="closed")
    assert house.group.status == "failed"
    house.says(house.sent[0], status=OrderStatus.OPEN)
    assert house.group.status == "closing"
    assert [order.id for order in house.cancelled] == [house.sent[0].id]
    house.confirm_cancels()
    assert house.group.status == "closed"
    assert house.outcome(house.first)[0] == "failed"


def test_an_order_of_this_installation_that_nobody_knows_is_reported():
    house = entered()
    known = OrderReport(account="paper", client_order_id="x", verdict=Verdict.ACCEPTED, at=house.clock.time)
    house.post(known)
    house.post(replace(known, client_order_id=prefix("a test installation") + "1"))
    assert [fact.code for fact in house.facts].count("found_orphan") == 1
    assert "could add risk" in house.facts[-1].text
    house.post(replace(known, client_order_id=prefix("a test installation") + "2", reduces=True))
    assert "left alone" in house.facts[-1].text


def test_the_cancel_of_such_an_order_is_told_with_what_it_had_filled():
    house = entered()
    ended = OrderReport(
        account="paper",
        client_order_id=prefix("a test installation") + "1",
        verdict=Verdict.ACCEPTED,
        status=OrderStatus.CANCELLED,
        about_cancel=True,
        at=house.clock.time,
    )
    house.post(ended)
    (found,) = house.book.findings.values()
    assert found.done == "It could add risk and was cancelled."
    house.post(replace(ended, filled_quantity=D("0.5")))
    (found,) = house.book.findings.values()
    assert found.done.endswith("It had filled 0.5.")


def test_settling_again_changes_nothing():
    house = entered()
    house.accept()
    house.fill(house.sent[0])
    before = dict(house.book.orders), dict(house.book.legs), dict(house.book.groups)
    house.post(Settle(group_id=house.group.id))
    assert (dict(house.book.orders), dict(house.book.legs), dict(house.book.groups)) == before
