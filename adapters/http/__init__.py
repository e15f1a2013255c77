"""HTTP to a vendor: the one place where a fact of the wire becomes one of our errors."""

from adapters.http.answers import Answer, first_words, retry_after
from adapters.http.client import TRIES, USER_AGENT, Http, Judge
from adapters.http.turns import Pause, Turns, wait

__all__ = [
    "TRIES",
    "USER_AGENT",
    "Answer",
    "Http",
    "Judge",
    "Pause",
    "Turns",
    "first_words",
    "retry_after",
    "wait",
]
