"""One measured figure, and the table of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """What was measured, what it came to, and the limit that it must keep (same unit; None: for information)."""

    name: str
    value: float
    limit: float | None = None
    unit: str = "ms"
    beside: str = ""

    @property
    def holds(self) -> bool:
        return self.limit is None or self.value <= self.limit


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def spread(name: str, seconds: Sequence[float], p99_limit_ms: float | None, beside: str = "") -> list[Figure]:
    """Return p50 and p99 of a series of times [s] as figures [ms]."""
    return [
        Figure(f"{name}, p50", percentile(seconds, 0.5) * 1000, beside=beside),
        Figure(f"{name}, p99", percentile(seconds, 0.99) * 1000, p99_limit_ms, beside=beside),
    ]


def table(figures: Sequence[Figure]) -> str:
    """Write the figures under one another."""
    width = max(len(figure.name) for figure in figures)
    lines = [f"\n{'what':<{width}}  {'measured':>10}  {'limit':>8}  unit  beside it"]
    for figure in figures:
        limit = "" if figure.limit is None else f"{figure.limit:g}"
        mark = " " if figure.holds else "!"
        lines.append(
            f"{figure.name:<{width}}  {figure.value:>10.2f} {mark}{limit:>8}  {figure.unit:<4}  {figure.beside}"
        )
    return "\n".join(lines)
