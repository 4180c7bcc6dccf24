"""The paper exchange: where its prices come from, moving them by hand, and what its accounts have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from execution_engine.domain import document as documents
from execution_engine.domain.errors import Refusal, SettingsError
from execution_engine.domain.inputs import Answer, Price, SaveSettings
from execution_engine.domain.instrument import Instrument
from execution_engine.domain.money import HUNDRED, text
from execution_engine.domain.rows import Mode
from execution_engine.ui.bridge import Batch, Bridge
from execution_engine.ui.format import MINUS, age, exact, fine_age, number, places_of, price, raw, visible
from execution_engine.ui.holdings import is_old
from execution_engine.ui.pages.test_alert import symbol_field
from execution_engine.ui.tables import Cell, Column, Number, TableModel, TableView
from execution_engine.ui.theme import Token, px
from execution_engine.ui.tongue import later, tr, translated
from execution_engine.ui.widgets import Label, NumberField, Panel, SegmentedChoice, button

NUDGES = (Decimal("-1"), Decimal("-0.1"), Decimal("0.1"), Decimal("1"))
FEEDS = (("auto", tr("Auto")), ("live", tr("Live")), ("synthetic", tr("Synthetic")), ("manual", tr("Manual")))
FEED_WORDS = {
    "auto": tr("It is being found out whether live prices can be had."),
    "live": tr("Prices of the real exchanges; lost ones get old."),
    "synthetic": tr("Prices move by themselves, from a seed; no exchange is contacted."),
    "manual": tr("Prices stand still until you, or POST /paper/price, move them."),
    "none": tr("There are no prices: choose one of these."),
}
EXCHANGES = ("binance", "bybit", "okx", "kucoin")


@dataclass(frozen=True, slots=True)
class Known:
    """A market with a price."""

    price: Price
    instrument: Instrument | None
    age: str
    old: bool


@dataclass(frozen=True, slots=True)
class Purse:
    """What an account has free of one currency."""

    account: str
    currency: str
    free: Decimal


class PaperPanel(QWidget):
    """Control the paper exchange."""

    title = tr("Paper exchange")

    def __init__(self, bridge: Bridge) -> None:
        """Show what the bridge holds."""
        super().__init__()
        self._bridge = bridge
        self.feed = SegmentedChoice(FEEDS, name=tr("Source of prices"), small=False)
        self.feed_said = Label("", "small", "text2", wrap=True)
        self.symbol = symbol_field((name for _, name in bridge.doors.catalogue.instruments), tr("Symbol"))
        self.price = NumberField(name=tr("Price"), minimum=Decimal(0), unit="USDT")
        self.set = button(tr("Set price"), "primary")
        self.nudges = [button(_percent_text(each), small=True) for each in NUDGES]
        self.said = Label("", "small", "text2", wrap=True)
        self.prices: TableModel[Known] = TableModel(
            _PRICES,
            key=lambda known: known.price.key,
            default_sort=lambda known: (known.price.symbol, known.price.exchange),
        )
        self.balances: TableModel[Purse] = TableModel(
            _BALANCES,
            key=lambda purse: (purse.account, purse.currency),
            default_sort=lambda purse: (purse.account, not purse.currency.startswith("USD"), purse.currency),
        )
        self._lay_out()
        self._listen()
        self._changed(Batch(whole=True))

    # -- how it is built

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(px(16), px(14), px(16), px(14))
        column.setSpacing(px(12))
        column.addWidget(self._feed_panel())
        column.addWidget(self._price_panel(), 3)
        column.addWidget(self._balance_panel(), 2)

    def _feed_panel(self) -> Panel:
        panel = Panel(tr("Prices come from"))
        inside = _padded()
        inside.addWidget(self.feed)
        inside.addWidget(self.feed_said)
        panel.add(inside)
        return panel

    def _price_panel(self) -> Panel:
        panel = Panel(tr("Move a price"))
        inside = _padded()
        row = QHBoxLayout()
        row.setSpacing(px(8))
        row.addWidget(self.symbol, 3)
        row.addWidget(self.price, 3)
        row.addWidget(self.set)
        inside.addLayout(row)
        nudging = QHBoxLayout()
        nudging.setSpacing(px(6))
        for nudge, each in zip(NUDGES, self.nudges, strict=True):
            each.setAccessibleName(tr("Move the price by {nudge} %").format(nudge=nudge))
            nudging.addWidget(each)
        nudging.addWidget(self.said, 1)
        inside.addLayout(nudging)
        panel.add(inside)
        self.table = TableView(self.prices, {"price": Number(8)}, name=tr("Known prices"))
        self.table.set_empty(tr("No prices yet. Choose a symbol and set its price."))
        panel.add(self.table, 1)
        return panel

    def _balance_panel(self) -> Panel:
        panel = Panel(tr("Balances"), tr("free, after open orders"))
        table = TableView(self.balances, {"free": Number(8)}, name=tr("Balances"))
        table.set_empty(tr("No paper account was read yet."))
        panel.add(table, 1)
        return panel

    def _listen(self) -> None:
        self.feed.chosen.connect(self._choose_feed)
        self.set.clicked.connect(self._set)
        self.price.returnPressed.connect(self._set)
        self.symbol.textChanged.connect(lambda _: self._symbol_changed())
        for nudge, each in zip(NUDGES, self.nudges, strict=True):
            each.clicked.connect(lambda _=False, by=nudge: self._nudge(by))
        self.table.current_changed.connect(self._market_chosen)
        self._bridge.changed.connect(self._changed)

    # -- what happens

    def _changed(self, batch: Batch) -> None:
        if not (self.isVisible() or batch.whole):
            return
        if batch.whole or batch.markets:
            self._show_prices()
        if batch.whole or batch.balances or batch.accounts:
            self._show_balances()
        if batch.whole or batch.settings:
            self._show_feed()

    def tick(self) -> None:
        """Show everything anew; called each second while it is to be seen."""
        self._show_prices()
        self._show_balances()
        self._show_feed()

    def _show_prices(self) -> None:
        now = self._bridge.doors.now()
        catalogue = self._bridge.doors.catalogue
        self.prices.replace(
            Known(each, catalogue.get(*each.key), _age_text(each, now), is_old(each, now))
            for each in self._bridge.prices.values()
        )
        self._enable()

    def _show_balances(self) -> None:
        paper = {name for name, account in self._bridge.accounts.items() if account.mode is Mode.PAPER}
        self.balances.replace(
            Purse(name, currency, free)
            for name, all_free in self._bridge.balances.items()
            if name in paper
            for currency, free in all_free.items()
        )

    def _show_feed(self) -> None:
        doors = self._bridge.doors
        name, asked = doors.feed_name(), doors.settings().paper.feed.value
        by_itself = asked == "auto" and name in ("auto", "live", "synthetic")
        self.feed.set_value(asked if by_itself else name)
        words = FEED_WORDS.get(name, tr("Prices come from the {name} feed.").format(name=name))
        if by_itself and name != "auto":
            words += tr(" Chosen automatically.")
        elif asked not in (name, "auto") and name != "none":
            words += tr(" This run was started with --paper-feed {name}; the setting says {asked}.").format(
                name=name, asked=asked
            )
        self.feed_said.show_text(words)
        self._enable()

    def _enable(self) -> None:
        by_hand = self._bridge.doors.feed_name() == "manual"
        known = self._price_of(self._chosen()) is not None
        self.set.setEnabled(by_hand and bool(self._chosen()))
        self.price.setEnabled(by_hand)
        for each in self.nudges:
            each.setEnabled(by_hand and known)

    def _choose_feed(self, name: str) -> None:
        try:
            settings = documents.with_value(self._bridge.doors.settings(), "paper.feed", name)
        except SettingsError as error:
            self._say(str(error), "danger")
            return
        wish = SaveSettings(document=documents.dump(settings), note=later("source of paper prices"))

        def done(reply: Answer | Refusal) -> None:
            if isinstance(reply, Refusal):
                self._say(visible(translated(reply.message), 300), "danger")
            self._show_feed()

        self._bridge.wish(wish, done)

    def _chosen(self) -> str:
        return self.symbol.text().strip().upper()

    def _market_chosen(self, key: object) -> None:
        if isinstance(key, tuple):
            self.symbol.setText(f"{key[0].upper()}:{key[1]}")

    def _symbol_changed(self) -> None:
        found = self._price_of(self._chosen())
        instrument = self._instrument(self._chosen())
        if instrument is not None:
            self.price.set_unit(instrument.quote)
            self.price.step = instrument.tick
        if found is not None:
            self.price.set_value(found.last)
        self._say("")
        self._enable()

    def _price_of(self, symbol: str) -> Price | None:
        exchange, _, name = symbol.rpartition(":")
        wanted = (exchange.lower(),) if exchange else EXCHANGES
        found = (self._bridge.prices.get((each, name)) for each in wanted)
        return next((each for each in found if each is not None), None)

    def _instrument(self, symbol: str) -> Instrument | None:
        exchange, _, name = symbol.rpartition(":")
        wanted = (exchange.lower(),) if exchange else EXCHANGES
        found = (self._bridge.doors.catalogue.get(each, name) for each in wanted)
        return next((each for each in found if each is not None), None)

    def _nudge(self, percent: Decimal) -> None:
        """Move the chosen market by a percentage, to its tick."""
        found, instrument = self._price_of(self._chosen()), self._instrument(self._chosen())
        if found is None:
            return
        moved = found.last * (HUNDRED + percent) / HUNDRED
        tick = instrument.tick if instrument else Decimal("0.01")
        to_tick = (moved / tick).quantize(Decimal(1), ROUND_HALF_UP) * tick
        self._send(max(tick, to_tick))

    def _set(self) -> None:
        value = self.price.value()
        if value is None or not self._chosen() or value <= 0:
            self._say(tr("Give a symbol and a price above zero."), "danger")
            return
        self._send(value)

    def _send(self, value: Decimal) -> None:
        def done(moved: Sequence[str] | Refusal) -> None:
            if isinstance(moved, Refusal):
                self._say(visible(translated(moved.message), 300), "danger")
                return
            self.price.set_value(value)
            self._say(f"{exact(value)}: {', '.join(moved)}")

        self._bridge.run(self._bridge.doors.set_price(self._chosen(), text(value)), done)

    def _say(self, words: str, token: Token = "text2") -> None:
        self.said.show_text(words, token)
        self.said.setToolTip(words)


class PaperDialog(QDialog):
    """Hold the panel in a window of its own, so that other pages stay in sight while prices move."""

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        """Take the bridge."""
        super().__init__(parent)
        self.setWindowTitle(tr("Paper exchange"))
        self.resize(px(480), px(640))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self.panel = PaperPanel(bridge)
        column.addWidget(self.panel)
        self.panel.symbol.setFocus()

    def tick(self) -> None:
        """Show ages anew, while it is to be seen."""
        if self.isVisible():
            self.panel.tick()


def _padded() -> QVBoxLayout:
    layout = QVBoxLayout()
    layout.setContentsMargins(px(12), px(10), px(12), px(10))
    layout.setSpacing(px(8))
    return layout


def _percent_text(percent: Decimal) -> str:
    sign = "+" if percent > 0 else MINUS
    return f"{sign}{abs(percent)} %"


def _age_text(known: Price, now: datetime) -> str:
    if known.manual:
        return tr("by hand")
    since = now - known.at
    return age(since) if is_old(known, now) else fine_age(since)


def _price_cell(known: Known) -> Cell:
    last = known.price.last
    shown = price(last, known.instrument.tick) if known.instrument else exact(last)
    return Cell(shown, "text3" if known.old else "text", raw=raw(last), stale=known.old)


def _free_cell(purse: Purse) -> Cell:
    places = 2 if purse.currency.startswith("USD") else min(8, max(2, places_of(purse.free)))
    return Cell(number(purse.free, places), "text" if purse.free else "text3", raw=raw(purse.free))


_PRICES: Sequence[Column[Known]] = (
    Column(
        key="market",
        title=tr("Market"),
        width=190,
        cell=lambda known: Cell(
            f"{known.price.symbol} {known.price.exchange}",
            parts=((known.price.symbol, "text"), (f"  {known.price.exchange}", "text3")),
        ),
        sort_key=lambda known: (known.price.symbol, known.price.exchange),
    ),
    Column(key="price", title=tr("Price"), align="right", width=140, cell=_price_cell),
    Column(
        key="age",
        title=tr("Age"),
        width=80,
        cell=lambda known: Cell(known.age, "warn" if known.old else "text2"),
    ),
)
_BALANCES: Sequence[Column[Purse]] = (
    Column(key="account", title=tr("Account"), width=130, cell=lambda purse: Cell(purse.account)),
    Column(key="currency", title=tr("Currency"), width=90, cell=lambda purse: Cell(purse.currency)),
    Column(key="free", title=tr("Free"), align="right", width=150, cell=_free_cell),
)
