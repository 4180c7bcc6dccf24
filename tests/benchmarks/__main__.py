"""`make bench`: measure what the application promises and print one table.

Every figure stands beside a bare baseline of the same run where there is one: these machines are noisy, ratios
carry over, absolute times do not. `make bench ARGS="intake"` measures one part.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable

from tests.benchmarks import (
    checking,
    hostile,
    intake,
    journeys,
    keeping,
    month,
    occupation,
    promoting,
    protocol,
    queue_and_risk_pages,
    recovery,
    risk,
    saving,
    screens,
    start,
    trading,
    urgency,
)
from tests.benchmarks.figures import Figure, table

PARTS: dict[str, Callable[[], Iterable[Figure]]] = {
    "intake": intake.measure,
    "journeys": journeys.measure,
    "protocol": protocol.measure,
    "hostile": hostile.measure,
    "urgency": urgency.measure,
    "promoting": promoting.measure,
    "checking": checking.measure,
    "recovery": recovery.measure,
    "risk": risk.measure,
    "saving": saving.measure,
    "screens": screens.measure,
    "keeping": keeping.measure,
    "month": month.measure,
    "trading": trading.measure,
    "start": start.measure,
    "occupation": occupation.measure,
    "pages": queue_and_risk_pages.measure,
}


def main(wanted: list[str]) -> int:
    unknown = [name for name in wanted if name not in PARTS]
    if unknown:
        print(f"there is no benchmark {', '.join(unknown)}; there are: {', '.join(PARTS)}", file=sys.stderr)
        return 2
    figures: list[Figure] = []
    for name in wanted or PARTS:
        begun = time.monotonic()
        print(f"measuring {name} …", end=" ", flush=True)
        figures += PARTS[name]()
        print(f"{time.monotonic() - begun:.0f} s")
    print(table(figures))
    return 0 if all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
