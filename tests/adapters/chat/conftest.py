"""Small towns for the tests beside this file."""

from tests.support.towns import empty_database, found, found_anywhere, town

__all__ = ["empty_database", "found", "found_anywhere", "town"]
