"""Credit that does not last until the hard end is told long before, once, and once more in its last hour."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.simulators.faces.face import Wire
from bot.domain.alert import Alert
from bot.domain.money import Usd
from bot.domain.rental import Ending
from tests.support.cloud_town import MINUTE, CloudTown, founded

HOUR = 60 * MINUTE


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[CloudTown]:
    """On Vast.ai, whose credit ends abruptly."""
    async with founded("vast", tmp_path) as town:
        yield town


async def _warnings(town: CloudTown) -> list[str]:
    """Titles of what is to be said about credit, in order."""
    due = await town.store.outbox.claim(
        await town.store.outbox.waiting(now=town.clock.now(), serves=lambda _: True, limit=100),
        now=town.clock.now(),
        until=town.clock.now() + MINUTE,
        token="test",
    )
    for one in due:
        await town.store.outbox.said(one, "said")
    return [one.reply.title for one in due if "credit" in one.reply.title]


async def _ready(town: CloudTown, hours: int) -> str:
    asked = await town.ask(f"up vast 3090 for {hours}h")
    await town.run_until(town.clock.now() + 10 * MINUTE)
    return asked.rental


async def test_credit_that_lasts_is_not_talked_about(town: CloudTown):
    """Four hours of a $0.20 machine and $50."""
    town.world.balance = Usd.of(50)
    await _ready(town, 4)
    assert await _warnings(town) == []


async def test_credit_that_ends_before_the_rental_is_told_at_once(town: CloudTown):
    """$1 lasts five hours, the rental eight: its owner hears of it with the time that is left."""
    town.world.balance = Usd.of(1)
    tab = await _ready(town, 8)
    told = await _warnings(town)
    assert len(told) == 1
    assert told[0].startswith(f"{tab}: the credit at vast lasts 4 h")
    await town.run_until(town.clock.now() + HOUR)
    assert await _warnings(town) == [], "said once"


async def test_the_last_hour_is_told_again(town: CloudTown):
    """A second time, louder."""
    town.world.balance = Usd.of(1)
    tab = await _ready(town, 8)
    await _warnings(town)
    await town.run_until(town.clock.now() + 4 * HOUR)
    told = await _warnings(town)
    assert told == [f"{tab}: the credit at vast lasts 55 min more"], "at the first look within the last hour"


async def _open(town: CloudTown, tab: str) -> list[Alert]:
    found = (await town.store.alerts.of([tab])).get(tab, [])
    return [one for one in found if one.is_open and one.kind == "credit"]


async def test_a_top_up_settles_it_and_credit_that_is_short_again_is_told_again(town: CloudTown):
    """The message says so and has no button any more; the second time is another ladder."""
    town.world.balance = Usd.of(1)
    tab = await _ready(town, 8)
    [first] = await _open(town, tab)
    await _warnings(town)
    town.world.balance = Usd.of(50)
    await town.run_until(town.clock.now() + 6 * MINUTE)
    assert await _open(town, tab) == []
    words = await town.store.alerts.words(first)
    assert words is not None and words.lines[1].startswith("The credit lasts now (") and words.buttons == ()
    town.world.balance = Usd.of(1)
    await town.run_until(town.clock.now() + 6 * MINUTE)
    [second] = await _open(town, tab)
    assert second.rung != first.rung


async def test_one_person_hears_of_one_account_once_however_many_machines_and_processes(town: CloudTown):
    """Two rentals and a restart: one alert, which names both."""
    town.world.balance = Usd.of(2)
    tabs = [(await town.ask("up vast 3090 for 9h")).rental for _ in range(2)]
    await town.run_until(town.clock.now() + 10 * MINUTE)
    town.again()
    await town.run_until(town.clock.now() + 30 * MINUTE)
    open_ones = [one for tab in tabs for one in await _open(town, tab)]
    assert [one.rung for one in open_ones] == ["credit-1-0"]
    words = await town.store.alerts.words(open_ones[0])
    assert words is not None and all(f"{tab} (until " in words.lines[1] for tab in tabs)
    assert [one.label for one in words.buttons] == ["Tear down", "Snooze"]


async def test_a_balance_that_cannot_be_read_warns_of_nothing_and_stops_nothing(town: CloudTown):
    """Unknown is no reason to cry, and no reason to fall silent later."""
    town.world.balance = Usd.of(1)
    town.face.plan("account", Wire.ERROR_BEFORE, -1)
    tab = await _ready(town, 8)
    await town.run_until(town.clock.now() + 20 * MINUTE)
    assert town.face.count("account") > 1, "it was asked"
    assert await _warnings(town) == []
    town.face.clear()
    await town.run_until(town.clock.now() + 10 * MINUTE)
    [told] = await _warnings(town)
    assert told.startswith(f"{tab}: the credit at vast lasts 4 h")
    town.line.cut = True
    await town.run_until(town.clock.now() + 10 * MINUTE)
    town.line.cut = False
    assert await _warnings(town) == []
    assert (await town.rental(tab)).attempts[-1].condemned is None
    await town.ask(f"down {tab}")
    assert await town.closes(tab, HOUR)


async def test_a_vendor_that_stops_machines_at_zero_leaves_nothing_behind(town: CloudTown):
    """The machine is stopped by the vendor; the rental notices, destroys what still bills its disk, and closes."""
    town.world.balance = Usd.of("0.30")
    tab = await _ready(town, 8)
    await town.run_until(town.clock.now() + timedelta(hours=4))
    rental = await town.rental(tab)
    assert rental.attempts[0].condemned is not None
    assert await town.closes(tab, 8 * HOUR)
    assert (await town.rental(tab)).ending in (Ending.FAILED, Ending.NO_OFFER)
    assert town.ours() == []
