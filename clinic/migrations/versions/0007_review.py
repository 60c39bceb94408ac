"""Alarms and unanswered questions."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "safety_alarm",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("conversation_id", sa.String(64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("level", sa.String(20), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("answered", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name="fk_safety_alarm_conversation_id_conversation", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_safety_alarm"),
    )
    op.create_index("ix_safety_alarm_at", "safety_alarm", ["at"])
    op.create_index("ix_safety_alarm_conversation_id", "safety_alarm", ["conversation_id"])
    op.create_table(
        "unanswered_question",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(16), nullable=False),
        sa.Column("guess", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("topic", sa.String(64), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_unanswered_question"),
    )
    op.create_index("ix_unanswered_question_at", "unanswered_question", ["at"])
    op.create_index("ix_unanswered_question_state", "unanswered_question", ["state"])


def downgrade() -> None:
    op.drop_table("unanswered_question")
    op.drop_table("safety_alarm")
