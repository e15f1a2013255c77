"""The rental's key on the Lambda account through the real adapter: there before the launch, gone after the machine."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import pytest

from adapters.providers.lambda_cloud.launch import Launches
from adapters.simulators.faces.face import Said, Wire
from adapters.simulators.faces.transport import FaceTransport
from bot.domain.errors import NeedsHuman, OutcomeUnknown, ProviderError, TryLater, VendorChanged
from tests.support.lambda_cloud import LABEL, PUBLIC_KEY, SECOND_LABEL, LambdaStage

MINUTE = timedelta(minutes=1)
OURS = {"id": "1", "name": LABEL, "public_key": PUBLIC_KEY}


def names(stage: LambdaStage) -> list[str]:
    """The keys on the account."""
    return [key["name"] for key in stage.face.shelf.keys]


async def test_a_launch_leaves_a_key_that_is_removed_by_its_label():
    """That one and no other; once more is success."""
    stage = LambdaStage()
    stage.face.shelf.keys.append({"id": "1", "name": "ann", "public_key": "ssh-ed25519 AAAA ann"})
    await stage.running()
    await stage.running(SECOND_LABEL)
    await stage.provider.tidy(LABEL)
    await stage.provider.tidy(LABEL)
    assert names(stage) == ["ann", SECOND_LABEL]


async def test_a_key_in_use_is_removed_later():
    """Where the vendor keeps it while a machine uses it, it is asked again."""
    stage = LambdaStage()
    stage.face.shelf.refuses_keys_in_use = True
    machine_id = await stage.running()
    with pytest.raises(TryLater):
        await stage.provider.tidy(LABEL)
    await stage.provider.destroy(machine_id)
    stage.clock.advance(MINUTE)
    await stage.provider.tidy(LABEL)
    assert names(stage) == []


@pytest.mark.parametrize("code", ["global/object-does-not-exist", "global/invalid-parameters"])
async def test_a_key_that_somebody_removed_meanwhile_is_removed(code: str):
    """Proven by its code, or by a look at what is there."""
    stage = LambdaStage()
    await stage.running()
    said = Said(400, {"error": {"code": code, "message": "No such key."}})
    stage.face.script("keys", Said(200, {"data": list(stage.face.shelf.keys)}))
    stage.face.script("keys", said)
    stage.face.shelf.keys.clear()
    await stage.provider.tidy(LABEL)


async def test_a_key_that_stays_is_an_error():
    """Refused for another reason, and still there."""
    stage = LambdaStage()
    await stage.running()
    listed = Said(200, {"data": stage.face.shelf.keys})
    stage.face.script("keys", listed)
    stage.face.script("keys", Said(400, {"error": {"code": "global/invalid-parameters", "message": "Odd."}}))
    with pytest.raises(VendorChanged, match="Odd"):
        await stage.provider.tidy(LABEL)


@pytest.mark.parametrize("wire", [Wire.TIMEOUT_BEFORE, Wire.HTML, Wire.WRONG_KEY, Wire.ERROR_AFTER])
async def test_keys_that_cannot_be_asked_for_are_not_gone(wire: Wire):
    """An error, so that it is asked again."""
    stage = LambdaStage()
    await stage.running()
    stage.fails("keys", wire)
    with pytest.raises(ProviderError):
        await stage.provider.tidy(LABEL)
    assert names(stage) == [LABEL]


# --- before the launch ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wire",
    [Wire.TIMEOUT_AFTER, Wire.RESET_AFTER, Wire.ERROR_AFTER, Wire.HTML, Wire.TRUNCATED, Wire.MISSING_KEYS],
)
async def test_a_key_whose_answer_was_lost_is_looked_for(wire: Wire):
    """It is there, so that the launch goes on with it; it is registered once."""
    stage = LambdaStage()
    stage.fails("keys", wire, times=1)
    assert await stage.launched()
    assert names(stage) == [LABEL]


@pytest.mark.parametrize("wire", [Wire.TIMEOUT_BEFORE, Wire.ERROR_BEFORE, Wire.SHRUG])
async def test_a_key_that_never_arrived_puts_the_launch_off(wire: Wire):
    """Looked for, and not there: nothing was rented."""
    stage = LambdaStage()
    stage.fails("keys", wire, times=1)
    with pytest.raises(TryLater):
        await stage.launched()
    assert (names(stage), stage.face.count("launch")) == ([], 0)


async def test_the_same_key_may_be_there_already():
    """Its comment may have been changed; its name and body count."""
    stage = LambdaStage()
    stage.face.shelf.keys.append({**OURS, "public_key": f"{PUBLIC_KEY.rsplit(' ', 1)[0]} other comment"})
    assert await stage.launched()


@pytest.mark.parametrize("public", ["ssh-ed25519 AAAAother ann", ""])
async def test_another_key_under_our_name_is_a_matter_for_a_person(public: str):
    """A machine that lets somebody else in is worse than none."""
    stage = LambdaStage()
    stage.face.shelf.keys.append({**OURS, "public_key": public})
    with pytest.raises(NeedsHuman, match=LABEL):
        await stage.launched()
    assert stage.face.count("launch") == 0


async def test_a_full_account_puts_the_launch_off():
    """1,024 keys: nothing was rented, and ``check`` warns long before."""
    stage = LambdaStage()
    stage.face.shelf.keys += [{"id": str(n), "name": f"k{n}", "public_key": ""} for n in range(1024)]
    with pytest.raises(TryLater, match="Quota exceeded"):
        await stage.launched()


# --- a vendor that never answers ------------------------------------------------------------------


class Silent(FaceTransport):
    """Says nothing to one path, for as long as anybody waits."""

    def __init__(self, stage: LambdaStage, path: str) -> None:
        super().__init__(stage.face)
        self._path = path

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        if request.url.path.endswith(self._path):
            await asyncio.Event().wait()
        return response


@pytest.mark.parametrize(
    ("path", "error", "launched"),
    [("/instance-types", TryLater, 0), ("/ssh-keys", TryLater, 0), ("/launch", OutcomeUnknown, 1)],
)
async def test_a_launch_ends_in_time_whatever_the_vendor_does(
    path: str, error: type[ProviderError], launched: int
):
    """What was never sent is certain; what was sent and not answered is not. The limits together are what the
    provider promises."""
    stage = LambdaStage()
    offer = await stage.offer()
    provider = stage.another(transport=Silent(stage, path))
    short = timedelta(milliseconds=50)
    launches = Launches(provider.http, provider._keys, timedelta(seconds=12), prepare=short, create=short)
    with pytest.raises(error):
        await launches.launch(offer, stage.order())
    assert stage.face.count("launch") == len(stage.world.alive()) == launched
    assert provider.capabilities.launch_limit <= timedelta(seconds=55)
