"""The nearest known word to one that is not known, and only when it is really near. A suggestion, never a guess."""

from __future__ import annotations

from collections.abc import Iterable

from rapidfuzz.distance import OSA, JaroWinkler

_LONGEST = 64
"""Nobody means a known word by more than this; it also bounds the work."""


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that ``word`` is a slip of (few letters wrong, swapped or missing at the end), or ``""``."""
    typed = word.casefold()
    if not 2 <= len(typed) <= _LONGEST:
        return ""
    limit = 1 if len(typed) < 5 else 2 if len(typed) < 9 else 3
    begun: list[str] = []
    best, best_key = "", (limit + 1, 0.0)
    for candidate in known:
        folded = candidate.casefold()
        if folded.startswith(typed):
            begun.append(candidate)
        distance = OSA.distance(typed, folded, score_cutoff=limit)
        if distance <= limit and not _other_short_word(typed, folded):
            key = (distance, -JaroWinkler.similarity(typed, folded))
            if key < best_key:
                best, best_key = candidate, key
    if best_key[0] <= 1 or len(begun) != 1:
        return best
    return begun[0]


def _other_short_word(typed: str, known: str) -> bool:
    """``foo`` is no slip of ``for``: in a word so short another letter makes another word."""
    return len(typed) < 4 and len(typed) == len(known) and sorted(typed) != sorted(known)
