"""Amounts and hours in the settings are read as strictly as in a line."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from bot.settings import Settings


@pytest.mark.parametrize("said", ["1e9", "1e30", "1_000", "NaN", "inf", "-1", "$20000", "five", "1.2.3"])
def test_no_amount_that_a_line_would_refuse(said: str):
    """Each with a sentence that names the setting."""
    with pytest.raises(ValidationError):
        Settings(_env_file=None, default_budget=said)
    with pytest.raises(ValidationError):
        Settings(_env_file=None, team_month=said)


def test_a_budget_of_nothing_is_none():
    """It would refuse every rental."""
    with pytest.raises(ValidationError):
        Settings(_env_file=None, default_budget="0")
    assert Settings(_env_file=None, auto_confirm="0").auto_confirm.micros == 0


@pytest.mark.parametrize(
    "said", ["08:00+02:00-20:00", "08:00-08:00", "8-20", "08:00-20:00 Mars/Base", "25:00-26:00"]
)
def test_no_hours_that_mean_something_else(said: str):
    """The whole day, or a zone in the middle, is a slip of the hand."""
    with pytest.raises(ValidationError):
        Settings(_env_file=None, allowed_hours=said)
