"""The second medium over a real HTTP server: what arrives, what fails by which name, and what is never said."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from adapters.notify import AppriseNotifier

SECRET = "s3cret-of-the-address"


@asynccontextmanager
async def listener(
    status: int = 200, *, deaf: bool = False
) -> AsyncIterator[tuple[str, list[dict[str, Any]]]]:
    """Where it listens (host and port), and what it was told. ``deaf``: it takes the call and never answers."""
    heard: list[dict[str, Any]] = []
    end = asyncio.Event()

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        heard.append(json.loads(await request.read()))
        if deaf:
            await end.wait()
        return web.Response(status=status)

    runner = web.ServerRunner(web.Server(answer, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"127.0.0.1:{runner.addresses[0][1]}", heard
    finally:
        end.set()
        await runner.cleanup()


async def test_every_address_is_told_title_and_text():
    """Two of them: each gets the message once, as it was written, and nothing failed."""
    async with listener() as (one, first), listener() as (two, second):
        notifier = AppriseNotifier([f"json://{one}/{SECRET}", f"json://{two}/"])
        failed = await notifier.shout("A machine runs on", "vast/4711 <b>costs</b> $0.40/h\n*now*")
    assert failed == ()
    for heard in (first, second):
        (told,) = heard
        assert told["title"] == "A machine runs on"
        assert told["message"] == "vast/4711 <b>costs</b> $0.40/h\n*now*"


async def test_one_that_fails_is_named_without_its_secret_and_spares_no_other(
    caplog: pytest.LogCaptureFixture,
):
    """An address that nobody knows, a server that refuses, one that is not there: the fourth is told all the same."""
    caplog.set_level(logging.DEBUG)
    async with listener(500) as (bad, _), listener() as (good, heard):
        notifier = AppriseNotifier(
            [
                f"nonsense://{SECRET}",
                f"json://user:{SECRET}@{bad}/{SECRET}",
                f"json://127.0.0.1:9/{SECRET}",
                f"json://{good}",
            ]
        )
        failed = await notifier.shout("title", "text")
    assert failed == ("1 (no address that Apprise knows)", "2 (JSON)", "3 (JSON)")
    assert len(heard) == 1
    assert SECRET not in caplog.text + repr(failed) + repr(notifier)


async def test_one_that_never_answers_is_given_up():
    """It took the call and says nothing: it counts as failed when its time is over."""
    async with listener(deaf=True) as (where, heard):
        notifier = AppriseNotifier([f"json://{where}/?rto=60"], limit=timedelta(milliseconds=300))
        failed = await notifier.shout("title", "text")
    assert failed == ("1 (JSON)",)
    assert len(heard) <= 1


async def test_without_an_address_nobody_is_told_and_nothing_fails():
    """The second medium is a choice."""
    assert await AppriseNotifier([]).shout("title", "text") == ()


async def test_one_whose_answer_drips_for_ever_is_given_up_and_keeps_no_process_alive():
    """A byte at a time is never silence, so that no limit of a socket ends it: the address counts as failed when its
    time is over, the next one was told all the same, and the process that asked can end."""
    async with dripping() as (where, drops), listener() as (good, heard):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", DRIPPED, f"json://{where}/{SECRET}", f"json://{good}/",
            stdout=asyncio.subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )  # fmt: skip
        said, _ = await asyncio.wait_for(process.communicate(), 30)
    assert said.split(b"\n")[0] == b"('1 (JSON)',)"
    assert process.returncode == 0
    assert float(said.split(b"\n")[1]) < 3
    assert len(heard) == 1
    assert len(drops) > 3, "it did not drip while it was waited for"


DRIPPED = """
import asyncio, sys, time
from datetime import timedelta
from pathlib import Path
from adapters.notify import AppriseNotifier, _loaded
_loaded()
began = time.monotonic()
print(asyncio.run(AppriseNotifier(sys.argv[1:], limit=timedelta(seconds=0.5)).shout("title", "text")))
print(time.monotonic() - began)
"""
"""Loading takes seconds of its own; it is no part of what is measured."""


@asynccontextmanager
async def dripping() -> AsyncIterator[tuple[str, list[int]]]:
    """It takes every call, begins its answer, and goes on with a byte every few moments until nobody reads."""
    drops: list[int] = []

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while not end.is_set():
                writer.write(b"x")
                await writer.drain()
                drops.append(1)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(end.wait(), 0.05)
        writer.close()

    end = asyncio.Event()
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        try:
            yield f"{host}:{port}", drops
        finally:
            end.set()
