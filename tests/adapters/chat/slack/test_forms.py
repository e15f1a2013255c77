"""Modals: every form is one that Slack takes, says what it can cost at most, and gives back what was filled in."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings

from adapters.chat.slack import forms
from adapters.chat.slack.text import Json
from adapters.simulators.slack.views import check_view
from bot.domain.form import Choice, Field, Form, Weighed
from bot.domain.talk import Button, Kind, Reply
from tests.support import any_replies

SLOW = settings(deadline=None, max_examples=30, suppress_health_check=list(HealthCheck))
FORM = Form(
    "up",
    "Rent a machine",
    (
        Field(
            "gpu", "Card", (Choice("any", "Any card"), Choice("rtx-3090", "RTX 3090, from $0.20/h")), "any"
        ),
        Field("budget", "Budget", value="$5", hint="such as $5"),
    ),
)


def taken(view: Json) -> Json:
    """A strict Slack takes it."""
    return check_view(view, lambda _: False, "modal")


def inputs(view: Json) -> dict[str, Json]:
    """By field."""
    return {one["block_id"]: one for one in view["blocks"] if one["type"] == "input"}


def state(view: Json, **typed: str) -> dict[str, Any]:
    """What Slack tells of a view in which this was typed and chosen."""
    values: dict[str, Any] = {}
    for name, block in inputs(view).items():
        element = block["element"]
        said = typed.get(name.removeprefix("field:"))
        if element["type"] == "static_select":
            chosen = next(
                (one for one in element["options"] if one["value"] == said), element.get("initial_option")
            )
            values[name] = {"value": {"type": "static_select", "selected_option": chosen}}
        else:
            value = said if said is not None else element.get("initial_value")
            values[name] = {"value": {"type": "plain_text_input", "value": value}}
    return {"values": values}


@SLOW
@given(any_replies.forms(), any_replies.WEIGHED)
def test_every_form_is_a_modal_that_slack_takes(form: Form, weighed: Weighed):
    """Whatever its fields hold, weighed or not; every error finds a block that is there."""
    for view in (forms.view(form), forms.view(form, weighed)):
        taken(view)
    blocks = inputs(forms.view(form))
    if blocks:
        assert set(forms.errors(form, weighed)) <= set(blocks)
    assert all(forms.errors(form, weighed).values())


def test_what_is_filled_in_comes_back_by_field():
    """Chosen, typed, and left empty."""
    view = forms.view(FORM)
    assert forms.values(state(view)) == {"gpu": "any", "budget": "$5"}
    assert forms.values(state(view, gpu="rtx-3090", budget="")) == {"gpu": "rtx-3090", "budget": ""}
    assert forms.values({"values": {"field:gpu": {"value": {"selected_option": None}}}}) == {"gpu": ""}
    again = forms.filled(FORM, {"gpu": "rtx-3090", "budget": "$9", "else": "x"})
    assert [one.value for one in again.fields] == ["rtx-3090", "$9"]
    assert forms.filled(FORM, {"gpu": "h100"}).fields[0].value == "any"


def test_every_change_is_reported_and_the_worst_case_stands_before_the_button():
    """So that nobody sends off a form whose price they have not seen."""
    weighed = Weighed("up", "This cannot cost more than $4.10.", "2 h at $2/h <now>")
    view = taken(forms.view(FORM, weighed))
    assert all(one["dispatch_action"] for one in inputs(view).values())
    texts = [one["text"]["text"] for one in view["blocks"] if one["type"] == "section"]
    assert texts == ["*This cannot cost more than $4.10.*"]
    assert "2 h at $2/h &lt;now&gt;" in str(view["blocks"])
    assert view["submit"]["text"] == "Get a quote"


def test_an_error_stands_at_its_field_and_one_of_none_at_the_last():
    """Beside the button that was pressed; before that, below the field."""
    weighed = Weighed("", errors={"gpu": "None is free.", "": "You may only look."})
    assert forms.errors(FORM, weighed) == {"field:gpu": "None is free.", "field:budget": "You may only look."}
    blocks = forms.view(FORM, weighed)["blocks"]
    assert blocks[0]["block_id"] == "field:gpu" and "None is free." in str(blocks[1])
    assert "You may only look." in str(blocks[-2:])
    both = Weighed("", errors={"budget": "Too small.", "": "You may only look."})
    assert forms.errors(FORM, both) == {"field:budget": "Too small. You may only look."}


def test_of_too_many_choices_a_hundred_are_shown_and_the_chosen_one_is_among_them():
    """The others can be said in a line, and the form tells so."""
    choices = tuple(Choice(f"c{n}", f"card {n}") for n in range(240))
    view = taken(forms.view(Form("up", "Rent", (Field("gpu", "Card", choices, "c200"),))))
    (block,) = inputs(view).values()
    assert len(block["element"]["options"]) == 100 and block["element"]["initial_option"]["value"] == "c200"
    assert block["hint"]["text"].startswith("140 more")


def test_who_may_not_rent_has_nothing_to_send_off():
    """A refusal is a modal without a button."""
    view = taken(
        forms.view(Form("up", "Rent", FORM.fields, refusal="You may <only> look."), private_metadata="{}")
    )
    assert "submit" not in view and not inputs(view) and "&lt;only&gt;" in str(view["blocks"])
    assert view["private_metadata"] == "{}"


def test_waiting_and_asking_are_modals_too():
    """One without a button, one with a single question that may be left empty."""
    assert "live prices" in str(taken(forms.waiting("/gpu " + "x" * 90))["blocks"])
    view = taken(forms.asking("Decline", "Reason", "{}"))
    (block,) = inputs(view).values()
    assert block["label"]["text"] == "Reason" and block["optional"]
    assert list(forms.values(state(view, asked="too dear")).values()) == ["too dear"]


@SLOW
@given(any_replies.replies())
def test_every_reply_can_be_said_in_a_modal(reply: Reply):
    """An answer that has no channel."""
    taken(forms.said(reply))


def test_buttons_of_an_answer_in_a_modal_are_named_as_commands():
    """A click there would be taken for a change of a form."""
    said = str(forms.said(Reply(Kind.ANSWER, "T", buttons=(Button("Confirm", "confirm k7m2qd"),)))["blocks"])
    assert "actions" not in said and "Confirm: `/gpu confirm k7m2qd`" in said
