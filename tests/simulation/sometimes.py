"""What a batch of seeds has met: a fault that never happened to an order in some state proves nothing about it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping

Met = tuple[str, str]

ENOUGH_SEEDS = 300  # so many must meet everything that is declared here

PLACED = ("entry", "take_profit", "exit")
RESTING = ("open", "partially_filled")
REPORTED = ("open", "partially_filled", "filled", "cancelled")

CANCELS = ("cancel_lost", "cancel_answer_lost", "cancel_late", "cancel_garbage", "cancel_slow")

# Every fault, and the states that it can meet; each pair must come up in a batch of enough seeds.
REACHABLE: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("place_lost", "place_answer_lost", "place_late", "place_slow", "place_garbage"), PLACED),
    **dict.fromkeys(("place_doubled", "refused_funds", "refused_rules", "refused_rate"), PLACED),
    **dict.fromkeys(CANCELS, ("open", "unknown")),
    "cancel_faulty": ("open", "partially_filled", "unknown"),  # in whichever of these ways
    **dict.fromkeys(("look_fails", "look_absent"), PLACED),
    **dict.fromkeys(("stream_drops", "stream_early", "stream_late", "stream_doubles"), (*REPORTED, "balance")),
    "look_blank": PLACED,
    "cancel_unknown": ("open",),
    "clock_jumps_meanwhile": ("entry",),
    "fill_before_cancel": ("open",),
    "late_fill": ("partially_filled",),
    "partial": RESTING,
    "read_fails": ("",),
    "read_lag": ("",),
    "request_lost": ("alert",),
    "answer": ("200", "202", "422", "503"),
    "answer_lost": ("200", "202"),
    "crash": (*REPORTED, "pending", "unknown", "rejected", "failed"),
    "hand": ("spot", "swap"),
    "liquidation": ("swap",),
    "defect": ("OrderReport", "OrderReports", "Reached", "Settle", "AlertReceived"),
    "promoted": ("alone", "by time", "by replacements", "by loss", "as a pyramid", "dropped"),
    "offset": ("done", "shortfall", "incomplete", "cancelled"),
    "offset_step": ("winner", "loser"),
    "crash_in_offset": ("winner", "loser"),
    **dict.fromkeys(("quote_lost", "quotes_slow"), ("",)),
    "event": (
        "alert", "command", "crash", "power", "fail", "defect", "sleep", "step", "down", "stale", "late", "read_defect",
        "cancelled", "hand", "foreign", "rules",
    ),
}  # fmt: skip


class Sometimes:
    """Counts pairs of a fault and what it met."""

    def __init__(self) -> None:
        self.met: Counter[Met] = Counter()

    def hit(self, fault: str, state: str) -> None:
        self.met[fault, state] += 1
        if fault in CANCELS:
            self.met["cancel_faulty", state] += 1


def missing(met: Mapping[Met, int], seeds: int) -> list[Met]:
    """Return what a batch has never met although it can; nothing is asked of a small one."""
    if seeds < ENOUGH_SEEDS:
        return []
    return [
        (fault, state)
        for fault, states in REACHABLE.items()
        for state in states
        if not met.get((fault, state))
    ]


def table(met: Mapping[Met, int]) -> str:
    """Write a line per fault: what it met, and how often."""
    by_fault: defaultdict[str, list[str]] = defaultdict(list)
    for (fault, state), count in sorted(met.items()):
        by_fault[fault].append(f"{state or 'any'} {count:,}")
    return "\n".join(f"  {fault:<18} {', '.join(counts)}" for fault, counts in by_fault.items())
