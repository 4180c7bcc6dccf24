"""Drop the indexes that nothing asks: each was one more page to write with every alert or with every fill."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

UNASKED = (
    ("alerts", "received_at"),
    ("alerts", "group_id"),
    ("alert_keys", "key"),
    ("alert_keys", "received_at"),
    ("position_groups", "status"),
    ("position_groups", "closed_at"),
)


def upgrade() -> None:
    for table, column in UNASKED:
        op.drop_index(f"ix_{table}_{column}", table)


def downgrade() -> None:
    for table, column in UNASKED:
        op.create_index(f"ix_{table}_{column}", table, [column])
