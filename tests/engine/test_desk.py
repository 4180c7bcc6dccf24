"""The one door: what is decided is written, what is written is released, in the order of posting."""

from __future__ import annotations

import asyncio

import pytest

from execution_engine.domain import market
from execution_engine.domain.audit import Act
from execution_engine.domain.errors import Refusal, StoreFailed
from execution_engine.domain.inputs import (
    Answer,
    Balances,
    CancelLegs,
    CloseAll,
    DecideFinding,
    DueRow,
    ExitGroup,
    Pause,
    Resume,
    SaveSettings,
    SecurityAct,
    Verdict,
)
from execution_engine.domain.origin import Origin, acting
from execution_engine.domain.rows import Alert, AuditEntry, Choice, Order
from execution_engine.engine.tasks import Tasks
from tests.house import NOON, House, InlineStore
from tests.waiting import until


def house_at_work() -> House:
    house = House()
    house.price("BTCUSDT", "65000")
    house.price("ETHUSDT", "3000")
    return house


def hold_back(house: House) -> InlineStore:
    house.store.held = []
    return house.store


def test_no_answer_order_or_notice_leaves_before_its_commit():
    house = house_at_work()
    store = hold_back(house)
    facts = len(house.facts)
    replies: list[object] = []
    house.desk.post(Pause(), replies.append)
    house.alert_later()
    assert (replies, house.sent, len(house.facts)) == ([], [], facts)
    assert house.desk.behind == 2
    store.let_go()
    paused = "Paused: alerts are stored, nothing is opened; exits, targets and fills go on."
    assert replies == [Answer(status="done", text=paused)]
    assert len(house.facts) > facts


def test_everything_is_released_in_the_order_of_posting_even_what_changed_nothing():
    house = house_at_work()
    store = hold_back(house)
    heard: list[str] = []
    house.feed.on_released(lambda change: heard.append(f"{len(change.rows)} rows"))
    house.desk.post(Pause(), lambda _: heard.append("paused"))
    house.desk.post(ExitGroup(group_id=1), lambda _: heard.append("refused"))
    house.desk.post(Resume(), lambda _: heard.append("resumed"))
    assert store.behind == 3
    store.let_go()
    assert heard == ["paused", "2 rows", "refused", "0 rows", "resumed", "2 rows"]


@pytest.mark.fault(1, 15)
def test_a_second_copy_is_not_acknowledged_before_the_first_is_durable():
    house = house_at_work()
    store = hold_back(house)
    replies: list[object] = []
    for _ in range(2):
        house.alert_later(replies.append, id="7")
    assert replies == []
    store.let_go()
    first, second = replies
    assert (first.status, second.status, first.alert_id) == ("accepted", "duplicate", second.alert_id)  # type: ignore[attr-defined]


@pytest.mark.fault(58)
def test_a_failed_commit_fails_every_waiting_answer_and_nothing_is_decided_any_more():
    house = house_at_work()
    store = hold_back(house)
    told: list[StoreFailed] = []
    replies: list[object] = []
    house.desk.on_failed = told.append
    house.alert_later(replies.append)
    house.alert_later(replies.append, symbol="ETHUSDT")
    store.broken = StoreFailed("the disk is full")
    store.let_go()
    assert replies == [store.broken, store.broken]
    assert told == [store.broken]
    assert house.sent == []
    assert house.post(Pause()) is store.broken
    assert not house.book.engine.paused
    assert [row for row in store.committed if isinstance(row, Alert)] == []


def test_a_failed_commit_is_survived_without_anybody_to_tell():
    house = house_at_work()
    house.store.broken = StoreFailed("no space")
    house.alert_later()
    assert house.desk.failed is house.store.broken


@pytest.mark.fault(71)
def test_a_raising_listener_is_not_felt(caplog: pytest.LogCaptureFixture):
    house = house_at_work()
    heard: list[int] = []

    def broken(_: object) -> None:
        raise RuntimeError("a listener's own trouble")

    for add in (house.feed.on_released, house.feed.on_price, house.feed.on_balances):
        add(broken)  # type: ignore[operator]
    house.feed.on_released(lambda change: heard.append(len(change.rows)))
    prices: list[str] = []
    house.feed.on_price(lambda price: prices.append(price.symbol))
    house.price("ETHUSDT", "3001")
    house.balance()
    house.alert()
    assert len(house.sent) == 5
    assert heard
    assert prices == ["ETHUSDT"]
    assert len(caplog.records) >= 3


def test_an_answer_that_cannot_be_delivered_stops_nothing(caplog: pytest.LogCaptureFixture):
    house = house_at_work()

    def gone(_: object) -> None:
        raise ConnectionError("whoever asked has left")

    def cancelled(_: object) -> None:
        raise asyncio.CancelledError

    house.desk.post(Pause(), gone)
    house.desk.post(Resume(), cancelled)
    house.alert()
    assert len(house.sent) == 5
    assert len(caplog.records) == 1


def test_a_price_that_decides_nothing_is_noted_and_not_written():
    house = house_at_work()
    before = len(house.store.committed)
    house.price("BTCUSDT", "65100")
    assert len(house.store.committed) == before
    assert house.book.prices["binance", "BTCUSDT"].last == 65100


def test_somebody_who_asks_about_a_price_is_answered():
    house = house_at_work()
    balances = Balances(account="paper", free={}, at=house.clock.time)
    assert house.post(balances) is None
    heard: list[object] = []
    house.desk.post(house.book.prices["binance", "BTCUSDT"], heard.append)
    assert heard == [None]


async def test_asking_waits_for_the_commit():
    house = house_at_work()
    store = hold_back(house)
    asking = asyncio.ensure_future(house.desk.ask(Pause()))
    await asyncio.sleep(0)
    assert not asking.done()
    store.let_go()
    assert (await asking).status == "done"  # type: ignore[union-attr]
    assert await house.desk.ask(DueRow(id=99)) == Answer(status="done")
    assert isinstance(await house.desk.ask(ExitGroup(group_id=99)), Refusal)


async def test_what_the_engine_goes_on_to_do_by_itself_is_its_own_doing() -> None:
    house, tasks = House(), Tasks()

    async def later() -> None:
        house.post(SecurityAct(act=Act.ACCOUNT_CHECKED, detail="later"))

    with acting(Origin.WINDOW):
        house.post(SecurityAct(act=Act.KEYS_ENTERED, detail="now"))
        await tasks.spawn("later", later())
    acts = [row for row in house.store.committed if isinstance(row, AuditEntry)]
    assert [(row.detail, row.origin) for row in acts] == [("now", "window"), ("later", "automatic")]


async def test_asking_a_desk_whose_store_has_failed_raises():
    house = house_at_work()
    house.store.broken = StoreFailed("the disk is full")
    with pytest.raises(StoreFailed, match="disk is full"):
        await house.desk.ask(Pause())


async def test_one_who_has_stopped_waiting_is_not_answered():
    house = house_at_work()
    store = hold_back(house)
    asking = asyncio.ensure_future(house.desk.ask(Pause()))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    store.let_go()
    assert house.book.engine.paused


async def test_the_clock_is_looked_at_again_and_again():
    house = House({"pool.max_open_groups": 1, "pool.max_queue_age_s": 60})
    house.price("BTCUSDT", "65000")
    house.alert()
    waiting = house.alert(timeframe="60")
    keeping = asyncio.ensure_future(house.desk.keep_time())
    house.clock.forward(seconds=61)
    await until(lambda: house.outcome(waiting)[0] == "expired")
    keeping.cancel()


# -- defects: the catalogue loses what a group needs


def lose(house: House, symbol: str = "BTCUSDT") -> None:
    """Forget the rules of a market, as no catalogue ever should."""
    del house.catalogue.instruments["binance", symbol]  # type: ignore[attr-defined]


def two_groups() -> House:
    house = house_at_work()
    for symbol in ("BTCUSDT", "ETHUSDT"):
        house.alert(symbol=symbol)
    house.accept()
    house.fill(house.sent[0])
    house.fill(house.sent[5])
    return house


def defects(house: House) -> list[str]:
    return [
        fact.text
        for fact in house.facts
        if fact.code == "defect" and fact.level == "CRITICAL" and fact.notice
    ]


@pytest.mark.fault(71)
def test_a_defect_in_one_group_freezes_that_group_and_the_others_go_on():
    house = two_groups()
    lose(house)
    house.fill(house.sent[1])
    broken, sound = house.groups
    assert broken.hold == "BTCUSDT 15m: an internal error; the log has the details"
    (told,) = defects(house)
    assert told.startswith("BTCUSDT 15m: an internal error was contained")
    house.fill(house.sent[6])
    assert (sound.hold, house.groups[1].filled_quantity) == (
        "",
        house.sent[5].quantity + house.sent[6].quantity,
    )


def test_a_defect_leaves_no_trace_of_what_was_half_decided():
    house = two_groups()
    asked = house.sent[1].id
    before = [row for row in house.group_rows() if row.id != asked]
    lose(house)
    house.fill(house.sent[1])
    assert [row for row in house.group_rows() if row.id != asked] == before
    order = house.book.orders[asked]
    assert (order.status, order.filled_quantity) == ("unknown", 0)  # what was said of it is asked again


def test_a_defect_in_one_group_does_not_keep_the_others_open_when_everything_is_closed():
    house = two_groups()
    lose(house)
    house.post(CloseAll())
    assert {order.symbol for order in house.orders("exit")} == {"ETHUSDT"}
    assert [group.status.value for group in house.groups] == ["closing", "closing"]
    assert [bool(group.hold) for group in house.groups] == [True, False]


def test_a_defect_at_a_target_freezes_the_group():
    house = two_groups()
    lose(house)
    house.price("BTCUSDT", "70000")
    assert [bool(group.hold) for group in house.groups] == [True, False]


def test_a_defect_at_a_groups_time_freezes_the_group():
    house = two_groups()
    house.alert(type="exit", action=None)
    house.confirm_cancels()
    house.says(house.orders("exit")[0], Verdict.REFUSED)
    lose(house)
    house.clock.forward(seconds=2)
    house.desk.look_at_clock()
    assert [bool(group.hold) for group in house.groups] == [True, False]


def test_a_group_whose_time_met_a_defect_does_what_was_due_once_it_is_released():
    house = two_groups()
    house.alert(type="exit", action=None)
    house.confirm_cancels()
    house.says(house.orders("exit")[0], Verdict.REFUSED)
    rules = house.catalogue.get("binance", "BTCUSDT")
    lose(house)
    house.clock.forward(seconds=2)
    house.desk.look_at_clock()
    house.catalogue.instruments["binance", "BTCUSDT"] = rules  # type: ignore[attr-defined]
    (found,) = house.book.findings.values()
    house.post(DecideFinding(finding_id=found.id, choice=Choice.RELEASE))
    house.fill_all("exit")
    assert house.groups[0].status == "closed"


def test_a_cancel_that_was_due_in_a_moment_of_a_defect_goes_out_all_the_same(monkeypatch: pytest.MonkeyPatch):
    house = two_groups()
    resting = house.sent[1]

    def cancels() -> int:
        return [order.id for order in house.cancelled].count(resting.id)

    house.post(CancelLegs(group_id=resting.group_id))
    house.says(resting, Verdict.REFUSED, about_cancel=True)
    house.says(resting)
    known = cancels()

    def lost(order: Order, **changes: object) -> Order:
        raise LookupError("what no order should lack")

    with monkeypatch.context() as broken:
        broken.setattr(market, "replace", lost)
        for _ in range(3):
            house.clock.forward(minutes=1)
            house.desk.look_at_clock()
    assert [bool(group.hold) for group in house.groups] == [True, False]
    assert len(defects(house)) == 1  # told once, however often it comes up
    house.clock.forward(minutes=1)
    house.desk.look_at_clock()
    assert cancels() == known + 1


@pytest.mark.fault(71)
def test_an_alert_that_meets_a_defect_is_stored_and_has_failed():
    house = house_at_work()
    lose(house)
    alert = house.alert()
    assert house.outcome(alert) == ("failed", "an internal error; the log has the details")
    assert house.groups == []
    assert any(isinstance(row, Alert) and row.id == alert.id for row in house.store.committed)


def test_an_alert_that_waited_and_meets_a_defect_has_failed():
    house = House()
    alert = house.alert()
    lose(house)
    house.price("BTCUSDT", "65000")
    assert house.outcome(alert)[0] == "failed"


def test_the_entry_of_a_reversal_that_meets_a_defect_has_failed_and_its_exit_has_run():
    house = House()
    house.price("BTCUSDT.P", "65000")
    house.alert(symbol="BTCUSDT.P", market_position="long")
    house.accept()
    turn = house.alert(symbol="BTCUSDT.P", market_position="short", prev_market_position="long")
    house.book.accounts.pop("paper-perp")
    house.confirm_cancels()
    assert house.group.status == "closed"
    assert house.outcome(turn)[0] == "failed"


def test_a_defect_outside_of_any_group_is_told():
    house = house_at_work()
    house.desk.post(object())  # type: ignore[arg-type]
    house.desk.post(ExitGroup(group_id="x"))  # type: ignore[arg-type]
    assert [text.split(":")[0] for text in defects(house)] == ["object"]


def test_settings_that_make_no_sense_are_refused_and_change_nothing():
    house = house_at_work()
    answer = house.post(SaveSettings(document='{"pool": {"max_open_groups": 0}}'))
    assert answer == Refusal("SETTINGS", "pool.max_open_groups: must be at least 1")
    assert house.book.settings.pool.max_open_groups == 10


def test_released_rows_are_those_that_were_committed():
    house = house_at_work()
    seen: list[Order] = []
    house.feed.on_released(lambda change: seen.extend(row for row in change.rows if isinstance(row, Order)))
    house.alert()
    assert seen
    assert all(any(row is kept for kept in house.store.committed) for row in seen)


def test_when_orders_left_is_written_with_the_next_commit_or_soon():
    house = House()
    house.price("BTCUSDT", "65000")
    house.alert(entry_price="65000")
    order = house.sent[0]
    rows = [row for row in house.store.committed if isinstance(row, Order) and row.id == order.id]
    assert [row.sent_at for row in rows] == [None]
    house.says(house.sent[1])
    rows = [row for row in house.store.committed if isinstance(row, Order) and row.id == order.id]
    assert rows[-1].sent_at == NOON
    house.alert(timeframe="60", entry_price="65000")
    house.desk.look_at_clock()
    assert all(row.sent_at for row in house.book.orders.values())
    last = {row.id: row for row in house.store.committed if isinstance(row, Order)}
    assert all(row.sent_at for row in last.values())
