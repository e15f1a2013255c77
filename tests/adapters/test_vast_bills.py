"""Vast.ai's bills: the rows of one instance, or an error; never a number that was not read."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from adapters.simulators.faces.face import Call, Said, Wire
from bot.domain.errors import VendorChanged
from bot.domain.money import ZERO, Usd
from tests.support.vast import LABEL, SECOND_LABEL, VastStage, vast_host
from tests.support.worlds import START

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MIDNIGHT = START.replace(hour=0, minute=0, second=0, microsecond=0)


def at(day: int) -> int:
    """Midnight, so many days after the first."""
    return int((MIDNIGHT + day * DAY).timestamp())


def row(day: int = 0, **changed: Any) -> dict[str, Any]:
    """A good one of instance 123."""
    good = {
        "start": at(day),
        "end": at(day + 1),
        "type": "instance",
        "source": "instance-123",
        "amount": 1.23,
    }
    return {**good, "metadata": {"label": LABEL}, "items": [{"type": "gpu", "amount": 1.23}], **changed}


def without(name: str) -> dict[str, Any]:
    """A row that lacks something."""
    return {key: value for key, value in row().items() if key != name}


def body(*rows: Any, **changed: Any) -> dict[str, Any]:
    """A whole answer."""
    good = {
        "success": True,
        "count": len(rows),
        "total": len(rows),
        "next_token": None,
        "results": list(rows),
    }
    return {**good, **changed}


async def told(answer: Any, days: int = 0) -> Usd | None:
    """What the adapter makes of an answer, or of one for each page."""
    stage = VastStage()
    answers: Callable[[Call], Any] = answer if callable(answer) else lambda _: answer
    stage.face.charges = lambda call: Said(200, answers(call))  # type: ignore[method-assign]
    until: datetime = START + days * DAY
    found = await stage.provider.bill("123", LABEL, START, until)
    return None if found is None else found.amount


async def test_the_bill_of_an_instance_is_its_meter_over_midnights():
    """Its neighbour of the same days is not in it."""
    stage = VastStage(vast_host(capacity=9))
    first = await stage.launched()
    second = await stage.launched(SECOND_LABEL)
    stage.clock.advance(31 * HOUR)
    for one in (first, second):
        await stage.provider.destroy(one)
    found = await stage.provider.bill(first, LABEL, START, stage.clock.now())
    assert found is not None
    assert found.amount == stage.world.machine(f"m{first}").cost(stage.world.tariff, stage.clock.now()) > ZERO


async def test_pages_are_read_to_the_last():
    """Two rows at a time, where the instance's are on the first and the third."""
    rows = [row(), *(row(source="instance-9") for _ in range(3)), row(1, amount=1)]

    def page(call: Call) -> dict[str, Any]:
        start = int(call.query.get("after_token", "0"))
        more = str(start + 2) if start + 2 < len(rows) else None
        return body(*rows[start : start + 2], total=len(rows), next_token=more)

    assert await told(page, days=1) == Usd.of("2.23")


@pytest.mark.parametrize("token", ["again", "x"])
async def test_pages_that_go_round_in_a_circle_are_no_bill(token: str):
    """However often it is asked, it goes on; and the same rows are not added up."""
    asked: list[str] = []

    def page(call: Call) -> dict[str, Any]:
        asked.append(call.query.get("after_token", ""))
        return body(row(), total=2, next_token=token)

    with pytest.raises(VendorChanged, match="not complete"):
        await told(page)
    assert asked == ["", token]


async def test_what_is_about_another_machine_is_not_in_it():
    """By its source, whatever its label; by its label where it has no source. Nothing at all is no bill."""
    others = [row(source="instance-1234"), row(source="volume-123"), row(source="INSTANCE-123")]
    assert await told(body(*others)) is None
    assert await told(body()) is None
    nameless = [
        without("source"),
        row(source=None, metadata={"label": SECOND_LABEL}),
        row(source="", metadata=[]),
    ]
    assert await told(body(*nameless, *others)) == Usd.of("1.23")
    assert await told(body(row(amount=0))) == ZERO
    assert await told(body(row(amount="1.5"))) == Usd.of("1.5")


@pytest.mark.parametrize(
    "answer",
    [
        [],
        [row()],
        None,
        {},
        {"results": None},
        body(row(), success=False),
        body(row(), results={}),
        body(row(), total=2),
        body(row(), total=0),
        body(row(), total=None),
        body(row(), total=True),
        body(row(), total="many"),
        body(row(), total=1.5),
        body(row(), total=-1),
        body(row(), next_token=7),
        body(row(), next_token=["x"]),
        {"success": True, "results": [row()]},
    ],
)
async def test_an_answer_that_is_not_the_whole_list_is_no_bill(answer: Any):
    """A refusal with a status of success, no rows, or another number of them than it says."""
    with pytest.raises(VendorChanged):
        await told(answer)


@pytest.mark.parametrize(
    "odd",
    [
        None,
        [],
        "instance-123",
        without("amount"),
        *(
            row(amount=amount)
            for amount in (None, "", "free", True, [], {}, -0.01, -1, "NaN", "Infinity", 1e300)
        ),
        *(row(source=source) for source in (123, True, ["instance-123"], {})),
        row(-1),
        row(1),
        row(start=0),
        row(start=at(0) * 1000),
    ],
)
async def test_one_row_that_cannot_be_read_spoils_the_bill(odd: Any):
    """Wrong types, missing keys, below zero, of another day: alone, and beside a good one."""
    with pytest.raises(VendorChanged):
        await told(body(odd))
    with pytest.raises(VendorChanged):
        await told(body(row(), odd))


async def test_the_days_that_are_asked_for_are_whole_ones():
    """From the midnight before the launch to the last second of the day of the end."""
    asked: list[Any] = []

    def page(call: Call) -> dict[str, Any]:
        asked.append(json.loads(call.query["select_filters"]))
        return body()

    assert await told(page, days=2) is None
    assert asked == [{"day": {"gte": at(0), "lte": at(3) - 1}, "type": {"in": ["instance"]}}]


@pytest.mark.parametrize("wire", [Wire.HTML, Wire.TRUNCATED, Wire.MISSING_KEYS])
async def test_a_garbled_answer_is_no_bill(wire: Wire):
    """Nor is it "nothing billed"."""
    stage = VastStage()
    machine_id = await stage.running()
    stage.face.plan("bill", wire, 9)
    with pytest.raises(VendorChanged):
        await stage.provider.bill(machine_id, LABEL, START, stage.clock.now())
