"""Each thing that people meet in Slack, to the letter.

``LASTCALL_SNAPSHOTS=write pytest tests/adapters/chat/slack/test_snapshots.py`` writes the files anew; look at them with
``python -m tests.adapters.chat.slack.look FOLDER`` before they are kept.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable

import pytest

from adapters.chat.slack import forms
from adapters.chat.slack import home as page
from adapters.chat.slack.blocks import render
from adapters.chat.slack.text import Json
from adapters.simulators.slack.blocks import check_blocks
from adapters.simulators.slack.views import check_view
from bot.domain.talk import Reply
from tests.support import slack_scenes as scenes
from tests.support.towns import Found

WRITES = os.environ.get("LASTCALL_SNAPSHOTS") == "write"


def message(reply: Reply) -> Json:
    """What the chat sends, and that a strict Slack takes it."""
    made = render(reply)
    check_blocks(made.blocks, lambda _: False)
    return dataclasses.asdict(made)


def view(made: Json) -> Json:
    """The same of a modal or App Home."""
    check_view(made, lambda _: False, made["type"])
    return made


def same(name: str, made: Json) -> None:
    """As it was when somebody looked at it."""
    path = scenes.SNAPSHOTS / f"{name}.json"
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
    same(name, message(scene()))


@pytest.mark.parametrize(
    ("name", "text"),
    [("help", "help"), ("budget", "budget"), ("misunderstood", "up world for 2h budgett $5"),
     ("misunderstood-gpu", "up vsat 3090")],
)  # fmt: skip
async def test_answers_read_as_they_did(name: str, text: str, found: Found):
    """From the desk itself, carets under what was not understood."""
    town = await found()
    same(name, message(await town.ask(text)))


async def test_a_long_list_reads_as_it_did(found: Found):
    """Thirty rentals: those that fit, a count of the others, and all of them as a file."""
    made = message(await scenes.status_of_thirty(await found()))
    assert len(made["overflow"]) <= 1
    same("status", made)


async def test_the_home_reads_as_it_did(found: Found):
    """Money, own rentals with their buttons, the team's."""
    same("home", view(page.view(await scenes.home(await found()))))


@pytest.mark.parametrize(
    ("name", "command", "values"),
    [("form-up", "up", {"gpu": "rtx-4090", "for": "2h", "budget": "$5"}),
     ("form-up-too-dear", "up", {"gpu": "rtx-4090", "for": "12h", "budget": "$1"}),
     ("form-train", "train", {"recipe": "tiny-lora", "preset": "quick", "for": "2h"})],
)  # fmt: skip
async def test_forms_read_as_they_did(name: str, command: str, values: dict[str, str], found: Found):
    """Live prices, the worst case below, what is wrong beside its field."""
    form, weighed = await scenes.form(await found(), command, values)
    same(name, view(forms.view(forms.filled(form, values), weighed)))
