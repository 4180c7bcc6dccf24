"""The preview: how the legs lie at a price, for a market of one's choice."""

from __future__ import annotations

from decimal import Decimal

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from execution_engine.domain import grid as grids
from execution_engine.domain.errors import FieldFault
from execution_engine.domain.exposure import worst_case
from execution_engine.domain.instrument import Instrument, Market, Side
from execution_engine.domain.money import ONE
from execution_engine.domain.settings import PyramidCapital, Settings
from execution_engine.ui.bridge import Bridge
from execution_engine.ui.charts.grid_preview import GridPreview
from execution_engine.ui.pages.settings.editors import NumberEdit
from execution_engine.ui.pages.settings.profiles import ProfileBook
from execution_engine.ui.pages.test_alert import symbol_field
from execution_engine.ui.theme import px, restyle
from execution_engine.ui.tongue import tr, translated
from execution_engine.ui.widgets import Label, Panel, SegmentedChoice

FIRST, FIRST_PRICE = "BTCUSDT", Decimal(65000)


class PreviewPanel(Panel):
    """Draw the legs of the profile that is looked at. laid: the legs were computed anew."""

    laid = Signal()

    def __init__(self, book: ProfileBook, bridge: Bridge) -> None:
        """Take the profiles, and the bridge that knows markets and prices."""
        super().__init__(tr("Preview"))
        self._book, self._bridge = book, bridge
        self.legs: tuple[grids.GridLeg, ...] = ()
        self.instrument: Instrument | None = None
        self.fault = ""
        names = [name for exchange, name in bridge.doors.catalogue.instruments if exchange == "binance"]
        self.symbol = symbol_field(names, tr("Market of the preview"), FIRST)
        self.symbol.setProperty("dense", "true")
        self.symbol.setFixedWidth(px(120))
        self.base = NumberEdit()
        self.base.setProperty("dense", "true")
        self.base.setFixedWidth(px(96))
        self.base.setAccessibleName(tr("Base price of the preview"))
        self.side = SegmentedChoice(
            [("long", tr("Long")), ("short", tr("Short"))], name=tr("Side of the preview")
        )
        self.chart = GridPreview()
        for each in (
            Label(tr("with"), "small", "text3"),
            self.symbol,
            Label(tr("base"), "small", "text3"),
            self.base,
            self.side,
        ):
            self.add_right(each)
        self.add(self.chart, 1)
        self.setMinimumHeight(px(260))
        self.symbol.textChanged.connect(lambda _: self._symbol_changed())
        self.base.edited.connect(lambda _: self.refresh())
        self.side.chosen.connect(lambda _: self.refresh())
        book.chosen.connect(self.refresh)
        book.sheet.changed.connect(self.refresh)
        self._take_price()

    def _symbol_changed(self) -> None:
        if isinstance(self._found(), Instrument):
            self._take_price()
        self.refresh()

    def _take_price(self) -> None:
        """Begin with the market's newest price."""
        found = self._found()
        quote = self._bridge.prices.get(found.key) if isinstance(found, Instrument) else None
        self.base.show_number(quote.last if quote is not None else FIRST_PRICE)

    def _found(self) -> Instrument | FieldFault:
        typed = self.symbol.text().strip()
        exchange, _, name = typed.rpartition(":")
        return self._bridge.doors.catalogue.find(exchange or "binance", name or FIRST)

    def refresh(self) -> None:
        """Lay the grid anew."""
        found, base = self._found(), self.base.read()
        settings = self._book.sheet.settings or self._book.sheet.base
        self._mark(self.symbol, bad=not isinstance(found, Instrument))
        self._mark(self.base, bad=not isinstance(base, Decimal) or base <= 0)
        capital, leverage = spending(settings)
        self.legs, self.instrument, self.fault = (), None, ""
        if isinstance(found, Instrument) and isinstance(base, Decimal) and base > 0:
            self.instrument = found
            side = Side(self.side.value())
            lever = leverage if found.market is Market.SWAP else ONE
            self.legs = grids.legs(self._book.layers(), base, side, capital, found, lever)
            wrong = grids.fault(self.legs, found, settings.capital.max_order_usd)
            self.fault = translated(wrong.message) if wrong is not None else ""
            self.chart.show_legs(self.legs, found, base)
        else:
            self.fault = (
                translated(found.message)
                if isinstance(found, FieldFault)
                else tr("enter a base price above 0")
            )
            self.chart.show_legs((), None, Decimal(0))
        self.laid.emit()

    @staticmethod
    def _mark(field: QWidget, *, bad: bool) -> None:
        if (field.property("bad") == "true") != bad:
            restyle(field, bad="true" if bad else "false")


def spending(settings: Settings) -> tuple[Decimal, Decimal]:
    """Return what one pyramid spends [USD], and the highest leverage of any account."""
    capital = settings.group_capital()
    if settings.capital.pyramid_capital is PyramidCapital.SPLIT:
        capital /= settings.pool.max_pyramids
    return capital, worst_case(settings).leverage
