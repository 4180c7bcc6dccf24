"""From the queue into the pool: at the prices of that moment, one step, and nobody overtakes anybody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from execution_engine.domain.errors import Refusal
from execution_engine.domain.inputs import (
    AccountChanged,
    ExitGroup,
    Pause,
    Price,
    PricesAsked,
    Promote,
    PromoteWaiting,
    RemoveQueued,
    Resume,
    Verdict,
)
from execution_engine.domain.ranking import Asked
from execution_engine.domain.rows import OrderType, World
from tests.domain.test_classification import PERP, TURN, account, flatten, hold
from tests.domain.test_pool_and_queue import full, leave, outcomes, saved
from tests.house import D, House, perp, spot


def ages(house: House, symbol: str, last: str, seconds: float = 0) -> None:
    """Give a market a price that ages, and that is so old already."""
    at = house.clock.time - timedelta(seconds=seconds)
    house.book.note_price(Price(exchange="binance", symbol=symbol, last=D(last), at=at))


def asking(house: House) -> list[Asked]:
    """Let prices be asked for; the answers are the test's."""
    asked: list[Asked] = []
    house.desk.on_asked = asked.append
    return asked


def answer(house: House, asked: Asked) -> None:
    house.post(PricesAsked(world=asked.world, markets=asked.markets))


def symbols(asked: Asked) -> list[str]:
    return sorted(symbol for _, symbol in asked.markets)


# -- in order


def test_the_deepest_loss_takes_the_free_slot_and_its_alert_says_why():
    house = full()
    shallow, deep = house.alert(symbol="ETHUSDT", price="3030"), house.alert(symbol="SOLUSDT", price="155")
    leave(house)
    house.accept()
    assert outcomes(house, shallow, deep) == ["queued", "opened"]
    assert house.outcome(deep)[1] == "1st: −3.2 %; pool 1 / 1"
    assert [fact.text for fact in house.facts if fact.code == "promoted"] == [
        "SOLUSDT 15m was promoted, 1st: −3.2 %"
    ]
    (promoted,) = [row for row in house.store.committed if getattr(row, "reason", "") == "1st: −3.2 %"]
    assert (promoted.outcome, promoted.finished_at) == ("opened", house.clock.time)


def test_two_free_slots_go_to_the_first_two():
    house = full()
    waiting = [house.alert(symbol=s, price=p) for s, p in (("ETHUSDT", "3000"), ("SOLUSDT", "155"))]
    waiting.append(house.alert(symbol="ETHUSDT.P", price="3200"))
    saved(house, "pool.max_open_groups", 3)
    house.accept()
    assert outcomes(house, *waiting) == ["queued", "opened", "opened"]
    assert [house.outcome(alert)[1] for alert in waiting[1:]] == [
        "2nd: −3.2 %; pool 3 / 3",
        "1st: −6.3 %; pool 2 / 3",
    ]


def test_replacements_decide_where_nobody_loses():
    house = full()
    house.alert(symbol="SOLUSDT")
    waiting = [house.alert(symbol="ETHUSDT"), house.alert(symbol="ETHUSDT", price="3000")]
    leave(house)
    house.accept()
    assert house.outcome(waiting[1]) == ("opened", "1st: no loss, replaced once; pool 1 / 1")


def test_the_queue_drops_who_would_be_promoted_last():
    house = full({"pool.max_queue": 2, "pool.overflow": "drop_lowest"})
    deep, none = house.alert(symbol="ETHUSDT", price="3100"), house.alert(symbol="SOLUSDT")
    newest = house.alert(symbol="BTCUSDT.P")
    assert outcomes(house, deep, none, newest) == ["queued", "rejected", "queued"]
    saved(house, "pool.max_queue", 1)
    last = house.alert(symbol="ETHUSDT.P")
    assert outcomes(house, deep, newest, last) == ["rejected", "rejected", "queued"]


def test_other_worlds_have_their_own_slots_and_their_own_queue():
    house = full()
    house.post(AccountChanged(account=account("live")))
    house.balance("live")
    opened, queued = (
        house.alert(symbol="ETHUSDT", account="live"),
        house.alert(symbol="SOLUSDT", account="live"),
    )
    paper = house.alert(symbol="SOLUSDT", account="paper")
    assert [len(house.book.waiting(world)) for world in World] == [1, 0, 1]
    house.accept()
    house.post(ExitGroup(group_id=house.groups[1].id))
    house.confirm_cancels()
    house.accept()
    assert outcomes(house, opened, queued, paper) == ["opened", "opened", "queued"]


def test_a_signal_that_two_accounts_queue_ends_once():
    house = full()
    for name in ("one", "two"):
        house.post(AccountChanged(account=account(name, world=World.PAPER)))
        house.balance(name)
        house.alert(symbol="SOLUSDT", account=name, price="160")
    both = house.alert(symbol="SOLUSDT", price="160")
    assert [row.alert_id for row in house.queue] == [both.id, both.id]
    house.post(Promote(queued_id=house.queue[0].id))
    house.accept()
    assert outcomes(house, both) == ["opened"]
    leave(house)
    house.accept()
    assert outcomes(house, both) == ["opened"]
    assert house.queue == []
    assert len(house.groups) == 3


def test_a_signal_that_two_accounts_queue_waits_on_for_the_other():
    house = full()
    for name in ("one", "two"):
        house.post(AccountChanged(account=account(name, world=World.PAPER)))
        house.balance(name)
        house.alert(symbol="SOLUSDT", account=name)
    both = house.alert(symbol="SOLUSDT")
    for ends in ("queued", "cancelled"):
        house.post(RemoveQueued(queued_id=house.queue[0].id))
        assert outcomes(house, both) == [ends]


# -- at the prices of that moment


def waiting_for_prices(settings: dict[str, Any] | None = None) -> tuple[House, list[Asked], list[Any]]:
    """Return a house in which two signals wait whose prices are too old to rank them."""
    house = full(settings)
    waiting = [house.alert(symbol="ETHUSDT", price="3000"), house.alert(symbol="SOLUSDT", price="150")]
    ages(house, "ETHUSDT", "3000", 3)
    ages(house, "SOLUSDT", "150", 3)
    return house, asking(house), waiting


def test_prices_are_asked_for_together_before_anybody_is_promoted():
    house, asked, waiting = waiting_for_prices()
    leave(house)
    assert [symbols(each) for each in asked] == [["ETHUSDT", "SOLUSDT"]]
    assert outcomes(house, *waiting) == ["queued", "queued"]
    house.price("SOLUSDT", "149", manual=False)
    house.price("ETHUSDT", "2999", manual=False)
    assert outcomes(house, *waiting) == ["queued", "queued"]  # the others may still come
    answer(house, asked[0])
    assert outcomes(house, *waiting) == ["queued", None]
    assert len(asked) == 1


def test_prices_that_came_just_now_are_not_asked_for():
    house, asked, waiting = waiting_for_prices()
    ages(house, "ETHUSDT", "2900", 1.9)
    leave(house)
    assert [symbols(each) for each in asked] == [["SOLUSDT"]]
    answer(house, asked[0])
    assert outcomes(house, *waiting) == [None, "queued"]


def test_one_that_waits_alone_needs_no_price_to_be_ranked():
    house, asked, waiting = waiting_for_prices()
    house.alert(symbol="SOLUSDT", type="exit")
    leave(house)
    assert asked == []
    assert outcomes(house, waiting[0]) == [None]


@pytest.mark.parametrize(("age", "question"), [(10, []), (11, ["ETHUSDT"])])
def test_one_that_waits_alone_needs_a_price_to_be_opened(age, question):
    house, asked, waiting = waiting_for_prices()
    house.alert(symbol="SOLUSDT", type="exit")
    ages(house, "ETHUSDT", "3000", age)
    leave(house)
    assert [symbol for each in asked for symbol in symbols(each)] == question
    assert outcomes(house, waiting[0]) == ["queued" if question else None]


def test_what_does_not_come_cannot_be_had_and_the_next_one_goes():
    house, asked, waiting = waiting_for_prices()
    ages(house, "ETHUSDT", "2000", 60)
    leave(house)
    house.price("SOLUSDT", "150", manual=False)
    answer(house, asked[0])
    assert outcomes(house, *waiting) == ["queued", None]
    house.accept()
    assert house.outcome(waiting[1])[1] == "2nd: no loss, came later; pool 1 / 1"


def test_a_price_that_could_not_be_asked_for_anew_counts_while_it_may_be_traded_at():
    house, asked, waiting = waiting_for_prices()
    leave(house)
    answer(house, asked[0])
    assert outcomes(house, *waiting) == [None, "queued"]


def test_the_slot_may_be_gone_when_the_prices_come():
    house, asked, waiting = waiting_for_prices()
    leave(house)
    house.post(Promote(queued_id=house.queue[1].id))
    answer(house, asked[0])
    assert outcomes(house, *waiting) == ["queued", None]
    assert house.book.slots_used("paper") == 1


def test_one_that_comes_while_prices_are_asked_for_takes_its_turn():
    house, asked, waiting = waiting_for_prices()
    leave(house)
    newest = house.alert(symbol="BTCUSDT.P")
    assert house.outcome(newest) == ("queued", "others wait for the free slot")
    assert len(asked) == 1
    house.price("SOLUSDT", "149", manual=False)
    answer(house, asked[0])
    assert outcomes(house, *waiting, newest) == ["queued", None, "queued"]


def test_one_that_comes_while_prices_are_asked_for_may_be_the_first():
    house, asked, waiting = waiting_for_prices()
    leave(house)
    newest = house.alert(symbol="BTCUSDT.P", price="70000")
    answer(house, asked[0])
    assert outcomes(house, *waiting, newest) == ["queued", "queued", None]


def test_a_newer_signal_of_a_key_that_waits_opens_where_no_other_waits():
    house, asked, waiting = waiting_for_prices()
    house.alert(symbol="SOLUSDT", type="exit")
    ages(house, "ETHUSDT", "3000", 60)
    leave(house)
    house.price("ETHUSDT", "3000", manual=False)  # the answer is still to come
    newer = house.alert(symbol="ETHUSDT")
    assert outcomes(house, waiting[0], newer) == ["replaced", None]
    answer(house, asked[0])
    assert len(house.groups) == 2


def test_an_answer_that_never_comes_is_not_waited_for_for_ever():
    house, asked, waiting = waiting_for_prices()
    leave(house)
    house.clock.forward(seconds=11)
    house.price("ETHUSDT", "3000", manual=False)
    assert [symbols(each) for each in asked] == [["ETHUSDT", "SOLUSDT"], ["SOLUSDT"]]
    answer(house, asked[1])
    assert outcomes(house, *waiting) == [None, "queued"]


def test_a_price_that_cannot_be_had_is_not_asked_for_at_every_turn():
    house, asked, waiting = waiting_for_prices({"signals.max_entries_per_day": 0})
    ages(house, "ETHUSDT", "3000", 60)
    ages(house, "SOLUSDT", "150", 60)
    leave(house)
    answer(house, asked[0])
    assert outcomes(house, *waiting) == ["queued", "queued"]
    house.post(PromoteWaiting(world=World.PAPER))
    newest = house.alert(symbol="BTCUSDT.P")
    assert outcomes(house, newest) == [None]  # nobody else can go
    house.accept()
    house.post(ExitGroup(group_id=house.groups[1].id))
    house.confirm_cancels()
    assert len(asked) == 1
    house.clock.forward(seconds=6)
    house.post(PromoteWaiting(world=World.PAPER))
    assert len(asked) == 2


def test_where_nobody_can_ask_the_answer_is_that_there_is_none():
    house, _, waiting = waiting_for_prices()
    house.desk.on_asked = None
    leave(house)
    assert outcomes(house, *waiting) == [None, "queued"]


def test_prices_of_those_that_cannot_go_are_not_asked_for():
    house, asked, _ = waiting_for_prices()
    house.alert(symbol="ETHUSDT.P")
    ages(house, "ETHUSDT.P", "3000", 60)
    house.book.balances.pop("paper-perp")
    leave(house)
    assert [symbols(each) for each in asked] == [["ETHUSDT", "SOLUSDT"]]


def test_nothing_is_asked_for_while_paused_and_the_answer_decides_nothing():
    house, asked, waiting = waiting_for_prices()
    leave(house)
    house.post(Pause())
    answer(house, asked[0])
    house.post(PromoteWaiting(world=World.PAPER))
    assert (len(asked), outcomes(house, *waiting)) == (1, ["queued", "queued"])
    house.clock.forward(seconds=20)
    house.post(Resume())
    assert len(asked) == 2


def test_after_a_restart_the_promotion_is_considered_again():
    house, _, waiting = waiting_for_prices()
    leave(house)
    house.clock.forward(seconds=20)
    again = house.restarted()
    again.reconcile()  # its desk has nobody who asks
    again.accept()
    assert outcomes(again, *waiting) == ["queued", "queued"]
    again.price("SOLUSDT", "149", manual=False)
    assert outcomes(again, *waiting) == ["queued", None]


def test_a_full_pool_asks_for_nothing():
    house, asked, _ = waiting_for_prices()
    house.price("ETHUSDT", "3000")
    house.post(PromoteWaiting(world=World.PAPER))
    assert asked == []


# -- continuing an open group


def continuing(settings: dict[str, Any] | None = None, slots: int = 1) -> tuple[House, Any]:
    """Return a house in which a signal waits whose key is closing, to be reopened on the signal's side."""
    house = House({"pool.max_open_groups": slots} | (settings or {}))
    for symbol, price in (("BTCUSDT.P", "65000"), ("ETHUSDT", "3000"), ("SOLUSDT", "150")):
        house.price(symbol, price)
    hold(house, **PERP | {"market_position": "long"})
    house.alert(**PERP | TURN)
    more = house.alert(**PERP | {"market_position": "short"})
    assert house.outcome(more) == ("queued", "its key is closing")
    return house, more


def test_a_signal_whose_group_is_open_needs_no_slot_and_becomes_a_pyramid():
    house, more = continuing()
    deep = house.alert(symbol="ETHUSDT", price="3300")
    flatten(house)
    house.accept()
    assert house.outcome(more) == ("pyramided", "pyramid 2 of 5")
    assert outcomes(house, deep) == ["queued"]
    assert (house.book.slots_used("paper"), house.groups[1].pyramid_count) == (1, 2)
    (row,) = [
        row
        for row in house.store.committed
        if getattr(row, "outcome", "") == "pyramided" and hasattr(row, "queued_at")
    ]
    assert row.reason == "1st: continues its open group, needs no slot, enters at the market"


def test_a_continuation_of_a_group_with_all_its_pyramids_is_a_replacement():
    house, more = continuing({"pool.max_pyramids": 1})
    flatten(house)
    assert house.outcome(more) == ("replacement", "all 1 pyramids are there; replacement 1")
    assert house.queue == []


def test_a_continuation_waits_for_tomorrow_where_the_day_is_full():
    house, more = continuing({"signals.max_entries_per_day": 2})
    flatten(house)
    house.accept()
    assert outcomes(house, more) == ["queued"]
    house.clock.forward(hours=12)
    house.price("BTCUSDT.P", "65000")
    house.accept()
    assert outcomes(house, more) == ["pyramided"]


def test_a_continuation_that_does_not_fit_the_balance_is_rejected():
    house, more = continuing()
    house.balance("paper-perp", "12000")
    flatten(house)
    assert len(house.groups) == 2
    assert house.outcome(more)[0] == "rejected"
    assert house.outcome(more)[1].startswith("the grid needs 9")


def test_the_other_side_of_an_open_key_is_passed_over():
    house, _ = continuing()
    long = house.alert(**PERP | {"market_position": "long"})
    flatten(house)
    house.accept()
    assert house.groups[1].side == "short"
    assert outcomes(house, long) == ["queued"]
    refused = house.post(Promote(queued_id=house.queue[0].id))
    assert refused == Refusal("OPPOSITE", "BTCUSDT.P 15m is open short")


def test_a_continuation_can_be_forced_and_is_no_group_of_its_own():
    house, more = continuing({"signals.max_entries_per_day": 2})
    flatten(house)
    house.accept()
    saved(house, "signals.max_entries_per_day", 0)
    house.accept()
    assert outcomes(house, more) == ["pyramided"]
    assert [group.forced for group in house.groups] == [False, False]


def test_by_hand_a_continuation_becomes_a_pyramid_too():
    house, more = continuing({"signals.max_entries_per_day": 2})
    flatten(house)
    house.accept()
    answer = house.post(Promote(queued_id=house.queue[0].id))
    assert isinstance(answer, Refusal)
    assert answer.code == "ENTRIES_PER_DAY"
    house.clock.forward(hours=13)
    reply = house.post(Promote(queued_id=house.queue[0].id))
    assert reply.text == "Position group for BTCUSDT.P 15m has been forced into the pool."
    house.accept()
    assert outcomes(house, more) == ["pyramided"]
    assert house.groups[1].pyramid_count == 2


def test_several_continuations_stop_where_the_day_is_full():
    house, more = continuing({"signals.max_entries_per_day": 3}, slots=2)
    other = house.alert(symbol="ETHUSDT")
    late = house.alert(symbol="SOLUSDT", price="160")
    assert outcomes(house, other, late) == [None, "queued"]
    flatten(house)
    house.accept()
    assert outcomes(house, more, late) == ["queued", "queued"]


# -- capital


def test_a_signal_that_does_not_fit_waits_for_the_balance_after_the_close():
    house = full()
    house.balance("paper", "100")
    waiting = house.alert(symbol="ETHUSDT")
    house.clock.forward(seconds=1)
    leave(house)  # what was closed just now is not in the balance yet
    assert outcomes(house, waiting) == ["queued"]
    house.balance("paper", "100000")
    assert outcomes(house, waiting) == [None]


def test_a_balance_that_a_signal_waits_for_is_asked_for_and_one_that_is_up_to_date_is_not():
    house = full()
    outdated: list[str] = []
    house.desk.on_outdated = outdated.append
    house.balance("paper", "100")
    house.alert(symbol="ETHUSDT")
    house.clock.forward(seconds=1)
    assert outdated == []
    leave(house)
    assert set(outdated) == {"paper"}
    outdated.clear()
    house.balance("paper", "100")  # rejected by it
    assert outdated == []


def test_a_signal_that_still_does_not_fit_is_rejected_with_a_sentence():
    house = full()
    house.balance("paper", "100")
    waiting, smaller = house.alert(symbol="ETHUSDT"), house.alert(symbol="SOLUSDT", capital_usd="60")
    house.clock.forward(seconds=1)
    leave(house)
    assert outcomes(house, waiting, smaller) == ["queued", "queued"]  # nobody overtakes on an old balance
    house.balance("paper", "100")
    house.accept()
    assert outcomes(house, waiting, smaller) == ["rejected", "opened"]
    assert house.outcome(waiting)[1] == (
        "the grid needs 9999.41 USDT, the account “paper” has 100.00 USDT free; lower the capital or add funds"
    )


def test_a_balance_of_a_world_without_a_free_slot_decides_nothing():
    house = full()
    waiting = house.alert(symbol="ETHUSDT")
    house.balance()
    house.balance("nobody")
    assert outcomes(house, waiting) == ["queued"]


@pytest.mark.parametrize(
    ("mode", "pyramids", "balance", "capital", "opens"),
    [
        ("full", 5, "1000", None, True),
        ("full", 5, "900", None, False),
        ("split", 5, "1000", None, True),
        ("split", 5, "990", None, False),  # the first pyramid would fit
        ("split", 1, "1000", None, True),
        ("split", 5, "999", "500", True),
        ("split", 5, "800", "500", False),  # its own 100, and four times 200 later
    ],
)
def test_capital_is_checked_for_the_whole_grid_and_in_split_for_the_pyramids_to_come(
    mode, pyramids, balance, capital, opens
):
    house = House({"capital.pyramid_capital": mode, "pool.max_pyramids": pyramids})
    house.price("BTCUSDT", "65000")
    house.balance("paper", balance)
    alert = house.alert(**({"capital_usd": capital} if capital else {}))
    assert bool(house.groups) is opens
    if not opens:
        needs = "the group's later pyramids need" if mode == "split" else "the grid needs"
        assert needs in house.outcome(alert)[1]


ONE_LEG = {"default": [{"gap_percent": "0", "weight_percent": "100", "tp_percent": "1"}]}
CONTRACTS = {"step": D("0.1"), "min_qty": D("0.1"), "contract_size": D("0.1")}


# market, side, its rules, leverage, fee %, price, and what 1,000 USD of capital ask of the free balance: on a
# perpetual they are the margin, and the fee is that of the whole position
NEEDS: list[tuple[str, str, dict[str, Any], str, str, str, str]] = [
    ("XUSDT", "long", {}, "1", "0.1", "100", "1000"),  # on spot fees are taken of what is bought
    ("XUSDT", "long", {"step": D(1)}, "1", "0.1", "300", "900"),  # whole ones
    ("XUSDT.P", "long", {}, "1", "0", "100", "1000"),
    ("XUSDT.P", "short", {}, "1", "0", "100", "1000"),
    ("XUSDT.P", "long", {}, "1", "0.1", "100", "1001"),
    ("XUSDT.P", "short", {}, "1", "0.1", "100", "1001"),
    ("XUSDT.P", "long", {}, "10", "0.1", "100", "1010"),
    ("XUSDT.P", "short", {}, "10", "0.1", "100", "1010"),
    ("XUSDT.P", "long", CONTRACTS, "10", "0.1", "103", "1009.091"),  # 970 contracts of 0.1
    ("XUSDT.P", "short", CONTRACTS, "10", "0.1", "103", "1009.091"),
]


@pytest.mark.parametrize(("symbol", "side", "rules", "leverage", "fee", "price", "needs"), NEEDS)
def test_what_an_entry_needs_is_asked_of_the_balance_to_the_last_digit(
    symbol: str, side: str, rules: dict[str, Any], leverage: str, fee: str, price: str, needs: str
):
    name = "paper-perp" if symbol.endswith(".P") else "paper"
    for short_by, ends in (("0", "opened"), ("0.0001", "rejected")):
        house = House(
            {"grid.profiles": ONE_LEG, "pool.max_pyramids": 1, f"accounts.{name}.leverage": leverage}
        )
        make = perp if symbol.endswith(".P") else spot
        house.catalogue.add([make(symbol, **({"taker_fee_percent": D(fee)} | rules))])
        house.price(symbol, price)
        house.balance(name, str(D(needs) - D(short_by)))
        entry = house.alert(symbol=symbol, price=price, market_position=side, capital_usd="1000")
        house.accept()
        assert house.outcome(entry)[0] == ends


def test_a_pyramid_of_a_split_group_needs_no_more_than_itself():
    house = House({"capital.pyramid_capital": "split"})
    house.price("BTCUSDT", "65000")
    house.alert()
    house.accept()
    house.balance("paper", "250")
    more = house.alert()
    house.accept()
    assert outcomes(house, more) == ["pyramided"]


# -- how long a signal waits


def test_another_limit_to_the_waiting_counts_at_once():
    house = full({"pool.max_queue_age_s": 600})
    waiting = house.alert(symbol="ETHUSDT")
    saved(house, "pool.max_queue_age_s", 0)
    house.clock.forward(seconds=700)
    house.desk.look_at_clock()
    assert outcomes(house, waiting) == ["queued"]
    saved(house, "pool.max_queue_age_s", 701)
    house.clock.forward(seconds=1)
    house.desk.look_at_clock()
    assert outcomes(house, waiting) == ["expired"]


def test_a_failed_entry_promotes_the_next_one_in_rank():
    house = full()
    first = house.alert(symbol="ETHUSDT")
    deep = house.alert(symbol="SOLUSDT", price="160")
    leave(house)
    for order in list(house.working):
        house.says(order, Verdict.REFUSED)
    house.accept()
    assert outcomes(house, first, deep) == ["opened", "failed"]


def test_a_market_order_of_a_promoted_signal_is_counted_before_the_next():
    house = full()
    one, two = house.alert(symbol="ETHUSDT"), house.alert(symbol="SOLUSDT")
    house.balance("paper", "5000")
    saved(house, "grid.first_leg", "market")
    saved(house, "pool.max_open_groups", 3)
    assert outcomes(house, one, two) == [None, "rejected"]
    assert next(order for order in house.orders() if order.symbol == "ETHUSDT").type is OrderType.MARKET
