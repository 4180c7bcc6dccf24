"""What each kind of alert comes to: its answer, its outcome, and what it leaves on the exchange."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.stories.installation import D, Installation, Markets, legs_of, orders_of


def seconds_ago(seconds: float) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def working(engine: Installation, symbol: str) -> list[str]:
    """Return the states of what still works on the exchange in a market."""
    exchange, _, ticker = symbol.rpartition(":")
    rows = [
        row for row in engine.paper_orders() if (row["exchange"], row["symbol"]) == (exchange.lower(), ticker)
    ]
    return [row["status"] for row in rows if row["status"] not in ("filled", "cancelled")]


@pytest.fixture
def spot(shared: Installation, markets: Markets) -> str:
    """Give a spot market at 100 in the shared installation."""
    symbol = markets.spot()
    shared.price(symbol, 100)
    return symbol


@pytest.fixture
def perpetual(shared: Installation, markets: Markets) -> str:
    symbol = markets.perpetual()
    shared.price(symbol, 100)
    return symbol


# -- exits


@pytest.mark.parametrize(
    "closing",
    [
        {"type": "exit"},
        {"action": "sell", "market_position": "flat"},
        {"action": "sell", "market_position": "flat", "prev_market_position": "long"},
    ],
)
def test_an_exit_closes_what_filled_and_cancels_the_rest(
    shared: Installation, spot: str, closing: dict[str, str]
) -> None:
    shared.accepted(spot, price=100)
    shared.live(spot)
    alert = shared.accepted(spot, **closing)
    group = shared.group(spot, "closed")
    outcome, reason = shared.outcome(alert)
    assert outcome == "exited"
    assert reason.endswith("USD")
    (exit_order,) = orders_of(group, "exit")
    assert (exit_order["type"], exit_order["status"]) == ("market", "filled")
    assert [leg["status"] for leg in legs_of(group)] == ["filled"] + ["cancelled"] * 4
    assert working(shared, spot) == []


def test_an_exit_while_nothing_filled_cancels_the_grid(shared: Installation, spot: str) -> None:
    shared.price(spot, 101)
    opened = shared.accepted(spot, price=100)
    assert shared.live(spot)["status"] == "live"
    alert = shared.accepted(spot, type="exit")
    group = shared.group(spot, "closed")
    assert shared.outcome(alert) == ("exited", "nothing had filled; its orders were cancelled")
    assert shared.outcome(opened)[0] == "opened"
    assert [leg["status"] for leg in legs_of(group)] == ["cancelled"] * 5
    assert (group["realized_pnl_usd"], orders_of(group, "exit")) == ("0", [])
    assert working(shared, spot) == []


@pytest.mark.fault(4)
def test_an_exit_right_behind_its_entry_leaves_nothing_open(shared: Installation, spot: str) -> None:
    opened = shared.accepted(spot, price=100)
    alert = shared.accepted(spot, type="exit")
    shared.group(spot, "closed")
    assert shared.outcome(alert)[0] == "exited"
    assert shared.outcome(opened)[0] in ("opened", "cancelled")
    assert working(shared, spot) == []


@pytest.mark.fault(4)
def test_an_exit_of_an_unknown_key_is_recorded_and_does_nothing(shared: Installation, spot: str) -> None:
    assert shared.outcome(shared.accepted(spot, type="exit"))[0] == "no_position"
    shared.accepted(spot, price=100)
    shared.live(spot)
    # Another timeframe is another key.
    assert shared.outcome(shared.accepted(spot, type="exit", timeframe="60"))[0] == "no_position"
    assert shared.groups(spot)[-1]["status"] != "closed"


def test_a_closed_key_opens_again(shared: Installation, spot: str) -> None:
    for round_ in range(2):
        shared.accepted(spot, price=100)
        shared.live(spot, after=round_)
        shared.accepted(spot, type="exit")
        shared.group(spot, "closed", after=round_)
    assert len(shared.groups(spot)) == 2


# -- reversals


@pytest.mark.parametrize(("old", "new"), [("long", "short"), ("short", "long")])
def test_a_reversal_turns_a_perpetual_round(shared: Installation, perpetual: str, old: str, new: str) -> None:
    actions = {"long": "buy", "short": "sell"}
    shared.accepted(
        perpetual, action=actions[old], market_position=old, prev_market_position="flat", price=100
    )
    shared.live(perpetual)
    alert = shared.accepted(
        perpetual, action=actions[new], market_position=new, prev_market_position=old, price=100
    )
    after = shared.live(perpetual, after=1)
    before = shared.groups(perpetual)[0]
    assert (before["status"], before["side"], D(before["open_quantity"])) == ("closed", old, 0)
    assert (after["side"], after["status"]) == (new, "partially_filled")
    assert shared.outcome(alert)[0] == "reversed"
    (position,) = shared.rows(
        "SELECT quantity FROM position WHERE symbol = ? AND exchange = ?",
        after["symbol"],
        after["exchange"],
        file="paper",
    )
    held = D(position["quantity"])
    assert abs(held) == D(after["open_quantity"])
    assert held > 0 if new == "long" else held < 0


def test_a_reversal_with_nothing_held_is_an_entry(shared: Installation, perpetual: str) -> None:
    alert = shared.accepted(
        perpetual, action="sell", market_position="short", prev_market_position="long", price=100
    )
    assert shared.live(perpetual)["side"] == "short"
    assert shared.outcome(alert)[0] == "opened"


def test_a_reversal_to_the_side_that_is_held_already_is_a_pyramid(
    shared: Installation, perpetual: str
) -> None:
    shared.accepted(perpetual, action="sell", price=100)
    shared.live(perpetual)
    alert = shared.accepted(
        perpetual, action="sell", market_position="short", prev_market_position="long", price=100
    )
    assert shared.outcome(alert)[0] == "pyramided"


def test_a_reversal_that_may_not_enter_exits_all_the_same(shared: Installation, spot: str) -> None:
    shared.accepted(spot, price=100)
    shared.live(spot)
    alert = shared.accepted(
        spot, action="sell", market_position="short", prev_market_position="long", price=100
    )
    shared.group(spot, "closed")
    outcome, reason = shared.outcome(alert)
    assert outcome == "exited"
    assert "a spot account cannot be short" in reason
    assert len(shared.groups(spot)) == 1


def test_the_other_side_is_rejected_or_turns_the_position_as_the_settings_say(
    shared: Installation, perpetual: str
) -> None:
    shared.accepted(perpetual, action="buy", price=100)
    shared.live(perpetual)
    alert = shared.accepted(perpetual, action="sell", price=100)
    assert shared.outcome(alert) == ("rejected", "opposite side is open")
    shared.configure(signals__opposite="reverse")
    try:
        alert = shared.accepted(perpetual, action="sell", price=100)
        assert shared.live(perpetual, after=1)["side"] == "short"
        assert shared.outcome(alert)[0] == "reversed"
    finally:
        shared.configure(signals__opposite="reject")


def test_two_timeframes_may_not_oppose_each_other_in_one_way_mode(
    shared: Installation, perpetual: str
) -> None:
    shared.accepted(perpetual, action="buy", price=100)
    shared.live(perpetual)
    outcome, reason = shared.outcome(shared.accepted(perpetual, action="sell", price=100, timeframe="60"))
    assert outcome == "rejected"
    assert "one-way mode" in reason


# -- pyramids


def test_pyramids_join_up_to_the_limit_and_one_more_only_counts(shared: Installation, spot: str) -> None:
    shared.accepted(spot, price=100)
    shared.live(spot)
    shared.price(spot, 97)
    second = shared.accepted(spot, price=97)
    group = shared.live(spot, legs=10)
    assert shared.outcome(second) == ("pyramided", "pyramid 2 of 2")
    assert [pyramid["entry_price"] for pyramid in group["pyramids"]] == ["100", "97"]
    assert group["pyramid_count"] == 2
    for count in (1, 2):
        outcome, reason = shared.outcome(shared.accepted(spot, price=96))
        assert (outcome, reason) == ("replacement", f"all 2 pyramids are there; replacement {count}")
    group = shared.group(spot, "partially_filled")
    assert (group["replacement_count"], len(legs_of(group))) == (2, 10)
    shared.accepted(spot, type="exit")
    shared.group(spot, "closed")
    assert working(shared, spot) == []


# -- copies


@pytest.mark.fault(1)
def test_a_copy_by_its_id_is_answered_with_the_first_one(shared: Installation, spot: str) -> None:
    first = shared.accepted(spot, id=f"once {spot}", price=100)
    for copies in (1, 2, 3):
        told = shared.alert(spot, id=f"once {spot}", price=100)
        assert (told.status, told.alert, told.body["status"]) == (200, first, "duplicate")
        state = shared.state()
        assert shared.told_of(state, first)["duplicates"] == copies
    shared.live(spot)
    assert len(shared.groups(spot)) == 1
    assert len(legs_of(shared.groups(spot)[0])) == 5


@pytest.mark.fault(2)
def test_a_copy_by_its_body_counts_within_its_window(shared: Installation, spot: str) -> None:
    first = shared.accepted(spot, id=None, price=100)
    told = shared.alert(spot, id=None, price=100)
    assert (told.status, told.alert) == (200, first)
    shared.live(spot)
    shared.configure(signals__duplicate_window_s=0)
    try:
        second = shared.accepted(spot, id=None, price=100)
        assert shared.outcome(second)[0] == "pyramided"
    finally:
        shared.configure(signals__duplicate_window_s=60)


def test_another_body_under_a_used_id_only_closes(shared: Installation, spot: str) -> None:
    first = shared.accepted(spot, id=f"used {spot}", price=100)
    shared.live(spot)
    told = shared.alert(spot, id=f"used {spot}", price=99)
    assert (told.status, told.alert) == (200, first)
    assert len(legs_of(shared.groups(spot)[0])) == 5
    alert = shared.accepted(spot, id=f"used {spot}", type="exit")
    assert alert != first
    shared.group(spot, "closed")
    assert shared.outcome(alert)[0] == "exited"


# -- what is rejected after its 202

REJECTED: dict[str, tuple[dict[str, Any], str]] = {
    "stale": ({"timestamp": lambda: seconds_ago(400)}, "s old, the limit is 300 s"),
    "future": ({"timestamp": lambda: seconds_ago(-300)}, "in the future"),
    "contradictory": ({"action": "buy", "market_position": "short"}, "contradicts itself"),
    "short on spot": ({"action": "sell"}, "a spot account cannot be short"),
    "unknown grid": ({"grid": "nowhere"}, "there is no grid profile “nowhere”"),
    "too dear": ({"capital_usd": "1000.01"}, "above the limit of"),
    "unknown account": ({"account": "mine"}, "account “mine”"),
    "account of another market": ({"account": "paper-perp"}, "does not trade"),
    "far from the market": ({"price": "120"}, "% away from the market at 100; the limit is 10 %"),
    "too small": ({"capital_usd": "20"}, "leg 0 of 5"),
}


@pytest.mark.parametrize("case", REJECTED)
def test_what_depends_on_the_state_is_taken_first_and_then_rejected(
    shared: Installation, spot: str, case: str
) -> None:
    fields, expected = REJECTED[case]
    alert = shared.accepted(
        spot,
        **({"price": 100} | {name: value() if callable(value) else value for name, value in fields.items()}),
    )
    outcome, reason = shared.outcome(alert)
    assert outcome == "rejected"
    assert expected in reason
    assert shared.groups(spot) == []


def test_a_symbol_without_a_price_is_rejected_and_trades_once_it_has_one(
    shared: Installation, markets: Markets
) -> None:
    symbol = markets.spot()
    assert shared.outcome(shared.accepted(symbol, price=100)) == ("rejected", "no market price")
    shared.price(symbol, 100)
    assert shared.outcome(shared.accepted(symbol, price=100))[0] == "opened"


@pytest.mark.fault(5)
@pytest.mark.parametrize(("age_s", "outcome"), [(400, "exited"), (90_000, "rejected")])
def test_a_late_exit_is_carried_out_until_it_is_very_late(
    shared: Installation, spot: str, age_s: int, outcome: str
) -> None:
    shared.accepted(spot, price=100)
    shared.live(spot)
    alert = shared.accepted(spot, type="exit", timestamp=seconds_ago(age_s))
    assert shared.outcome(alert)[0] == outcome
    shared.group(spot, "closed" if outcome == "exited" else "partially_filled")
    (row,) = shared.rows("SELECT late FROM alerts WHERE id = ?", alert)
    assert bool(row["late"]) is (outcome == "exited")


# -- the money does not suffice, or a leg breaks a rule


def test_a_grid_that_the_balance_cannot_pay_is_rejected_whole(install: Callable[..., Installation]) -> None:
    engine = install(paper__start_balance_usd="900").start()
    engine.price("BINANCE:SOLUSDT", 100)
    outcome, reason = engine.outcome(engine.accepted("BINANCE:SOLUSDT", price=100))
    assert outcome == "rejected"
    assert "has 900.00 USDT free" in reason
    assert engine.groups("BINANCE:SOLUSDT") == []
    assert engine.paper_orders() == []
    assert engine.state()["engine"]["worlds"]["paper"]["slots_used"] == 0
    engine.stop()


@pytest.mark.fault(41)
def test_a_grid_that_is_taken_only_in_part_lives_with_what_was_taken(
    install: Callable[..., Installation],
) -> None:
    """195 orders of others' timeframes rest in the market; the exchange takes 200."""
    grid = [{"gap_percent": str(-index), "weight_percent": "2.5", "tp_percent": "1"} for index in range(40)]
    small = [{"gap_percent": str(-index), "weight_percent": "20", "tp_percent": "1"} for index in range(5)]
    engine = install(
        capital__total_usd="10000",
        grid={"default": "wide", "profiles": {"wide": grid, "default": small}},
    ).start()
    symbol = "BINANCE:SOLUSDT"
    engine.price(symbol, 101)
    for minutes in range(1, 6):
        engine.accepted(
            symbol, price=100, timeframe=str(minutes), **({"grid": "default"} if minutes == 5 else {})
        )
    engine.wait_for(lambda state: sum(len(legs_of(group)) for group in state["groups"]) == 165)
    alert = engine.accepted(symbol, price=100, timeframe="60")
    group = engine.group(symbol, "live", after=5)
    states = [leg["status"] for leg in legs_of(group)]
    assert (states.count("open"), states.count("rejected")) == (35, 5)
    assert engine.outcome(alert)[0] == "opened"
    assert engine.state()["engine"]["worlds"]["paper"]["slots_used"] == 6
    engine.accepted(symbol, type="exit", timeframe="60")
    engine.group(symbol, "closed", after=5)
    engine.stop()
    engine.prove_books()


def test_a_grid_of_which_nothing_is_taken_has_failed_and_frees_its_slot(
    install: Callable[..., Installation],
) -> None:
    grid = [{"gap_percent": str(-index), "weight_percent": "2.5", "tp_percent": "1"} for index in range(40)]
    engine = install(grid={"profiles": {"default": grid}}, pool__max_open_groups=6).start()
    symbol = "BINANCE:SOLUSDT"
    engine.expected_errors = ["entry_failed", "group_failed"]
    engine.price(symbol, 101)
    for minutes in range(1, 6):
        engine.accepted(symbol, price=100, timeframe=str(minutes))
    engine.wait_for(
        lambda state: sum(leg["status"] == "open" for g in state["groups"] for leg in legs_of(g)) == 200
    )
    alert = engine.accepted(symbol, price=100, timeframe="60")
    outcome, reason = engine.outcome(alert)
    assert outcome == "failed"
    assert "200 open orders" in reason
    engine.group(symbol, "failed", after=5)
    assert engine.state()["engine"]["worlds"]["paper"]["slots_used"] == 5
    engine.stop()
    engine.prove_books()
