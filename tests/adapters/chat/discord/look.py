"""Pictures of the snapshots, as a person would see them.

``python -m tests.adapters.chat.discord.look FOLDER [NAME …]``; needs Chromium.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from adapters.simulators.discord.page import page
from tests.adapters.chat.discord.test_snapshots import IDS, SNAPSHOTS
from tests.adapters.chat.slack.look import BROWSER


def main(folder: Path, names: list[str]) -> None:
    """A PNG for each."""
    folder.mkdir(parents=True, exist_ok=True)
    people = {id: name.removeprefix("U0").lower() for name, id in IDS.items()}  # noqa: A001
    for path in sorted(SNAPSHOTS.glob("*.json")):
        if names and path.stem not in names:
            continue
        shown = folder / f"{path.stem}.html"
        shown.write_text(page(json.loads(path.read_text(encoding="utf-8")), names=people), encoding="utf-8")
        with tempfile.TemporaryDirectory() as profile:
            picture = (
                f"--user-data-dir={profile}",
                "--window-size=700,620",
                f"--screenshot={folder / path.stem}.png",
            )
            subprocess.run((*BROWSER, *picture, shown.as_uri()), check=True, capture_output=True, timeout=120)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
