"""Note until when a refused leg waits for its market's new rules, and on which computer these books trade."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NEW = (("orders", "rules_by"), ("history_orders", "rules_by"), ("engine", "machine"), ("engine", "moved_to"))


def upgrade() -> None:
    for table, column in NEW:
        op.add_column(table, sa.Column(column, sa.Text))


def downgrade() -> None:
    for table, column in reversed(NEW):
        op.drop_column(table, column)
