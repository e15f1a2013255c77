"""The eight rungs, a file each. A step is idempotent: it asks the machine what is already so, never sleeps,
and returns Done, Wait or Fail."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from bot.domain.rental import Outcome, Step
from bot.lifecycle.hands import Pass
from bot.lifecycle.steps import (
    choose,
    deploy_tools,
    pull_results,
    spin_up,
    tear_down,
    train,
    transfer_dataset,
    validate,
)

STEPS: Mapping[Step, Callable[[Pass], Awaitable[Outcome]]] = MappingProxyType(
    {
        Step.CHOOSE: choose.run,
        Step.SPIN_UP: spin_up.run,
        Step.VALIDATE: validate.run,
        Step.DEPLOY_TOOLS: deploy_tools.run,
        Step.TRANSFER_DATASET: transfer_dataset.run,
        Step.TRAIN: train.run,
        Step.PULL_RESULTS: pull_results.run,
        Step.TEAR_DOWN: tear_down.run,
    }
)
