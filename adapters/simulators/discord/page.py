"""A message as a person sees it in Discord: a plain page of HTML, dark or light, for a picture."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]
_STYLE = """
body{font:15px/1.35 "gg sans",Helvetica,Arial,sans-serif;margin:0;padding:16px;width:640px;background:%s;color:%s}
.m{display:flex;gap:14px}.a{width:40px;height:40px;border-radius:50%%;background:#5865f2;flex:none}
.n{font-weight:600}.t{opacity:.6;font-size:12px;margin-left:8px}.e{border-left:4px solid;border-radius:4px;
background:%s;padding:10px 14px 12px;margin-top:4px;max-width:520px}.h{font-weight:700;margin-bottom:6px}
.f{display:grid;
grid-template-columns:repeat(3,1fr);gap:8px 14px;margin-top:8px}.w{grid-column:1/-1}.k{font-weight:600;font-size:13px}
pre,code{background:%s;border-radius:4px;font:13px/1.3 Consolas,"DejaVu Sans Mono",monospace}pre{padding:8px;
overflow:hidden;margin:6px 0;white-space:pre-wrap}code{padding:1px 3px}.s{opacity:.6;font-size:12px;margin-top:8px}
.b{display:inline-block;border-radius:4px;padding:6px 14px;margin:8px 8px 0 0;color:#fff;font-size:14px}
.u{background:#5865f244;color:#8891f2;border-radius:3px;padding:0 2px}
"""
_COLOURS = {1: "#5865f2", 2: "#4e5058", 3: "#248046", 4: "#da373c"}
_TOKEN = re.compile(
    r"```\n?(?P<fence>.*?)\n?```|`(?P<code>[^`\n]+)`|\*\*(?P<bold>(?:\\.|[^*\\])+)\*\*|<@(?P<who>\d+)>|<t:(?P<at>\d+):t>"
    r"|\\(?P<plain>.)",
    re.DOTALL,
)


def page(said: Json, *, names: dict[str, str] | None = None, dark: bool = True) -> str:
    """``said`` as it is posted; ``names`` of people by id."""
    colours = (
        ("#313338", "#dbdee1", "#2b2d31", "#1e1f22") if dark else ("#fff", "#313338", "#f2f3f5", "#e3e5e8")
    )
    known = names or {}
    parts = [f"<div>{_shown(said.get('content') or '', known)}</div>"]
    parts += [_embed(one, known) for one in said.get("embeds") or ()]
    for row in said.get("components") or ():
        parts.append(f"<div>{''.join(_button(one) for one in row['components'])}</div>")
    who = '<span class="n">lastcall</span><span class="t">APP · 09:00</span>'
    body = f'<div class="m"><div class="a"></div><div>{who}{"".join(parts)}</div></div>'
    return f"<!DOCTYPE html><meta charset=utf-8><style>{_STYLE % colours}</style>{body}"


def _embed(one: Json, names: dict[str, str]) -> str:
    fields = "".join(
        f'<div class="{"" if each.get("inline") else "w"}"><div class="k">{_shown(each["name"], names)}</div>'
        f"<div>{_shown(each['value'], names)}</div></div>"
        for each in one.get("fields") or ()
    )
    small = html.escape(str((one.get("footer") or {}).get("text") or ""))
    return (
        f'<div class="e" style="border-color:#{int(one.get("color") or 0):06x}">'
        f'<div class="h">{_shown(one.get("title") or "", names)}</div>'
        f"<div>{_shown(one.get('description') or '', names)}</div>"
        f'<div class="f">{fields}</div><div class="s">{small}</div></div>'
    )


def _button(one: Json) -> str:
    return f'<span class="b" style="background:{_COLOURS[one["style"]]}">{html.escape(one["label"])}</span>'


def _shown(text: str, names: dict[str, str]) -> str:
    parts, at = [], 0
    for found in _TOKEN.finditer(text):
        parts.append(html.escape(text[at : found.start()]))
        parts.append(_token(found, names))
        at = found.end()
    return "".join([*parts, html.escape(text[at:])]).replace("\n", "<br>").replace("\x00", "\n")


def _token(found: re.Match[str], names: dict[str, str]) -> str:
    if found["fence"] is not None:
        return f"<pre>{html.escape(found['fence'])}</pre>".replace("\n", "\x00")
    if found["code"] is not None:
        return f"<code>{html.escape(found['code'])}</code>"
    if found["bold"] is not None:
        return f"<b>{_shown(found['bold'], names)}</b>"
    if found["who"] is not None:
        return f'<span class="u">@{html.escape(names.get(found["who"], found["who"]))}</span>'
    if found["at"] is not None:
        return f'<span class="u">{datetime.fromtimestamp(int(found["at"]), UTC):%H:%M}</span>'
    return html.escape(found["plain"])
