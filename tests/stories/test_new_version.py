"""An update and the way back, with two real versions of the program and of its data.

The newer one is this program with another number and one more step of its schema, which no older one can read.
"""

import json
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

import execution_engine
from execution_engine.adapters.storage import migrate
from execution_engine.main import resources
from tests.stories.installation import Installation

BTC = "BINANCE:BTCUSDT"
STEP = '''"""One more column."""

import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "9000", "{before}", None, None


def upgrade() -> None:
    op.add_column("engine", sa.Column("mood", sa.Text, nullable=False, server_default="calm"))


def downgrade() -> None:
    op.drop_column("engine", "mood")
'''


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the source of a newer version."""
    root = tmp_path_factory.mktemp("newer")
    source = Path(execution_engine.__file__).parent
    shutil.copytree(source, root / "src" / "execution_engine", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(resources(), root / "resources")
    package = root / "src" / "execution_engine"
    (package / "__init__.py").write_text('"""Newer."""\n\n__version__ = "9.0.0"\n')
    storage = package / "adapters" / "storage"
    steps = storage / "migrations" / "versions"
    (steps / "9000_mood.py").write_text(STEP.format(before=migrate.REVISION))
    text = (storage / "migrate.py").read_text()
    (storage / "migrate.py").write_text(
        re.sub(r'^REVISION = ".*"$', 'REVISION = "9000"', text, flags=re.MULTILINE)
    )
    return root / "src"


def becomes(installation: Installation, source: Path | None) -> Installation:
    """Let another version be installed: the one with this source, or this one."""
    if source is None:
        installation.environment.pop("PYTHONPATH", None)
    else:
        installation.environment["PYTHONPATH"] = str(source)
    return installation


def version_of(installation: Installation) -> str:
    return str(installation.state()["engine"]["version"])


def traded(installation: Installation, price: int) -> None:
    """Trade to the end."""
    before = len(installation.groups(BTC))
    installation.price(BTC, price)
    installation.accepted(BTC, price=price)
    installation.live(BTC, after=before)
    installation.price(BTC, price * 2)
    installation.group(BTC, "closed", after=before)


def revision(installation: Installation) -> str:
    return str(installation.rows("SELECT version_num FROM alembic_version")[0][0])


def folders(installation: Installation) -> list[str]:
    return sorted(path.name.rsplit("-", 1)[0] for path in installation.folder.backups.glob("before-*"))


@pytest.mark.fault(75)
def test_an_update_keeps_everything_and_the_way_back_restores_it(
    install: Callable[..., Installation], newer: Path
):
    here = install().start()
    traded(here, 100)
    here.stop()
    assert folders(here) == []

    becomes(here, newer).start()
    assert version_of(here) == "9.0.0"
    assert folders(here) == ["before-9.0.0"]
    assert revision(here) == "9000"
    traded(here, 300)
    assert len(here.groups(BTC)) == 2
    here.stop()

    told = becomes(here, None).cli("state")
    assert told.returncode == 0
    assert "cannot be read by this one, so the state of before that update is back" in told.stderr
    here.start_restored()
    assert version_of(here) == execution_engine.__version__
    assert revision(here) == migrate.REVISION
    assert len(here.groups(BTC)) == 1, "the state of before the update is back"
    (aside,) = here.root.glob("engine-set-aside-*.sqlite")
    with closing(sqlite3.connect(aside)) as kept:
        assert kept.execute("SELECT mood FROM engine").fetchall() == [("calm",)]
    traded(here, 500)
    here.prove_books()
    here.prove_flat()
    here.stop()

    becomes(here, newer).start()  # and forward again
    assert len(here.groups(BTC)) == 2
    assert folders(here) == ["before-9.0.0", "before-9.0.0"]
    here.stop()


@pytest.mark.fault(75)
def test_nobody_goes_back_over_open_positions_without_saying_so(
    install: Callable[..., Installation], newer: Path
):
    here = install().start()
    here.stop()
    becomes(here, newer).start()
    assert revision(here) == "9000"
    here.price(BTC, 101)
    here.accepted(BTC, price=100)
    here.live(BTC)
    here.stop()
    written = here.folder.database.read_bytes()

    becomes(here, None)
    refused = here.cli("state", "--json")
    assert refused.returncode == 1
    assert refused.stderr.startswith("Version 9.0.0 has positions open")
    assert here.folder.database.read_bytes() == written

    (copy,) = here.folder.backups.glob("before-9.0.0-*/engine.sqlite")
    assert str(copy) in refused.stderr
    assert here.cli("restore", str(copy), "--yes").returncode == 0
    assert json.loads(here.cli("state", "--json").stdout)["groups"] == []
