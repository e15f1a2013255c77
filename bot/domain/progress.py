"""Reading a trainer's log: one tqdm pattern, told apart by its description; stages by the recipe's own lines."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.domain.recipe import ProgressSpec
from bot.domain.rental import Progress

_BAR = re.compile(
    r"(?<!\d)\d{1,3}%\|[^|]*\|\s*(?P<n>\d{1,12})/(?P<total>\d{1,12})\s*"
    r"\[(?P<elapsed>\d{1,6}(?::\d\d){1,2})<(?P<eta>\d{1,6}(?::\d\d){1,2}|\?),\s*"
    r"(?P<rate>\d+(?:\.\d+)?|\?)\s*(?P<unit>s/it|it/s)(?:,\s*(?P<postfix>[^\]]*))?\]",
    re.ASCII,
)
"""Digits are bounded: what a trainer writes is somebody else's, and numbers without end cost time."""
_NUMBER = r"(-?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|nan|inf))"
MOST_POINTS = 400
_LONGEST_LINE = 4000


@dataclass(frozen=True, slots=True)
class Bar:
    """One redraw of the training bar."""

    step: int
    total: int
    loss: float | None
    seconds_per_step: float | None
    eta: timedelta | None


def lines_of(chunk: bytes, *, ended: bool) -> tuple[list[str], int]:
    r"""Complete lines (split at ``\r`` and ``\n``) and how many bytes they took. What is not ended yet is left for
    the next look, unless the log is ``ended`` or the piece grew past any sane line."""
    cut = max(chunk.rfind(b"\n"), chunk.rfind(b"\r")) + 1
    if ended or (cut == 0 and len(chunk) > _LONGEST_LINE):
        cut = len(chunk)
    text = chunk[:cut].decode("utf-8", "replace")
    return [line[:_LONGEST_LINE] for line in re.split(r"[\r\n]+", text) if line.strip()], cut


def read_bar(line: str, spec: ProgressSpec) -> Bar | None:
    """The training bar in this line, or None (another bar, another line)."""
    found = _BAR.search(line)
    if found is None or not re.fullmatch(spec.description, _description(line[: found.start()])):
        return None
    rate = None if found["rate"] == "?" else float(found["rate"])
    seconds = None if not rate else (rate if found["unit"] == "s/it" else 1 / rate)
    return Bar(
        int(found["n"]),
        int(found["total"]),
        _loss(found["postfix"] or "", spec),
        seconds,
        _clock(found["eta"]),
    )


def _description(before: str) -> str:
    """``Epoch 1/10, Steps`` of ``Epoch 1/10, Steps:  10%|``; empty when the bar has none."""
    words = before.rpartition("|")[2].rstrip()
    return words[:-1].strip() if words.endswith(":") else ""


def _loss(postfix: str, spec: ProgressSpec) -> float | None:
    for key in spec.loss_keys:
        found = re.search(rf"(?:^|[\s,]){re.escape(key)}\s*[=:]\s*{_NUMBER}", postfix, re.IGNORECASE)
        if found:
            return float(found[1])
    return None


def _clock(text: str) -> timedelta | None:
    if text == "?" or not text:
        return None
    seconds = 0
    for part in text.split(":"):
        seconds = seconds * 60 + int(part or 0)
    return timedelta(seconds=seconds)


def follow(progress: Progress, lines: list[str], spec: ProgressSpec) -> Progress:
    """The progress after these lines. A step never goes back; a loss that is no number is counted, not kept."""
    for line in lines:
        stage = _stage(line, spec)
        if stage:
            progress = replace(progress, stage=stage)
        bar = read_bar(line, spec)
        if bar is not None:
            progress = _advance(progress, bar)
    return progress


def _stage(line: str, spec: ProgressSpec) -> str | None:
    return next((name for pattern, name in spec.stages.items() if re.search(pattern, line)), None)


def _advance(progress: Progress, bar: Bar) -> Progress:
    step = max(progress.step, min(bar.step, bar.total))
    changed = replace(
        progress,
        step=step,
        total=bar.total or progress.total,
        seconds_per_step=bar.seconds_per_step,
        eta=bar.eta,
        stage=progress.stage if progress.stage == "saving" and step == progress.step else "training",
    )
    if bar.loss is None:
        return changed
    if not math.isfinite(bar.loss):
        return replace(changed, nan_lines=progress.nan_lines + 1)
    first = progress.first_loss if progress.first_loss is not None else bar.loss
    losses = progress.losses
    if not losses or losses[-1][0] < step:
        losses = tuple(_thinned((*losses, (step, bar.loss))))
    return replace(changed, loss=bar.loss, first_loss=first, losses=losses, nan_lines=0)


def _thinned(points: tuple[tuple[int, float], ...]) -> Iterator[tuple[int, float]]:
    if len(points) <= MOST_POINTS:
        yield from points
        return
    yield from points[:-1:2]
    yield points[-1]
