"""What an alert is taken for, whom it concerns and how it ends."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from execution_engine.domain import alert as alerts
from execution_engine.domain import document as documents
from execution_engine.domain.errors import Refusal
from execution_engine.domain.inputs import (
    AccountChanged,
    Answer,
    CloseAll,
    DueRow,
    ExitGroup,
    Judge,
    NoPrice,
    OpenOrders,
    Pause,
    Replay,
    RequestRefused,
    Resume,
    SaveSettings,
)
from execution_engine.domain.inputs import Verdict as V
from execution_engine.domain.routing import world_of
from execution_engine.domain.rows import Account, AccountStatus, Market, Mode, World, WorldHold
from tests.house import NOON, House

PERP = {"symbol": "BTCUSDT.P", "action": None}
EXIT = {"type": "exit", "action": None}


def house_with(settings: dict[str, Any] | None = None) -> House:
    house = House(settings)
    for symbol, price in (
        ("BTCUSDT", "65000"),
        ("BTCUSDT.P", "65000"),
        ("ETHUSDT", "3000"),
        ("SOLUSDT", "150"),
    ):
        house.price(symbol, price)
    return house


def hold(house: House, **fields: Any) -> Any:
    """Open a group and fill its first leg; return its alert."""
    alert = house.alert(**fields)
    orders = [order for order in house.working if house.book.groups[order.group_id].alert_id == alert.id]
    for order in orders:
        house.says(order)
    house.fill(orders[0])
    return alert


def flatten(house: House) -> None:
    """Let the exchange do whatever it was asked for."""
    for _ in range(3):
        house.confirm_cancels()
        for order in house.working:
            if order.type == "market":
                house.fill(order)
    house.confirm_cancels()


def outcome(house: House, alert: Any) -> str | None:
    return house.outcome(alert)[0]


# -- classification, in SPEC's order

TURN = {"market_position": "short", "prev_market_position": "long", "action": "sell"}


@pytest.mark.parametrize(
    ("held", "closing", "fields", "kind", "ends"),
    [
        (None, False, {"market_position": "long"}, "entry", "opened"),
        (None, False, TURN, "entry", "opened"),
        (None, False, EXIT, "exit", "no_position"),
        (None, False, {"market_position": "flat", "action": "sell"}, "exit", "no_position"),
        ("long", False, {"market_position": "long"}, "pyramid", "pyramided"),
        ("long", False, {"market_position": "short"}, "entry", "rejected"),
        ("short", False, TURN, "pyramid", "pyramided"),
        ("long", False, TURN, "reversal", "reversed"),
        ("long", False, {"market_position": "flat"}, "exit", "exited"),
        ("long", False, EXIT | {"side": "short", "prev_market_position": "short"}, "exit", "exited"),
        ("long", True, {"market_position": "long"}, "entry", "opened"),
        ("long", True, {"market_position": "short"}, "entry", "opened"),
        ("long", True, TURN, "reversal", "reversed"),
        ("short", True, TURN, "entry", "opened"),
        ("long", True, EXIT, "exit", "exited"),
    ],
)  # fmt: skip
def test_an_alert_is_classified_in_the_specifications_order(held, closing, fields, kind, ends):
    house = house_with()
    if held:
        hold(house, **PERP | {"market_position": held})
    if closing:
        house.post(ExitGroup(group_id=house.group.id))
    alert = house.alert(**PERP | fields)
    if closing and ends == "opened":
        assert outcome(house, alert) == "queued"
    flatten(house)
    house.accept()
    found = house.book.alerts[alert.id]
    assert (found.signal, found.outcome) == (kind, ends)
    if ends == "rejected":
        assert found.reason == "opposite side is open"


def test_an_opposite_entry_turns_the_group_round_if_the_settings_say_so():
    house = house_with({"signals.opposite": "reverse"})
    hold(house, **PERP | {"market_position": "long"})
    alert = house.alert(**PERP | {"market_position": "short"})
    flatten(house)
    house.accept()
    assert outcome(house, alert) == "reversed"
    assert [(group.side, group.status) for group in house.groups] == [("long", "closed"), ("short", "live")]


def test_one_signal_more_than_the_pyramids_is_a_replacement_and_places_nothing():
    house = house_with({"pool.max_pyramids": 2, "risk.reset_timer_on_replacement": True})
    house.alert()
    house.alert()
    sent = len(house.sent)
    third, fourth = house.alert(), house.alert()
    assert [outcome(house, alert) for alert in (third, fourth)] == ["replacement", "replacement"]
    assert (house.group.replacement_count, house.group.pyramid_count, len(house.sent)) == (2, 2, sent)
    assert house.group.timer_started_at is None
    house.book.apply([replace(house.group, timer_started_at=NOON, timer_expires_at=NOON)])
    house.clock.forward(minutes=5)
    house.alert()
    assert house.group.timer_expires_at == NOON + timedelta(minutes=65)


# -- reversals


def reversing(settings: dict[str, Any] | None = None) -> tuple[House, Any]:
    house = house_with(settings)
    hold(house, **PERP | {"market_position": "long"})
    return house, house.alert(**PERP | TURN)


def test_a_reversal_reuses_the_slot_of_the_side_it_closes():
    house, alert = reversing({"pool.max_open_groups": 1})
    waiting = house.alert(symbol="ETHUSDT")
    flatten(house)
    house.accept()
    assert (outcome(house, alert), outcome(house, waiting)) == ("reversed", "queued")
    assert house.groups[1].side == "short"


def account_on_hold(house: House) -> None:
    account = house.book.accounts["paper-perp"]
    house.book.apply([replace(account, status=AccountStatus.HOLD, reason="it cannot be read")])


def world_on_hold(house: House) -> None:
    house.book.apply([WorldHold(name=World.PAPER, reason="a defect", since=NOON)])


HOLDS = [
    (account_on_hold, "the new side was not opened: the account “paper-perp” is on hold: it cannot be read"),
    (world_on_hold, "the new side was not opened: the paper world is on hold: a defect"),
]


@pytest.mark.parametrize(("on_hold", "why"), HOLDS)
@pytest.mark.parametrize("fields", [TURN, {"market_position": "short"}])
def test_on_hold_a_reversal_closes_the_old_side_and_opens_no_new_one(on_hold, why, fields):
    house = house_with({"signals.opposite": "reverse"})
    hold(house, **PERP | {"market_position": "long"})
    on_hold(house)
    alert = house.alert(**PERP | fields)
    flatten(house)
    assert [group.status for group in house.groups] == ["closed"]
    assert house.outcome(alert) == ("exited", why)


@pytest.mark.parametrize(("on_hold", "why"), HOLDS)
def test_a_hold_that_comes_while_a_reversal_closes_keeps_its_new_side_away(on_hold, why):
    house, alert = reversing()
    on_hold(house)
    flatten(house)
    assert house.outcome(alert) == ("exited", why)


@pytest.mark.parametrize("on_hold", [account_on_hold, world_on_hold])
def test_on_hold_a_turn_of_what_is_not_held_waits_as_an_entry_does(on_hold):
    house = house_with()
    on_hold(house)
    assert house.outcome(house.alert(**PERP | TURN)) == (None, "")
    hold_on_the_other_side = house.alert(**PERP | {"market_position": "long", "timeframe": "60"})
    assert house.outcome(hold_on_the_other_side) == (None, "")


@pytest.mark.parametrize(
    ("meanwhile", "why"),
    [
        (lambda house: house.alert(**PERP | EXIT), "came before it"),
        (lambda house: house.post(Pause()), "paused"),
        (lambda house: (house.post(Pause()), house.post(Resume())), "paused"),
        (lambda house: house.post(CloseAll()), "paused"),
        (lambda house: house.post(ExitGroup(group_id=house.group.id)), "you closed it"),
        (lambda house: house.clock.forward(seconds=301), "the limit is 300 s"),
        (lambda house: house.balance("paper-perp", "1"), "the account “paper-perp” has 1.00 USDT free"),
        (lambda house: house.price("BTCUSDT.P", "80000"), "away from the market"),
    ],
)
def test_whatever_comes_before_the_entry_of_a_reversal_the_exit_runs(meanwhile, why):
    house = house_with()
    hold(house, **PERP | {"market_position": "long"})
    alert = house.alert(**PERP | TURN | {"entry_price": "65000"})
    meanwhile(house)
    flatten(house)
    assert [group.status for group in house.groups] == ["closed"]
    ended, reason = house.outcome(alert)
    assert ended == "exited"
    assert reason.startswith("the new side was not opened: ")
    assert why in reason


def test_a_close_everything_while_paused_cancels_the_entry_that_is_to_come_too():
    house = house_with()
    hold(house, **PERP | {"market_position": "long"})
    house.post(Pause())
    alert = house.alert(**PERP | TURN)
    house.post(CloseAll())
    house.post(Resume())
    flatten(house)
    assert house.outcome(alert) == ("exited", "the new side was not opened: everything was closed")


def test_a_reversal_on_spot_exits_and_opens_no_short():
    house = house_with()
    hold(house)
    alert = house.alert(**TURN)
    flatten(house)
    assert house.outcome(alert) == ("exited", "the new side was not opened: a spot account cannot be short")


def test_a_reversal_whose_entry_the_exchange_refuses_has_exited():
    house, alert = reversing()
    flatten(house)
    for order in list(house.working):
        house.says(order, V.REFUSED, reason="no margin")
    assert house.outcome(alert) == ("exited", "the new side was not opened: no margin")
    assert [group.status for group in house.groups] == ["closed", "failed"]


def test_a_second_reversal_takes_the_first_ones_place():
    house, first = reversing()
    second = house.alert(**PERP | TURN)
    flatten(house)
    house.accept()
    assert (outcome(house, first), outcome(house, second)) == ("exited", "reversed")
    assert [group.side for group in house.groups] == ["long", "short"]


def test_a_reversal_back_while_the_old_side_closes_ends_on_the_side_it_asks_for():
    house, first = reversing()
    back = house.alert(**PERP | {"market_position": "long", "prev_market_position": "short"})
    flatten(house)
    house.accept()
    assert (outcome(house, first), outcome(house, back)) == ("exited", "opened")
    assert [(group.side, group.status) for group in house.groups] == [("long", "closed"), ("long", "live")]


def test_a_reversal_removes_what_its_key_had_in_the_queue_and_spares_what_comes_after():
    house = house_with()
    hold(house, **PERP | {"market_position": "long"})
    house.post(ExitGroup(group_id=house.group.id))
    older = house.alert(**PERP | {"market_position": "long"})
    turn = house.alert(**PERP | TURN)
    newer = house.alert(**PERP | {"market_position": "short"})
    flatten(house)
    house.accept()
    assert [outcome(house, alert) for alert in (older, turn)] == ["cancelled", "reversed"]
    assert outcome(house, newer) == "pyramided"  # the new side is open: it needs no slot


@pytest.mark.parametrize(
    ("age", "held", "ends"),
    [
        (299, "long", "reversed"),
        (400, "long", "exited"),
        (400, "short", "rejected"),
        (400, None, "rejected"),
        (90000, "long", "rejected"),
    ],
)
def test_an_old_reversal_still_closes_and_a_very_old_one_does_nothing(age, held, ends):
    house = house_with()
    if held:
        hold(house, **PERP | {"market_position": held})
    alert = house.alert(
        **PERP | TURN | {"timestamp": int((house.clock.time - timedelta(seconds=age)).timestamp())}
    )
    flatten(house)
    house.accept()
    assert outcome(house, alert) == ends
    assert house.book.alerts[alert.id].late is (ends == "exited")


# -- age and duplicates


@pytest.mark.fault(5)
@pytest.mark.parametrize(
    ("fields", "age", "ends", "late"),
    [
        ({}, 300, "opened", False),
        ({}, 301, "rejected", False),
        ({}, -60, "opened", False),
        ({}, -61, "rejected", False),
        (EXIT, 301, "no_position", False),
        (EXIT, 86400, "no_position", False),
        (EXIT, 86401, "rejected", False),
        (EXIT, -61, "rejected", False),
    ],
)
def test_age_is_asked_when_an_alert_is_decided_on(fields, age, ends, late):
    house = house_with()
    alert = house.alert(**fields, timestamp=(house.clock.time - timedelta(seconds=age)).isoformat())
    house.accept()
    assert (outcome(house, alert), house.book.alerts[alert.id].late) == (ends, late)


@pytest.mark.fault(5)
def test_a_late_exit_is_carried_out_and_flagged():
    house = house_with()
    hold(house)
    alert = house.alert(**EXIT, timestamp=(house.clock.time - timedelta(hours=2)).isoformat())
    flatten(house)
    assert (outcome(house, alert), house.book.alerts[alert.id].late) == ("exited", True)


@pytest.mark.fault(1)
def test_a_copy_is_answered_with_the_first_ones_id_and_only_counted():
    house = house_with()
    first = house.answer(id="7")
    for _ in range(3):
        assert house.answer(id="7") == Answer(status="duplicate", alert_id=first.alert_id)
    assert house.book.alert_key("id:7").duplicates == 3
    assert len(house.groups) == 1


@pytest.mark.fault(2, 6)
@pytest.mark.parametrize(
    ("id", "days", "seconds", "status"),
    [
        (None, 0, 60, "duplicate"),
        (None, 0, 61, "accepted"),
        ("7", 90, 0, "duplicate"),
        ("7", 90, 1, "accepted"),
    ],
)
def test_bodies_are_told_apart_for_a_minute_and_ids_for_ninety_days(id, days, seconds, status):
    house = house_with({"signals.max_alert_age_s": 604800})
    house.answer(id=id)
    house.clock.forward(days=days, seconds=seconds)
    assert house.answer(id=id).status == status


@pytest.mark.fault(6)
def test_a_used_id_with_another_body_is_a_copy_with_a_notice_unless_it_is_an_exit():
    house = house_with()
    hold(house, id="7")
    assert house.answer(id="7", close="64000").status == "duplicate"
    assert [fact.notice for fact in house.facts if fact.code == "same_id_other_body"] == [True]
    leave = house.alert(id="7", **EXIT)
    flatten(house)
    assert outcome(house, leave) == "exited"
    assert house.answer(id="7", **EXIT).status == "duplicate"


def test_a_replay_is_a_new_alert_that_is_asked_neither_duplicate_nor_age():
    house = house_with()
    old = house.alert(id="7", timestamp=NOON.isoformat())
    house.accept()
    house.clock.forward(days=1)
    answer = house.post(Replay(alert_id=old.id, received_at=house.clock.time))
    house.accept()
    again = house.book.alerts[answer.alert_id]
    assert (again.replay_of, again.outcome) == (old.id, "pyramided")
    assert house.answer(id="7").status == "duplicate"
    assert isinstance(house.post(Replay(alert_id=99999, received_at=NOON)), Refusal)


def test_a_contradiction_is_rejected_with_both_sides_named():
    house = house_with()
    alert = house.alert(action="sell", market_position="long")
    assert house.outcome(alert) == ("rejected", "the alert contradicts itself: its parts name long and short")


def test_a_refused_request_is_kept_with_its_reasons():
    house = House()
    for status, errors, category in ((422, (("symbol", "unknown"),), "API"), (401, (), "SECURITY")):
        house.post(RequestRefused(at=NOON, status=status, errors=errors, body="{}", source="1.2.3.4"))
        assert (house.facts[-1].code, house.facts[-1].category) == ("request_refused", category)
    assert [row.status for row in house.store.committed if hasattr(row, "errors")] == [422, 401]


# -- what is not known yet


def test_an_alert_waits_for_its_price_and_its_balance_and_is_decided_once():
    house = House(ready=False)
    alert = house.alert()
    assert (outcome(house, alert), house.sent) == (None, [])
    house.reconcile()
    assert house.sent == []
    house.price("BTCUSDT", "65000")
    assert len(house.sent) == 5
    house.price("BTCUSDT", "65001")
    house.balance()
    assert len(house.sent) == 5


def test_an_alert_waits_for_its_balance():
    house = House()
    house.book.balances.clear()
    house.price("BTCUSDT", "65000")
    alert = house.alert()
    assert outcome(house, alert) is None
    house.balance("paper")
    assert len(house.sent) == 5


def test_an_alert_that_waits_too_long_is_rejected():
    house = House(ready=False)
    entry, leave = house.alert(), house.alert(**EXIT | {"account": "paper"})
    house.clock.forward(seconds=302)
    house.desk.look_at_clock()
    assert (outcome(house, entry), outcome(house, leave)) == ("rejected", None)
    house.clock.forward(days=1)
    house.desk.look_at_clock()
    assert outcome(house, leave) == "rejected"


def test_a_longer_limit_saved_meanwhile_counts_for_what_still_waits():
    house = House(ready=False)
    alert = house.alert()
    longer = documents.with_value(house.book.settings, "signals.max_alert_age_s", 600)
    house.post(SaveSettings(document=documents.dump(longer)))
    house.clock.forward(seconds=302)
    house.desk.look_at_clock()
    assert outcome(house, alert) is None
    house.clock.forward(seconds=300)
    house.desk.look_at_clock()
    assert outcome(house, alert) == "rejected"


def test_the_age_of_a_replay_that_waits_counts_from_when_it_was_asked_for():
    house = House(ready=False)
    alert = house.alert()
    house.clock.forward(seconds=290)
    answer = house.post(Replay(alert_id=alert.id, received_at=house.clock.time))
    house.clock.forward(seconds=20)
    house.desk.look_at_clock()
    assert outcome(house, alert) == "rejected"
    assert outcome(house, house.book.alerts[answer.alert_id]) is None
    house.clock.forward(seconds=290)
    house.desk.look_at_clock()
    assert outcome(house, house.book.alerts[answer.alert_id]) == "rejected"


def test_a_symbol_that_will_have_no_price_is_rejected_at_once():
    house = House()
    house.price("ETHUSDT", "3000")
    alert = house.alert()
    house.post(NoPrice(exchange="binance", symbol="BTCUSDT"))
    assert house.outcome(alert) == ("rejected", "no market price")
    assert house.outcome(house.alert())[1] == "no market price"
    house.price("BTCUSDT", "65000")
    house.post(NoPrice(exchange="binance", symbol="BTCUSDT"))  # an old price is better than none
    assert outcome(house, house.alert()) is None


def test_a_time_that_has_come_for_something_decided_meanwhile_asks_for_nothing():
    house = house_with()
    alert = house.alert()
    house.desk.look_at_clock()
    before = len(house.store.committed)
    house.post(DueRow(id=alert.id))
    house.post(DueRow(id=123456))
    assert len(house.store.committed) == before


# -- routing


def account(name: str, **given: Any) -> Account:
    fields: dict[str, Any] = {
        "exchange": "binance",
        "market": Market.SPOT,
        "mode": Mode.LIVE,
        "world": World.LIVE,
    }
    fields |= {"enabled": True, "status": AccountStatus.READY, "created_at": NOON}
    return Account(name=name, **(fields | given))


def with_accounts(*accounts: Account, **settings: Any) -> House:
    house = house_with({path.replace("__", "."): value for path, value in settings.items()} or None)
    for row in accounts:
        house.post(AccountChanged(account=row))
        house.balance(row.name)
    return house


MINE, OTHER = account("mine"), account("other")


@pytest.mark.parametrize(
    ("accounts", "fields", "goes_to"),
    [
        ((), {}, "paper"),
        ((MINE,), {}, "mine"),
        ((MINE, OTHER), {}, "mine"),
        ((MINE, replace(OTHER, is_default=True)), {}, "other"),
        ((replace(MINE, enabled=False),), {}, "paper"),
        ((replace(MINE, exchange="okx"),), {}, "paper"),
        ((MINE,), {"account": "paper"}, "paper"),
        ((MINE,), {"symbol": "BTCUSDT.P", "action": "buy"}, "paper-perp"),
        ((MINE,), {"account": "nobody"}, "account “nobody” does not exist or this webhook may not use it"),
        ((MINE,), {"account": "paper-perp"}, "account “paper-perp” (paper swap) does not trade binance BTCUSDT"),
        ((replace(MINE, enabled=False),), {"account": "mine"}, "account “mine” is disabled"),
    ],
)  # fmt: skip
def test_a_new_key_goes_to_the_account_that_fits(accounts, fields, goes_to):
    house = with_accounts(*accounts)
    alert = house.alert(**fields)
    if house.groups:
        assert house.group.account == goes_to
    else:
        assert house.outcome(alert) == ("rejected", goes_to)


def test_the_settings_can_name_the_default_account():
    house = with_accounts(MINE, OTHER, accounts={"other": {"default": True}})
    house.alert()
    assert house.group.account == "other"


def test_nothing_goes_where_no_account_is_enabled():
    house = house_with()
    house.post(AccountChanged(account=replace(house.book.accounts["paper"], enabled=False)))
    assert house.outcome(house.alert()) == ("rejected", "no enabled account trades binance spot")


def test_later_signals_go_to_every_account_that_holds_the_key_enabled_or_not():
    house = with_accounts(MINE)
    for name in ("paper", "mine"):
        hold(house, account=name)
    house.post(AccountChanged(account=replace(MINE, enabled=False)))
    more = house.alert()
    house.accept()
    assert [group.pyramid_count for group in house.groups] == [2, 1]
    assert outcome(house, more) == "pyramided"  # what one account refuses does not undo what another does
    leave = house.alert(**EXIT)
    assert [group.status for group in house.groups] == ["closing", "closing"]
    first, second = house.orders("exit")
    house.confirm_cancels()
    house.fill(first)
    assert [group.status for group in house.groups] == ["closed", "closing"]
    assert outcome(house, leave) is None  # it has exited when the last of them is flat
    house.fill(second)
    assert outcome(house, leave) == "exited"


@pytest.mark.parametrize("first_to_close", [0, 1])
def test_a_reversal_turns_every_account_that_holds_the_key(first_to_close):
    perp = account("mine", market=Market.SWAP)
    house = with_accounts(perp)
    for name in ("paper-perp", "mine"):
        hold(house, **PERP | {"market_position": "long", "account": name})
    turn = house.alert(**PERP | TURN)
    house.confirm_cancels()
    exits = house.orders("exit")
    house.fill(exits[first_to_close])
    house.accept()
    house.fill(exits[1 - first_to_close])
    house.accept()
    assert outcome(house, turn) == "reversed"
    assert [(group.side, group.status) for group in house.groups] == [("long", "closed")] * 2 + [
        ("short", "live")
    ] * 2


def test_an_exit_closes_one_account_and_empties_the_queue_of_another():
    house = with_accounts(MINE, OTHER, pool__max_open_groups=1)
    house.post(AccountChanged(account=replace(OTHER, world=World.TEST)))
    hold(house, account="mine")
    hold(house, account="other", symbol="ETHUSDT")
    queued = house.alert(account="other")
    leave = house.alert(**EXIT)
    flatten(house)
    assert (outcome(house, queued), outcome(house, leave)) == ("cancelled", "exited")
    assert {group.account: group.status.value for group in house.groups} == {
        "mine": "closed",
        "other": "partially_filled",
    }


@pytest.mark.parametrize("refused_first", [True, False])
def test_a_reversal_that_one_account_refuses_is_carried_out_by_the_other(refused_first):
    perp = account("mine", market=Market.SWAP)
    house = with_accounts(perp)
    for name in ("mine", "paper-perp"):
        hold(house, **PERP | {"market_position": "long", "account": name})
    turn = house.alert(**PERP | TURN)
    house.balance("mine", "1")
    house.confirm_cancels()
    for order in sorted(
        house.orders("exit"), key=lambda order: (order.account == "mine") is not refused_first
    ):
        house.fill(order)
    house.accept()
    assert outcome(house, turn) == "reversed"
    assert [(group.account, group.side) for group in house.groups[2:]] == [("paper-perp", "short")]


def test_an_alert_is_judged_once_and_one_that_is_not_there_not_at_all():
    house = house_with()
    alert = house.alert()
    house.desk.look_at_clock()
    before = len(house.store.committed)
    house.post(Judge(alert_id=alert.id))
    assert len(house.store.committed) == before
    house.post(Judge(alert_id=9999))
    assert house.facts[-1].code == "defect"


def test_an_alert_that_names_an_account_concerns_that_account_alone():
    house = with_accounts(MINE)
    for name in ("paper", "mine"):
        hold(house, account=name)
    house.alert(**EXIT, account="mine")
    assert [(group.account, group.status) for group in house.groups] == [
        ("paper", "partially_filled"),
        ("mine", "closing"),
    ]


def test_a_webhook_that_is_bound_to_accounts_reaches_no_other():
    house = with_accounts(MINE)
    hold(house, account="mine")

    def send(**fields: Any) -> tuple[str | None, str]:
        body = {
            "exchange": "BINANCE",
            "symbol": "BTCUSDT",
            "timeframe": "15",
            "id": str(house.book.counter),
        } | fields
        parsed = alerts.parse(house.read(json.dumps(body)), house.catalogue)
        answer = house.post(house.received(parsed, accounts=("paper",)))
        return house.outcome(house.book.alerts[answer.alert_id])

    assert send(type="exit")[0] == "no_position"
    assert send(action="buy", account="mine")[0] == "rejected"
    assert send(action="buy") == (None, "pool 1 / 10")  # on its way: the exchange has not answered
    assert [group.account for group in house.groups] == ["mine", "paper"]


def test_an_exit_for_a_key_that_waits_in_the_queue_deletes_the_queued_signal():
    house = house_with({"pool.max_open_groups": 1})
    house.alert(symbol="ETHUSDT")
    queued = house.alert()
    leave = house.alert(**EXIT)
    assert (outcome(house, queued), outcome(house, leave), house.queue) == ("cancelled", "dequeued", [])


def test_an_account_on_hold_takes_exits_and_lets_entries_wait():
    house = house_with()
    hold(house)
    house.post(AccountChanged(account=replace(house.book.accounts["paper"], status=AccountStatus.HOLD)))
    entry = house.alert()
    assert outcome(house, entry) is None
    leave = house.alert(**EXIT)
    assert house.group.status == "closing"
    assert outcome(house, entry) == "cancelled"  # it came before the exit
    flatten(house)
    assert outcome(house, leave) == "exited"


def test_worlds_are_never_mixed():
    assert [world_of(mode) for mode in Mode] == ["paper", "test", "test", "live"]
    house = with_accounts(MINE, pool__max_open_groups=1)
    house.alert(account="paper")
    live = house.alert(account="mine", symbol="ETHUSDT")
    assert outcome(house, live) is None
    assert outcome(house, house.alert(account="paper", symbol="SOLUSDT")) == "queued"
    house.post(OpenOrders(account="mine", reports=(), at=house.clock.time))
    assert [house.book.slots_used(world) for world in World] == [1, 0, 1]


def test_what_an_alert_was_told_is_kept_with_it():
    house = house_with()
    alert = house.alert(close="65000", capital_usd="500")
    assert (alert.exchange, alert.symbol, alert.timeframe, alert.token) == (
        "binance",
        "BTCUSDT",
        "15m",
        "TradingView",
    )
    assert house.pyramids()[0].capital_usd == D(500)
