"""A rental that is open is never passed over: whoever began it, whatever key is missing, however its engine ended."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from adapters.clock import SystemClock
from bot.domain.rental import Goal
from bot.store import Store
from bot.store.rows import Entry
from tests.entry.test_check import check, marks
from tests.entry.test_last_words import lastcall
from tests.support.rentals import a_rental, running

SECOND = timedelta(seconds=1)


async def opened(folder: Path, *, seen: timedelta | None = None) -> None:
    """A house with a machine on Lambda; ``seen``: how long ago an engine of another place was last seen."""
    data = folder / "data"
    data.mkdir()
    store = await Store.open(f"sqlite+aiosqlite:///{data / 'lastcall.db'}", lambda: b"", data / "keys")
    now = SystemClock().now()
    rental = a_rental(goal=Goal.READY, job=None, created_at=now)
    await store.rentals.open(rental, key=uuid4().hex, entry=Entry("asked", "x"))
    [claim] = await store.claims.due(now=now, until=now + SECOND, token="t", limit=1)
    one = running(tried_at=now)
    one = replace(one, offer=replace(one.offer, provider="lambda"))
    after = replace(claim.rental, attempts=(one,), offer=one.offer, began_at=now)
    wake = now + timedelta(hours=1)
    await store.claims.apply(claim, after, now=now, wake_at=wake, rising=None, entries=[], says=[])
    if seen is not None:
        until = now - seen + timedelta(seconds=30)
        await store.leases.take("engine:elsewhere/1/1:a", token="e", now=now - seen, until=until)
    await store.close()


async def test_a_rental_on_a_vendor_without_a_key_fails_the_check(tmp_path: Path):
    """By its id, its vendor and the setting; and "1 rental" is one."""
    await opened(tmp_path)
    code, findings, text = await check(tmp_path)
    assert code == 1
    told = next(one for one in findings if one["part"] == "Lambda" and one["mark"] == "fail")
    assert told["sentence"] == "k7m2qd is open on Lambda and cannot be ended without LAMBDA_API_KEY."
    assert "LAMBDA_API_KEY" in told["fix"]
    assert "1 rental is open: nobody ends it." in text
    assert "1 rental open" in text


@pytest.mark.parametrize(("ago", "mark"), [(2, "ok"), (22, "warn"), (3600, "fail")])
async def test_the_check_says_when_an_engine_was_last_seen(tmp_path: Path, ago: int, mark: str):
    """One that beats, one that is silent and may have been killed, and one that did not say goodbye an hour ago."""
    await opened(tmp_path, seen=timedelta(seconds=ago))
    _, findings, _ = await check(tmp_path)
    assert marks(findings, "engine") == {mark}
    said = next(one["sentence"] for one in findings if one["part"] == "engine")
    assert re.search(r"seen (\d+ s|1 h) ago, at \d\d:\d\d UTC", said)


@pytest.mark.parametrize("words", [["-c", "status"], ["-c", "help", "--json"], []])
async def test_who_leaves_hears_what_nobody_looks_after(tmp_path: Path, words: list[str]):
    """Also of a rental that another session began; with the line to type for who leaves a prompt."""
    await opened(tmp_path)
    ran = lastcall(tmp_path, "chat", *words)
    assert "k7m2qd: nobody looks after it now; start 'lastcall serve'" in ran.stderr
    assert ('lastcall chat -c "down k7m2qd" --wait' in ran.stderr) is (not words)


async def test_who_leaves_beside_an_engine_hears_nothing(tmp_path: Path):
    """It goes on."""
    await opened(tmp_path, seen=timedelta(0))
    ran = lastcall(tmp_path, "chat", "-c", "help")
    assert (ran.returncode, ran.stderr) == (0, "")
