"""Opposite groups of one market in one-way mode, as a late fill can leave them.

The exchange keeps one position for both sides, so what the one bought has closed what the other had sold: there
is nothing left that either could close, and both would ask for it for ever.
"""

from __future__ import annotations

from execution_engine.domain.draft import Draft
from execution_engine.domain.holdings import book_outside, bookable, shares_position
from execution_engine.domain.money import ZERO, text
from execution_engine.domain.plan import price_of_close
from execution_engine.domain.rows import Group, OrderStatus, Purpose
from execution_engine.domain.settle import name

NETTED = "closed by the opposite position of the same market"
_IN_FLIGHT = frozenset({OrderStatus.PENDING, OrderStatus.UNKNOWN})


def net_out(draft: Draft, group: Group) -> None:
    """Book what a group whose close is refused and an opposite one have closed of each other, at one price.

    Nothing is booked while a close of either is on its way: it may fill.
    """
    if not shares_position(draft, group):
        return
    for other in draft.groups_in((group.exchange, group.symbol)):
        if other.account == group.account and other.side is group.side.opposite:
            _net(draft, draft.group(group.id), other)


def _net(draft: Draft, group: Group, other: Group) -> None:
    if _closes_in_flight(draft, group) or _closes_in_flight(draft, other):
        return
    part = min(sum(bookable(draft, each).values(), ZERO) for each in (group, other))
    if part <= 0:
        return
    price = price_of_close(draft, group)
    for each in (group, other):
        book_outside(draft, [draft.group(each.id)], part, price, NETTED)
    draft.tell(
        "netted",
        f"{name(group)} {group.side} and {name(other)} {other.side} on {group.account} have closed {text(part)} "
        f"of each other; it is booked at {text(price)}.",
        group=group,
        notice=True,
    )


def _closes_in_flight(draft: Draft, group: Group) -> bool:
    return any(
        order.purpose is not Purpose.ENTRY and order.status in _IN_FLIGHT for order in draft.orders(group.id)
    )
