"""The program's own command line with everything that it needs imported: see `tests.nest`."""

from execution_engine.cli import main
from tests.nest import hatch

if __name__ == "__main__":
    hatch(main)
