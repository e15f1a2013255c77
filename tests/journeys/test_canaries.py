"""Secrets in the environment of a real process: what it starts does not get them, and what it leaves has none."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import psutil

from adapters.clock import SystemClock
from adapters.simulators.faces.server import FaceServer
from adapters.simulators.world import World
from bot.domain.label import make
from bot.domain.market import LaunchOrder
from bot.domain.money import Usd
from tests.journeys.house import House
from tests.support.canaries import Hunt, watching
from tests.support.cloud_town import VENDORS
from tests.support.waiting import wait_until

SECRETS = {
    "VAST_API_KEY": "canary-vast-5d1f0c77e2",
    "RUNPOD_API_KEY": "rpa_CANARY5D1F0C77E2RUNPOD",
    "LAMBDA_API_KEY": "secret_canary_5d1f0c77e2.lambda",
    "HF_TOKEN": "hf_CanaryOfTheHubNobodyAsks",
    "LASTCALL_NOTIFY_URLS": "json://user:canary-of-the-address@127.0.0.1:9/",
}
SETTINGS = {"LASTCALL_LOG_LEVEL": "DEBUG", "LASTCALL_NAMESPACE": "canaries", **SECRETS}
STARTED = ("make_dataset.py", "lastcall-helper", "train.py")
"""What a training of this computer starts, at least."""


@asynccontextmanager
async def clouds() -> AsyncIterator[dict[str, str]]:
    """Three vendors on loopback that know these keys, each with a machine that is due: where they are."""
    urls: dict[str, str] = {}
    async with AsyncExitStack() as opened:
        for name, vendor in VENDORS.items():
            world = World(SystemClock(), tariff=vendor.tariff, balance=Usd.of(50))
            for host in vendor.hosts():
                world.add_host(host)
            label = make("canaries", "abcdef", 1, SystemClock().now() - timedelta(minutes=1))
            world.put(world.free_hosts()[0], LaunchOrder(label, "ssh-ed25519 AAAA", 20))
            face = vendor.face(world, key=SECRETS[f"{name.upper()}_API_KEY"])
            urls[name] = (await opened.enter_async_context(FaceServer(face))).url
        yield {
            "VAST_API_URL": urls["vast"],
            "RUNPOD_API_URL": f"{urls['runpod']}/v2",
            "RUNPOD_GRAPHQL_URL": f"{urls['runpod']}/graphql",
            "LAMBDA_API_URL": f"{urls['lambda']}/api/v1",
        }


async def test_what_the_bot_starts_gets_no_key_and_what_it_leaves_has_none(
    houses: Callable[..., House],
) -> None:
    """A reaper that ends a machine at each cloud and cannot tell of it, and a training of this computer with the
    recipe's own sample: every process that either of them starts is looked at, and in the end the database, the log
    at its loudest, the results and what was printed."""
    hunt = Hunt(SECRETS)
    async with clouds() as there:
        house = houses(**SETTINGS, **there)
        train = "/gpu train tiny-lora quick on local steps=8"
        for words in (("reap", "--json"), ("chat", "-c", train, "--wait")):
            process = house.start(*words)
            shown = psutil.Process(process.pid)
            async with watching(hunt, [process.pid], "LASTCALL_MACHINE") as seen:
                hunt.process(shown, environment=False)
                await wait_until(lambda own=shown: SECRETS.items() <= own.environ().items())
                code = await house.ended(process)
            assert code == 0, house.output(process)
            if words[0] == "reap":
                assert house.output(process).count('"ended"') == len(VENDORS)
                assert "address 1" in house.errors(process), "nothing was said of the second medium"
    unseen = [program for program in STARTED if not [one for one in seen if program in one]]
    assert not unseen, seen
    hunt.files("file", house.folder)
    hunt.database(house.data / "lastcall.db")
    assert not hunt.found
    assert {"process list", "environment", "file", "database"} == set(hunt.looked)
