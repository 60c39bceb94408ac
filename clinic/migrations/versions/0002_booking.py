"""Visits, what they occupy, and their reminders."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "appointment",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("reference", sa.String(12), nullable=False),
        sa.Column("service", sa.String(64), nullable=False),
        sa.Column("practitioner", sa.String(64), nullable=False),
        sa.Column("room", sa.String(64), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("promised", sa.String(64), nullable=False),
        sa.Column("first_tick", sa.Integer(), nullable=False),
        sa.Column("end_tick", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("holder", sa.String(64), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("hold_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("renewed", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(200), nullable=True),
        sa.Column("phone", sa.String(16), nullable=True),
        sa.Column("email", sa.String(254), nullable=True),
        sa.Column("pending_reason", sa.String(64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(status = 'proposed') = (hold_expires_at IS NOT NULL)", name=op.f("ck_appointment_only_holds_expire")
        ),
        sa.CheckConstraint("first_tick < end_tick", name=op.f("ck_appointment_ticks_in_order")),
        sa.PrimaryKeyConstraint("id", name="pk_appointment"),
        sa.UniqueConstraint("reference", name="uq_appointment_reference"),
    )
    op.create_index("ix_appointment_end_tick", "appointment", ["end_tick"], unique=False)
    op.create_index("ix_appointment_hold_expires_at", "appointment", ["hold_expires_at"], unique=False)
    op.create_index("ix_appointment_holder", "appointment", ["holder"], unique=False)
    op.create_index("ix_appointment_phone", "appointment", ["phone"], unique=False)
    op.create_table(
        "appointment_change",
        sa.Column("appointment_id", sa.String(32), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("change", sa.String(16), nullable=False),
        sa.Column("actor", sa.String(16), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("practitioner", sa.String(64), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["appointment_id"],
            ["appointment.id"],
            name="fk_appointment_change_appointment_id_appointment",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("appointment_id", "version", name="pk_appointment_change"),
    )
    op.create_table(
        "claim",
        sa.Column("resource", sa.String(64), nullable=False),
        sa.Column("tick", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("appointment_id", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(
            ["appointment_id"], ["appointment.id"], name="fk_claim_appointment_id_appointment", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("resource", "tick", name="pk_claim"),
    )
    op.create_index("ix_claim_appointment_id", "claim", ["appointment_id"], unique=False)
    op.create_table(
        "busy_block",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("resource", sa.String(64), nullable=False),
        sa.Column("first_tick", sa.Integer(), nullable=False),
        sa.Column("end_tick", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_busy_block"),
    )
    op.create_index("ix_busy_block_resource_end_tick", "busy_block", ["resource", "end_tick"], unique=False)
    op.create_table(
        "action_result",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("request", sa.String(64), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_action_result"),
    )
    op.create_index("ix_action_result_at", "action_result", ["at"], unique=False)
    op.create_table(
        "lookup_try",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("holder", sa.String(64), nullable=False),
        sa.Column("reference", sa.String(12), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_lookup_try"),
    )
    op.create_index("ix_lookup_try_holder_at", "lookup_try", ["holder", "at"], unique=False)
    op.create_index("ix_lookup_try_reference_at", "lookup_try", ["reference", "at"], unique=False)
    op.create_table(
        "reminder",
        sa.Column("appointment_id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.ForeignKeyConstraint(
            ["appointment_id"], ["appointment.id"], name="fk_reminder_appointment_id_appointment", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("appointment_id", "kind", "version", name="pk_reminder"),
    )
    op.create_index("ix_reminder_state_due_at", "reminder", ["state", "due_at"], unique=False)


def downgrade() -> None:
    op.drop_table("reminder")
    op.drop_table("lookup_try")
    op.drop_table("action_result")
    op.drop_table("busy_block")
    op.drop_table("claim")
    op.drop_table("appointment_change")
    op.drop_table("appointment")
