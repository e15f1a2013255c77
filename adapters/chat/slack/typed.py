"""What a person typed, out of what Slack makes of it in events (api.slack.com/reference/surfaces/formatting)."""

from __future__ import annotations

import re

_LINK = re.compile(r"<(?P<to>(?:https?|mailto|ftp|s3|gs|hf)[^|>\s]*)(?:\|[^>]*)?>")
_QUOTES = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "\u00a0": " "})


def typed(text: str, bot: str = "") -> str:
    """The line, without the mention of the bot at its front. People's mentions stay: the grammar reads them."""
    if bot:
        text = re.sub(rf"^\s*<@{re.escape(bot)}(?:\|[^>]*)?>[\s,:]*", "", text)
    text = _LINK.sub(lambda found: found["to"].removeprefix("mailto:"), text)
    for entity, letter in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(entity, letter)
    return text.translate(_QUOTES).strip()
