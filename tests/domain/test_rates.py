"""What each exchange takes of one account."""

from __future__ import annotations

import pytest

from execution_engine.domain.instrument import Market
from execution_engine.domain.rates import RATES, UNLIMITED, USUAL, Budget, fifth, rates_of


def test_paper_takes_everything_and_an_unknown_exchange_little():
    assert rates_of("paper", Market.SPOT) is rates_of("paper", Market.SWAP) is UNLIMITED
    assert rates_of("elsewhere", Market.SPOT) is USUAL
    assert USUAL.orders == Budget(50, 10, reserved=10)


@pytest.mark.parametrize(
    ("exchange", "market", "orders", "per_s"),
    [
        ("binance", Market.SPOT, 100, 10),
        ("binance", Market.SWAP, 300, 10),
        ("bybit", Market.SPOT, 20, 1),
        ("bybit", Market.SWAP, 10, 1),
        ("okx", Market.SPOT, 60, 2),
        ("okx", Market.SWAP, 60, 2),
    ],
)
def test_the_documented_limits_are_kept_and_a_fifth_is_held_back(exchange, market, orders, per_s):
    assert rates_of(exchange, market).orders == Budget(orders, per_s, reserved=orders // 5)


def test_every_distant_exchange_limits_orders_and_requests():
    limited = [rates for (exchange, _), rates in RATES.items() if exchange != "paper"]
    assert all(rates.orders and rates.requests for rates in limited)


def test_a_fifth_is_rounded_up_so_that_something_is_held_back():
    assert fifth(3, 1) == Budget(3, 1, reserved=1)


@pytest.mark.parametrize(("orders", "per_s", "reserved"), [(0, 1, 0), (5, 0, 1), (5, 1, 5), (5, 1, -1)])
def test_a_budget_that_leaves_room_for_nothing_is_a_mistake(orders, per_s, reserved):
    with pytest.raises(ValueError, match="leaves room for nothing"):
        Budget(orders, per_s, reserved)
