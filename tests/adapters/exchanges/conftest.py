"""Have all processes of a run read each exchange's markets once: a reading starts a process that imports ccxt."""

from pathlib import Path

import pytest

from tests.adapters.exchanges import ccxt_stage


@pytest.fixture(scope="session", autouse=True)
def _markets(together: Path) -> None:
    ccxt_stage.KEPT = together / "markets"
