"""The results manifest: what was made, from what, by what, on what, and what it cost."""

from __future__ import annotations

import hashlib
import json
import os
from datetime import datetime
from pathlib import Path

from bot.domain.budget import spent
from bot.domain.recipe import Recipe
from bot.domain.rental import Rental, ResultFile


def write_manifest(
    rental: Rental,
    recipe: Recipe,
    dest: Path,
    results: tuple[ResultFile, ...],
    curve: Path | None,
    now: datetime,
) -> tuple[ResultFile, ...]:
    """Write ``lastcall.json`` beside the results; returns our own files with their digests. Raises ``OSError``."""
    job, attempt = rental.job, rental.attempts[-1]
    assert job is not None
    content = {
        "rental": rental.id,
        "recipe": {
            "name": job.recipe,
            "sha256": job.recipe_sha256,
            "tool": recipe.tool,
            "version": recipe.tool_version,
        },
        "preset": job.preset,
        "inputs": dict(job.inputs),
        "dataset": {"sha256": job.dataset_sha256, "images": job.images, "bytes": job.dataset_bytes},
        "machine": {"provider": attempt.offer.provider, "gpu": attempt.offer.gpu, "attempt": attempt.number},
        "files": [{"path": one.name, "bytes": one.bytes, "sha256": one.sha256} for one in results],
        "steps": rental.progress.step,
        "final_loss": rental.progress.loss,
        "seconds_per_step": rental.progress.seconds_per_step,
        "began_at": rental.began_at.isoformat() if rental.began_at else None,
        "pulled_at": now.isoformat(),
        "cost_so_far_usd": str(spent(rental, now).dollars),
    }
    path = dest / "lastcall.json"
    fresh = dest / ".lastcall.json.part"
    fresh.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(fresh, path)
    own = [path, *([curve] if curve else [])]
    return tuple(_digest(one, dest) for one in own)


def _digest(path: Path, dest: Path) -> ResultFile:
    content = path.read_bytes()
    return ResultFile(
        str(path), str(path.relative_to(dest)), len(content), hashlib.sha256(content).hexdigest()
    )
