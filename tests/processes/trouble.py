"""What can go wrong between a request and its answer, on demand and by chance."""

from __future__ import annotations

import random
from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Trouble(StrEnum):
    LOST = "lost"  # the connection breaks before anything was carried out
    UNANSWERED = "unanswered"  # it was carried out, then the connection breaks
    CUT = "cut"  # it was carried out, half of the answer arrives
    ERROR = "error"  # a page that says 500, before anything was carried out
    ERROR_AFTER = "error after"  # the same page, though it was carried out
    NONSENSE = "nonsense"  # it was carried out, the answer is a page with 200
    SILENT = "silent"  # it was carried out, and no answer comes for long


class Troubles:
    """Decides for each request. rates: how likely each trouble is, by call; `*` is every call."""

    def __init__(self) -> None:
        self._chance = random.Random(0)
        self._rates: Mapping[str, Mapping[str, float]] = {}
        self._once: dict[str, list[Trouble]] = {}
        self._slow_s = 0.0
        self._happened: dict[str, int] = {}

    def order(self, asked: Mapping[str, Any]) -> None:
        """Do from now on as asked: `seed`, `rates`, `slow_ms`, and `next`: call → what happens to its next ones."""
        if "seed" in asked:
            self._chance = random.Random(asked["seed"])
        self._rates = asked.get("rates", self._rates)
        self._slow_s = asked.get("slow_ms", self._slow_s * 1000) / 1000
        planned = asked.get("next", {})
        self._once = {call: list(map(Trouble, troubles)) for call, troubles in planned.items()}

    def tell(self) -> dict[str, int]:
        """Return what happened how often since this was asked before."""
        happened, self._happened = self._happened, {}
        return happened

    def pause_s(self) -> float:
        """Return how long a request or an answer is on its way."""
        return self._chance.random() * self._slow_s

    def draw(self, call: str) -> Trouble | None:
        """Return what happens to a request now."""
        found = self._drawn(call)
        if found is not None:
            self._happened[f"{call} {found}"] = self._happened.get(f"{call} {found}", 0) + 1
        return found

    def _drawn(self, call: str) -> Trouble | None:
        if planned := self._once.get(call):
            return planned.pop(0)
        point = self._chance.random()
        for name, rate in (self._rates.get(call) or self._rates.get("*") or {}).items():
            point -= rate
            if point < 0:
                return Trouble(name)
        return None
