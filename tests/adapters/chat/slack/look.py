"""Pictures of the snapshots, as a person would see them.

``python -m tests.adapters.chat.slack.look FOLDER [NAME …]``; needs Chromium.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from adapters.simulators.clock import SimClock
from adapters.simulators.slack.page import page
from adapters.simulators.slack.things import Json, Message
from adapters.simulators.slack.town import SlackTown
from adapters.simulators.slack.views import add_view
from tests.support.rentals import START
from tests.support.slack_scenes import ANN, BEN, SNAPSHOTS

BROWSER = ("/usr/bin/chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
           "--disable-background-networking", "--disable-component-update", "--disable-sync")  # fmt: skip


def html(made: Json) -> str:
    """One snapshot on a page of its own."""
    town = SlackTown(SimClock(START))
    ann, ben = town.person("ann", id=ANN.id), town.person("ben", id=BEN.id)
    if "type" in made:
        shown = add_view(town, ann.id, made)
        town.homes[ann.id] = shown.id
        return page(town, shown, viewer=ann, dark=False)
    place = town.channel("gpu", members=[ann, ben])
    said = {"bot_id": town.bot_id, "blocks": made["blocks"]}
    place.messages.append(Message(place.id, town.ts(), town.bot.id, made["text"], **said))
    return page(town, place, viewer=ann, dark=False)


def main(folder: Path, names: list[str]) -> None:
    """A PNG for each."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(SNAPSHOTS.glob("*.json")):
        if names and path.stem not in names:
            continue
        shown = folder / f"{path.stem}.html"
        shown.write_text(html(json.loads(path.read_text(encoding="utf-8"))), encoding="utf-8")
        with tempfile.TemporaryDirectory() as profile:
            picture = (
                f"--user-data-dir={profile}",
                "--window-size=900,900",
                f"--screenshot={folder / path.stem}.png",
            )
            subprocess.run((*BROWSER, *picture, shown.as_uri()), check=True, capture_output=True, timeout=120)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
