"""`python -m execution_engine`."""

from __future__ import annotations

import multiprocessing
import sys

from execution_engine.cli import main

if __name__ == "__main__":
    multiprocessing.freeze_support()  # a packaged program starts itself to read an exchange's markets
    sys.exit(main())
