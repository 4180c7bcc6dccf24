"""One order's life: what it wants of the exchange, and what a report makes of it."""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cache

from execution_engine.domain.errors import IllegalTransition
from execution_engine.domain.inputs import OrderReport, Trade, Verdict
from execution_engine.domain.instrument import Action
from execution_engine.domain.money import ZERO, percent_of, text
from execution_engine.domain.replacing import replace
from execution_engine.domain.rows import Order, OrderStatus, Purpose

S = OrderStatus

# A final state is left only because the exchange proves it wrong: a late fill, an order found after all.
LEGAL: dict[OrderStatus, frozenset[OrderStatus]] = {
    S.PENDING: frozenset(
        {S.OPEN, S.PARTIALLY_FILLED, S.FILLED, S.CANCELLED, S.REJECTED, S.FAILED, S.UNKNOWN}
    ),
    S.UNKNOWN: frozenset({S.OPEN, S.PARTIALLY_FILLED, S.FILLED, S.CANCELLED, S.REJECTED, S.FAILED}),
    S.OPEN: frozenset({S.PARTIALLY_FILLED, S.FILLED, S.CANCELLED, S.UNKNOWN}),
    S.PARTIALLY_FILLED: frozenset({S.FILLED, S.CANCELLED, S.UNKNOWN}),
    S.FILLED: frozenset(),
    S.CANCELLED: frozenset(),
    S.REJECTED: frozenset({S.OPEN, S.PARTIALLY_FILLED, S.FILLED, S.CANCELLED}),
    S.FAILED: frozenset({S.OPEN, S.PARTIALLY_FILLED, S.FILLED, S.CANCELLED}),
}

PREFIX_LENGTH = 7
ID_LENGTH = 25
_USUAL_FEE_PERCENT = Decimal("0.1")  # where an exchange does not say what it charged
_BASE36 = "0123456789abcdefghijklmnopqrstuvwxyz"
_PAIRS = [low + high for high in _BASE36 for low in _BASE36]  # of two digits, the lower one first

# How long after it left a request may still be admitted. The paper exchange answers in process; Binance refuses
# what is older than its recvWindow (5 s here), may wait 10 s for its matching engine, and gets 5 s on top. The
# others compare time stamps too, within 5 to 30 s.
FENCE = {"paper": timedelta(0), "binance": timedelta(seconds=20)}
DEFAULT_FENCE = timedelta(seconds=60)
FORGOTTEN_AFTER = timedelta(seconds=60)  # an order that was there, and that nothing shows any more
LOOKS_APART = timedelta(seconds=2)
LOOK_DELAYS_S = (0.5, 1, 2, 4, 8)
EXIT_LOOK_DELAY = timedelta(seconds=1)


RATE_LIMIT = "RateLimitError"
CONNECTION = "ExchangeConnectionError"

# Between a cancel that came to nothing and the next one. What the exchange may not have heard goes out again sooner
# than what it refuses: a short outage must not keep an exit waiting.
CANCEL_DELAYS_S = (1, 2, 4, 8, 16, 32, 60)
CANCEL_UNHEARD_S = 8
UNHEARD = frozenset({"", CONNECTION, RATE_LIMIT})


class Want(StrEnum):
    PLACE = "place"
    CANCEL = "cancel"
    LOOK = "look"
    NOTHING = "nothing"


def wants(order: Order) -> Want:
    """Say what a committed order row asks of the exchange. One in doubt is looked up whatever else it wants."""
    if order.status is S.PENDING and order.sent_at is None:
        return Want.PLACE
    there = order.status in (S.OPEN, S.PARTIALLY_FILLED, S.UNKNOWN)
    if there and order.cancel_requested and order.cancel_sent_at is None and order.cancel_at is None:
        return Want.CANCEL
    return Want.LOOK if order.status is S.UNKNOWN else Want.NOTHING


@cache
def prefix(install_key: str) -> str:
    """Return what all client order ids of this installation begin with: a letter and six of base 36."""
    return "e" + _digits(install_key, "prefix", PREFIX_LENGTH - 1)


def client_order_id(install_key: str, epoch: int, order_id: int, attempt: int) -> str:
    """Derive the id that an order has on the exchange: 32 of `[a-z0-9]`, the same for the same row."""
    return prefix(install_key) + _digits(install_key, f"{epoch}|{order_id}|{attempt}", ID_LENGTH)


def _digits(key: str, message: str, count: int) -> str:
    number = int.from_bytes(hmac.digest(key.encode(), message.encode(), "sha256"), "big")
    number %= 36**count
    pairs = []
    for _ in range(0, count, 2):
        number, pair = divmod(number, 1296)
        pairs.append(_PAIRS[pair])
    return "".join(pairs)[:count]


def move(order: Order, status: OrderStatus) -> Order:
    """Take one legal step. Raises IllegalTransition."""
    if status is order.status:
        return order
    if status not in LEGAL[order.status]:
        raise IllegalTransition(f"order {order.id}: {order.status} may not become {status}")
    return replace(order, status=status)


def with_trades(order: Order, trades: tuple[Trade, ...], base: str) -> Order:
    """Add fills that are not in the order's sums yet. The order of fills makes no difference."""
    for trade in trades:
        in_base = trade.fee if trade.fee_currency == base else ZERO
        order = replace(
            order,
            filled_quantity=order.filled_quantity + trade.quantity,
            filled_cost=order.filled_cost + trade.quantity * trade.price,
            fee_base=order.fee_base + in_base,
            fee_value=order.fee_value + fee_value(trade, base)[0],
        )
    return order


def fee_value(trade: Trade, base: str) -> tuple[Decimal, bool]:
    """Return a fee's value [quote] and whether it had to be estimated."""
    if trade.fee_value is not None:
        return trade.fee_value, False
    if trade.fee_currency == base:
        return trade.fee * trade.price, False
    return percent_of(trade.quantity * trade.price, _USUAL_FEE_PERCENT), True


def apply(order: Order, report: OrderReport, now: datetime, fence: timedelta = DEFAULT_FENCE) -> Order:
    """Return what a report makes of an order whose new fills are already in its sums.

    fence: how long after it left a request may still be admitted by this exchange.
    """
    if report.about_cancel:
        return _after_cancel(order, report, now)
    if report.verdict is Verdict.ACCEPTED:
        return _accepted(order, report, now)
    if report.verdict is Verdict.REFUSED:
        return _refused(order, report, now)
    if order.is_final:
        return order
    if report.verdict is Verdict.ABSENT:
        return _absent(order, min(report.at, now), now, fence)
    return unknown(order, now, report.reason)


def _after_cancel(order: Order, report: OrderReport, now: datetime) -> Order:
    """Take in an answer to a cancel; what it did not end is looked up, and cancelled again after a while."""
    after = order
    if report.verdict is Verdict.ACCEPTED:
        after = _accepted(order, report, now)
    elif order.status is not S.UNKNOWN and not order.is_final:
        after = unknown(order, now, report.reason)
    if after.is_final or report.verdict is Verdict.ABSENT:
        return after  # of one that is not there nothing was proven; its look-ups go on
    tries = (order.cancels_in_vain or 0) + 1
    return replace(
        after,
        reason=report.reason or after.reason,
        cancels_in_vain=tries,
        cancel_at=now + _cancel_delay(tries, report),
    )


def _cancel_delay(tries: int, report: OrderReport) -> timedelta:
    seconds = CANCEL_DELAYS_S[min(tries, len(CANCEL_DELAYS_S)) - 1]
    unheard = report.verdict is Verdict.UNKNOWN and report.code in UNHEARD
    return timedelta(seconds=min(seconds, CANCEL_UNHEARD_S) if unheard else seconds)


def _accepted(order: Order, report: OrderReport, now: datetime) -> Order:
    known = replace(
        order,
        exchange_order_id=report.exchange_order_id or order.exchange_order_id,
        acknowledged_at=order.acknowledged_at or now,
        sent_at=order.sent_at or now,
        absences=0,
        absent_since=None,
    )
    if known.filled_quantity < report.filled_quantity:
        # Fills are missing: nothing is concluded before they are here.
        return known if known.is_final else unknown(known, now, "fills are still to come")
    status = _observed(known, report.status or S.OPEN)
    if known.is_final and status not in LEGAL[known.status]:
        return known
    moved = move(known, status)
    if not moved.is_final:
        # A state read before the cancel left says nothing about it; after an unclear one it is sent again.
        again = order.status is S.UNKNOWN or report.about_cancel
        return replace(moved, look_at=None, looks=0, cancel_sent_at=None if again else moved.cancel_sent_at)
    return replace(moved, look_at=None, looks=0, finished_at=order.finished_at or now)


def _observed(order: Order, status: OrderStatus) -> OrderStatus:
    """Return the state that the fills and the exchange's word add up to; stale news never goes back."""
    if order.filled_quantity >= order.quantity:
        return S.FILLED
    if status is S.REJECTED and not order.filled_quantity and S.REJECTED in LEGAL[order.status]:
        return S.REJECTED
    if status in (S.CANCELLED, S.REJECTED):
        return S.CANCELLED
    if status is S.FILLED:  # trimmed by the exchange: it holds less than was asked, and that is done
        return S.CANCELLED
    return S.PARTIALLY_FILLED if order.filled_quantity else S.OPEN


def _refused(order: Order, report: OrderReport, now: datetime) -> Order:
    if order.is_final:
        return order
    if order.acknowledged_at is not None:
        return unknown(order, now, report.reason)
    # Refused for being one too many at this moment: certainly not there, and worth another attempt.
    again = report.code == RATE_LIMIT
    return replace(
        move(order, S.FAILED if again else S.REJECTED),
        reason=report.reason,
        sent_at=order.sent_at or now,
        look_at=None,
        finished_at=now,
    )


def unknown(order: Order, now: datetime, reason: str) -> Order:
    """Leave the order to look-ups: 0.5, 1, 2, 4, 8 s apart; what closes a position each second."""
    delay = timedelta(seconds=LOOK_DELAYS_S[min(order.looks, len(LOOK_DELAYS_S) - 1)])
    if order.purpose is not Purpose.ENTRY:
        delay = min(delay, EXIT_LOOK_DELAY)
    return replace(
        move(order, S.UNKNOWN),
        reason=reason,
        sent_at=order.sent_at or now,
        look_at=now + delay,
        looks=order.looks + 1,
    )


def doubted(order: Order, now: datetime, reason: str, *, fence_from: datetime | None = None) -> Order:
    """Have an order looked up at once, and counted anew: what was seen of it before proves nothing now.

    fence_from: when its request may have left at the latest, where what the row says cannot be trusted; never
    in the future, as it would be after the clock was set back.
    """
    lost = unknown(order, now, reason)
    return replace(
        lost,
        sent_at=min(fence_from or lost.sent_at or now, now),
        cancel_sent_at=None,
        look_at=now,
        looks=0,
        absences=0,
        absent_since=None,
    )


def _absent(order: Order, looked_at: datetime, now: datetime, fence: timedelta) -> Order:
    """Count a successful look-up that found nothing; final after two of them past the fence, seconds apart.

    One before it proves nothing: the request could still be admitted then.
    """
    counted = replace(order, absences=order.absences + 1)
    if order.acknowledged_at is not None:
        first = order.absent_since or now
        return _forgotten(replace(counted, absent_since=first), first, now)
    settled_at = (order.sent_at or now) + fence
    if looked_at < settled_at:
        return _look_by(unknown(counted, now, "looked for, not found yet"), now, settled_at)
    first = order.absent_since or looked_at
    counted = replace(counted, absent_since=first)
    if looked_at - first >= LOOKS_APART:  # hence at least twice
        return replace(move(counted, S.FAILED), reason="was never placed", look_at=None, finished_at=now)
    return _look_by(unknown(counted, now, "looked for, not found yet"), now, first + LOOKS_APART)


def _look_by(order: Order, now: datetime, at: datetime) -> Order:
    """Look at the first moment at which it can be final: a lost order then goes out anew without delay."""
    earlier = order.look_at is not None and now < at < order.look_at
    return replace(order, look_at=at) if earlier else order


def _forgotten(order: Order, first: datetime, now: datetime) -> Order:
    """The exchange had it and shows it nowhere, again and again: it can fill no more. What it filled stays."""
    if now - first < FORGOTTEN_AFTER:
        return unknown(order, now, "the exchange does not show this order")
    gone = replace(move(order, S.FAILED), look_at=None, finished_at=now)
    return replace(gone, reason="the exchange had this order and does not know it any more")


def request_cancel(order: Order, now: datetime) -> Order:
    """Ask for a cancel; an intent that never left is revoked on the spot, one that waits for rules is given up."""
    if order.rules_by is not None:
        return replace(order, rules_by=None)
    if order.is_final or order.cancel_requested:
        return order
    if order.status is S.PENDING and order.sent_at is None:
        return replace(move(order, S.CANCELLED), reason="revoked before it was sent", finished_at=now)
    return replace(order, cancel_requested=True)


def title(order: Order) -> str:
    """Name an order in a sentence: `buy 0.00307 at 65000.00`."""
    quantity = text(order.quantity)
    if order.price is None:
        return f"buy {quantity} at market" if order.action is Action.BUY else f"sell {quantity} at market"
    price = text(order.price)
    return f"buy {quantity} at {price}" if order.action is Action.BUY else f"sell {quantity} at {price}"
