"""The fetching of a large file: verified, resumed, whole or not at all, and the token shown to one host only."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from adapters.simulators.training import tiny_safetensors

SCRIPT = Path(__file__).parents[2] / "recipes" / "common" / "fetch_file.py"
FILE = tiny_safetensors(1, 2)
DIGEST = hashlib.sha256(FILE).hexdigest()


@dataclass
class Hub:
    """A hub that redirects to a store; each on a port of its own."""

    url: str = ""
    store: str = ""
    content: bytes = FILE
    digest: str = DIGEST
    status: int = 0
    cut: int = 0
    """The store's line is cut after so many bytes, once."""
    ranges: list[str] = field(default_factory=list)
    tokens: list[tuple[str, str]] = field(default_factory=list)


def handler(hub: Hub, place: str) -> type[BaseHTTPRequestHandler]:
    """One of the two servers."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hub.tokens.append((place, self.headers.get("Authorization", "")))
            if place == "hub":
                self.send_response(hub.status or 302)
                if not hub.status:
                    self.send_header("Location", f"{hub.store}/blob")
                    self.send_header("X-Linked-ETag", f'"{hub.digest}"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.serve()

        def serve(self) -> None:
            said = self.headers.get("Range", "")
            hub.ranges.append(said)
            start = int(said.removeprefix("bytes=").rstrip("-")) if said else 0
            rest = hub.content[start:]
            self.send_response(206 if said else 200)
            self.send_header("Content-Length", str(len(rest)))
            self.end_headers()
            self.wfile.write(rest[: hub.cut or None])
            hub.cut = 0

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    return Handler


@pytest.fixture
def hub() -> Iterator[Hub]:
    """On loopback."""
    found = Hub()
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), handler(found, place)) for place in ("hub", "store")]
    threads = [threading.Thread(target=one.serve_forever, args=(0.01,)) for one in servers]
    for thread in threads:
        thread.start()
    found.url, found.store = (f"http://127.0.0.1:{one.server_port}" for one in servers)
    yield found
    for one in servers:
        one.shutdown()
        one.server_close()
    for thread in threads:
        thread.join()


def fetch(hub: Hub, file: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """Run the script as a machine does."""
    command = [sys.executable, str(SCRIPT), f"{hub.url}/resolve/main/model.safetensors", str(file), *more]
    environment = {**os.environ, "HF_TOKEN": "hf_private", "HF_ENDPOINT": hub.url, "FETCH_PAUSE": "0"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def test_a_file_comes_whole_and_the_token_goes_no_further_than_the_hub(hub: Hub, tmp_path: Path):
    """The store that the hub redirects to is somebody else."""
    file = tmp_path / "models" / "model.safetensors"
    assert fetch(hub, file, "", "--check").returncode == 1
    done = fetch(hub, file, "")
    assert done.returncode == 0 and file.read_bytes() == FILE
    assert hub.tokens == [("hub", "Bearer hf_private"), ("store", "")]
    assert fetch(hub, file, "", "--check").returncode == 0
    assert "hf_private" not in done.stdout + done.stderr and len(hub.tokens) == 2
    assert [one.name for one in file.parent.iterdir()] == ["model.safetensors"]


def test_a_cut_line_is_gone_on_from_where_it_was(hub: Hub, tmp_path: Path):
    """And what is half there has another name."""
    hub.cut = 40
    file = tmp_path / "model.safetensors"
    assert fetch(hub, file).returncode == 0 and file.read_bytes() == FILE
    assert hub.ranges == ["", "bytes=40-"]


def test_a_half_file_from_before_is_gone_on_with_too(hub: Hub, tmp_path: Path):
    """A killed fetch costs nothing."""
    (tmp_path / ".model.safetensors.part").write_bytes(FILE[:50])
    file = tmp_path / "model.safetensors"
    assert fetch(hub, file).returncode == 0 and file.read_bytes() == FILE and hub.ranges == ["bytes=50-"]


@pytest.mark.parametrize("given", [True, False])
def test_what_has_another_digest_never_gets_the_name(hub: Hub, tmp_path: Path, given: bool):
    """Neither against the digest that was asked for, nor against the one that the hub publishes."""
    wrong = "0" * 64
    hub.digest = DIGEST if given else wrong
    file = tmp_path / "model.safetensors"
    done = fetch(hub, file, wrong) if given else fetch(hub, file)
    assert done.returncode == 1 and "another digest" in done.stdout and not file.exists()


def test_a_file_that_is_cut_off_by_its_own_header_is_not_taken(hub: Hub, tmp_path: Path):
    """The header says where the last tensor ends; so a check needs no digest."""
    hub.content, hub.digest = FILE[:-4], hashlib.sha256(FILE[:-4]).hexdigest()
    file = tmp_path / "model.safetensors"
    assert fetch(hub, file).returncode == 1 and not file.exists()
    file.write_bytes(FILE[:-4])
    assert fetch(hub, file, "--check").returncode == 1


@pytest.mark.parametrize(
    ("status", "said"), [(401, "licence accepted"), (403, "HF_TOKEN"), (404, "not there")]
)
def test_what_trying_again_would_not_mend_is_said_at_once(hub: Hub, tmp_path: Path, status: int, said: str):
    """A gate, a bad token, a file that is not there: one request, one sentence."""
    hub.status = status
    done = fetch(hub, tmp_path / "model.safetensors")
    assert done.returncode == 2 and said in done.stdout and len(hub.tokens) == 1
    assert "hf_private" not in done.stdout + done.stderr
