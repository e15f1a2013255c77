"""What Lambda says about machines, through the real adapter: states, labels, odd rows, and answers that are none."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest

from adapters.simulators.faces.face import HTML, Said, Wire
from adapters.simulators.shell import WorldShell
from bot.domain.errors import NeedsHuman, ProviderError, TryLater, VendorChanged
from bot.domain.market import Access, LaunchOrder, MachineState
from bot.domain.money import Usd
from tests.support.lambda_cloud import LABEL, SECOND_LABEL, LambdaStage

MINUTE = timedelta(minutes=1)
FAULTS: list[tuple[Wire, type[ProviderError]]] = [
    (Wire.TIMEOUT_BEFORE, TryLater), (Wire.TIMEOUT_AFTER, TryLater), (Wire.RESET_BEFORE, TryLater),
    (Wire.RESET_AFTER, TryLater), (Wire.ERROR_BEFORE, TryLater), (Wire.ERROR_AFTER, TryLater),
    (Wire.GATEWAY, TryLater), (Wire.THROTTLED, TryLater), (Wire.THROTTLED_WITH_TIME, TryLater),
    (Wire.HTML, VendorChanged), (Wire.TRUNCATED, VendorChanged), (Wire.MISSING_KEYS, VendorChanged),
    (Wire.WRONG_KEY, NeedsHuman),
]  # fmt: skip


# --- states ---------------------------------------------------------------------------------------


async def test_a_machine_boots_and_is_entered_as_ubuntu():
    """Booting has no way in and tells the vendor's reason; active has one that leads to the machine itself."""
    stage = LambdaStage()
    machine_id = await stage.launched()
    booting = await stage.seen(machine_id)
    assert (booting.state, booting.access, booting.reason) == (
        MachineState.STARTING,
        None,
        "Still launching.",
    )
    stage.clock.advance(4 * MINUTE)
    running = await stage.seen(machine_id)
    assert (running.state, running.hourly, running.gpu) == (MachineState.RUNNING, Usd.of("1.29"), "A10")
    host = stage.sim(machine_id).address
    assert running.access == Access("ssh", f"~/lastcall/{LABEL}", host, 22, "ubuntu", key_ref="k7m2xq-1")
    assert (await WorldShell(stage.world).pin(running.access)).host_keys


async def test_the_port_can_be_another():
    """The API tells none; whoever forwards it says so once."""
    stage = LambdaStage()
    machine_id = await stage.running()
    machine = await stage.another(ssh_port=2222).inspect(machine_id)
    assert machine is not None
    assert machine.access is not None
    assert machine.access.port == 2222


@pytest.mark.parametrize(
    ("fields", "state", "reason"),
    [
        ({"ip": None}, MachineState.STARTING, "no address"),
        ({"ip": ...}, MachineState.STARTING, "no address"),
        ({"ip": ""}, MachineState.STARTING, "no address"),
        ({"status": "unhealthy"}, MachineState.UNKNOWN, "unhealthy"),
        ({"status": "preempted"}, MachineState.STOPPED, "preempted"),
        ({"status": "terminating"}, MachineState.ENDING, ""),
        ({"status": "error"}, MachineState.UNKNOWN, "status error"),
        ({"status": "contactable"}, MachineState.UNKNOWN, "status contactable"),
        ({"status": "brand-new"}, MachineState.UNKNOWN, "status brand-new"),
        ({"status": "ACTIVE"}, MachineState.UNKNOWN, "status ACTIVE"),
        ({"status": None}, MachineState.UNKNOWN, "not told"),
        ({"status": ...}, MachineState.UNKNOWN, "not told"),
        ({"status": 7}, MachineState.UNKNOWN, "not told"),
    ],
)
async def test_every_status_means_something(fields: dict[str, Any], state: MachineState, reason: str):
    """Only active with an address runs; what nobody knows is unknown, with what the vendor said."""
    stage = LambdaStage()
    machine_id = await stage.running()
    stage.odd(machine_id, **fields)
    machine = await stage.seen(machine_id)
    assert (machine.state, machine.access) == (state, None)
    assert reason in machine.reason


async def test_a_machine_that_goes_down_is_still_there():
    """Unhealthy is neither running nor gone: it is billed, and its reason is the vendor's."""
    stage = LambdaStage()
    machine_id = await stage.running()
    stage.world.stop(stage.sim(machine_id).id, reason="host went down")
    machine = await stage.seen(machine_id)
    assert (machine.state, machine.label) == (MachineState.UNKNOWN, LABEL)
    assert "still billed" in machine.reason
    assert "Health check failed." in machine.reason


async def test_what_the_vendor_says_has_ended_is_not_listed():
    """A row that says terminated, wherever it is still shown."""
    stage = LambdaStage()
    stage.face.shows_ended = 10 * MINUTE
    machine_id = await stage.running()
    await stage.provider.destroy(machine_id)
    assert (await stage.seen(machine_id)).state is MachineState.ENDING
    stage.clock.advance(MINUTE)
    assert await stage.provider.machines() == []
    assert await stage.provider.inspect(machine_id) is None
    assert stage.face._row(stage.sim(machine_id))["status"] == "terminated"


# --- labels ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "dropped",
    [
        {"name": ...},
        {"name": None, "tags": None},
        {"tags": ...},
        {"name": "renamed by hand"},
        {"name": ..., "tags": ...},
        {"name": "x", "tags": [{"key": "label", "value": "x"}, "odd", None]},
        {"name": ..., "ssh_key_names": []},
    ],
)
async def test_one_of_three_names_is_enough(dropped: dict[str, Any]):
    """Name, tag or key: each was seen to be dropped or can be changed, and the machine stays ours."""
    stage = LambdaStage()
    machine_id = await stage.running()
    stage.odd(machine_id, **dropped)
    machine = await stage.seen(machine_id)
    assert machine.label == LABEL
    assert machine.access is not None
    assert machine.access.key_ref == "k7m2xq-1"


async def test_somebody_elses_machine_keeps_its_name():
    """It is listed as what it is; nothing of it looks like ours."""
    stage = LambdaStage()
    host = next(iter(stage.world.hosts.values()))
    stage.world.put(host, LaunchOrder("ann's notebook", "ssh-ed25519 AAAA ann", 1400))
    stage.world.put(host, LaunchOrder("", "ssh-ed25519 AAAA bob", 1400))
    stage.clock.advance(5 * MINUTE)
    ann, bob = await stage.provider.machines()
    assert (ann.label, bob.label) == ("ann's notebook", "")
    assert ann.access is not None
    assert ann.access.key_ref == ""


# --- rows -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        {"instance_type": ...}, {"instance_type": None}, {"instance_type": {}}, {"region": ..., "actions": ...},
        {"actions": None}, {"actions": {"restart": None}}, {"tags": "none"}, {"ssh_key_names": None},
        {"private_ip": ..., "hostname": ...}, {"instance_type": {"price_cents_per_hour": "n/a"}},
    ],
)  # fmt: skip
async def test_an_odd_row_is_a_machine_all_the_same(fields: dict[str, Any]):
    """What is missing is not told; the machine is listed, runs, and hides no other."""
    stage = LambdaStage()
    odd, plain = await stage.running(), await stage.running(SECOND_LABEL)
    stage.odd(odd, **fields)
    machine = await stage.seen(odd)
    assert (machine.label, machine.state) == (LABEL, MachineState.RUNNING)
    assert {one.id for one in await stage.provider.machines()} == {odd, plain}


async def test_the_older_document_is_read():
    """Nulls instead of missing fields, and ``is_reserved``."""
    stage = LambdaStage()
    stage.face.habits.nulls = True
    machine_id = await stage.launched()
    assert (await stage.seen(machine_id)).state is MachineState.STARTING
    stage.clock.advance(5 * MINUTE)
    assert (await stage.seen(machine_id)).state is MachineState.RUNNING


async def test_credentials_in_a_row_go_nowhere(caplog: pytest.LogCaptureFixture):
    """Rows carry a live notebook token: it is in no machine, no error and no log."""
    caplog.set_level(logging.DEBUG)
    stage = LambdaStage()
    machine_id = await stage.running()
    token = stage.face._row(stage.sim(machine_id))["jupyter_token"]
    said = repr(await stage.provider.machines())
    stage.odd(machine_id, id=7)
    with pytest.raises(VendorChanged) as raised:
        await stage.provider.machines()
    assert token
    assert token not in said + str(raised.value) + caplog.text


# --- answers that are none ------------------------------------------------------------------------


@pytest.mark.parametrize(("wire", "error"), FAULTS)
@pytest.mark.parametrize("kind", ["machines", "inspect", "account"])
async def test_a_broken_answer_is_never_no_machine(kind: str, wire: Wire, error: type[ProviderError]):
    """Neither an empty list nor None nor a burn of nothing."""
    stage = LambdaStage()
    machine_id = await stage.running()
    stage.fails("inspect" if kind == "inspect" else "machines", wire)
    ask = getattr(stage.provider, kind)
    with pytest.raises(error):
        await (ask(machine_id) if kind == "inspect" else ask())
    stage.face.clear()
    assert len(await stage.provider.machines()) == 1


@pytest.mark.parametrize(
    "answer",
    [
        Said(200, {"data": None}),
        Said(200, {"data": {}}),
        Said(200, {"data": [None]}),
        Said(200, {"data": [{"name": LABEL}]}),
        Said(200, {"data": [{"id": 7}]}),
        Said(200, {"data": [], "page_token": "more"}),
        Said(200, {"instances": []}),
        Said(200, []),
        Said(200, {"error": {"code": "global/unknown", "message": "?"}}),
        Said(204),
        Said(301, text="", headers={"Location": "https://example.com"}),
        Said(404, text=HTML),
        Said(404, {"error": {"code": "global/object-does-not-exist", "message": "?"}}),
        Said(410, {"message": "This API is gone."}),
        Said(403, {"error": {"code": "global/account-inactive", "message": "Inactive."}}),
    ],
)
async def test_a_listing_is_complete_or_an_error(answer: Said):
    """Whatever is not a list of rows with ids is not a list without rows."""
    stage = LambdaStage()
    await stage.running()
    stage.face.script("machines", answer)
    with pytest.raises(ProviderError):
        await stage.provider.machines()


@pytest.mark.parametrize(
    "answer",
    [
        Said(404, text=HTML),
        Said(404, {"message": "not found"}),
        Said(404, {"error": {"code": "global/not-here", "message": "?"}}),
        Said(410, {"error": {"message": "gone"}}),
        Said(200, {"data": None}),
        Said(200, {"data": {"id": "another"}}),
        Said(200, {"data": []}),
        Said(401, {"error": {"code": "global/invalid-api-key", "message": "?"}}),
    ],
)
async def test_gone_is_the_vendors_word_and_not_a_404(answer: Said):
    """Only its own code says that a machine does not exist."""
    stage = LambdaStage()
    machine_id = await stage.running()
    stage.face.script("inspect", answer)
    with pytest.raises(ProviderError):
        await stage.provider.inspect(machine_id)


async def test_a_new_machine_may_be_listed_late():
    """It is there when it is asked for by itself, and listed within the settle time that is promised."""
    stage = LambdaStage()
    stage.world.list_lag = MINUTE
    machine_id = await stage.launched()
    assert await stage.provider.machines() == []
    assert await stage.provider.inspect(machine_id) is not None
    stage.clock.advance(MINUTE)
    assert [machine.id for machine in await stage.provider.machines()] == [machine_id]
    assert stage.provider.capabilities.settle > MINUTE
