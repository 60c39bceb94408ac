"""Text messages: what came in, what went out, and what must not be sent."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sms_number",
        sa.Column("number", sa.String(16), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("offered", sa.Text(), nullable=False),
        sa.Column("rest", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_sms_number"),
    )
    op.create_index("ix_sms_number_updated_at", "sms_number", ["updated_at"])
    op.create_table(
        "sms_inbound",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sid", sa.String(64), nullable=False),
        sa.Column("number", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("opt_out_type", sa.String(16), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reply", sa.Text(), nullable=True),
        sa.Column("via", sa.String(8), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_sms_inbound"),
        sa.UniqueConstraint("sid", name="uq_sms_inbound_sid"),
    )
    op.create_index("ix_sms_inbound_number_received_at", "sms_inbound", ["number", "received_at"])
    op.create_index("ix_sms_inbound_via_received_at", "sms_inbound", ["via", "received_at"])
    op.create_table(
        "sms_sent",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("outbox_id", sa.String(32), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("number", sa.String(16), nullable=False),
        sa.Column("sid", sa.String(64), nullable=True),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("error_code", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sms_sent"),
        sa.UniqueConstraint("outbox_id", "attempt", "part", name="uq_sms_sent_outbox_id_attempt_part"),
        sa.UniqueConstraint("sid", name="uq_sms_sent_sid"),
    )
    op.create_index("ix_sms_sent_number_created_at", "sms_sent", ["number", "created_at"])
    op.create_table(
        "sms_status",
        sa.Column("sid", sa.String(64), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("error_code", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sid", "status", name="pk_sms_status"),
    )
    op.create_index("ix_sms_status_at", "sms_status", ["at"])
    op.create_table(
        "sms_block",
        sa.Column("scope", sa.String(80), nullable=False),
        sa.Column("error_code", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("scope", name="pk_sms_block"),
    )


def downgrade() -> None:
    for table in ("sms_block", "sms_status", "sms_sent", "sms_inbound", "sms_number"):
        op.drop_table(table)
