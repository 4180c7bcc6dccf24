"""The story of an alert: received, classified, decided, orders, fills, result; as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal

from execution_engine.domain.inputs import Price
from execution_engine.domain.instrument import Action, Instrument
from execution_engine.domain.money import ZERO
from execution_engine.domain.position import cost_of, unrealized
from execution_engine.domain.rows import Fill, Group, Leg, Order, OrderType, Purpose, Pyramid
from execution_engine.domain.signal import Outcome, SignalType
from execution_engine.domain.take_profit import closing_price
from execution_engine.ui import format as f
from execution_engine.ui.icons import state_look
from execution_engine.ui.pages.positions.lines import leg_state
from execution_engine.ui.pages.signals.lines import TYPE, AlertLine
from execution_engine.ui.pages.signals.story_orders import Planned, detail, planned, slippage
from execution_engine.ui.shapes import Shape
from execution_engine.ui.theme import Token
from execution_engine.ui.tongue import inline, tr

MOST_FILLS = 12
_KINDS = {
    (OrderType.LIMIT, Action.BUY): (tr("buy limit"), tr("buy limits")),
    (OrderType.LIMIT, Action.SELL): (tr("sell limit"), tr("sell limits")),
    (OrderType.MARKET, Action.BUY): (tr("buy market order"), tr("buy market orders")),
    (OrderType.MARKET, Action.SELL): (tr("sell market order"), tr("sell market orders")),
}
_ACTIONS = {Action.BUY: tr("Buy"), Action.SELL: tr("Sell")}
_CLOSED_BY = {
    Purpose.TAKE_PROFIT: tr("Target"),
    Purpose.EXIT: tr("Exit"),
    Purpose.OFFSET: tr("Offset"),
    Purpose.EMERGENCY: tr("Emergency"),
}


@dataclass(frozen=True, slots=True)
class Ordered:
    """One line of the table of orders: what, at which price, how much, what it costs, how it stands.

    detail: its id at the exchange, its latency, its slippage; below it, and empty before it was sent.
    """

    name: str
    price: str
    quantity: str
    spent: str
    look: tuple[str, Shape, Token]
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step. when: its time as text; utc: the same in UTC. later: the difference to the receipt."""

    title: str
    when: str = ""
    later: str = ""
    sentences: tuple[str, ...] = ()
    orders: tuple[Ordered, ...] = ()
    shape: Shape = "disc"
    token: Token = "accent"
    utc: str = ""


@dataclass(frozen=True, slots=True)
class Related:
    """What followed from an alert, as far as it is still known.

    pyramid: the one that it opened. legs: that pyramid's. orders: those of the legs, or of the exit.
    closes: what closed any of the legs, but for the alert's own exit.
    """

    group: Group | None = None
    pyramid: Pyramid | None = None
    legs: tuple[Leg, ...] = ()
    orders: tuple[Order, ...] = ()
    fills: tuple[Fill, ...] = ()
    quote: Price | None = None
    closes: tuple[Order, ...] = ()


def related(
    line: AlertLine,
    group: Group | None,
    pyramids: Iterable[Pyramid],
    legs: Iterable[Leg],
    orders: Iterable[Order],
    fills: Sequence[Fill],
    quote: Price | None,
) -> Related:
    """Pick from a group's rows what followed from one alert."""
    alert = line.alert
    pyramid = next((each for each in pyramids if each.alert_id == alert.id), None)
    own = [leg for leg in legs if pyramid is not None and leg.pyramid_id == pyramid.id]
    own.sort(key=lambda leg: leg.index)
    ids = {leg.id for leg in own}
    closes = group is not None and group.exit_alert_id == alert.id
    all_orders = list(orders)
    mine = [
        order
        for order in all_orders
        if (order.purpose is Purpose.ENTRY and order.leg_id in ids)
        or (closes and order.purpose is Purpose.EXIT)
    ]
    known = {order.id for order in mine}
    closing = [
        order
        for order in all_orders
        if order.purpose is not Purpose.ENTRY
        and order.id not in known
        and (order.leg_id in ids or any(leg_id in ids for leg_id, _ in order.parts))
    ]
    return Related(
        group,
        pyramid,
        tuple(own),
        tuple(mine),
        tuple(fill for fill in fills if fill.order_id in known),
        quote,
        tuple(closing),
    )


def story(line: AlertLine, found: Related, rules: Instrument, zone: tzinfo | None = None) -> tuple[Step, ...]:
    """Tell an alert's story; times are in `zone` (the computer's when None)."""
    teller = _Teller(line, found, rules, zone)
    steps = (
        teller.received(),
        teller.classified(),
        teller.decided(),
        teller.orders(),
        teller.fills(),
        teller.closes(),
        teller.result(),
    )
    return tuple(step for step in steps if step is not None)


class _Teller:
    def __init__(self, line: AlertLine, found: Related, rules: Instrument, zone: tzinfo | None) -> None:
        self._line, self._alert, self._found, self._rules, self._zone = line, line.alert, found, rules, zone
        self._name = f"{self._alert.symbol} {self._alert.timeframe}"

    def received(self) -> Step:
        alert = self._alert
        source = tr("from {source}").format(source=f.visible(alert.source, 60)) if alert.source else ""
        token = tr("token “{token}”").format(token=f.visible(alert.token, 60)) if alert.token else ""
        sent = (
            tr("sent {span} before").format(span=f.fine_age(alert.received_at - alert.parsed.sent_at))
            if alert.parsed.sent_at
            else ""
        )
        first = " · ".join(each for each in (source, token, sent) if each)
        replay = (
            tr("A replay of alert {replay_of}.").format(replay_of=alert.replay_of) if alert.replay_of else ""
        )
        late = (
            tr("Older than the limit of entries; exits are carried out all the same.") if alert.late else ""
        )
        sentences = tuple(each for each in (first, replay, late) if each)
        when = f.local_time_ms(alert.received_at, self._zone)
        return Step(tr("Received"), when, "", sentences, utc=f.utc_text(alert.received_at))

    def classified(self) -> Step | None:
        alert, group = self._alert, self._found.group
        if alert.signal is None:
            return None
        side = tr(self._line.side.value) if self._line.side else ""
        said = {
            SignalType.ENTRY: tr("{name} has no open group").format(name=self._name),
            SignalType.PYRAMID: tr("{name} has an open {side} group").format(name=self._name, side=side),
            SignalType.REPLACEMENT: tr("{name} has all its pyramids").format(name=self._name),
            SignalType.EXIT: tr("{name} is to be closed").format(name=self._name),
            SignalType.REVERSAL: tr("{name} turns {side}").format(name=self._name, side=side),
        }[alert.signal]
        if alert.signal is SignalType.PYRAMID and group is not None:
            said += tr(", at most {count}").format(
                count=f.counted(group.max_pyramids, tr("pyramid"), tr("pyramids"))
            )
        return Step(tr("Classified"), "", "", (f"{TYPE[alert.signal]}: {said}",))

    def decided(self) -> Step:
        alert, pyramid, group = self._alert, self._found.pyramid, self._found.group
        if alert.decided_at is None and alert.outcome is None:
            return Step(
                tr("Waiting"),
                "",
                "",
                (tr("It waits for its account, a price or a balance."),),
                shape="three_dots",
            )
        when, later = self._at(alert.decided_at)
        utc = f.utc_text(alert.decided_at)
        if pyramid is None or group is None:
            return Step(tr("Decided"), when, later, (self._without_orders(),), utc=utc)
        number = (
            tr("pyramid {pyramid}").format(pyramid=pyramid.index + 1)
            if pyramid.index
            else tr("first pyramid")
        )
        base, capital = f.price(pyramid.base_price, self._rules.tick), f.usd(pyramid.capital_usd)
        where = tr("{number} on {account}, grid “{grid_name}”").format(
            number=number, account=f.visible(group.account, 40), grid_name=f.visible(pyramid.grid_name, 40)
        )
        fits = tr("all {count} fit the rules of {symbol}").format(
            count=f.counted(len(self._found.legs), tr("leg"), tr("legs")), symbol=alert.symbol
        )
        return Step(
            tr("Decided"),
            when,
            later,
            (
                tr("{where}, base {base}, {capital} USD; {fits}").format(
                    where=where, base=base, capital=capital, fits=fits
                ),
            ),
            utc=utc,
        )

    def _without_orders(self) -> str:
        alert = self._alert
        if alert.outcome is Outcome.QUEUED:
            return tr("Into the queue.")
        if alert.signal in (SignalType.EXIT, SignalType.REVERSAL) and self._found.group is not None:
            return tr("Open legs are cancelled, what is held is closed at market.")
        if alert.outcome in (Outcome.REJECTED, Outcome.FAILED):
            return tr("Nothing was ordered.")
        return (
            tr("Nothing had to be ordered.")
            if self._found.group is None
            else tr("For the group of {name}.").format(name=self._name)
        )

    def orders(self) -> Step | None:
        found = self._found
        if not found.orders:
            return None
        taken = [order for order in found.orders if order.acknowledged_at is not None]
        moments = [order.acknowledged_at for order in taken if order.acknowledged_at is not None]
        newest = max(moments, default=None)
        when, later = self._at(newest)
        first = found.orders[0]
        one, many = _KINDS[first.type, first.action]
        some = tr("{count} of ").format(count=len(taken)) if 0 < len(taken) < len(found.orders) else ""
        verb = tr("accepted by the exchange") if taken else tr("on the way to the exchange")
        rows = (
            self._legs()
            if found.legs
            else tuple(self._order(order, _ACTIONS[order.action]) for order in found.orders)
        )
        said = f"{some}{f.counted(len(found.orders), one, many)} {verb}"
        return Step(tr("Orders"), when, later, (said,), rows, utc=f.utc_text(newest))

    def _legs(self) -> tuple[Ordered, ...]:
        rules = self._rules
        newest = {order.leg_id: order for order in self._found.orders}
        return tuple(
            Ordered(
                tr("Leg {leg}").format(leg=leg.index),
                f.price(leg.price, rules.tick),
                f.quantity(leg.quantity, rules.step),
                f.usd(leg.price * leg.quantity),
                tuple(state_look("leg", leg_state(leg))),  # type: ignore[arg-type]  # a named tuple of these
                self._detail(newest[leg.id]) if leg.id in newest else "",
            )
            for leg in self._found.legs
        )

    def _detail(self, order: Order) -> str:
        return detail(order, self._planned(order), self._rules)

    def _planned(self, order: Order) -> Planned | None:
        return planned(order, self._found.legs, self._alert.parsed.entry_price)

    def _order(self, order: Order, name: str) -> Ordered:
        rules, average = self._rules, order.avg_fill_price
        price = average or order.price
        return Ordered(
            name,
            tr("market") if price is None else f.price(price, rules.tick),
            f.quantity(order.quantity, rules.step),
            "" if price is None else f.usd(price * order.quantity),
            tuple(state_look("order", order.status.value)),  # type: ignore[arg-type]  # see above
            self._detail(order),
        )

    def fills(self) -> Step | None:
        found = self._found
        if not found.fills:
            return None
        shown = found.fills[-MOST_FILLS:]
        sentences = [self._fill(fill) for fill in shown]
        if len(shown) < len(found.fills):
            sentences.insert(
                0, f"{f.counted(len(found.fills) - len(shown), tr('earlier fill'), tr('earlier fills'))}"
            )
        if said := slippage(((order, self._planned(order)) for order in found.orders), self._quote()):
            sentences.append(said)
        when, later = self._at(found.fills[-1].at)
        return Step(tr("Fills"), when, later, tuple(sentences), utc=f.utc_text(found.fills[-1].at))

    def _fill(self, fill: Fill) -> str:
        order = next(each for each in self._found.orders if each.id == fill.order_id)
        leg = next((each for each in self._found.legs if each.id == order.leg_id), None)
        name = tr("leg {leg}").format(leg=leg.index) if leg else inline(_ACTIONS[order.action])
        whole = order.quantity
        part = (
            ""
            if fill.quantity == whole
            else tr(" of {whole}").format(whole=f.quantity(whole, self._rules.step))
        )
        amount = f"{f.quantity(fill.quantity, self._rules.step)}{part}"
        fee = (
            tr(", fee {fee} {fee_currency}").format(fee=f.exact(fill.fee), fee_currency=fill.fee_currency)
            if fill.fee
            else ""
        )
        at = f.local_time_ms(fill.at, self._zone)
        return tr("{at} {name}: {amount} at {price}{fee}").format(
            at=at, name=name, amount=amount, price=f.price(fill.price, self._rules.tick), fee=fee
        )

    def _quote(self) -> str:
        return "" if self._found.group is None else self._found.group.quote

    def closes(self) -> Step | None:
        """Tell what closed the legs of this alert: their targets, the group's exit, an offset."""
        done = [order for order in self._found.closes if order.filled_quantity]
        if not done:
            return None
        done.sort(key=lambda order: (order.created_at, order.id))
        shown = done[-MOST_FILLS:]
        more = len(done) - len(shown)
        sentences = (f.counted(more, tr("earlier order"), tr("earlier orders")),) if more else ()
        ended = max((order.finished_at or order.acknowledged_at or order.created_at) for order in done)
        when, later = self._at(ended)
        rows = tuple(self._order(order, _CLOSED_BY[order.purpose]) for order in shown)
        return Step(tr("Closed"), when, later, sentences, rows, utc=f.utc_text(ended))

    def result(self) -> Step:
        alert = self._alert
        word, shape, token = state_look("alert", self._line.state)
        ended = alert.finished_at
        when, later = self._at(ended)
        result = self._standing()
        if result and self._found.group is not None and self._found.group.holds_slot:
            when, later = tr("now"), ""
        sentences = tuple(each for each in (self._line.reason, result) if each)
        return Step(word, when, later, sentences, (), shape, token, f.utc_text(ended))

    def _standing(self) -> str:
        """Say what became of what the alert opened."""
        group, legs = self._found.group, self._found.legs
        if group is None or not legs:
            return ""
        realized = sum((leg.realized for leg in legs), ZERO)
        earned = (
            tr("realized {amount} USD on this pyramid").format(amount=f.signed_usd(realized))
            if realized
            else ""
        )
        held = sum((leg.open_quantity for leg in legs), ZERO)
        if not group.holds_slot or self._rules.quantity(held) <= 0:
            return earned
        quote = self._found.quote
        price = None if quote is None else closing_price(quote, group.side)
        invested = sum((cost_of(leg) for leg in legs), ZERO)
        result: Decimal | None = unrealized(group.side, invested, held, price)
        average = tr("average entry {avg_entry}").format(avg_entry=f.price(group.avg_entry, self._rules.tick))
        open_result = tr("unrealized {amount} USD on this pyramid").format(amount=f.signed_usd(result))
        return " · ".join(each for each in (average, open_result, earned) if each)

    def _at(self, at: datetime | None) -> tuple[str, str]:
        """Return a moment and how much later than the receipt it was."""
        if at is None:
            return "", ""
        return f.local_time_ms(at, self._zone), later(at - self._alert.received_at)


def later(elapsed: timedelta) -> str:
    """Write a difference: +4 ms, +2.3 s, +1 h 17 min."""
    return f"+{f.latency(elapsed)}"
