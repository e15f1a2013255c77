"""The operations door of a served bot, asked over HTTP; its log as JSON; and how it ends when something hangs."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from subprocess import Popen

import httpx
import pytest
from sqlalchemy import update

from adapters.clock import SystemClock
from adapters.http import Http
from adapters.ops.metrics import Metrics
from adapters.ops.tally import Counts
from bot.domain.alert import Loudness
from bot.domain.allowance import Defaults, Scope, team_key
from bot.domain.allowance import Kind as Limit
from bot.domain.errors import NeedsHuman
from bot.domain.money import Usd
from bot.domain.talk import Channel, Kind, Reply
from bot.domain.vitals import Left, Vitals, Waiting
from bot.lifecycle.sweep import Sweep
from bot.store import Store
from bot.store.numbers import Numbers
from bot.store.rows import ALERTS, RENTALS, TEAMS, Entry, Say
from tests.journeys.house import House
from tests.support.rentals import START, a_rental, an_attempt
from tests.support.small_town import SmallTown
from tests.support.towns import empty_database, found, town
from tests.support.waiting import wait_until

__all__ = ["empty_database", "found", "town"]

SECRET = "xoxb-1-" + "not-to-be-told"
DOOR = re.compile(r"operations door: (http://[\d.]+:\d+)")


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """A bot with a door at a free port; the reading of this computer's sshd is left out."""
    house = House(tmp_path, {"LASTCALL_OPS_PORT": "0", "LASTCALL_LOCAL_SHELL": "process"})
    yield house
    house.close()


async def door(house: House, server: Popen[str]) -> str:
    """Where it is, as the log says."""
    found = await wait_until(lambda: DOOR.search(house.errors(server)), timedelta(seconds=60))
    return found[1]


async def get(url: str) -> httpx.Response:
    """One request."""
    async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
        return await client.get(url)


async def ready(url: str) -> httpx.Response:
    """When it is."""

    async def look() -> httpx.Response | None:
        answer = await get(f"{url}/readyz")
        return answer if answer.status_code == 200 else None

    return await wait_until(look, timedelta(seconds=60))


async def test_a_served_bot_is_live_ready_and_tells_its_numbers(house: House) -> None:
    """Every part is named with how it is; a rental that is open is counted by its state, and what was swept has an
    age. 'lastcall health' says the same."""
    server = house.start("serve")
    url = await door(house, server)
    assert (await get(f"{url}/healthz")).text == "ok"
    told = (await ready(url)).json()
    assert told["not_ready"] == []
    assert set(told["parts"]) == {"engine", "database", "sweep"}
    await house.run("chat", "-c", "/gpu up local cpu for 1h")

    async def numbers() -> str:
        text = (await get(f"{url}/metrics")).text
        return text if 'lastcall_rentals{state="' in text else ""

    text = await wait_until(numbers, timedelta(seconds=30))
    assert "lastcall_database_up 1.0" in text
    assert 'lastcall_sweep_age_seconds{provider="local"}' in text
    assert 'lastcall_beat_age_seconds{beat="engine"}' in text
    assert 'lastcall_pass_seconds_bucket{le="+Inf"}' in text
    assert "process_resident_memory_bytes" in text
    house.settings["LASTCALL_OPS_PORT"] = url.rpartition(":")[2]
    code, said, _ = await house.run("health")
    assert (code, json.loads(said)["ready"]) == (0, True)
    server.send_signal(signal.SIGTERM)
    assert await house.ended(server, timedelta(seconds=10)) == 0
    code, _, wrong = await house.run("health", "--live")
    assert code == 1
    assert "is 'lastcall serve' running?" in wrong


async def test_a_chat_that_is_not_connected_is_not_ready_and_no_secret_is_told(house: House) -> None:
    """503 with the name of the part; the process is live all the same, and each line of the log is one JSON object."""
    house.settings |= {
        "SLACK_BOT_TOKEN": SECRET,
        "SLACK_APP_TOKEN": "xapp-1-x",
        "LASTCALL_LOG_FORMAT": "json",
    }
    house.settings["SLACK_API_URL"] = "http://127.0.0.1:9/api"
    server = house.start("serve")
    url = await door(house, server)

    async def settled() -> httpx.Response | None:
        answer = await get(f"{url}/readyz")
        return answer if answer.json()["not_ready"] == ["chat slack"] else None

    answer = await wait_until(settled, timedelta(seconds=60))
    assert answer.status_code == 503
    assert (await get(f"{url}/healthz")).status_code == 200
    assert 'lastcall_chat_connected{chat="slack"} 0.0' in (await get(f"{url}/metrics")).text
    server.send_signal(signal.SIGTERM)
    assert await house.ended(server, timedelta(seconds=12)) == 0
    lines = [json.loads(line) for line in house.errors(server).splitlines()]
    assert {"at", "level", "logger", "message"} <= lines[0].keys()
    assert SECRET not in house.errors(server) + answer.text


async def test_a_database_that_hangs_neither_blinds_the_door_nor_keeps_the_process(house: House) -> None:
    """While somebody holds the write lock, reads go on; told to stop, the process is gone within ten seconds although
    its last writes cannot be made."""
    server = house.start("serve")
    url = await door(house, server)
    await ready(url)
    with closing(sqlite3.connect(house.data / "lastcall.db", timeout=20, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert (await get(f"{url}/metrics")).status_code == 200
        began = time.monotonic()
        server.send_signal(signal.SIGTERM)
        await house.ended(server, timedelta(seconds=10))
        assert time.monotonic() - began <= 10
        other.execute("ROLLBACK")


async def test_a_door_that_cannot_be_opened_stops_nothing(house: House) -> None:
    """The port is taken: that is logged, and the engine works."""
    first = house.start("serve")
    url = await door(house, first)
    house.settings["LASTCALL_OPS_PORT"] = url.rpartition(":")[2]
    second = house.start("serve")
    await wait_until(lambda: "cannot be listened on" in house.errors(second), timedelta(seconds=60))
    await wait_until(lambda: "rentals open" in house.errors(second), timedelta(seconds=60))
    assert second.poll() is None


async def test_the_numbers_of_rows(database_url: str, tmp_path: Path) -> None:
    """On both databases: a rental by its state, the lag of one that is due, and nothing for what is not there."""
    store = await Store.open(database_url, lambda: b"", tmp_path)
    await store.rentals.open(a_rental(id="r0aaaa"), key="k", entry=Entry("asked", "x"))
    rows = await Numbers(store.engine, store.budgets.defaults).rows(START + timedelta(minutes=3))
    await store.close()
    assert sum(rows.rentals.values()) == 1
    assert rows.lag == timedelta(minutes=3)
    assert (rows.closed, rows.outbox, rows.teardowns, rows.orphans) == ({}, {}, {}, 0)


async def test_the_numbers_of_budgets_messages_and_reminders(database_url: str, tmp_path: Path) -> None:
    """On both databases: what is left of a team's month, how long a message waits, and rungs without their spells; a
    rung that another one covered, and a snooze, were never said."""
    store = await Store.open(database_url, lambda: b"", tmp_path)
    rental = a_rental(id="r0aaaa")
    team = team_key(rental.owner)
    await store.rentals.open(rental, key="k", entry=Entry("asked", "x"))
    say = Say("note:1", Channel("sim", "general"), Reply(Kind.NOTICE, "A word"))
    await store.outbox.put(say, now=START, rental="r0aaaa")
    async with store.engine.begin() as connection:
        await connection.execute(TEAMS.insert().values(team_key=team))
        charge = update(RENTALS).values(charged=Usd.of(7), charged_at=START)
        await connection.execute(charge)
        for rung, settled in (("50%", None), ("T-10m", START), ("idle-0302T0915", None), ("snooze", None)):
            row = {"rental": "r0aaaa", "rung": rung, "rev": 0, "raised_at": START, "settled_at": settled}
            await connection.execute(
                ALERTS.insert().values(**row, level=Loudness.THREAD, level_at=START, settled_by="", what="")
            )
    limits = Defaults({(Scope.TEAM, "", Limit.MONTH): str(Usd.of(10).micros)})
    rows = await Numbers(store.engine, limits).rows(START + timedelta(minutes=3))
    await store.close()
    assert rows.budgets == {team: Left(Usd.of(10), Usd.of(3))}
    assert rows.outbox == {"sim": Waiting(1, timedelta(minutes=3))}
    assert rows.reminders == {"50%": 1, "idle": 1}


async def test_a_teardown_is_counted_when_it_is_proven(town: SmallTown) -> None:
    """By the engine, once, and not before; the sweep notes each provider that it could list."""
    counts = Counts()
    hands = replace(town.life.engine.hands, tally=counts)
    attempt = an_attempt(destroy_asked_at=START)
    before = a_rental(attempts=(attempt,))
    after = replace(before, attempts=(replace(attempt, gone_at=START + timedelta(seconds=20)),))
    hands.count(before, before)
    assert counts.teardowns == {}
    hands.count(before, after)
    hands.count(after, after)
    assert [sum(one.buckets) for one in counts.teardowns.values()] == [1]
    await Sweep(hands, "dev").tick()
    assert counts.sweeps.keys() == hands.providers.keys()


def test_counted_teardowns_become_a_histogram() -> None:
    """Buckets are summed up, the count is all of them, and a teardown that took an hour and more is in the last."""
    counts = Counts()
    for seconds in (10, 20, 4000):
        counts.torn_down("vast", timedelta(seconds=seconds))
    text = Metrics(counts).text(Vitals("k7m2qd", None)).decode()
    assert 'lastcall_teardown_seconds_bucket{le="15.0",provider="vast"} 1.0' in text
    assert 'lastcall_teardown_seconds_bucket{le="3600.0",provider="vast"} 2.0' in text
    assert 'lastcall_teardown_seconds_count{provider="vast"} 3.0' in text
    assert "lastcall_database_up 0.0" in text
    assert "\nlastcall_orphans " not in text


async def test_vendor_calls_are_counted_with_what_became_of_them() -> None:
    """Every request, repeats too; a refusal by its status and a lost connection as no answer."""
    answers = iter(
        [httpx.Response(500), httpx.ConnectError("gone"), httpx.Response(200, json={}), httpx.Response(401)]
    )

    def vendor(_: httpx.Request) -> httpx.Response:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def at_once(_: timedelta) -> None:
        return None

    http = Http(
        "https://vendor.test",
        key="k" * 20,
        clock=SystemClock(),
        judge=lambda _: None,
        every={},
        transport=httpx.MockTransport(vendor),
        pause=at_once,
    )
    assert await http.read("machines", "GET", "/machines") == {}
    with pytest.raises(NeedsHuman):
        await http.read("machines", "GET", "/machines")
    await http.close()
    assert http.calls == {"machines": 4}
    assert http.errors == {"500": 1, "no answer": 1, "401": 1}
