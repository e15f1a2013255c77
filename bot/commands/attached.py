"""``data attached``: what came with the message, fetched and unpacked into a folder of its own.

The folder is called by the request's key, so that a message that is delivered twice has one. It stays until its
rental is closed (``bot/lifecycle/inbox.py``).
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bot.commands.house import House
from bot.domain.errors import AskAgain, Refused
from bot.domain.filenames import clean_name, shown
from bot.domain.recipe import Dataset
from bot.domain.talk import Attached, Request
from bot.unpack import MOST_BYTES, MOST_FILES, inbox, no_room, unpack

_KEPT = 32
"""Characters of the key's digest that name the folder."""
_WAY = "Attach a zip with the images and their captions to the same message."


def called(request: Request) -> str:
    """What the person calls it."""
    files = request.attached
    return shown(files[0].name) if len(files) == 1 else f"The {len(files)} attached files"


async def fetched(house: House, request: Request, rules: Dataset) -> Path:
    """The folder with what came with this request. Raises ``AskAgain`` when nothing did, and ``Refused``; then nothing
    of it is left behind."""
    if not request.attached:
        raise AskAgain(
            "Nothing is attached.",
            expected="a zip with the images and their captions, attached to the same message",
            nearest="data ./attached" if request.folder else "",
        )
    folder = inbox(house.data) / hashlib.sha256(request.key.encode()).hexdigest()[:_KEPT]
    if await asyncio.to_thread(folder.is_dir):
        return folder
    archive = _archive(request.attached, rules)
    _small_enough(request)
    try:
        part = await asyncio.to_thread(_part, folder.parent)
    except OSError as error:
        raise no_room(called(request), error) from None
    try:
        await _fetch(part, request)
        if archive is None:
            done = part
        else:
            done = part / "unpacked"
            await asyncio.to_thread(unpack, part / _file(0, archive), done, name=called(request))
        await asyncio.to_thread(_keep, done, folder)
    finally:
        await asyncio.to_thread(shutil.rmtree, part, ignore_errors=True)
    return folder


def _archive(files: Sequence[Attached], rules: Dataset) -> Attached | None:
    """The one archive, or None where the images themselves are attached. Raises ``Refused`` for a mixture."""
    loose = [_suffix(one.name) in (*rules.image_types, "txt") for one in files]
    if all(loose):
        return None
    if len(files) == 1:
        return files[0]
    raise Refused("Several files are attached, and not all of them are images or captions.", help=_WAY)


def _suffix(name: str) -> str:
    return name.rpartition(".")[2].lower()


def _small_enough(request: Request) -> None:
    """By what the chat says, before a byte is fetched."""
    if sum(one.bytes for one in request.attached) > MOST_BYTES or len(request.attached) > MOST_FILES:
        raise Refused(
            f"{called(request)} is more than {MOST_BYTES // 10**9} GB.",
            help="Attach fewer or smaller images.",
        )


def _part(place: Path) -> Path:
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=".part-", dir=place))


def _file(number: int, one: Attached) -> str:
    """Its name is shown and never used as a path. Two of one name are two files."""
    clean = clean_name(one.name)
    return clean if not number else f"{number + 1} {clean}"


async def _fetch(part: Path, request: Request) -> None:
    """All of them, one after the other."""
    taken: set[str] = set()
    for one in request.attached:
        number = 0
        while (name := _file(number, one)).casefold() in taken:
            number += 1
        taken.add(name.casefold())
        try:
            await one.fetch(part / name)
        except OSError as error:
            raise no_room(shown(one.name), error) from None


def _keep(done: Path, folder: Path) -> None:
    """Under its own name at last. One that another delivery of the same message has made is as good."""
    try:
        done.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
