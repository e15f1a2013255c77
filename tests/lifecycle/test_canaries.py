"""Secrets that are planted at the start are found nowhere at the end: not on a machine, in a log, a chat or a row."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.notify import AppriseNotifier
from adapters.simulators.chat import WorldChat
from adapters.simulators.faces.face import Wire
from adapters.simulators.training import Training
from bot.delivery import Delivery
from bot.domain.label import make
from bot.domain.market import LaunchOrder
from bot.domain.rental import Ending
from bot.lifecycle.reap import Reaper
from bot.lifecycle.reminders import Reminders
from bot.lifecycle.settle import Settle
from tests.support.canaries import Hunt, Parrot, forms, listening
from tests.support.cloud_town import API_KEY, KEY, NAMESPACE, VENDORS, CloudTown, founded
from tests.support.story import two_images
from tests.support.worlds import MINUTE

ADDRESS = "canary-of-the-second-medium"
SECRETS = {"the account's key": API_KEY, "the second medium's": ADDRESS, "the sealing key": KEY.decode()}
NOWHERE = f"json://user:{ADDRESS}@127.0.0.1:9/{ADDRESS}"
"""An address at which nobody listens: what goes wrong is what is told of."""
HOUR = timedelta(hours=1)


class Watched:
    """A town whose every word is overheard, behind a vendor that repeats what it is sent."""

    def __init__(self, town: CloudTown, hunt: Hunt) -> None:
        self.town, self.hunt = town, hunt
        self.parrot = Parrot(town.line)
        town.provider = town.vendor.adapter(town.clock, self.parrot, town.pause)
        town.shell.script = Training(lasts=MINUTE, lines=4)
        town.again()
        self.chat = WorldChat(clock=town.clock)
        self.next_beat = town.clock.now()
        hands = town.engine.hands
        self.beside = (
            Reminders(hands, notifier=AppriseNotifier([NOWHERE])),
            Delivery(town.store, [self.chat], town.clock, town.ids),
            Settle(hands),
        )

    async def _beat(self) -> bool:
        if self.town.clock.now() >= self.next_beat:
            self.next_beat = self.town.clock.now() + MINUTE / 2
            for one in self.beside:
                await one.tick()
        return False

    async def live(self, length: timedelta) -> None:
        """Let everything work for so long."""
        await self.town.run_until(self.town.clock.now() + length, stop=self._beat)

    async def ask(self, text: str) -> str:
        """Type it; what is answered is looked at. The rental's id, if there is one."""
        reply = await self.town.ask(text)
        self.hunt.look("answer", repr(reply))
        return reply.rental or ""

    async def refused(self, status: int, shape: str) -> None:
        """Everything that asks the vendor is refused in this way, and says so to whoever wants to hear."""
        town, vendor = self.town, self.town.vendor
        self.parrot.status, self.parrot.shape = status, shape
        await self.ask(f"gpus {vendor.gpu}")
        tab = await self.ask(f"up {vendor.name} {vendor.gpu} for 1h budget $50")
        await self.live(MINUTE / 2)
        for look in (town.provider.account, town.provider.machines, town.provider.check):
            try:
                self.hunt.look("answer", repr(await look()))
            except Exception as error:  # noqa: BLE001 - whatever it is, its words are told
                self.hunt.look("error", repr(error) + str(error))
        await self.reaped()
        self.parrot.status = 0
        if tab:
            await self.ask(f"down {tab}")
            assert await town.closes(tab, HOUR)

    async def reaped(self) -> None:
        """One run of the reaper, with what it would print."""
        visits = await Reaper(self.town.clock, self.town.pause, NAMESPACE).reap([self.town.provider])
        self.hunt.look("reaper", repr(visits))

    def everywhere(self) -> None:
        """Machines, chat, files and rows, as they are now."""
        for machine in self.town.world.ever():
            self.hunt.look(f"machine: {machine.id}", repr(machine))
            for name, content in machine.files.items():
                self.hunt.look(f"machine: {name}", content)
            for name, unit in machine.units.items():
                log = bytes(unit.log(self.town.clock.now()))
                self.hunt.look(f"machine: unit {name}", repr((unit.job, dict(unit.job.env), log)))
        self.hunt.look("machine: commands", repr(self.town.shell.ran))
        for said in self.chat.said():
            self.hunt.look(f"chat: {said.key}", repr(said) + said.text)
        self.hunt.files("file", self.town.folder)
        self.hunt.database(self.town.folder / "lastcall.db")


async def _whole_life(watched: Watched, folder: Path) -> None:
    """A training to its end, and a machine that is kept to its hard end while the key is refused."""
    town, vendor = watched.town, watched.town.vendor
    trained = await watched.ask(
        f"train tiny-lora quick on {vendor.name} {vendor.gpu} for 2h budget $50 data {folder / 'images'} steps=8"
    )
    town.face.plan("launch", Wire.ERROR_AFTER)
    await watched.live(HOUR / 3)
    rental = await town.rental(trained)
    assert rental.ending is Ending.DONE, rental.ending_note
    kept = await watched.ask(f"up {vendor.name} {vendor.gpu} for 40m budget $50")
    await watched.live(35 * MINUTE)
    assert len(town.ours()) == 1
    watched.everywhere()
    watched.parrot.status, watched.parrot.shape = 401, "json"
    await watched.live(10 * MINUTE)
    assert len(town.ours()) == 1, "the key is refused, and it is gone all the same"
    watched.parrot.status = 0
    await watched.live(HOUR / 2)
    assert (await town.rental(kept)).closed_at is not None
    host = town.world.free_hosts()[0]
    town.world.put(host, LaunchOrder(make(NAMESPACE, "abcdef", 1, town.clock.now()), "ssh-ed25519 AAAA", 20))
    town.clock.advance(2 * MINUTE)
    await watched.reaped()
    assert town.ours() == []


@pytest.mark.parametrize("vendor", VENDORS)
async def test_no_secret_is_anywhere_after_a_whole_life(vendor: str, tmp_path: Path):
    """Refused in every way by a vendor that repeats the key, broken by a fault of a library, trained, reminded, torn
    down and reaped, with every logger at its loudest: no form and no piece of a secret is left."""
    two_images(tmp_path)
    hunt = Hunt(SECRETS)
    with listening(hunt) as ears:
        async with founded(vendor, tmp_path) as town:
            watched = Watched(town, hunt)
            for status in (400, 401, 403, 422, 500):
                await watched.refused(status, "json" if status % 2 else "long")
            await watched.refused(403, "text")
            await watched.refused(500, "fault")
            await _whole_life(watched, tmp_path)
            watched.everywhere()
    assert not hunt.found
    assert watched.parrot.said > 20 and ears.tracebacks > 0
    assert {"httpx", "sqlalchemy", "lastcall"} <= set(ears.heard), "a library was not overheard"
    assert [key for key in (one.key for one in watched.chat.said()) if key.startswith("alert:")]
    assert {"machine", "chat", "log", "database", "file", "reaper", "error", "answer"} == set(hunt.looked)


@pytest.mark.parametrize("how", forms(API_KEY))
def test_the_hunt_finds_every_form_in_every_place(how: str, tmp_path: Path):
    """So that finding nothing means something."""
    planted = forms(API_KEY)[how]
    with closing(sqlite3.connect(tmp_path / "lastcall.db")) as rows, rows:
        rows.execute("CREATE TABLE kept (value BLOB)")
        rows.execute("INSERT INTO kept VALUES (?)", (b"x" * 9000 + planted,))
    (tmp_path / "home" / "deep").mkdir(parents=True)
    (tmp_path / "home" / "deep" / ".profile").write_bytes(b"a=" + planted)
    for look in (
        lambda hunt: hunt.look("chat: card", b"before " + planted + b" behind"),
        lambda hunt: hunt.files("home", tmp_path / "home"),
        lambda hunt: hunt.database(tmp_path / "lastcall.db"),
    ):
        hunt = Hunt(SECRETS)
        look(hunt)
        assert any(how in one for one in hunt.found)


def test_the_ears_hear_what_is_only_in_arguments_and_tracebacks():
    """A record that is formatted without them has them all the same."""
    hunt = Hunt(SECRETS)
    with listening(hunt):
        log = logging.getLogger("some.library")
        log.debug("sent %(method)s", {"method": "GET", "authorization": API_KEY})
    assert hunt.found
    hunt = Hunt(SECRETS)
    with listening(hunt):
        try:
            raise ValueError(f"no such key: {API_KEY}")
        except ValueError:
            log.exception("it went wrong")
    assert hunt.found
