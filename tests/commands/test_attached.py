"""``data attached``: what comes with a message is unpacked without trusting it, kept for its rental, then removed."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.allowance import Defaults, Role
from bot.domain.errors import Refused
from bot.domain.rental import Goal
from bot.domain.talk import Actor, Attached, Kind, Reply, Request
from bot.lifecycle.inbox import STRAY, Inbox
from bot.unpack import MOST_BYTES, inbox
from tests.commands.archives import pictures, zipped
from tests.support.disks import small_disk
from tests.support.small_town import SmallTown
from tests.support.town import ANN, HERE
from tests.support.towns import Found

LINE = "train tiny-lora quick on world data attached steps=8"


class Post:
    """A chat's files: each counted when it is fetched."""

    def __init__(self) -> None:
        self.fetched: list[str] = []

    def file(self, name: str, content: bytes, size: int | None = None) -> Attached:
        """One that came with a message; ``size`` is what the chat says of it."""

        async def fetch(path: Path) -> None:
            self.fetched.append(name)
            with path.open("xb") as file:
                file.write(content)

        return Attached(name, len(content) if size is None else size, fetch)


async def said(
    town: SmallTown, *files: Attached, key: str = "m1", actor: Actor = ANN, text: str = LINE
) -> Reply:
    """A message with files."""
    request = Request(actor, HERE, text, key, town.clock.now(), attached=files)
    return await town.life.desk.handle(request)


def kept(town: SmallTown) -> list[str]:
    """What lies in the inbox."""
    place = inbox(town.life.desk.house.data)
    return sorted(one.name for one in place.iterdir()) if place.is_dir() else []


def names(folder: Path) -> list[str]:
    """What is in it."""
    return sorted(one.name for one in folder.iterdir())


def mode(folder: Path) -> int:
    """Who may look into it."""
    return folder.stat().st_mode & 0o777


def tidy(town: SmallTown) -> Inbox:
    """As a running bot has it."""
    return Inbox(town.life.store, town.clock, town.life.desk.house.data)


async def test_a_zip_becomes_the_data_set_of_one_rental(town: SmallTown):
    """Its top folder is entered, and nobody but the bot's own user may look into it."""
    reply = await said(town, Post().file("cats.zip", zipped(pictures("cats/"))))
    assert reply.rental and not reply.lines[0].startswith("Note: no data set"), reply
    job = (await town.rental(reply.rental)).job
    assert job is not None and job.images == 2
    folder = Path(job.dataset)
    assert kept(town) == [folder.name]
    assert names(folder) == ["0.png", "0.txt", "1.png", "1.txt"]
    assert {mode(one) for one in (folder, folder.parent)} == {0o700}
    await town.until_closed(reply.rental)


async def test_a_message_delivered_twice_has_one_folder_and_one_rental(town: SmallTown):
    """The second delivery fetches nothing."""
    post = Post()
    one = await said(town, post.file("cats.zip", zipped(pictures())))
    other = await said(town, post.file("cats.zip", zipped(pictures())))
    assert one.rental == other.rental != ""
    assert post.fetched == ["cats.zip"] and len(kept(town)) == 1
    assert len(await town.life.store.rentals.open_ones()) == 1


async def test_two_deliveries_at_once_are_one_as_well(town: SmallTown):
    """Both fetch; one folder is kept, and both see the same rental."""
    content = zipped(pictures())
    one, other = await asyncio.gather(*(said(town, Post().file("cats.zip", content)) for _ in range(2)))
    assert one.rental == other.rental != "" and len(kept(town)) == 1


async def test_images_and_captions_may_be_attached_as_they_are(town: SmallTown):
    """No archive is needed for a few of them."""
    post = Post()
    files = [post.file(name, content) for name, content in pictures().items()]
    reply = await said(town, *files)
    assert reply.rental and len(post.fetched) == 4


async def test_two_files_of_one_name_are_two(town: SmallTown):
    """Chats do not mind; each stays with the caption that came with it."""
    twice = [*pictures().items(), *pictures(shade=90).items()]
    reply = await said(town, *[Post().file(name, content) for name, content in twice])
    job = (await town.rental(reply.rental)).job
    assert job is not None and job.images == 4


async def test_nothing_attached_is_asked_about(town: SmallTown):
    """With what to do."""
    reply = await said(town)
    assert reply.kind is Kind.MISUNDERSTOOD and reply.title == "Nothing is attached."
    assert "attached to the same message" in reply.lines[0]


async def test_several_archives_are_refused_before_they_are_fetched(town: SmallTown):
    """Which one is meant cannot be known."""
    post = Post()
    reply = await said(town, post.file("a.zip", zipped(pictures())), post.file("b.zip", zipped(pictures())))
    assert reply.kind is Kind.REFUSED and "Several files" in reply.title
    assert post.fetched == [] and kept(town) == []


async def test_what_the_chat_says_is_too_large_is_not_fetched(town: SmallTown):
    """Twenty gigabytes are enough for any data set."""
    post = Post()
    reply = await said(town, post.file("a.zip", b"", size=MOST_BYTES + 1))
    assert reply.title == "'a.zip' is more than 20 GB." and post.fetched == []


async def test_who_may_not_rent_fills_no_disk(found: Found):
    """A viewer's archive is not fetched."""
    town, post = await found(defaults=Defaults(role=Role.VIEWER)), Post()
    reply = await said(town, post.file("a.zip", zipped(pictures())))
    assert reply.title == "You may look, and not rent here." and post.fetched == []


async def test_what_gate_1_refuses_is_not_kept_and_is_called_by_its_name(town: SmallTown):
    """The sentence is about the archive, not about a folder that the person never saw."""
    reply = await said(town, Post().file("cats.zip", zipped({"notes.md": b"none"})))
    assert reply.title == "'cats.zip' holds no images." and kept(town) == []


@pytest.mark.parametrize("text", [LINE.replace("steps=8", "for 99d"), LINE.replace("steps", "stops")])
async def test_another_refusal_leaves_nothing_behind(town: SmallTown, text: str):
    """Too long, or a parameter that there is not: that is seen before anything is fetched."""
    post = Post()
    reply = await said(town, post.file("cats.zip", zipped(pictures())), text=text)
    assert not reply.rental and post.fetched == [] and kept(town) == []


async def test_a_chat_that_cannot_fetch_it_says_why(town: SmallTown):
    """The chat's own sentence reaches the person, and nothing half-done is left."""

    async def fetch(path: Path) -> None:
        path.write_bytes(b"half")  # noqa: ASYNC240 - four bytes
        raise Refused("cats.zip could not be fetched.", help="Try again.")

    reply = await said(town, Attached("cats.zip", 10, fetch))
    assert (reply.title, reply.lines, kept(town)) == ("cats.zip could not be fetched.", ("Try again.",), [])


async def test_a_full_disk_is_said(found: Found, tmp_path: Path):
    """While it is fetched, or while it is unpacked; the disk is as free as before."""
    town = await found()
    with small_disk(tmp_path / "disk", kib=256) as disk:
        house = replace(town.life.desk.house, data=disk)
        town.life.desk.house = house
        for content in (zipped({"a.png": os.urandom(400_000)}), zipped({"a.png": bytes(400_000)})):
            reply = await said(town, Post().file("cats.zip", content), key=str(len(content)))
            assert reply.title == "There is no room for 'cats.zip' on Lastcall's disk.", reply
        assert kept(town) == []


async def test_the_folder_goes_when_its_rental_is_closed(town: SmallTown):
    """And not before: the machine may be lost, and the data set sent once more."""
    reply = await said(town, Post().file("cats.zip", zipped(pictures())))
    await town.until(reply.rental, lambda rental: rental.goal is Goal.TRAINED)
    assert await tidy(town).tick() == [] and len(kept(town)) == 1
    await town.until_closed(reply.rental)
    assert len(await tidy(town).tick()) == 1 and kept(town) == []


async def test_what_no_rental_owns_goes_after_a_day(town: SmallTown):
    """A download that was cut off leaves something behind; another one may still be going on."""
    place = inbox(town.life.desk.house.data)
    for name, age in ((".part-old", STRAY + timedelta(minutes=1)), (".part-new", timedelta(hours=1))):
        (place / name).mkdir(parents=True)
        at = (town.clock.now() - age).timestamp()
        os.utime(place / name, (at, at))
    assert await tidy(town).tick() == [".part-old"]
    assert kept(town) == [".part-new"]


@pytest.mark.parametrize("word", ["attached", "ATTACHED", '"attached"'])
async def test_the_word_is_understood_however_it_is_written(town: SmallTown, word: str):
    """A folder of that name is ``./attached``."""
    reply = await said(town, text=LINE.replace("attached", word))
    assert reply.title == "Nothing is attached."
    reply = await said(town, text=LINE.replace("attached", "./attached"), key="m2")
    assert reply.kind is Kind.REFUSED and "relative path" in reply.title
