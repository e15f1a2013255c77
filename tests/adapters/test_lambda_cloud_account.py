"""What Lambda tells about the account, and what ``lastcall check`` makes of it, through the real adapter."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from adapters.providers.lambda_cloud import PROFILE, LambdaProvider
from adapters.simulators.faces.face import Said, Wire
from adapters.simulators.faces.lambda_cloud import lambda_host
from adapters.simulators.faults import Fault, FaultKind
from bot.domain.errors import NeedsHuman, ProviderError, TryLater, VendorChanged
from bot.domain.market import AccountNote, LaunchOrder, Mark
from bot.domain.money import Usd
from tests.support.lambda_cloud import A10, LABEL, PUBLIC_KEY, SECOND_LABEL, LambdaStage


async def marks(stage: LambdaStage) -> list[Mark]:
    """How the lines end."""
    return [one.mark for one in await stage.provider.check()]


# --- the account ----------------------------------------------------------------------------------


async def test_the_account_tells_what_runs_and_that_there_is_no_balance():
    """Burn is what every machine costs that is not ending, also somebody else's; unknown when one does not tell."""
    stage = LambdaStage(lambda_host(capacity=2), lambda_host("gpu_8x_a100"))
    big = next(host for host in stage.world.hosts.values() if host.count == 8)
    stage.world.put(big, LaunchOrder("ann's", PUBLIC_KEY, 1))
    first = await stage.running()
    second = await stage.running(SECOND_LABEL)
    await stage.provider.destroy(second)
    account = await stage.provider.account()
    assert (account.state, account.balance, account.burn_hourly) == (AccountNote.READY, None, Usd.of("17.21"))
    assert "no balance" in account.note
    assert account.as_of == stage.clock.now()
    stage.odd(first, instance_type=None)
    assert (await stage.provider.account()).burn_hourly is None


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (FaultKind.GARBLED, VendorChanged),
        (FaultKind.NEEDS_HUMAN, NeedsHuman),
        (FaultKind.LOST_BEFORE, TryLater),
        (FaultKind.TRY_LATER, TryLater),
    ],
)
async def test_the_worlds_own_faults_come_in_the_vendors_words(kind: FaultKind, error: type[ProviderError]):
    """What seeded runs plan for the world reaches the adapter as answers of this vendor."""
    stage = LambdaStage()
    await stage.running()
    stage.world.plan("machines", Fault(kind, times=-1))
    with pytest.raises(error):
        await stage.provider.machines()
    stage.world.faults.clear()
    assert len(await stage.provider.machines()) == 1


async def test_spot_is_refused_with_a_reason_and_no_key_goes_to_a_machine():
    """Lambda has neither spot machines nor keys for one machine; what it takes to use it is told."""
    provider = LambdaStage().provider
    assert not provider.capabilities.spot
    assert "on demand" in provider.capabilities.no_spot
    assert provider.capabilities.self_destruct == "stops the job only"
    assert PROFILE.setting == "LAMBDA_API_KEY"


async def test_a_key_that_is_wrong_for_one_is_right_for_the_other():
    """The key that is configured is the one that is sent; a wrong one is a matter for a person, whatever is asked."""
    stage = LambdaStage()
    machine_id = await stage.running()
    stranger = stage.another(key="sk-revoked-1234")
    asks = (
        stranger.machines, stranger.account, stranger.leftovers,
        lambda: stranger.offers(A10), lambda: stranger.inspect(machine_id), lambda: stranger.destroy(machine_id),
        lambda: stranger.tidy(LABEL),
    )  # fmt: skip
    for ask in asks:
        with pytest.raises(NeedsHuman) as raised:
            await ask()
        assert "sk-revoked-1234" not in raised.value.reason
    assert stage.sim(machine_id).spans[-1].asked_at is None


# --- check ----------------------------------------------------------------------------------------


async def test_a_good_account_is_told_to_be_good():
    """Key, machines, keys and clock, each with a sentence; nothing but reads is sent."""
    stage = LambdaStage()
    await stage.running()
    sent = len(stage.face.asked)
    found = await stage.provider.check()
    assert [one.mark for one in found] == [Mark.GOOD] * 4
    said = " ".join(one.sentence for one in found)
    for words in ("1 types can be had", "$1.29/h", "invoices weekly", "1 of them Lastcall's", "agree within"):
        assert words in said
    assert {call.method for call in stage.face.asked[sent:]} == {"GET"}
    assert {one.part for one in found} == {"Lambda"}


@pytest.mark.parametrize(
    ("answer", "said", "fix"),
    [
        (
            Said(401, {"error": {"code": "global/invalid-api-key", "message": "Bad key."}}),
            "Bad key",
            "LAMBDA_API_KEY",
        ),
        (
            Said(403, {"error": {"code": "global/account-inactive", "message": "Inactive."}}),
            "shut the account",
            "see in the console what runs",
        ),
        (Said(200, text="<html>hello</html>"), "no JSON", "LAMBDA_API_URL"),
        (Said(404, text="<html>?</html>"), "404", "LAMBDA_API_URL"),
    ],
)
async def test_what_is_wrong_is_told_with_what_to_do(answer: Said, said: str, fix: str):
    """A bad key and a shut account both refuse everything, and need different people to act."""
    stage = LambdaStage()
    stage.face.script("offers", answer)
    bad = (await stage.provider.check())[0]
    assert bad.mark is Mark.BAD
    assert said in bad.sentence
    assert fix in bad.fix


async def test_a_vendor_that_cannot_be_reached_is_told():
    """Nothing is raised, and no clock is compared with one that was never seen."""
    stage = LambdaStage()
    stage.line.cut = True
    (bad,) = await stage.provider.check()
    assert (bad.mark, bool(bad.fix)) == (Mark.BAD, True)


@pytest.mark.parametrize("kind", ["machines", "keys"])
@pytest.mark.parametrize("wire", [Wire.HTML, Wire.TIMEOUT_BEFORE, Wire.ERROR_BEFORE, Wire.WRONG_KEY])
async def test_check_raises_nothing(kind: str, wire: Wire):
    """Each part that fails is a line; what was looked at before it stays."""
    stage = LambdaStage()
    stage.fails(kind, wire)
    found = await marks(stage)
    assert found[0] is Mark.GOOD
    assert Mark.BAD in found


@pytest.mark.parametrize(
    ("skew", "mark", "words"),
    [
        (timedelta(hours=1), Mark.WARN, "3600 s ahead of"),
        (timedelta(hours=-1), Mark.WARN, "s behind"),
        (timedelta(seconds=90), Mark.GOOD, "agree"),
    ],
)
async def test_a_clock_that_is_off_is_told_and_changes_nothing(skew: timedelta, mark: Mark, words: str):
    """The vendor's clock an hour off: a warning, and machines boot, run and end as always."""
    stage = LambdaStage(skew=skew)
    clock = (await stage.provider.check())[-1]
    assert clock.mark is mark
    assert words in clock.sentence
    machine_id = await stage.running()
    assert (await stage.seen(machine_id)).access is not None


async def test_many_keys_are_a_warning():
    """An account holds 1,024; a launch needs one."""
    stage = LambdaStage()
    stage.face.shelf.keys += [{"id": str(n), "name": f"k{n}", "public_key": ""} for n in range(1000)]
    assert Mark.WARN in await marks(stage)


@pytest.mark.parametrize("url", ["https://cloud.lambda.ai/api/v1", "https://cloud.lambdalabs.com/api/v1/"])
async def test_both_hosts_of_the_vendor_are_good(url: str):
    """The old brand's host still answers."""
    stage = LambdaStage()
    provider: LambdaProvider = stage.another(url=url)
    seen: list[Any] = [one.mark for one in await provider.check()]
    assert seen == [Mark.GOOD] * 4
    await provider.close()
