"""``notify`` at the desk: what may be added, by whom, and that an address is a secret from then on."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlmodel import SQLModel

from bot.domain.talk import Kind
from tests.support.town import ANN, BEN, EVE
from tests.support.towns import Found
from tests.support.two_chats import ADDRESS, ADMINS, BOSS, CARL, SECRET, TwoChats


async def _two(found: Found) -> TwoChats:
    return TwoChats(await found(defaults=ADMINS))


async def test_a_channel_is_added_from_within_and_listed_for_all_of_the_team(found: Found):
    """Also for those in the team's other chat, and for nobody else."""
    two = await _two(found)
    assert (await two.say("notify", ANN)).title == "Your team has no notification channel."
    added = await two.say("notify add here cards, reminders from channel", CARL)
    assert added.title == "Added: notification channel 1 (other ops)."
    [row] = (await two.say("notify", ANN)).tables[0].rows
    assert row == ("1", "other ops", "cards, reminders", "channel", "nothing to tell yet")
    assert (await two.say("notify list", EVE)).data["channels"] == []
    again = await two.say("notify add here", CARL)
    assert again.kind is Kind.REFUSED and "channel 1 already" in again.title


async def test_only_an_admin_adds_tests_and_removes(found: Found):
    """Members are refused in a sentence, and nothing changes."""
    two = await _two(found)
    await two.say("notify add here", BOSS)
    for line in ("notify add here", "notify test 1", "notify remove 1"):
        refused = await two.say(line, BEN)
        assert refused.kind is Kind.REFUSED and "Only an admin" in refused.title
    assert len((await two.say("notify", BEN)).data["channels"]) == 1


async def test_an_address_is_kept_sealed_and_shown_nowhere(found: Found):
    """Not in a reply, the journal, or any table in clear; it is told what it should be told all the same."""
    two = await _two(found)
    replies = [
        await two.say(f"notify add {ADDRESS} from pager", BOSS),
        await two.say("notify", BOSS),
        await two.say("notify test 1", BOSS),
        await two.say(f"notify add {ADDRESS} nonsense", BOSS),
        await two.say(f"notify add {ADDRESS} from loudest", BOSS),
        await two.say(f"notfy add {ADDRESS}", BOSS),
        await two.say(f"notify remove {ADDRESS}", BOSS),
        await two.say(f"notify add {ADDRESS}", BEN),
        await two.say(f"notify {ADDRESS}", BOSS),
    ]
    assert [one.kind for one in replies[:3]] == [Kind.ANSWER] * 3 and replies[0].private
    assert all(SECRET not in repr(one) for one in replies)
    assert two.mail.heard[0][0] == ADDRESS and "A test by boss" in two.mail.heard[0][1]
    rows: list[str] = []
    async with two.town.life.store.engine.connect() as connection:
        for table in SQLModel.metadata.sorted_tables:
            rows += [repr(row) for row in await connection.execute(table.select())]
    assert len(rows) > 3 and all(SECRET not in one for one in rows)


async def test_what_is_removed_is_forgotten_with_its_secret(found: Found):
    """Its number is not given again, and the sealed address is gone."""
    two = await _two(found)
    await two.say(f"notify add {ADDRESS}", BOSS)
    assert (await two.say("notify remove 1", BOSS)).title == "Removed: 1 (ntfy)."
    assert (await two.say("notify test 1", BOSS)).title == "There is no notification channel 1."
    async with two.town.life.store.engine.connect() as connection:
        assert not (await connection.execute(text("select * from secrets"))).all()
    assert "channel 2 (ntfy)" in (await two.say(f"notify add {ADDRESS}", BOSS)).title


async def test_an_address_that_takes_nothing_says_why(found: Found):
    """The test is refused with the reason, and list and status show it until it is told again."""
    two = await _two(found)
    await two.say(f"notify add {ADDRESS}", BOSS)
    two.mail.broken = "it did not answer within 30 s"
    refused = await two.say("notify test 1", BOSS)
    assert refused.kind is Kind.REFUSED and "it did not answer" in refused.title
    assert "1 (ntfy) took nothing" in (await two.say("status", ANN)).lines[0]
    assert (await two.say("notify", ANN)).tables[0].rows[0][4] == "takes nothing"
    two.mail.broken = ""
    await two.turn()
    assert (await two.say("notify test 1", BOSS)).kind is Kind.ANSWER
    assert not (await two.say("status", ANN)).lines


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("notify add", "It is not said what to add."),
        ("notify add there", "neither `here` nor an address"),
        ("notify add here cats", "`cats` is nothing that is told of."),
        ("notify add here from", "`from` needs a rung"),
        ("notify add here from roof", "`roof` is no rung."),
        ("notify tset 1", "`tset` is nothing that `notify` does."),
        ("notify test", "`test` needs the number of one channel."),
        ("notify remove two", "no number of a channel"),
        ("notify remove 9", "There is no notification channel 9."),
        ("notify add nope://x", "no address that Apprise can tell"),
        ("notify add slack:C024", "A channel is added from within."),
    ],
)
async def test_wrong_words_are_answered_with_what_to_type(found: Found, line: str, words: str):
    """One sentence, and what would work."""
    two = await _two(found)
    reply = await two.say(line, BOSS)
    assert words in reply.title and reply.lines and reply.private
