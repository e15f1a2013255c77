"""A reply as one line of JSON, for scripts. The keys are always all there and never change their meaning.

Everything but ASCII is escaped, so that a line is safe to look at on any terminal.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from bot.domain.talk import Reply


def as_json(reply: Reply, *, event: str = "answer", ref: str = "") -> str:
    """One line without its newline. ``event`` is ``answer`` (to the command), ``post`` or ``edit`` (of ``ref``)."""
    shape = {"event": event, "ref": ref, **as_values(reply)}
    return json.dumps(shape, ensure_ascii=True, allow_nan=False, default=_other, separators=(", ", ": "))


def as_values(reply: Reply) -> dict[str, Any]:
    """The reply as plain values, one per field of ``Reply``."""
    caret, meter = reply.caret, reply.meter
    return {
        "kind": reply.kind.value,
        "title": reply.title,
        "tone": reply.tone.value,
        "rental": reply.rental,
        "final": reply.final,
        "private": reply.private,
        "lines": list(reply.lines),
        "fields": [{"label": label, "value": value} for label, value in reply.fields],
        "tables": [
            {"header": list(table.header), "rows": [list(row) for row in table.rows], "note": table.note}
            for table in reply.tables
        ],
        "code": reply.code,
        "caret": caret and {"line": caret.line, "start": caret.start, "end": caret.end},
        "meter": meter
        and {"done": _finite(meter.done), "total": _finite(meter.total), "caption": meter.caption},
        "buttons": [
            {
                "label": button.label,
                "command": button.command,
                "danger": button.danger,
                "primary": button.primary,
            }
            for button in reply.buttons
        ],
        "pictures": list(reply.pictures),
        "files": list(reply.files),
        "loud": reply.loud,
        "mention": [who.key for who in reply.mention],
        "rewrites": reply.rewrites,
        "data": _safe(reply.data),
    }


def _finite(number: float) -> float | None:
    """JSON has no word for infinity."""
    return number if number - number == 0 else None


def _safe(value: Any) -> Any:
    """``data`` promises JSON values; what breaks the promise must not lose the whole line."""
    if isinstance(value, Mapping):
        return {str(key): _safe(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_safe(item) for item in value]
    return _finite(value) if isinstance(value, float) else value


def _other(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return str(value) if isinstance(value, Decimal) else repr(value)
