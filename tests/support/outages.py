"""Outages of Slack in simulated time: what the last rungs say meanwhile is said once, and none is lost."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta

from bot.domain.talk import Channel, Kind, Reply, Tone
from bot.store.rows import Say
from tests.support.slack_story import SlackStory
from tests.support.waiting import wait_until

LONGEST = timedelta(hours=1)


async def outage(story: SlackStory, seed: int) -> list[str]:
    """One outage of 1 s to 1 h, with four words put at random moments of it; returns what went wrong."""
    chance = random.Random(seed)
    length = timedelta(
        seconds=chance.choice((chance.uniform(1, 60), chance.uniform(60, LONGEST.total_seconds())))
    )
    clock, began = story.town.clock, story.town.clock.now()
    moments = sorted(chance.uniform(-5, length.total_seconds() + 5) for _ in range(4))
    keys = [f"rung-{seed}-{number}" for number in range(4)]
    places = [Channel("slack", chance.choice((story.gpu.id, f"@{story.ann.id}"))) for _ in keys]
    at = began - timedelta(seconds=5)
    if at > clock.now():
        clock.advance(at - clock.now())
    waiting = list(zip(moments, keys, places, strict=True))
    _begin(story, chance)
    end = began + length
    while clock.now() < end or waiting:
        while waiting and clock.now() >= began + timedelta(seconds=waiting[0][0]):
            _, key, place = waiting.pop(0)
            reply = Reply(Kind.NOTICE, f"{key}: two minutes left", tone=Tone.ALARM)
            await story.town.life.store.outbox.put(Say(key, place, reply), now=clock.now())
        await story.town.life.delivery.tick()
        clock.advance(timedelta(seconds=chance.choice((1, 2, 5, 30))))
    story.slack.faults.recover()
    # A revoked token that holds again is found in real time, whatever the passed clock says.
    await wait_until(lambda: story.front.chat.serves(Channel("slack", story.gpu.id)), timedelta(seconds=20))
    for _ in range(200):
        await story.town.life.delivery.tick()
        if not await story.town.life.store.outbox.unsaid():
            break
        clock.advance(timedelta(seconds=5))
    return _judged(story, keys)


def _begin(story: SlackStory, chance: random.Random) -> None:
    faults = story.slack.faults
    match chance.randrange(6):
        case 0:
            faults.outage()
        case 1:
            faults.drop("*", times=None)
        case 2:
            faults.rate_limit("chat.postMessage", chance.randrange(1, 60), times=None)
        case 3:
            faults.lose_answer("chat.postMessage", times=chance.randrange(1, 4))
        case 4:
            faults.fail("*", chance.choice(("internal_error", "fatal_error", "token_revoked")), times=None)
        case _:
            faults.http_error("chat.postMessage", 500, times=None)
            faults.lose_answer("conversations.history", times=2)


def _judged(story: SlackStory, keys: list[str]) -> list[str]:
    said = Counter(
        (one.metadata.get("event_payload") or {}).get("key", "")
        for place in story.workspace.places.values()
        for one in place.shown
    )
    return [f"{key} was said {said[key]} times" for key in keys if said[key] != 1]
