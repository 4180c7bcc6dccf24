"""These take minutes: `make deb` and `make installer` name them; everybody else goes without."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    asked = any(HERE.name in argument for argument in config.args)
    for item in items:
        if HERE in item.path.parents and not asked:
            item.add_marker(pytest.mark.skip(reason="`make deb` and `make installer` run these"))
