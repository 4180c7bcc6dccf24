"""Note until when a refused leg waits for the rules of its market, which changed."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = ("orders", "history_orders")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("rules_by", sa.Text))


def downgrade() -> None:
    for table in TABLES:
        op.drop_column(table, "rules_by")
