"""Run simulated histories.

`make simulate ARGS="--seeds 1000 --jobs 2"` runs seeds, `--seed 7` tells the story of one, `--shrink 7` makes a
failing one as small as it gets, `--speed` measures.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from tests.simulation import speed
from tests.simulation.batch import Tally, many
from tests.simulation.draw import draw
from tests.simulation.open_defects import OPEN
from tests.simulation.program import Program, dump, load
from tests.simulation.shrink import shrink
from tests.simulation.sometimes import missing, table
from tests.simulation.world import run


def main(arguments: list[str]) -> int:
    asked = _parse(arguments)
    if asked.speed:
        say(speed.report(speed.measure()))
        return 0
    if asked.program is not None:
        return tell(load(asked.program.read_text(encoding="utf-8")))
    if asked.seed is not None:
        return tell(draw(asked.seed))
    if asked.shrink is not None:
        return make_smaller(asked.shrink, asked.keep)
    return batch(asked.first, asked.seeds, asked.jobs, asked.tally)


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="simulate", description="Run simulated histories.")
    parser.add_argument("--seeds", type=int, default=100, help="how many seeds to run")
    parser.add_argument("--from", dest="first", type=int, default=1, help="the first seed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many processes share them")
    parser.add_argument("--seed", type=int, help="run one seed and tell its story")
    parser.add_argument("--program", type=Path, help="run a program that was kept and tell its story")
    parser.add_argument("--shrink", type=int, metavar="SEED", help="make a failing seed smaller")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="where the smaller program is written")
    parser.add_argument("--tally", type=Path, metavar="FILE", help="where what was met is written")
    parser.add_argument("--speed", action="store_true", help="measure how fast 20 groups on 5 symbols run")
    return parser.parse_args(arguments)


def tell(program: Program) -> int:
    """Run one program and print its story."""
    ending = run(program, tell=True)
    assert ending.story is not None
    for line in ending.story.lines:
        say(line)
    say(
        f"\nseed {program.seed}, {ending.seconds:.0f} s simulated in {ending.took:.2f} s, {ending.lives} lives"
    )
    say(f"history {ending.story.hash}")
    say(f"BROKEN {ending.broken.code}: {ending.broken.text}" if ending.broken else "every invariant held")
    return 1 if ending.broken else 0


def make_smaller(seed: int, keep: Path | None) -> int:
    """Shrink a failing seed, tell the story of what is left, and keep it where that is wanted."""
    small = shrink(draw(seed), say)
    if small is None:
        say(f"seed {seed} breaks nothing")
        return 2
    if keep is not None:
        keep.write_text(dump(small), encoding="utf-8")
    return tell(small)


def batch(first: int, count: int, jobs: int, file: Path | None = None) -> int:
    """Run many seeds; fail for a broken invariant, and for blindness."""

    def heard(part: Tally, total: Tally) -> None:
        for seed, broken in sorted(part.failures.items()):
            say(f"seed {seed} BROKEN {broken.code}: {broken.text}")
        if total.seeds // 500 != (total.seeds - part.seeds) // 500:
            say(f"… {total.seeds} of {count} seeds, {len(total.failures)} failures")

    total, took = many(first, count, jobs, heard)
    hours = total.seconds / 3600
    for seed in sorted(OPEN.keys() & set(range(first, first + count))):
        say(f"seed {seed} may fail until this is mended: {OPEN[seed]}")
    say(
        f"\n{total.seeds} seeds from {first} in {took:.0f} s on {jobs} processes: {len(total.failures)} failures"
    )
    say(f"{hours:.1f} simulated hours, {total.lives} lives, {total.commits} commits")
    say(f"{total.seconds / took:,.0f} × real time, {total.seconds / total.took:,.0f} × on one processor")
    say(table(total.met))
    if file is not None:
        file.write_text(json.dumps([[*met, times] for met, times in total.met.items()]), encoding="utf-8")
    blind = missing(total.met, total.seeds)
    if blind:
        say("never met: " + ", ".join(f"{fault} × {state}" for fault, state in blind))
    return 1 if total.failures or blind else 0


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
