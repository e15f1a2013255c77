"""What Slack does with an acknowledgement: shows it, changes a modal, or tells the person that the app failed."""

from __future__ import annotations

from adapters.simulators.slack.delivery import Delivered
from adapters.simulators.slack.refusals import Refusal
from adapters.simulators.slack.respond import ResponseUrl, say_back
from adapters.simulators.slack.things import Json, Message, View
from adapters.simulators.slack.town import SlackTown
from adapters.simulators.slack.views import change_view, check_view, close_views, push_view

SLACKBOT = "USLACKBOT"
TROUBLE = "We had some trouble connecting. Try again?"
"""What a modal says that was not acknowledged."""


def after_command(town: SlackTown, where: ResponseUrl, told: Delivered, command: str) -> None:
    """The text of the acknowledgement, or Slackbot's regret."""
    if told.acked:
        _say(town, where, told.payload)
        return
    why = "dispatch_failed" if told.why == "no_connection" else "operation_timeout"
    words = f'{command} failed with the error "{why}"'
    regret = Message(where.place.id, town.ts(), SLACKBOT, words, only_for=where.user.id)
    town.put(where.place, regret)


def after_click(town: SlackTown, where: ResponseUrl, told: Delivered) -> None:
    """A click's acknowledgement carries nothing that Slack shows; a missing one is a warning sign at the button."""
    if not told.acked:
        town.complaints.append(f"click not acknowledged: {told.why}")


def _say(town: SlackTown, where: ResponseUrl, payload: Json) -> None:
    if not payload:
        return
    try:
        say_back(town, where, payload)
    except Refusal as refused:
        town.complaints.append(f"acknowledgement refused: {refused.error} {refused.extra.get('errors', '')}")


def after_submission(town: SlackTown, view: View, told: Delivered) -> None:
    """Close the view, or do what ``response_action`` says."""
    if not told.acked:
        view.errors = {"": TROUBLE}
        return
    try:
        _act(town, view, told.payload)
    except Refusal as refused:
        view.errors = {"": TROUBLE}
        town.complaints.append(f"submission's answer refused: {refused.error} {refused.extra}")


def _act(town: SlackTown, view: View, payload: Json) -> None:
    action = payload.get("response_action")
    if action is None:
        close_views(town, view)
    elif action == "clear":
        close_views(town, view, whole=True)
    elif action == "errors":
        _errors(view, payload.get("errors"))
    elif action == "update":
        change_view(town, view, check_view(payload.get("view"), town.has_file, "modal"))
    elif action == "push":
        push_view(town, view.user, check_view(payload.get("view"), town.has_file, "modal"))
    else:
        raise Refusal("invalid_response_action")


def _errors(view: View, errors: object) -> None:
    inputs = {block["block_id"] for block in view.blocks if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors or errors.keys() - inputs:
        raise Refusal("invalid_errors", errors=[f"only input blocks have errors: {errors}"])
    if not all(isinstance(one, str) and one for one in errors.values()):
        raise Refusal("invalid_errors", errors=["an error is a sentence"])
    view.errors = dict(errors)
