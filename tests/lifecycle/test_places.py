"""Where something is said: in the thread of its card, and elsewhere when its place is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from adapters.simulators.chat import WorldChat
from adapters.simulators.clock import SimIds
from bot.delivery import Delivery
from bot.domain.talk import Channel, ChatCapabilities, Kind, Reply, Tone
from bot.store.rows import Say
from tests.support.small_town import SECOND, SmallTown
from tests.support.town import HERE

HOME = Channel("sim", "team-news")
OWNER = Channel("sim", "@ann")
LOUD = Reply(Kind.NOTICE, "two minutes left", tone=Tone.ALARM)


@dataclass
class Pager:
    """Remembers what it was told."""

    told: list[str] = field(default_factory=list)

    async def shout(self, title: str, text: str) -> Sequence[str]:
        self.told.append(title)
        return ()


class Place:
    """A delivery with threads, a home channel and a pager, over the town's rows."""

    def __init__(
        self, town: SmallTown, *, homes: Sequence[Channel] = (HOME,), pace: timedelta = 0 * SECOND
    ) -> None:
        self.town, self.pager = town, Pager()
        town.chat.here = False
        self.chat = WorldChat("sim", town.clock, ChatCapabilities(threads=True, pace=pace))
        self.delivery = Delivery(
            town.life.store, [self.chat], town.clock, SimIds(), homes=lambda: homes, notifier=self.pager
        )

    async def say(self, key: str, reply: Reply, tab: str = "", channel: Channel = HERE) -> None:
        await self.town.life.store.outbox.put(Say(key, channel, reply), now=self.town.clock.now(), rental=tab)

    async def quoted(self) -> str:
        """A rental whose card was said here."""
        tab: str = (await self.town.ask("up world 3090 for 30m")).rental
        await self.say_all()
        return tab

    async def say_all(self) -> None:
        for _ in range(12):
            await self.delivery.tick()
            self.town.clock.advance(SECOND)

    def where(self, key: str) -> Channel:
        return self.chat.said_once(key).channel


async def test_what_belongs_to_a_rental_is_said_in_the_thread_of_its_card(town: SmallTown):
    """The channel keeps one message per rental; what is for everybody is said in the channel."""
    place = Place(town)
    tab = await place.quoted()
    card = place.chat.said_once(f"card:{tab}")
    await place.say("quiet", Reply(Kind.NOTICE, "half is used", rental=tab), tab)
    await place.say("loud", Reply(Kind.NOTICE, "nobody answers", rental=tab, loud=True), tab)
    await place.say_all()
    assert card.channel == HERE
    assert place.where("quiet") == Channel("sim", "general", card.ref)
    assert place.where("loud") == HERE


async def test_a_lost_channel_costs_no_message(town: SmallTown):
    """Owner, then the team's channel, then the second medium: each is asked once, and the message is said once."""
    place = Place(town)
    tab = await place.quoted()
    place.chat.lost = {HERE.id}
    await place.say("first", LOUD, tab)
    await place.say_all()
    assert place.where("first") == OWNER
    place.chat.lost |= {OWNER.id}
    await place.say("second", LOUD, tab)
    await place.say_all()
    assert place.where("second") == HOME and not place.pager.told
    place.chat.lost |= {HOME.id}
    await place.say("third", LOUD, tab)
    await place.say_all()
    assert place.pager.told == [LOUD.title]
    assert not place.chat.said("third") and not await town.life.store.outbox.unsaid()


async def test_what_was_for_approvers_is_not_said_to_the_owner(town: SmallTown):
    """The owner could not agree to it; the team's channel hears it."""
    place = Place(town)
    tab = await place.quoted()
    place.chat.lost = {"approvers"}
    await place.say("approve", LOUD, tab, Channel("sim", "approvers"))
    await place.say_all()
    assert place.where("approve") == HOME


async def test_a_card_whose_channel_is_lost_lives_on_elsewhere(town: SmallTown):
    """It is said anew there, edited there, and its notices are in its thread there."""
    place = Place(town)
    tab = await place.quoted()
    place.chat.lost = {HERE.id}
    await town.ask(f"cancel {tab}")
    for _ in range(5):
        await town.life.engine.tick()
        town.clock.advance(SECOND)
    assert (await town.rental(tab)).closed_at is not None
    await place.say("word", Reply(Kind.NOTICE, "a word", rental=tab), tab)
    await place.say_all()
    cards = place.chat.said(f"card:{tab}")
    assert [one.channel for one in cards] == [HERE, OWNER] and cards[-1].reply.final
    assert place.where("word") == Channel("sim", "@ann", cards[-1].ref)


async def test_places_that_are_all_lost_end(town: SmallTown):
    """The channel is one of the homes itself: nothing goes round in circles."""
    place = Place(town, homes=(HOME, HERE))
    tab = await place.quoted()
    place.chat.lost = {HERE.id, HOME.id, OWNER.id}
    await place.say("gone", LOUD, tab)
    await place.say_all()
    assert place.pager.told == [LOUD.title] and not await town.life.store.outbox.unsaid()


async def test_a_message_is_edited_no_oftener_than_its_chat_allows(town: SmallTown):
    """Ten changes in ten seconds are four edits at most, and the last state is shown."""
    place = Place(town, pace=3 * SECOND)
    card = Reply(Kind.CARD, "0 %")
    await place.say("progress", card)
    await place.delivery.tick()
    for percent in range(10):
        await place.say("progress", Reply(Kind.CARD, f"{percent} %"))
        await place.delivery.tick()
        town.clock.advance(SECOND)
    await place.say_all()
    said = place.chat.said_once("progress")
    assert len(said.edits) <= 5 and said.reply.title == "9 %"
