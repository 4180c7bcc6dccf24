"""Time or contact that was lost: everything is read anew before anything trades; and what a defect froze."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from execution_engine.domain import promotion
from execution_engine.domain.errors import Refusal
from execution_engine.domain.inputs import (
    AccountUnreadable,
    CancelLegs,
    DecideFinding,
    ExitGroup,
    History,
    Input,
    Interrupted,
    OpenOrders,
    OrderReport,
    OrderReports,
    Promote,
    PromoteWaiting,
    Replay,
    Verdict,
)
from execution_engine.domain.rows import Archive, Choice, Fill, OrderStatus, World
from execution_engine.engine import tasks
from execution_engine.engine.pulse import Pulse
from execution_engine.engine.state import running_status
from execution_engine.engine.tasks import Tasks
from tests.house import NOON, House
from tests.waiting import until


def trading(**settings) -> House:
    house = House(settings or None)
    house.price("BTCUSDT", "65000")
    house.first = house.alert(entry_price="65000")
    return house


def status(house: House, name: str = "paper") -> tuple[str, str]:
    account = house.book.accounts[name]
    return account.status, account.reason


def listed(house: House, name: str = "paper", **more) -> None:
    """Let an account be read: what rests there is what the rows say."""
    house.clock.forward(seconds=1)
    house.balance(name)
    known = frozenset(order.client_order_id for order in house.working)
    house.post(OpenOrders(account=name, reports=(), known=known, at=house.clock.time, **more))


# -- interrupted


@pytest.mark.fault(65)
def test_after_an_interruption_nothing_is_opened_before_the_account_was_read():
    house = trading()
    house.accept()
    house.post(Interrupted(reason="the machine slept for 10 min"))
    assert status(house) == ("reconciling", "the machine slept for 10 min; reading the exchange again")
    waiting = house.alert(timeframe="60", entry_price="65000")
    assert house.outcome(waiting)[0] is None
    listed(house)
    assert status(house) == ("ready", "")
    house.accept()
    assert house.outcome(waiting)[0] == "opened"


def test_only_the_accounts_concerned_are_interrupted():
    house = trading()
    house.post(Interrupted(reason="the stream broke off", accounts=("paper",)))
    assert status(house)[0] == "reconciling"
    assert status(house, "paper-perp")[0] == "ready"
    assert "(paper)" in house.facts[-1].text


def test_what_was_under_way_is_looked_up_and_its_fence_runs_from_now():
    house = trading()
    sent, lost, *_ = house.sent
    house.says(lost, Verdict.UNKNOWN)
    house.says(lost, Verdict.ABSENT)
    house.clock.forward(minutes=10)
    house.post(Interrupted(reason="the clock was set forward"))
    for order in (sent, lost):
        row = house.book.orders[order.id]
        assert (row.status, row.sent_at, row.look_at, row.absences) == (
            "unknown",
            house.clock.time,
            house.clock.time,
            0,
        )


def test_a_cancel_that_was_under_way_is_sent_again():
    house = trading()
    house.accept()
    house.post(ExitGroup(group_id=house.group.id))
    before = len(house.cancelled)
    house.post(Interrupted(reason="the machine slept"))
    assert len(house.cancelled) == before + 5


def test_without_doubt_about_answers_orders_keep_their_state():
    house = trading()
    house.post(Interrupted(reason="compared again", doubt=False))
    assert {order.status for order in house.orders()} == {"pending"}


def test_an_account_in_doubt_trades_once_each_of_its_orders_was_looked_for():
    house = trading()
    for order in house.sent:
        house.says(order, Verdict.UNKNOWN)
    house.post(Interrupted(reason="the machine slept"))
    listed(house)
    assert status(house)[0] == "reconciling"
    for order in house.sent[1:]:
        house.says(order)
    house.says(house.sent[0], Verdict.ABSENT)
    listed(house, unsettled=True)
    assert status(house)[0] == "reconciling"
    listed(house)
    assert status(house)[0] == "ready"


# -- an account that cannot be read


def test_an_account_that_cannot_be_read_twice_is_on_hold_until_it_was_read():
    house = trading()
    unreadable = AccountUnreadable(account="paper", reason="The network is down.")
    house.post(unreadable)
    assert status(house) == ("ready", "The network is down.")
    house.post(replace(unreadable, failures=2))
    house.post(replace(unreadable, failures=3))
    assert status(house) == ("hold", "The network is down.")
    assert [fact.code for fact in house.facts].count("account_unreadable") == 2
    waiting = house.alert(timeframe="60", entry_price="65000")
    assert house.outcome(waiting)[0] is None
    for order in house.sent:
        house.says(order)
    listed(house)
    assert status(house) == ("ready", "")
    assert house.book.alerts[waiting.id].decided_at is not None


def test_one_reading_that_failed_is_forgotten_with_the_next():
    house = trading()
    listed(house)
    house.post(AccountUnreadable(account="paper", reason="The network is down."))
    listed(house)
    assert status(house) == ("ready", "")


def test_an_account_that_is_gone_is_not_missed():
    house = trading()
    before = dict(house.book.accounts)
    house.post(AccountUnreadable(account="gone", reason="The network is down."))
    house.post(OpenOrders(account="gone", reports=(), at=house.clock.time))
    assert dict(house.book.accounts) == before


def test_the_moment_of_the_last_good_reading_is_kept_from_time_to_time():
    house = trading()
    listed(house)
    first = house.book.accounts["paper"].checked_at
    listed(house)
    assert house.book.accounts["paper"].checked_at == first
    house.clock.forward(minutes=10)
    listed(house)
    assert house.book.accounts["paper"].checked_at == house.clock.time


@pytest.mark.fault(46, 47)
def test_orders_of_others_are_shown_while_they_rest_and_left_alone():
    house = trading()
    listed(house, foreign=("BTCUSDT web_1",))
    (found,) = house.book.findings.values()
    assert found.found == "1 order of others rest on paper: BTCUSDT web_1."
    listed(house, foreign=tuple(f"BTCUSDT web_{n}" for n in range(6)))
    (found,) = house.book.findings.values()
    assert found.found.startswith("6 orders of others rest on paper")
    assert found.found.endswith("BTCUSDT web_4; ….")
    listed(house)
    (found,) = house.book.findings.values()
    assert found.done == "They are gone."
    assert house.cancelled == []


# -- a defect


def test_a_position_that_a_defect_froze_is_released_by_the_user_and_looked_after_again():
    house = trading()
    house.accept()
    gone = house.book.catalogue.get("binance", "BTCUSDT")
    house.book.catalogue._by_key.pop(("binance", "BTCUSDT"))
    house.fill(house.sent[0])
    (found,) = house.book.findings.values()
    assert (found.kind, found.choices, house.group.hold != "") == ("defect", (Choice.RELEASE,), True)
    house.book.catalogue.add([gone])
    answer = house.post(DecideFinding(finding_id=found.id, choice=Choice.RELEASE))
    assert answer.text == "The position is looked after again."
    assert house.group.hold == ""


def test_a_second_cause_keeps_a_position_on_hold_when_the_first_is_gone():
    house = trading()
    house.accept()
    gone = house.book.catalogue.get("binance", "BTCUSDT")
    house.book.catalogue._by_key.pop(("binance", "BTCUSDT"))
    house.fill(house.sent[0])
    house.book.catalogue.add([gone])
    (found,) = house.book.findings.values()
    deficit = replace(found, id=house.book.counter + 1, kind="deficit", ref="BTC", found="BTC is missing.")
    house.book.apply([deficit])
    house.post(DecideFinding(finding_id=found.id, choice=Choice.RELEASE))
    assert house.group.hold == "BTC is missing."


@pytest.mark.parametrize("world", [World.PAPER])
def test_a_rule_over_the_pool_that_breaks_holds_the_world_until_the_user_releases_it(world, monkeypatch):
    house = trading(**{"pool.max_open_groups": 1})
    house.accept()
    waiting = house.alert(timeframe="60", entry_price="65000")
    with monkeypatch.context() as broken:
        broken.setattr(promotion, "_may_go", lambda draft, row: 1 / 0)
        broken.setattr(promotion, "has_slot", lambda draft, world: True)
        house.post(PromoteWaiting(world=world))
    assert "promoting failed" in house.book.world_hold(world)
    fresh = house.alert(timeframe="240", entry_price="65000")
    assert house.outcome(fresh)[0] is None  # nothing new is begun
    refused = house.post(Promote(queued_id=house.queue[0].id))
    assert isinstance(refused, Refusal)
    assert refused.message.startswith("nothing new is begun")
    exit = house.alert(type="exit")
    assert house.group.status == "closing"  # what closes goes on
    house.confirm_cancels()
    assert house.outcome(exit)[0] == "exited"
    assert house.outcome(waiting)[0] == "queued"
    (found,) = house.book.findings.values()
    house.post(DecideFinding(finding_id=found.id, choice=Choice.RELEASE))
    assert house.book.world_hold(world) == ""
    house.accept()
    assert house.outcome(waiting)[0] == "opened"


# -- what comes back


def test_an_archived_group_comes_back_with_its_rows_when_one_of_its_orders_trades_after_all():
    house = trading()
    house.accept()
    house.fill(house.sent[0])
    past = History(
        group=house.group,
        pyramids=tuple(house.pyramids()),
        legs=tuple(house.legs()),
        orders=tuple(house.orders()),
        fills=tuple(row for row in house.store.committed if isinstance(row, Fill)),
    )
    other = House()
    other.price("BTCUSDT", "65000")
    other.post(past)
    assert other.group == past.group
    assert other.book.has_trade("paper", "binance", "BTCUSDT", past.fills[0].trade_id)
    other.post(replace(past, group=replace(past.group, hold="changed")))
    assert other.group == past.group  # it is there already


# -- prices that are old news


@pytest.mark.fault(48)
def test_a_price_that_was_long_on_its_way_takes_no_profit():
    house = trading()
    house.accept()
    house.fill(house.sent[0])
    old = house.clock.time - timedelta(seconds=11)
    house.price("BTCUSDT", "70000", manual=False, at=old)
    assert house.orders("take_profit") == []
    house.price("BTCUSDT", "70000", manual=False)
    assert len(house.orders("take_profit")) == 1


def test_an_entry_waits_for_a_fresh_price():
    house = House()
    house.price("BTCUSDT", "65000", manual=False)
    house.clock.forward(seconds=11)
    waiting = house.alert(entry_price="65000")
    assert house.outcome(waiting) == (None, "")
    house.price("BTCUSDT", "65010", manual=False)
    house.accept()
    assert house.outcome(waiting)[0] == "opened"


# -- the pulse


class Time:
    """Two clocks that a test sets; each wait takes as long as it is told."""

    def __init__(self) -> None:
        self.wall, self.steady = NOON, 0.0

    def now(self):
        return self.wall

    def monotonic(self):
        return self.steady

    def pass_by(self, wall: float, steady: float) -> None:
        self.wall += timedelta(seconds=wall)
        self.steady += steady


@pytest.mark.fault(65, 66)
@pytest.mark.parametrize(
    ("wall", "steady", "said"),
    [
        (1, 1, ""),
        (1.9, 1.8, ""),
        (5, 5, ""),
        (601, 601, "the program stood still for 10 min"),
        (601, 1, "the machine slept, or its clock was set forward, by 10 min"),
        (-59, 1, "the clock was set back by 60 s"),
    ],
)
async def test_the_pulse_tells_sleep_and_set_clocks_from_a_busy_machine(wall, steady, said, monkeypatch):
    time = Time()
    posted: list[Input] = []
    beats = 0

    async def sleep(seconds: float) -> None:
        nonlocal beats
        beats += 1
        if beats > 1:
            await asyncio.Event().wait()
        time.pass_by(wall, steady)

    monkeypatch.setattr("execution_engine.engine.pulse.asyncio.sleep", sleep)
    keeping = asyncio.ensure_future(Pulse(time, posted.append).keep())
    await until_beaten(lambda: beats > 1)
    keeping.cancel()
    told = [given for given in posted if isinstance(given, Interrupted)]
    assert [given.reason for given in told] == ([said] if said else [])
    assert all(given.set_back is ("set back" in said) for given in told)


async def until_beaten(true) -> None:
    loop = asyncio.get_running_loop()
    while not true():
        future = loop.create_future()
        loop.call_soon(future.set_result, None)
        await future


# -- tasks


@pytest.mark.fault(71)
async def test_a_task_that_must_not_end_is_begun_anew_and_its_failure_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tasks, "FIRST_PAUSE_S", 0.001)
    told: list[str] = []
    begun = 0

    async def work() -> None:
        nonlocal begun
        begun += 1
        if begun < 3:
            raise OSError("gone")

    owned = Tasks(lambda name, error: told.append(f"{name}: {error}"))
    owned.keep("watch", work)
    await until(lambda: begun == 3 and not owned.names)
    assert told == ["watch: gone", "watch: gone"]
    await owned.stop()


def test_several_orders_that_filled_meanwhile_are_one_finding_of_their_group():
    house = trading()
    house.accept()
    house.post(Interrupted(reason="the machine slept"))
    reports = []
    for order in house.sent[:2]:
        trade = house.trade(order, None, None, "0", "USDT")
        reports.append(
            OrderReport(
                account="paper",
                client_order_id=order.client_order_id,
                verdict=Verdict.ACCEPTED,
                status=OrderStatus.FILLED,
                filled_quantity=trade.quantity,
                trades=(trade,),
                at=house.clock.time,
            )
        )
    house.post(OrderReports(group_id=house.group.id, reports=tuple(reports)))
    (found,) = house.book.findings.values()
    assert found.found == (
        "BTCUSDT 15m: entry buy 0.00307 at 65000.00: filled. entry buy 0.00309 at 64675.00: filled."
    )


def test_cancelling_the_legs_of_a_group_that_is_gone_is_refused():
    assert House().post(CancelLegs(group_id=7)).message == "there is no open group 7"


@pytest.mark.parametrize("together", [True, False])
def test_what_the_exchange_said_is_asked_again_when_taking_it_in_met_a_defect(together):
    house = trading()
    order = house.sent[0]
    gone = house.book.catalogue.get("binance", "BTCUSDT")
    house.book.catalogue._by_key.pop(("binance", "BTCUSDT"))
    trade = house.trade(order, None, None, "0", "USDT")
    said = OrderReport(
        account="paper",
        client_order_id=order.client_order_id,
        verdict=Verdict.ACCEPTED,
        status=OrderStatus.FILLED,
        filled_quantity=trade.quantity,
        trades=(trade,),
        at=house.clock.time,
    )
    told = OrderReports(group_id=house.group.id, reports=(said,)) if together else said
    house.post(told)
    row = house.book.orders[order.id]
    assert (row.status, row.look_at is not None, row.filled_quantity) == ("unknown", True, 0)
    house.book.catalogue.add([gone])
    house.post(told)  # the look-up says the same
    assert house.book.orders[order.id].status == "filled"
    house.book.catalogue._by_key.pop(("binance", "BTCUSDT"))
    facts = len(house.facts)
    house.post(replace(said, client_order_id="nobody's"))
    house.post(replace(said, trades=(replace(trade, trade_id="another"),)))
    house.post(replace(said, trades=(replace(trade, trade_id="another"),)))
    assert house.book.orders[order.id].status == "filled"
    assert len(house.facts) == facts  # it is known that this position is frozen


def test_what_the_user_has_seen_and_put_away_is_not_shown_again_until_it_changes():
    house = trading()
    listed(house, foreign=("BTCUSDT web_1",))
    (found,) = house.book.findings.values()
    house.post(DecideFinding(finding_id=found.id, choice=Choice.DISMISS))
    listed(house, foreign=("BTCUSDT web_1",))
    assert len(house.book.findings) == 1
    listed(house, foreign=("BTCUSDT web_2",))
    assert len(house.book.open_findings()) == 1


def test_a_replay_that_finds_no_price_ends_after_the_time_an_alert_may_take():
    house = trading()
    house.accept()
    old = house.alert(timeframe="60", entry_price="65000", timestamp=NOON.isoformat())
    house.clock.forward(days=1)
    house.price("BTCUSDT", "65000", manual=False)
    house.clock.forward(seconds=11)
    answer = house.post(Replay(alert_id=old.id, received_at=house.clock.time))
    assert house.book.alerts[answer.alert_id].outcome is None
    house.clock.forward(seconds=302)
    house.desk.look_at_clock()
    again = house.book.alerts[answer.alert_id]
    assert (again.outcome, again.reason) == ("rejected", "the alert is 302 s old, the limit is 300 s")


@pytest.mark.fault(66)
def test_a_clock_that_was_set_back_while_the_program_was_off_delays_nothing():
    house = trading()
    house.accept()
    house.fill(house.sent[0])
    house.post(ExitGroup(group_id=house.group.id))
    house.confirm_cancels()
    (close,) = house.orders("exit")
    house.says(close, Verdict.REFUSED, reason="busy")
    assert house.group.retry_at is not None
    second = house.alert(timeframe="60", entry_price="65000")
    entry = house.sent[-1]
    again = house.restarted()
    again.clock.time -= timedelta(hours=1)
    again.start()
    assert again.book.groups[house.groups[0].id].retry_at is None
    assert again.book.orders[entry.id].sent_at == again.clock.time
    assert house.outcome(second)[0] is None
    again.book.apply([replace(again.book.groups[house.groups[0].id], retry_at=NOON)])
    again.post(Interrupted(reason="the clock was set back", accounts=("paper-perp",)))
    assert again.book.groups[house.groups[0].id].retry_at == NOON
    again.post(Interrupted(reason="the clock was set back"))
    assert again.book.groups[house.groups[0].id].retry_at is None


def test_a_frozen_position_that_ended_and_moved_to_history_can_still_be_put_away():
    house = trading()
    house.accept()
    gone = house.book.catalogue.get("binance", "BTCUSDT")
    house.book.catalogue._by_key.pop(("binance", "BTCUSDT"))
    house.fill(house.sent[0])
    house.book.catalogue.add([gone])
    (found,) = house.book.findings.values()
    house.book.apply([Archive(house.group.id)])
    house.post(DecideFinding(finding_id=found.id, choice=Choice.RELEASE))
    assert [fact.code for fact in house.facts].count("defect") == 1
    assert house.book.open_findings() == []


def test_markets_whose_prices_stopped_are_named_among_the_reasons():
    house = trading()
    house.accept()
    assert running_status(house.book, house.clock.time) == ("running", [])
    house.price("BTCUSDT", "65000", manual=False)
    house.clock.forward(seconds=14)
    (reason,) = running_status(house.book, house.clock.time)[1]
    assert reason == "no fresh price of BINANCE:BTCUSDT for 14 s; nothing is opened there"
    for symbol in ("ETHUSDT", "SOLUSDT", "DOGEUSDT"):
        house.alert(symbol=symbol, entry_price="1")
        house.price(symbol, "1", manual=False)
    house.clock.forward(seconds=14)
    (reason,) = running_status(house.book, house.clock.time)[1]
    assert "and 1 more for 28 s" in reason


def test_targets_that_were_met_while_the_account_was_read_are_asked_of_the_price_afterwards():
    house = trading()
    house.accept()
    house.fill(house.sent[0])
    house.post(Interrupted(reason="the machine slept"))
    house.price("BTCUSDT", "70000")
    assert house.orders("take_profit") == []  # it may have been there only while nobody looked
    house.price("BTCUSDT", "65000")
    listed(house)
    assert house.orders("take_profit") == []
    house.post(Interrupted(reason="the machine slept"))
    house.price("BTCUSDT", "70000")
    listed(house)
    assert len(house.orders("take_profit")) == 1  # it is there still


def test_nothing_is_decided_after_a_sleep_before_the_sleep_was_noticed():
    house = trading()
    pulse = Pulse(house.clock, house.desk.post)
    house.desk.before = pulse.look
    house.clock.time += timedelta(minutes=10)
    house.accept()
    assert status(house)[0] == "reconciling"


def test_ids_of_one_life_are_those_of_no_other_whatever_the_disk_has_lost():
    house = trading()
    house.reconcile()
    again = House(ready=False)
    again.clock.forward(seconds=5)
    again.reconcile()
    again.price("BTCUSDT", "65000")
    again.alert(entry_price="65000")
    assert not {o.client_order_id for o in house.sent} & {o.client_order_id for o in again.sent}


def test_a_price_from_before_the_clock_was_set_back_is_not_fresh():
    house = House()
    house.price("BTCUSDT", "65000", manual=False)
    house.clock.forward(hours=-1)
    waiting = house.alert(entry_price="65000")
    assert house.outcome(waiting)[0] is None


def test_a_price_from_before_the_clock_was_set_back_does_not_become_fresh_when_its_time_comes_again():
    house = House()
    house.price("BTCUSDT", "65000", manual=False)
    house.clock.forward(seconds=-90)
    house.post(Interrupted(reason="the clock was set back by 90 s", set_back=True))
    house.balance()
    listed(house)
    house.clock.forward(seconds=91)
    waiting = house.alert(entry_price="65000")
    assert house.outcome(waiting) == (None, "")
    house.price("BTCUSDT", "65010", manual=False)
    house.accept()
    assert house.outcome(waiting)[0] == "opened"


def test_without_a_fresh_price_targets_wait_for_one_after_the_reading():
    house = trading()
    house.accept()
    house.fill(house.sent[0])
    house.price("BTCUSDT", "70000", manual=False, at=NOON - timedelta(minutes=1))
    house.post(Interrupted(reason="the machine slept"))
    listed(house)
    assert status(house)[0] == "ready"
    assert house.orders("take_profit") == []


@pytest.mark.parametrize("restarted", [False, True])
def test_an_order_that_is_not_listed_any_more_is_asked_about_after_the_clock_was_set_back(restarted):
    house = trading()
    house.accept()
    if restarted:
        house = house.restarted()
    house.clock.forward(hours=-1)
    house.start() if restarted else house.post(Interrupted(reason="the clock was set back"))
    house.clock.forward(seconds=1)
    house.balance()
    house.post(OpenOrders(account="paper", reports=(), at=house.clock.time))
    assert {order.status for order in house.orders("entry")} == {"unknown"}
