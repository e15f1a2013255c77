"""RunPod: GPU pods over REST v2. ``provider`` is the adapter; ``wire`` and ``judge`` are what it hears."""

from adapters.providers.runpod.profile import PROFILE
from adapters.providers.runpod.provider import RunpodProvider

__all__ = ["PROFILE", "RunpodProvider"]
