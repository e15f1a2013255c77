"""Slack's own markup as HTML, near enough to see what a person sees: mentions, links, code, bold."""

from __future__ import annotations

import re
from html import escape, unescape

from adapters.simulators.slack.town import SlackTown

_PARTS = re.compile(r"```(?P<pre>.+?)```|`(?P<code>[^`\n]+)`|<(?P<angle>[^<>\n]+)>", re.DOTALL)
_QUOTE = re.compile(r"^(?:&gt;|>) ?(.*)$", re.MULTILINE)
_INLINE = (
    (re.compile(r"(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])"), r"<b>\1</b>"),
    (re.compile(r"(?<![\w_])_(?=\S)([^_\n]+?)(?<=\S)_(?![\w_])"), r"<i>\1</i>"),
    (re.compile(r"(?<![\w~])~(?=\S)([^~\n]+?)(?<=\S)~(?![\w~])"), r"<s>\1</s>"),
)
_EMOJI = re.compile(r":([a-z0-9_+-]+):")
EMOJI = {
    "white_check_mark": "✅",
    "heavy_check_mark": "✔️",
    "x": "❌",
    "warning": "⚠️",
    "rotating_light": "🚨",
    "alarm_clock": "⏰",
    "hourglass": "⌛",
    "hourglass_flowing_sand": "⏳",
    "moneybag": "💰",
    "money_with_wings": "💸",
    "large_green_circle": "🟢",
    "large_yellow_circle": "🟡",
    "large_orange_circle": "🟠",
    "large_blue_circle": "🔵",
    "red_circle": "🔴",
    "white_circle": "⚪",
    "black_circle": "⚫",
    "bell": "🔔",
    "lock": "🔒",
    "rocket": "🚀",
    "wave": "👋",
    "information_source": "ℹ️",
}


def emoji(shown: str) -> str:
    """The best known short names as pictures; another stays as it is typed."""
    return _EMOJI.sub(lambda found: EMOJI.get(found[1], found[0]), shown)


def plain(text: str) -> str:
    """A ``plain_text``: nothing in it is markup."""
    return emoji(escape(text)).replace("\n", "<br>")


def mrkdwn(town: SlackTown, text: str) -> str:
    """A ``mrkdwn`` text, or the text of a message."""
    # Inside code nothing is marked; so the text is cut there, and what lies between is marked with stand-ins
    # for the cut pieces, so that bold may go around code and mentions.
    pieces: list[str] = []

    def stand_in(found: re.Match[str]) -> str:
        pieces.append(_piece(town, found))
        return f"\x00{len(pieces) - 1}\x00"

    rest = escape(unescape(_PARTS.sub(stand_in, text)), quote=False)
    for pattern, instead in _INLINE:
        rest = pattern.sub(instead, rest)
    rest = _QUOTE.sub(r"<span class=quote>\1</span>", emoji(rest)).replace("\n", "<br>")
    rest = rest.replace("</span><br>", "</span>")
    return re.sub("\x00(\\d+)\x00", lambda found: pieces[int(found[1])], rest)


def _piece(town: SlackTown, found: re.Match[str]) -> str:
    if found["pre"] is not None:
        return f"<pre>{_literal(found['pre'].strip(chr(10)))}</pre>"
    if found["code"] is not None:
        return f"<code>{_literal(found['code'])}</code>"
    return angle(town, found["angle"])


def angle(town: SlackTown, inside: str) -> str:
    """What stands between ``<`` and ``>``: a person, a channel, everybody, a date or a link."""
    target, _, label = inside.partition("|")
    if target.startswith("@"):
        user = town.users.get(target[1:])
        return f"<span class=mention>@{escape(user.name if user else target[1:])}</span>"
    if target.startswith("#"):
        place = town.places.get(target[1:])
        return f"<span class=mention>#{escape(place.name if place else label or target[1:])}</span>"
    if target.startswith("!date^"):
        return _literal(label)
    if target.startswith("!"):
        return f"<span class='mention all'>@{escape(label or target[1:])}</span>"
    return f'<a href="{escape(unescape(target))}">{_literal(label or target)}</a>'


def _literal(text: str) -> str:
    return escape(unescape(text), quote=False)
