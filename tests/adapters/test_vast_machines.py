"""Vast.ai's instances as machines: every status, every hole in a row, and what is proof that one is gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from adapters.simulators.faces.face import Said
from adapters.simulators.machine import Fate
from bot.domain.errors import NeedsHuman, VendorChanged
from bot.domain.market import MachineState
from tests.support.vast import RTX, VastStage, never_boots, vast_host

MINUTE = timedelta(minutes=1)


async def test_a_machine_boots_and_is_told_so_in_the_vendors_words():
    """No status at first, then the image's layers, then running with a way in."""
    stage = VastStage()
    machine_id = await stage.launched()
    first = await stage.seen(machine_id)
    assert (first.state, first.reason, first.access) == (
        MachineState.STARTING,
        "it is being provisioned",
        None,
    )
    stage.clock.advance(timedelta(seconds=30))
    second = await stage.seen(machine_id)
    assert (second.state, second.access) == (MachineState.STARTING, None)
    assert second.reason == "its image is loaded: 7c457f213c76: Downloading"
    stage.clock.advance(2 * MINUTE)
    third = await stage.seen(machine_id)
    assert (third.state, third.reason) == (MachineState.RUNNING, "")
    assert third.access is not None


STOPPED = {"cur_state": "stopped", "intended_status": "stopped", "next_state": "stopped"}
LOOKS: list[tuple[dict[str, Any], MachineState, str]] = [
    ({"actual_status": "created", "status_msg": "unresolvable CDI devices"}, MachineState.STARTING, "CDI"),
    ({"actual_status": "scheduling"}, MachineState.STARTING, "waits for its GPU"),
    ({"actual_status": "rebooting"}, MachineState.STARTING, "rebooting"),
    ({"actual_status": "exited", "status_msg": "exit 137"}, MachineState.STOPPED, "exit 137"),
    ({"actual_status": "stopped"}, MachineState.STOPPED, "stopped"),
    ({"actual_status": "frozen"}, MachineState.STOPPED, "frozen"),
    ({"actual_status": "error"}, MachineState.STOPPED, "failed"),
    ({"actual_status": "loading", "is_bid": True, **STOPPED}, MachineState.STOPPED, "outbid"),
    ({"actual_status": "running", **STOPPED}, MachineState.STOPPED, "credit has run out"),
    ({"actual_status": "created", "status_msg": "OCI", **STOPPED}, MachineState.STOPPED, "OCI"),
    ({"actual_status": "exited", "cur_state": "stopped"}, MachineState.STOPPED, "ended"),
    ({"actual_status": "offline"}, MachineState.UNKNOWN, "offline"),
    ({"actual_status": "unknown"}, MachineState.UNKNOWN, "not been heard of"),
    ({"actual_status": "hibernating"}, MachineState.UNKNOWN, "hibernating"),
    ({"actual_status": 7}, MachineState.UNKNOWN, "cannot be read"),
    ({"next_state": "unloaded"}, MachineState.ENDING, "deleted"),
]


@pytest.mark.parametrize(("look", "state", "words"), LOOKS)
async def test_every_status_has_a_meaning(look: dict[str, Any], state: MachineState, words: str):
    """What the contract says counts before what the host says; a status that nobody knows is *unknown*. Only what
    runs has a way in."""
    stage = VastStage()
    machine_id = await stage.running()
    stage.face.dress(machine_id, **look)
    machine = await stage.seen(machine_id)
    assert (machine.state, machine.access) == (state, None)
    assert words in machine.reason


HOLES = [
    "actual_status", "label", "gpu_name", "status_msg", "ports", "public_ipaddr", "disk_space",
    "storage_cost", "dph_base", "dph_total", "is_bid", "next_state", "image_uuid", "gpu_ram",
]  # fmt: skip


@pytest.mark.parametrize("value", [None, [], "???", -1, {"a": 1}])
@pytest.mark.parametrize("name", HOLES)
async def test_a_hole_in_a_row_never_makes_a_machine_disappear(name: str, value: object):
    """Whatever one field holds: the machine is listed under its id, and can be ended."""
    stage = VastStage()
    machine_id = await stage.running()
    stage.face.dress(machine_id, **{name: value})
    assert (await stage.seen(machine_id)).id == machine_id


@pytest.mark.parametrize("value", [None, "abc", True, [1]])
async def test_a_row_without_an_id_is_no_listing(value: object):
    """A machine that could not be named could be lost from sight: the whole answer is unreadable."""
    stage = VastStage()
    stage.face.dress(await stage.running(), id=value)
    with pytest.raises(VendorChanged, match="without an id"):
        await stage.provider.machines()


async def test_a_running_machine_without_an_address_is_still_starting():
    """Ports and addresses come a little after the status; half of one is none."""
    stage = VastStage()
    machine_id = await stage.running()
    stage.face.dress(machine_id, ports={}, ssh_host=None)
    machine = await stage.seen(machine_id)
    assert (machine.state, machine.access) == (MachineState.STARTING, None)
    assert "no address" in machine.reason


async def test_a_broken_host_says_why():
    """The daemon's sentence is what a person is told when the next host is taken, in one line and not too long."""
    stage = VastStage()
    words = "Error response from daemon:\n OCI runtime create failed: unresolvable CDI devices " + "x" * 400
    stage.world.fates.append(never_boots(words))
    machine_id = await stage.launched()
    stage.clock.advance(10 * MINUTE)
    machine = await stage.seen(machine_id)
    assert machine.reason.startswith(
        "its container is made: Error response from daemon: OCI runtime create failed"
    )
    assert len(machine.reason) == 200
    assert await stage.provider.words(machine_id) == machine.reason
    assert await stage.provider.words("424242") == ""


async def test_secrets_in_the_vendors_words_are_blacked_out():
    """A container's key is 64 hex digits, and ours is ours; neither goes into a chat."""
    stage = VastStage()
    machine_id = await stage.launched()
    stage.face.dress(machine_id, actual_status="exited", status_msg=f"key {'a1' * 32} and sim-key")
    assert (await stage.seen(machine_id)).reason == "its container has ended: key *** and ***"


async def test_a_machine_that_dies_or_is_outbid_in_mid_run_is_stopped():
    """A dead host's container has ended; who bids more stops the contract itself."""
    stage = VastStage(vast_host(capacity=5), vast_host("bids", "0.1", spot=True))
    stage.world.fates.append(Fate(stops_after=10 * MINUTE, reason="host went down"))
    dies = await stage.launched()
    outbid = await stage.provider.launch(await stage.offer(replace(RTX, spot=True)), stage.order("by hand"))
    stage.clock.advance(11 * MINUTE)
    stage.face.outbid(outbid)
    assert "host went down" in (await stage.seen(dies)).reason
    machine = await stage.seen(outbid)
    assert (machine.state, "outbid" in machine.reason) == (MachineState.STOPPED, True)


async def test_a_machine_that_was_deleted_by_hand_is_gone():
    """Proof is ``{"instances": null}`` with status 200, or the vendor's word that there is no such instance."""
    stage = VastStage()
    machine_id = await stage.running()
    stage.world.vanish(f"m{machine_id}")
    assert await stage.provider.inspect(machine_id) is None
    assert await stage.provider.machines() == []
    for code in ("no_such_instance", "not_found"):
        body = {"success": False, "error": code, "msg": "Instance not found"}
        stage.face.show = lambda call, instance, body=body: Said(404, body)
        assert await stage.provider.inspect(machine_id) is None


NO_PROOF: list[Said] = [
    Said(404, {"success": False, "error": "auth_error", "msg": "Invalid user key"}),
    Said(404, {"success": False, "error": "not_a_route", "msg": "no"}),
    Said(404, {"success": False, "error": "not_found", "msg": "no such route"}),
    Said(404, text="Not Found"),
    Said(410, {"success": False, "error": "deprecated_endpoint", "msg": "use v2"}),
    Said(200, {}),
    Said(200, {"instance": None}),
    Said(200, {"success": False, "instances": None, "error": "auth_error"}),
    Said(200, {"instances": []}),
    Said(200, {"instances": {"id": 1}}),
    Said(200, text="null"),
    Said(202, {"instances": None}),
    Said(204),
]


@pytest.mark.parametrize("said", NO_PROOF)
async def test_nothing_but_the_vendors_own_proof_says_that_a_machine_is_gone(said: Said):
    """A bad key, another address, a dead path, an empty answer, somebody else's row: an error each."""
    stage = VastStage()
    machine_id = await stage.running()
    stage.face.show = lambda call, instance: said
    with pytest.raises((NeedsHuman, VendorChanged)):
        await stage.provider.inspect(machine_id)
