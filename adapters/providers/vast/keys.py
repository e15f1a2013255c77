"""SSH keys of one instance. Attached by the API, because the vendor rewrites the file that ``onstart`` writes to
(vast.md, 7.1)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from adapters.http import Http
from bot.domain.errors import NeedsHuman, ProviderError, VendorChanged


async def attach(http: Http, path: str, public_key: str) -> None:
    """Let a key in. Where that is refused, it may be because it is in already: then it is success."""
    try:
        answer = await http.write("keys", "POST", path, json={"ssh_key": public_key})
        body = answer.body if isinstance(answer.body, dict) else {}
        if body.get("success") is True:
            return
        refusal: ProviderError = VendorChanged("the key was not taken, and the answer does not say why")
    except (NeedsHuman, VendorChanged) as error:
        refusal = error
    told = await http.read("keys", "GET", path)
    if _blob(public_key) not in {_blob(line) for line in _lines(told)}:
        raise refusal


def _lines(told: Any) -> Iterator[str]:
    """The public keys in an answer; ``ssh_keys`` is a text with JSON in it."""
    keys = told.get("ssh_keys") if isinstance(told, dict) else None
    try:
        rows = json.loads(keys) if isinstance(keys, str) else keys
    except ValueError:
        rows = None
    for row in rows if isinstance(rows, list) else []:
        line = (row.get("public_key") or row.get("key")) if isinstance(row, dict) else row
        if isinstance(line, str):
            yield line


def _blob(line: str) -> str:
    """The key itself, without its type and comment."""
    parts = line.split()
    return parts[1] if len(parts) > 1 else line
