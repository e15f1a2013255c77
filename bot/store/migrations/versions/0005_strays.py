"""What was billed for machines that should not be any more, and since when one can have run; and a count of reminders
that nobody reads goes."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing strayed as far as older rows tell."""
    zero = sa.text("0")
    op.add_column("attempts", sa.Column("strayed", sa.BigInteger(), nullable=False, server_default=zero))
    op.add_column("attempts", sa.Column("booting_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("attempts", sa.Column("idle_seen_at", sa.DateTime(timezone=True), nullable=True))
    op.drop_column("rentals", "reminded")
