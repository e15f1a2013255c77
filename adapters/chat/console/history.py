"""The lines typed before: one file only the owner can read, each line once, none that began with a space."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from prompt_toolkit.history import History

KEPT = 1000


class TidyHistory(History):
    """A history that survives a missing or read-only folder: then it lasts as long as the session."""

    def __init__(self, path: Path | None) -> None:
        super().__init__()
        self._path = path
        self.paused = False
        """While a question is open: a yes is no command."""

    def load_history_strings(self) -> Iterable[str]:
        """Newest first, each once."""
        return list(dict.fromkeys(reversed(self._lines())))[:KEPT]

    def append_string(self, string: str) -> None:
        """Keep a line, unless it is not meant to be kept; an earlier same line goes.

        An address of a notification channel has its password in it."""
        secret = "://" in string and "notif" in string.lower()
        if self.paused or not string.strip() or string[0] == " " or secret:
            return
        self._loaded_strings = [old for old in self._loaded_strings if old != string]
        super().append_string(string)

    def store_string(self, string: str) -> None:
        """Rewrite the file whole; it is small. Two sessions at once: the file keeps the lines of both."""
        if self._path is None:
            return
        lines = [*[old for old in self._lines() if old != string], " ".join(string.splitlines())]
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft = self._path.with_name(f"{self._path.name}.{os.getpid()}")
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
                file.writelines(f"{text}\n" for text in lines[-KEPT:])
            draft.replace(self._path)

    def _lines(self) -> list[str]:
        """Oldest first, as they are in the file."""
        if self._path is None:
            return []
        try:
            text = self._path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return []
        return [line for line in text.split("\n") if line.strip()]
