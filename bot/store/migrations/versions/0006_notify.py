"""A team's notification channels, and what of the outbox is to be said in them, too."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Nothing that was said before is said again in a new channel."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "outlets",
        sa.Column("id", _SERIAL, primary_key=True, autoincrement=True),
        sa.Column("team_key", sa.String(200), nullable=False, index=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("topics", sa.Text(), nullable=False),
        sa.Column("least", sa.Integer(), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("added_at", moment, nullable=False),
        sa.Column("told_at", moment, nullable=True),
        sa.Column("failed_at", moment, nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.add_column("outbox", sa.Column("echo_at", moment, nullable=True))
    op.add_column("outbox", sa.Column("relayed_at", moment, nullable=True))
    op.create_index("ix_outbox_echo", "outbox", ["echo_at"])
