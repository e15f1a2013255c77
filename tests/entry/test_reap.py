"""``lastcall reap`` through the console door: exit codes, what is printed and shouted, and that no database is made."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from adapters import registry
from adapters.clock import SystemClock
from adapters.shell import Shells
from adapters.simulators.faces.server import FaceServer
from adapters.simulators.faults import ALWAYS, Fault, FaultKind
from adapters.simulators.machine import SimMachine
from adapters.simulators.world import World
from bot.domain.label import make
from bot.domain.market import LaunchOrder, Want
from bot.domain.money import Usd
from tests.support.cloud_town import VENDORS
from tests.support.sshd import MemoryKeyring, new_key, public_line
from tests.support.strays import run_stray
from tests.support.waiting import is_alive, wait_until

ROOT = Path(__file__).parents[2]
KEY, WRONG, SECRET = "a-simulated-key", "another-simulated-key", "s3cret-of-the-address"
NAMED = ("VAST_", "RUNPOD_", "LAMBDA_", "LASTCALL_")
KEYS = {"VAST_API_KEY": KEY, "RUNPOD_API_KEY": KEY, "LAMBDA_API_KEY": KEY}
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Said:
    """How a run ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def fates(self) -> dict[str, list[str]]:
        return {one["provider"]: [two["fate"] for two in one["machines"]] for one in self.json["providers"]}


async def reap(folder: Path, *words: str, **settings: str) -> Said:
    """Run it in an empty folder; no traceback, no key and no secret is ever printed."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith(NAMED)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "reap", *words,
        cwd=folder,
        env={**bare, "PYTHONPATH": str(ROOT), **settings},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(), 100)
    said = Said(int(process.returncode or 0), out.decode(), err.decode())
    assert "Traceback" not in said.err
    assert not [secret for secret in (KEY, WRONG, SECRET) if secret in said.out + said.err]
    return said


def names(folder: Path) -> list[str]:
    """What is in a folder."""
    return [one.name for one in folder.iterdir()]


class Clouds:
    """The three vendors on loopback, on the world's clock."""

    def __init__(self) -> None:
        self.worlds = {
            name: World(SystemClock(), tariff=one.tariff, balance=Usd.of(50)) for name, one in VENDORS.items()
        }
        for name, world in self.worlds.items():
            for host in VENDORS[name].hosts():
                world.add_host(host)
        self.settings: dict[str, str] = dict(KEYS)

    def put(self, vendor: str, due: timedelta = -MINUTE, namespace: str = "ours") -> SimMachine:
        world = self.worlds[vendor]
        label = make(namespace, f"abc{len(world.ever()):03d}", 1, SystemClock().now() + due)
        return world.put(world.free_hosts()[0], LaunchOrder(label, "ssh-ed25519 AAAA", 20))

    def alive(self, vendor: str) -> list[SimMachine]:
        return self.worlds[vendor].alive()


@asynccontextmanager
async def clouds() -> AsyncIterator[Clouds]:
    """Settings that lead there."""
    them = Clouds()
    async with AsyncExitStack() as open_:
        servers = {
            name: await open_.enter_async_context(FaceServer(VENDORS[name].face(world, key=KEY)))
            for name, world in them.worlds.items()
        }
        them.settings |= {
            "VAST_API_URL": servers["vast"].url,
            "RUNPOD_API_URL": f"{servers['runpod'].url}/v2",
            "RUNPOD_GRAPHQL_URL": f"{servers['runpod'].url}/graphql",
            "LAMBDA_API_URL": f"{servers['lambda'].url}/api/v1",
        }
        yield them


@asynccontextmanager
async def pager() -> AsyncIterator[tuple[str, list[dict[str, Any]]]]:
    """A second medium: its address, and what it was told."""
    heard: list[dict[str, Any]] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        heard.append(json.loads(await request.read()))
        return web.Response()

    runner = web.ServerRunner(web.Server(answer, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"json://127.0.0.1:{runner.addresses[0][1]}/{SECRET}", heard
    finally:
        await runner.cleanup()


async def test_what_is_due_is_ended_at_all_clouds_without_a_data_folder(tmp_path: Path):
    """The data folder is a file, as bad as it gets: exit 0, nothing due is left, nothing was written; and somebody
    hears that the bot had not done it."""
    (tmp_path / "no-folder").write_text("")
    async with clouds() as them, pager() as (address, heard):
        kept = {
            vendor: [them.put(vendor, due=MINUTE), them.put(vendor, namespace="theirs")] for vendor in VENDORS
        }
        for vendor in VENDORS:
            them.put(vendor)
        said = await reap(
            tmp_path, "--json", **them.settings, LASTCALL_NAMESPACE="ours", LASTCALL_NOTIFY_URLS=address,
            LASTCALL_DATA_DIR="no-folder",
        )  # fmt: skip
        left = {vendor: them.alive(vendor) for vendor in VENDORS}
    assert said.code == 0, said
    assert left == kept
    assert said.json["ok"] is True
    assert said.fates() == {vendor: ["ended", "not due"] for vendor in VENDORS}
    assert names(tmp_path) == ["no-folder"]
    (told,) = heard
    assert "ended 3 overdue machines" in told["title"]


async def test_what_could_not_be_ended_or_asked_is_exit_1_and_shouted(tmp_path: Path):
    """One vendor says yes and does nothing, one does not take the key: the third is reaped all the same."""
    async with clouds() as them, pager() as (address, heard):
        machines = {vendor: them.put(vendor) for vendor in VENDORS}
        them.worlds["vast"].plan("destroy", Fault(FaultKind.SHRUG, times=ALWAYS))
        wrong = {**them.settings, "RUNPOD_API_KEY": WRONG, "LASTCALL_NOTIFY_URLS": address}
        said = await reap(tmp_path, "--json", "--namespace", "ours", "--within", "0.1", **wrong)
        left = {vendor: them.alive(vendor) for vendor in VENDORS}
    assert said.code == 1
    assert said.json["ok"] is False
    assert left == {"vast": [machines["vast"]], "runpod": [machines["runpod"]], "lambda": []}
    assert said.fates() == {"vast": ["still there"], "runpod": [], "lambda": ["ended"]}
    assert [one["provider"] for one in said.json["providers"] if one["unknown"]] == ["runpod"]
    (told,) = heard
    assert "could not make sure" in told["title"]
    assert machines["vast"].label in told["message"]
    assert "runpod: unknown" in told["message"]
    assert names(tmp_path) == []


async def test_a_dry_run_tells_people_what_would_be_ended_and_nobody_else(tmp_path: Path):
    """Exit 0, in words; the namespace is the one that the bot keeps beside its database."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "namespace").write_text("ours\n")
    async with clouds() as them, pager() as (address, heard):
        machine = them.put("vast")
        said = await reap(tmp_path, "--dry-run", **them.settings, LASTCALL_NOTIFY_URLS=address)
        left = them.alive("vast")
    assert said.code == 0, said
    assert left == [machine]
    assert heard == []
    assert f"{machine.label}: would end (due " in said.out
    assert said.out.endswith("\n1 would be ended.\n")
    assert names(tmp_path / "data") == ["namespace"]


async def test_a_workstation_that_is_misspelt_spares_no_cloud(tmp_path: Path):
    """It is unknown, so exit 1, said in a sentence; and nobody else could be told."""
    async with clouds() as them:
        them.put("vast")
        said = await reap(
            tmp_path, **them.settings, LASTCALL_NAMESPACE="ours", LASTCALL_LOCAL_HOSTS="ann@@ws1"
        )
        assert them.alive("vast") == []
    assert said.code == 1
    assert "local hosts: unknown" in said.out
    assert "LASTCALL_NOTIFY_URLS is not set" in said.out


async def test_a_machine_of_this_computer_is_ended_with_its_processes(tmp_path: Path):
    """No database is opened or made for it: its folder has the label."""
    shell = Shells(MemoryKeyring({}))
    (local,) = registry.computers(shell, data_dir=tmp_path / "data", namespace="ours", local_shell="process")
    label = make("ours", "abcdef", 1, SystemClock().now() - MINUTE)
    offer = (await local.offers(Want(cpu_ok=True, disk_gb=1)))[0]
    await local.launch(offer, LaunchOrder(label, public_line(new_key()), 1))
    machine = await local.inspect(label)
    assert machine is not None and machine.access is not None
    pid = await run_stray(shell, machine.access, Path(machine.access.workdir))
    await wait_until(pid)
    runs = pid()
    said = await reap(tmp_path, "--json", LASTCALL_NAMESPACE="ours")
    await shell.close()
    assert said.code == 0, said
    assert said.fates() == {"local": ["ended"]}
    assert not is_alive(runs)
    assert names(tmp_path / "data" / "machines") == []
    assert not (tmp_path / "data" / "lastcall.db").exists()


REFUSED = {
    "no namespace": ((), KEYS, "lastcall check"),
    "no such namespace": (("--namespace", "Our Team"), KEYS, "--namespace: is 1 to 20 lower-case letters"),
    "no key": (("--namespace", "ours"), {}, "no provider's key is set"),
    "namespace that is none": (
        (),
        {**KEYS, "LASTCALL_NAMESPACE": "Our Team"},
        "LASTCALL_NAMESPACE: is 1 to 20",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_is_not_known_or_set_is_one_sentence_and_exit_1(case: str, tmp_path: Path):
    """Nothing is asked of anybody, and nothing is written."""
    words, settings, sentence = REFUSED[case]
    said = await reap(tmp_path, *words, **settings)
    assert said.code == 1
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert sentence in said.err
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    "words", [("--within", "nan"), ("--within", "0"), ("--namespace", "a", "--all-namespaces")]
)
async def test_a_slip_on_the_command_line_is_exit_2(words: tuple[str, ...], tmp_path: Path):
    """As everywhere: a wrong option is told from a reaper that could not do its work."""
    assert (await reap(tmp_path, *words, **KEYS)).code == 2
