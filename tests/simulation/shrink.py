"""A failing program made as small as it gets, by leaving out what the failure does not need."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.simulation.program import Event, Program
from tests.simulation.world import run

Say = Callable[[str], None]
Fails = Callable[[Program], bool]


def shrink(program: Program, say: Say = lambda text: None) -> Program | None:
    """Return the smallest program found that breaks the same invariant; None if it breaks none."""
    broken = run(program).broken
    if broken is None:
        return None
    say(f"{broken.code}: {broken.text}")

    def fails(smaller: Program) -> bool:
        found = run(smaller).broken
        return found is not None and found.code == broken.code

    return smallest(program, fails, say)


def smallest(program: Program, fails: Fails, say: Say = lambda text: None) -> Program:
    """Leave out and simplify as long as it still fails."""
    before = None
    while program != before:
        before = program
        program = _shorter(program, fails)
        program = _fewer_events(program, fails)
        for simpler in (_fewer_rates, _plainer):
            program = simpler(program, fails)
        say(f"{len(program.events)} events, {len(program.rates)} rates, {program.length_s:.0f} s")
    return program


def _shorter(program: Program, fails: Fails) -> Program:
    """End as early as possible."""
    for part in (0.25, 0.5, 0.75, 0.9):
        length = round(program.length_s * part)
        shorter = replace(
            program,
            length_s=length,
            events=tuple(event for event in program.events if event["at"] <= length),
        )
        if fails(shorter):
            return _shorter(shorter, fails)
    return program


def _fewer_events(program: Program, fails: Fails) -> Program:
    """Leave out events, many at once first (delta debugging)."""
    size = max(len(program.events) // 2, 1)
    while program.events:
        for kept in _without(program.events, size):
            if fails(program.with_events(kept)):
                program = program.with_events(kept)
                break
        else:
            if size == 1:
                break
            size //= 2
        size = max(min(size, len(program.events)), 1)
    return program


def _without(events: tuple[Event, ...], size: int) -> Iterator[tuple[Event, ...]]:
    for start in range(0, len(events), size):
        yield events[:start] + events[start + size :]


def _fewer_rates(program: Program, fails: Fails) -> Program:
    for fault in program.rates:
        without = program.without_rate(fault)
        if fails(without):
            program = without
    return program


def _plainer(program: Program, fails: Fails) -> Program:
    """Take the usual value of whatever need not be special."""
    usual = Program(seed=program.seed)
    for name in (
        "jitter",
        "spread",
        "counts_sleep",
        "retention_s",
        "most_open",
        "commit_s",
        "latency_s",
        "start",
    ):
        value = getattr(usual, name)
        if getattr(program, name) != value and fails(plainer := replace(program, **{name: value})):
            program = plainer
    return program
