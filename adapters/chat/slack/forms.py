"""Modals: forms whose worst case is shown before they are sent off, a question, and an answer that has no channel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from adapters.chat.slack import limits
from adapters.chat.slack.body import write
from adapters.chat.slack.buttons import asked_for
from adapters.chat.slack.page import Page
from adapters.chat.slack.text import Json, bold, context, cut, plain, section, words
from bot.domain.form import Choice, Field, Form, Weighed
from bot.domain.harmless import clean
from bot.domain.talk import Reply

__all__ = ["asked_for", "asking", "errors", "filled", "said", "values", "view", "waiting"]

_BLOCK = "field:"
_ACTION = "value"
_FIELDS = 40
"""A form that asks more would not be filled in; each may take two blocks."""
_SENTENCE = 500


def view(form: Form, weighed: Weighed | None = None, *, private_metadata: str = "") -> Json:
    """The form, filled, with the worst case below. Each change of it is reported, so that the sum can be done again."""
    if form.refusal:
        return _modal(form.title, [section(cut(words(form.refusal), limits.SECTION_TEXT))], private_metadata)
    blocks = [context(cut(words(form.note), limits.CONTEXT_TEXT))] if form.note else []
    wrong = weighed.errors if weighed else {}
    for one in form.fields[:_FIELDS]:
        blocks.append(_input(one))
        if wrong.get(one.name):
            blocks.append(context(f"▲ {cut(words(wrong[one.name]), _SENTENCE)}"))
    blocks += [{"type": "divider"}, *_sum(form, weighed)]
    return _modal(form.title, blocks, private_metadata, submit=form.submit)


def values(state: Mapping[str, Any]) -> dict[str, str]:
    """Field to what is filled in, out of a view's ``state``."""
    found = {}
    for block, actions in (state.get("values") or {}).items():
        for action in actions.values():
            option = action.get("selected_option")
            said = option.get("value") if isinstance(option, Mapping) else action.get("value")
            found[str(block).removeprefix(_BLOCK)] = str(said or "")
    return found


def filled(form: Form, values: Mapping[str, str]) -> Form:
    """``form`` with what somebody has filled in so far, as far as it can still be chosen."""
    return replace(form, fields=tuple(_filled(one, values) for one in form.fields))


def errors(form: Form, weighed: Weighed) -> dict[str, str]:
    """Block to sentence, as a submission is answered. What belongs to no field stands at the last, beside the button
    that was pressed."""
    names = [one.name for one in form.fields[:_FIELDS]]
    found: dict[str, str] = {}
    for name, sentence in weighed.errors.items():
        at = name if name in names else (names[-1] if names else name)
        block = f"{_BLOCK}{at}"
        said = plain(" ".join(filter(None, (found.get(block), sentence))), _SENTENCE)["text"]
        found[block] = said
    return found


def waiting(title: str) -> Json:
    """Opened at once, because a trigger is good for three seconds; filled when the prices are there."""
    return _modal(title, [section("Looking up live prices …")])


def asking(title: str, label: str, private_metadata: str = "") -> Json:
    """One question before a button's command is said. It may be left empty."""
    asked = Field("asked", label or "Your answer")
    block = _input(asked)
    del block["dispatch_action"]
    del block["element"]["dispatch_action_config"]
    return _modal(title, [block], private_metadata, submit=title)


def said(reply: Reply) -> Json:
    """An answer in a modal. Nothing in there can be pressed: its commands are named."""
    reply = clean(reply)
    page = Page(limits.VIEW_BLOCKS, limits.MESSAGE_CHARACTERS, files=False)
    unsaid = () if reply.final else tuple(one for one in reply.buttons if one.command.strip())
    write(page, replace(reply, mention=()), unsaid)
    return _modal("Lastcall", page.blocks)


def _modal(title: str, blocks: list[Json], private_metadata: str = "", *, submit: str = "") -> Json:
    made: Json = {
        "type": "modal",
        "title": plain(title or "Lastcall", limits.VIEW_TITLE),
        "close": plain("Cancel" if submit else "Close", limits.VIEW_TITLE),
        "blocks": blocks,
    }
    if submit:
        made["submit"] = plain(submit, limits.VIEW_TITLE)
    if private_metadata:
        made["private_metadata"] = private_metadata
    return made


def _sum(form: Form, weighed: Weighed | None) -> Iterator[Json]:
    names = {one.name for one in form.fields[:_FIELDS]}
    astray = [
        said for name, said in (weighed.errors if weighed else {}).items() if name not in names and said
    ]
    yield from (section(f"▲ {cut(words(one), _SENTENCE)}") for one in astray[:5])
    if weighed and weighed.most:
        yield section(cut(bold(weighed.most), limits.SECTION_TEXT))
    elif not weighed or not weighed.errors:
        yield section(
            "*What it can cost at most is worked out with your first change*, and again in the quote."
        )
    if weighed and weighed.how:
        yield context(cut(words(weighed.how), limits.CONTEXT_TEXT))
    typed = any(not one.choices for one in form.fields)
    enter = " Where you type, Enter works the sum out again." if typed else ""
    yield context(f"Nothing is rented before you confirm the quote.{enter}")


def _filled(one: Field, values: Mapping[str, str]) -> Field:
    said = values.get(one.name)
    if said is None or (one.choices and said and said not in {choice.value for choice in one.choices}):
        return one
    return replace(one, value=said)


def _input(one: Field) -> Json:
    """A select that is filled cannot be emptied again: it needs no "(optional)" after its label."""
    options = _options(one)
    chosen = next((option for option in options if option["value"] == one.value), None)
    hints = [one.hint, *_unlisted(one, options)]
    block: Json = {
        "type": "input",
        "block_id": f"{_BLOCK}{one.name}"[: limits.ID],
        "dispatch_action": True,
        "optional": one.optional and chosen is None,
        "label": plain(one.label or one.name, 150),
        "element": _select(options, chosen) if options else _words_input(one),
    }
    if any(hints):
        block["hint"] = plain(" ".join(filter(None, hints)), _SENTENCE)
    return block


def _options(one: Field) -> list[Json]:
    """At most a hundred, the one that is chosen among them; of two with one value the first."""
    by_value = {choice.value: choice for choice in reversed(one.choices)}
    sayable = [
        choice
        for choice in dict.fromkeys(by_value[each.value] for each in one.choices)
        if 0 < len(choice.value) <= limits.OPTION_VALUE
    ]
    shown = sayable[: limits.OPTIONS]
    missing = [choice for choice in sayable[limits.OPTIONS :] if choice.value == one.value]
    shown = [*shown[: limits.OPTIONS - len(missing[:1])], *missing[:1]]
    return [{"text": plain(_label(choice), limits.OPTION_TEXT), "value": choice.value} for choice in shown]


def _unlisted(one: Field, options: list[Json]) -> list[str]:
    hidden = len(one.choices) - len(options)
    if hidden <= 0:
        return []
    return [f"{hidden} more can be said in a line: /gpu … {one.name} <what you want>."]


def _label(choice: Choice) -> str:
    return choice.label or choice.value


def _select(options: list[Json], chosen: Json | None) -> Json:
    element: Json = {
        "type": "static_select",
        "action_id": _ACTION,
        "placeholder": plain("Choose", limits.PLACEHOLDER),
        "options": options,
    }
    if chosen:
        element["initial_option"] = chosen
    return element


def _words_input(one: Field) -> Json:
    """Reported when Enter is pressed: while a budget is being typed, every figure of it would be wrong."""
    element: Json = {
        "type": "plain_text_input",
        "action_id": _ACTION,
        "max_length": limits.INPUT_VALUE,
        "dispatch_action_config": {"trigger_actions_on": ["on_enter_pressed"]},
    }
    if one.value:
        element["initial_value"] = cut(one.value, limits.INPUT_VALUE)
    return element
