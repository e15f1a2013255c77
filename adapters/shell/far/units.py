"""Detached units, each a folder ``units/<name>``: started once, looked at by offset, stopped with grace.

lock    held by the supervisor as long as it lives        pid     who leads the unit: pid, start time, boot
log     what the unit writes                              stop    that somebody asked it to end
exit    the exit code, written last                       job.json  what was asked (no secrets)

exit file           lock held    leader alive (pid, start time, boot)    ->
yes                 -            -                                       exited
no                  yes          -                                       running (or starting)
no                  no           yes                                     running (its supervisor was killed)
no                  no           no                                      killed
no pid file, and lock not held: the start itself was cut down; absent, and may be started
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import signal
import time
from typing import Any, Dict, Optional

from adapters.shell.far.processes import DEAD, MARK, boot_id, end_all, identity, members, signal_all
from adapters.shell.far.supervisor import Work, detach, launch
from adapters.shell.far.words import CHUNK, Talk, Trouble, folder_in, show, write_whole

START_WAIT_S = 15.0
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def _folder(asked: Dict[str, Any]) -> str:
    name = asked["unit"]
    if not NAME.fullmatch(name):
        raise Trouble("the unit name %s is refused" % show(name))
    return folder_in(asked["workdir"], "units/" + name)


def _read(folder: str, name: str) -> Optional[str]:
    try:
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _try_lock(folder: str, how: int) -> Optional[int]:
    """The unit's lock, or None while somebody else holds it."""
    handle = os.open(os.path.join(folder, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, how | fcntl.LOCK_NB)
        return handle
    except BlockingIOError:
        os.close(handle)
        return None
    except OSError as error:
        os.close(handle)
        raise Trouble("the machine's folder is on a disk without file locks: %s" % error.strerror) from None


def _was_started(folder: str) -> bool:
    return any(os.path.exists(os.path.join(folder, name)) for name in ("exit", "pid"))


def _claim(folder: str) -> Optional[int]:
    """The lock of a unit that nobody has started, or None when it was. Waits for another who is about to start it."""
    deadline = time.monotonic() + START_WAIT_S
    while not _was_started(folder):
        lock = _try_lock(folder, fcntl.LOCK_EX)
        if lock is not None:
            if not _was_started(folder):
                return lock
            os.close(lock)
        elif time.monotonic() > deadline:
            raise Trouble("the unit is being started by somebody else and does not come up")
        else:
            time.sleep(0.02)
    return None


def start(talk: Talk, asked: Dict[str, Any]) -> None:
    """Start it unless it was started before; answer when its process is there and written down."""
    folder = _folder(asked)
    cwd = folder_in(asked["workdir"], asked["cwd"])
    if not os.path.isdir(cwd):
        raise Trouble("there is no folder %s" % show(asked["cwd"]), "missing")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    lock = _claim(folder)
    if lock is None:
        talk.say({"already": True})
        return
    mark = os.urandom(8).hex()
    job = {key: asked[key] for key in ("argv", "cwd", "env", "limit")}
    job.update(secrets=sorted(asked["secrets"]), mark=mark, asked_at=time.time())
    write_whole(os.path.join(folder, "job.json"), json.dumps(job, indent=1))
    env = {**os.environ, **asked["env"], **asked["secrets"], MARK: mark}
    launch(Work(folder, cwd, asked["argv"], env, mark, asked["limit"]), lock)
    talk.say({"already": False})


def _leader(folder: str) -> Optional[Dict[str, Any]]:
    text = _read(folder, "pid")
    leader: Optional[Dict[str, Any]] = json.loads(text) if text is not None else None
    return leader


def _session_of(leader: Dict[str, Any]) -> Optional[int]:
    """The leader's session while it is surely its own: another start time under its pid means that it was reused."""
    if leader["boot"] != boot_id():
        return None
    now = identity(leader["pid"])
    return leader["pid"] if now is None or now.started == leader["started"] else None


def _leads_still(leader: Dict[str, Any]) -> bool:
    now = identity(leader["pid"])
    return (
        now is not None
        and now.state not in DEAD
        and now.started == leader["started"]
        and leader["boot"] == boot_id()
    )


def _state(folder: str) -> Dict[str, Any]:
    """The truth table above. The exit file is asked for again at the end, as it may be written while we look."""
    if not os.path.isdir(folder):
        return {"state": "absent"}
    supervised, leader = False, None
    if not os.path.exists(os.path.join(folder, "exit")):
        lock = _try_lock(folder, fcntl.LOCK_SH)
        leader = _leader(folder)
        supervised = lock is None
        if lock is not None:
            os.close(lock)
    code = _read(folder, "exit")
    if code is not None:
        return {"state": "exited", "exit": int(code.split()[0])}
    if supervised or (leader and _leads_still(leader)):
        return {"state": "running"}
    return {"state": "killed" if leader else "absent"}


def look(talk: Talk, asked: Dict[str, Any]) -> None:
    """State and log in one answer; the state is taken first, so that the log of an ended unit is whole."""
    folder, offset = _folder(asked), asked["offset"]
    answer, log, size = _state(folder), b"", 0
    try:
        with open(os.path.join(folder, "log"), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            offset = min(offset, size)
            file.seek(offset)
            log = file.read(min(CHUNK, size - offset))
    except FileNotFoundError:
        pass
    answer.update(log=len(log), offset=offset + len(log), size=size)
    talk.say(answer)
    talk.raw(log)


def stop(talk: Talk, asked: Dict[str, Any]) -> None:
    """TERM now; a process that stays behind KILLs what is left after the grace."""
    folder = _folder(asked)
    deadline = time.monotonic() + START_WAIT_S
    while _state(folder)["state"] == "running" and _leader(folder) is None and time.monotonic() < deadline:
        time.sleep(0.02)
    leader = _leader(folder)
    if leader is not None and not os.path.exists(os.path.join(folder, "exit")):
        session, mark = _session_of(leader), leader["mark"]
        left = members(mark, session)
        if left:
            write_whole(
                os.path.join(folder, "stop"), json.dumps({"grace": asked["grace"], "at": time.time()})
            )
            signal_all(left, signal.SIGTERM)
            if detach():
                end_all(mark, session, asked["grace"])
                os._exit(0)
    talk.say({"stopped": True})
