"""What can be made to go wrong between the engine and the paper exchange, for tests and simulations."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol


class Call(StrEnum):
    PLACE = "place"
    CANCEL = "cancel"
    LOOK = "look"
    OPEN_ORDERS = "open_orders"
    BALANCES = "balances"
    FILLS = "fills"


class Fault(StrEnum):
    """How one call goes wrong. Readings of an account end without an answer whichever it is."""

    TIMEOUT_BEFORE = "timeout before"  # the request never arrived; nobody can tell
    TIMEOUT_AFTER = "timeout after acceptance"  # it was carried out, the answer was lost
    UNKNOWN = "unknown"  # it was carried out, the answer makes no sense
    REFUSE = "refuse"  # the exchange says no for a reason of its own
    ABSENT = "absent"  # a look-up misses what is there: the reading side lags behind

    @property
    def arrives(self) -> bool:
        return self in (Fault.TIMEOUT_AFTER, Fault.UNKNOWN)

    @property
    def sentence(self) -> str:
        return _SENTENCES[self]


_SENTENCES = {
    Fault.TIMEOUT_BEFORE: "The request timed out.",
    Fault.TIMEOUT_AFTER: "The request timed out.",
    Fault.UNKNOWN: "The answer was cut off.",
    Fault.REFUSE: "The exchange is busy.",
    Fault.ABSENT: "The request timed out.",
}


class PaperFaults(Protocol):
    """Asked at every call, once per order; the client order id is empty where a call is about an account."""

    def __call__(self, call: Call, account: str, client_order_id: str) -> Fault | None: ...
