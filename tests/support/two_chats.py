"""One team in two chats, and addresses that remember what they took: for tests of notification channels."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

from adapters.chat.outpost import AddressChat
from adapters.simulators.chat import Said, WorldChat
from bot.commands.desk import Desk
from bot.delivery import Delivery
from bot.domain.allowance import Defaults
from bot.domain.outlet import secret_of
from bot.domain.talk import Actor, Channel, Reply, Request, Tone
from bot.lifecycle.echoes import Echoes
from tests.support.small_town import SECOND, SmallTown
from tests.support.town import ANN, HERE

BOSS = Actor("sim", ANN.team, "boss", "boss")
CARL = Actor("other", "81", "carl", "carl")
EVE_THERE = Actor("other", "99", "eve", "eve")
OPS = Channel("other", "ops")
JOINED = {"sim:acme": "acme", "other:81": "acme"}
ADMINS = Defaults(admins=frozenset({BOSS.key, CARL.key}), joined=JOINED)
SECRET = "tok-3n-s3cret"
ADDRESS = f"ntfy://user:{SECRET}@ntfy.example/gpus"


@dataclass
class Mailbox:
    """``bot.ports.Addresses`` that remembers; ``broken`` is why it takes nothing."""

    heard: list[tuple[str, str]] = field(default_factory=list)
    broken: str = ""

    async def service(self, address: str) -> str:
        """Whatever the scheme says; ``nope`` is none."""
        scheme = address.partition("://")[0]
        return "" if scheme == "nope" else scheme

    async def tell(self, address: str, title: str, text: str, tone: Tone) -> str:
        """Remember it."""
        if not self.broken:
            self.heard.append((address, f"{tone.value}: {title}\n{text}"))
        return self.broken


class TwoChats:
    """The town's own chat (``sim``) and another one, with one delivery for both."""

    def __init__(self, town: SmallTown) -> None:
        self.town = town
        self.mail = Mailbox()
        self.here, self.other = town.chat, WorldChat("other", town.clock)
        self.again()

    def again(self) -> None:
        """A new process."""
        life = self.town.again()
        store, clock = life.store, self.town.clock
        addresses = AddressChat(self.mail, lambda channel: store.vault.secret(secret_of(channel)))
        life.delivery = Delivery(store, [self.here, self.other, addresses], clock, self.town.town.ids)
        life.desk = Desk(replace(life.desk.house, addresses=self.mail))
        self.echoes = Echoes(store, clock)

    async def say(self, text: str, actor: Actor, channel: Channel = HERE) -> Reply:
        """Type a line in either chat."""
        place = OPS if actor.chat == "other" and channel == HERE else channel
        self.town.town.asked += 1
        request = Request(actor, place, text, f"said-{self.town.town.asked}", self.town.clock.now())
        return await self.town.life.desk.handle(request)

    async def turn(self, length: timedelta = 10 * SECOND) -> None:
        """Time goes by in steps of five seconds; reminders pass every fifteen, as they do in a process."""
        for step in range(length // (5 * SECOND)):
            self.town.clock.advance(5 * SECOND)
            await self.town.life.engine.run_due()
            if step % 3 == 0:
                await self.town.life.reminders.tick()
            await self.echoes.tick()
            await self.town.life.delivery.tick()

    def told(self, prefix: str) -> list[Said]:
        """What the other chat was told under such keys."""
        return [one for one in self.other.said() if one.key.startswith(prefix)]
