"""Vast.ai: whatever breaks on the wire, what is not known is never *none*, and nothing is created twice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

import httpx
import pytest

from adapters.providers.vast import VastProvider
from adapters.simulators.faces.face import Wire
from bot.domain.errors import NeedsHuman, OutcomeUnknown, ProviderError, TryLater, VendorChanged
from bot.domain.market import Machine
from tests.support.vast import KEY_LINE, LABEL, RTX, VastStage

READS: dict[str, tuple[str, Callable[[VastStage, str], Awaitable[Any]]]] = {
    "offers": ("offers", lambda stage, _: stage.provider.offers(RTX)),
    "machines": ("machines", lambda stage, _: stage.provider.machines()),
    "leftovers": ("machines", lambda stage, _: stage.provider.leftovers()),
    "inspect": ("inspect", lambda stage, one: stage.provider.inspect(one)),
    "words": ("inspect", lambda stage, one: stage.provider.words(one)),
    "account": ("account", lambda stage, _: stage.provider.account()),
    "burn": ("machines", lambda stage, _: stage.provider.account()),
}
"""What only reads, and which call of the vendor's it stands on."""
FAILED = [Wire.ERROR_BEFORE, Wire.ERROR_AFTER, Wire.GATEWAY, Wire.THROTTLED, Wire.THROTTLED_WITH_TIME]
LOST = [Wire.TIMEOUT_BEFORE, Wire.TIMEOUT_AFTER, Wire.RESET_BEFORE, Wire.RESET_AFTER]
UNREADABLE = [Wire.HTML, Wire.TRUNCATED, Wire.MISSING_KEYS]


@pytest.fixture
async def stage() -> VastStage:
    """One machine runs."""
    return VastStage()


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("wire", FAILED)
async def test_a_read_is_asked_again_until_it_is_answered(stage: VastStage, read: str, wire: Wire):
    """Two failures are not noticed; a vendor that stays so is ``TryLater`` after a few tries."""
    kind, ask = READS[read]
    machine_id = await stage.running()
    stage.fails(kind, wire, times=2)
    assert await ask(stage, machine_id) is not None
    stage.fails(kind, wire)
    sent = stage.face.count(kind)
    stage.clock.advance(timedelta(minutes=2))
    with pytest.raises(TryLater):
        await ask(stage, machine_id)
    assert stage.face.count(kind) - sent == 4


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("wire", LOST)
async def test_a_read_whose_answers_are_lost_is_to_be_tried_later(stage: VastStage, read: str, wire: Wire):
    """Nothing is concluded from silence; when the line is back, so is the answer."""
    kind, ask = READS[read]
    machine_id = await stage.running()
    stage.fails(kind, wire)
    with pytest.raises(TryLater):
        await ask(stage, machine_id)
    stage.face.clear()
    assert await ask(stage, machine_id) is not None


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("wire", UNREADABLE)
async def test_an_answer_that_cannot_be_read_is_never_an_empty_one(stage: VastStage, read: str, wire: Wire):
    """No list, no null, no balance: *unknown*, and it is not asked for again and again."""
    kind, ask = READS[read]
    machine_id = await stage.running()
    stage.fails(kind, wire)
    sent = stage.face.count(kind)
    with pytest.raises(VendorChanged):
        await ask(stage, machine_id)
    assert stage.face.count(kind) - sent == 1


@pytest.mark.parametrize("read", READS)
async def test_keys_that_nobody_expects_change_nothing(stage: VastStage, read: str):
    """A field more in every object is what vendors do every week."""
    kind, ask = READS[read]
    machine_id = await stage.running()
    expected = await ask(stage, machine_id)
    stage.fails(kind, Wire.EXTRA_KEYS)
    stage.clock.advance(timedelta(minutes=2))
    again = await ask(stage, machine_id)
    if read in ("account", "burn"):
        assert (again.balance, again.burn_hourly) == (expected.balance, expected.burn_hourly)
    else:
        assert again == expected


@pytest.mark.parametrize("status", [401, 404])
@pytest.mark.parametrize("read", READS)
async def test_a_wrong_or_revoked_key_is_a_matter_for_a_person(stage: VastStage, read: str, status: int):
    """Also where the vendor says 404, which would read as "gone"; asked once."""
    kind, ask = READS[read]
    machine_id = await stage.running()
    stage.face.quirks.wrong_key_status = status
    stage.fails(kind, Wire.WRONG_KEY)
    sent = stage.face.count(kind)
    with pytest.raises(NeedsHuman, match="Invalid user key"):
        await ask(stage, machine_id)
    assert stage.face.count(kind) - sent == 1


async def test_a_process_with_a_wrong_key_learns_nothing_and_does_nothing(stage: VastStage):
    """Every method raises; none takes the 404 for proof that a machine is gone."""
    machine_id = await stage.running()
    offer = await stage.offer()
    stranger = stage.another(key="another-key")
    calls: Sequence[Callable[[], Awaitable[object]]] = (
        stranger.machines,
        stranger.account,
        stranger.leftovers,
        lambda: stranger.offers(RTX),
        lambda: stranger.inspect(machine_id),
        lambda: stranger.destroy(machine_id),
        lambda: stranger.words(machine_id),
        lambda: stranger.enrol(machine_id, KEY_LINE),
        lambda: stranger.launch(offer, stage.order()),
    )
    for call in calls:
        with pytest.raises(NeedsHuman) as told:
            await call()
        assert "another-key" not in f"{told.value!r} {told.value.reason}"
    assert len(stage.world.alive()) == 1


async def test_a_key_that_may_only_read_sees_everything_and_changes_nothing(stage: VastStage):
    """Lists and looks work; what writes is refused, and a search needs a right of its own."""
    machine_id = await stage.running()
    offer = await stage.offer()
    stage.fails("any", Wire.READ_ONLY)
    assert [machine.id for machine in await stage.provider.machines()] == [machine_id]
    assert await stage.provider.inspect(machine_id) is not None
    assert (await stage.provider.account()).balance is not None
    writes: Sequence[Callable[[], Awaitable[object]]] = (
        lambda: stage.provider.launch(offer, stage.order()),
        lambda: stage.provider.offers(RTX),
        lambda: stage.provider.destroy(machine_id),
        lambda: stage.provider.enrol(machine_id, KEY_LINE),
    )
    for write in writes:
        with pytest.raises(NeedsHuman):
            await write()
    assert len(stage.world.alive()) == 1


CREATES: list[tuple[Wire, type[ProviderError] | None, int]] = [
    (Wire.TIMEOUT_BEFORE, OutcomeUnknown, 0),
    (Wire.TIMEOUT_AFTER, OutcomeUnknown, 1),
    (Wire.RESET_BEFORE, OutcomeUnknown, 0),
    (Wire.RESET_AFTER, OutcomeUnknown, 1),
    (Wire.ERROR_BEFORE, OutcomeUnknown, 0),
    (Wire.ERROR_AFTER, OutcomeUnknown, 1),
    (Wire.GATEWAY, OutcomeUnknown, 0),
    (Wire.HTML, OutcomeUnknown, 1),
    (Wire.TRUNCATED, OutcomeUnknown, 1),
    (Wire.MISSING_KEYS, OutcomeUnknown, 1),
    (Wire.SHRUG, OutcomeUnknown, 0),
    (Wire.THROTTLED, TryLater, 0),
    (Wire.THROTTLED_WITH_TIME, TryLater, 0),
    (Wire.WRONG_KEY, NeedsHuman, 0),
    (Wire.READ_ONLY, NeedsHuman, 0),
    (Wire.EXTRA_KEYS, None, 1),
]


@pytest.mark.parametrize(("wire", "error", "created"), CREATES)
async def test_a_create_is_sent_once_whatever_becomes_of_it(
    stage: VastStage, wire: Wire, error: type[ProviderError] | None, created: int
):
    """That nothing was created is said only where it is sure; what was created is found by its label."""
    offer = await stage.offer()
    stage.fails("launch", wire)
    if error is None:
        assert await stage.provider.launch(offer, stage.order())
    else:
        with pytest.raises(error) as told:
            await stage.provider.launch(offer, stage.order())
        assert type(told.value) is error
    assert stage.face.count("launch") == 1
    assert [one.label for one in await stage.provider.machines()] == [LABEL] * created


@pytest.mark.parametrize("wire", [*LOST, *FAILED])
async def test_a_price_that_cannot_be_looked_at_creates_nothing(stage: VastStage, wire: Wire):
    """The look before the order is only a read: it may be asked again, and nothing is ordered without it."""
    offer = await stage.offer()
    stage.fails("offers", wire)
    with pytest.raises(TryLater):
        await stage.provider.launch(offer, stage.order())
    assert stage.face.count("launch") == 0


@pytest.mark.parametrize("wire", [*LOST, *FAILED, *UNREADABLE, Wire.WRONG_KEY, Wire.READ_ONLY])
async def test_a_destroy_that_is_not_confirmed_is_an_error_and_may_be_repeated(stage: VastStage, wire: Wire):
    """It counts as asked only when the vendor said so; asking again ends it whatever became of the first."""
    machine_id = await stage.running()
    stage.fails("destroy", wire, times=1)
    with pytest.raises(ProviderError):
        await stage.provider.destroy(machine_id)
    await stage.provider.destroy(machine_id)
    assert await stage.provider.inspect(machine_id) is None
    assert stage.world.alive() == []


async def test_a_destroy_that_says_yes_and_does_nothing_is_seen(stage: VastStage):
    """Success is only the vendor's word: the machine is still shown, and a second destroy ends it."""
    machine_id = await stage.running()
    stage.fails("destroy", Wire.SHRUG, times=1)
    await stage.provider.destroy(machine_id)
    still: Machine | None = await stage.provider.inspect(machine_id)
    assert still is not None
    await stage.provider.destroy(machine_id)
    assert await stage.provider.inspect(machine_id) is None


@pytest.mark.parametrize("wording", ["text", "detail", "error"])
async def test_being_throttled_is_understood_in_all_three_wordings(stage: VastStage, wording: str):
    """It comes as plain text, as ``detail`` and as an error object. What it names is waited for, and no more is sent
    before."""
    offer = await stage.offer()
    stage.face.quirks.throttle = wording
    stage.fails("launch", Wire.THROTTLED, times=1)
    with pytest.raises(TryLater, match="too frequent") as told:
        await stage.provider.launch(offer, stage.order())
    assert told.value.after == timedelta(seconds=4.5)
    stage.fails("launch", Wire.THROTTLED_WITH_TIME, times=1)
    with pytest.raises(TryLater) as told:
        await stage.provider.launch(offer, stage.order())
    assert told.value.after == timedelta(seconds=5)


async def test_a_redirect_is_an_error_and_never_followed(stage: VastStage):
    """An address whose paths are answered by 301 is no empty account."""
    moved = stage.asks("GET", "/api/v1/instances")
    assert (moved.status, moved.headers["Location"]) == (301, "/api/v1/instances/")
    answers = httpx.MockTransport(lambda request: httpx.Response(301, headers={"Location": "/elsewhere/"}))
    provider = VastProvider(key="k", url="https://vast.ai", clock=stage.clock, transport=answers)
    with pytest.raises(VendorChanged, match="301"):
        await provider.machines()
    with pytest.raises(VendorChanged, match="301"):
        await provider.destroy("1")


async def test_an_address_may_have_a_path_of_its_own(stage: VastStage):
    """Another implementation of the same API below a path, with a slash at the end or without."""
    stage.face.prefix = "/clouds/vast"
    for url in ("http://127.0.0.1:1/clouds/vast", "http://127.0.0.1:1/clouds/vast/"):
        assert await stage.another(url=url).offers(RTX)
        stage.clock.advance(timedelta(seconds=30))


async def test_the_published_limits_are_kept_under_load():
    """A listing of 60, ten looks and three ends in a row: the vendor refuses none of them."""
    stage = VastStage()
    stage.put(60)
    for machine in (await stage.provider.machines())[:3]:
        await stage.provider.destroy(machine.id)
    for machine in (await stage.provider.machines())[:10]:
        await stage.provider.inspect(machine.id)
    assert {line.status for line in stage.face.log} == {200}
