"""The simulated way into a machine: reachable when it should be, and running units by the clock."""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.simulators.faults import Fault, FaultKind
from adapters.simulators.probe import probe_text
from adapters.simulators.shell import WorldShell
from adapters.simulators.training import Training, instant_script
from adapters.simulators.units import Beat, Play
from bot.domain.errors import HostKeyChanged, TooSlow, Unreachable
from bot.ports import Ran, UnitJob, UnitState
from tests.support.worlds import MINUTE, SECOND, Room

TRAIN = UnitJob(("python", "train.py"), cwd="run", env={"A": "b"})
LIMIT = timedelta(seconds=30)


@pytest.fixture
def room() -> Room:
    """A machine that has booted."""
    room = Room()
    room.boot()
    return room


# --- the way in --------------------------------------------------------------------------------


async def test_reachable_only_while_it_runs_and_past_the_ssh_lag():
    """Refused while it boots and 20 s longer, then open, then unreachable for good once destroyed."""
    room = Room()
    room.shell.ssh_lag = 20 * SECOND
    for wait in (0, 90, 19):
        room.clock.advance(wait * SECOND)
        with pytest.raises(Unreachable):
            await room.shell.pin(room.access)
    room.clock.advance(SECOND)
    pinned = await room.shell.pin(room.access)
    assert pinned.host_keys == (room.machine.host_key,)
    room.world.destroy(room.machine.id)
    with pytest.raises(Unreachable):
        await room.shell.look(pinned, "train")


async def test_another_host_key_or_our_wrong_key_stop_everything(room: Room):
    """A changed host key is HostKeyChanged in every call; a key that the machine does not know gets no way in."""
    pinned = await room.shell.pin(room.access)
    with pytest.raises(Unreachable, match="publickey"):
        await room.shell.pin(replace(room.access, key_ref="stranger"))
    room.machine.key_turn += 1
    for call in (room.shell.pin(pinned), room.shell.run(pinned, ["true"], limit=LIMIT)):
        with pytest.raises(HostKeyChanged):
            await call


async def test_the_probe_is_answered_from_the_machine(room: Room):
    """On stdin or as ``-c``, the answer tells the real GPUs; a template may tell something else."""
    script = b"set -u\nkv probe 1; kv end 1"
    by_stdin = await room.shell.run(room.access, ["sh", "-s", "--", "/data"], limit=LIMIT, stdin=script)
    by_argument = await room.shell.run(room.access, ["sh", "-c", script.decode()], limit=LIMIT)
    assert by_stdin == by_argument
    lines = by_stdin.stdout.decode().splitlines()
    assert lines[0] == "probe=1"
    assert lines[-1] == "end=1"
    gpus = [line for line in lines if line.startswith("gpu=")]
    assert len(gpus) == 2
    assert gpus[0].startswith("gpu=0, NVIDIA GeForce RTX 3090, GPU-")

    room.machine.gpu = "A100 80GB"
    room.shell.probe = lambda machine: probe_text(machine, {"nvsmi_rc": "9", "end": None})
    broken = (await room.shell.run(room.access, ["sh", "-s"], limit=LIMIT, stdin=script)).stdout.decode()
    assert "nvsmi_rc=9\n" in broken
    assert ", NVIDIA A100 80GB, " in broken
    assert "end=1" not in broken


async def test_other_commands_have_canned_answers(room: Room):
    """Success in silence unless a test told an answer for the beginning of the argv; too much output is TooSlow."""
    assert await room.shell.run(room.access, ["true"], limit=LIMIT) == Ran(0, b"", b"")
    room.shell.answer(["nvidia-smi"], Ran(9, b"", b"no driver"))
    room.shell.answer(["cat"], lambda machine, argv, stdin: Ran(0, machine.id.encode() + stdin, b""))
    room.shell.answer(["yes"], Ran(0, b"y\n" * 600_000, b""))
    assert (await room.shell.run(room.access, ["nvidia-smi", "-L"], limit=LIMIT)).exit_code == 9
    said = await room.shell.run(room.access, ["cat"], limit=LIMIT, stdin=b"!")
    assert said.stdout == room.machine.id.encode() + b"!"
    with pytest.raises(TooSlow):
        await room.shell.run(room.access, ["yes"], limit=LIMIT)
    assert [argv for _, argv in room.shell.ran] == [("true",), ("nvidia-smi", "-L"), ("cat",), ("yes",)]


# --- units -------------------------------------------------------------------------------------


async def test_a_training_runs_by_the_clock_and_leaves_its_file(room: Room, tmp_path: Path):
    """Ten of twenty minutes: half the bar; twenty: exit 0 and a readable safetensors file, and not before."""
    await room.shell.start(room.access, "train-1", TRAIN)
    room.clock.advance(10 * MINUTE)
    half = await room.shell.look(room.access, "train-1")
    assert half.state is UnitState.RUNNING
    assert half.log.decode().split("\r")[-1].startswith("steps:  50%|█████     | 800/1600 [10:00<10:00,")
    assert "avr_loss=0.1]" in half.log.decode()
    assert await room.shell.fetch(room.access, ["*.safetensors"], "run/out", tmp_path) == ()
    room.clock.advance(10 * MINUTE)
    end = await room.shell.look(room.access, "train-1", offset=half.offset)
    assert (end.state, end.exit_code) == (UnitState.EXITED, 0)
    assert end.offset == end.size == half.offset + len(end.log)
    [result] = await room.shell.fetch(room.access, ["*.safetensors"], "run/out", tmp_path)
    content = (tmp_path / "lora.safetensors").read_bytes()
    assert result.sha256 == hashlib.sha256(content).hexdigest()
    length = struct.unpack("<Q", content[:8])[0]
    assert json.loads(content[8 : 8 + length])["__metadata__"]["ss_steps"] == "1600"


async def test_a_training_reads_its_configuration(room: Room):
    """Name, folder and steps come from the trainer's own file on the machine, unless the test says otherwise."""
    room.machine.files["config.json"] = (
        b'{"output_name": "cat", "output_dir": "/workspace/x/o", "steps": 300}'
    )
    await room.shell.start(room.access, "train", UnitJob(("t",)))
    room.clock.advance(20 * MINUTE)
    assert b"| 300/300 [" in (await room.shell.look(room.access, "train")).log
    assert "o/cat.safetensors" in room.machine.files


async def test_nothing_starts_twice(room: Room):
    """A second start of a running or ended unit is success and changes nothing, also for a bot that began anew."""
    await room.shell.start(room.access, "train", TRAIN)
    room.clock.advance(5 * MINUTE)
    again = WorldShell(room.world, script=instant_script(exit_code=1))
    await again.start(room.access, "train", TRAIN)
    room.clock.advance(15 * MINUTE)
    await again.start(room.access, "train", TRAIN)
    assert (await again.look(room.access, "train")).exit_code == 0
    assert (await again.look(room.access, "never")).state is UnitState.ABSENT


async def test_checkpoints_appear_on_the_way_and_a_failure_leaves_no_result(room: Room, tmp_path: Path):
    """Three checkpoints asked, two saved when it fails at 60 % with exit 1; both can be pulled, no final file."""
    room.shell.script = Training(checkpoints=3, exit_code=1, fails_after=0.6)
    await room.shell.start(room.access, "train", TRAIN)
    room.clock.advance(12 * MINUTE)
    look = await room.shell.look(room.access, "train")
    assert (look.state, look.exit_code) == (UnitState.EXITED, 1)
    assert b"RuntimeError" in look.log
    names = [file.name for file in await room.shell.fetch(room.access, ["out/*"], "run", tmp_path)]
    assert names == ["out/lora-step00000400.safetensors", "out/lora-step00000800.safetensors"]


async def test_stop_limit_and_reboot_are_told_apart(room: Room):
    """TERM is exit 143, KILL after the grace 137, the job's own limit 124, and a reboot leaves no exit at all."""
    for name in ("polite", "rebooted"):
        await room.shell.start(room.access, f"train-{name}", TRAIN)
    await room.shell.start(room.access, "train-limited", replace(TRAIN, limit=MINUTE))
    room.shell.script = lambda unit, job, files: Play([Beat(SECOND, b"hm\n")], lasts=None, stubborn=True)
    await room.shell.start(room.access, "stubborn", TRAIN)
    room.clock.advance(2 * MINUTE)
    for name in ("train-polite", "stubborn", "absent"):
        await room.shell.stop(room.access, name, grace=10 * SECOND)
    assert (await room.shell.look(room.access, "train-polite")).exit_code == 143
    assert (await room.shell.look(room.access, "stubborn")).state is UnitState.RUNNING
    assert (await room.shell.look(room.access, "train-limited")).exit_code == 124
    room.clock.advance(10 * SECOND)
    assert (await room.shell.look(room.access, "stubborn")).exit_code == 137
    room.shell.reboot(room.machine)
    gone = await room.shell.look(room.access, "train-rebooted")
    assert (gone.state, gone.exit_code) == (UnitState.KILLED, None)
    await room.shell.stop(room.access, "train-polite", grace=SECOND)
    assert (await room.shell.look(room.access, "train-polite")).exit_code == 143


async def test_a_long_log_comes_in_pieces(room: Room):
    """At most 256 KiB a look; going on from the offset gives every byte once."""
    whole = bytes(range(256)) * 2500
    room.shell.script = instant_script(log=whole)
    await room.shell.start(room.access, "loud", TRAIN)
    read, offset = b"", 0
    while True:
        look = await room.shell.look(room.access, "loud", offset=offset)
        assert len(look.log) <= 256 * 1024
        read, offset = read + look.log, look.offset
        if offset == look.size:
            break
    assert read == whole


async def test_a_start_whose_answer_is_cut_has_started(room: Room):
    """CUT is noticed after the effect, UNREACHABLE before it."""
    room.shell.plan("start", Fault(FaultKind.UNREACHABLE), Fault(FaultKind.CUT))
    with pytest.raises(Unreachable):
        await room.shell.start(room.access, "train", TRAIN)
    assert (await room.shell.look(room.access, "train")).state is UnitState.ABSENT
    with pytest.raises(Unreachable):
        await room.shell.start(room.access, "train", TRAIN)
    assert (await room.shell.look(room.access, "train")).state is UnitState.RUNNING
    room.shell.plan("run", Fault(FaultKind.TOO_SLOW))
    with pytest.raises(TooSlow):
        await room.shell.run(room.access, ["true"], limit=LIMIT)
