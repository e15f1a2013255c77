"""Getting into a Vast.ai machine: the direct port or the relay, and the rental's key by the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from adapters.simulators.faces.face import Said, Wire
from adapters.simulators.shell import WorldShell
from bot.domain.errors import KeyRefused, OutcomeUnknown, ProviderError, TryLater, VendorChanged
from bot.domain.market import Access
from tests.support.vast import KEY_LINE, LABEL, VastStage, vast_host

OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOtherOtherOtherOtherOtherOtherOtherOther k7m2xq-9"


async def way_in(stage: VastStage, machine_id: str) -> Access:
    access = (await stage.seen(machine_id)).access
    assert access is not None
    return access


async def test_the_way_in_is_the_direct_port():
    """The address comes with a newline and the port as a text; the key is the label's, so that nothing is kept in
    memory, and the image's own Python is found."""
    stage = VastStage()
    machine_id = await stage.running()
    sim = stage.sim(machine_id)
    sim.port = 20_100
    access = await way_in(stage, machine_id)
    assert (access.kind, access.host, access.port, access.user) == ("ssh", sim.address, 20_100, "root")
    assert (access.workdir, access.key_ref) == (f"~/lastcall/{LABEL}", "k7m2xq-1")
    assert access.path_prepend == ("/opt/conda/bin",)


async def test_without_a_direct_port_the_relay_is_taken_with_its_own_port():
    """Both halves are the relay's: its host with a direct port leads nowhere."""
    stage = VastStage(vast_host(extra={"direct_port_count": 0}))
    stage.face.quirks.relay = "ssh4.vast.ai"
    access = await way_in(stage, await stage.running())
    assert (access.host, access.port) == ("ssh4.vast.ai", 20_776)


async def test_with_a_direct_port_the_relay_is_not_mixed_in():
    """A relay is always offered; it is not taken where there is something better."""
    stage = VastStage()
    stage.face.quirks.relay = "ssh4.vast.ai"
    machine_id = await stage.running()
    access = await way_in(stage, machine_id)
    assert (access.host, access.port) == (stage.sim(machine_id).address, 22)


PORTS: list[tuple[Any, tuple[str, int]]] = [
    (
        {"22/tcp": [{"HostIp": "::", "HostPort": "7"}, {"HostIp": "0.0.0.0", "HostPort": "8"}]},
        ("203.0.113.17", 8),
    ),
    ({"22/tcp": [{"HostIp": "::", "HostPort": "7"}]}, ("203.0.113.17", 7)),
    ({"22/tcp": [{"HostPort": 9}]}, ("203.0.113.17", 9)),
    ({"22/tcp": [{"HostPort": "many"}, {"HostPort": "70000"}]}, ("relay", 20_776)),
    ({"22/tcp": [20100]}, ("relay", 20_776)),
    ({"8080/tcp": [{"HostPort": "8"}]}, ("relay", 20_776)),
    ([22], ("relay", 20_776)),
    (None, ("relay", 20_776)),
]


@pytest.mark.parametrize(("ports", "address"), PORTS)
async def test_ports_are_read_in_every_shape(ports: Any, address: tuple[str, int]):
    """IPv4 before IPv6; a list of numbers (as one page documents it) or no mapping leaves the relay."""
    stage = VastStage()
    machine_id = await stage.running()
    stage.face.dress(
        machine_id, ports=ports, public_ipaddr="203.0.113.17\n", ssh_host="relay", ssh_port=20_776
    )
    access = await way_in(stage, machine_id)
    assert (access.host, access.port) == address


async def test_a_machine_of_somebody_else_has_a_way_in_and_no_key():
    """It can be adopted with a key of its own; ours are not tried on it."""
    stage = VastStage()
    stage.put()
    stage.clock.advance(timedelta(minutes=5))
    [machine] = await stage.provider.machines()
    assert machine.access is not None
    assert (machine.access.key_ref, machine.access.workdir) == ("", f"~/lastcall/{machine.id}")


async def test_the_key_of_the_order_opens_the_machine():
    """It came with the start script, before any call more."""
    stage = VastStage()
    access = await way_in(stage, await stage.running())
    assert (await WorldShell(stage.world).pin(access)).host_keys


async def test_where_the_start_script_was_lost_enrolling_lets_the_key_in():
    """Without it the machine would run and bill behind a closed door; asked twice, it is let in once."""
    stage = VastStage()
    stage.face.quirks.drop_onstart = 1
    machine_id = await stage.running()
    access = await way_in(stage, machine_id)
    with pytest.raises(KeyRefused):
        await WorldShell(stage.world).pin(access)
    await stage.provider.enrol(machine_id, KEY_LINE)
    await stage.provider.enrol(machine_id, f"{KEY_LINE}\n")
    assert (await WorldShell(stage.world).pin(access)).host_keys
    assert stage.sim(machine_id).keys == [KEY_LINE]


async def test_a_key_that_is_in_already_is_success_also_where_the_vendor_refuses_it():
    """Whether it is in is looked up in a text with JSON in it."""
    stage = VastStage()
    machine_id = await stage.running()
    await stage.provider.enrol(machine_id, KEY_LINE)
    stage.face.quirks.refuses_second_key = True
    await stage.provider.enrol(machine_id, KEY_LINE)
    assert stage.sim(machine_id).keys == [KEY_LINE]


KEYS: list[tuple[Said, type[ProviderError] | None]] = [
    (Said(200, {"success": True, "ssh_keys": f'[{{"id": 1, "public_key": "{KEY_LINE}"}}]'}), None),
    (Said(200, {"success": True, "ssh_keys": [{"id": 1, "key": KEY_LINE}]}), None),
    (Said(200, {"success": True, "ssh_keys": f'["{OTHER_KEY}"]'}), VendorChanged),
    (Said(200, {"success": True, "ssh_keys": "[{"}), VendorChanged),
    (Said(200, {"success": True}), VendorChanged),
    (Said(200, []), VendorChanged),
]


@pytest.mark.parametrize(("listed", "error"), KEYS)
async def test_a_refused_key_counts_as_let_in_only_where_it_is_listed(
    listed: Said, error: type[ProviderError] | None
):
    """Somebody else's key, a text that is no JSON, a list of nothing: the refusal stands."""
    stage = VastStage()
    machine_id = await stage.running()
    refusal = Said(400, {"success": False, "error": "invalid_args", "msg": "no"})
    stage.face.attach = lambda call, instance: refusal
    stage.face.instance_keys = lambda call, instance: listed
    if error is None:
        await stage.provider.enrol(machine_id, KEY_LINE)
    else:
        with pytest.raises(error):
            await stage.provider.enrol(machine_id, KEY_LINE)


ENROLS: list[tuple[Wire, type[ProviderError]]] = [
    (Wire.TIMEOUT_BEFORE, OutcomeUnknown),
    (Wire.TIMEOUT_AFTER, OutcomeUnknown),
    (Wire.RESET_AFTER, OutcomeUnknown),
    (Wire.ERROR_AFTER, OutcomeUnknown),
    (Wire.THROTTLED, TryLater),
]


@pytest.mark.parametrize(("wire", "error"), ENROLS)
async def test_enrolling_again_after_a_lost_answer_lets_the_key_in_once(
    wire: Wire, error: type[ProviderError]
):
    """Whether the first had its effect or not."""
    stage = VastStage()
    machine_id = await stage.running()
    stage.fails("keys", wire, times=1)
    with pytest.raises(error):
        await stage.provider.enrol(machine_id, KEY_LINE)
    await stage.provider.enrol(machine_id, KEY_LINE)
    assert stage.sim(machine_id).keys == [KEY_LINE]


async def test_a_key_for_a_machine_that_is_gone_is_an_error():
    """Nobody is let into nothing."""
    with pytest.raises(VendorChanged):
        await VastStage().provider.enrol("424242", KEY_LINE)
