"""Alembic runs these from ``bot.store.session.migrate``."""
