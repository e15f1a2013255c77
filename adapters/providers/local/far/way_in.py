"""A machine's own sshd on the loopback address: one user, one key, one host key, nothing forwarded.

It is a daemon of its own, so that it outlives the bot; its folder holds all it needs. Before it is promised to
anyone, somebody logs in with a throw-away key: whether this account, shell and sshd go together is tried, not guessed.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, Dict, List, Optional

from adapters.providers.local.far import processes

SBIN = ("/usr/sbin", "/usr/local/sbin", "/sbin", "/opt/homebrew/sbin")
START_LIMIT = 3.0
TRIAL_LIMIT = 6.0


class NoWayIn(Exception):
    """No sshd could be had; the text says why."""


def start(folder: Path, public_key: str, env: Dict[str, str]) -> Dict[str, Any]:
    """Start an sshd in ``folder/ssh`` that lets ``public_key`` in, and prove it. Raises ``NoWayIn``."""
    if not public_key:
        raise NoWayIn("the order has no public key")
    sshd = _tool("sshd")
    user = _user()
    home = folder / "ssh"
    home.mkdir(mode=0o700)
    host_key = _new_key(home / "host_key")
    trial = _new_key(home / "trial_key")
    _write(home / "authorized_keys", f"{public_key}\n{trial}\n")
    if os.geteuid() == 0:
        # It refuses to start as root without this folder.
        Path("/run/sshd").mkdir(mode=0o755, parents=True, exist_ok=True)
    for _ in range(2):  # between choosing a free port and using it, another may take it
        port = _free_port()
        _write(home / "sshd_config", _config(home, port, env))
        pid = _launch(sshd, home, env)
        if pid:
            break
    else:
        raise NoWayIn(f"sshd did not start: {_last_words(home)}")
    _try(home, port, user)
    _write(home / "authorized_keys", f"{public_key}\n")
    for name in ("trial_key", "trial_key.pub"):
        (home / name).unlink()
    return {"port": port, "user": user, "host_key": host_key, "pid": pid, "started": processes.started(pid)}


def sshd_of(folder: Path, known: Optional[Dict[str, Any]]) -> processes.Found:
    """The sshd that serves this folder, if it runs: by its recorded start time, or, when the making was cut off
    before that was recorded, by its pid file and its own command line."""
    if known:
        pid, start_time = int(known["pid"]), str(known["started"])
        return {pid: start_time} if processes.started(pid) == start_time else {}
    config = folder / "ssh" / "sshd_config"
    try:
        pid = int((folder / "ssh" / "pid").read_text())
    except (OSError, ValueError):
        return {}
    began = processes.started(pid)
    words = processes.command_line(pid)
    return {pid: began} if began and "sshd" in words and str(config) in words else {}


def secrets(folder: Path) -> List[Path]:
    """Key files of a machine."""
    return [folder / "ssh" / name for name in ("host_key", "trial_key", "authorized_keys")]


def _config(home: Path, port: int, env: Dict[str, str]) -> str:
    quoted = str(home).replace("%", "%%")
    return "\n".join(
        [
            f"Port {port}",
            "ListenAddress 127.0.0.1",
            f'HostKey "{home}/host_key"',
            f'PidFile "{home}/pid"',
            f'AuthorizedKeysFile "{quoted}/authorized_keys"',
            "SetEnv " + " ".join(f"{name}={value}" for name, value in sorted(env.items())),
            "AuthenticationMethods publickey",
            "PubkeyAuthentication yes",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "PermitRootLogin prohibit-password",
            "UsePAM no",
            "StrictModes no",  # the folder may lie below one that its group may write
            "AllowTcpForwarding no",
            "AllowStreamLocalForwarding no",
            "AllowAgentForwarding no",
            "X11Forwarding no",
            "PermitTunnel no",
            "PermitUserEnvironment no",
            "PrintMotd no",
            "PrintLastLog no",
            "UseDNS no",
            "LoginGraceTime 20",
            "MaxStartups 50",
            "MaxSessions 50",
            "ClientAliveInterval 30",
            "Subsystem sftp internal-sftp",
            "",
        ]
    )


def _launch(sshd: str, home: Path, env: Dict[str, str]) -> int:
    """The daemon's pid, or 0 when it did not come up."""
    pid_file = home / "pid"
    command = [sshd, "-f", str(home / "sshd_config"), "-E", str(home / "log")]
    _quiet(command, START_LIMIT, {**os.environ, **env})
    until = time.monotonic() + START_LIMIT
    while time.monotonic() < until:
        if pid_file.exists() and pid_file.read_text().strip():
            return int(pid_file.read_text())
        if "Cannot bind" in _last_words(home) or "error" in _last_words(home).lower():
            return 0
        time.sleep(0.01)
    return 0


def _try(home: Path, port: int, user: str) -> None:
    """Log in once. Raises ``NoWayIn`` with sshd's own words. ``ssh`` stands in the folder, because it would read
    a ``%`` in a path as something else."""
    ssh = shutil.which("ssh")
    if ssh is None:
        return
    options = [
        "BatchMode=yes",
        "StrictHostKeyChecking=no",
        "UserKnownHostsFile=/dev/null",
        "IdentitiesOnly=yes",
    ]
    command = [ssh, "-F", "none", "-i", "trial_key", "-p", str(port), "-l", user]
    for option in options:
        command += ["-o", option]
    if _quiet([*command, "127.0.0.1", "true"], TRIAL_LIMIT, dict(os.environ), home) != 0:
        raise NoWayIn(f"sshd lets nobody in: {_last_words(home)}")


def _quiet(command: List[str], limit: float, env: Dict[str, str], cwd: Optional[Path] = None) -> int:
    """Run it with no hands on our pipes (a daemon must not keep them open); -1 when it took too long."""
    child = subprocess.Popen(
        command,
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return child.wait(limit)
    except subprocess.TimeoutExpired:
        child.kill()
        return -1


def _new_key(file: Path) -> str:
    """A fresh ed25519 key; the answer is ``type base64`` of its public half."""
    if _quiet(
        [_tool("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(file)],
        10,
        dict(os.environ),
    ):
        raise NoWayIn("ssh-keygen could not make a key")
    return " ".join(Path(f"{file}.pub").read_text().split()[:2])


def _tool(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path=os.pathsep.join(SBIN))
    if found is None:
        raise NoWayIn(f"{name} is not installed")
    return os.path.abspath(found)  # sshd starts itself again and wants its whole path


def _user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        raise NoWayIn(f"user id {os.getuid()} has no name here, and sshd wants one") from None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _write(file: Path, text: str) -> None:
    fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(fd, "w") as out:
        out.write(text)


def _last_words(home: Path) -> str:
    try:
        lines = (home / "log").read_text(errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return lines[-1] if lines else "it said nothing"
