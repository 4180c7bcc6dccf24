"""The last step: a test alert, and live what becomes of it, up to the open position."""

from __future__ import annotations

from typing import ClassVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from execution_engine.domain.errors import Refusal
from execution_engine.domain.inputs import Answer
from execution_engine.domain.money import ZERO
from execution_engine.domain.rows import Alert, Group, Order, OrderStatus, Purpose
from execution_engine.ui.bridge import Batch, Bridge
from execution_engine.ui.format import counted, exact, local_moment, price, visible
from execution_engine.ui.icons import Mark, state_look
from execution_engine.ui.pages.test_alert import FIRST, symbol_field
from execution_engine.ui.pages.welcome.step import LONGEST, Step
from execution_engine.ui.shapes import Shape
from execution_engine.ui.theme import Token, px
from execution_engine.ui.tongue import inline, tr, translated
from execution_engine.ui.widgets import Label, ModeBadge, Panel, button

ON_EXCHANGE = frozenset({OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED})
REFUSED = frozenset({OrderStatus.REJECTED, OrderStatus.FAILED})
LINES = ("received", "decided", "orders", "fills", "position")
TITLES = {
    "received": tr("Alert received"),
    "decided": tr("Decided"),
    "orders": tr("Orders at the exchange"),
    "fills": tr("Fills"),
    "position": tr("Position"),
}
WAITS: tuple[Shape, Token] = ("dashed_ring", "neutral")
WORKS: tuple[Shape, Token] = ("half_disc", "accent")
DONE: tuple[Shape, Token] = ("disc", "profit")
WRONG: tuple[Shape, Token] = ("cross", "danger")


class TrialStep(Step):
    """Send a test alert and tell its story."""

    name: ClassVar = tr("Test alert")
    about: ClassVar = tr("opens a paper position")
    question: ClassVar = tr("Watch one alert from end to end")
    sentence: ClassVar = tr(
        "A long entry on 15 minutes at the market, through the same door as a real "
        "alert. It trades on paper, whatever "
        "you chose before."
    )

    def __init__(self, bridge: Bridge) -> None:
        """Propose the first market."""
        super().__init__(bridge)
        self.alert_id: int | None = None
        markets = bridge.doors.catalogue.instruments
        self.symbol: QLineEdit = symbol_field(
            (f"{exchange.upper()}:{name}" for exchange, name in markets), tr("Symbol"), FIRST, FIRST
        )
        self.symbol.setMinimumWidth(px(160))
        self.symbol.setMaximumWidth(px(240))
        self.again = button(tr("Send another"), icon="send")
        self.again.hide()
        self.lines = {key: Line(TITLES[key]) for key in LINES}
        self.add(self._asking())
        self.add(self._story())
        self.add(self.said)
        self.symbol.textChanged.connect(lambda _: self.changed.emit())
        self.symbol.returnPressed.connect(self._entered)
        self.again.clicked.connect(self._send)
        bridge.changed.connect(self._changed)
        self._tell()

    def _asking(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(px(12))
        label = Label(tr("Symbol"), "body", "text2")
        label.setBuddy(self.symbol)
        row.addWidget(label)
        row.addWidget(self.symbol)
        row.addWidget(ModeBadge("paper"))
        row.addWidget(self.again)
        row.addStretch(1)
        return row

    def _story(self) -> Panel:
        panel = Panel(tr("What becomes of it"), tr("live"))
        column = QVBoxLayout()
        column.setContentsMargins(px(14), px(12), px(14), px(14))
        column.setSpacing(px(12))
        for line in self.lines.values():
            column.addWidget(line)
        panel.add(column)
        return panel

    # -- what the guide asks

    def verb(self) -> str:
        return tr("Go to Positions") if self.group is not None else tr("Send test alert")

    def may_go_on(self) -> bool:
        return self.group is not None or bool(self.symbol.text().strip())

    def go_on(self) -> None:
        """Send the alert; once there is a position, leave for it."""
        if self.group is not None:
            self.done.emit()
        else:
            self._send()

    def shown(self) -> None:
        self._tell()

    def begin(self) -> None:
        self.symbol.setFocus()
        self.symbol.selectAll()

    def forget(self) -> None:
        """Begin anew: what was sent before is a story of its own."""
        self.alert_id = None
        self.say("")
        self._tell()

    # -- what happens

    def _entered(self) -> None:
        if self.symbol.text().strip() and not self.is_busy:
            self._send()

    def _send(self) -> None:
        symbol = self.symbol.text().strip().upper()
        if not symbol:
            return
        self.forget()
        self.set_busy(True)
        self.bridge.run(self.bridge.doors.send_test_alert(symbol), self._was_sent)

    def _was_sent(self, reply: Answer | Refusal) -> None:
        self.set_busy(False)
        if isinstance(reply, Refusal):
            self.say(visible(translated(reply.message), LONGEST))
            self.symbol.setFocus()
            return
        self.alert_id = reply.alert_id
        self._tell()

    def _changed(self, batch: Batch) -> None:
        if self.alert_id is None:
            return
        group = self.group
        mine = (
            batch.whole or self.alert_id in batch.alerts or (group is not None and group.id in batch.groups)
        )
        if mine or batch.orders:
            self._tell()

    @property
    def alert(self) -> Alert | None:
        """Return the alert that was sent last."""
        return self.bridge.alerts.get(self.alert_id) if self.alert_id is not None else None

    @property
    def group(self) -> Group | None:
        """Return the group that it opened or joined."""
        alert = self.alert
        return self.bridge.groups.get(alert.group_id) if alert is not None and alert.group_id else None

    def orders(self) -> list[Order]:
        """Return the entry orders that came of it."""
        bridge, group = self.bridge, self.group
        if group is None:
            return []
        mine = {id for id in bridge.pyramids_of[group.id] if bridge.pyramids[id].alert_id == self.alert_id}
        orders = (bridge.orders[id] for id in bridge.orders_of[group.id])
        return [order for order in orders if order.purpose is Purpose.ENTRY and order.pyramid_id in mine]

    def _tell(self) -> None:
        """Say how it stands with each part of the story."""
        alert, group, orders = self.alert, self.group, self.orders()
        self._tell_of_alert(alert)
        self._tell_of_orders(orders)
        self._tell_of_position(group, orders)
        self.again.setVisible(self.alert_id is not None and not self.is_busy)
        self.changed.emit()

    def _tell_of_alert(self, alert: Alert | None) -> None:
        received, decided = self.lines["received"], self.lines["decided"]
        if alert is None:
            sent = self.alert_id is not None
            received.say(*(DONE if sent else WAITS), tr("stored") if sent else tr("not sent yet"))
            decided.say(*WAITS)
            return
        received.say(
            *DONE,
            tr("alert {alert}, {time}, {symbol} {timeframe}").format(
                alert=alert.id,
                time=local_moment(alert.received_at),
                symbol=alert.symbol,
                timeframe=alert.timeframe,
            ),
        )
        if alert.outcome is None:
            words = tr("its orders are on the way") if alert.group_id else ""
            decided.say(
                *WORKS,
                words
                or visible(translated(alert.reason), LONGEST)
                or tr("it waits for a price and the balance"),
            )
            return
        look = state_look("alert", alert.outcome.value)
        reason = f": {visible(translated(alert.reason), LONGEST)}" if alert.reason else ""
        decided.say(look.shape, look.token, f"{look.word}{reason}")

    def _tell_of_orders(self, orders: list[Order]) -> None:
        line, fills = self.lines["orders"], self.lines["fills"]
        if not orders:
            line.say(*WAITS)
            fills.say(*WAITS)
            return
        taken = [
            order for order in orders if order.status in ON_EXCHANGE or order.acknowledged_at is not None
        ]
        words = tr("{count} of {count_2} accepted").format(
            count=len(taken), count_2=counted(len(orders), tr("buy limit"), tr("buy limits"))
        )
        wrong = next((order for order in orders if order.status in REFUSED), None)
        if wrong is not None:
            line.say(*WRONG, f"{words}: {visible(translated(wrong.reason), LONGEST)}")
        else:
            line.say(*(DONE if len(taken) == len(orders) else WORKS), words)
        filled = sum(1 for order in orders if order.filled_quantity > ZERO)
        working = any(not order.is_final for order in orders)
        if filled:
            rest = tr("; the others wait for lower prices") if working else ""
            fills.say(
                *DONE,
                tr("{filled} of {count} filled{rest}").format(filled=filled, count=len(orders), rest=rest),
            )
        elif working:
            fills.say(*WORKS, tr("the first one waits for the price"))
        else:
            fills.say(*WAITS, tr("none"))

    def _tell_of_position(self, group: Group | None, orders: list[Order]) -> None:
        line = self.lines["position"]
        if group is None:
            line.say(*WAITS)
        elif group.open_quantity > ZERO:
            rules = self.bridge.doors.catalogue.get(group.exchange, group.symbol)
            entry = price(group.avg_entry, rules.tick) if rules is not None else exact(group.avg_entry)
            held = tr("{open_quantity} held, on average at {entry}").format(
                open_quantity=exact(group.open_quantity), entry=entry
            )
            line.say(
                *DONE,
                tr("{symbol} {timeframe} is open on paper: {held}").format(
                    symbol=group.symbol, timeframe=group.timeframe, held=held
                ),
            )
        else:
            look = state_look("group", group.status.value)
            line.say(look.shape, look.token, f"{group.symbol} {group.timeframe}: {inline(look.word)}")


class Line(QWidget):
    """One part of the story: a shape, its name, and how it stands."""

    def __init__(self, title: str) -> None:
        """Take the name."""
        super().__init__()
        self._title = title
        self.mark = Mark(*WAITS, size=px(12))
        self.words = Label("", "body", "text2", wrap=True)
        name = Label(title, "body", "text", weight=500)
        name.setMinimumWidth(px(180))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(px(10))
        shape = QVBoxLayout()
        shape.setContentsMargins(0, px(3), 0, 0)
        shape.addWidget(self.mark)
        shape.addStretch(1)
        row.addLayout(shape)
        row.addWidget(name, alignment=Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.words, 1)

    def say(self, shape: Shape, token: Token, words: str = "") -> None:
        """Show how it stands."""
        self.mark.show_shape(shape, token)
        self.words.show_text(words or "–")
        self.setAccessibleName(f"{self._title}: {words or tr('not yet')}")

    def text(self) -> str:
        """Return how it stands."""
        return self.words.text()
