"""Lambda's limits through the real adapter: what is published is kept, and a throttle is waited out by everybody."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from adapters.simulators.faces.face import Said, Wire
from bot.domain.errors import TryLater
from tests.support.lambda_cloud import A10, LambdaStage


@pytest.mark.parametrize("style", ["json", "text429", "text403"])
async def test_every_kind_of_throttle_is_waited_out(style: Any):
    """429 in JSON, 429 in text, and a 403 in plain text, which is no verdict on the key. ``Retry-After`` is kept."""
    stage = LambdaStage()
    stage.face.throttle = style
    stage.fails("offers", Wire.THROTTLED_WITH_TIME, times=1)
    assert await stage.provider.offers(A10)
    assert max(stage.paused) >= timedelta(seconds=5)


@pytest.mark.parametrize(
    "answer",
    [
        Said(403, text="<html>The owner of this website has banned you temporarily</html>"),
        Said(403, text="error code: 1015"),
        Said(403, {"cloudflare_error": True, "error_code": 1015, "detail": "You are being rate limited."}),
        Said(429, {"detail": "Slow down."}),
    ],
)
async def test_a_launch_that_is_throttled_is_put_off(answer: Said):
    """In whatever words the edge says it, also in JSON: nothing was rented, and no person is asked."""
    stage = LambdaStage()
    stage.face.script("launch", answer)
    with pytest.raises(TryLater):
        await stage.launched()
    assert await stage.provider.machines() == []


async def test_a_throttle_is_for_everybody():
    """It is the account's: nobody's next call goes out before the time that was asked for, a minute at most."""
    stage = LambdaStage()
    stage.fails("machines", Wire.THROTTLED_WITH_TIME)
    with pytest.raises(TryLater):
        await stage.provider.machines()
    stage.face.clear()
    await stage.provider.offers(A10)
    throttled, after = stage.face.log[-2:]
    assert (throttled.status, after.status) == (403, 200)
    assert after.at - throttled.at >= timedelta(seconds=5)
    stage.face.script("machines", Said(429, text="error code: 1015", headers={"Retry-After": "86400"}))
    with pytest.raises(TryLater) as raised:
        await stage.provider.machines()
    assert raised.value.after == timedelta(minutes=1)
    with pytest.raises(TryLater):
        await stage.provider.offers(A10)
    stage.clock.advance(timedelta(minutes=1))
    assert await stage.provider.offers(A10)


async def test_the_published_rate_is_kept_whoever_asks():
    """Ten questions at the same time are sent a second apart: the strict vendor throttles none of them."""
    stage = LambdaStage()
    questions = (stage.provider.offers(A10) if turn % 2 else stage.provider.machines() for turn in range(10))
    await asyncio.gather(*questions)
    assert {line.status for line in stage.face.log} == {200}
    assert min(b.at - a.at for a, b in pairwise(stage.face.log)) >= timedelta(seconds=1)


async def test_one_launch_in_twelve_seconds():
    """The third follows the second by itself, and the strict vendor throttles none."""
    stage = LambdaStage()
    for number in (1, 2, 3):
        await stage.launched(f"lc-team-k7m2xq-{number}-20260302T1200Z")
    times = [line.at for line in stage.face.log if line.kind == "launch"]
    assert [b - a >= timedelta(seconds=12) for a, b in pairwise(times)] == [True, True]
    assert {line.status for line in stage.face.log} == {200}


async def test_who_comes_while_a_launch_is_under_way_is_sent_away_each_to_another_time():
    """Nothing was done for them; coming back all at once, they would meet again."""
    stage = LambdaStage()
    offer = await stage.offer()
    orders = [stage.order(f"lc-team-k7m2xq-{number}-20260302T1200Z") for number in range(1, 5)]
    ends = await asyncio.gather(
        *(stage.provider.launch(offer, order) for order in orders), return_exceptions=True
    )
    later = [end.after for end in ends if isinstance(end, TryLater)]
    assert later == [timedelta(seconds=12), timedelta(seconds=24), timedelta(seconds=36)]
    assert [machine.label for machine in await stage.provider.machines()] == [orders[0].label]
    assert stage.face.count("launch") == 1
