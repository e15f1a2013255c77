"""Secrets in the environment of a real process: what it starts does not get them, and what it leaves has none."""

from __future__ import annotations

from collections.abc import Callable

import psutil

from tests.journeys.house import TRAIN, House
from tests.support.canaries import Hunt, watching

SECRETS = {
    "VAST_API_KEY": "canary-vast-5d1f0c77e2",
    "RUNPOD_API_KEY": "rpa_CANARY5D1F0C77E2RUNPOD",
    "LAMBDA_API_KEY": "secret_canary_5d1f0c77e2.lambda",
    "HF_TOKEN": "hf_CanaryOfTheHubNobodyAsks",
    "LASTCALL_NOTIFY_URLS": "json://user:canary-of-the-address@127.0.0.1:9/",
}
NOBODY = "http://127.0.0.1:9"
"""Every vendor is down: what is said of it is looked at, too."""
ELSEWHERE = dict.fromkeys(("VAST_API_URL", "RUNPOD_API_URL", "RUNPOD_GRAPHQL_URL", "LAMBDA_API_URL"), NOBODY)


async def test_what_the_bot_starts_gets_no_key_and_what_it_leaves_has_none(
    houses: Callable[..., House],
) -> None:
    """A training of this computer with the recipe's own sample, then a reaper: every process that either of them
    starts is looked at, and in the end the database, the log at its loudest, the results and the terminal."""
    house = houses(LASTCALL_LOG_LEVEL="DEBUG", LASTCALL_NAMESPACE="canaries", **ELSEWHERE, **SECRETS)
    hunt = Hunt(SECRETS)
    for words in (("chat", "-c", TRAIN.replace("=60", "=8"), "--wait"), ("reap", "--within", "0.1")):
        import time; t0=time.monotonic()
        process = house.start(*words)
        shown = psutil.Process(process.pid)
        async with watching(hunt, [process.pid], "LASTCALL_MACHINE") as seen:
            hunt.process(shown, environment=False)
            told = shown.environ()
            assert [told[name] for name in SECRETS] == [*SECRETS.values()]
            code = await house.ended(process)
        print('TOOK', words[0], time.monotonic()-t0, len(seen))
        if words[0] == "chat":
            assert code == 0, house.output(process)
            for program in ("make_dataset.py", "lastcall-helper", "train.py"):
                assert [one for one in seen if program in one], f"{program} was not seen among {seen}"
    hunt.files("file", house.folder)
    hunt.database(house.data / "lastcall.db")
    assert not hunt.found
    assert {"process list", "environment", "file", "database"} == set(hunt.looked)
