"""RunPod's bills: the days of one pod, or an error; never a number that was not read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from adapters.simulators.faces.face import Wire
from bot.domain.errors import VendorChanged
from bot.domain.money import ZERO, Usd
from tests.support.runpod import LABEL, RunpodStage
from tests.support.worlds import START

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
POD = "k3v9q1x7m2ab"


def record(day: int = 0, **changed: Any) -> dict[str, Any]:
    """A good one, of the first day or so many days later."""
    start, end = (f"{START + (day + n) * DAY:%Y-%m-%dT00:00:00Z}" for n in (0, 1))
    parts = {"totalAmount": 0.64, "gpuAmount": 0.62, "cpuAmount": 0, "diskAmount": 0.02}
    return {"startTime": start, "endTime": end, "podId": POD, **parts, **changed}


def without(name: str) -> dict[str, Any]:
    """A record that lacks something."""
    return {key: value for key, value in record().items() if key != name}


async def told(body: Any, days: int = 0) -> Usd | None:
    """What the adapter makes of an answer."""
    stage = RunpodStage()
    stage.line = httpx.MockTransport(lambda _: httpx.Response(200, json=body))  # type: ignore[assignment]
    found = await stage.another().bill(POD, LABEL, START, START + days * DAY)
    return None if found is None else found.amount


async def test_the_bill_of_a_pod_is_its_meter_over_midnights_and_its_neighbours_are_not_in_it():
    """Thirty hours of one, an hour of another; the first is long deleted when it is asked for."""
    stage = RunpodStage()
    machine = await stage.launch()
    stage.clock.advance(30 * HOUR)
    await stage.provider.destroy(machine.id)
    end, meter = stage.clock.now(), stage.world.bill()
    stage.put("lc-team-k7m2xq-2-20260302T1200Z")
    stage.clock.advance(HOUR)
    found = await stage.provider.bill(machine.id, LABEL, START, end)
    assert found is not None
    assert found.amount == meter > ZERO
    assert stage.world.bill() > meter


async def test_days_are_summed_and_no_days_are_no_bill():
    """Nothing written yet is not zero dollars; a day of zero is."""
    assert await told({"records": []}) is None
    assert await told({"records": [record(totalAmount=0)]}) == ZERO
    assert await told({"records": [record(), record(1, totalAmount=1)]}, days=1) == Usd.of("1.64")


@pytest.mark.parametrize(
    "body",
    [
        [],
        [record()],
        None,
        "records",
        {},
        {"records": None},
        {"records": {}},
        {"records": "none"},
        {"totalAmount": 0.64},
        {"records": [record()], "metadata": {"recordCount": 2}},
        {"records": [], "metadata": {"recordCount": 1}},
        {"records": [record()], "metadata": {"recordCount": True}},
        {"records": [record()], "pagination": {"nextCursor": "x", "hasNextPage": True}},
        {"records": [record()], "pagination": {}},
        {"records": [record()], "pagination": "more"},
    ],
)
async def test_an_answer_that_is_not_the_whole_list_is_no_bill(body: Any):
    """Without its records, with fewer than it says, or with more to come."""
    with pytest.raises(VendorChanged):
        await told(body)


@pytest.mark.parametrize(
    "row",
    [
        None,
        [],
        "0.64",
        without("podId"),
        record(podId="another"),
        record(podId=None),
        without("totalAmount"),
        *(record(totalAmount=odd) for odd in (None, "0.64", True, [], {}, -0.01, -1, 10**9, 1e300)),
        without("startTime"),
        *(record(startTime=odd) for odd in (None, 1772409600, "yesterday", "", "2026-03-02T00:00:00")),
        record(-1),
        record(1),
        record(3650),
    ],
)
async def test_one_record_that_cannot_be_read_spoils_the_bill(row: Any):
    """Wrong types, missing keys, another pod, below zero or absurd, another day: alone, and beside good ones."""
    with pytest.raises(VendorChanged):
        await told({"records": [row]})
    with pytest.raises(VendorChanged):
        await told({"records": [record(), row]})


async def test_a_day_that_is_told_twice_is_not_paid_twice():
    """Which of the two is right cannot be known."""
    with pytest.raises(VendorChanged, match="twice"):
        await told({"records": [record(), record()]})


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999"])
async def test_an_amount_that_is_no_number_is_none(text: str):
    """What some JSON writers put there."""
    stage, body = (
        RunpodStage(),
        f'{{"records": [{{"startTime": "{START:%Y-%m-%dT00:00:00Z}", "podId": "{POD}", ',
    )
    body += f'"totalAmount": {text}}}]}}'
    stage.line = httpx.MockTransport(lambda _: httpx.Response(200, text=body))  # type: ignore[assignment]
    with pytest.raises(VendorChanged):
        await stage.another().bill(POD, LABEL, START, START)


@pytest.mark.parametrize("wire", [Wire.HTML, Wire.TRUNCATED, Wire.MISSING_KEYS])
async def test_a_garbled_answer_is_no_bill(wire: Wire):
    """Nor is it "nothing billed"."""
    stage = RunpodStage()
    machine = await stage.running()
    stage.face.plan("bill", wire, 9)
    with pytest.raises(VendorChanged):
        await stage.provider.bill(machine.id, LABEL, START, stage.clock.now())
