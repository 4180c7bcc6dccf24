"""The line at the bottom: webhook, exchange, age of prices, the time here and in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from execution_engine.domain.inputs import Price
from execution_engine.domain.rows import AccountStatus
from execution_engine.ui.bridge import Bridge
from execution_engine.ui.doors import Light
from execution_engine.ui.findings import decisions
from execution_engine.ui.format import age, ago, counted, fine_age, local_time, visible
from execution_engine.ui.holdings import STALE_AFTER, is_old
from execution_engine.ui.shapes import Shape
from execution_engine.ui.theme import SIZE, Token, px
from execution_engine.ui.tongue import later, tr, translated
from execution_engine.ui.widgets import Label, StatusItem, separator

LIGHTS: dict[str, tuple[Token, Shape]] = {
    "ok": ("profit", "disc"),
    "warn": ("warn", "warning"),
    "error": ("danger", "cross"),
    "off": ("neutral", "ring"),
}


BOOKS, PRICES = later("Books"), later("Prices")
_TIPS = {"Exchange": tr("Open the paper exchange")}
_WORDS = {
    AccountStatus.HOLD: tr("on hold"),
    AccountStatus.ERROR: tr("cannot be used"),
    AccountStatus.RECONCILING: tr("is read"),
}


def books_reasons(bridge: Bridge) -> list[str]:
    """Say of each account that is not ready why, those on hold first."""
    order = list(_WORDS)
    troubled = [each for each in bridge.accounts.values() if each.enabled and each.status in _WORDS]
    troubled.sort(key=lambda account: order.index(account.status))
    return [
        f"{visible(each.name, 40)} {_WORDS[each.status]}"
        + (f": {visible(translated(each.reason), 300)}" if each.reason else "")
        for each in troubled
    ]


def books(bridge: Bridge, *, short: bool = False) -> Light:
    """Judge whether the books agree with the exchanges: decisions that wait, accounts that are not ready."""
    wait, reasons = len(decisions(bridge)), books_reasons(bridge)
    said = [
        (tr("{count} waits") if wait == 1 else tr("{count} wait")).format(
            count=counted(wait, tr("decision"), tr("decisions"))
        )
    ] * bool(wait) + reasons
    if short and said:
        said = [
            f"{counted(wait, tr('decision'), tr('decisions'))}"
            if wait
            else tr("{count} not ready").format(count=counted(len(reasons), tr("account"), tr("accounts")))
        ]
    reading = all(
        each.status in (AccountStatus.READY, AccountStatus.RECONCILING)
        for each in bridge.accounts.values()
        if each.enabled
    )
    state = "ok" if not said else "off" if reading and not wait else "warn"
    return Light(name=BOOKS, state=state, text=" · ".join(said) or tr("agree"))


class StatusLine(QFrame):
    """Show a light per part; `clicked` tells the name of the one that was clicked."""

    clicked = Signal(str)

    def __init__(self, bridge: Bridge, parent: QWidget | None = None) -> None:
        """Show what the bridge's doors say; `refresh` is called each second."""
        super().__init__(parent)
        self._bridge, self._narrow = bridge, False
        self.setProperty("ground", "chrome")
        self.setProperty("rule", "top")
        self.setFixedHeight(px(SIZE["status"]))
        self.setAccessibleName(tr("Status"))
        self._items: dict[str, StatusItem] = {}
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(px(7), 0, px(14), 0)
        self._row.setSpacing(px(2))
        self._row.addStretch(1)
        self.clock = Label("", "small", "text2")
        self._row.addWidget(self.clock)
        self.refresh()

    def set_narrow(self, narrow: bool) -> None:
        """Say it shorter."""
        if narrow != self._narrow:
            self._narrow = narrow
            self.refresh()

    def refresh(self) -> None:
        """Show everything as it is now."""
        for light in (*self._bridge.doors.lights(), self._prices(), books(self._bridge, short=self._narrow)):
            self._show(light)
        now = self._bridge.doors.now()
        both = tr("{time} local · {time_2} UTC").format(time=local_time(now), time_2=local_time(now, UTC))
        self.clock.show_text(tr("{time} local").format(time=local_time(now)) if self._narrow else both)
        self.clock.setToolTip(both)

    def item(self, name: str) -> StatusItem | None:
        """Return the item of a part."""
        return self._items.get(name)

    def _show(self, light: Light) -> None:
        item = self._items.get(light.name) or self._made(light.name)
        token, shape = LIGHTS.get(light.state, LIGHTS["off"])
        text = light.text
        if self._narrow:
            text = text.rpartition(":")[2] if light.name == "Webhook" else text.partition(" · ")[0]
        if light.name == BOOKS:
            text = light.text
        if light.name == "Webhook" and (last := self._last_alert()) is not None:
            since = self._bridge.doors.now() - last
            text += f" · {age(since)}" if self._narrow else tr(" · last {span}").format(span=ago(since))
        tip = _TIPS.get(light.name, light.text)
        if light.name == BOOKS:
            tip = "\n".join([*books_reasons(self._bridge), tr("Click to see what was found")])
        item.show_state(text, token, shape=shape, tip=tip)

    def _made(self, name: str) -> StatusItem:
        item = StatusItem(tr(name))
        item.installEventFilter(self)
        if self._items:
            self._row.insertWidget(self._row.count() - 2, separator())
        if name in ("Webhook", "Tunnel", "Exchange", PRICES, BOOKS):
            item.setCursor(Qt.CursorShape.PointingHandCursor)
        self._row.insertWidget(self._row.count() - 2, item)
        self._items[name] = item
        return item

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Hear clicks on the items."""
        if event.type() == QEvent.Type.MouseButtonRelease:
            self.clicked.emit(next((name for name, item in self._items.items() if item is watched), ""))
        return False

    def _last_alert(self) -> datetime | None:
        alerts = self._bridge.alerts
        return alerts[max(alerts)].received_at if alerts else None

    def _prices(self) -> Light:
        """Judge the prices of markets in use by the oldest of them."""
        used = self._used()
        if not used:
            return Light(name=PRICES, state="off", text=tr("none in use"))
        if all(price.manual for price in used):
            return Light(name=PRICES, state="ok", text=tr("set by hand"))
        now = self._bridge.doors.now()
        oldest = min((price for price in used if not price.manual), key=lambda price: price.at)
        state = "warn" if is_old(oldest, now) else "ok"
        text = fine_age(now - oldest.at) if now - oldest.at <= STALE_AFTER else age(now - oldest.at)
        return Light(name=PRICES, state=state, text=tr("{text} old").format(text=text))

    def _used(self) -> list[Price]:
        bridge = self._bridge
        markets = {(g.exchange, g.symbol): None for g in bridge.groups.values() if g.holds_slot}
        markets |= {(row.exchange, row.symbol): None for row in bridge.queue.values()}
        return [bridge.prices[market] for market in markets if market in bridge.prices]
