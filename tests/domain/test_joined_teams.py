"""Workspaces and servers that are one team: read from one setting, believed of nobody else."""

from __future__ import annotations

import pytest

from bot.domain.allowance import Defaults, Role, team_key
from bot.domain.talk import Actor
from bot.settings.values import joined_teams

_MAP = joined_teams("acme = slack:T024, discord:81 ; lab=slack:T9")


def test_people_of_joined_places_have_one_budget_and_others_their_own():
    """Slack's T024 and Discord's 81 are one team; a workspace that is in no list is a team of its own."""
    defaults = Defaults({}, Role.MEMBER, frozenset(), _MAP)
    ann, ben = defaults.seated(Actor("slack", "T024", "U1")), defaults.seated(Actor("discord", "81", "5"))
    eve = defaults.seated(Actor("discord", "82", "5"))
    assert team_key(ann) == team_key(ben) == "team:acme"
    assert team_key(eve) == "discord:82"
    assert ann.key == "slack:T024:U1"


def test_nobody_brings_a_team_along():
    """What an event claims to be joined to is not believed: only the setting is."""
    claimed = Actor("discord", "82", "5", joined="acme")
    assert team_key(Defaults({}, Role.MEMBER, frozenset(), _MAP).seated(claimed)) == "discord:82"


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("slack:T024,discord:81", "names no team"),
        ("acme=slack", "is no workspace or server"),
        ("acme=slack:T1; lab=slack:T1", "is in two teams"),
    ],
)
def test_a_list_of_teams_that_cannot_hold_is_refused_with_the_place(text: str, part: str):
    """Bad lists name what is wrong in one sentence."""
    with pytest.raises(ValueError, match=part):
        joined_teams(text)
