"""Notification channels: a rental that is followed in two chats, and words that reach somebody whatever is down."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.talk import Kind
from tests.support.reminding import READY
from tests.support.small_town import HOUR, MINUTE, SECOND
from tests.support.town import ANN
from tests.support.towns import Found
from tests.support.two_chats import ADDRESS, ADMINS, BOSS, CARL, EVE_THERE, TwoChats


async def _two(found: Found, *lines: str) -> TwoChats:
    two = TwoChats(await found(defaults=ADMINS))
    for line in lines:
        assert (await two.say(line, CARL)).kind is Kind.ANSWER
    return two


async def _ready(two: TwoChats, text: str = READY) -> str:
    tab = (await two.say(text, ANN)).rental
    for _ in range(200):
        rental = await two.town.rental(tab)
        if rental.attempt is not None and rental.attempt.ready_at:
            return tab
        await two.turn()
    raise AssertionError("it never became ready")


async def test_one_rental_is_followed_and_answered_in_two_chats(found: Found):
    """Asked for in one, extended in the other: one engine, one card in each, both true, and one receipt in each."""
    two = await _two(found, "notify add here")
    tab = await _ready(two)
    before = (await two.town.rental(tab)).lifetime
    assert (await two.say(f"extend {tab} 1h", CARL)).kind is Kind.ANSWER
    await two.turn()
    assert (await two.town.rental(tab)).lifetime == before + HOUR
    [here], [there] = two.here.said(f"card:{tab}"), two.told(f"card:{tab}")
    assert here.reply.fields == there.reply.fields and here.reply.buttons == there.reply.buttons
    assert (await two.say(f"down {tab}", CARL)).kind is Kind.ANSWER
    for _ in range(30):
        await two.turn()
    assert (await two.town.rental(tab)).closed_at is not None
    assert len(two.told(f"closed:{tab}")) == len(two.here.said(f"closed:{tab}")) == 1
    assert not two.told(f"card:{tab}")[0].reply.buttons
    two.town.town.proven_closed()


async def test_a_stranger_in_the_other_chat_has_no_say(found: Found):
    """Who is in no joined server is refused, though the card may be shown there."""
    two = await _two(found, "notify add here")
    tab = await _ready(two)
    refused = await two.say(f"down {tab}", EVE_THERE)
    assert refused.kind is Kind.REFUSED and "another team" in refused.title


async def test_a_channel_hears_what_it_wants_and_from_the_rung_it_wants(found: Found):
    """The quiet words stay where they are; the direct message is said there, too, once, and names the owner."""
    two = await _two(found, "notify add here reminders from direct")
    tab = await _ready(two, "up world 3090 for 10h budget $9")
    two.town.clock.advance(4 * HOUR + 58 * MINUTE)
    await two.turn(35 * MINUTE)
    copies = [one for one in two.told(f"alert:{tab}:50%") if one.key.endswith("@1")]
    assert [one.key.split(":")[3] for one in copies] == ["3"]
    assert "Owner: ann (sim)" in copies[0].text
    assert not two.told("card:")


async def test_an_answer_settles_the_copy_as_well(found: Found):
    """The message in the other chat says who did what, and its buttons are gone."""
    two = await _two(found, "notify add here reminders from owner")
    tab = await _ready(two)
    two.town.clock.advance(93 * MINUTE)
    await two.turn(MINUTE)
    assert two.told("alert:")[-1].reply.buttons
    await two.say(f"extend {tab} 8h", ANN)
    await two.turn(MINUTE)
    assert all("ann extended by 8 h" in one.text and not one.reply.buttons for one in two.told("alert:"))


@pytest.mark.parametrize("down", ["here", "other"])
async def test_with_one_chat_down_every_loud_rung_reaches_the_other_within_a_minute(found: Found, down: str):
    """Whichever it is: the last rungs, at every level, are said where people can read them, and none twice."""
    two = await _two(found, "notify add here reminders from pager")
    renter = ANN if down == "here" else CARL
    if down == "other":
        await two.say("notify remove 1", BOSS)
        assert (await two.say("notify add here reminders from pager", BOSS)).kind is Kind.ANSWER
    tab = (await two.say(READY, renter)).rental
    for _ in range(60):
        await two.turn()
    chat, other = (two.here, two.other) if down == "here" else (two.other, two.here)
    end = (await two.town.rental(tab)).hard_end
    assert end is not None
    two.town.clock.advance(end - two.town.clock.now() - 31 * MINUTE)
    chat.down = True
    await two.turn(31 * MINUTE)
    alerts = [
        alert for alert in (await two.town.life.store.alerts.of([tab]))[tab] if alert.rung.startswith("T-")
    ]
    alerts = [
        one for one in alerts if one.settled_at != one.raised_at
    ]  # the others were said by a more urgent one
    assert {one.rung for one in alerts} >= {"T-10", "T-2"}
    for alert in alerts:
        said = [one for one in other.said() if one.key.startswith(f"alert:{tab}:{alert.rung}:")]
        assert said, alert.rung
        assert len({one.key for one in said}) == len(said)
        assert said[0].at is not None and said[0].at - alert.raised_at <= MINUTE


async def test_of_addresses_that_take_nothing_the_next_is_told_within_a_minute(found: Found):
    """Chat down, first address broken: the second one hears it, and status says what is wrong."""
    two = await _two(found, f"notify add {ADDRESS} teardown", "notify add here teardown from pager")
    await _ready(two)
    two.here.down = True
    two.mail.broken = "it did not take the message"
    two.town.clock.advance(51 * MINUTE)
    await two.turn(40 * MINUTE)
    reached = {one.key.split(":")[2] for one in two.other.said() if one.key.startswith("alert:")}
    assert reached >= {"50%", "75%"}
    assert any("1 (ntfy) took nothing" in line for line in (await two.say("status", CARL)).lines)


async def test_a_restart_in_the_middle_says_nothing_twice(found: Found):
    """Copies and relays have keys of their own: another process finds them said."""
    two = await _two(found, "notify add here")
    tab = await _ready(two)
    two.town.clock.advance(63 * MINUTE)
    for _ in range(6):
        await two.turn(20 * SECOND)
        two.again()
    keys = [one.key for one in two.other.said()]
    assert len(keys) == len(set(keys)) and f"card:{tab}@1" in keys


async def test_a_lost_channel_is_told_of_and_the_next_one_hears_it(found: Found):
    """Archived: status names it, and the address that wanted only pages is told the alert."""
    two = await _two(found, "notify add here reminders from owner", f"notify add {ADDRESS} from pager")
    await _ready(two)
    two.other.lost.add("ops")
    two.here.down = True
    two.town.clock.advance(93 * MINUTE)
    await two.turn(timedelta(minutes=2))
    assert any("of its budget" in words or "75" in words for _, words in two.mail.heard)
    assert any("1 (other ops) took nothing" in one for one in (await two.say("status", CARL)).lines)
