"""``LASTCALL_LOCAL_HOSTS``: workstations reached by SSH, as ``ann@ws1,ws2:2222,[fd00::7]:22``."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ENTRY = re.compile(
    r"(?:(?P<user>[A-Za-z0-9_][A-Za-z0-9_.-]{0,63})@)?"
    r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252}[A-Za-z0-9])?))"
    r"(?::(?P<port>\d{1,5}))?"
)


@dataclass(frozen=True, slots=True)
class Workstation:
    """One entry. ``user`` is empty where none was said."""

    host: str
    port: int = 22
    user: str = ""

    @property
    def title(self) -> str:
        """As people write it."""
        return f"{self.user}@{self.host}" if self.user else self.host


def workstations(text: str) -> tuple[Workstation, ...]:
    """Raises ``ValueError`` with a sentence that names the entry and what would be right."""
    found: dict[str, Workstation] = {}
    for entry in (part.strip() for part in text.split(",")):
        if not entry:
            continue
        said = _ENTRY.fullmatch(entry)
        port = int(said["port"] or 22) if said else 0
        if said is None or not 0 < port < 65536:
            raise ValueError(
                f"LASTCALL_LOCAL_HOSTS: {entry!r} is not [user@]host[:port], like ann@ws1 or ws2:2222"
            )
        one = Workstation(said["six"] or said["host"], port, said["user"] or "")
        if one.host in found:
            raise ValueError(
                f"LASTCALL_LOCAL_HOSTS: {one.host} is named twice, and a rental could not tell them apart"
            )
        found[one.host] = one
    return tuple(found.values())
