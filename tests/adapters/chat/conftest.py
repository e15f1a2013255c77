"""Small towns for the tests beside this file."""

from tests.support.towns import empty_database, found, town

__all__ = ["empty_database", "found", "town"]
