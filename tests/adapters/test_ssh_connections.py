"""Who is let in and who answers: keys, host keys, bad ports, cut lines, and connections that are kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import asyncssh
import pytest

from adapters.shell import Limits, SshShell
from bot.domain.errors import FarSideFailed, HostKeyChanged, Unreachable
from bot.domain.market import Access
from tests.support.sshd import (
    KEY_REF,
    MemoryKeyring,
    OwnSshd,
    RealSshd,
    RefusingPort,
    SilentPort,
    new_key,
    private_text,
    public_line,
)
from tests.support.waiting import is_alive, wait_until
from tests.support.ways import SSH_KINDS, Way, open_way

SOON = timedelta(seconds=20)


@pytest.fixture(params=SSH_KINDS)
async def way(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Way]:
    async with open_way(request.param, tmp_path) as opened:
        yield opened


def host_of(way: Way) -> OwnSshd | RealSshd:
    assert way.host is not None
    return way.host


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def says(shell: SshShell, access: Access, word: str) -> bool:
    """Whether a command can be run there."""
    return (await shell.run(access, ["echo", word], limit=SOON)).stdout == word.encode() + b"\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An operator's empty ``~/.ssh``, with no agent."""
    (tmp_path / "home/.ssh").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return tmp_path / "home/.ssh"


class TestHostKeys:
    """A machine that we met once is known by its key."""

    async def test_first_contact_pins_what_was_shown(self, way: Way):
        """``pin`` trusts whom it meets first, and says whom it met."""
        pinned = await way.shell.pin(replace(way.access, host_keys=()))
        assert pinned.host_keys == (public_line(host_of(way).host_key),)

    async def test_without_a_pinned_key_nothing_is_run(self, way: Way):
        """Only ``pin`` may trust a stranger."""
        with pytest.raises(HostKeyChanged, match="none was pinned"):
            await way.shell.run(replace(way.access, host_keys=()), ["true"], limit=SOON)

    async def test_another_key_is_not_talked_to(self, way: Way):
        """Neither by ``pin`` nor by a command; the sentence shows both fingerprints."""
        host = host_of(way)
        old = host.host_key.get_fingerprint()
        assert await says(way.shell, way.access, "hello")
        await host.change_host_key()
        for call in (way.shell.pin(way.access), way.shell.run(way.access, ["true"], limit=SOON)):
            with pytest.raises(HostKeyChanged) as changed:
                await call
            assert old in changed.value.reason
            assert host.host_key.get_fingerprint() in changed.value.reason

    async def test_one_of_several_pinned_keys_is_enough(self, way: Way):
        """A host has keys of several kinds; the kinds that are pinned are asked for first."""
        other = public_line(asyncssh.generate_private_key("ecdsa-sha2-nistp256"))
        access = replace(way.access, host_keys=(other, *way.access.host_keys))
        assert await says(way.shell, access, "hello")


class TestKeys:
    """Each rental has a key of its own; a workstation is entered as its operator enters it."""

    async def test_another_key_is_not_accepted(self, way: Way):
        """The sentence tells this from a machine that is not there."""
        shell = SshShell(MemoryKeyring({KEY_REF: private_text(new_key())}))
        for call in (shell.pin(way.access), shell.run(way.access, ["true"], limit=SOON)):
            with pytest.raises(Unreachable, match="did not accept the key"):
                await call

    async def test_a_key_that_was_removed_is_said(self, way: Way):
        """So is one that cannot be read."""
        for keys, said in (({}, "was removed"), ({KEY_REF: "no key"}, "cannot be read")):
            with pytest.raises(Unreachable, match=said):
                await SshShell(MemoryKeyring(keys)).pin(way.access)

    async def test_the_operators_own_key_opens_a_workstation(self, way: Way, home: Path):
        """Without a key of ours, ``~/.ssh`` is used: its key, and its known_hosts, which is never written."""
        host = host_of(way)
        (home / "id_ed25519").write_text(private_text(host.client_key))
        (home / "known_hosts").write_text(f"[127.0.0.1]:{host.port} {public_line(host.host_key)}\n")
        access = replace(way.access, key_ref="", host_keys=())
        assert await says(way.shell, access, "hello")
        assert (await way.shell.pin(access)).host_keys == (public_line(host.host_key),)
        (home / "known_hosts").unlink()
        with pytest.raises(HostKeyChanged):
            await SshShell(MemoryKeyring({})).run(access, ["true"], limit=SOON)
        await way.shell.pin(access)
        assert names(home) == ["id_ed25519"]

    async def test_the_operators_known_hosts_are_believed(self, way: Way, home: Path):
        """A key that differs from known_hosts is refused, even at first contact."""
        host = host_of(way)
        (home / "id_ed25519").write_text(private_text(host.client_key))
        (home / "known_hosts").write_text(f"[127.0.0.1]:{host.port} {public_line(new_key())}\n")
        with pytest.raises(HostKeyChanged, match="is in known_hosts"):
            await way.shell.pin(replace(way.access, key_ref="", host_keys=()))


class TestBadPorts:
    """A machine that boots answers in several wrong ways before it answers in the right one."""

    limits = Limits(connect=timedelta(seconds=2), login=timedelta(seconds=0.2))

    def access(self, port: int) -> Access:
        return Access("ssh", "/nowhere", host="127.0.0.1", port=port, user="root", key_ref=KEY_REF)

    def shell(self) -> SshShell:
        return SshShell(MemoryKeyring({KEY_REF: private_text(new_key())}), limits=self.limits)

    async def test_nobody_listens(self):
        """Refused is said as refused."""
        with RefusingPort() as port, pytest.raises(Unreachable, match="refused the connection"):
            await self.shell().pin(self.access(port))

    async def test_a_port_that_takes_the_connection_and_is_silent(self):
        """The login has a limit of its own."""
        with SilentPort() as port, pytest.raises(Unreachable, match="did not finish the login"):
            await self.shell().pin(self.access(port))

    async def test_a_port_where_something_else_speaks(self):
        """A web server, for one, is no SSH server; whatever it says, it is not reachable."""

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            with pytest.raises(Unreachable, match="was cut"):
                await self.shell().pin(self.access(server.sockets[0].getsockname()[1]))

    async def test_a_name_that_does_not_resolve(self):
        """The vendor's DNS may lag behind its listing."""
        with pytest.raises(Unreachable, match=r"name of no-such-host\.invalid"):
            await self.shell().pin(replace(self.access(22), host="no-such-host.invalid"))


class TestCuts:
    """Lines are cut. What is started new begins on a new line; what was under way is said to be lost."""

    async def test_the_next_command_opens_a_new_connection(self, way: Way):
        """A cut between two commands is not noticed by anybody."""
        assert await says(way.shell, way.access, "one")
        host_of(way).cut_connections()
        assert await says(way.shell, way.access, "two")

    async def test_a_cut_in_the_middle_is_told_and_ends_the_command(self, way: Way):
        """Nobody knows what became of a command whose line was cut, so that it is stopped over there."""
        script = "echo $$ > pid.new; mv pid.new pid; exec sleep 600"
        call = asyncio.create_task(way.shell.run(way.access, ["sh", "-c", script], limit=SOON))
        await wait_until((way.folder / "pid").exists, SOON)
        host_of(way).cut_connections()
        with pytest.raises(Unreachable, match="was cut"):
            await call
        pid = int((way.folder / "pid").read_text())
        await wait_until(lambda: not is_alive(pid), SOON)

    async def test_a_machine_without_python_says_so(self, way: Way):
        """It is not taken for a cut."""
        with pytest.raises(FarSideFailed, match="no Python") as failed:
            await way.shell.run(replace(way.access, python="/nowhere/python3"), ["true"], limit=SOON)
        assert failed.value.kind == "missing"

    async def test_an_interpreter_that_fails_is_told_in_its_own_words(self, way: Way):
        """Whatever runs in Python's place, its last words and its exit code are in the sentence."""
        fake = way.folder / "fake"
        fake.write_text("#!/bin/sh\necho starting >&2\necho 'out of luck' >&2\nexit 3\n")
        fake.chmod(0o755)
        with pytest.raises(FarSideFailed, match="code 3: out of luck"):
            await way.shell.run(replace(way.access, python=str(fake)), ["true"], limit=SOON)


class TestKeptConnections:
    """A login costs a second on a long line: it is done once."""

    async def test_one_connection_serves_all(self, tmp_path: Path):
        """Even when many ask for it at once; ``close`` ends it."""
        async with open_way("asyncssh", tmp_path) as way:
            assert isinstance(way.host, OwnSshd)
            await asyncio.gather(*(says(way.shell, way.access, "hello") for _ in range(5)))
            assert way.host.logins == 1
            await way.shell.close()
            await wait_until(lambda: not host_of(way).is_connected, SOON)

    async def test_an_idle_connection_is_closed(self, tmp_path: Path):
        """The next command opens another."""
        async with open_way("asyncssh", tmp_path) as way:
            assert isinstance(way.host, OwnSshd)
            shell = SshShell(way.host.keyring(), limits=Limits(idle=timedelta(0)))
            assert await says(shell, way.access, "one")
            await wait_until(lambda: not host_of(way).is_connected, SOON)
            assert await says(shell, way.access, "two")
            assert way.host.logins == 2
            await shell.close()
