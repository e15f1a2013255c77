"""Orphans, the machines of ours that nobody knows; and what the clouds taught us to remember of an attempt."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A table, and columns that are empty for what is already there."""
    op.create_table(
        "orphans",
        sa.Column("provider", sa.String(100), primary_key=True),
        sa.Column("machine_id", sa.String(200), primary_key=True),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("gpu", sa.Text(), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("hourly", sa.BigInteger(), nullable=True),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kill_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fate", sa.String(40), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rental", sa.String(6), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("absent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tidied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
    )
    op.add_column("attempts", sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "attempts", sa.Column("traffic_bytes", sa.BigInteger(), nullable=False, server_default=sa.text("0"))
    )
    op.add_column("attempts", sa.Column("barred", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("rentals", sa.Column("reasked_at", sa.DateTime(timezone=True), nullable=True))
