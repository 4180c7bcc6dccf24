"""Every way to take a profit, for a long on spot and for both sides of a perpetual."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

import pytest

from tests.stories.installation import D, Installation, Markets, Plain, legs_of, orders_of

POSITIONS = ["spot long", "perpetual long", "perpetual short"]
ORDERS = ["market", "limit"]


@dataclass(frozen=True, slots=True)
class Opened:
    """A grid from 100, and prices measured from there [%]: against the position, and in its favour."""

    engine: Installation
    symbol: str
    sign: int

    def goes(self, percent: str) -> None:
        """Let the price stand this far from 100; above zero is good for the position."""
        self.engine.price(self.symbol, 100 + self.sign * D(percent))

    def reaches(self, target: str) -> None:
        self.engine.price(self.symbol, target)

    def legs(self) -> list[Plain]:
        return legs_of(self.engine.groups(self.symbol)[-1])

    def wait(self, *statuses: str) -> list[Plain]:
        """Wait until the legs stand like this: f filled, h at its target, o open, c cancelled."""
        letters = {"f": "filled", "h": "tp_hit", "o": "open", "c": "cancelled"}
        wanted = [[letters[letter] for letter in row] for row in statuses]
        self.engine.wait_for(
            lambda state: [leg["status"] for leg in self.legs()] in wanted,
            f"legs {statuses} of {self.symbol}",
        )
        return self.legs()


def opened(engine: Installation, markets: Markets, position: str, **settings: object) -> Opened:
    engine.configure(
        **({"take_profit__aggregate_percent": "1.0", "take_profit__on_flat": "close"} | settings)
    )
    symbol = markets.spot() if position.startswith("spot") else markets.perpetual()
    sign = 1 if position.endswith("long") else -1
    engine.price(symbol, 101 if sign > 0 else 99)
    engine.accepted(symbol, action="buy" if sign > 0 else "sell", price=100)
    group = engine.live(symbol)
    assert group["status"] == "live"
    assert group["side"] == position.split()[1]
    return Opened(engine, symbol, sign)


def prove_money(engine: Installation, group: Plain) -> None:
    """Compute the realized result from the exchange's own trades: exits − entries of what was closed − fees."""
    sign = 1 if group["side"] == "long" else -1
    statement = (
        "SELECT f.*, o.leg_id, o.parts FROM fills f JOIN orders o ON o.id = f.order_id "
        "WHERE f.group_id = ? AND f.purpose {} 'entry'"
    )
    filled: dict[int, Decimal] = defaultdict(Decimal)
    cost: dict[int, Decimal] = defaultdict(Decimal)
    result = D(0)
    for fill in engine.rows(statement.format("="), group["id"]):
        filled[fill["leg_id"]] += D(fill["quantity"])
        cost[fill["leg_id"]] += D(fill["quantity"]) * D(fill["price"])
        result -= D(fill["fee_value"])
    for fill in engine.rows(statement.format("!="), group["id"]):
        result += sign * D(fill["quantity"]) * D(fill["price"]) - D(fill["fee_value"])
    closed = engine.rows("SELECT id, closed_quantity FROM dca_orders WHERE group_id = ?", group["id"])
    for leg in closed:
        if filled[leg["id"]]:
            result -= sign * cost[leg["id"]] * D(leg["closed_quantity"]) / filled[leg["id"]]
    assert abs(D(group["realized_pnl_usd"]) - result) < D("1e-18")
    if ".P" in group["symbol"]:
        assert D(group["open_quantity"]) == 0


def prove_ended(story: Opened) -> Plain:
    group = story.engine.group(story.symbol, "closed")
    prove_money(story.engine, group)
    exchange, _, ticker = story.symbol.rpartition(":")
    mine = [
        row
        for row in story.engine.paper_orders()
        if (row["exchange"], row["symbol"]) == (exchange.lower(), ticker)
    ]
    assert {row["status"] for row in mine} <= {"filled", "cancelled"}
    return group


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("position", POSITIONS)
def test_per_leg_closes_each_leg_at_its_own_target(
    shared: Installation, markets: Markets, position: str, order: str
) -> None:
    story = opened(shared, markets, position, take_profit__mode="per_leg", take_profit__order=order)
    story.goes("-1")
    legs = story.wait("fffoo")
    for leg in (2, 1):
        before = story.wait("f" * (leg + 1) + "h" * (2 - leg) + "oo")
        story.reaches(before[leg]["tp_price"])
        after = story.wait("f" * leg + "h" * (3 - leg) + "oo")
        (closed,) = [
            row for row in after[leg]["orders"] if row["status"] == "filled" and row["purpose"] != "entry"
        ]
        assert (closed["purpose"], closed["type"]) == ("take_profit", order)
        assert D(closed["avg_fill_price"]) == D(legs[leg]["tp_price"])
    story.reaches(legs[0]["tp_price"])
    group = prove_ended(story)
    assert D(group["realized_pnl_usd"]) > 0
    assert [leg["status"] for leg in legs_of(group)] == ["tp_hit"] * 3 + ["cancelled"] * 2


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("position", POSITIONS)
def test_aggregate_closes_everything_at_the_common_target(
    shared: Installation, markets: Markets, position: str, order: str
) -> None:
    story = opened(shared, markets, position, take_profit__mode="aggregate", take_profit__order=order)
    story.goes("-1")
    legs = story.wait("fffoo")
    group = story.engine.group(story.symbol, "partially_filled")
    target = D(group["weighted_avg_entry"]) * (100 + story.sign) / 100
    story.reaches(legs[2]["tp_price"])  # a leg's own target means nothing here
    story.wait("fffoo")
    story.reaches(str((target + story.sign * D("0.1")).quantize(D("0.1"))))
    group = prove_ended(story)
    closes = [row for row in orders_of(group, "take_profit") if row["status"] == "filled"]
    assert [row["type"] for row in closes] == [order]
    assert [leg["status"] for leg in legs_of(group)][3:] == ["cancelled"] * 2


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("position", POSITIONS)
def test_hybrid_lets_the_legs_close_first_and_then_judges_the_rest(
    shared: Installation, markets: Markets, position: str, order: str
) -> None:
    story = opened(shared, markets, position, take_profit__mode="hybrid", take_profit__order=order)
    story.goes("-1")
    legs = story.wait("fffoo")
    story.reaches(legs[2]["tp_price"])
    story.wait("ffhoo")
    # The target of the second leg, and beyond the common one of the first two; what is left is not there yet.
    story.goes("0.8")
    story.wait("fhhoo")
    story.goes("1.1")
    prove_ended(story)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("position", POSITIONS)
def test_hybrid_closes_everything_where_the_common_target_is_nearer(
    shared: Installation, markets: Markets, position: str, order: str
) -> None:
    story = opened(
        shared,
        markets,
        position,
        take_profit__mode="hybrid",
        take_profit__order=order,
        take_profit__aggregate_percent="0.1",
    )
    story.goes("-0.5")
    story.wait("ffooo")
    story.goes("-0.05")
    group = prove_ended(story)
    # Not at the targets that the legs may have on the exchange: they were cancelled first.
    assert {row["type"] for row in orders_of(group, "take_profit") if row["status"] == "filled"} == {"market"}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("position", POSITIONS)
def test_a_kept_grid_waits_for_the_next_fall(
    shared: Installation, markets: Markets, position: str, order: str
) -> None:
    story = opened(
        shared,
        markets,
        position,
        take_profit__mode="per_leg",
        take_profit__order=order,
        take_profit__on_flat="keep_grid",
    )
    story.goes("0")
    legs = story.wait("foooo")
    story.reaches(legs[0]["tp_price"])
    story.wait("hoooo")
    group = shared.group(story.symbol, "live")
    assert group["weighted_avg_entry"] is None
    first = D(group["realized_pnl_usd"])
    assert first > 0
    story.goes("-0.5")
    story.wait("hfooo")
    assert shared.group(story.symbol, "partially_filled")["weighted_avg_entry"] is not None
    alert = shared.accepted(story.symbol, type="exit")
    group = shared.group(story.symbol, "closed")
    assert shared.outcome(alert)[0] == "exited"
    assert [leg["status"] for leg in legs_of(group)] == ["tp_hit", "filled"] + ["cancelled"] * 3
    prove_money(shared, group)


def test_a_kept_grid_that_has_no_entry_left_closes(shared: Installation, markets: Markets) -> None:
    story = opened(
        shared,
        markets,
        "spot long",
        take_profit__mode="aggregate",
        take_profit__order="market",
        take_profit__on_flat="keep_grid",
    )
    story.goes("-5")
    story.wait("fffff")
    story.goes("3")
    prove_ended(story)


def test_the_mode_that_an_alert_names_counts_for_its_group(shared: Installation, markets: Markets) -> None:
    shared.configure(take_profit__mode="per_leg", take_profit__order="market", take_profit__on_flat="close")
    symbol = markets.spot()
    shared.price(symbol, 100)
    shared.accepted(symbol, price=100, tp_mode="aggregate")
    assert shared.live(symbol)["tp_mode"] == "aggregate"


@pytest.mark.fault(76)
def test_what_is_saved_while_a_group_is_open_counts_for_the_next_one(
    shared: Installation, markets: Markets
) -> None:
    story = opened(shared, markets, "spot long", take_profit__mode="per_leg", take_profit__order="market")
    before = shared.group(story.symbol, "live")
    narrow = [{"gap_percent": "0", "weight_percent": "100", "tp_percent": "2"}]
    shared.configure(
        take_profit__mode="aggregate",
        take_profit__aggregate_percent="3",
        pool__max_pyramids=7,
        grid__profiles={"default": narrow},
    )
    try:
        shared.accepted(story.symbol, price=100)
        group = shared.live(story.symbol, legs=10)  # the group's own grid again, not the new one
        for field in ("tp_mode", "tp_aggregate_percent", "max_pyramids"):
            assert group[field] == before[field]
        other = markets.spot()
        shared.price(other, 100)
        shared.accepted(other, price=100)
        group = shared.live(other, legs=1)
        assert (group["tp_mode"], D(group["tp_aggregate_percent"]), group["max_pyramids"]) == (
            "aggregate",
            3,
            7,
        )
    finally:
        shared.configure(pool__max_pyramids=2, grid={"default": "default"})
