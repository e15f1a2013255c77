"""Validate: gate 3. The way in is proven, the machine is measured, the report is kept with the rental.

The dead-man's switch is armed as soon as there is a way in. It can be run again at any time: a switch is armed once,
and the rest only looks. Checks are ordered cheap to dear; the first FAIL condemns the
machine, a WARN is told and lets it pass.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from bot.domain.clocktime import short
from bot.domain.errors import HostKeyChanged, KeyRefused, ShellError
from bot.domain.gate import Needs, judge, read_probe
from bot.domain.rental import Attempt, Blame, Check, Done, Fail, Outcome, Wait
from bot.lifecycle.hands import Pass
from bot.lifecycle.steps.common import access_of, pace, recipe_of
from bot.lifecycle.steps.spin_up import last_words

PROBE = (Path(__file__).parent / "probe.sh").read_bytes()
_LIMIT = timedelta(seconds=45)
_DISK_PART = 0.5
"""Less free space than this part of the disk that was rented is another machine than was promised."""


class _Stage(StrEnum):
    """How far the way in is, in order. What follows "running" and comes before "usable"."""

    PORT = "open port"
    KEY = "accepted key"
    USABLE = "command that runs"


async def run(turn: Pass) -> Outcome:
    """Facts of the attempt: access with pinned host keys, report, ready_at."""
    attempt = turn.rental.attempt
    assert attempt is not None
    access, needs = access_of(turn), _needs(turn)
    stage = _Stage.PORT
    try:
        pinned = await turn.hands.shell.pin(access)
        stage = _Stage.USABLE
        armed = await turn.hands.heart.arm(turn.hands, turn.rental, pinned)
        ran = await turn.hands.shell.run(
            pinned, ["sh", "-s", "--", pinned.workdir, pinned.python], limit=_LIMIT, stdin=PROBE
        )
    except HostKeyChanged as error:
        return Fail(error.reason, Blame.HOST)
    except ShellError as error:
        return await _not_in(turn, attempt, _Stage.KEY if isinstance(error, KeyRefused) else stage, error)
    report = judge(read_probe(ran.stdout), needs)
    kept = {"report": report, "access": pinned}
    failed = next((check for check in report if check.verdict == "FAIL"), None)
    if failed is not None:
        return Fail(f"gate 3, {failed.name}: {failed.sentence}", Blame.HOST, fix=failed.fix, attempt=kept)
    warnings = sum(check.verdict == "WARN" for check in report)
    said = f"gate 3: {len(report) - warnings} passed, {warnings} to note"
    return Done(attempt={**kept, **armed, "ready_at": turn.now}, facts={"note": ""}, said=said)


async def _not_in(turn: Pass, attempt: Attempt, stage: _Stage, error: ShellError) -> Outcome:
    """Each stage of the way in has its own deadline; who is stuck in one is given up."""
    waited = turn.now - (attempt.running_at or turn.now)
    limit = turn.hands.limits.way_in + list(_Stage).index(stage) * turn.hands.limits.next_stage
    if waited <= limit:
        return Wait(turn.now + pace(waited), f"waiting for {stage.value}: {error.reason}")
    words = await last_words(turn, attempt)
    told = f" The provider says: {words}" if words else ""
    report: tuple[Check, ...] = (
        Check(
            "way in", "FAIL", f"No {stage.value} in {short(limit)}: {error.reason}.", "Take another machine."
        ),
    )
    reason = f"gate 3: no {stage.value} within {short(limit)} of running ({error.reason}){told}"
    return Fail(reason, Blame.HOST, attempt={"report": report})


def _needs(turn: Pass) -> Needs:
    attempt, job = turn.rental.attempt, turn.rental.job
    assert attempt is not None
    offer = attempt.offer
    needs = Needs(
        gpu=None if offer.cpu_only else offer.gpu,
        count=0 if offer.cpu_only else offer.count,
        vendor=offer.vendor,
        vram_gb=offer.vram_gb,
    )
    if not turn.provider.profile.owned:
        # What was asked for is paid for; the image and the system take their part of it.
        needs = replace(needs, disk_gb=turn.rental.want.disk_gb * _DISK_PART)
    if job is None:
        return needs
    asks = recipe_of(turn).requirements
    disk_gb = max(needs.disk_gb, asks.disk_gb + 2 * job.dataset_bytes / 1e9)
    return replace(
        needs, ram_gb=asks.ram_gb, disk_gb=disk_gb, driver_major=asks.driver_major, inodes=asks.inodes
    )
