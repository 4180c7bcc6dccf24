"""What a batch of seeds has met: a fault that never happened to an order in some state proves nothing about it."""

from __future__ import annotations

from collections import Counter

Met = tuple[str, str]


class Sometimes:
    """Counts pairs of a fault and what it met."""

    def __init__(self) -> None:
        self.met: Counter[Met] = Counter()

    def hit(self, fault: str, state: str) -> None:
        self.met[fault, state] += 1
