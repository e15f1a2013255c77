"""Open cards: in full, on one line or counted, and never more lines than there are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.chat.console.buttons import Numbers
from adapters.chat.console.region import Paper, Region
from bot.domain.talk import Kind, Reply
from tests.support.console import closed, quote, training

IDS = ("aaaaaa", "bbbbbb", "cccccc", "dddddd", "eeeeee")


def paper(rows: int = 60, width: int = 60) -> Paper:
    """Without colours, so that words can be compared."""
    return Paper(width, rows, colour=False)


def crowd(count: int, numbers: Numbers | None = None) -> Region:
    """So many rentals in training."""
    region = Region(numbers)
    for rental in IDS[:count]:
        assert not region.put(f"card-{rental}", training(rental=rental))
    return region


def test_three_newest_in_full_and_a_line_for_each_other():
    """The newest stands lowest, next to the prompt; only its buttons have numbers."""
    seen = crowd(5, Numbers()).compose(paper())
    assert seen.count("╭") == 3
    assert [seen.index(rental) for rental in IDS] == sorted(seen.index(rental) for rental in IDS)
    assert "● aaaaaa · Training  62 %" in seen
    assert seen.count("[1] Status") == 1
    assert "› status cccccc" in seen


@pytest.mark.parametrize("rows", range(25))
@pytest.mark.parametrize("width", [20, 40, 80])
def test_never_taller_than_the_room(rows: int, width: int):
    """However small the terminal is; with a single line, that line is used."""
    for count in (1, 2, 5):
        seen = crowd(count, Numbers()).compose(paper(rows, width))
        assert seen.count("\n") <= rows
        assert bool(seen) == (rows > 0)


def test_a_card_too_tall_keeps_its_buttons():
    """What can be pressed can be seen."""
    seen = crowd(1, Numbers()).compose(paper(4))
    assert seen == "● aaaaaa · Training  62 %  step 620 of 1000\n[1] Status   [2] Tear down\n"


def test_a_rental_has_one_card():
    """A new card about the same rental takes the old one's place."""
    region = crowd(1)
    region.put("other", quote("aaaaaa"))
    assert len(region) == 1
    assert "Quote" in region.compose(paper())


def test_the_last_word_is_printed_once_and_leaves():
    """A second delivery of it says nothing."""
    region = crowd(2)
    assert region.put("card-aaaaaa", closed("aaaaaa"))
    assert not region.put("card-aaaaaa", closed("aaaaaa"))
    assert "aaaaaa" not in region.compose(paper())
    assert len(region) == 1


def test_a_final_notice_ends_the_card_too():
    """Whatever form the last word has, no card of a closed rental stays."""
    region = crowd(1)
    assert region.put("n1", replace(closed("aaaaaa"), kind=Kind.NOTICE))
    assert region.compose(paper()) == ""


def test_a_notice_is_printed_again_only_when_it_says_something_else():
    """Buttons that were taken from it are no news."""
    region = Region()
    notice = Reply(Kind.NOTICE, "75 % used", buttons=quote().buttons)
    assert region.put("n1", notice)
    assert not region.put("n1", replace(notice, buttons=()))
    assert region.put("n1", replace(notice, title="90 % used"))


def test_a_card_that_was_just_answered_is_not_drawn_beside_it():
    """The same quote as answer and as post is seen once; when it changes, it comes alive."""
    region = Region(Numbers())
    region.answered(quote())
    region.put("c1", quote())
    assert region.compose(paper()) == ""
    region.put("c1", training())
    assert "Training" in region.compose(paper())


def test_a_card_that_did_not_change_is_not_drawn_again():
    """Typing is not slowed by what stands still."""
    region = crowd(1)
    assert region.compose(paper()) is not None
    first = next(iter(region._drawn.values()))[1]
    region.compose(paper(40))
    assert len(region._drawn) == 1
    assert next(iter(region._drawn.values()))[1] is first
