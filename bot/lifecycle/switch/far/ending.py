"""Ending the machine from inside, with the key that the vendor gave this machine alone."""

from __future__ import annotations

import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from select import select
from typing import Any

TIMEOUT_S = 20.0
LONGEST_PAUSE_S = 300.0
REFUSED = (400, 401, 403, 404, 405, 409, 410, 422)
"""Asking the same again helps little: the next call is tried, and all of them again later."""
AUTHORITIES = (
    "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem",
)  # fmt: skip
"""Where systems keep whom they trust; a Python that came by itself may look elsewhere."""


class _Stay(urllib.request.HTTPRedirectHandler):
    """The key goes to the address it is meant for and nowhere else."""

    def redirect_request(self, *_args: Any) -> None:
        return None


def find_key(name: str, files: list[str]) -> str:
    """The key from our environment or one of ``files``; a login does not see what the container was given.

    Both forms are read: ``NAME=value`` between zero bytes (``/proc/1/environ``), and lines of a shell."""
    if name and os.environ.get(name):
        return os.environ[name]
    for place in files if name else ():
        try:
            text = Path(place).read_bytes().decode("utf-8", "replace")
        except OSError:
            continue
        for line in text.replace("\0", "\n").splitlines():
            said, _, value = line.strip().partition("=")
            if said.split(" ")[-1] == name and value.strip("\"' "):
                return value.strip("\"' ")
    return ""


def ask(call: dict[str, str], key: str, agent: str) -> tuple[int, str]:
    """Status and first words of the answer; 0 when none came. Nothing that is said holds the key."""
    data = call["body"].encode() if call["body"] else None
    headers = {"Authorization": f"Bearer {key}", "User-Agent": agent, "Accept": "application/json"}
    if data is not None:
        headers["Content-Type"] = "application/json"
    try:
        request = urllib.request.Request(call["url"], data, headers, method=call["method"])  # noqa: S310 - the vendor's
        with _opener().open(request, timeout=TIMEOUT_S) as answer:
            status, words = answer.status, answer.read(300)
    except urllib.error.HTTPError as error:
        status, words = error.code, error.read(300)
    except Exception as error:  # noqa: BLE001 - whatever it is, the next try must come
        return 0, f"{type(error).__name__}: {error}".replace(key, "***")[:200]
    said = " ".join(words.decode("utf-8", "replace").split())
    return status, said.replace(key, "***")[:200]


def _opener() -> urllib.request.OpenerDirector:
    context = ssl.create_default_context()
    for place in AUTHORITIES:
        if Path(place).is_file():
            context.load_verify_locations(place)
    return urllib.request.build_opener(_Stay(), urllib.request.HTTPSHandler(context=context))


def end(order: dict[str, Any], say: Callable[[str], None], rounds: int = -1) -> None:
    """Ask until this process is gone with its machine: a yes may be a lie, and a refused key may be let in again.
    ``rounds`` bounds it for tests; -1 is for ever."""
    pause = order["every"]
    while rounds:
        rounds -= 1
        key = find_key(order["key"], order["found_in"])
        for call in order["asks"] if key else ():
            status, words = ask(call, key, order["agent"])
            say(f"{call['method']} {call['url']}: {status or 'no answer'} {words}")
            if status not in REFUSED:
                break
            select([], [], [], order["every"])
        if not key:
            say(f"there is no {order['key']} here")
        select([], [], [], pause)
        pause = min(pause * 2, LONGEST_PAUSE_S)
