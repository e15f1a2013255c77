"""The door of the far side: hear one request, mark where the answer begins, do it, say how it went."""

from __future__ import annotations

import os
import sys
from typing import Any, Callable, Dict

from adapters.shell.far.words import Gone, Talk, Trouble, show, trouble_of


def main(verb: Callable[[Talk, Dict[str, Any]], None]) -> None:
    """Answer the request on stdin. Ends the process itself: threads may still wait on it."""
    talk = Talk(sys.stdin.buffer, sys.stdout.buffer)
    path = os.environ.pop("LASTCALL_PATH", "")
    if path:
        os.environ["PATH"] = path  # as we said it, whatever a shim before Python made of it
    code = 0
    try:
        asked = talk.hear()
        talk.raw(asked["marker"].encode("ascii") + b"\n")
        try:
            _enter(asked["workdir"])
            verb(talk, asked)
        except Trouble as trouble:
            talk.say({"error": trouble.kind, "reason": trouble.reason})
        except (BrokenPipeError, ConnectionResetError):
            raise
        except OSError as error:
            told = trouble_of(error)
            talk.say({"error": told.kind, "reason": told.reason})
        sys.stdout.buffer.flush()
    except (Gone, BrokenPipeError, ConnectionResetError):
        code = 1
    os._exit(code)


def _enter(workdir: str) -> None:
    if not os.path.isabs(workdir):
        raise Trouble("the machine's folder must be absolute, not %s" % show(workdir))
    try:
        # Its last part only: a look after the teardown must not bring a wiped machine's folder back.
        os.mkdir(workdir)
    except FileExistsError:
        pass
    except FileNotFoundError:
        raise Trouble("the machine's folder %s is gone" % show(workdir), "missing") from None
    os.chdir(workdir)
