"""Slots: who gets one, who waits and in which order, and what ends the waiting."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D
from typing import Any

import pytest

from execution_engine.domain import document as documents
from execution_engine.domain.errors import Refusal
from execution_engine.domain.inputs import (
    AccountChanged,
    CloseAll,
    ExitGroup,
    Pause,
    Price,
    Promote,
    RemoveQueued,
    Resume,
    SaveSettings,
    Verdict,
)
from execution_engine.domain.rows import AccountStatus, World, WorldHold
from tests.house import House

HELD = WorldHold(name=World.PAPER, reason="a defect")
PRICES = {"BTCUSDT": "65000", "ETHUSDT": "3000", "SOLUSDT": "150", "BTCUSDT.P": "65000", "ETHUSDT.P": "3000"}


def full(settings: dict[str, Any] | None = None, **first: Any) -> House:
    """Return a house whose one slot is taken."""
    house = House({"pool.max_open_groups": 1} | (settings or {}))
    for symbol, price in PRICES.items():
        house.price(symbol, price)
    house.alert(**first)
    house.accept()
    return house


def leave(house: House) -> None:
    """Free the slot: the group that is open is closed by hand."""
    for group in house.groups:
        if group.is_open:
            house.post(ExitGroup(group_id=group.id))
    house.confirm_cancels()


def saved(house: House, path: str, value: Any) -> None:
    house.post(SaveSettings(document=documents.dump(documents.with_value(house.book.settings, path, value))))


def outcomes(house: House, *alerts: Any) -> list[str | None]:
    return [house.outcome(alert)[0] for alert in alerts]


def test_a_signal_without_a_slot_waits_and_takes_the_next_free_one():
    house = full()
    second, third = house.alert(symbol="ETHUSDT"), house.alert(symbol="SOLUSDT")
    assert house.outcome(second) == ("queued", "the pool is full")
    assert house.book.slots_used("paper") == 1
    leave(house)
    house.accept()
    assert outcomes(house, second, third) == ["opened", "queued"]
    assert [(row.symbol, row.outcome) for row in house.queue] == [("SOLUSDT", None)]


@pytest.mark.fault(78)
def test_two_signals_at_once_never_share_a_slot():
    house = House({"pool.max_open_groups": 1}, ready=False)
    first, second = house.alert(), house.alert(symbol="ETHUSDT")
    house.price("ETHUSDT", "3000")
    house.price("BTCUSDT", "65000")
    house.reconcile()
    assert house.book.slots_used("paper") == 1
    assert sorted(map(str, outcomes(house, first, second))) == ["None", "queued"]


def test_a_pyramid_needs_no_slot():
    house = full()
    more = house.alert()
    house.accept()
    assert house.outcome(more) == ("pyramided", "pyramid 2 of 5")


def test_a_newer_signal_of_a_queued_key_takes_its_place_in_time():
    house = full()
    first = house.alert(symbol="ETHUSDT", price="3000")
    house.alert(symbol="SOLUSDT")
    house.clock.forward(minutes=3)
    second = house.alert(symbol="ETHUSDT", price="2990")
    row = house.queue[0]
    assert (row.replacement_count, row.entry_price, row.alert_id) == (1, 2990, second.id)
    assert row.updated_at > row.queued_at
    assert outcomes(house, first, second) == ["replaced", "queued"]
    leave(house)
    house.accept()
    assert outcomes(house, second) == ["opened"]
    assert house.groups[1].alert_id == second.id


def test_a_newer_signal_of_the_other_side_starts_to_count_anew():
    house = full(symbol="BTCUSDT.P")
    for side in ("long", "long", "short"):
        house.alert(symbol="ETHUSDT.P", market_position=side)
    assert [(row.side, row.replacement_count) for row in house.queue] == [("short", 0)]


@pytest.mark.parametrize(
    ("settings", "ends"),
    [
        ({"pool.max_queue": 1}, ["queued", "rejected"]),
        ({"pool.max_queue": 0}, ["rejected", "rejected"]),
        ({"pool.max_queue": 1, "pool.overflow": "drop_lowest"}, ["rejected", "queued"]),
        ({"pool.max_queue": 0, "pool.overflow": "drop_lowest"}, ["rejected", "rejected"]),
        ({"pool.max_queue": 2}, ["queued", "queued"]),
    ],
)
def test_a_full_queue_refuses_the_new_one_or_drops_the_last(settings, ends):
    house = full(settings)
    assert outcomes(house, *(house.alert(symbol=symbol) for symbol in ("ETHUSDT", "SOLUSDT"))) == ends


def test_a_signal_that_replaces_another_needs_no_room():
    house = full({"pool.max_queue": 1})
    first, second = house.alert(symbol="ETHUSDT"), house.alert(symbol="ETHUSDT")
    assert outcomes(house, first, second) == ["replaced", "queued"]


@pytest.mark.parametrize(("limit", "after"), [(60, "expired"), (0, "queued")])
def test_what_waits_too_long_expires(limit, after):
    house = full({"pool.max_queue_age_s": limit})
    waiting = house.alert(symbol="ETHUSDT")
    house.clock.forward(seconds=59)
    house.desk.look_at_clock()
    assert outcomes(house, waiting) == ["queued"]
    house.clock.forward(seconds=1)
    house.desk.look_at_clock()
    assert outcomes(house, waiting) == [after]


def test_a_replacement_does_not_prolong_the_waiting():
    house = full({"pool.max_queue_age_s": 60})
    house.alert(symbol="ETHUSDT")
    house.clock.forward(seconds=50)
    newer = house.alert(symbol="ETHUSDT")
    house.clock.forward(seconds=10)
    house.desk.look_at_clock()
    assert house.outcome(newer) == ("expired", "waited 60 s, longer than pool.max_queue_age_s")


@pytest.mark.parametrize(
    ("side", "now", "ends"),
    [
        ("long", "3300", None),
        ("long", "3301", "expired"),
        ("long", "2000", None),  # deep under water: its passed legs fill at once
        ("short", "2700", None),
        ("short", "2699", "expired"),
        ("short", "4000", None),
    ],
)
def test_a_price_that_ran_away_on_the_gain_side_ends_the_waiting(side, now, ends):
    house = full(symbol="BTCUSDT.P")
    house.balance("paper-perp", "100000000")
    waiting = house.alert(symbol="ETHUSDT.P", market_position=side, price="3000")
    house.price("ETHUSDT.P", now)
    leave(house)
    assert outcomes(house, waiting) == [ends]
    assert len(house.groups) == (1 if ends else 2)


def test_the_age_of_a_queued_alert_is_not_asked_again():
    house = full()
    waiting = house.alert(symbol="ETHUSDT", timestamp=house.clock.time.isoformat())
    house.clock.forward(hours=20)
    leave(house)
    house.accept()
    assert outcomes(house, waiting) == ["opened"]


def test_a_promotion_over_the_days_entries_waits_for_the_next_day():
    house = full({"signals.max_entries_per_day": 1})
    waiting = house.alert(symbol="ETHUSDT")
    leave(house)
    assert outcomes(house, waiting) == ["queued"]
    house.clock.forward(hours=12)
    house.price("ETHUSDT", "3000")
    assert outcomes(house, waiting) == [None]


def test_midnight_promotes_what_waited_for_it_though_no_price_moves():
    house = full({"signals.max_entries_per_day": 1})
    waiting = house.alert(symbol="ETHUSDT")
    leave(house)
    house.clock.forward(hours=11, minutes=59)
    house.desk.look_at_clock()
    assert outcomes(house, waiting) == ["queued"]
    house.clock.forward(minutes=1)
    house.desk.look_at_clock()
    house.accept()
    assert outcomes(house, waiting) == ["opened"]


def test_a_promotion_that_the_rules_refuse_is_rejected_and_the_next_one_goes():
    house = full()
    dear, fair = house.alert(symbol="ETHUSDT", capital_usd="1"), house.alert(symbol="SOLUSDT")
    leave(house)
    house.accept()
    assert outcomes(house, dear, fair) == ["rejected", "opened"]


def test_a_key_that_is_closing_is_passed_over():
    house = full({"pool.max_open_groups": 2})
    house.fill_all("entry")
    house.post(ExitGroup(group_id=house.group.id))
    house.alert(symbol="SOLUSDT")
    house.accept()
    again, other = house.alert(), house.alert(symbol="ETHUSDT")
    assert house.outcome(again) == ("queued", "its key is closing")
    leave(house)
    assert outcomes(house, again, other) == ["queued", None]
    house.fill_all("exit")
    assert outcomes(house, again, other) == [None, None]


def test_a_signal_whose_account_is_not_ready_is_passed_over():
    house = full()
    first, second = house.alert(symbol="ETHUSDT"), house.alert(symbol="ETHUSDT.P")
    _unready(house)
    leave(house)
    assert outcomes(house, first, second) == ["queued", None]


def test_a_signal_whose_price_is_not_known_yet_lets_the_next_one_go():
    house = full()
    house.book.prices.pop(("binance", "ETHUSDT"))
    unknown, known = house.alert(symbol="ETHUSDT"), house.alert(symbol="SOLUSDT")
    leave(house)
    assert outcomes(house, unknown, known) == ["queued", None]


def test_a_signal_whose_balance_is_not_known_yet_waits():
    house = full()
    waiting = house.alert(symbol="ETHUSDT")
    house.book.balances.clear()
    leave(house)
    assert outcomes(house, waiting) == ["queued"]
    house.balance()
    assert outcomes(house, waiting) == [None]


def test_a_failed_entry_gives_its_slot_on():
    house = full()
    leave(house)
    house.alert(timeframe="60")
    waiting = house.alert(symbol="ETHUSDT")
    for order in list(house.working):
        house.says(order, Verdict.REFUSED)
    house.accept()
    assert outcomes(house, waiting) == ["opened"]


def test_while_paused_nothing_is_promoted_or_forced():
    house = full()
    waiting = house.alert(symbol="ETHUSDT")
    house.post(Pause())
    leave(house)
    assert outcomes(house, waiting) == ["queued"]
    assert isinstance(house.post(Promote(queued_id=house.queue[0].id)), Refusal)
    house.post(Resume())
    house.accept()
    assert outcomes(house, waiting) == ["opened"]


def test_close_everything_empties_the_queue():
    house = full()
    waiting = house.alert(symbol="ETHUSDT")
    answer = house.post(CloseAll())
    house.confirm_cancels()
    assert answer.text == "1 groups are being closed, 1 queued signals were removed; the engine is paused."
    assert house.outcome(waiting) == ("cancelled", "everything was closed")
    assert [group.status for group in house.groups] == ["closed"]


# -- by hand


@pytest.mark.fault(79)
def test_a_signal_can_be_forced_into_the_pool_past_its_limit():
    house = full()
    waiting = house.alert(symbol="ETHUSDT")
    answer = house.post(Promote(queued_id=house.queue[0].id))
    house.accept()
    assert answer.text == "Position group for ETHUSDT 15m has been forced into the pool."
    assert house.groups[1].forced
    assert house.outcome(waiting) == ("opened", "forced into the pool; pool 2 / 1")
    assert (house.book.slots_used("paper"), house.queue) == (2, [])


def test_a_signal_that_would_have_had_a_slot_is_not_called_forced():
    house = full({"signals.max_entries_per_day": 2})
    waiting = house.alert(symbol="ETHUSDT")
    balance = house.book.balances.pop("paper")
    leave(house)
    house.book.balances["paper"] = balance
    house.post(Promote(queued_id=house.queue[0].id))
    house.accept()
    assert (outcomes(house, waiting), house.groups[1].forced) == (["opened"], False)


def _unready(house: House) -> None:
    account = house.book.accounts["paper"]
    house.post(AccountChanged(account=replace(account, status=AccountStatus.RECONCILING)))


@pytest.mark.parametrize(
    ("prepare", "code", "stays"),
    [
        (lambda house: house.balance("paper", "1"), "BALANCE", True),
        (lambda house: house.book.balances.clear(), "BALANCE", True),
        (lambda house: house.book.prices.pop(("binance", "ETHUSDT")), "PRICE", True),
        (lambda house: house.price("ETHUSDT", "9000"), "RUNAWAY", False),
        (lambda house: _unready(house), "ACCOUNT", True),
        (lambda house: house.post(Pause()), "PAUSED", True),
        (lambda house: house.book.apply([HELD]), "HOLD", True),
        (lambda house: saved(house, "signals.max_entries_per_day", 1), "ENTRIES_PER_DAY", True),
        (lambda house: saved(house, "signals.symbols", ["BTC*"]), "SYMBOL", True),
        (lambda house: saved(house, "security.read_only", True), "READ_ONLY", True),
    ],
)
def test_a_signal_that_cannot_be_forced_says_why_and_can_be_tried_again(prepare, code, stays):
    house = full()
    house.alert(symbol="ETHUSDT", price="3000")
    queued = house.queue[0].id
    prepare(house)
    answer = house.post(Promote(queued_id=queued))
    assert isinstance(answer, Refusal)
    assert answer.code == code
    assert [row.id for row in house.queue] == ([queued] if stays else [])


def test_a_key_that_is_closing_cannot_be_forced():
    house = full()
    house.fill_all("entry")
    house.post(ExitGroup(group_id=house.group.id))
    house.alert()
    answer = house.post(Promote(queued_id=house.queue[0].id))
    assert answer == Refusal("CLOSING", "BTCUSDT 15m is still closing")


def test_a_signal_can_be_removed_from_the_queue_once():
    house = full()
    waiting = house.alert(symbol="ETHUSDT")
    queued = house.queue[0].id
    assert house.post(RemoveQueued(queued_id=queued)).text == "ETHUSDT 15m was removed from the queue."
    assert house.outcome(waiting) == ("cancelled", "removed by you")
    for wish in (RemoveQueued(queued_id=queued), Promote(queued_id=queued)):
        assert house.post(wish) == Refusal("UNKNOWN", f"no signal {queued} waits in the queue")


def test_the_queue_survives_a_restart():
    house = full({"pool.max_queue_age_s": 600})
    waiting = house.alert(symbol="ETHUSDT")
    again = house.restarted()
    again.reconcile()
    assert [row.alert_id for row in again.queue] == [waiting.id]
    again.clock.forward(seconds=600)
    again.desk.look_at_clock()
    assert outcomes(again, waiting) == ["expired"]


def test_a_newer_signal_that_opens_takes_the_place_of_one_that_still_waits():
    house = full()
    house.book.prices.pop(("binance", "ETHUSDT"))
    old = house.alert(symbol="ETHUSDT")
    leave(house)  # a slot is free, but the price of what waits is not known
    house.book.note_price(Price(exchange="binance", symbol="ETHUSDT", last=D(3000), at=house.clock.time))
    new = house.alert(symbol="ETHUSDT")
    house.accept()
    assert outcomes(house, old, new) == ["replaced", "opened"]
