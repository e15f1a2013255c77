"""The simulated Lambda itself: as strict as the vendor in what it takes, and true in how it answers and bills."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest

from adapters.simulators.faces.face import Said, call_of
from adapters.simulators.faces.lambda_cloud import lambda_host
from adapters.simulators.machine import Fate
from bot.domain.money import Usd
from tests.support.lambda_cloud import LABEL, LambdaStage

MINUTE = timedelta(minutes=1)
GOOD = {"region_name": "us-west-1", "instance_type_name": "gpu_1x_a10", "ssh_key_names": ["ann"]}
BEARER = {"Authorization": "Bearer sim-key"}


def ask(
    stage: LambdaStage, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
) -> Said:
    """A call by hand, a second and more after the last one."""
    stage.clock.advance(timedelta(seconds=12))
    raw = b"" if body is None else json.dumps(body).encode()
    return stage.face.handle(call_of(method, path, BEARER if headers is None else headers, raw))


def account() -> LambdaStage:
    """With one key."""
    stage = LambdaStage()
    made = ask(stage, "POST", "/api/v1/ssh-keys", {"name": "ann", "public_key": "ssh-ed25519 AAAA ann"})
    assert made.status == 200
    return stage


def code(said: Said) -> str:
    """The code of a refusal."""
    return str(said.json["error"]["code"])


@pytest.mark.parametrize(
    "change",
    [
        {"max_price": 1},
        {"region_name": 7},
        {"region_name": "us-moon-1"},
        {"ssh_key_names": []},
        {"ssh_key_names": ["ann", "ann"]},
        {"ssh_key_names": "ann"},
        {"name": "x" * 65},
        {"hostname": "Not_A_Host"},
        {"image": "lambda-stack-24-04"},
        {"image": {"family": "a", "id": "b"}},
        {"tags": {"a": "b"}},
        {"tags": [{"key": "a"}]},
        {"tags": [{"key": "a", "value": 7}]},
        {"user_data": "x" * (2**20 + 1)},
        {"quantity": 2},
        {"file_system_names": None},
    ],
)
def test_a_launch_is_read_strictly(change: dict[str, Any]):
    """A field that is not known, or of another type, is refused, and nothing is created."""
    stage = account()
    said = ask(stage, "POST", "/api/v1/instance-operations/launch", {**GOOD, **change})
    assert (said.status, code(said)) == (400, "global/invalid-parameters")
    assert stage.world.alive() == []


@pytest.mark.parametrize("missing", sorted(GOOD))
def test_what_a_launch_needs_must_be_there(missing: str):
    """Region, type and key."""
    body = {name: value for name, value in GOOD.items() if name != missing}
    assert (
        code(ask(account(), "POST", "/api/v1/instance-operations/launch", body))
        == "global/invalid-parameters"
    )


@pytest.mark.parametrize(
    "change",
    [{"ssh_key_names": ["bob"]}, {"instance_type_name": "gpu_9x_a10"}, {"image": {"family": "windows"}}],
)
def test_a_launch_with_something_that_is_not_there_is_refused(change: dict[str, Any]):
    """Key, type and image must exist."""
    said = ask(account(), "POST", "/api/v1/instance-operations/launch", {**GOOD, **change})
    assert code(said) == "global/object-does-not-exist"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/instances/", 404),
        ("GET", "/api/v2/instances", 404),
        ("GET", "/instances", 404),
        ("GET", "/api/v1/filesystems", 405),
        ("POST", "/api/v1/file-systems", 405),
        ("GET", "/api/v1/balance", 404),
        ("PUT", "/api/v1/instances", 405),
    ],
)
def test_a_page_that_does_not_exist_is_no_json(method: str, path: str, status: int):
    """So that nobody takes a 404 for the word of the vendor."""
    said = ask(account(), method, path, {})
    assert (said.status, said.json) == (status, None)


def test_both_ways_to_show_the_key_are_taken_and_no_other():
    """Bearer, and Basic with an empty password; without the colon it is broken."""
    stage = account()

    def basic(text: str) -> dict[str, str]:
        return {"Authorization": f"Basic {base64.b64encode(text.encode()).decode()}"}

    good = [ask(stage, "GET", "/api/v1/instances", headers=one).status for one in (BEARER, basic("sim-key:"))]
    assert good == [200, 200]
    for bad in (basic("sim-key"), basic(":sim-key"), {"Authorization": "sim-key"}, {}):
        assert ask(stage, "GET", "/api/v1/instances", headers=bad).status == 401
    assert "No API key" in ask(stage, "GET", "/api/v1/instances", headers={}).json["error"]["message"]
    assert ask(stage, "GET", "/api/v1/openapi.json", headers={}).status == 200


def test_calls_that_come_too_soon_are_throttled():
    """One in a second, one launch in twelve; a call that was throttled does not count."""
    stage = account()
    stage.face.throttle = "json"
    call = call_of("POST", "/api/v1/instance-operations/launch", BEARER, json.dumps(GOOD).encode())
    statuses = []
    for seconds in (1, 0.5, 1, 11, 12):
        stage.clock.advance(timedelta(seconds=seconds))
        statuses.append(stage.face.handle(call).status)
    assert statuses == [200, 429, 429, 200, 200]


def test_one_bad_id_spoils_a_batch():
    """Nothing is ended when one of the machines is not there."""
    stage = account()
    machine_id = ask(stage, "POST", "/api/v1/instance-operations/launch", GOOD).json["data"]["instance_ids"][
        0
    ]
    body = {"instance_ids": [machine_id, "ab" * 16]}
    said = ask(stage, "POST", "/api/v1/instance-operations/terminate", body)
    assert code(said) == "global/object-does-not-exist"
    assert stage.sim(machine_id).spans[-1].asked_at is None


def test_a_key_has_one_name_and_may_be_generated():
    """The private half is shown once; a name is taken once."""
    stage = account()
    made = ask(stage, "POST", "/api/v1/ssh-keys", {"name": "gen"})
    assert "private_key" in made.json["data"]
    assert "private_key" not in json.dumps(ask(stage, "GET", "/api/v1/ssh-keys").json)
    assert "unique" in ask(stage, "POST", "/api/v1/ssh-keys", {"name": "gen"}).json["error"]["message"]


def test_a_rename_shows_and_the_bill_keeps_the_label():
    """The only field that can be changed; a restart changes nothing."""
    stage = account()
    body = {**GOOD, "name": LABEL}
    machine_id = ask(stage, "POST", "/api/v1/instance-operations/launch", body).json["data"]["instance_ids"][
        0
    ]
    ask(stage, "POST", f"/api/v1/instances/{machine_id}", {"name": "mine"})
    again = {"instance_ids": [machine_id]}
    row = ask(stage, "POST", "/api/v1/instance-operations/restart", again).json["data"][
        "restarted_instances"
    ][0]
    assert (row["name"], stage.sim(machine_id).label) == ("mine", LABEL)


@pytest.mark.parametrize(
    ("fate", "runs", "minutes"),
    [
        (Fate(boot=4 * MINUTE), 10 * MINUTE, 6),
        (Fate(boot=4 * MINUTE), 10 * MINUTE + timedelta(seconds=1), 7),
        (Fate(boot=4 * MINUTE, stops_after=5 * MINUTE), 10 * MINUTE, 6),
        (Fate(boot=None), 60 * MINUTE, 0),
    ],
)
def test_the_meter_runs_by_the_minute_from_active(fate: Fate, runs: timedelta, minutes: int):
    """Rounded up; booting is free; a machine that is down is billed on until somebody terminates it."""
    stage = LambdaStage(lambda_host())
    host = next(iter(stage.world.hosts.values()))
    stage.world.fates.append(fate)
    machine = stage.world.put(host, stage.order())
    stage.clock.advance(runs)
    stage.world.destroy(machine.id)
    stage.clock.advance(60 * MINUTE)
    assert stage.world.bill() == Usd.of("1.29").over(minutes * MINUTE)
