"""The money watch: what budgets are charged, who may what, what waits for approval, and the alerts people answer."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Rentals that are open already are charged what they were confirmed for."""
    _charges()
    _people()
    _settled()
    _alerts()


def _charges() -> None:
    op.add_column("rentals", sa.Column("approval_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("rentals", sa.Column("team_key", sa.String(200), nullable=False, server_default=""))
    op.add_column("rentals", sa.Column("channel_key", sa.String(300), nullable=False, server_default=""))
    op.add_column(
        "rentals", sa.Column("charged", sa.BigInteger(), nullable=False, server_default=sa.text("0"))
    )
    op.add_column(
        "rentals", sa.Column("charged_hourly", sa.BigInteger(), nullable=False, server_default=sa.text("0"))
    )
    op.add_column("rentals", sa.Column("charged_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_rentals_charges", "rentals", ["team_key", "charged_at"])
    op.add_column("rentals", sa.Column("worst_how", sa.Text(), nullable=False, server_default=""))
    op.execute(
        "UPDATE rentals SET charged = worst_case, charged_at = confirmed_at"
        " WHERE confirmed_at IS NOT NULL AND worst_case IS NOT NULL AND closed_at IS NULL"
    )
    _charge_the_right_ones()


def _charge_the_right_ones() -> None:
    """What was there before belongs to its owner's team and to its channel, like all that comes after."""
    rentals = sa.table(
        "rentals", *(sa.column(name) for name in ("id", "owner", "channel", "team_key", "channel_key"))
    )
    connection = op.get_bind()
    for row in connection.execute(sa.select(rentals.c.id, rentals.c.owner, rentals.c.channel)).all():
        owner, channel = json.loads(row.owner), json.loads(row.channel)
        connection.execute(
            rentals.update()
            .where(rentals.c.id == row.id)
            .values(
                team_key=f"{owner['chat']}:{owner['team']}", channel_key=f"{channel['chat']}:{channel['id']}"
            )
        )


def _people() -> None:
    op.create_table("teams", sa.Column("team_key", sa.String(200), primary_key=True))
    op.create_table(
        "allowances",
        sa.Column("team_key", sa.String(200), primary_key=True),
        sa.Column("scope", sa.String(40), primary_key=True),
        sa.Column("subject", sa.String(300), primary_key=True),
        sa.Column("kind", sa.String(40), primary_key=True),
        sa.Column("value", sa.Text(), nullable=False),
    )
    op.create_table(
        "approvals",
        sa.Column("rental", sa.String(6), primary_key=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("most", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("verdict", sa.String(40), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("said", sa.Text(), nullable=False, server_default=""),
    )


def _settled() -> None:
    """What vendors' own books say, and the moments that a receipt and a stopped machine's rate need."""
    op.add_column("attempts", sa.Column("billed", sa.BigInteger(), nullable=True))
    for name in ("stopped_at", "tools_at", "billed_at", "settled_at"):
        op.add_column("attempts", sa.Column(name, sa.DateTime(timezone=True), nullable=True))


def _alerts() -> None:
    """What was raised and who answered; and since when a machine is idle."""
    op.create_table(
        "alerts",
        sa.Column("rental", sa.String(6), primary_key=True),
        sa.Column("rung", sa.String(40), primary_key=True),
        sa.Column("rev", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("level_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("page_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("snoozed_until", sa.DateTime(timezone=True), nullable=True),
    )
    op.add_column("attempts", sa.Column("idle_since", sa.DateTime(timezone=True), nullable=True))
