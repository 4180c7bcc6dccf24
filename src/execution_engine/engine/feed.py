"""Tells listeners what was released. A failing listener is logged, never felt."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from execution_engine.domain.facts import Fact
from execution_engine.domain.inputs import Balances, Instruments, Price
from execution_engine.domain.rows import Row

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True)
class Released:
    """A change that is durable: rows as they were committed, and what happened."""

    rows: tuple[Row, ...]
    facts: tuple[Fact, ...]

    @cached_property
    def kinds(self) -> frozenset[type[Row]]:
        """The types of its rows: most listeners care about few, and few changes concern them."""
        return frozenset(map(type, self.rows))


class Feed:
    """Four streams: durable changes; prices as they come; balances and rules of markets as they are read."""

    def __init__(self) -> None:
        self._released: list[Callable[[Released], None]] = []
        self._prices: list[Callable[[Price], None]] = []
        self._balances: list[Callable[[Balances], None]] = []
        self._rules: list[Callable[[Instruments], None]] = []

    def on_released(self, listener: Callable[[Released], None]) -> None:
        self._released.append(listener)

    def on_price(self, listener: Callable[[Price], None]) -> None:
        self._prices.append(listener)

    def on_balances(self, listener: Callable[[Balances], None]) -> None:
        self._balances.append(listener)

    def on_rules(self, listener: Callable[[Instruments], None]) -> None:
        self._rules.append(listener)

    def released(self, change: Released) -> None:
        _tell(self._released, change)

    def price(self, price: Price) -> None:
        _tell(self._prices, price)

    def balances(self, read: Balances) -> None:
        _tell(self._balances, read)

    def rules(self, read: Instruments) -> None:
        _tell(self._rules, read)


def _tell(listeners: list[Callable[[T], None]], news: T) -> None:
    for listener in tuple(listeners):
        try:
            listener(news)
        except Exception:
            log.exception("a listener failed")
