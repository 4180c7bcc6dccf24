"""Note with a finding which alert was missed."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("findings", sa.Column("missed", sa.Text))


def downgrade() -> None:
    op.drop_column("findings", "missed")
