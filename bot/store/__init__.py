"""Rows and the only SQL of the house. Rows never leave this package; what leaves are domain values."""

from bot.store.claims import Claim
from bot.store.store import Store

__all__ = ["Claim", "Store"]
