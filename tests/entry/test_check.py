"""``lastcall check``: what works, what is missing, what to do; and an exit code for scripts."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adapters.clock import SystemClock
from adapters.simulators.faces.lambda_cloud import LambdaFace
from adapters.simulators.faces.runpod import RunpodFace
from adapters.simulators.faces.server import FaceServer
from adapters.simulators.faces.vast import VastFace
from adapters.simulators.machine import SimHost
from adapters.simulators.world import World
from bot.domain.market import LaunchOrder
from bot.domain.money import Usd

ROOT = Path(__file__).parents[2]
KEY = "a-simulated-key"
NAMED = ("VAST_", "RUNPOD_", "LAMBDA_", "LASTCALL_")


async def check(folder: Path, **settings: str) -> tuple[int, list[dict[str, Any]], str]:
    """Exit code, findings, and whatever was printed."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith(NAMED)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "check", "--json",
        cwd=folder,
        env={**bare, "PYTHONPATH": str(ROOT), "LASTCALL_NAMESPACE": "ours", **settings},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    printed, _ = await asyncio.wait_for(process.communicate(), 60)
    text = printed.decode()
    assert "Traceback" not in text
    return int(process.returncode or 0), json.loads(text.splitlines()[-1])["findings"], text


def marks(findings: list[dict[str, Any]], part: str) -> set[str]:
    """How everything about one part is."""
    return {one["mark"] for one in findings if one["part"] == part}


async def test_nothing_configured_is_nothing_to_mend(tmp_path: Path):
    """Exit 0; each cloud says which setting would turn it on."""
    code, findings, _ = await check(tmp_path)
    assert code == 0
    off = {one["part"]: one["fix"] for one in findings if one["mark"] == "off"}
    assert off == {
        "Vast.ai": "To use it, set VAST_API_KEY.",
        "RunPod": "To use it, set RUNPOD_API_KEY.",
        "Lambda": "To use it, set LAMBDA_API_KEY.",
    }
    assert marks(findings, "database") == {"ok"}


async def test_what_works_says_so_and_a_wrong_key_is_told_apart(tmp_path: Path):
    """Three vendors with right keys: exit 0. One wrong key: exit 1, and only that one fails. The key is never shown."""
    clock = SystemClock()
    faces = [one(World(clock, balance=Usd.of(50)), key=KEY) for one in (VastFace, RunpodFace, LambdaFace)]
    async with FaceServer(faces[0]) as vast, FaceServer(faces[1]) as runpod, FaceServer(faces[2]) as lambda_:
        urls = {
            "VAST_API_URL": vast.url,
            "RUNPOD_API_URL": f"{runpod.url}/v2",
            "RUNPOD_GRAPHQL_URL": f"{runpod.url}/graphql",
            "LAMBDA_API_URL": f"{lambda_.url}/api/v1",
        }
        keys = {"VAST_API_KEY": KEY, "RUNPOD_API_KEY": KEY, "LAMBDA_API_KEY": KEY}
        code, findings, text = await check(tmp_path, **urls, **keys)
        assert code == 0, text
        assert "fail" not in {one["mark"] for one in findings}
        wrong = {**keys, "VAST_API_KEY": "another-simulated-key"}
        code, findings, text = await check(tmp_path, **urls, **wrong)
    assert code == 1
    assert "fail" in marks(findings, "Vast.ai")
    assert "fail" not in marks(findings, "RunPod") | marks(findings, "Lambda")
    assert KEY not in text
    assert "another-simulated-key" not in text


async def test_a_vendor_that_cannot_be_reached_fails(tmp_path: Path):
    """With what to look at; nobody is told that the account is empty."""
    code, findings, _ = await check(tmp_path, LAMBDA_API_KEY=KEY, LAMBDA_API_URL="http://127.0.0.1:9/api/v1")
    assert code == 1
    told = [one for one in findings if one["part"] == "Lambda"]
    assert [one["mark"] for one in told] == ["fail"]
    assert told[0]["fix"]


async def test_machines_under_our_name_that_nobody_knows_are_a_clash(tmp_path: Path):
    """A lost database, or another Lastcall of the same name: exit 1, with both ways out."""
    world = World(SystemClock(), balance=Usd.of(50))
    host = world.add_host(SimHost("h", "RTX 3090", Usd.of("0.20")))
    until = datetime(2099, 1, 1, tzinfo=UTC)
    world.put(host, LaunchOrder(f"lc-ours-abcdef-1-{until:%Y%m%dT%H%MZ}", "", 20))
    async with FaceServer(VastFace(world, key=KEY)) as vast:
        code, findings, _ = await check(tmp_path, VAST_API_KEY=KEY, VAST_API_URL=vast.url)
    assert code == 1
    clash = next(one for one in findings if "no rental of this database" in one["sentence"])
    assert (clash["part"], clash["mark"]) == ("Vast.ai", "fail")
    assert "LASTCALL_NAMESPACE" in clash["fix"]


async def test_every_malformed_setting_is_told_with_what_to_type(tmp_path: Path):
    """A sentence for each, also for what only an adapter can read; a secret's value is in none of them."""
    wrong = {
        "VAST_API_KEY": "two words",
        "LASTCALL_DEFAULT_HOURS": "soon",
        "LASTCALL_LOG_LEVEL": "LOUD",
        "LAMBDA_SSH_PORT": "many",
        "LASTCALL_LOCAL_HOSTS": "no host",
    }
    code, findings, text = await check(tmp_path, **wrong)
    assert code == 1
    assert {(one["part"], one["mark"]) for one in findings} == {("settings", "fail")}
    told = {one["sentence"].partition(": ")[0]: one for one in findings}
    assert told.keys() == wrong.keys()
    assert all(name in one["fix"] for name, one in told.items())
    assert "'soon' is no number of hours; write it like 4" in told["LASTCALL_DEFAULT_HOURS"]["sentence"]
    assert "'many' is no whole number; write it like 22." in told["LAMBDA_SSH_PORT"]["sentence"]
    assert "[user@]host[:port]" in told["LASTCALL_LOCAL_HOSTS"]["sentence"]
    assert "Without LASTCALL_DEFAULT_HOURS, 4h holds." in told["LASTCALL_DEFAULT_HOURS"]["fix"]
    assert "two words" not in text


async def test_a_workstation_that_is_none_is_a_finding_too(tmp_path: Path):
    """It is read later than the others, and told like them."""
    code, findings, _ = await check(tmp_path, LASTCALL_LOCAL_HOSTS="no host")
    assert (code, [one["part"] for one in findings]) == (1, ["settings"])
    assert findings[0]["sentence"].startswith("LASTCALL_LOCAL_HOSTS: ")


async def test_a_key_that_is_none_is_pointed_at_by_its_name(tmp_path: Path):
    """A key with a space in it was pasted badly; a command that is no check says so in one line."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith(NAMED)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "chat", "-c", "status",
        cwd=tmp_path,
        env={**bare, "PYTHONPATH": str(ROOT), "VAST_API_KEY": "two words"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, told = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1
    assert (
        told.decode()
        == "lastcall: VAST_API_KEY: is no API key: it has spaces or characters that no key has.\n"
    )
