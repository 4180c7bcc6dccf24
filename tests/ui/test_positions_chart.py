"""The chart of a position: what is drawn, what is written beside it, what is left out."""

from __future__ import annotations

from datetime import timedelta
from time import process_time

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from execution_engine.domain.inputs import Price
from execution_engine.domain.rows import Group
from execution_engine.ui import theme
from execution_engine.ui.charts.position import PositionChart
from execution_engine.ui.charts.position_axes import TimeAxis, round_values
from execution_engine.ui.charts.position_candles import Candle, are_enough, candles, step_for
from execution_engine.ui.charts.position_drawing import thinned
from execution_engine.ui.charts.position_marks import Line, Mark, Marks, marks_of
from execution_engine.ui.charts.position_prices import Trail, Trails
from execution_engine.ui.theme import color
from tests.house import NOON, D, House, spot
from tests.ui.house_bridge import WatchedHouse


@pytest.fixture(autouse=True)
def _dark(qapp: QApplication) -> None:
    theme.apply(qapp, "dark")


def price(last: str, seconds: float = 0) -> Price:
    return Price(exchange="binance", symbol="BTCUSDT", last=D(last), at=NOON + timedelta(seconds=seconds))


def opened(house: House, **fields: object) -> Group:
    house.price("BTCUSDT", "65000")
    house.alert(symbol="BTCUSDT", entry_price="65000", **fields)
    house.accept()
    return house.group


def marks(house: WatchedHouse) -> Marks:
    group = house.group
    return marks_of(
        group, house.book.pyramids, house.legs(), house.book.orders, house.fills_of(group.id), spot()
    )


def drawn(found: Marks) -> set[tuple[float, str, str, str]]:
    return {(line.price, line.token, line.dash, line.label) for line in found.lines if not line.short}


def fill(house: House, leg: int, quantity: str | None = None) -> None:
    id = house.legs()[leg].id
    house.fill(next(o for o in house.working if o.leg_id == id), quantity=quantity)


def test_open_legs_are_dashed_and_named_by_pyramid_and_leg() -> None:
    house = WatchedHouse()
    opened(house)
    assert drawn(marks(house)) >= {
        (65000.0, "accent", "dashed", "P1·0"),
        (62400.0, "accent", "dashed", "P1·4"),
    }
    assert not marks(house).fills


def test_a_part_filled_leg_is_solid_and_has_a_target_a_fill_and_a_tick() -> None:
    house = WatchedHouse()
    opened(house)
    fill(house, 0, "0.001")
    found = marks(house)
    assert (65000.0, "accent", "solid", "P1·0") in drawn(found)
    assert (65650.0, "profit", "dotted", "") in drawn(found)
    assert [(mark.price, mark.shape) for mark in found.fills] == [(65000.0, "triangle")]
    assert [line.price for line in found.lines if line.short] == [65000.0]


def test_the_average_entry_has_a_tag_on_the_axis() -> None:
    house = WatchedHouse()
    opened(house)
    fill(house, 0)
    (line,) = [line for line in marks(house).lines if line.tag]
    assert (line.price, line.label, line.tag) == (65000.0, "Average entry", "65,000.00")


def test_a_common_target_stands_instead_of_those_of_legs() -> None:
    house = WatchedHouse()
    opened(house, tp_mode="aggregate")
    fill(house, 0)
    assert [line.label for line in marks(house).lines if line.token == "profit"] == ["Group target"]


def test_a_short_is_filled_from_above() -> None:
    house = WatchedHouse()
    house.balance("paper-perp")
    house.price("BTCUSDT.P", "65000")
    house.alert(symbol="BTCUSDT.P", action="sell", entry_price="65000")
    house.accept()
    fill(house, 0)
    assert [mark.shape for mark in marks(house).fills] == ["triangle_down"]


def test_a_close_is_a_square_with_what_it_earned() -> None:
    house = WatchedHouse()
    opened(house)
    fill(house, 0)
    house.price("BTCUSDT", "65650")
    house.fill_all("take_profit", "65660")
    square = next(mark for mark in marks(house).fills if mark.shape == "square")
    assert (square.price, square.label, square.token) == (65660.0, "+2.03", "profit")


def test_a_trail_never_outgrows_its_bounds_and_still_begins_at_the_beginning() -> None:
    trail = Trail(most=64, gap_s=1)
    for second in range(10_000):
        trail.add(price(str(65000 + second), second))
    assert len(trail.times) <= 64
    assert trail.times[0] == NOON.timestamp()
    assert trail.prices[-1] == 74999
    assert list(trail.times) == sorted(trail.times)


def test_prices_that_follow_at_once_replace_one_another() -> None:
    trail = Trail()
    for millisecond in range(100):
        trail.add(price(str(65000 + millisecond), millisecond / 1000))
    assert len(trail.times) == 2
    assert trail.prices[-1] == 65099


def test_every_market_has_its_own_trail() -> None:
    trails = Trails()
    trails.add(price("65000"))
    assert len(trails.of(("binance", "BTCUSDT")).times) == 1
    assert not trails.of(("binance", "ETHUSDT")).times


def test_a_thinned_line_keeps_its_peaks_and_its_end() -> None:
    x = np.arange(10_000, dtype=float)
    y = np.sin(x / 50)
    y[5_003] = 9.0
    few_x, few_y = thinned(x, y, 500)
    assert len(few_x) == len(few_y) <= 1_001
    assert few_y.max() == 9.0
    assert (few_x[-1], few_y[-1]) == (x[-1], y[-1])


@pytest.mark.parametrize(
    ("low", "high", "places", "step"), [(63000, 65500, 2, 500.0), (0.17, 0.18, 5, 0.002), (99, 101, 0, 1.0)]
)
def test_prices_on_the_axis_are_round(low: float, high: float, places: int, step: float) -> None:
    found, values = round_values(low, high, 300, places)
    assert found == pytest.approx(step)
    assert all(low <= value <= high for value in values)


def test_times_on_the_axis_say_the_day_where_it_changes(qapp: QApplication) -> None:
    axis = TimeAxis()
    day = NOON.timestamp()
    ((step, values),) = axis.tickValues(day, day + 36 * 3600, 1000)
    texts = axis.tickStrings(values, 1, step)
    assert step == 14400
    assert "20 Nov" in texts[0]
    assert sum("Nov" in text for text in texts) in (2, 3)


@pytest.fixture
def chart(qtbot: QtBot) -> PositionChart:
    made = PositionChart()
    qtbot.addWidget(made)
    made.resize(900, 300)
    made.show()
    return made


def show(chart: PositionChart, house: WatchedHouse, last: str = "64900") -> None:
    trail = Trail()
    for second in range(0, 3600, 10):
        trail.add(price(str(64900 + second % 90), second))
    chart.show_position("BTCUSDT 15m", marks(house), trail, 2)
    chart.show_price(D(last), NOON.timestamp() + 3600)
    chart.grab()


def test_labels_that_would_collide_are_left_out(chart: PositionChart) -> None:
    house = WatchedHouse()
    opened(house)
    show(chart, house)
    assert "P1·0" in chart.labels
    chart.resize(900, 90)
    chart.grab()
    # Five legs don't fit into forty pixels; none is written over another.
    assert 0 < len(chart.labels) < 5


def test_results_that_would_lie_on_one_another_are_written_once(chart: PositionChart) -> None:
    at, since = NOON.timestamp() + 60, NOON.timestamp()
    squares = [Mark(at + n, 65000.0, "square", "profit", f"+{n}.00") for n in range(3)]
    chart.show_position("BTCUSDT 15m", Marks(since, (), tuple(squares), (64000.0, 66000.0)), Trail(), 2)
    chart.show_price(D("65000"), since + 3600)
    chart.grab()
    assert chart.labels == ["+0.00"]


def test_no_line_runs_through_the_label_of_another(chart: PositionChart) -> None:
    start = NOON.timestamp()
    lines = (
        Line(65000.0, start, "accent", "dashed", "P1·0"),
        Line(65000.0, start, "loss", "solid"),
    )
    chart.show_position("BTCUSDT 15m", Marks(start, lines, (), (64000.0, 66000.0)), Trail(), 2)
    chart.show_price(D("64500"), start + 3600)
    image = chart.grab().toImage()
    right = {"accent": 0, "loss": 0}
    for token in right:
        wanted = color(token).name()
        for x in range(image.width()):
            if any(image.pixelColor(x, y).name() == wanted for y in range(image.height())):
                right[token] = x
    # The letters of the label are beyond the end of the line.
    assert 0 < right["loss"] < right["accent"]


def test_the_last_price_and_the_average_are_tagged_and_the_price_wins(chart: PositionChart) -> None:
    house = WatchedHouse()
    opened(house)
    fill(house, 0)
    show(chart, house)
    assert [tag.text for tag in chart.prices.tags] == ["64,900.00", "65,000.00"]


def test_a_double_click_shows_everything_again(chart: PositionChart, qtbot: QtBot) -> None:
    house = WatchedHouse()
    opened(house)
    show(chart, house)
    box = chart.drawing.parentItem()
    (left, right), _ = box.viewRange()
    middle = chart._plot.viewport().rect().center()
    wheel = QWheelEvent(
        QPointF(middle),
        QPointF(chart._plot.viewport().mapToGlobal(middle)),
        QPoint(),
        QPoint(0, 240),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(chart._plot.viewport(), wheel)
    (near_left, near_right), _ = box.viewRange()
    assert near_right - near_left < right - left
    chart.show_price(D("64950"), NOON.timestamp() + 3700)
    assert box.viewRange()[0] == [near_left, near_right]
    chart.follow()
    assert box.viewRange()[0][1] > right


def test_without_a_position_it_says_what_to_do(chart: PositionChart) -> None:
    assert chart.sentence.text() == "Select a position to see its chart."
    house = WatchedHouse()
    opened(house)
    show(chart, house)
    assert not chart.sentence.isVisible()
    assert chart.accessibleName() == "Chart of BTCUSDT 15m"


def test_both_themes_paint_it(chart: PositionChart, qapp: QApplication) -> None:
    house = WatchedHouse()
    opened(house)
    fill(house, 0)
    show(chart, house)
    dark = chart.grab().toImage()
    theme.apply(qapp, "light")
    light = chart.grab().toImage()
    assert dark.pixelColor(5, 5) == theme.QColor(theme.DARK.panel)
    assert light.pixelColor(5, 5) == theme.QColor(theme.LIGHT.panel)


def test_a_price_that_jumps_to_and_fro_is_painted_at_once(chart: PositionChart) -> None:
    trail = Trail()
    for number in range(4000):
        trail.add(price(str(64000 + number * 7919 % 2000), number))
    chart.show_position("BTCUSDT 15m", Marks(NOON.timestamp()), trail, 2)
    chart.show_price(D("65000"), NOON.timestamp() + 4000)
    chart.grab()
    began = process_time()
    chart.grab()
    # Ten milliseconds; as one path that crosses itself it took seven hundred.
    assert process_time() - began < 0.2


def test_the_view_reaches_over_the_prices_in_sight(chart: PositionChart) -> None:
    since = NOON.timestamp()
    trail = Trail()
    for second, last in ((-600, "90000"), (10, "64000"), (20, "66000"), (30, "65000")):
        trail.add(price(last, second))
    chart.show_position("BTCUSDT 15m", Marks(since), trail, 2)
    chart.show_price(D("65000"), since + 60)
    _, (low, high) = chart.drawing.parentItem().viewRange()
    assert 63_000 < low < 64_000
    assert 66_000 < high < 67_000
    assert trail.reach(since + 11, since + 25) == [66000.0, 66000.0]
    assert trail.reach(since + 31, since + 60) == []


def test_the_view_follows_the_time_pixel_by_pixel(chart: PositionChart) -> None:
    house = WatchedHouse()
    opened(house)
    show(chart, house)
    box = chart.drawing.parentItem()
    before = box.viewRange()[0]
    chart.show_price(D("64900"), NOON.timestamp() + 3600.5)
    assert box.viewRange()[0] == before
    chart.show_price(D("64900"), NOON.timestamp() + 3610)
    assert box.viewRange()[0][1] > before[1]


# -- candles


def test_candles_open_close_and_reach_from_lowest_to_highest() -> None:
    times, prices = [0, 10, 50, 60, 70, 185], [5.0, 9.0, 7.0, 7.0, 3.0, 4.0]
    assert candles(times, prices, 60) == [
        Candle(0, 5, 9, 5, 7),
        Candle(60, 7, 7, 3, 3),
        Candle(180, 4, 4, 4, 4),
    ]
    assert candles([], [], 60) == []


@pytest.mark.parametrize(
    ("seconds_per_px", "step"), [(0.1, 1), (1, 15), (6, 60), (500, 14_400), (1e9, 604_800)]
)
def test_a_candle_lasts_a_round_time_and_is_wide_enough(seconds_per_px: float, step: int) -> None:
    assert step_for(seconds_per_px) == step


def test_few_prices_make_no_candles() -> None:
    some = [Candle(n, 1, 1, 1, 1) for n in range(10)]
    assert are_enough(some, 30)
    assert not are_enough(some, 29)
    assert not are_enough(some[:4], 1000)


def chart_of(qtbot: QtBot, house: WatchedHouse, prices: int) -> PositionChart:
    """Show a position whose price moved every second, first up, then down."""
    opened(house)
    fill(house, 0)
    trail = Trail()
    for second in range(prices):
        trail.add(price(str(65000 + (second if second < prices / 2 else prices - second)), second))
    chart = PositionChart()
    qtbot.addWidget(chart)
    chart.resize(900, 400)
    chart.show_position("BTCUSDT 15m", marks(house), trail, 2)
    chart.show_price(D("65000"), NOON.timestamp() + prices)
    return chart


def test_prices_are_drawn_as_candles_where_there_are_enough_else_as_a_line(qtbot: QtBot) -> None:
    chart = chart_of(qtbot, WatchedHouse(), 600)
    chart.grab()
    area = chart.drawing.boundingRect()
    assert chart.drawing.candles(area) is None, "a line is wanted"
    line = chart.grab().toImage()
    chart.show_candles(True)
    found = chart.drawing.candles(area)
    assert found is not None
    assert len(found[0]) > 20
    assert chart.grab().toImage() != line
    chart.drawing.trail = Trail()
    for second in range(0, 600, 30):
        chart.drawing.trail.add(price("65000", second))
    assert chart.drawing.candles(area) is None, "too few prices"


def test_the_pointer_reads_out_time_price_distance_and_the_fill_under_it(qtbot: QtBot) -> None:
    chart = chart_of(qtbot, WatchedHouse(), 600)
    chart.grab()
    drawing = chart.drawing
    place = drawing._placing(drawing.boundingRect())
    chart.point_at(drawing.mapToScene(place(NOON.timestamp() + 100, 65_050)))
    chart.grab()
    assert drawing.readout.endswith(" from the average entry · price then 65,100.00")
    assert "+0.0" in drawing.readout
    chart.point_at(drawing.mapToScene(place(NOON.timestamp(), 65_000)))
    chart.grab()
    assert drawing.readout.endswith("bought 0.00307 BTC at 65,000.00")
    chart.point_at(None)
    chart.grab()
    assert drawing.readout == ""


def test_a_close_says_what_it_sold_and_earned_and_pyramids_are_marked() -> None:
    house = WatchedHouse()
    opened(house)
    fill(house, 0)
    house.price("BTCUSDT", "65650")
    house.fill_all("take_profit", "65660")
    found = marks(house)
    assert [mark.words for mark in found.fills if mark.shape == "square"] == [
        "sold 0.00307 BTC at 65,660.00, realized +2.03 USD"
    ]
    assert [name for _, name in found.pyramids] == ["P1"]
