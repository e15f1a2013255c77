"""Vast.ai: ending machines for certain, what is left over, the account's money, and ``lastcall check``."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from adapters.simulators.faces.face import Said, Wire
from bot.domain.errors import OutcomeUnknown, VendorChanged
from bot.domain.market import Finding, LaunchOrder, MachineState, Mark, Offer
from bot.domain.money import ZERO, Usd
from tests.support.vast import LABEL, SECOND_LABEL, VastStage, vast_host

HOUR = timedelta(hours=1)
PART = "Vast.ai"


async def test_a_machine_that_is_gone_already_is_success_by_proof():
    """404 "not there", and it cannot be found either."""
    stage = VastStage()
    machine_id = await stage.running()
    await stage.provider.destroy(machine_id)
    await stage.provider.destroy(machine_id)
    assert stage.face.count("inspect") == 1


@pytest.mark.parametrize("code", ["no_such_instance", "not_found"])
async def test_a_machine_that_is_said_not_to_be_there_and_is_there_is_an_error(code: str):
    """The vendor's word for it is checked: a machine that bills must not be forgotten."""
    stage = VastStage()
    machine_id = await stage.running()
    body = {"success": False, "error": code, "msg": "Instance not found"}
    stage.face.destroy = lambda call, instance: Said(404, body)
    with pytest.raises(OutcomeUnknown, match="and it is"):
        await stage.provider.destroy(machine_id)


@pytest.mark.parametrize("body", [{"success": False, "msg": "busy"}, {"success": "yes"}, {}, [], None])
async def test_a_destroy_without_a_clear_yes_is_no_success(body: object):
    """Status 200 alone says nothing here."""
    stage = VastStage()
    machine_id = await stage.running()
    stage.face.destroy = lambda call, instance: Said(200, body)
    with pytest.raises(OutcomeUnknown):
        await stage.provider.destroy(machine_id)


async def test_a_machine_that_takes_its_time_to_end_is_shown_as_ending():
    """Asked is not gone: it is listed until the host has let it go, and billed no more."""
    stage = VastStage()
    stage.world.destroy_lag = timedelta(minutes=3)
    machine_id = await stage.running()
    await stage.provider.destroy(machine_id)
    bill = stage.world.bill()
    assert (await stage.seen(machine_id)).state is MachineState.ENDING
    stage.clock.advance(timedelta(minutes=4))
    assert await stage.provider.inspect(machine_id) is None
    assert stage.world.bill() == bill


async def test_stopped_instances_of_others_are_left_over_with_what_their_disks_cost():
    """$0.15 a GB and month for 20 GB. What runs is no leftover, and what bears a label of ours has a rental or is an
    orphan."""
    stage = VastStage()
    host = stage.world.hosts["offer-h1"]
    parked = stage.world.put(host, LaunchOrder("old experiment", "", 20))
    for label in (SECOND_LABEL, "it runs"):
        stage.world.put(host, LaunchOrder(label, "", 20))
    stage.clock.advance(HOUR)
    stage.world.stop(parked.id, "stopped by its user")
    mine = next(one for one in stage.world.ever() if one.label == SECOND_LABEL)
    stage.world.stop(mine.id)
    [left] = await stage.provider.leftovers()
    assert (left.id, left.what, left.name) == (parked.id[1:], "stopped instance", "old experiment")
    assert (left.monthly, left.where, left.provider) == (Usd.of(3), "Stockholm, SE", "vast")


async def test_the_account_tells_credit_and_what_everything_costs_in_an_hour():
    """All of what runs, the disk alone of what is stopped; ``balance`` is the side of the invoices and always zero."""
    stage = VastStage(balance=Usd.of(10))
    offer: Offer = await stage.offer()
    first = await stage.running()
    await stage.running(SECOND_LABEL)
    stage.world.stop(f"m{first}")
    account = await stage.provider.account()
    assert account.burn_hourly == offer.hourly + offer.disk_hourly
    assert account.balance is not None
    assert account.balance.up_to_cent() == (Usd.of(10) - stage.world.bill()).up_to_cent()
    assert "2 instances" in account.note
    assert "sim-key" not in repr(account)


async def test_an_account_without_a_credit_is_not_read_as_empty():
    """``balance`` is there and says 0: it is not taken for the money that is left."""
    stage = VastStage()
    stage.face.user = lambda call: Said(200, {"id": 7, "balance": 0.0})
    with pytest.raises(VendorChanged, match="credit"):
        await stage.provider.account()


# --- lastcall check ----------------------------------------------------------------------------


def marks(found: list[Finding]) -> list[Mark]:
    return [finding.mark for finding in found]


async def test_a_good_account_has_nothing_but_good_findings():
    """Key, rights, credit and clock; and nothing was changed by looking."""
    stage = VastStage(balance=Usd.of(20))
    found = list(await stage.provider.check())
    assert marks(found) == [Mark.GOOD] * 5
    assert {finding.part for finding in found} == {PART}
    assert not [line for line in stage.face.log if line.method not in ("GET", "POST")]
    assert stage.world.ever() == []


@pytest.mark.parametrize(
    ("kind", "scope"), [("account", "user_read"), ("machines", "instance_read"), ("offers", "misc")]
)
async def test_a_permission_that_is_missing_is_named(kind: str, scope: str):
    """Each by the call that needs it, with what to do."""
    stage = VastStage()
    stage.face.unauthorised = stage.face.forbidden
    stage.fails(kind, Wire.WRONG_KEY)
    bad = [finding for finding in await stage.provider.check() if finding.mark is Mark.BAD]
    assert len(bad) == 1
    assert scope in bad[0].fix
    assert "no permission" in bad[0].sentence


async def test_a_wrong_key_says_where_a_new_one_is_made():
    """Once, though three calls fail; no finding is good but the clock's, and no part of the key is shown."""
    stage = VastStage()
    found = list(await stage.another(key="wrong-secret").check())
    assert marks(found) == [Mark.BAD, Mark.GOOD]
    assert "does not take the key" in found[0].sentence
    assert "VAST_API_KEY" in found[0].fix
    assert "permission" not in found[0].fix
    assert "wrong-secret" not in repr(found)


async def test_no_connection_is_no_wrong_key():
    """It cannot be seen now; the address is what to look at."""
    stage = VastStage()
    stage.line.cut = True
    found = list(await stage.provider.check())
    assert marks(found) == [Mark.BAD]
    assert all("VAST_API_URL" in finding.fix for finding in found)


async def test_an_address_that_is_not_the_vendors_is_told():
    """Somebody answers with a page for people."""
    stage = VastStage()
    stage.fails("any", Wire.HTML)
    assert [one.mark for one in await stage.provider.check() if "cannot be read" in one.sentence] == [
        Mark.BAD
    ] * 3


@pytest.mark.parametrize(("balance", "mark"), [("0.90", Mark.WARN), ("1.15", Mark.WARN), ("5", Mark.GOOD)])
async def test_low_credit_is_told_before_it_ends(balance: str, mark: Mark):
    """Below a dollar, or below six hours of what runs: at zero everything is stopped, and the disks bill on."""
    stage = VastStage(balance=Usd.of(balance))
    await stage.running()
    money = next(one for one in await stage.provider.check() if "credit" in one.sentence)
    assert money.mark is mark
    assert bool(money.fix) is (mark is Mark.WARN)
    assert "lasts" in money.sentence


@pytest.mark.parametrize(("minutes", "mark"), [(1, Mark.GOOD), (60, Mark.WARN), (-60, Mark.WARN)])
async def test_a_clock_that_is_off_is_told(minutes: int, mark: Mark):
    """The vendor's ``Date`` against ours, either way; its machines are seen as ever."""
    stage = VastStage(skew=timedelta(minutes=minutes))
    assert (await stage.seen(await stage.running())).label == LABEL
    clock = next(one for one in await stage.provider.check() if "clock" in one.sentence)
    assert clock.mark is mark
    assert ("NTP" in clock.fix) is (mark is Mark.WARN)


async def test_the_bill_of_the_days_is_the_meters():
    """The simulated vendor's own charges, day by day and machine by machine, come to what its meter shows."""
    stage = VastStage(vast_host(capacity=9))
    for label in (LABEL, SECOND_LABEL):
        machine_id = await stage.launched(label)
        stage.clock.advance(31 * HOUR)
        await stage.provider.destroy(machine_id)
    end = int(stage.clock.now().timestamp())
    query = f'select_filters={{"day":{{"gte":0,"lte":{end}}}}}'
    charges = stage.asks("GET", f"/api/v0/charges/?{query}").json["results"]
    assert {row["metadata"]["label"] for row in charges} == {LABEL, SECOND_LABEL}
    total = sum(Decimal(str(row["amount"])) for row in charges)
    assert Usd.of(total) == stage.world.bill() > ZERO
    assert len(charges) == 5
