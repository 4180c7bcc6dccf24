from pathlib import Path

import pytest

from tests.bundle.built import PROGRAM

LIMIT_S = 180


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(LIMIT_S))
            item.add_marker(pytest.mark.slow)
            if not PROGRAM.exists():
                item.add_marker(pytest.mark.skip(reason="there is no bundle; `make bundle` makes one"))
