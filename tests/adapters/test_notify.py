"""The second medium over a real HTTP server: what arrives, what fails by which name, and what is never said."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
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
