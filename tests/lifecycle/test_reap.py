"""Killer two over the three real cloud adapters: it ends what is due, proves it, and touches nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from adapters.simulators.faces.face import Wire
from adapters.simulators.faults import ALWAYS, Fault, FaultKind
from bot.domain.reaped import Fate
from tests.support.cloud_town import VENDORS
from tests.support.reaping import Accounts, fates
from tests.support.worlds import MINUTE

HOUR = timedelta(hours=1)
clouds = pytest.mark.parametrize("vendor", VENDORS)


@clouds
async def test_what_is_due_is_proven_gone_and_the_rest_is_untouched(vendor: str):
    """Due, not due, another namespace, a longer one that begins alike, somebody's own, and one without a name."""
    accounts = Accounts(vendor)
    due = [accounts.put(vendor) for _ in range(3)]
    kept = [
        accounts.put(vendor, due=MINUTE),
        accounts.put(vendor, namespace="test2"),
        accounts.put(vendor, namespace="other"),
        accounts.put(vendor, label="my-own-machine"),
        accounts.put(vendor, label=""),
    ]
    (visit,) = await accounts.reap()
    assert visit.well
    assert sorted(accounts.alive(vendor)) == sorted(one.id for one in kept)
    assert fates([visit]).count(Fate.ENDED) == len(due)
    assert fates([visit]).count(Fate.NOT_DUE) == 1
    assert visit.listed == len(due) + len(kept)
    assert accounts.clock.now() < due[0].spans[0].born + MINUTE


@clouds
async def test_it_is_due_at_its_minute_and_not_a_second_before(vendor: str):
    """The time in the label is the latest at which it may exist."""
    accounts = Accounts(vendor)
    machine = accounts.put(vendor, due=10 * MINUTE)
    accounts.later(10 * MINUTE - timedelta(seconds=30))
    assert fates(await accounts.reap()) == [Fate.NOT_DUE]
    assert accounts.alive(vendor) == [machine.id]
    accounts.later(timedelta(seconds=30))
    assert fates(await accounts.reap()) == [Fate.ENDED]
    assert accounts.alive(vendor) == []


@clouds
@pytest.mark.parametrize(
    "label", ["lc-test-abcdef-1-20260230T1200Z", "lc-test-keep-me", "LC-TEST-abcdef-1-gone"]
)
async def test_a_label_of_ours_that_was_altered_is_told_and_left_alone(vendor: str, label: str):
    """Nobody can say when it is due, so that a person must; what is due beside it is ended all the same."""
    accounts = Accounts(vendor)
    altered = accounts.put(vendor, label=label)
    accounts.put(vendor)
    (visit,) = await accounts.reap()
    assert not visit.well
    assert [(one.label, one.fate) for one in visit.failed] == [(altered.label, Fate.UNREADABLE)]
    assert accounts.alive(vendor) == [altered.id]


@clouds
async def test_a_time_that_no_rental_reaches_is_an_altered_label(vendor: str):
    """Somebody wrote 2099 into it: it would never be due."""
    accounts = Accounts(vendor)
    altered = accounts.put(vendor, label="lc-test-abcdef-1-20990101T0000Z")
    (visit,) = await accounts.reap()
    assert [one.fate for one in visit.failed] == [Fate.UNREADABLE]
    assert accounts.alive(vendor) == [altered.id]


@clouds
async def test_an_unreadable_label_of_nobody_known_is_told_and_no_failure(vendor: str):
    """It begins like a label of Lastcall, and is not of this namespace."""
    accounts = Accounts(vendor)
    strange = accounts.put(vendor, label="lc-elsewhere-what")
    (visit,) = await accounts.reap()
    assert visit.well
    assert fates([visit]) == [Fate.UNREADABLE_ELSEWHERE]
    assert accounts.alive(vendor) == [strange.id]


@clouds
async def test_all_namespaces_are_reaped_when_that_is_said(vendor: str):
    """Then every label of Lastcall is ours; what is not Lastcall's stays."""
    accounts = Accounts(vendor)
    accounts.put(vendor, namespace="one")
    accounts.put(vendor, namespace="two")
    own = accounts.put(vendor, label="my-own-machine")
    (visit,) = await accounts.reap(namespace=None)
    assert visit.well
    assert accounts.alive(vendor) == [own.id]


@clouds
async def test_a_dry_run_says_it_and_touches_nothing(vendor: str):
    """The vendor sees one listing and no other call."""
    accounts = Accounts(vendor)
    machine = accounts.put(vendor)
    (visit,) = await accounts.reap(dry=True)
    assert fates([visit]) == [Fate.WOULD_END]
    assert visit.well
    assert accounts.alive(vendor) == [machine.id]
    assert set(accounts.worlds[vendor].calls) == {"machines"}


@clouds
@pytest.mark.parametrize(
    "what", [Wire.WRONG_KEY, Wire.HTML, Wire.TRUNCATED, Wire.MISSING_KEYS, Wire.THROTTLED]
)
async def test_an_account_that_cannot_be_listed_is_unknown(vendor: str, what: Wire):
    """Neither empty nor ended: nothing is asked to end, and the key is not in the reason."""
    accounts = Accounts(vendor)
    machine = accounts.put(vendor)
    accounts.faces[vendor].plan("machines", what, 500)
    (visit,) = await accounts.reap()
    assert not visit.well
    assert visit.unknown
    assert "sim-key-of-the-tests" not in visit.unknown
    assert (visit.listed, visit.machines) == (0, ())
    assert accounts.alive(vendor) == [machine.id]
    assert "destroy" not in accounts.worlds[vendor].calls


@clouds
async def test_a_fault_that_passes_wakes_nobody(vendor: str):
    """The first listing is html, the first destroy a 500 that had no effect, the listing after it is cut off."""
    accounts = Accounts(vendor)
    accounts.put(vendor)
    accounts.faces[vendor].plan("machines", Wire.HTML, 1)
    accounts.faces[vendor].plan("destroy", Wire.ERROR_BEFORE, 1)
    (visit,) = await accounts.reap()
    assert visit.well
    assert fates([visit]) == [Fate.ENDED]
    assert accounts.alive(vendor) == []


@clouds
async def test_a_destroy_that_has_no_effect_is_a_failure_within_the_limit(vendor: str):
    """The vendor says yes and does nothing: it is asked again and again, and told in the end."""
    accounts = Accounts(vendor)
    for _ in range(2):
        accounts.put(vendor)
    accounts.worlds[vendor].plan("destroy", Fault(FaultKind.NONE), Fault(FaultKind.SHRUG, times=ALWAYS))
    began = accounts.clock.now()
    (visit,) = await accounts.reap()
    (left,) = accounts.worlds[vendor].alive()
    assert [(one.label, one.fate) for one in visit.failed] == [(left.label, Fate.STILL_THERE)]
    assert sorted(fates([visit])) == [Fate.ENDED, Fate.STILL_THERE]
    assert accounts.worlds[vendor].calls["destroy"] > 5
    assert accounts.clock.now() - began <= 7 * MINUTE


@clouds
async def test_a_key_that_may_only_read_is_a_failure_in_the_vendor_s_words(vendor: str):
    """It is listed and cannot be ended: a person must mend the key."""
    accounts = Accounts(vendor)
    accounts.put(vendor)
    accounts.faces[vendor].plan("destroy", Wire.READ_ONLY, 500)
    (visit,) = await accounts.reap()
    (one,) = visit.failed
    assert one.fate is Fate.STILL_THERE
    assert one.why
    assert "asked to end and is still there" not in one.why


@clouds
async def test_a_machine_that_disappears_meanwhile_is_a_success(vendor: str):
    """The bot ends it between our listing and our destroy: already gone is gone."""
    accounts = Accounts(vendor)
    machine = accounts.put(vendor)
    accounts.worlds[vendor].plan("destroy", Fault(FaultKind.SHRUG, times=ALWAYS))
    accounts.meanwhile = lambda: accounts.worlds[vendor].vanish(machine.id)
    (visit,) = await accounts.reap()
    assert visit.well
    assert fates([visit]) == [Fate.ENDED]


@clouds
async def test_one_that_comes_back_is_asked_again(vendor: str):
    """It was gone for a moment, and one look is no proof."""
    accounts = Accounts(vendor)
    accounts.put(vendor)
    accounts.worlds[vendor].plan("destroy", Fault(FaultKind.RETURNS, late=timedelta(seconds=4)))
    (visit,) = await accounts.reap()
    assert visit.well
    assert accounts.alive(vendor) == []
    assert accounts.worlds[vendor].calls["destroy"] > 1
    assert not accounts.worlds[vendor].unborn()


async def test_a_vendor_that_is_down_spares_no_machine_of_another():
    """The line to one is cut: the others are reaped, and it is told as unknown."""
    accounts = Accounts(*VENDORS)
    for vendor in VENDORS:
        accounts.put(vendor)
    down, *rest = VENDORS
    accounts.lines[down].cut = True
    visits = {one.provider: one for one in await accounts.reap()}
    assert visits[down].unknown
    assert len(accounts.alive(down)) == 1
    for vendor in rest:
        assert visits[vendor].well
        assert accounts.alive(vendor) == []


@clouds
@pytest.mark.parametrize("skew", [-HOUR, HOUR])
async def test_what_is_due_by_one_clock_only_is_told_and_left_alone(vendor: str, skew: timedelta):
    """One of the two clocks is an hour off, and nobody here knows which; what is due by both is ended."""
    accounts = Accounts(vendor, skew=skew)
    doubtful = accounts.put(vendor, due=skew / 2)
    accounts.put(vendor, due=-2 * HOUR)
    calm = accounts.put(vendor, due=2 * HOUR)
    (visit,) = await accounts.reap()
    assert [(one.label, one.fate) for one in visit.failed] == [(doubtful.label, Fate.DOUBTFUL)]
    assert sorted(accounts.alive(vendor)) == sorted([doubtful.id, calm.id])
    assert any("60 min" in note for note in visit.notes)
