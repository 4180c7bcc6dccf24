"""How much of an exchange's rate budget an account has used, and how much may leave now.

A request occupies its place from when it leaves until a whole window after its answer: whenever in between the
exchange counted it, no window of that length ever holds more than the budget.
"""

from __future__ import annotations

import sys
from collections import deque
from enum import StrEnum

from execution_engine.domain.rates import Budget, Rates
from execution_engine.engine.ports import Clock

FIRST_STOP_S = (
    1.0  # after a refusal for its rate nothing leaves for a moment, longer with each one that follows
)
LAST_STOP_S = 60.0
SLOW_S = 60.0  # and for this long after it only half of each budget is used
NO_LIMIT = sys.maxsize


class Kind(StrEnum):
    """What is counted together."""

    ORDER = "order"
    CANCEL = "cancel"
    REQUEST = "request"


class Window:
    """The requests of one kind of late, against one budget."""

    def __init__(self, budget: Budget, clock: Clock) -> None:
        self._budget = budget
        self._clock = clock
        self._taken = 0
        self._answered: deque[tuple[float, int]] = deque()

    def room(self, *, reserved: bool, half: bool) -> int:
        """Return how many may leave now, with or without those that are kept back."""
        self._free()
        kept = 0 if reserved else self._budget.reserved
        most = self._budget.orders - kept
        return max((most + 1) // 2 if half else most, 0) - self._taken

    def take(self, count: int) -> None:
        self._taken += count

    def answered(self, count: int) -> None:
        """Note that requests were answered, or given up: the exchange has counted them by now."""
        self._answered.append((self._clock.monotonic() + self._budget.per_s, count))

    def frees_in(self) -> float | None:
        """Return when a place becomes free [s from now]; None where only an answer can free one."""
        self._free()
        return self._answered[0][0] - self._clock.monotonic() if self._answered else None

    def _free(self) -> None:
        now = self._clock.monotonic()
        while self._answered and self._answered[0][0] <= now:
            self._taken -= self._answered.popleft()[1]


class Limiter:
    """The rate budgets of one account."""

    def __init__(self, rates: Rates, clock: Clock) -> None:
        self._rates = rates
        self._clock = clock
        self._windows: dict[tuple[Kind, str], Window] = {}
        self._stops = 0
        self._stopped_until = clock.monotonic()
        self._slow_until = clock.monotonic()

    def room(self, kind: Kind, symbol: str = "", *, reserved: bool = False) -> int:
        """Return how many requests of a kind may leave now.

        reserved: those that are kept back may be used as well.
        """
        if self._clock.monotonic() < self._stopped_until:
            return 0
        window = self._window(kind, symbol)
        return NO_LIMIT if window is None else max(window.room(reserved=reserved, half=self.is_slow), 0)

    def take(self, kind: Kind, symbol: str = "", count: int = 1) -> None:
        """Count requests that leave now."""
        if (window := self._window(kind, symbol)) is not None:
            window.take(count)

    def answered(self, kind: Kind, symbol: str = "", count: int = 1) -> None:
        """Count requests whose answer came, or will not come any more."""
        if (window := self._window(kind, symbol)) is not None:
            window.answered(count)

    @property
    def shares_orders(self) -> bool:
        """Return whether one symbol's orders leave less room to another's."""
        return not self._rates.per_symbol

    @property
    def window_s(self) -> float:
        """Return how long an order counts; zero where orders are not limited."""
        return self._rates.orders.per_s if self._rates.orders is not None else 0

    @property
    def is_slow(self) -> bool:
        return self._clock.monotonic() < self._slow_until

    def slow_down(self) -> float:
        """Hold back after a refusal for the rate; return for how long less is sent than usual [s].

        What left together is refused together: that is one warning.
        """
        now = self._clock.monotonic()
        if now >= self._stopped_until:
            self._stops = self._stops + 1 if self.is_slow else 1
            stop = min(FIRST_STOP_S * 2.0 ** (self._stops - 1), LAST_STOP_S)
            self._stopped_until = now + stop
            self._slow_until = now + stop + SLOW_S
        return self._slow_until - now

    def frees_in(self) -> float | None:
        """Return when there may be more room than now [s]; None where nothing but an answer can make room."""
        now = self._clock.monotonic()
        if now < self._stopped_until:
            return self._stopped_until - now
        waits = [wait for window in self._windows.values() if (wait := window.frees_in()) is not None]
        if self.is_slow:
            waits.append(self._slow_until - now)
        return min(waits, default=None)

    def _window(self, kind: Kind, symbol: str) -> Window | None:
        budget = self._rates.requests if kind is Kind.REQUEST else self._rates.orders
        if budget is None:
            return None
        if kind is Kind.CANCEL and not self._rates.cancels_apart:
            kind = Kind.ORDER
        key = (kind, symbol if self._rates.per_symbol and kind is not Kind.REQUEST else "")
        window = self._windows.get(key)
        if window is None:
            window = self._windows[key] = Window(budget, self._clock)
        return window
