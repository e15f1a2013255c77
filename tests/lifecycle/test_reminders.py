"""Reminders of a whole bot: each once, louder until somebody answers, and edited when somebody did."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from adapters.simulators.faults import FaultKind
from bot.domain.alert import Loudness
from bot.domain.allowance import Defaults
from bot.domain.money import Usd
from bot.domain.rental import Ending
from bot.domain.talk import Actor, Kind
from bot.lifecycle.idle import Use, judge
from tests.support.reminding import READY, Pager, Schedule, known, ready, remind
from tests.support.small_town import FOR_EVER, HOUR, MINUTE, SmallTown
from tests.support.town import BEN, EVE
from tests.support.towns import Found

ADMIN = Actor("sim", "acme", "ada", "ada")
USED = "kv idle 1\nkv gpu 87\nkv who 0\nkv terminals 0\nkv others 0\nkv bytes 5\n"


async def _idle_for(town: SmallTown, length: timedelta) -> None:
    for _ in range(length // (5 * MINUTE)):
        await remind(town, 5 * MINUTE, 5 * MINUTE)
        await town.life.idle.tick()
        await town.life.reminders.tick()
    await town.life.delivery.tick()


async def test_nobody_answers_and_it_climbs_from_the_thread_to_the_second_medium(found: Found):
    """Thread, mention, channel, direct messages to the owner and the team's admins, by settings and by command,
    then the pager, once."""
    pager = Pager()
    stranger = Actor("sim", "other", "eva")
    town = await found(notifier=pager, defaults=Defaults(admins=frozenset({ADMIN.key, stranger.key})))
    assert (await town.ask("budget role @ben admin", actor=ADMIN)).kind is Kind.ANSWER
    await town.ask("budget role @carl viewer", actor=ADMIN)
    tab = await ready(town, "up world 3090 for 10h budget $9")
    town.clock.advance(4 * HOUR + 58 * MINUTE)
    await remind(town, 50 * MINUTE, MINUTE / 2)
    said = [one for one in town.chat.said() if one.key.startswith(f"alert:{tab}:50%")]
    assert [one.key.split(":")[3] for one in said] == ["0", "1", "2", "3", "3", "3"]
    assert [bool(one.reply.mention) for one in said] == [False, True, True, True, True, True]
    assert {one.channel.id for one in said[3:]} == {"@ann", "@ada", "@ben"}
    moments = [one.at for one in (*said[:4],) if one.at]
    assert all(later - earlier <= 10 * MINUTE for earlier, later in pairwise(moments))
    assert len(pager.heard) == 1 and tab in pager.heard[0] and "Owner: ann" in pager.heard[0]


async def test_an_answer_settles_the_ladder_and_the_message_says_who_did_what(town: SmallTown):
    """Every message of it, in place, without buttons; nothing louder comes."""
    tab = await ready(town)
    await remind(town, 75 * MINUTE)
    await town.ask(f"extend {tab} 8h")
    await remind(town, 30 * MINUTE)
    said = [one for one in town.chat.said() if one.key.startswith(f"alert:{tab}:50%")]
    assert len(said) == 2 and all(not one.reply.buttons and one.edits for one in said)
    assert all("ann extended by 8 h" in one.text for one in said)


async def test_a_teammate_who_takes_it_down_is_named(town: SmallTown):
    """It is the last thing the alert says."""
    tab = await ready(town)
    await remind(town, 62 * MINUTE)
    await town.ask(f"down {tab}", actor=BEN)
    await remind(town, MINUTE)
    [said] = [one for one in town.chat.said() if one.key.startswith(f"alert:{tab}:50%")]
    assert "ben asked for the end" in said.text and not said.reply.buttons


async def test_a_snooze_is_quiet_and_then_it_goes_on(town: SmallTown):
    """The message says who wanted it and keeps its buttons; after it the next level comes."""
    tab = await ready(town, "up world 3090 for 10h budget $9")
    town.clock.advance(5 * HOUR)
    await remind(town, MINUTE)
    reply = await town.ask(f"snooze {tab} for 1h", actor=BEN)
    assert reply.kind is Kind.ANSWER and "is quiet until 15:01 UTC" in reply.title
    await remind(town, 58 * MINUTE)
    [said] = [one for one in town.chat.said() if one.key.startswith("alert:")]
    assert "ben snoozed until 15:01 UTC" in said.text and said.reply.buttons
    await remind(town, 4 * MINUTE)
    assert [one.level for one in await known(town, tab) if one.is_open] == [Loudness.OWNER]


async def test_a_snooze_cannot_be_what_it_must_not(town: SmallTown):
    """Longer than four hours, in the last ten minutes, of a stranger's rental, of one that is over."""
    tab = await ready(town)
    assert (await town.ask(f"snooze {tab} for 5h")).kind is Kind.REFUSED
    assert (await town.ask(f"snooze {tab}", actor=EVE)).kind is Kind.REFUSED
    assert "until" in (await town.ask("snooze")).title
    await remind(town, 111 * MINUTE)
    assert (await town.ask(f"snooze {tab}")).kind is Kind.REFUSED
    assert town.rungs(tab)[-1] == "T-10:0"
    await town.ask(f"down {tab}")
    assert (await town.ask(f"snooze {tab}")).kind is Kind.REFUSED


async def test_a_chat_that_is_down_brings_the_second_medium_at_once(found: Found):
    """Louder words into a chat that takes none help nobody; when it is back, what waited is said once."""
    pager = Pager()
    town = await found(notifier=pager)
    tab = await ready(town, "up world 3090 for 10h budget $9")
    town.clock.advance(5 * HOUR - MINUTE)
    town.chat.down_until = town.clock.now() + HOUR
    await remind(town, 59 * MINUTE)
    assert len(pager.heard) == 1 and town.rungs(tab) == []
    await remind(town, 10 * MINUTE)
    assert town.notices("alert:")[0] == f"alert:{tab}:50%:0:0" and len(pager.heard) == 1


async def test_credit_that_does_not_last_climbs_until_somebody_adds_to_it(found: Found):
    """Mention, channel, direct messages with what the look found, the second medium; a top-up ends it."""
    pager = Pager()
    town = await found(notifier=pager)
    town.world.balance = Usd.of(1)
    tab = await ready(town, "up world 3090 for 10h budget $9")
    await town.life.purse.tick()
    await remind(town, 30 * MINUTE)
    said = [one for one in town.chat.said() if one.key.startswith(f"alert:{tab}:credit-1-0:")]
    assert [one.key.split(":")[3] for one in said] == ["1", "2", "3"]
    assert all("$1.00 were left there" in one.text and tab in one.text for one in said)
    assert len(pager.heard) == 1 and "the credit at world lasts 4 h" in pager.heard[0]
    town.world.balance = Usd.of(50)
    town.again()
    await remind(town, 6 * MINUTE)
    await town.life.purse.tick()
    await remind(town, MINUTE)
    assert not [one for one in await known(town, tab) if one.is_open]
    said = [one for one in town.chat.said() if one.key.startswith(f"alert:{tab}:credit")]
    assert len(said) == 3 and all(
        "The credit lasts now" in one.text and not one.reply.buttons for one in said
    )


async def test_an_idle_machine_is_said_and_a_used_one_is_not(town: SmallTown):
    """Twenty minutes after the first look that found nobody; it settles when somebody comes back."""
    tab = await ready(town, "up world 3090 for 9h budget $9")
    town.shell.use = USED
    await _idle_for(town, 40 * MINUTE)
    assert town.rungs(tab) == []
    town.shell.use = ""
    await _idle_for(town, 30 * MINUTE)
    [rung] = town.rungs(tab)
    assert rung.startswith("idle-")
    town.shell.use = USED
    await _idle_for(town, 5 * MINUTE)
    assert [one for one in await known(town, tab) if one.is_open] == []


async def test_a_look_that_cannot_be_had_is_never_idle(town: SmallTown):
    """Unknown is unknown, for as long as it lasts."""
    tab = await ready(town, "up world 3090 for 9h budget $9")
    town.broken("run", FaultKind.UNREACHABLE, times=FOR_EVER)
    await _idle_for(town, 40 * MINUTE)
    assert (
        town.rungs(tab) == []
        and await town.life.store.alerts.idle([tab], seen_since=town.clock.now() - HOUR) == {}
    )


async def test_an_idle_machine_is_torn_down_at_its_limit_where_one_is_set(found: Found):
    """With why on the card."""
    town = await found(idle_limit=45 * MINUTE)
    tab = await ready(town, "up world 3090 for 9h budget $9")
    await _idle_for(town, HOUR)
    await town.pass_time(2 * MINUTE)
    rental = await town.rental(tab)
    assert rental.ending is Ending.IDLE and rental.closed_at is not None
    assert "Idle: nobody used it for 45 min" in town.card(tab)


@pytest.mark.parametrize(
    ("told", "flow", "use"),
    [
        ("kv idle 1\nkv gpu 0\nkv who 0\nkv terminals 0\nkv others ?\n", None, Use.IDLE),
        ("kv idle 1\nkv gpu 0\nkv who 0\nkv terminals 1\nkv others ?\n", None, Use.USED),
        ("kv idle 1\nkv gpu 0\nkv who 0\nkv terminals 0\nkv others 0\n", 5e6, Use.USED),
        ("kv idle 1\nkv gpu 60\nkv who ?\nkv terminals ?\nkv others ?\n", None, Use.USED),
        ("kv idle 1\nkv gpu 0\nkv who 0\nkv terminals ?\nkv others ?\n", None, Use.UNKNOWN),
        ("kv idle 1\nkv gpu ?\nkv who 0\nkv terminals 0\nkv others 0\n", None, Use.UNKNOWN),
        ("bash: no such command", None, Use.UNKNOWN),
        ("", None, Use.UNKNOWN),
    ],
)
def test_only_a_probe_that_was_read_in_full_says_idle(told: str, flow: float | None, use: Use):
    """A download without GPU and login is use; what was not told is no absence."""
    assert judge(told, flow) is use


@pytest.mark.parametrize("day", ["2026-03-29", "2028-02-29", "2026-10-25", "2026-12-31"])
async def test_odd_days_change_nothing(found: Found, day: str):
    """A summer time that begins or ends, a leap day, the end of a year: moments are UTC."""
    town = await found()
    town.clock._now = town.clock._now.fromisoformat(f"{day}T23:10:00+00:00")
    tab = await ready(town)
    await remind(town, 119 * MINUTE)
    assert town.rungs(tab) == ["50%:0", "75%:0", "90%:0", "T-10:0", "T-2:0"]


@pytest.mark.parametrize("jump", [-HOUR, HOUR])
async def test_a_clock_that_jumps_says_nothing_twice(town: SmallTown, jump: timedelta):
    """In the middle of it, and back."""
    tab = await ready(town, READY.replace("2h", "4h"))
    await remind(town, 125 * MINUTE)
    town.clock._now += jump
    await remind(town, 10 * MINUTE)
    town.clock._now -= jump
    await remind(town, 20 * MINUTE)
    keys = town.notices("alert:")
    assert len(keys) == len(set(keys)) and town.rungs(tab)[0] == "50%:0"


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_happens_each_rung_is_said_once(found: Found, seed: int):
    """Restarts, two replicas, clock jumps, a chat that is away, snoozes and extensions; 1,000 of them are played by
    ``python -m tests.bench.ladder``."""
    town = await found(notifier=Pager())
    schedule = Schedule(town, seed)
    tab = await schedule.play()
    assert await schedule.faults(tab) == []
