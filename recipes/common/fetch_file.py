"""Fetch one large file, whole or not at all, and go on where a cut line left it.

    python fetch_file.py URL FILE [SHA256]            fetch, verify, then give it its name
    python fetch_file.py URL FILE [SHA256] --check    exit 0 when it is there, whole

The digest is the one that is given, else the one that the source publishes (Hugging Face: X-Linked-ETag, the
SHA-256 of its large file storage). HF_TOKEN is shown to huggingface.co alone, never to where it redirects.
Standard library only: it runs before anything is installed.
"""

import hashlib
import json
import os
import re
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urljoin, urlsplit

PIECE = 1024 * 1024
HOPS = 6
TRIES = 8
TRUSTED = os.environ.get("HF_ENDPOINT", "https://huggingface.co")


class Stay(urllib.request.HTTPRedirectHandler):
    """Redirects are followed by hand: the first answer has the digest, and the token goes no further."""

    def redirect_request(self, *_args: object, **_words: object) -> None:
        return None


class FetchError(Exception):
    """One sentence; trying again would not help."""


def headers_for(url: str, start: int) -> dict[str, str]:
    said = {"User-Agent": "lastcall-fetch/1", "Accept-Encoding": "identity"}
    if start:
        said["Range"] = "bytes=%d-" % start
    token = os.environ.get("HF_TOKEN")
    if token and urlsplit(url)[:2] == urlsplit(TRUSTED)[:2]:
        said["Authorization"] = "Bearer " + token
    return said


def opened(url: str, start: int):
    """The answer at the end of all redirects, and the digest that was published on the way."""
    opener, digest = urllib.request.build_opener(Stay), ""
    for _ in range(HOPS):
        try:
            answer = opener.open(urllib.request.Request(url, headers=headers_for(url, start)), timeout=60)
        except urllib.error.HTTPError as error:
            answer = error
        found = re.fullmatch(r'"?([0-9a-f]{64})"?', answer.headers.get("X-Linked-ETag", ""))
        digest = digest or (found.group(1) if found else "")
        if answer.status not in (301, 302, 303, 307, 308):
            return answer, digest
        url = urljoin(url, answer.headers["Location"])
    raise FetchError(f"redirected too often: {url}")


def fetch(url: str, file: Path, digest: str) -> None:
    """Raises FetchError, or OSError for what another try may mend."""
    part = file.with_name("." + file.name + ".part")
    start = part.stat().st_size if part.exists() else 0
    answer, published = opened(url, start)
    if answer.status in (401, 403):
        raise FetchError(
            "access refused (%d): is the licence accepted, and HF_TOKEN set? %s" % (answer.status, url)
        )
    if answer.status == 404:
        raise FetchError(f"not there (404): {url}")
    if answer.status == 416:  # there is nothing after what we have: whole, or not this file
        pass
    elif answer.status not in (200, 206):
        raise OSError("HTTP %d" % answer.status)
    else:
        total = save(answer, part, start if answer.status == 206 else 0)
        if total and part.stat().st_size < total:
            raise OSError("the line was cut at %d of %d bytes" % (part.stat().st_size, total))
    wanted = digest or published
    if wanted and sha256(part) != wanted:
        part.unlink()
        raise OSError("what came has another digest; it begins anew")
    fault = fault_of(part, file.suffix)
    if fault:
        part.unlink()
        raise OSError(fault)
    part.replace(file)


def save(answer, part: Path, start: int) -> int:
    """Add what comes to what is there; the size that the whole should have, or 0."""
    length = int(answer.headers.get("Content-Length") or 0)
    total, told = start + length if length else 0, time.monotonic()
    with open(part, "ab" if start else "wb") as out:
        while True:
            piece = answer.read(PIECE)
            if not piece:
                return total
            out.write(piece)
            if time.monotonic() - told > 5:
                told = time.monotonic()
                print(f"{out.tell() / 1e9:.2f} of {total / 1e9:.2f} GB", flush=True)


def sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for piece in iter(lambda: file.read(PIECE), b""):
            digest.update(piece)
    return digest.hexdigest()


def fault_of(path: Path, suffix: str) -> str:
    """What is wrong with it, from its own header; nothing when it is whole."""
    size = path.stat().st_size if path.exists() else 0
    if not size:
        return f"{path} is missing or empty"
    if suffix != ".safetensors":
        return ""
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= size - 8:
            return f"{path} is no safetensors file"
        try:
            head = json.loads(file.read(length))
            ends = [one["data_offsets"][1] for name, one in head.items() if name != "__metadata__"]
        except (ValueError, KeyError, TypeError, AttributeError):
            return f"{path} has no header that can be read"
    return "" if max(ends, default=0) + 8 + length == size else f"{path} is cut off"


def main() -> int:
    words = [one for one in sys.argv[1:] if one != "--check"]
    url, file, digest = words[0], Path(words[1]), words[2] if len(words) > 2 else ""
    if not fault_of(file, file.suffix):
        return 0
    if "--check" in sys.argv:
        return 1
    file.parent.mkdir(parents=True, exist_ok=True)
    last: Exception | None = None
    for turn in range(TRIES):
        try:
            fetch(url, file, digest)
        except FetchError as error:
            print(f"error: {error}", flush=True)
            return 2
        except (OSError, urllib.error.URLError) as error:
            last = error
            print("again in %d s: %s" % (2**turn, error), flush=True)
            time.sleep(float(os.environ.get("FETCH_PAUSE", 2**turn)))
        else:
            print(f"fetched {file}", flush=True)
            return 0
    print(f"error: {last}", flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())
