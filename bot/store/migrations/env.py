"""Alembic's entry: runs on the connection that ``bot.store.session.migrate`` hands over."""

from alembic import context
from sqlmodel import SQLModel

from bot.store import tables, team_tables  # noqa: F401 - registers the tables

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=SQLModel.metadata, transactional_ddl=False)
context.run_migrations()
