"""The dead-man's switch as a real process: against the vendors' faces, on a machine that is this computer."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from adapters.providers.runpod import RunpodProvider
from adapters.simulators.faces.face import Wire
from adapters.simulators.faces.server import FaceServer
from adapters.simulators.machine import SimMachine
from bot.domain.deadman import JOB_ONLY, Ends, Switch
from bot.domain.deadman_rule import LATE_S
from bot.domain.market import Access, MachineState
from bot.lifecycle.switch import payload
from bot.lifecycle.switch.far import ending
from bot.ports import UnitJob, UnitState
from tests.support.runpod import RunpodStage
from tests.support.vast import VastStage
from tests.support.waiting import wait_until
from tests.support.ways import Way, open_way

SOON = timedelta(seconds=15)
NOW, LATER = -LATE_S, 3600.0
"""Seconds to the hard end: it fires at once, or not within the test."""
FOR_EVER = "mkdir -p out; echo > out/ready; while :; do sleep 0.05; done"
TRAINER = f"trap 'echo saved > out/checkpoint; exit 3' TERM; {FOR_EVER}"


@pytest.fixture
async def way(tmp_path: Path) -> AsyncIterator[Way]:
    """A machine that is this computer; its units are ended with the test."""
    async with open_way("process", tmp_path) as opened:
        yield opened
        for file in opened.folder.glob("units/*/pid"):
            await opened.shell.stop(opened.access, file.parent.name, grace=timedelta(0))


def on(way: Way, env: dict[str, str]) -> Access:
    """The machine with what its vendor put into its environment."""
    return replace(way.access, env={**way.access.env, **env})


async def arm(way: Way, access: Access, switch: Switch, left: float = NOW) -> None:
    """As the bot does it, with calls that follow each other quickly."""
    quick = replace(switch, every=timedelta(milliseconds=20))
    await way.shell.start(access, "switch", payload.job(access, quick, left, 10))


async def log(way: Way) -> str:
    """What the switch wrote."""
    return (await way.shell.look(way.access, "switch")).log.decode()


async def says(way: Way, words: str) -> str:
    """Its log, once these words are in it."""

    async def said() -> str:
        text = await log(way)
        return text if words in text else ""

    return await wait_until(said, SOON)


async def beat(way: Way, access: Access, left: float = LATER) -> payload.Answer:
    """A heartbeat as the bot sends it."""
    argv, stdin = payload.beat(access, left)
    ran = await way.shell.run(access, argv, limit=timedelta(seconds=10), stdin=stdin)
    answer = payload.answer(ran.stdout)
    assert answer is not None, ran
    return answer


async def train(way: Way) -> None:
    """A training that saves what it has when it is told to end."""
    await way.shell.start(way.access, "train-1", UnitJob(("sh", "-c", TRAINER)))
    await wait_until((way.folder / "out/ready").exists, SOON)


def ended(stage: VastStage | RunpodStage, machine: SimMachine) -> bool:
    """Whether the vendor took the end."""
    return machine.state(stage.clock.now()) in (None, MachineState.ENDING)


async def test_it_stops_the_training_which_saves_and_ends_the_instance_with_its_own_key(way: Way):
    """Nobody is there but the machine: the checkpoint is written, the unit has ended, the vendor's meter stands."""
    stage = VastStage()
    machine = stage.sim(await stage.running())
    async with FaceServer(stage.face) as server:
        switch = stage.another(url=server.url).switch(machine.id.removeprefix("m"))
        await train(way)
        await arm(way, on(way, machine.env), switch)
        await wait_until(lambda: ended(stage, machine), SOON)
    assert (way.folder / "out/checkpoint").read_text() == "saved\n"
    seen = await way.shell.look(way.access, "train-1")
    assert (seen.state, seen.exit_code) == (UnitState.EXITED, 3)
    assert machine.env["CONTAINER_API_KEY"] not in await log(way)


async def test_a_delete_that_is_put_off_is_asked_again(way: Way):
    """429, a page of a gateway, and a yes without effect do not end it; the fourth does."""
    stage = VastStage()
    machine = stage.sim(await stage.running())
    stage.face.strict_limits = False
    for wire in (Wire.THROTTLED, Wire.GATEWAY, Wire.SHRUG):
        stage.face.plan("destroy", wire)
    async with FaceServer(stage.face) as server:
        await arm(
            way, on(way, machine.env), stage.another(url=server.url).switch(machine.id.removeprefix("m"))
        )
        await wait_until(lambda: ended(stage, machine), SOON)
    assert stage.face.count("destroy") >= 4


async def test_a_pod_whose_key_may_not_delete_is_stopped(way: Way):
    """Delete is refused, stop is not: the GPU is let go, and the log says which of the two it was."""
    stage = RunpodStage()
    machine = await stage.running()
    stage.quirks.pod_key = frozenset(("read", "stop"))
    async with FaceServer(stage.face) as server:
        switch = _runpod(stage, server.url).switch(machine.id)
        assert switch.ends is Ends.TRIES
        await arm(way, on(way, machine.env), switch)
        await wait_until(lambda: machine.state(stage.clock.now()) is MachineState.STOPPED, SOON)
        text = await says(way, "/action: 200")
    assert f"DELETE {server.url}/v2/pods/{machine.id}: 403" in text


async def test_a_pod_whose_key_may_delete_is_gone(way: Way):
    """The first call does it."""
    stage = RunpodStage()
    machine = await stage.running()
    async with FaceServer(stage.face) as server:
        await arm(way, on(way, machine.env), _runpod(stage, server.url).switch(machine.id))
        await wait_until(lambda: ended(stage, machine), SOON)


def _runpod(stage: RunpodStage, url: str) -> RunpodProvider:
    return RunpodProvider(key="rpa_ACCOUNT", clock=stage.clock, url=f"{url}/v2")


async def test_with_a_revoked_key_it_stops_the_job_tells_it_and_goes_on_trying(way: Way):
    """What it cannot do is known from the arming on, and the bot hears it; when the key is good again, it ends it."""
    stage = VastStage()
    machine = stage.sim(await stage.running())
    stage.face.strict_limits = False
    keys = dict(stage.face.memory.container_keys)
    stage.face.memory.container_keys.clear()
    async with FaceServer(stage.face) as server:
        await train(way)
        switch = stage.another(url=server.url).switch(machine.id.removeprefix("m"))
        await arm(way, on(way, machine.env), switch)
        text = await says(way, "DELETE")
        assert "armed: stops the job only (its CONTAINER_API_KEY is refused: 404" in text
        assert (way.folder / "out/checkpoint").exists() and not ended(stage, machine)
        stage.face.memory.container_keys.update(keys)
        await wait_until(lambda: ended(stage, machine), SOON)


async def test_without_a_network_it_stops_the_job_and_tries_for_ever(way: Way):
    """Nothing answers at the vendor's address; the unit lives on and asks again."""
    stage = VastStage()
    machine = stage.sim(await stage.running())
    await train(way)
    await arm(way, on(way, machine.env), stage.another(url="http://127.0.0.1:9").switch("1"))

    async def twice() -> bool:
        return (await log(way)).count("no answer") >= 2

    await wait_until(twice, SOON)
    assert (way.folder / "out/checkpoint").exists()
    assert (await way.shell.look(way.access, "switch")).state is UnitState.RUNNING
    assert (await beat(way, way.access)).state == "ending"


async def test_where_no_key_is_for_one_machine_it_stops_the_job_and_is_done(way: Way):
    """One's own computer, and vendors whose only keys are the account's."""
    await train(way)
    await arm(way, way.access, JOB_ONLY)
    await says(way, "the job is stopped: 1 units")
    assert (way.folder / "out/checkpoint").exists()


async def test_a_job_that_will_not_end_is_killed_after_the_grace(way: Way):
    """And what it started with it."""
    await way.shell.start(way.access, "train-1", UnitJob(("sh", "-c", f"trap '' TERM; {FOR_EVER}")))
    await wait_until((way.folder / "out/ready").exists, SOON)
    await way.shell.start(way.access, "switch", payload.job(way.access, JOB_ONLY, NOW, 0.3))
    await says(way, "the job is stopped")

    async def killed() -> bool:
        return (await way.shell.look(way.access, "train-1")).exit_code == 137

    await wait_until(killed, SOON)


async def test_a_heartbeat_moves_the_end_and_tells_what_the_switch_can_do(way: Way):
    """Both ways: an extension keeps it from firing, and an end that was moved nearer lets it fire."""
    await arm(way, way.access, JOB_ONLY, LATER)
    await says(way, "armed")
    answer = await beat(way, way.access, LATER)
    assert (answer.state, answer.ends) == ("watching", Ends.JOB)
    assert json.loads((way.folder / "switch/told").read_text())["left"] == LATER
    await beat(way, way.access, NOW)
    await says(way, "fires: the hard end passed")


async def test_a_switch_that_was_killed_is_told_to_the_next_heartbeat(way: Way):
    """And another one can be armed; two never watch at a time."""
    await arm(way, way.access, JOB_ONLY, LATER)
    await says(way, "armed")
    await way.shell.start(way.access, "switch-2", payload.job(way.access, JOB_ONLY, LATER, 1))

    async def left() -> bool:
        return (await way.shell.look(way.access, "switch-2")).state is UnitState.EXITED

    await wait_until(left, SOON)
    await way.shell.stop(way.access, "switch", grace=timedelta(0))

    async def gone() -> bool:
        return (await beat(way, way.access)).state == "gone"

    await wait_until(gone, SOON)


def test_the_key_is_found_where_a_login_does_not_see_it(tmp_path: Path):
    """In the first process's environment, and in the files that images write for shells."""
    first, shell = tmp_path / "environ", tmp_path / "rp_environment"
    first.write_bytes(b"PATH=/bin\0CONTAINER_API_KEY=abc=\0CONTAINER_ID=7")
    shell.write_text('export RUNPOD_POD_ID="p1"\nexport RUNPOD_API_KEY="rpa_X"\n')
    files = [str(tmp_path / "none"), str(first), str(shell)]
    assert ending.find_key("CONTAINER_API_KEY", files) == "abc="
    assert ending.find_key("RUNPOD_API_KEY", files) == "rpa_X"
    assert ending.find_key("OTHER", files) == "" and ending.find_key("", files) == ""


async def test_no_account_key_is_anywhere_on_the_machine(way: Way):
    """Planted as the account's, it is in no file that was sent, no command line and no environment over there."""
    canary = "canary-account-key-7f3a"
    stage = VastStage()
    machine = stage.sim(await stage.running())
    switch = stage.another(key=canary, url="http://127.0.0.1:9").switch("1")
    await arm(way, on(way, machine.env), switch, LATER)
    await says(way, "armed")
    await beat(way, on(way, machine.env))
    texts = [path.read_bytes() for path in way.folder.rglob("*") if path.is_file()]
    pid = json.loads((way.folder / "units/switch/pid").read_text())["pid"]
    shown = psutil.Process(pid)
    texts += [json.dumps(shown.environ()).encode(), json.dumps(shown.cmdline()).encode()]
    assert len(texts) > 5 and not [text for text in texts if canary.encode() in text]


@pytest.mark.parametrize("said", [b"", b"{}", b"null", b'{"state": "watching", "ends": "flies"}', b"\xff"])
def test_an_answer_that_cannot_be_read_is_none(said: bytes):
    """It is somebody else's machine."""
    assert payload.answer(said) is None
