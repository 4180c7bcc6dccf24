"""The answers of the paper exchange that do not come from an order of its own."""

from __future__ import annotations

from datetime import datetime

from execution_engine.adapters.exchanges.paper_checks import DUPLICATE, OTHER
from execution_engine.adapters.exchanges.paper_faults import Call, Fault
from execution_engine.domain.errors import Refusal
from execution_engine.domain.inputs import OrderReport, Verdict
from execution_engine.domain.rows import Order, OrderStatus


def refused(order: Order, refusal: Refusal, at: datetime) -> OrderReport:
    """Say that an order was not taken.

    A used client order id proves that an order is there, so it is no refusal of that order: it is looked up.
    """
    taken_before = refusal.code == DUPLICATE
    return OrderReport(
        account=order.account,
        client_order_id=order.client_order_id,
        verdict=Verdict.UNKNOWN if taken_before else Verdict.REFUSED,
        status=None if taken_before else OrderStatus.REJECTED,
        code=refusal.code,
        reason=refusal.message,
        at=at,
    )


def unclear(order: Order, reason: str, at: datetime, *, about_cancel: bool = False) -> OrderReport:
    """Say that nothing is proven about an order."""
    return _plain(order, Verdict.UNKNOWN, reason, at, about_cancel)


def absent(order: Order, at: datetime, *, about_cancel: bool = False) -> OrderReport:
    """Say that there is no such order."""
    return _plain(order, Verdict.ABSENT, "There is no such order.", at, about_cancel)


def failing(order: Order, call: Call, fault: Fault, at: datetime) -> OrderReport:
    """Answer a call that a planned fault cut off."""
    about_cancel = call is Call.CANCEL
    if fault is Fault.REFUSE and call is Call.PLACE:
        return refused(order, Refusal(OTHER, fault.sentence), at)
    if fault is Fault.ABSENT and call is Call.LOOK:
        return absent(order, at)
    return unclear(order, fault.sentence, at, about_cancel=about_cancel)


def _plain(order: Order, verdict: Verdict, reason: str, at: datetime, about_cancel: bool) -> OrderReport:
    return OrderReport(
        account=order.account,
        client_order_id=order.client_order_id,
        verdict=verdict,
        reason=reason,
        about_cancel=about_cancel,
        at=at,
    )
