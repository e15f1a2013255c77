"""Who answers: host keys compared exactly with what was pinned, or with what the operator's own SSH knows."""

from __future__ import annotations

from pathlib import Path

import asyncssh

from bot.domain.errors import HostKeyChanged
from bot.domain.market import Access

ALGORITHMS = (
    "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "rsa-sha2-512", "rsa-sha2-256",
)  # fmt: skip
KNOWN_HOSTS = ("~/.ssh/known_hosts", "/etc/ssh/ssh_known_hosts")


def line_of(key: asyncssh.SSHKey) -> str:
    """A public key as it is pinned: ``type base64``."""
    return " ".join(key.export_public_key("openssh").decode("ascii").split()[:2])


def fingerprint_of(line: str) -> str:
    """``SHA256:…`` of a pinned line."""
    return asyncssh.import_public_key(line).get_fingerprint()


class HostKeyCheck:
    """Decides about one connection's host key and remembers why it said no.

    ``may_trust_first`` allows a key that nobody knows: first contact, which only ``pin`` may make."""

    def __init__(self, access: Access, *, may_trust_first: bool) -> None:
        self._where = f"{access.host}:{access.port}"
        self._pinned = tuple(" ".join(line.split()[:2]) for line in access.host_keys)
        self._may_trust_first = may_trust_first
        self._ask_operator = not access.key_ref
        self._known: tuple[str, ...] = ()
        self.refusal: HostKeyChanged | None = None

    @property
    def algorithms(self) -> tuple[str, ...]:
        """The pinned kinds first: a host has several keys, and we must be shown the one that we know."""
        kinds = {line.partition(" ")[0].replace("ssh-rsa", "rsa-sha2") for line in self._pinned + self._known}
        return tuple(sorted(ALGORITHMS, key=lambda name: not name.startswith(tuple(kinds))))

    def look_up(self) -> None:
        """Read what the operator's SSH knows about the host, where that is who we connect as."""
        if self._pinned or not self._ask_operator:
            return
        host, _, port = self._where.rpartition(":")
        files = [str(path) for name in KNOWN_HOSTS if (path := Path(name).expanduser()).is_file()]
        if files:
            known = asyncssh.match_known_hosts(files, host, "", int(port) if port != "22" else None)
            self._known = tuple(line_of(key) for key in known[0])

    def accept(self, key: asyncssh.SSHKey) -> bool:
        """Whether this key may answer for the host."""
        shown = line_of(key)
        expected = self._pinned or self._known
        if shown in expected or (not expected and self._may_trust_first):
            return True
        if expected:
            known = ", ".join(fingerprint_of(line) for line in expected)
            told = "was pinned when the rental began" if self._pinned else "is in known_hosts"
            sentence = f"{self._where} shows host key {key.get_fingerprint()}, but {known} {told}."
        else:
            sentence = f"{self._where} shows host key {key.get_fingerprint()}, and none was pinned before."
        self.refusal = HostKeyChanged(sentence)
        return False
