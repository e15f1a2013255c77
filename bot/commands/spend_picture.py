"""Spend per day as a picture file: a bar for each day, stacked by provider or person."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from bot.domain.money import ZERO, Usd

_COLOURS = ("#5b7cfa", "#f59e42", "#3fb68b", "#e05d7b", "#8f6ee8", "#4bb3d4", "#b8a13a", "#9aa3b5")
"""The last one is for everybody else."""
_NAME = 24
"""Characters of a name in the legend."""


def draw_spend(
    table: Mapping[date, Mapping[str, Usd]], names: Sequence[str], path: Path, title: str
) -> Path | None:
    """Draw the days into a PNG at ``path``, the biggest groups (``names``, most first) in colours of their own; None
    when nothing was spent. Raises ``OSError``."""
    if not any(cost > ZERO for row in table.values() for cost in row.values()):
        return None
    # matplotlib takes most of a second to import and 40 MB: only who draws pays for it.
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(7, 3.6), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    days = sorted(table)
    floor = [0.0] * len(days)
    for (name, amounts), colour in zip(stacks(table, names, days), _COLOURS, strict=False):
        axes.bar(range(len(days)), amounts, bottom=floor, width=0.72, color=colour, label=_plain(name))
        floor = [below + amount for below, amount in zip(floor, amounts, strict=True)]
    every = max(1, -(-len(days) // 8))
    shown = range(0, len(days), every)
    axes.set_xticks(list(shown), [f"{days[at]:%b} {days[at].day}" for at in shown])
    axes.set_title(_plain(title, 80))
    axes.set_ylabel("US dollars a day (UTC)")
    axes.legend(frameon=False, fontsize=8, loc="upper left")
    axes.grid(visible=True, axis="y", color="#e6e8ef")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.part")
    fresh.write_bytes(picture.getvalue())
    os.replace(fresh, path)
    return path


def stacks(
    table: Mapping[date, Mapping[str, Usd]], names: Sequence[str], days: Sequence[date]
) -> list[tuple[str, list[float]]]:
    """What each colour stands for, and its dollars on each day; more groups than colours are "others" together."""
    own = names if len(names) <= len(_COLOURS) else names[: len(_COLOURS) - 1]
    found = [(name, [float(table[day].get(name, ZERO).dollars) for day in days]) for name in own]
    rest = names[len(own) :]
    if rest:
        others = [float(sum((table[day].get(name, ZERO) for name in rest), ZERO).dollars) for day in days]
        found.append(("others", others))
    return found


def _plain(name: str, most: int = _NAME) -> str:
    """No formula (matplotlib reads what stands between two dollar signs), no hidden label, not too long."""
    short = name if len(name) <= most else f"{name[: most - 1]}…"
    return (short.lstrip("_") or "-").replace("$", r"\$")
