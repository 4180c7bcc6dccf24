"""Note where each act in the audit log came from, and that nothing is sent after a restore until the user says so.

The tables are made anew, so that they are the same to the letter as those that are made at once. Entries that are
there keep their hashes: without an origin they are chained as they were.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ENGINE = ("id", "install_key", "epoch", "paused", "paused_at", "paper_feed", "started_at")
AUDIT = ("id", "at", "act", "detail", "hash")
INTEGERS = {"id", "epoch", "paused"}
OPTIONAL = {"paused_at", "started_at"}


def upgrade() -> None:
    _remade("engine", ENGINE, "recovering")
    op.drop_index("ix_audit_log_at", "audit_log")
    _remade("audit_log", AUDIT, "origin")
    op.create_index("ix_audit_log_at", "audit_log", ["at"])


def downgrade() -> None:
    """Go back; an entry whose hash covers its origin does not verify without it."""
    _remade("engine", ENGINE)
    op.drop_index("ix_audit_log_at", "audit_log")
    _remade("audit_log", AUDIT)
    op.create_index("ix_audit_log_at", "audit_log", ["at"])


def _remade(table: str, kept: tuple[str, ...], new: str = "") -> None:
    """Make a table of the columns kept, and an empty text as the new one."""
    op.rename_table(table, f"{table}_before")
    names = [*kept, new] if new else kept
    op.create_table(table, *map(_column, names), sqlite_strict=True)
    more = ", ''" if new else ""
    op.execute(f"INSERT INTO {table} SELECT {', '.join(kept)}{more} FROM {table}_before")
    op.drop_table(f"{table}_before")


def _column(name: str) -> sa.Column[int] | sa.Column[str]:
    if name == "id":
        return sa.Column(name, sa.Integer, primary_key=True, autoincrement=False)
    if name in INTEGERS:
        return sa.Column(name, sa.Integer, nullable=False)
    return sa.Column(name, sa.Text, nullable=name in OPTIONAL)
