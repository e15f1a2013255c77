"""How much a rental moves in and out at most: part of its worst case wherever traffic is billed. Pure."""

from __future__ import annotations

import math

from bot.domain.recipe import Recipe

BY_HAND_GB = 10
"""A round figure for a machine that somebody uses by hand."""
_TOOLS_GB = 12
"""The image, packages and what else a tool's installation fetches."""


def of_training(recipe: Recipe, dataset_bytes: int) -> int:
    """Data set, tools, base model and results, GB (decimal, rounded up)."""
    results = recipe.outputs.megabytes / 1000 if recipe.outputs else 1
    return math.ceil(dataset_bytes / 1e9 + recipe.model_gb + 2 * results + _TOOLS_GB)
