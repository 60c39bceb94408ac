"""The question before an unanswered one, without which a short one means nothing."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("unanswered_question", sa.Column("after", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("unanswered_question") as table:
        table.drop_column("after")
