"""Writing to a stream that may be closed early (``| head -1``) or may not know our characters."""

from __future__ import annotations

import contextlib
import io
import os
from typing import TextIO

_PLAINER = str.maketrans(
    {"·": "-", "…": "~", "✓": "+", "✗": "x", "—": "-", "–": "-", "’": "'", "●": "*", "›": ">", "→": ">"}
)


class Pen:
    """A text stream that never raises for a reader that has gone: from then on it writes nowhere."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.encoding = getattr(stream, "encoding", None) or "utf-8"
        self.gone = False
        """The reader has closed its end."""

    def isatty(self) -> bool:
        """Whether a person looks at it."""
        with contextlib.suppress(ValueError):
            return self._stream.isatty()
        return False

    def write(self, text: str) -> int:
        """Write and flush; what the stream's encoding does not have is replaced."""
        if not self.gone:
            try:
                self._stream.write(spoken(text, self.encoding))
                self._stream.flush()
            except (BrokenPipeError, ValueError):
                self._lost()
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""

    def _lost(self) -> None:
        """Point the descriptor at nothing, so that the interpreter's own flush at the end is quiet too."""
        self.gone = True
        with contextlib.suppress(OSError, ValueError, io.UnsupportedOperation):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)


def spoken(text: str, encoding: str) -> str:
    """``text`` as far as ``encoding`` can say it."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_PLAINER).encode(encoding, "replace").decode(encoding)
    except LookupError:
        return text.encode("ascii", "replace").decode("ascii")
    return text
