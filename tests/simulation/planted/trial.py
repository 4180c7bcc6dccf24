"""Runs seeds one after the other against the source it finds itself beside, up to the first that breaks.

A process of its own, begun in a copy of the project: `python -m tests.simulation.planted.trial 1 2000`. It says what
it does in lines of JSON.
"""

from __future__ import annotations

import _thread
import gc
import json
import sys
from pathlib import Path
from threading import Timer
from typing import Any

import execution_engine
from tests.simulation.auditor import Broken
from tests.simulation.draw import draw
from tests.simulation.world import run

LONGEST_S = 120.0  # a history takes half a second of the processor; one that takes so long has no end


def main(first: int, last: int) -> None:
    """Run seeds until one breaks; say which one has begun, and how it ended."""
    for part in (execution_engine.__file__, __file__):
        assert Path(part).is_relative_to(Path.cwd()), f"{part} is not the copy in {Path.cwd()}"
    for seed in range(first, last + 1):
        say(began=seed)
        broken = outcome(seed)
        if broken is not None:
            say(seed=seed, code=broken.code, text=broken.text)
            return
    say(held=last)


def outcome(seed: int) -> Broken | None:
    """Run one seed; a history that does not come to its end is broken too."""
    gc.collect()
    patience = Timer(LONGEST_S, _thread.interrupt_main)
    patience.daemon = True
    patience.start()
    try:
        return run(draw(seed)).broken
    except KeyboardInterrupt:
        return Broken("endless", f"the history did not end within {LONGEST_S:.0f} s")
    except Exception as error:
        return Broken("crash", f"{type(error).__name__}: {error}")
    finally:
        patience.cancel()


def say(**told: Any) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
