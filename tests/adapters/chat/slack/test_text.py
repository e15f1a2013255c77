"""Words in Slack's markup: nobody is pinged by what somebody typed, and nothing is cut in two."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.chat.slack import text
from bot.domain.talk import Actor
from tests.support.any_replies import LONG, NASTY

WHOLE = re.compile(r"(?:&(?:amp|lt|gt);|[^&<>`])*")


def test_only_the_three_letters_are_escaped():
    """In an order in which nothing is escaped twice."""
    assert text.escape("a & <b> &amp; \"c\" 'd'") == "a &amp; &lt;b&gt; &amp;amp; \"c\" 'd'"


@given(LONG)
def test_no_words_of_others_are_markup(said: str):
    """No angle, no back-tick, no lone ampersand is left; one that unescapes them reads what was typed."""
    assert WHOLE.fullmatch(text.words(said))


@pytest.mark.parametrize("said", NASTY)
@pytest.mark.parametrize("most", [0, 1, 2, 5, 6, 17, 100, 2_999])
def test_a_cut_keeps_entities_and_characters_whole(said: str, most: int):
    """Whatever the length, and never longer than it."""
    escaped = text.words(said)
    cut = text.cut(escaped, most)
    assert text.weight(cut) <= most
    assert WHOLE.fullmatch(cut)
    cut.encode("utf-16")
    if cut != escaped:
        assert unescape(escaped).startswith(unescape(cut.removesuffix("…")))


def test_a_cut_keeps_our_own_tokens_whole():
    """Half a mention would be words, half a date a riddle."""
    said = "until <!date^1772449200^{time} {date_short_pretty}|11:00 UTC> at the latest"
    assert [text.cut(said, most) for most in (20, 61)] == ["until…", "until…"]
    assert text.cut(said, 67).endswith("UTC> at t…")
    assert text.cut("```\nls -la\n```", 14) == "```\nls…\n```"
    assert text.cut("say `/gpu status`", 16) == "say `/gpu…`"


@given(st.text(), st.text())
def test_weight_is_never_less_than_any_count(one: str, other: str):
    """Neither of characters nor of a browser's halves."""
    both = one + other
    assert text.weight(both) >= max(len(both), len(both.encode("utf-16-le", "surrogatepass")) // 2)


@pytest.mark.parametrize(
    ("who", "said"),
    [
        (Actor("slack", "T1", "U0ANN", "ann"), "<@U0ANN>"),
        (Actor("slack", "T1", "W0ANN"), "<@W0ANN>"),
        (Actor("slack", "T1", "!channel", "x"), "x"),
        (Actor("slack", "T1", "U1>", "<!here>"), "&lt;!here&gt;"),
        (Actor("slack", "T1", "U1\n", "ann"), "ann"),
        (Actor("sim", "acme", "U0ANN", "ann"), "ann"),
        (Actor("sim", "acme", "<@U1>"), "&lt;@U1&gt;"),
    ],
)
def test_only_an_id_of_slacks_is_a_mention(who: Actor, said: str):
    """Everybody else is named."""
    assert text.mention(who) == said


def test_a_moment_is_shown_by_the_readers_clock():
    """Only one that the reply tells as data, and not where its words name another day."""
    known = text.moments({"hard_end": "2026-03-02T11:00:00+00:00", "cost_usd": "1", "kill_at": None})
    token = "<!date^1772449200^{time} {date_short_pretty}|11:00 UTC>"
    assert text.local("At 11:00 UTC it ends; 12:00 UTC", known) == f"At {token} it ends; 12:00 UTC"
    assert (
        text.local("03 Mar 11:00 UTC, 2026-03-03 11:00 UTC", known)
        == "03 Mar 11:00 UTC, 2026-03-03 11:00 UTC"
    )


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"hard_end": "soon"},
        {"hard_end": 3},
        {"hard_end": "2026-03-02T11:00:00"},
        {"hard_end": "2026-03-02T11:00:00+00:00", "kill_at": "2026-03-03T11:00:00+00:00"},
    ],
)
def test_what_is_no_moment_or_could_be_two_is_left_as_words(data: dict[str, object]):
    """A wrong time is worse than one of another zone."""
    assert text.moments(data) == {}
