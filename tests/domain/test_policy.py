"""Policy: who may do what to whose rental."""

from __future__ import annotations

import pytest

from bot.domain.policy import Deed, may
from bot.domain.talk import Actor
from tests.support.rentals import ANN, begun

MATE = Actor("sim", "acme", "ben", "ben")
STRANGER = Actor("sim", "other", "eve", "eve")
NAMESAKE = Actor("sim", "other", "ann", "ann")
ELSEWHERE = Actor("slack", "acme", "ann", "ann")


@pytest.mark.parametrize("deed", Deed)
def test_the_owner_may_do_everything(deed: Deed):
    """It is their tab."""
    assert may(ANN, deed, begun()) == ""


def test_the_owner_is_known_by_ids_and_not_by_a_name():
    """A person who renames themselves is the same, and one of the same name is not."""
    assert may(Actor("sim", "acme", "ann", "renamed"), Deed.SPEND, begun()) == ""
    assert may(Actor("sim", "acme", "x9", "ann"), Deed.SPEND, begun()) != ""


@pytest.mark.parametrize(
    ("deed", "allowed"), [(Deed.SEE, True), (Deed.END, True), (Deed.SPEND, False), (Deed.ENTER, False)]
)
def test_a_teammate_may_look_and_save_money(deed: Deed, allowed: bool):
    """Neither spend it nor enter the machine."""
    reason = may(MATE, deed, begun())
    assert (reason == "") is allowed
    assert allowed or "ann" in reason


@pytest.mark.parametrize("deed", Deed)
@pytest.mark.parametrize("actor", [STRANGER, NAMESAKE, ELSEWHERE], ids=["stranger", "namesake", "other chat"])
def test_another_team_may_do_nothing(actor: Actor, deed: Deed):
    """Not even look: another workspace is another world."""
    assert "another team" in may(actor, deed, begun())
