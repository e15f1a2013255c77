"""Each thing that people meet in Discord, to the letter.

``LASTCALL_SNAPSHOTS=write pytest tests/adapters/chat/discord/test_snapshots.py`` writes the files anew; look at them
with ``python -m tests.adapters.chat.discord.look FOLDER`` before they are kept.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.chat.discord.chat import body
from adapters.chat.discord.render import render
from adapters.simulators.discord.limits import message_faults
from bot.domain.talk import Actor, Reply
from tests.support import slack_scenes as scenes
from tests.support.small_town import SmallTown

WRITES = os.environ.get("LASTCALL_SNAPSHOTS") == "write"
SNAPSHOTS = Path(__file__).parent / "snapshots"
IDS = {"U0ANN": "1203948572039485720", "U0BEN": "1203948572039485721"}


def same(name: str, reply: Reply) -> None:
    """As it was when somebody looked at it, and a message that a strict Discord takes."""
    here = tuple(Actor("discord", "77", IDS.get(one.id, one.id), one.name) for one in reply.mention)
    made = body(render(replace(reply, mention=here), mark="lastcall 0123456789ab"))
    assert not list(message_faults(made))
    path = SNAPSHOTS / f"{name}.json"
    text = json.dumps(made, ensure_ascii=False, indent=1) + "\n"
    if WRITES:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text, (
        f"{name} reads otherwise now; see this file's first lines"
    )


@pytest.mark.parametrize(("name", "scene"), scenes.PURE.items())
def test_cards_and_notices_read_as_they_did(name: str, scene: Callable[[], Reply]):
    """Quote, progress, every rung and level of a reminder, approval, what is stuck, and the last word."""
    same(name, scene())


@pytest.mark.parametrize(
    ("name", "text"),
    [("help", "help"), ("budget", "budget"), ("misunderstood", "up world for 2h budgett $5")],
)
async def test_answers_read_as_they_did(name: str, text: str, town: SmallTown):
    """From the desk itself, carets under what was not understood."""
    same(name, await town.ask(text))
