"""These take minutes and need a bundle: `make bundle` makes one and names them; everybody else goes without."""

from pathlib import Path

import pytest

from tests.bundle.built import PROGRAM

HERE = Path(__file__).parent
LIMIT_S = 180


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    asked = any(HERE.name in argument for argument in config.args)
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.timeout(LIMIT_S))
            item.add_marker(pytest.mark.slow)
            if not asked:
                item.add_marker(pytest.mark.skip(reason="`make bundle` runs these"))
            elif not PROGRAM.exists():
                item.add_marker(pytest.mark.skip(reason="there is no bundle; `make bundle` makes one"))
