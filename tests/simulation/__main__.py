"""`make simulate ARGS="--seed 7"`: run histories, tell one, make a failing one smaller, measure the speed."""

from __future__ import annotations

import argparse
import sys

from tests.simulation.draw import draw
from tests.simulation.world import run


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="simulation")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--from", dest="first", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=20)
    asked = parser.parse_args(arguments)
    if asked.seed is not None:
        ending = run(draw(asked.seed), tell=True)
        assert ending.story is not None
        say("\n".join(ending.story.lines))
        say(f"{ending.story.hash} {ending.broken}")
        return 0
    for seed in range(asked.first, asked.first + asked.seeds):
        ending = run(draw(seed))
        say(f"{seed} {ending.broken} {ending.took:.2f} {ending.commits} {ending.lives}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
