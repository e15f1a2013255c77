"""The end of a machine on a computer of one's own: everything of ours, and nothing that is not."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from adapters.providers.local.far import machines, processes, wipe
from adapters.shell import Shells
from bot.domain.errors import NeedsHuman
from bot.domain.market import Access, LaunchOrder, MachineState
from bot.ports import UnitJob
from tests.contracts.provider_fixtures import (
    PUBLIC_KEY,
    Stand,
    local_on_a_workstation,
    local_over_process,
    local_over_sshd,
)
from tests.support.sshd import MemoryKeyring
from tests.support.strays import (
    as_nobody,
    bystander,
    dies_at,
    fresh_label,
    let_go,
    mount,
    pin_down,
    run_stray,
    unmount,
)
from tests.support.waiting import is_alive, wait_until

LABEL = fresh_label()
LONGER = LABEL + "-x"
WAYS = (local_over_process, local_over_sshd, local_on_a_workstation)
SLEEPER = ("/bin/sh", "-c", "sleep 300 & sleep 301")
"""A job with a child."""


@pytest.fixture(params=WAYS, ids=lambda make: make.__name__)
async def stand(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stand]:
    """Local in each of its three ways."""
    async with request.param(tmp_path) as ready:
        yield ready


async def rented(stand: Stand, label: str = LABEL) -> Access:
    """The way into a machine that runs. The key of the order is not needed here: processes do."""
    offer = (await stand.provider.offers(stand.want))[0]
    await stand.provider.launch(offer, LaunchOrder(label, PUBLIC_KEY, 1))
    machine = await stand.provider.inspect(label)
    assert machine is not None
    assert machine.access is not None
    return machine.access


def inside(access: Access) -> Access:
    """The same folder and mark, entered without a key."""
    return Access("process", access.workdir, env=access.env, python=access.python)


@contextlib.contextmanager
def running(child: subprocess.Popen[bytes]) -> Iterator[int]:
    """A child that is ended with its test."""
    try:
        yield child.pid
    finally:
        child.kill()
        child.wait()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where machines are kept."""
    return tmp_path / "machines"


def make(root: Path, label: str = LABEL) -> Path:
    """A machine without an sshd, made by the far side itself; its work folder."""
    order = {"label": label, "disk_gb": 0, "locks": ["cpu"], "env": {}, "shell": "process", "keep": {}}
    machines.create(root, root.parent / "locks", order)
    return root / label / "work"


def destroy(root: Path, label: str = LABEL) -> None:
    """Its end, by the far side itself."""
    machines.destroy(root, root.parent / "locks", label)


# --- processes ------------------------------------------------------------------------------------


async def test_everything_that_the_machine_started_ends(stand: Stand):
    """A unit with its children, and a process that forked twice, left its session and ignores TERM."""
    access = inside(await rented(stand))
    shell = Shells(MemoryKeyring({}))
    await shell.start(access, "train", UnitJob(SLEEPER))
    pid = await run_stray(shell, access, Path(access.workdir))
    await wait_until(lambda: pid() > 0)
    stray = pid()
    unit = [one for one in processes.marked(LABEL) if "sleep" in processes.command_line(one)]
    assert is_alive(stray)
    assert len(unit) == 3
    await stand.provider.destroy(LABEL)
    assert [one for one in (stray, *unit) if is_alive(one)] == []
    assert processes.marked(LABEL) == {}
    assert await stand.provider.inspect(LABEL) is None


async def test_what_is_not_ours_lives_on(stand: Stand, tmp_path: Path):
    """A program that happens to stand in the workspace, and one of another machine whose name is only longer."""
    access = await rented(stand)
    work = Path(access.workdir)
    with (
        running(bystander({}, work)) as visitor,
        running(bystander({"LASTCALL_MACHINE": LONGER}, tmp_path)) as other,
        running(bystander({"NOTE": f"LASTCALL_MACHINE={LABEL}"}, tmp_path)) as talker,
    ):
        await stand.provider.destroy(LABEL)
        assert [is_alive(pid) for pid in (visitor, other, talker)] == [True, True, True]
    assert await stand.provider.inspect(LABEL) is None


def test_a_pid_that_was_used_again_is_a_stranger(root: Path):
    """A unit's pid file whose start time is another's names nobody."""
    work = make(root)
    unit = work / "units" / "train"
    unit.mkdir(parents=True)
    with running(bystander({}, work)) as stranger:
        (unit / "pid").write_text(f'{{"pid": {stranger}, "started": "1"}}')
        destroy(root)
        assert is_alive(stranger)


def test_a_unit_is_known_by_its_pid_file_as_well(root: Path):
    """Where no environment can be read, the file and the start time are the proof."""
    unit = make(root) / "units" / "train"
    unit.mkdir(parents=True)
    with running(bystander({}, root)) as leader:
        (unit / "pid").write_text(f'{{"pid": {leader}, "started": "{processes.started(leader)}"}}')
        destroy(root)
        assert not is_alive(leader)


def test_the_teardown_never_ends_itself():
    """A bot that was itself started inside a machine ends that machine and lives to tell."""
    ours = {pid: processes.started(pid) or "" for pid in (os.getpid(), os.getppid())}
    assert processes.end_all(lambda: ours, grace=0) == {}


# --- files ----------------------------------------------------------------------------------------


def test_what_a_symlink_leads_to_is_untouched(root: Path, tmp_path: Path):
    """Links to files and folders outside go, their targets stay: also where a secret or a unit should be."""
    work = make(root)
    treasure = tmp_path / "treasure"
    (treasure / "train").mkdir(parents=True)
    (treasure / "train" / "secrets").write_text("mine")
    (treasure / "train" / "pid").write_text(
        f'{{"pid": {os.getpid()}, "started": "{processes.started(os.getpid())}"}}'
    )
    (treasure / "file").write_text("mine")
    (work / "folder").symlink_to(treasure)
    (work / "units").symlink_to(treasure)
    (work / ".env").symlink_to(treasure / "file")
    destroy(root)
    assert not (root / LABEL).exists()
    assert (treasure / "train" / "secrets").read_text() == "mine"
    assert (treasure / "file").read_text() == "mine"


def test_a_secret_is_overwritten_before_it_goes(tmp_path: Path):
    """Whoever still holds the file open reads nothing; a file that has another name elsewhere keeps its words."""
    secret, shared, elsewhere = tmp_path / "secret", tmp_path / "shared", tmp_path / "elsewhere"
    secret.write_text("password")
    elsewhere.write_text("not ours alone")
    os.link(elsewhere, shared)
    with secret.open() as held:
        wipe.forget([secret, shared, tmp_path / "missing"])
        assert held.read() == "\0" * len("password")
    assert not secret.exists()
    assert not shared.exists()
    assert elsewhere.read_text() == "not ours alone"


def test_folders_that_were_made_read_only_are_removed():
    """Some caches are read-only, which stops everybody but root."""

    def make_and_destroy() -> None:
        cache = make(root) / "cache" / "deep"
        cache.mkdir(parents=True)
        (cache / "file").write_text("x")
        cache.chmod(0o500)
        cache.parent.chmod(0o000)
        destroy(root)

    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        root = Path(folder, "machines")
        as_nobody(make_and_destroy)
        assert list(root.iterdir()) == []


@pytest.mark.parametrize("where", ["/local/far/machines", "/local/far/wipe"])
def test_an_end_that_is_cut_off_anywhere_is_simply_asked_again(root: Path, where: str):
    """Killed before each call in turn: the machine is listed until it is gone, a secret never outlives the rest, and
    asking again ends it and frees the CPU."""
    point = 1
    while True:
        env = make(root) / "units" / "train" / "env"
        env.parent.mkdir(parents=True)
        env.write_text("HF_TOKEN=x")
        died = dies_at(point, lambda: destroy(root), where)
        found = machines.everything(root)
        assert [one["label"] for one in found] == ([LABEL] if (root / LABEL).exists() else [])
        assert not env.exists() or found[0]["made"]
        destroy(root)
        assert machines.everything(root) == []
        assert machines.locks.held(root.parent / "locks") == {}
        if not died:
            break
        point += 1
    assert point > 10


def test_a_mount_in_the_workspace_is_not_ours(root: Path, tmp_path: Path):
    """What is mounted there belongs to somebody else: nothing is removed until it is unmounted."""
    data, point = tmp_path / "data", make(root) / "mount"
    data.mkdir()
    (data / "file").write_text("not ours")
    point.mkdir()
    if not mount(data, point):
        pytest.skip("nothing can be mounted here")
    try:
        with pytest.raises(wipe.Stuck, match=r"mount is a mount.*unmount it"):
            destroy(root)
        assert (data / "file").exists()
        assert machines.everything(root)[0]["state"] == "ending"
    finally:
        unmount(point)
    destroy(root)
    assert (data / "file").exists()
    assert machines.everything(root) == []


def test_what_cannot_be_removed_keeps_the_machine_listed(root: Path):
    """The reason is told with it; once that is out of the way, asking again ends it."""
    file = make(root) / "pinned"
    file.write_text("x")
    if not pin_down(file):
        pytest.skip("files cannot be pinned here")
    try:
        with pytest.raises(wipe.Stuck, match="pinned"):
            destroy(root)
        found = machines.everything(root)
        assert [(one["label"], one["state"], "pinned" in one["reason"]) for one in found] == [
            (LABEL, "ending", True)
        ]
        assert machines.locks.held(root.parent / "locks") == {"cpu": LABEL}
    finally:
        let_go(file)
    destroy(root)
    assert machines.everything(root) == []


async def test_a_machine_that_cannot_be_ended_needs_a_human(tmp_path: Path):
    """The keeper's sentence reaches the person: repeating alone would not help."""
    async with local_over_process(tmp_path) as stand:
        file = Path((await rented(stand)).workdir) / "pinned"
        file.write_text("x")
        if not pin_down(file):
            pytest.skip("files cannot be pinned here")
        try:
            with pytest.raises(NeedsHuman, match=r"cannot remove .*pinned"):
                await stand.provider.destroy(LABEL)
            machine = await stand.provider.inspect(LABEL)
            assert machine is not None
            assert (machine.state, "pinned" in machine.reason) == (MachineState.ENDING, True)
        finally:
            let_go(file)
