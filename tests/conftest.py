"""What every test shares. Heavy things (databases, hosts) live beside the tests that need them."""

from tests.support.databases import database_url, postgres

__all__ = ["database_url", "postgres"]
