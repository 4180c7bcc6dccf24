"""The circuit breaker of one account: after several failed calls in a row nothing is tried for a while.

Written here because the breakers that can be had ask the operating system for the time, and this one has to run on
the clock port: in the simulation time is made.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum

from execution_engine.domain.settings import Orders as Terms
from execution_engine.engine.ports import Clock


class State(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Call(StrEnum):
    """What is counted by itself: an exchange that can be read may still take no orders."""

    ORDERS = "orders"
    READING = "reading"


class Breaker:
    """Counts failed calls. Half-open, one call at a time is let through, and its outcome decides.

    terms: the settings of the moment. told: hears of every change of the state.
    """

    def __init__(self, clock: Clock, terms: Callable[[], Terms], told: Callable[[], None]) -> None:
        self._clock = clock
        self._terms = terms
        self._told = told
        self._failures = dict.fromkeys(Call, 0)
        self._opens_again = clock.monotonic()
        self._probes = 0
        self.state = State.CLOSED
        self.until: datetime | None = None

    def lets(self) -> bool:
        """Return whether a call may leave now."""
        self._look_at_clock()
        return self.state is State.CLOSED or (self.state is State.HALF_OPEN and not self._probes)

    def leaves(self) -> bool:
        """Note a call that leaves; return whether it is a probe, to be told with its outcome."""
        self._look_at_clock()
        if self.state is not State.HALF_OPEN:
            return False
        self._probes += 1
        return True

    def withdrawn(self, *, probe: bool) -> None:
        """Take back a call that did not leave after all."""
        self._probes -= probe

    def answered(self, call: Call, *, well: bool, probe: bool = False) -> None:
        """Take in how a call ended: with an answer, whatever it says, or with none that can be understood."""
        self._look_at_clock()
        if probe:
            self._probes -= 1
        if self.state is State.HALF_OPEN and (probe or not self._probes):
            self._close() if well else self._open()
        elif self.state is State.CLOSED:
            self._failures[call] = 0 if well else self._failures[call] + 1
            if self._failures[call] >= self._terms().breaker_failures:
                self._open()

    @property
    def half_opens_in(self) -> float | None:
        """Return when it is tried again [s from now]; None where that is not waited for."""
        self._look_at_clock()
        return self._opens_again - self._clock.monotonic() if self.state is State.OPEN else None

    def _look_at_clock(self) -> None:
        if self.state is State.OPEN and self._clock.monotonic() >= self._opens_again:
            self._change(State.HALF_OPEN, None)

    def _open(self) -> None:
        pause = self._terms().breaker_pause_s
        self._opens_again = self._clock.monotonic() + pause
        self._change(State.OPEN, self._clock.now() + timedelta(seconds=pause))

    def _close(self) -> None:
        self._failures = dict.fromkeys(Call, 0)
        self._change(State.CLOSED, None)

    def _change(self, state: State, until: datetime | None) -> None:
        self.state, self.until = state, until
        self._told()
