"""What one alert does with given settings, in four short texts side by side."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from execution_engine.domain import grid as grids
from execution_engine.domain.errors import FieldFault
from execution_engine.domain.instrument import Instrument, Side
from execution_engine.domain.money import ZERO
from execution_engine.domain.rows import OrderType
from execution_engine.domain.settings import GridLayer, PyramidCapital, Settings
from execution_engine.domain.signal import TakeProfitMode
from execution_engine.ui.bridge import Bridge
from execution_engine.ui.format import GAP, counted, exact, price, usd
from execution_engine.ui.theme import px
from execution_engine.ui.tongue import tr
from execution_engine.ui.widgets import Label

EXAMPLE, EXAMPLE_PRICE, EXAMPLE_TIME = ("binance", "BTCUSDT"), Decimal(65000), "1h"


class OutcomeStrip(QWidget):
    """Show alert, orders, money and targets of an example."""

    def __init__(self, bridge: Bridge) -> None:
        """Take the bridge that knows the example's market and price."""
        super().__init__()
        self._bridge = bridge
        self.setAccessibleName(tr("What one alert does"))
        frame = QFrame()
        frame.setProperty("panel", "true")
        row = QHBoxLayout(frame)
        row.setContentsMargins(1, 1, 1, 1)
        row.setSpacing(0)
        self._cells: list[tuple[Label, Label]] = []
        for place in range(4):
            cell = QFrame()
            if place < 3:
                cell.setProperty("cell", "divided")
            column = QVBoxLayout(cell)
            column.setContentsMargins(px(14), px(10), px(10), px(10))
            column.setSpacing(px(3))
            texts = (Label("", "body", "text", weight=600, wrap=True), Label("", "small", "text2", wrap=True))
            for text in texts:
                column.addWidget(text)
            column.addStretch(1)
            self._cells.append(texts)
            row.addWidget(cell, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, px(8), 0, 0)
        column.setSpacing(px(8))
        column.addWidget(Label(tr("What one alert does"), "body", "text", weight=600))
        column.addWidget(frame)

    def show_settings(self, settings: Settings) -> None:
        """Compute the example anew."""
        found = self._bridge.doors.catalogue.find(*EXAMPLE)
        self.setVisible(not isinstance(found, FieldFault))
        if isinstance(found, FieldFault):
            return
        quote = self._bridge.prices.get(found.key)
        told = told_of(settings, found, quote.last if quote is not None else EXAMPLE_PRICE)
        for (title, below), (first, second) in zip(self._cells, told, strict=True):
            title.show_text(first)
            below.show_text(second)

    def text(self) -> str:
        """Return everything it says."""
        return " · ".join(f"{title.text()}: {below.text()}" for title, below in self._cells)


def told_of(settings: Settings, instrument: Instrument, base: Decimal) -> list[tuple[str, str]]:
    """Return a title and a line for each of the four."""
    name = settings.grid.profile_for(instrument.exchange, instrument.symbol, EXAMPLE_TIME)
    layers = settings.grid.profiles[name]
    capital = settings.group_capital()
    if settings.capital.pyramid_capital is PyramidCapital.SPLIT:
        capital /= settings.pool.max_pyramids
    legs = grids.legs([layer.layer() for layer in layers], base, Side.LONG, capital, instrument)
    limits = [leg.price for leg in legs]
    span = price(limits[0], instrument.tick)
    if len(limits) > 1:
        span += tr(" down to {limits}").format(limits=price(limits[-1], instrument.tick))
    at_market = settings.grid.first_leg is OrderType.MARKET
    count = counted(len(legs) - at_market, tr("buy limit"), tr("buy limits"))
    spent = sum((leg.notional for leg in legs), ZERO)
    return [
        (
            tr("Alert"),
            tr("{symbol} {example_time}, long, {base}").format(
                symbol=instrument.symbol, example_time=EXAMPLE_TIME, base=price(base, instrument.tick)
            ),
        ),
        (tr("1 at market, {count}").format(count=count) if at_market else count, span),
        (
            tr("{amount} {quote} at most").format(amount=usd(spent), quote=instrument.quote),
            tr("of {amount} per pyramid").format(amount=usd(capital)),
        ),
        (tr("Targets"), _targets(settings, layers)),
    ]


def _targets(settings: Settings, layers: Sequence[GridLayer]) -> str:
    whole = tr("+{aggregate_percent}{gap}% over the average entry").format(
        aggregate_percent=exact(settings.take_profit.aggregate_percent), gap=GAP
    )
    if settings.take_profit.mode is TakeProfitMode.AGGREGATE:
        return whole
    first, *rest = [layer.tp_percent for layer in layers]
    if not rest or set(rest) == {first}:
        words = tr("+{first}{gap}% on each leg").format(first=exact(first), gap=GAP)
    elif len(set(rest)) == 1:
        words = tr("+{first}{gap}% on leg 0, +{rest}{gap}% on the others").format(
            first=exact(first), gap=GAP, rest=exact(rest[0])
        )
    else:
        words = tr("+{first} to +{first_2}{gap}% by leg").format(
            first=exact(min(first, *rest)), first_2=exact(max(first, *rest)), gap=GAP
        )
    return (
        tr("{words}, or {whole}").format(words=words, whole=whole)
        if settings.take_profit.mode is TakeProfitMode.HYBRID
        else words
    )
