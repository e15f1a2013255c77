"""The receipt: minutes by stage, waste, the vendor's bill."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.domain import receipt
from bot.domain.cards import card
from bot.domain.money import ZERO, Usd
from bot.domain.rental import Ending, Goal, Rental
from tests.support.rentals import HOUR, MINUTE, START, a_rental, an_attempt, begun, running


def a_training() -> Rental:
    """A first machine that never came up, a second that did everything; closed."""

    def after(minutes: int) -> timedelta:
        return minutes * MINUTE

    first = an_attempt(1, machine_id="m1", condemned="stuck", destroy_asked_at=START + after(12),
                       ended_at=START + after(12), gone_at=START + after(14))  # fmt: skip
    second = running(number=2, tried_at=START + after(15), running_at=START + after(17), ready_at=START + after(18),
                     tools_at=START + after(22), dataset_at=START + after(23), destroy_asked_at=START + after(60),
                     ended_at=START + after(60), gone_at=START + after(62))  # fmt: skip
    return begun(
        created_at=START - after(3), quoted_at=START - after(2), confirmed_at=START, attempts=(first, second),
        trained_at=START + after(53), pulled_at=START + after(55), closed_at=START + after(63), goal=Goal.GONE,
        ending=Ending.DONE, worst_case=Usd.of("0.90"),
    )  # fmt: skip


def test_the_minutes_of_the_stages_come_to_the_whole_time():
    """Each minute belongs to one stage, also those of a machine that was given up."""
    found = receipt.receipt(a_training(), START + 2 * HOUR)
    minutes = {name: length / MINUTE for name, length in found.stages}
    assert minutes == {
        "choose": 2, "confirm": 2, "boot": 14, "validate": 1, "tools": 4, "transfer": 1, "train": 30, "pull": 2,
        "teardown": 10,
    }  # fmt: skip
    assert sum(minutes.values()) == 66


def test_waste_is_what_never_became_ready_and_what_ran_on_after_the_results_were_home():
    """Twelve minutes of the first machine, five of the second, at $0.20/h."""
    found = receipt.receipt(a_training(), START + 2 * HOUR)
    assert (found.never_ready, found.idle) == (Usd.of("0.04"), Usd(16_666))
    assert found.spent == Usd.of("0.19")
    assert found.quoted == Usd.of("0.90")


def test_a_bill_stands_on_the_receipt_when_every_machine_of_it_is_settled():
    """Half a bill is none; a difference is named."""
    rental = a_training()
    one, two = (replace(each, billed=Usd.of("0.10"), billed_at=START) for each in rental.attempts)
    half = replace(rental, attempts=(replace(one, settled_at=START), two))
    assert receipt.receipt(half, START).billed is None
    whole = replace(half, attempts=(half.attempts[0], replace(two, settled_at=START)))
    found = receipt.receipt(whole, START)
    assert found.billed == Usd.of("0.20")
    assert ("vendor's bill", "$0.20, as counted") in receipt.table(found).rows
    assert receipt.table(replace(found, spent=ZERO)).rows[2] == (
        "vendor's bill",
        "$0.20, which is not our count",
    )


def test_the_closed_card_has_the_receipt_and_an_open_one_has_none():
    """As a table, and as data for programs; what never rented anything has nothing to show."""
    shown = card(a_training(), START + 2 * HOUR)
    assert shown.tables[-1].header[0] == "receipt"
    assert shown.data["receipt"]["waste_usd"] == "0.056666"
    assert shown.data["receipt"]["minutes"]["train"] == 30
    assert card(begun(), START + HOUR).data["receipt"] is None
    assert card(a_rental(closed_at=START, goal=Goal.GONE), START).tables == ()


def test_what_should_not_have_been_is_waste_of_its_own():
    """It is in what was spent, and in no other line of the waste, whichever machine it was."""
    rental, later = a_training(), START + 2 * HOUR
    before = receipt.receipt(rental, later)
    first, second = (replace(one, strayed=Usd.of("0.03")) for one in rental.attempts)
    found = receipt.receipt(replace(rental, attempts=(first, second)), later)
    assert (found.never_ready, found.idle) == (before.never_ready, before.idle)
    assert found.spent == before.spent + found.strayed == before.spent + Usd.of("0.06")
    assert found.waste == before.waste + Usd.of("0.06")
    assert ("waste: should not have been", "$0.06") in receipt.table(found).rows
    assert receipt.data(found)["strayed_usd"] == "0.060000"
    assert "should not have been" not in str(receipt.table(before).rows)
