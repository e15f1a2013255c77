"""The label: what everything we rent carries, and how we know our own again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain import label

names = st.text("abcdefghjkmnpqrstuvwxyz23456789", min_size=6, max_size=6)
spaces = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=20)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2099, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001


@given(spaces, names, st.integers(1, 9999), moments)
def test_a_label_is_read_as_it_was_written(namespace: str, rental: str, attempt: int, until: datetime):
    """And it fits into every vendor's name: at most 60 letters, digits and dashes."""
    text = label.make(namespace, rental, attempt, until)
    found = label.parse(text)
    assert found is not None
    assert (found.namespace, found.rental, found.attempt) == (namespace, rental, attempt)
    assert str(found) == text
    assert len(text) <= 60 and text.replace("-", "").isalnum() and text.isascii()


@given(moments)
def test_the_time_in_it_is_rounded_up_to_the_minute(until: datetime):
    """A machine is never ended by the reaper before its time."""
    found = label.parse(label.make("dev", "k7m2qd", 1, until))
    assert found is not None
    assert until <= found.until < until + timedelta(minutes=1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ann's machine",
        "lc-dev-k7m2qd-1",
        "lc-dev-k7m2qd-1-20260302T1200",
        "lc-dev-k7m2qd-1-20261399T1200Z",
        "lc-DEV-k7m2qd-1-20260302T1200Z",
        "lc-dev-k7m2qd-1-20260302T1200Z ",
        "lc-dev-k7m2qd-1-20260302T1200Z\n",
        "lc-dev-k7m2qd-٣-20260302T1200Z",
        "xlc-dev-k7m2qd-1-20260302T1200Z",
    ],
)
def test_what_is_not_exactly_ours_is_foreign(text: str):
    """Foreign is shown and never touched, so that a doubt spares the machine."""
    assert label.parse(text) is None


@given(st.text(max_size=80))
def test_any_text_can_be_asked(text: str):
    """Vendors and people name machines as they like."""
    found = label.parse(text)
    assert found is None or str(found) == text
