"""What an entry has to meet, in which words it is refused, and what it then places."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D
from typing import Any

import pytest

from execution_engine.domain import document as documents
from execution_engine.domain.inputs import AccountChanged, CancelLegs, Pause, Resume, SaveSettings
from execution_engine.domain.instrument import Market
from execution_engine.domain.rows import Account
from execution_engine.domain.signal import Outcome
from tests.house import House, perp, spot

WIDE = [
    {"gap_percent": "0", "weight_percent": "60", "tp_percent": "2"},
    {"gap_percent": "-5", "weight_percent": "40", "tp_percent": "3"},
]


def ready(settings: dict[str, Any] | None = None) -> House:
    house = House(settings)
    house.price("BTCUSDT", "65000")
    house.price("BTCUSDT.P", "65000")
    return house


def change(house: House, path: str, value: Any) -> None:
    house.post(SaveSettings(document=documents.dump(documents.with_value(house.book.settings, path, value))))


@pytest.mark.parametrize(
    ("settings", "fields", "reason"),
    [
        ({}, {"action": "sell"}, "a spot account cannot be short"),
        ({"signals.symbols": ["ETH*"]}, {}, "BTCUSDT is not among the symbols that may be traded (signals.symbols)"),
        ({"signals.symbols": ["BINANCE:ETH*", "BYBIT:BTC*"]}, {},
         "BTCUSDT is not among the symbols that may be traded (signals.symbols)"),
        ({}, {"grid": "wide"}, "there is no grid profile “wide”; there are: default"),
        ({}, {"capital_usd": "1000.01"}, "capital_usd 1000.01 is above the limit of 1000.00 USD for one group"),
        ({"signals.max_capital_usd": "1500"}, {"capital_usd": "1501"},
         "capital_usd 1501 is above the limit of 1500.00 USD for one group"),
        ({}, {"price": "72000"}, "the alert's price 72000 is 10.77 % away from the market at 65000; the limit is 10 %"),
        ({}, {"price": "1e27"}, None),
        ({}, {"price": "1e-27"}, None),
        ({}, {"capital_usd": "20"},
         "leg 0 of 5: notional 3.90 USDT is below the minimum of 5 USDT; raise the capital or the weight"),
        ({"capital.max_order_usd": "199.6"}, {},
         "leg 1 of 5: notional 199.85 USDT is above capital.max_order_usd (199.6); lower the capital or the weight"),
        ({"capital.total_usd": "2000000"}, {}, "the grid needs 199998.63 USDT, the account “paper” has 100000.00 USDT "
         "free; lower the capital or add funds"),
        ({"grid.first_leg": "market"}, {"price": "64000"},
         "the market at 65000 is 1.56 % worse than the base price; grid.max_slippage_percent allows 0.5 %"),
        ({"accounts": {"paper-perp": {"leverage": "100"}}}, {"symbol": "BTCUSDT.P"}, None),
    ],
)  # fmt: skip
def test_an_entry_that_breaks_a_rule_is_rejected_with_the_value_and_the_limit(settings, fields, reason):
    house = ready(settings)
    alert = house.alert(**{"price": "65000"} | fields)
    ended, why = house.outcome(alert)
    assert ended == "rejected"
    assert house.groups == []
    assert reason is None or why == reason


@pytest.mark.parametrize(
    ("settings", "fields", "spent"),
    [
        ({}, {}, "1000"),
        ({}, {"capital_usd": "600"}, "600"),
        ({"signals.max_capital_usd": "1500"}, {"capital_usd": "1500"}, "1500"),
        ({"capital.total_usd": "5000", "pool.max_open_groups": 2}, {}, "2500"),
        ({"capital.pyramid_capital": "split"}, {}, "200"),
        ({"capital.pyramid_capital": "split"}, {"capital_usd": "500"}, "100"),
        ({"accounts": {"paper-perp": {"leverage": "3"}}}, {"symbol": "BTCUSDT.P"}, "3000"),
        ({"accounts": {"paper": {"leverage": "3"}}}, {}, "1000"),
    ],
)
def test_a_grid_spends_the_capital_of_its_group_or_of_its_alert(settings, fields, spent):
    house = ready(settings)
    house.alert(**fields)
    total = sum(order.quantity * order.price for order in house.sent)
    assert D(spent) - 330 < total <= D(spent)


def test_an_alert_may_lower_or_choose_but_only_for_its_own_pyramid():
    house = ready({"grid.profiles": {"default": WIDE, "one": [WIDE[0] | {"weight_percent": "100"}]}})
    house.alert(grid="one", capital_usd="100", tp_mode="hybrid")
    house.alert()
    house.alert(grid="default")
    assert [(p.grid_name, p.capital_usd) for p in house.pyramids()] == [
        ("one", 100),
        ("one", 1000),
        ("default", 1000),
    ]
    assert (house.group.grid_name, house.group.tp_mode) == ("one", "hybrid")
    assert [leg.pyramid_index for leg in house.legs()] == [0, 1, 2, 2]


@pytest.mark.parametrize(
    ("bindings", "name"),
    [
        ([], "default"),
        ([{"symbol": "BTC*", "profile": "wide"}], "wide"),
        ([{"symbol": "ETH*", "profile": "wide"}], "default"),
        ([{"symbol": "BINANCE:BTC*", "timeframe": "15m", "profile": "wide"}], "wide"),
        ([{"symbol": "BYBIT:*", "profile": "wide"}], "default"),
        ([{"timeframe": "*h", "profile": "wide"}], "default"),
        ([{"timeframe": "15m", "profile": "default"}, {"profile": "wide"}], "default"),
    ],
)
def test_the_first_binding_that_fits_gives_the_grid(bindings, name):
    house = ready()
    change(house, "grid", {"profiles": {"default": WIDE, "wide": WIDE}, "bindings": bindings})
    house.alert()
    assert house.group.grid_name == name


@pytest.mark.fault(76)
def test_a_group_keeps_what_it_was_opened_with():
    house = ready()
    house.alert()
    for path, value in (
        ("grid.profiles", {"default": WIDE}),
        (
            "take_profit",
            {"mode": "aggregate", "aggregate_percent": "9", "order": "limit", "on_flat": "keep_grid"},
        ),
        ("pool.max_pyramids", 1),
        ("accounts", {"paper": {"leverage": "5"}}),
    ):
        change(house, path, value)
    house.alert()
    group = house.group
    assert len(house.legs()) == 10
    assert (group.tp_mode, group.tp_aggregate_percent, group.tp_order) == ("per_leg", 1, "market")
    assert (group.on_flat, group.max_pyramids, group.pyramid_count, group.leverage) == ("close", 5, 2, 1)


def test_without_a_price_of_its_own_an_alert_enters_at_the_market():
    house = ready()
    house.alert()
    assert house.pyramids()[0].base_price == 65000


def test_a_first_leg_at_market_leaves_as_a_market_order_and_the_others_rest():
    house = ready({"grid.first_leg": "market"})
    house.alert(price="64900")
    assert [(order.type, order.price) for order in house.sent[:2]] == [
        ("market", None),
        ("limit", D("64575.5")),
    ]
    assert house.sent[0].quantity == D("0.00308")


def test_a_first_leg_at_market_that_is_cheaper_than_the_base_price_is_taken():
    house = ready({"grid.first_leg": "market"})
    house.alert(price="68000")
    assert house.sent[0].type == "market"


@pytest.mark.parametrize(("side", "allowed"), [("long", "rejected"), ("short", None)])
def test_in_one_way_mode_two_sides_of_a_symbol_exclude_each_other(side, allowed):
    house = ready()
    house.alert(symbol="BTCUSDT.P", market_position="short")
    other = house.alert(symbol="BTCUSDT.P", timeframe="60", market_position=side)
    assert house.outcome(other)[0] == allowed
    if allowed:
        assert (
            house.outcome(other)[1]
            == "BTCUSDT.P 15m is open short; in one-way mode the account cannot hold both"
        )


def test_in_hedge_mode_both_sides_of_a_symbol_may_be_open():
    house = ready({"accounts": {"paper-perp": {"position_mode": "hedge"}}})
    house.alert(symbol="BTCUSDT.P", market_position="short")
    house.alert(symbol="BTCUSDT.P", timeframe="60", market_position="long")
    assert [group.side for group in house.groups] == ["short", "long"]


def test_two_alerts_do_not_spend_the_same_balance_twice():
    house = ready()
    house.balance("paper", "1500")
    first, second = house.alert(), house.alert(timeframe="60")
    assert house.outcome(first)[0] is None
    assert house.outcome(second)[1].startswith(
        "the grid needs 997.94 USDT, the account “paper” has 502.06 USDT free"
    )


def test_what_is_on_the_way_to_another_quote_currency_does_not_count():
    house = ready()
    house.catalogue.add([spot("BTCUSDC", base="BTC", quote="USDC")])
    house.price("BTCUSDC", "65000")
    house.book.balances["paper"] = {"USDT": D(1000), "USDC": D(1000)}
    house.alert()
    house.alert(symbol="BTCUSDC")
    assert len(house.groups) == 2


def test_a_first_leg_at_market_is_counted_on_the_way_too():
    house = ready({"grid.first_leg": "market"})
    house.balance("paper", "1990")
    house.alert(price="65000")
    assert house.outcome(house.alert(timeframe="60", price="65000"))[0] == "rejected"


@pytest.mark.fault(66)
def test_the_entries_of_a_day_are_limited_per_world_and_utc_day():
    house = ready({"signals.max_entries_per_day": 2, "pool.max_pyramids": 9})
    assert [house.outcome(house.alert())[0] for _ in range(3)] == [None, None, "rejected"]
    assert "2 entries were placed today (UTC)" in house.outcome(house.alert())[1]
    house.clock.forward(hours=12)
    house.price("BTCUSDT", "65000")
    assert house.outcome(house.alert())[0] is None


def test_the_entries_of_the_day_are_counted_after_a_restart_and_after_their_groups_have_closed():
    house = ready({"signals.max_entries_per_day": 2})
    house.clock.forward(hours=-1, days=-1)
    house.alert()
    house.accept()
    house.clock.forward(days=1)
    house.alert()
    house.accept()
    house.alert(type="exit", action=None)
    house.confirm_cancels()
    assert house.group.status == "closed"
    house.clock.forward(hours=5)
    house.desk.look_at_clock()
    again = house.restarted()
    again.reconcile()
    assert again.outcome(again.alert())[0] is None
    assert again.outcome(again.alert())[0] == "rejected"


def test_while_paused_entries_pyramids_and_replacements_are_rejected():
    house = ready({"pool.max_pyramids": 2})
    house.alert()
    house.post(Pause())
    assert house.outcome(house.alert()) == ("rejected", "paused")
    assert house.outcome(house.alert(symbol="ETHUSDT")) == ("rejected", "paused")
    house.post(Resume())
    house.alert()
    house.post(Pause())
    assert house.outcome(house.alert()) == ("rejected", "paused")
    assert house.group.replacement_count == 0
    house.accept()
    again = house.restarted()
    again.reconcile()
    assert again.outcome(again.alert(symbol="ETHUSDT")) == ("rejected", "paused")


def test_a_position_on_hold_takes_no_pyramid():
    house = ready()
    house.alert()
    house.book.apply([replace(house.group, hold="its quantity is in doubt")])
    assert house.outcome(house.alert()) == ("rejected", "the position is on hold: its quantity is in doubt")


def test_a_disabled_account_keeps_its_groups_and_takes_no_pyramid():
    house = ready()
    house.alert()
    house.post(AccountChanged(account=replace(house.book.accounts["paper"], enabled=False)))
    assert house.outcome(house.alert()) == ("rejected", "account “paper” is disabled")


def test_an_order_above_the_exchanges_maximum_is_split_into_even_pieces():
    house = ready()
    house.catalogue.add([spot(max_qty=D("0.001"))])
    house.alert(price="65000")
    first = [order for order in house.orders() if order.leg_id == house.legs()[0].id]
    assert [str(order.quantity) for order in first] == ["0.00077", "0.00077", "0.00077", "0.00076"]
    house.fill(first[0])
    assert (house.legs()[0].status, house.legs()[0].filled_quantity) == ("partially_filled", D("0.00077"))
    for order in first[1:]:
        house.fill(order)
    assert (house.legs()[0].status, house.legs()[0].filled_quantity) == ("filled", D("0.00307"))


def test_open_legs_can_be_cancelled_by_hand_and_the_position_stays():
    house = ready()
    house.alert()
    house.accept()
    house.fill(house.sent[0])
    answer = house.post(CancelLegs(group_id=house.group.id))
    house.confirm_cancels()
    assert answer.text == "4 open legs of BTCUSDT 15m are being cancelled."
    assert house.group.status == "active"
    assert [leg.status.value for leg in house.legs()] == ["filled"] + ["cancelled"] * 4
    assert house.pyramids()[0].status == "filled"


def test_a_group_whose_legs_are_all_cancelled_closes():
    house = ready()
    alert = house.alert()
    house.accept()
    house.post(CancelLegs(group_id=house.group.id))
    house.confirm_cancels()
    assert (house.group.status, house.pyramids()[0].status) == ("closed", "cancelled")
    assert house.outcome(alert)[0] == "opened"


def test_a_group_that_never_filled_ends_after_its_time_and_gives_its_slot_on():
    house = ready({"grid.max_unfilled_hours": "1.5", "pool.max_open_groups": 1})
    house.alert()
    house.accept()
    waiting = house.alert(timeframe="60")
    house.clock.forward(minutes=89)
    house.desk.look_at_clock()
    assert house.group.status == "live"
    house.clock.forward(minutes=1)
    house.desk.look_at_clock()
    house.confirm_cancels()
    assert [group.status for group in house.groups] == ["closed", "waiting"]
    assert house.groups[0].close_reason == "nothing filled within 1.5 h"
    assert house.outcome(waiting)[0] is None


def test_a_group_that_filled_in_time_stays():
    house = ready()
    house.alert()
    house.accept()
    house.fill(house.sent[0])
    change(house, "grid.max_unfilled_hours", "1")
    house.clock.forward(hours=2)
    house.desk.look_at_clock()
    assert house.group.status == "partially_filled"


def test_a_time_limit_saved_later_counts_for_groups_that_are_open():
    house = ready()
    house.alert()
    house.accept()
    change(house, "grid.max_unfilled_hours", "1")
    change(house, "grid.max_unfilled_hours", "3")
    house.clock.forward(hours=2)
    house.desk.look_at_clock()
    assert house.group.status == "live"
    house.clock.forward(hours=1)
    house.desk.look_at_clock()
    assert house.group.status == "closing"


def test_a_forced_outcome_is_one_of_the_specifications():
    assert len(Outcome) == 13


def test_a_new_account_is_one_the_user_enables():
    house = ready()
    account = Account(
        name="new", exchange="binance", market=Market.SWAP, mode="live", world="live", enabled=False,
        created_at=house.clock.time,
    )  # fmt: skip
    assert house.post(AccountChanged(account=account)).text == "Account new was saved."
    house.catalogue.add([perp("SOLUSDT.P")])
    house.price("SOLUSDT.P", "150")
    house.alert(symbol="SOLUSDT.P")
    assert house.group.account == "paper-perp"
