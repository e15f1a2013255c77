"""A bot in a process of its own, to be killed: starts a unit, then prints the offset it has read up to, for ever.

Run as ``python -m tests.support.unit_bot`` with one JSON object on stdin.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys

from adapters.shell import Shells
from bot.domain.market import Access
from bot.ports import UnitJob
from tests.support.sshd import KEY_REF, MemoryKeyring


async def main() -> None:
    """Start, then follow the log into a file; each line on stdout is how far that went."""
    told = json.loads(sys.stdin.readline())
    access = told["access"]
    access["host_keys"] = tuple(access["host_keys"])
    shells, machine = Shells(MemoryKeyring({KEY_REF: told["key"]})), Access(**access)
    await shells.start(machine, told["unit"], UnitJob(tuple(told["argv"])))
    offset = 0
    copy = os.open(told["copy"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    while True:
        seen = await shells.look(machine, told["unit"], offset=offset)
        os.write(copy, seen.log)
        offset = seen.offset
        print(offset, flush=True)


if __name__ == "__main__":
    asyncio.run(main())
