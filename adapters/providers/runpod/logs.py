"""A pod's log stream: the one place that tells why a pod does not come up (runpod.md, 3.5)."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import timedelta

from adapters.providers.runpod.wire import Wire

TAIL = 20
_BAD = re.compile(
    r"error|fail|denied|unauthori|no space|not found|no such|cannot|could not|unable|manifest unknown|oci runtime"
    r"|exec format|insufficient|killed|timed? ?out",
    re.IGNORECASE,
)


async def last_words(wire: Wire, path: str, patience: timedelta) -> str:
    """The last line that sounds like a fault, or else the last line; nothing where nothing was said. The stream never
    ends: it is read for ``patience`` or until more came than was asked for. Raises what ``Http.stream`` raises."""
    lines: list[str] = []
    try:
        async with asyncio.timeout(patience.total_seconds()):
            async with wire.lines(path, source="system", tail=TAIL) as stream:
                await _gather(stream, lines)
    except TimeoutError:
        pass  # as many as came
    faults = [line for line in lines if _BAD.search(line)]
    return wire.plain((faults or lines or [""])[-1])


async def _gather(stream: AsyncIterator[str], lines: list[str]) -> None:
    async for raw in stream:
        if raw.startswith("data:"):
            said = _line(raw.removeprefix("data:"))
            lines += [said] if said else []
        if len(lines) >= TAIL:
            return


def _line(data: str) -> str:
    """``{"ts": …, "source": "system", "line": "…"}``; what is no JSON is taken as it is."""
    try:
        event = json.loads(data)
    except ValueError:
        return data.strip()
    said = event.get("line") if isinstance(event, dict) else None
    return said.strip() if isinstance(said, str) else ""
