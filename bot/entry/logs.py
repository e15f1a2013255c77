"""Where the log goes: to standard error for a server, into a file for a terminal that people look at."""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
_SECRETS = re.compile(
    r"(-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----"
    r"|xox[abpors]-[\w-]+|xapp-[\w-]+|Bearer\s+[\w.~+/=-]+|hf_\w{20,}|rpa_\w{20,}"
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@))",
    re.DOTALL,
)
_BYTES = 5_000_000


class _Redacting(logging.Formatter):
    """The last door before a log line is written: what looks like a secret is blacked out."""

    def format(self, record: logging.LogRecord) -> str:
        return _SECRETS.sub("[secret]", super().format(record))


class _Json(logging.Formatter):
    """One object a line. What looks like a secret is blacked out before it is quoted, so that the line stays JSON."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _SECRETS.sub("[secret]", record.getMessage()),
        }
        if record.exc_info:
            line["exception"] = _SECRETS.sub("[secret]", self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


def to_stderr(level: str, *, as_json: bool = False) -> None:
    """For ``serve`` and ``reap``."""
    _install(logging.StreamHandler(sys.stderr), level, _Json() if as_json else None)


def to_file(folder: Path, level: str) -> None:
    """For a terminal; a folder that cannot be written to only costs the log."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler: logging.Handler = RotatingFileHandler(
            folder / "lastcall.log", maxBytes=_BYTES, backupCount=2, encoding="utf-8", delay=True
        )
    except OSError:
        handler = logging.NullHandler()
    _install(handler, level)


def _install(handler: logging.Handler, level: str, formatter: logging.Formatter | None = None) -> None:
    handler.setFormatter(formatter or _Redacting(_FORMAT))
    logging.raiseExceptions = False  # a full disk must not print tracebacks over the chat
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in (
        "asyncssh",
        "aiosqlite",
        "sqlalchemy",
        "matplotlib",
        "PIL",
        "alembic",
        "asyncio",
        "httpx",
        "httpcore",
    ):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level]))
