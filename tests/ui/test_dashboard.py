"""The dashboard: what a person reads at a glance."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from execution_engine.domain.errors import StoreFailed
from execution_engine.domain.inputs import Pause
from execution_engine.domain.rows import AccountStatus, LegStatus, OrderStatus, World
from execution_engine.ui import theme
from execution_engine.ui.charts.axes import ValueAxis, most_values, time_label, time_steps, value_steps
from execution_engine.ui.charts.equity import steps, thinned
from execution_engine.ui.pages.dashboard import DashboardPage
from execution_engine.ui.pages.dashboard.trail import Trail
from execution_engine.ui.tables.paint import width_of
from tests.house import NOON, D
from tests.ui.house_window import WindowHouse
from tests.waiting import until


@pytest.fixture(autouse=True)
def _dark(qapp: QApplication) -> None:
    theme.apply(qapp, "dark")


@pytest.fixture
def house(tmp_path: Path) -> WindowHouse:
    return WindowHouse(tmp_path)


def page_on(house: WindowHouse, qtbot: QtBot) -> DashboardPage:
    made = DashboardPage(house.bridge)
    qtbot.addWidget(made)
    made.resize(1272, 800)
    made.show()
    return made


@pytest.fixture
def page(house: WindowHouse, qtbot: QtBot) -> DashboardPage:
    return page_on(house, qtbot)


def says(widget: QWidget) -> str:
    return " ".join(label.text() for label in widget.findChildren(QLabel) if not label.isHidden())


def row(page: DashboardPage, id: int) -> dict[str, str]:
    cells = page.model.cells(page.model.index_of(id))
    return {column.key: cell.text for column, cell in zip(page.model.columns, cells, strict=True)}


def order_of(page: DashboardPage) -> list[str]:
    return [row(page, key)["position"] for key in page.model.keys()]  # type: ignore[arg-type]  # noqa: SIM118


# -- the strip


async def test_the_pool_is_counted_and_says_when_it_is_full(tmp_path: Path, qtbot: QtBot) -> None:
    house = WindowHouse(tmp_path, {"pool.max_open_groups": 1})
    page = page_on(house, qtbot)
    assert page.strip.pool.value.text() == "0 / 1"
    house.holding()
    assert page.strip.pool.value.text() == "1 / 1"
    assert page.strip.pool.toolTip() == "Full: new keys wait in the queue"
    assert (page.strip.bar.used, page.strip.bar.size_) == (1, 1)


async def test_the_queue_says_how_long_the_longest_waits(tmp_path: Path, qtbot: QtBot) -> None:
    house = WindowHouse(tmp_path, {"pool.max_open_groups": 1})
    page = page_on(house, qtbot)
    house.full_pool()
    house.queued()
    house.clock.forward(hours=2, minutes=14)
    house.queued("SOLUSDT", "150")
    assert page.strip.queue.value.text() == "2"
    assert page.strip.queue.below.text() == "signals wait · longest 2 h 14 min"


async def test_the_risk_engine_says_how_it_stands_and_when_it_looks_again(
    house: WindowHouse, page: DashboardPage
) -> None:
    assert page.strip.chip.look.word == "On"
    house.clock.forward(seconds=28)
    page.tick()
    assert page.strip.risk.below.text() == "next in 00:32"
    house.post(Pause())
    house.show()
    assert page.strip.chip.look.word == "Paused"
    assert page.strip.risk.toolTip() == "The engine is paused: no offset is begun."


async def test_the_last_webhook_tells_when_what_and_how_it_ended(
    house: WindowHouse, page: DashboardPage
) -> None:
    assert page.strip.webhook.below.text() == "no alert yet"
    house.opened(timeframe="60")
    house.clock.forward(seconds=12)
    page.tick()
    assert page.strip.webhook.value.text() == "12 s ago"
    assert page.strip.webhook.below.text() == "BTCUSDT 1h · opened"


async def test_today_is_what_was_realized_since_midnight_utc(house: WindowHouse, page: DashboardPage) -> None:
    first = house.traded()
    await until(lambda: page.strip.today.below.text() == "realized · 1 trade", limit_s=5)
    assert page.strip.today.value.text() == f"+{first.realized:.2f}"
    house.clock.forward(hours=13)
    page.refresh()
    await until(lambda: page.equity.realized_before(house.clock.now()) == first.realized)
    page.tick()
    assert page.strip.today.value.text() == "0.00"
    await until(lambda: page.strip.today.below.text() == "realized · 0 trades", limit_s=5)


# -- results


async def test_results_are_those_of_the_closed_groups(house: WindowHouse, page: DashboardPage) -> None:
    won = house.traded()
    lost = house.holding("SOLUSDT", "150")
    house.price("SOLUSDT", "149.9")
    house.alert(symbol="SOLUSDT", market_position="flat")
    house.confirm_cancels()
    house.fill_all("exit", "149.9")
    house.show()
    page.refresh()
    await until(lambda: page.results.text("trades") == "2", limit_s=5)
    loss = house.newest(type(lost))[lost.id].realized
    results = page.results
    assert results.text("win_rate") == "50.0"
    assert results.text("average_win") == f"+{won.realized:.2f}"
    assert results.text("average_loss") == f"−{-loss:.2f}"
    assert results.text("today") == "2"
    assert results.text("realized") == f"+{won.realized + loss:.2f}"
    assert results.text("volume") != "0.00"


async def test_what_was_before_today_is_read_once_and_today_again_when_something_closes(
    house: WindowHouse, qtbot: QtBot
) -> None:
    asked: list[object] = []
    doors = house.doors()

    async def read(world: World, since: datetime | None) -> object:
        asked.append(since)
        return await doors.read_statistics(world, since)

    house.bridge.attach(replace(doors, read_statistics=read))  # type: ignore[arg-type]
    page = page_on(house, qtbot)
    page.refresh()
    await until(lambda: page.results.text("trades") == "0")
    midnight = house.clock.now().replace(hour=0)
    assert asked == [midnight, None, midnight]
    house.traded()
    await until(lambda: page.results.text("trades") == "1", limit_s=5)
    assert asked[3:] == [midnight], "the years before are not walked through again"


async def test_missing_figures_are_a_dash(house: WindowHouse, page: DashboardPage) -> None:
    await until(lambda: page.results.text("trades") == "0")
    for key in ("win_rate", "average_win", "average_loss", "profit_factor"):
        assert page.results.text(key) == "–"


async def test_unrealized_follows_the_price(house: WindowHouse, page: DashboardPage) -> None:
    house.holding()
    house.price("BTCUSDT", "64000")
    house.show()
    assert page.results.text("unrealized") == "−3.07"
    assert page.results.text("total") == "−3.07"


async def test_statistics_that_cannot_be_read_leave_the_page_standing(
    house: WindowHouse, page: DashboardPage
) -> None:
    def fail() -> None:
        raise StoreFailed("the file is gone")

    house.unreadable = fail
    page.refresh()
    await until(lambda: page._reading.failed == "the file is gone", limit_s=5)
    house.holding()
    assert page.strip.pool.value.text() == "1 / 10"


# -- open positions


async def test_positions_stand_worst_first_and_leave_when_closed(
    house: WindowHouse, page: DashboardPage
) -> None:
    house.holding("BTCUSDT", "65000", timeframe="60")
    house.holding("ETHUSDT", "3000", timeframe="240")
    house.opened("DOGEUSDT", "0.17")
    page.model.hold()
    house.price("BTCUSDT", "65100")
    house.price("ETHUSDT", "2990")
    house.show()
    page.model.release()
    page.model.sort_by("unrealized")
    assert order_of(page) == ["ETHUSDT 4h Long", "DOGEUSDT 15m Long", "BTCUSDT 1h Long"]
    assert page.positions_panel.heading.subtitle.text().startswith("3 · invested ")


async def test_a_row_says_pyramids_legs_result_and_state(house: WindowHouse, page: DashboardPage) -> None:
    group = house.holding()
    house.price("BTCUSDT", "64000")
    house.show()
    said = row(page, group.id)
    assert said["pyramids"] == "1 / 5"
    assert said["legs"] == "1 / 5"
    assert said["invested"] == "199.55"
    assert said["unrealized"] == "−3.07"
    assert said["percent"] == "−1.54\u202f%"
    assert said["status"] == "Part filled"
    tip = page.model.tooltip(page.model.index_of(group.id, 5))
    assert tip == "Unrealized = (64,000 − 65,000) × 0.00307 = −3.07 USDT"


async def test_a_group_that_never_filled_says_so(house: WindowHouse, page: DashboardPage) -> None:
    group = house.opened()
    said = row(page, group.id)
    assert (said["day"], said["invested"], said["unrealized"]) == ("no fill yet", "–", "–")
    assert said["status"] == "Live"


async def test_an_old_price_makes_the_row_grey(house: WindowHouse, page: DashboardPage) -> None:
    group = house.holding()
    house.clock.forward(seconds=42)
    page.tick()
    cell = page.model.cell(page.model.index_of(group.id, 5))
    assert cell.stale
    assert cell.token == "text3"
    assert "42 s old" in page.model.tooltip(page.model.index_of(group.id, 5))


async def test_without_positions_what_brings_one_is_offered(page: DashboardPage, qtbot: QtBot) -> None:
    assert page.table.empty.sentence == "No positions. The next alert opens the first one."
    offers = page.table.empty.findChildren(QPushButton)
    for offer, act in zip(offers, ("guide", "compose", "test_alert"), strict=True):
        with qtbot.waitSignal(page.asked) as asked:
            qtbot.mouseClick(offer, Qt.MouseButton.LeftButton)
        assert asked.args == [act]


async def test_opening_a_row_asks_for_the_positions_page(
    house: WindowHouse, page: DashboardPage, qtbot: QtBot
) -> None:
    group = house.holding()
    page.table.select(group.id)
    with qtbot.waitSignal(page.wanted) as wanted:
        qtbot.keyClick(page.table, Qt.Key.Key_Return)
    assert wanted.args == ["positions", group.id]


# -- needs attention


async def test_all_is_well_when_nothing_needs_a_look(page: DashboardPage) -> None:
    assert page.needs.titles() == []
    assert page.needs.well.text() == "All is well."
    assert page.needs.well.isVisible()


async def test_what_needs_attention_is_derived_and_goes_with_its_cause(
    house: WindowHouse, page: DashboardPage
) -> None:
    group = house.holding(timeframe="240")
    order = next(order for order in house.working if order.purpose == "entry")
    leg = house.legs()[2]
    account = house.book.accounts["paper"]
    house.bridge.released(
        (
            replace(group, hold="an error was contained"),
            replace(order, status=OrderStatus.UNKNOWN, sent_at=NOON),
            replace(leg, status=LegStatus.REJECTED, reason="insufficient balance"),
            replace(account, status=AccountStatus.HOLD, reason="the key may withdraw"),
        ),
        (),
    )
    house.post(Pause())
    house.show()
    assert page.needs.titles() == [
        "Paused",
        "Account paper is on hold",
        "BTCUSDT 4h is on hold",
        "BTCUSDT 4h: outcome is being looked up",
        "BTCUSDT 4h: 1 leg was rejected",
    ]
    assert "the key may withdraw" in says(page.needs)
    assert "insufficient balance" in says(page.needs)
    assert "Nothing is sent again until it is settled." in says(page.needs)
    house.bridge.released((group, order, leg, account), ())
    house.show()
    assert page.needs.titles() == ["Paused"]


async def test_a_cancel_that_the_exchange_refuses_is_shown_with_its_reason(
    house: WindowHouse, page: DashboardPage
) -> None:
    house.holding(timeframe="240")
    first, second = [order for order in house.working if order.purpose == "entry"][:2]
    why = "the market only takes new orders."
    refused = [
        replace(order, cancel_requested=True, cancel_at=NOON, cancels_in_vain=3, reason=why)
        for order in (first, second)
    ]
    house.bridge.released(tuple(refused[:1]), ())
    house.show()
    assert page.needs.titles() == ["BTCUSDT 4h: a cancel was not carried out"]
    shown = says(page.needs)
    assert "The entry order still rests: the market only takes new orders. It is tried again at" in shown
    house.bridge.released(tuple(refused), ())
    house.show()
    assert "2 orders still rest: the market" in says(page.needs)
    house.bridge.released(tuple(replace(order, status=OrderStatus.CANCELLED) for order in refused), ())
    house.show()
    assert page.needs.titles() == []


async def test_a_cancel_that_goes_out_again_before_the_screen_has_heard_of_it_is_no_trouble(
    house: WindowHouse, page: DashboardPage
) -> None:
    house.holding(timeframe="240")
    order = next(order for order in house.working if order.purpose == "entry")
    refused = replace(order, cancel_requested=True, cancel_at=NOON, cancels_in_vain=3)
    house.bridge.released((refused,), ())
    house.show()
    assert page.needs.titles() == ["BTCUSDT 4h: a cancel was not carried out"]
    house.bridge.released((replace(refused, cancel_at=None),), ())
    page._show_figures()  # as a reading that has just come back does, between two batches
    assert page.needs.titles() == []


async def test_old_prices_of_positions_need_attention(house: WindowHouse, page: DashboardPage) -> None:
    house.holding()
    house.clock.forward(minutes=2)
    page.tick()
    assert page.needs.titles() == ["1 price of open positions is old"]


async def test_a_thing_leads_to_its_group(house: WindowHouse, page: DashboardPage, qtbot: QtBot) -> None:
    group = house.holding()
    house.bridge.released((replace(group, hold="an error was contained"),), ())
    house.show()
    (show,) = [each for each in page.needs.findChildren(QPushButton) if each.text() == "Show"]
    with qtbot.waitSignal(page.wanted) as wanted:
        qtbot.mouseClick(show, Qt.MouseButton.LeftButton)
    assert wanted.args == ["positions", group.id]


async def test_in_a_small_window_results_have_two_columns_and_attention_is_a_bar(
    house: WindowHouse, page: DashboardPage
) -> None:
    group = house.holding()
    house.bridge.released((replace(group, hold="an error was contained"),), ())
    house.show()
    page.set_narrow(True)
    assert page.needs.isHidden()
    assert page.bar.text() == "BTCUSDT 15m is on hold"
    assert page.table.heading.isSectionHidden(3)
    assert page.table.heading.isSectionHidden(4)
    assert page.results.text("realized") == "0.00"
    page.set_narrow(False)
    assert not page.needs.isHidden()
    assert page.bar.isHidden()
    assert not page.table.heading.isSectionHidden(3)


# -- the curve


async def test_the_curve_is_a_staircase_from_what_was_realized_before(
    house: WindowHouse, page: DashboardPage
) -> None:
    assert page.equity.nothing.isVisible()
    group = house.traded()
    assert not page.equity.nothing.isVisible()
    times, results = page.equity.chart.shown()
    assert results[0] == 0
    assert results[-1] == float(group.realized)
    assert times == sorted(times)


async def test_the_span_is_chosen_by_the_user(house: WindowHouse, page: DashboardPage) -> None:
    house.traded()
    page.equity._choose(page.equity.choice.value())
    page.equity.choice.set_value("7")
    page.equity._choose("7")
    times, _ = page.equity.chart.shown()
    assert round((times[-1] - times[0]) / 86_400) == 7
    assert "since 13 Nov" in page.equity.heading.subtitle.text()


def test_a_staircase_holds_a_result_until_the_next() -> None:
    assert steps([0, 1, 2], [0, 5, 7]) == ([0, 1, 1, 2, 2], [0, 0, 5, 5, 7])


def test_many_points_are_thinned_to_what_each_stretch_ended_with() -> None:
    times, results = thinned([float(each) for each in range(20_000)], [float(each) for each in range(20_000)])
    assert len(times) <= 1500
    assert (times[-1], results[-1]) == (19_999.0, 19_999.0)


def test_axes_have_round_labels() -> None:
    assert [most_values(height) for height in (40, 90, 190, 400)] == [2, 3, 3, 6]
    assert value_steps(-3.0, 15.0, 4) == [0, 5, 10, 15]
    assert value_steps(-120, 1600, 4) == [0, 500, 1000, 1500]
    step, moments = time_steps(NOON.timestamp(), NOON.timestamp() + 3600, 5)
    assert step == 900
    assert len(moments) == 5
    assert time_label(NOON.replace(hour=0, minute=30).timestamp(), 1800).endswith("30")


# -- the small line


def test_a_trail_keeps_sixty_points_of_a_day_and_its_newest_price() -> None:
    trail = Trail()
    for second in range(0, 30 * 3600, 2):
        trail.add(NOON + timedelta(seconds=second), Decimal(second))
    assert 20 <= len(trail.prices) <= 60
    assert trail.prices[0] >= 6 * 3600 - 3600
    assert trail.prices == tuple(sorted(trail.prices))


def test_a_trail_takes_no_point_within_its_spacing() -> None:
    trail = Trail()
    assert trail.add(NOON, D(1))
    assert not trail.add(NOON + timedelta(seconds=1), D(2))
    assert trail.add(NOON + timedelta(seconds=2), D(3))
    assert trail.prices == (D(1), D(3))


def test_the_axis_is_as_wide_as_its_tag(qapp: QApplication) -> None:
    axis = ValueAxis(str)
    usual = axis.maximumWidth()
    axis.show_tag(12_345_678.0, "+12,345,678")
    assert axis.minimumWidth() > width_of("+12,345,678", "caption", 700) > usual
    axis.show_tag(None)
    assert axis.maximumWidth() == usual
