"""Measure how strong the simulation is: `make planted`, `make planted ARGS="--only repeat-on-timeout"`.

Each planted bug is put into a copy of the source and has to break an invariant within the given number of seeds.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.simulation.planted.bug import Bug, every
from tests.simulation.planted.hunt import ROOT, Clean, Find, copied, hunt, line, table

FIRST_SEEDS = 100  # looked at without any bug before the hunt begins; later ones as they are needed


def main(arguments: list[str]) -> int:
    asked = _parse(arguments)
    bugs = every()
    if unknown := sorted(set(asked.only) - {bug.name for bug in bugs}):
        say(f"there is no bug {', '.join(unknown)}")
        return 2
    wanted = [bug for bug in bugs if not asked.only or bug.name in asked.only]
    if asked.list:
        for bug in wanted:
            say(f"{bug.name}: {bug.mistake}")
        return 0
    return measure(wanted, asked.most, asked.jobs)


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="planted", description="Find planted bugs by simulation.")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="these bugs alone")
    parser.add_argument("--most", type=int, default=2000, help="seeds within which each has to be found")
    parser.add_argument("--jobs", type=int, default=2, help="how many are hunted at a time")
    parser.add_argument("--list", action="store_true", help="say what there is, and run nothing")
    return parser.parse_args(arguments)


def measure(bugs: list[Bug], most: int, jobs: int) -> int:
    """Hunt for bugs and print what was found; fail if any was not."""
    with TemporaryDirectory(prefix="planted-") as name, copied(ROOT, Path(name)) as origin:
        clean = Clean(origin)
        first = min(FIRST_SEEDS, most)
        clean.look(1, first)
        say(f"without any bug {len(clean.broken)} of the first {first} seeds break")

        def look_for(bug: Bug) -> Find:
            find = hunt(bug, clean, Path(name), most)
            say(line(find))
            return find

        with ThreadPoolExecutor(jobs) as pool:
            finds = list(pool.map(look_for, bugs))
    return report(finds, clean, most)


def report(finds: list[Find], clean: Clean, most: int) -> int:
    found = [find for find in finds if find.found]
    looked = len(clean.holding) + len(clean.broken)
    say(f"\n{table(finds)}\n")
    say(f"{len(clean.broken)} of {looked} seeds break without any bug and were passed over")
    for seed, text in sorted(clean.broken.items()):
        say(f"  seed {seed} {text}")
    say(f"{len(found)} of {len(finds)} planted bugs found within {most} seeds")
    if found:
        seeds = [find.seed for find in found]
        within = sum(seed <= 100 for seed in seeds)
        say(f"{within} of them within 100; the median is seed {statistics.median(seeds):.0f}")
    return 0 if len(found) == len(finds) else 1


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
