"""The schema is this version's, however a database got here, and there is a way back."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from shutil import copytree

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from execution_engine.adapters.storage import check, migrate
from execution_engine.adapters.storage.codec import time_text
from execution_engine.adapters.storage.connect import open_engine
from execution_engine.adapters.storage.errors import DatabaseNewer, DatabaseUnusable, StorageError
from execution_engine.adapters.storage.reader import Reader
from execution_engine.adapters.storage.store import SqliteStore
from execution_engine.adapters.storage.tables import metadata
from execution_engine.adapters.storage.verify import verify
from execution_engine.domain import audit
from execution_engine.domain.rows import AuditEntry
from tests.adapters.storage.making import NOW, committed, family

NEXT_STEP = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "0007", "0006", None, None

def upgrade():
    with op.batch_alter_table("position_groups") as table:
        table.add_column(sa.Column("mood", sa.Text, nullable=False, server_default="calm"))
    {more}

def downgrade():
    op.drop_column("position_groups", "mood")
"""


@pytest.fixture
def next_version(tmp_path: Path) -> Callable[..., Path]:
    """Make the steps of a version that has one more."""

    def make(more: str = "pass") -> Path:
        steps = tmp_path / "100 % steps"
        copytree(migrate.STEPS, steps)
        (steps / "versions" / "0007_mood.py").write_text(NEXT_STEP.replace("{more}", more))
        return steps

    return make


def schema(path: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT name, sql FROM sqlite_master").fetchall()
    return sorted((name, " ".join((sql or "").split())) for name, sql in found)


def no_backup(_: str) -> Path:
    raise AssertionError("a backup was made although nothing is to be changed")


def test_the_steps_lead_to_the_tables_of_today(path: Path) -> None:
    made_at_once = schema(path)
    migrate.downgrade(path, "base")
    assert [name for name, _ in schema(path) if not name.startswith("sqlite_")] == ["alembic_version"]
    migrate.run(path, "upgrade", "head", migrate.STEPS)
    assert schema(path) == made_at_once
    assert migrate.revision_of(path) == migrate.REVISION
    engine = open_engine(path)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


@pytest.mark.fault(75)
def test_an_older_database_is_backed_up_and_keeps_its_rows(
    path: Path, tmp_path: Path, next_version: Callable[..., Path]
) -> None:
    store = SqliteStore(path)
    committed(store, *family(10))
    store.close()
    steps = next_version()
    made = migrate.upgrade(
        path, lambda old: check.backup_before(path, tmp_path, old, NOW), steps=steps, head="0007"
    )
    assert made == tmp_path / "engine-schema-0006-20261120T100338Z.sqlite"
    assert set(SqliteStore(made).load()) == set(family(10))
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT id, mood FROM position_groups").fetchall() == [(10, "calm")]
        assert connection.execute("SELECT count(*) FROM fills").fetchall() == [(1,)]
    migrate.downgrade(path, "0006", steps=steps)
    assert set(SqliteStore(path).load()) == set(family(10))
    assert migrate.upgrade(path, no_backup) is None


@pytest.mark.fault(75)
@pytest.mark.parametrize(
    ("more", "error", "sentence"),
    [
        ('op.execute("INSERT INTO nowhere VALUES (1)")', DatabaseUnusable, "no such table"),
        ('op.execute("DELETE FROM position_groups")', StorageError, "rows without their group"),
    ],
)
def test_a_step_that_fails_changes_nothing(
    path: Path, next_version: Callable[..., Path], more: str, error: type[Exception], sentence: str
) -> None:
    store = SqliteStore(path)
    committed(store, *family(10))
    store.close()
    before = schema(path)
    with pytest.raises(error, match=sentence):
        migrate.upgrade(path, lambda _: path, steps=next_version(more), head="0007")
    assert schema(path) == before
    assert set(SqliteStore(path).load()) == set(family(10))
    assert migrate.revision_of(path) == "0006"


def test_acts_from_before_their_origin_was_noted_stay_as_they_are_and_the_chain_goes_on(
    path: Path, tmp_path: Path
) -> None:
    migrate.downgrade(path, "0001")
    first = audit.chain("", AuditEntry(id=1, at=NOW, act=audit.Act.PAUSED, detail="Paused by hand."))
    with closing(sqlite3.connect(path)) as connection, connection:
        values = (1, time_text(NOW), first.act, first.detail, first.hash)
        connection.execute("INSERT INTO audit_log VALUES (?, ?, ?, ?, ?)", values)
    migrate.upgrade(path, lambda old: check.backup_before(path, tmp_path, old, NOW))
    later = AuditEntry(id=2, at=NOW, act=audit.Act.RESUMED, detail="Resumed by hand.", origin="window")
    store = SqliteStore(path)
    committed(store, audit.chain(first.hash, later))
    store.close()
    assert [entry.origin for entry in Reader(path).audit()] == ["", "window"]
    assert verify(path) == []


@pytest.mark.fault(75)
def test_a_database_of_a_newer_version_is_refused_and_left_alone(path: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0107'")
    with pytest.raises(DatabaseNewer, match="was written by a newer version"):
        check.open_database(path, tmp_path / "backups", NOW)
    assert migrate.revision_of(path) == "0107"
    assert not (tmp_path / "backups").exists()


def test_an_up_to_date_database_is_recognised_without_importing_alembic(path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from datetime import datetime, UTC\n"
        "from execution_engine.adapters.storage import check\n"
        "check.open_database(Path(sys.argv[1]), Path(sys.argv[1]).parent, datetime.now(UTC))\n"
        "assert not [name for name in sys.modules if name.split('.')[0] in ('alembic', 'mako')]\n"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=True)
