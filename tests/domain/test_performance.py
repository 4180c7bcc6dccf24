"""Figures over closed trades: each against a case worked out by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D

import pytest

from execution_engine.domain.instrument import Side
from execution_engine.domain.performance import (
    Bar,
    Change,
    ClosedTrade,
    DayResult,
    Fall,
    Tally,
    curve_of,
    days_of,
    deepest_fall,
    distribution,
    report,
    round_width,
    sharpe,
    tally,
    thinned,
)

START = datetime(2026, 11, 1, 12, tzinfo=UTC)


def trade(realized: str, day: int = 0, *, hours: int = 2, **more: object) -> ClosedTrade:
    closed = START + timedelta(days=day)
    given = {
        "group_id": day,
        "account": "paper",
        "symbol": "BTCUSDT",
        "timeframe": "1h",
        "side": Side.LONG,
        "quote": "USDT",
        "opened_at": closed - timedelta(hours=hours),
        "closed_at": closed,
        "quantity": D(1),
        "realized": D(realized),
        "fees": D("0.1"),
        "why": "",
    }
    return ClosedTrade(**(given | more))  # type: ignore[arg-type]


def changes(*amounts: str) -> list[Change]:
    return [Change(START + timedelta(days=day), D(amount)) for day, amount in enumerate(amounts)]


def test_a_tally_of_wins_losses_and_a_trade_that_came_to_nothing() -> None:
    sums = tally([trade("30"), trade("10", hours=4), trade("-20"), trade("0")])
    assert (sums.trades, sums.wins, sums.losses) == (4, 2, 1)
    assert (sums.won, sums.lost, sums.realized, sums.fees) == (D(40), D(-20), D(20), D("0.4"))
    assert (sums.win_rate, sums.profit_factor, sums.expectancy) == (D(50), D(2), D(5))
    assert (sums.average_win, sums.average_loss) == (D(20), D(-20))
    assert sums.average_held == timedelta(hours=2, minutes=30)


def test_nothing_has_no_ratios() -> None:
    nothing = Tally()
    assert nothing.realized == 0
    ratios = (
        nothing.win_rate,
        nothing.profit_factor,
        nothing.expectancy,
        nothing.average_win,
        nothing.average_loss,
        nothing.average_held,
    )
    assert set(ratios) == {None}


@pytest.mark.parametrize(
    ("entry", "quantity", "percent"), [("100", "2", D(5)), (None, "2", None), ("100", "0", None)]
)
def test_the_result_in_per_cent_of_what_the_entries_cost(entry, quantity, percent) -> None:
    given = trade("10", entry=D(entry) if entry else None, quantity=D(quantity))
    assert given.percent == percent


@pytest.mark.parametrize(
    ("amounts", "equity", "drawdowns"),
    [
        ((), [], []),
        (("10", "5"), [110, 115], [0, 0]),
        (("10", "-30", "5", "40"), [110, 80, 85, 125], [0, -30, -25, 0]),
        (("-10", "-5"), [90, 85], [-10, -15]),
    ],
)
def test_the_curve_and_how_far_it_is_below_its_highest(amounts, equity, drawdowns) -> None:
    curve = curve_of(changes(*amounts), D(100))
    assert [point.equity for point in curve] == equity
    assert [point.drawdown for point in curve] == drawdowns


@pytest.mark.parametrize(
    ("amounts", "start", "fall"),
    [
        ((), "100", Fall(D(0), None)),
        (("1", "2"), "100", Fall(D(0), None)),
        (("20", "-30", "5"), "100", Fall(D(-30), D(-25), START, START + timedelta(days=1))),
        (("-10",), "100", Fall(D(-10), D(-10), None, START)),
        (("-10",), "0", Fall(D(-10), None, None, START)),
    ],
)
def test_the_deepest_fall_in_usd_and_of_its_peak(amounts, start, fall) -> None:
    assert deepest_fall(curve_of(changes(*amounts), D(start))) == fall


def test_days_are_those_of_utc_and_count_what_was_realized_and_closed() -> None:
    late = Change(datetime(2026, 11, 1, 23, 59, tzinfo=UTC), D(3))
    found = days_of([trade("5"), trade("1", 2)], [*changes("5"), late])
    assert found == {date(2026, 11, 1): DayResult(D(8), 1), date(2026, 11, 3): DayResult(D(0), 1)}


@pytest.mark.parametrize(
    ("daily", "until", "expected"),
    [
        ({}, 5, None),
        ({1: "5"}, 1, None),
        ({1: "5", 2: "5"}, 2, None),
        # mean 2, deviations −1, 1 → s = √2; 2 / √2 × √365 = √730
        ({1: "1", 2: "3"}, 2, "27.018512"),
        # days without a trade count: 4, 0, 0, 0 → mean 1, s = 2; 0.5 × √365
        ({1: "4"}, 4, "9.552487"),
    ],
)
def test_sharpe_is_the_mean_of_days_over_their_deviation_times_the_root_of_a_year(
    daily, until, expected
) -> None:
    days = {date(2026, 11, day): DayResult(D(amount), 1) for day, amount in daily.items()}
    found = sharpe(days, date(2026, 11, until))
    assert (None if found is None else str(round(found, 6))) == expected


@pytest.mark.parametrize(
    ("results", "most", "bars"),
    [
        ((), 24, ()),
        (("0",), 24, (Bar(D(0), D(1), 1),)),
        (("5",), 3, (Bar(D(5), D(10), 1),)),
        (
            ("-4", "-1", "0", "3", "9"),
            4,
            (Bar(D(-5), D(0), 2), Bar(D(0), D(5), 2), Bar(D(5), D(10), 1)),
        ),
    ],
)
def test_results_are_sorted_into_round_bars_with_an_edge_at_zero(results, most, bars) -> None:
    assert distribution([D(each) for each in results], most) == bars


@pytest.mark.parametrize(
    ("least", "width"), [("1", "1"), ("1.1", "2"), ("3", "5"), ("7", "10"), ("0.03", "0.05")]
)
def test_widths_are_round(least: str, width: str) -> None:
    assert round_width(D(least)) == D(width)


def test_a_report_sums_by_pair_timeframe_and_month() -> None:
    trades = [
        trade("4", 31, symbol="ETHUSDT", timeframe="4h"),
        trade("-2", 1),
        trade("10"),
    ]
    found = report(trades, changes("10", "-2", "4"), start=D(1000), last_day=date(2026, 12, 2))
    assert [(part.name, part.tally.trades, part.tally.realized) for part in found.pairs] == [
        ("BTCUSDT", 2, D(8)),
        ("ETHUSDT", 1, D(4)),
    ]
    assert [part.name for part in found.timeframes] == ["1h", "4h"]
    assert [(part.name, part.tally.realized) for part in found.months] == [
        ("2026-11", D(8)),
        ("2026-12", D(4)),
    ]
    assert (found.start, found.realized, found.curve[-1].equity) == (D(1000), D(12), D(1012))
    assert found.sharpe is None, "three trades say nothing about how steady it is"


def test_twenty_trades_have_a_sharpe_ratio() -> None:
    trades = [trade("1", day) for day in range(20)]
    found = report(trades, changes("1", "3"), start=D(0), last_day=date(2026, 11, 20))
    assert found.sharpe is not None


def test_a_long_curve_is_thinned_but_keeps_its_end_and_its_lowest() -> None:
    curve = curve_of(changes(*["1"] * 500, "-300", *["1"] * 499), D(0))
    few = thinned(curve, 100)
    assert len(few) <= 101
    assert few[-1] == curve[-1]
    assert min(point.drawdown for point in few) == -300
    assert thinned(few, 200) is few
