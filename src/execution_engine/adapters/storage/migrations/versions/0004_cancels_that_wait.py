"""Note when a cancel that came to nothing goes out again, and how many did."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = ("orders", "history_orders")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("cancel_at", sa.Text))
        op.add_column(table, sa.Column("cancels_in_vain", sa.Integer))


def downgrade() -> None:
    for table in TABLES:
        op.drop_column(table, "cancels_in_vain")
        op.drop_column(table, "cancel_at")
