"""Vast.ai: containers on strangers' machines, from an order book. ``wire`` reads its answers, ``offers`` and
``machines`` its rows; ``docs/providers/vast.md`` says what was decided about its quirks."""

from adapters.providers.vast.provider import PROFILE, VastProvider

__all__ = ["PROFILE", "VastProvider"]
