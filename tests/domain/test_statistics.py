"""Sums over closed groups can be put together from parts, and taken apart."""

from decimal import Decimal as D

from execution_engine.domain.statistics import Statistics


def some(trades: int, won: str, lost: str) -> Statistics:
    return Statistics(
        trades=trades,
        wins=1,
        losses=trades - 1,
        won=D(won),
        lost=D(lost),
        realized=D(won) + D(lost),
        fees=D("0.1"),
        volume=D(100),
    )


def test_the_days_before_and_today_make_the_whole() -> None:
    before, today = some(3, "10", "-4"), some(2, "1", "-2")
    whole = before + today
    assert (whole.trades, whole.wins, whole.won, whole.lost, whole.fees) == (5, 2, D(11), D(-6), D("0.2"))
    assert whole.win_rate == D(40)
    assert whole - today == before
