"""App Home: a page that Slack takes, however much is open."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.chat.slack import home
from adapters.chat.slack.text import Json
from adapters.simulators.slack.views import check_view
from bot.domain.talk import Button, Kind, Reply, Table
from tests.support.any_replies import replies


def buttons(view: Json) -> list[Json]:
    """All on the page."""
    return [one for block in view["blocks"] if block["type"] == "actions" for one in block["elements"]]


@settings(deadline=None, max_examples=20, suppress_health_check=list(HealthCheck))
@given(st.lists(replies(), max_size=4), st.sampled_from((1, 1, 20)))
def test_every_page_is_one_that_slack_takes(some: list[Reply], times: int):
    """At most a hundred blocks, and no two buttons of one name."""
    view = home.view(some * times)
    check_view(view, lambda _: False, "home")
    ids = [one["action_id"] for one in buttons(view)]
    assert len(set(ids)) == len(ids)


def test_what_is_not_shown_is_counted_or_said_to_be_missing():
    """A page has no files: rows are counted, cards that do not fit are named as a command."""
    rows = tuple((f"r{n}", "x" * 60) for n in range(300))
    said = str(home.view([Reply(Kind.ANSWER, "Your team's", tables=(Table(("a", "b"), rows),))]))
    assert "more rows" in said and "in the file" not in said
    many = home.view([Reply(Kind.CARD, f"r{n}", ("x",), buttons=(Button("B", "down"),)) for n in range(60)])
    assert len(many["blocks"]) <= 100 and "/gpu status" in str(many["blocks"][-1])


def test_the_first_reply_is_the_headline_and_said_once():
    """Large, and not again in bold."""
    view = home.view([Reply(Kind.ANSWER, "2 of yours open"), Reply(Kind.CARD, "k7m2qd")])
    assert [one["type"] for one in view["blocks"]] == ["header", "divider", "section"]
    assert str(view).count("2 of yours open") == 1


def test_nobody_meets_an_empty_page():
    """Nothing to show is said."""
    assert home.view([])["blocks"]
