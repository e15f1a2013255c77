"""The loss curve as a picture file."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path


def draw_curve(points: Sequence[tuple[int, float]], path: Path, title: str) -> Path | None:
    """Draw (step, loss) points into a PNG at ``path``; None when there is nothing to draw. Raises ``OSError``."""
    if len(points) < 2:
        return None
    # matplotlib takes most of a second to import and 40 MB: only who draws pays for it.
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(7, 3.6), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    steps, losses = [step for step, _ in points], [loss for _, loss in points]
    axes.plot(steps, losses, color="#5b7cfa", linewidth=1.8)
    axes.fill_between(steps, losses, min(losses), color="#5b7cfa", alpha=0.12)
    axes.set(
        title=f"{title}: loss {losses[0]:.3g} to {losses[-1]:.3g}", xlabel="step", ylabel="loss (average)"
    )
    axes.grid(visible=True, color="#e6e8ef")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    fresh = path.with_name(f".{path.name}.part")
    fresh.write_bytes(picture.getvalue())
    os.replace(fresh, path)
    return path
