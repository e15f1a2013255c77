"""What a person sees, as one page of HTML that needs nothing else: a channel, a thread, a modal, an App Home."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape

from adapters.simulators.slack.mrkdwn import mrkdwn, plain
from adapters.simulators.slack.page_blocks import inline, show_blocks
from adapters.simulators.slack.page_style import STYLE
from adapters.simulators.slack.things import Message, Place, SlackFile, User, View
from adapters.simulators.slack.town import SlackTown

_COLOURS = ("#4a154b", "#1264a3", "#2eb67d", "#e8912d", "#c01343", "#5b7083", "#7c4dff")


def page(
    town: SlackTown,
    what: Place | View | User,
    *,
    viewer: User | None,
    thread: str = "",
    dark: bool | None = None,
) -> str:
    """Without a ``viewer`` all ephemeral messages are shown. ``dark``: None follows the browser."""
    theme = {None: "", True: " data-theme=dark", False: " data-theme=light"}[dark]
    if isinstance(what, User):
        body = _home(town, what)
    elif isinstance(what, View):
        body = _modal(town, what) if what.kind == "modal" else _home(town, town.users[what.user])
    else:
        body = _place(town, what, viewer, thread)
    head = f"<meta charset=utf-8><title>Slack</title><style>{STYLE}</style>"
    return f"<!DOCTYPE html><html lang=en{theme}><head>{head}</head><body>{body}</body></html>"


def _place(town: SlackTown, place: Place, viewer: User | None, thread: str) -> str:
    private = [
        one for one in place.ephemerals if not one.deleted and (viewer is None or one.only_for == viewer.id)
    ]
    seen = sorted([*place.shown, *private], key=lambda one: float(one.ts))
    heads = [one for one in seen if not _is_reply(one)]
    if thread:
        heads = [one for one in seen if one.ts == thread]
    shown = ""
    for head in heads:
        replies = [one for one in seen if _is_reply(one) and one.thread_ts == head.ts]
        shown += _message(town, head, replies=len(replies))
        shown += "".join(_message(town, one, reply=True) for one in replies)
    sign = "" if place.kind == "im" else "# "
    title = town.bot.name if place.kind == "im" else place.name
    note = "archived" if place.archived else f"{len(place.members)} members"
    return f"<header class=top>{sign}{escape(title)}<small>{note}</small></header><main>{shown}</main>"


def _is_reply(message: Message) -> bool:
    return bool(message.thread_ts) and message.thread_ts != message.ts


def _message(town: SlackTown, message: Message, *, replies: int = 0, reply: bool = False) -> str:
    user = town.users.get(message.user)
    name = user.name if user else "Slackbot"
    app = "<span class=app>APP</span>" if message.bot_id else ""
    at = datetime.fromtimestamp(float(message.ts), UTC).strftime("%H:%M")
    eye = _eye(town, message)
    said = show_blocks(town, message.blocks) if message.blocks else mrkdwn(town, message.text)
    edited = "<span class=edited>(edited)</span>" if message.edited and not message.blocks else ""
    files = "".join(_file(one) for one in message.files)
    count = f"<div class=thread>{replies} {'reply' if replies == 1 else 'replies'}</div>" if replies else ""
    kind = f"message{' reply' if reply else ''}{' private' if message.only_for else ''}"
    who = f"<div class=who><b>{escape(name)}</b>{app}<time>{at}</time></div>"
    inside = f"<div class=body>{eye}{who}{said}{edited}{files}{count}</div>"
    return f'<article class="{kind}">{_avatar(name)}{inside}</article>'


def _avatar(name: str) -> str:
    colour = _COLOURS[sum(name.encode()) % len(_COLOURS)]
    return f'<div class=avatar style="background:{colour}">{escape(name[:1].upper())}</div>'


def _eye(town: SlackTown, message: Message) -> str:
    if not message.only_for:
        return ""
    user = town.users.get(message.only_for)
    return f"<div class=eye>Only visible to {escape(user.name if user else message.only_for)}</div>"


def _file(file: SlackFile) -> str:
    if file.mimetype.startswith("image/"):
        caption = escape(file.title or file.name)
        alt = escape(file.alt or file.name)
        return f'<figure><figcaption>{caption}</figcaption><img src="{inline(file)}" alt="{alt}"></figure>'
    return f"<div class=file><b>{escape(file.title or file.name)}</b><small>{file.size:,} bytes</small></div>"


def _modal(town: SlackTown, view: View) -> str:
    body = view.body
    close = plain(body.get("close", {"text": "Cancel"})["text"])
    buttons = f"<button>{close}</button>"
    if "submit" in body:
        buttons += f"<button class=primary>{plain(body['submit']['text'])}</button>"
    trouble = f"<div class=error>{escape(view.errors[''])}</div>" if "" in view.errors else ""
    inside = f"{trouble}{show_blocks(town, view.blocks, view)}"
    title = plain(body["title"]["text"])
    return (
        f"<div class=scrim><div class=modal><h1>{title}</h1><div class=inside>{inside}</div>"
        f"<footer>{buttons}</footer></div></div>"
    )


def _home(town: SlackTown, user: User) -> str:
    view = town.home(user)
    shown = (
        show_blocks(town, view.blocks, view) if view else "<p>Nothing has been published for this person.</p>"
    )
    tabs = "<nav><b class=here>Home</b><b>Messages</b><b>About</b></nav>"
    return f"<header class=top>{escape(town.bot.name)}</header>{tabs}<main class=home>{shown}</main>"
