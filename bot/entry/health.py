"""``lastcall health``: ask the bot on this computer how it is, for a container's health check and for people."""

from __future__ import annotations

import sys

import httpx

from bot.settings import Settings

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what it listens on, not we
_PATIENCE_S = 8.0


async def health(settings: Settings, *, live: bool) -> int:
    """0 when it is ready (with ``live``: when it answers), else 1. Raises ``ValueError`` where there is no door."""
    if not settings.ops_port:
        raise ValueError("There is no operations door to ask at: set LASTCALL_OPS_PORT, such as 8750.")
    host = _EVERYWHERE.get(settings.ops_host, settings.ops_host)
    place = f"[{host}]" if ":" in host else host
    url = f"http://{place}:{settings.ops_port}{'/healthz' if live else '/readyz'}"
    try:
        async with httpx.AsyncClient(timeout=_PATIENCE_S, trust_env=False) as client:
            answer = await client.get(url)
    except httpx.HTTPError as error:
        raise ValueError(
            f"{url} does not answer ({type(error).__name__}): is 'lastcall serve' running?"
        ) from None
    sys.stdout.write(answer.text + "\n")
    return 0 if answer.status_code == httpx.codes.OK else 1
