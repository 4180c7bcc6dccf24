"""Note with every entry of the audit log where it came from.

The table is made anew, so that it is the same to the letter as one that is made at once. Entries that are there keep
their hashes: without an origin they are chained as they were.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

OLD = ("id", "at", "act", "detail", "hash")


def upgrade() -> None:
    _remade(*OLD, "origin")


def downgrade() -> None:
    """Go back; an entry whose hash covers its origin does not verify without it."""
    _remade(*OLD)


def _remade(*names: str) -> None:
    op.drop_index("ix_audit_log_at", "audit_log")
    op.rename_table("audit_log", "audit_log_before")
    op.create_table("audit_log", *map(_column, names), sqlite_strict=True)
    kept = ", ".join(OLD)
    more = ", ''" if len(names) > len(OLD) else ""
    op.execute(f"INSERT INTO audit_log SELECT {kept}{more} FROM audit_log_before")
    op.drop_table("audit_log_before")
    op.create_index("ix_audit_log_at", "audit_log", ["at"])


def _column(name: str) -> sa.Column[int] | sa.Column[str]:
    if name == "id":
        return sa.Column(name, sa.Integer, primary_key=True, autoincrement=False)
    return sa.Column(name, sa.Text, nullable=False)
