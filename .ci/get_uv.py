"""Print the path of a `uv` that can read this project's lock file, bringing one into `.uv/` when there is none.

    python3 .ci/get_uv.py

Looked for in this order: a good `uv` on PATH; the one brought earlier; a virtual environment with pip; this
Python's own pip; and, where Python came with neither (Debian without python3-venv), the wheel itself from the
package index ($PIP_INDEX_URL, or pypi.org), taken only with the SHA-256 that the index states for it.

Standard library only, Python 3.11 or newer. Exit codes: 0 the path is on stdout; 1 one sentence on stderr.
"""

import hashlib
import html.parser
import importlib.util
import io
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path

PINNED = "0.13.9"
OLDEST = (0, 9, 0)  # the first that was tried with this lock file; older ones on PATH are passed over
HOME = Path(__file__).resolve().parent.parent / ".uv"
OURS = HOME / "bin" / "uv"
INDEX = "https://pypi.org/simple"
ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.1"
TIMEOUT_S = 60


class CannotGetUv(Exception):
    """One sentence for a person."""


@dataclass(frozen=True)
class Wheel:
    """One file of the index."""

    name: str
    url: str
    sha256: str


def version(uv: str | Path) -> tuple[int, ...]:
    """What `uv --version` says, or () when it does not run."""
    try:
        said = subprocess.run([uv, "--version"], capture_output=True, text=True, timeout=TIMEOUT_S).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    found = re.match(r"uv (\d+)\.(\d+)\.(\d+)", said)
    return tuple(int(part) for part in found.groups()) if found else ()


def with_pip() -> bool:
    """Let pip bring it, in an environment of its own if this Python can make one. False when there is no pip."""
    wanted = ["install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:", f"uv=={PINNED}"]
    if can_make_environment():
        run([str(HOME / "bin" / "python"), "-m", "pip", *wanted])
    elif importlib.util.find_spec("pip"):
        run([sys.executable, "-m", "pip", *wanted, "--target", str(HOME)])
    else:
        return False
    return True


def can_make_environment() -> bool:
    """Whether `.uv` is an environment with pip now. Some systems package the parts that it takes apart."""
    if not importlib.util.find_spec("ensurepip"):
        return False
    try:
        run([sys.executable, "-m", "venv", "--clear", str(HOME)])
    except CannotGetUv:
        shutil.rmtree(HOME, ignore_errors=True)
        return False
    return True


def run(argv: list[str]) -> None:
    """Run quietly; the last line of what it said goes into the sentence when it fails."""
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines() or ["no word of why"]
        raise CannotGetUv(said[-1])


def with_wheel() -> None:
    """Without pip: find the wheel for this computer, compare its digest, unpack the one file that is needed."""
    base = os.environ.get("PIP_INDEX_URL", INDEX).rstrip("/")
    wheel = pick(listing(f"{base}/uv/"))
    body, _, _ = get(wheel.url, "*/*")
    if hashlib.sha256(body).hexdigest() != wheel.sha256:
        raise CannotGetUv(f"{wheel.name} does not have the SHA-256 that the index states")
    OURS.parent.mkdir(parents=True, exist_ok=True)
    half = OURS.with_name("uv.part")
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        half.write_bytes(archive.read(f"uv-{PINNED}.data/scripts/uv"))
    half.chmod(0o755)
    half.replace(OURS)


def listing(url: str) -> list[Wheel]:
    """The files of a project page, in the index's JSON or in its older HTML."""
    body, kind, final_url = get(url, ACCEPT)
    if "json" in kind:
        files = json.loads(body)["files"]
        return [
            Wheel(
                file["filename"],
                urllib.parse.urljoin(final_url, file["url"]),
                file["hashes"].get("sha256", ""),
            )
            for file in files
        ]
    links = _Links()
    links.feed(body.decode())
    wheels = []
    for href in links.found:
        file, _, digest = urllib.parse.urljoin(final_url, href).partition("#sha256=")
        wheels.append(Wheel(urllib.parse.unquote(file.rsplit("/", 1)[-1]), file, digest))
    return wheels


class _Links(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if tag == "a" and name == "href" and value]


def pick(wheels: list[Wheel]) -> Wheel:
    """The wheel of the pinned version that runs here."""
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    if sys.platform == "darwin":
        system = "macosx"
    else:
        system = "manylinux" if platform.libc_ver()[0] == "glibc" else "musllinux"
    for wheel in wheels:
        stem, _, tags = wheel.name.removesuffix(".whl").rpartition("-")
        if stem != f"uv-{PINNED}-py3-none" or not wheel.sha256:
            continue
        if any(tag.startswith(system) and tag.endswith(f"_{machine}") for tag in tags.split(".")):
            return wheel
    raise CannotGetUv(f"the index has no uv {PINNED} for {system} on {machine}")


def get(url: str, accept: str) -> tuple[bytes, str, str]:
    """Body, content type and the address that answered at last."""
    request = urllib.request.Request(url, headers={"Accept": accept, "User-Agent": "lastcall-setup"})
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
        return answer.read(), answer.headers.get("Content-Type", ""), answer.url


def main() -> int:
    """Find it or bring it, and say where it is."""
    there = shutil.which("uv")
    if there and version(there) >= OLDEST:
        print(there)
        return 0
    wanted = tuple(int(part) for part in PINNED.split("."))
    try:
        if version(OURS) != wanted:
            shutil.rmtree(HOME, ignore_errors=True)
            if not with_pip():
                with_wheel()
        if version(OURS) != wanted:
            raise CannotGetUv("what was brought does not run")
    except (CannotGetUv, OSError, ValueError, LookupError, zipfile.BadZipFile) as fault:
        reason = getattr(fault, "reason", None) or fault
        print(
            f"Lastcall's set-up could not get uv {PINNED} ({reason}): check the network, or install uv "
            "yourself so that it is on PATH, then run make again.",
            file=sys.stderr,
        )
        return 1
    print(OURS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
