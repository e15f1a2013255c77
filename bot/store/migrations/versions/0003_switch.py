"""The dead-man's switch: when it was armed on a machine, what it can do there, and when it last heard of us."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Columns that are empty for machines that had no switch."""
    op.add_column("attempts", sa.Column("switch_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("attempts", sa.Column("switch_kind", sa.String(200), nullable=False, server_default=""))
    op.add_column("attempts", sa.Column("switch_end", sa.DateTime(timezone=True), nullable=True))
    op.add_column("attempts", sa.Column("beat_at", sa.DateTime(timezone=True), nullable=True))
