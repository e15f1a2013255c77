"""A computer of one's own: what is offered, who may have it, how one gets in, and what a crash leaves."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import psutil
import pytest

from adapters.providers.local import LocalProvider, this_computer, workstation, workstations
from adapters.providers.local.far import keeper, processes
from adapters.providers.local.host import Host
from adapters.providers.local.offers import Seller, offers
from adapters.registry import PROFILES, computers
from adapters.shell import Shells
from bot.domain.errors import NeedsHuman, NoCapacity, ProviderError, TryLater, VendorChanged
from bot.domain.gpus import model
from bot.domain.market import Access, LaunchOrder, Machine, MachineState, Want
from bot.domain.money import ZERO, Usd
from bot.ports import Ran
from tests.support import gpu_tools
from tests.support.gpu_tools import RTX_3090, SECOND_3090
from tests.support.sshd import (
    KEY_REF,
    MemoryKeyring,
    RefusingPort,
    find_sshd,
    new_key,
    private_text,
    public_line,
)
from tests.support.strays import as_nobody, dies_at, fresh_label
from tests.support.waiting import is_alive, wait_until

LABEL, SECOND = fresh_label(1), fresh_label(2)
ANY_CPU = Want(cpu_ok=True, disk_gb=1)
KEY = new_key()
needs_sshd = pytest.mark.skipif(find_sshd() is None, reason="OpenSSH's sshd is not installed")


class Bench:
    """This computer as a provider, with the GPU tools that a test gives it."""

    def __init__(self, folder: Path, shell: Shells) -> None:
        self.data = folder / "data"
        self.shell = shell
        self.tools = gpu_tools.install(folder / "tools")

    def with_tools(self, **scripts: str) -> Bench:
        gpu_tools.install(Path(self.tools), **scripts)
        return self

    def provider(self, *, way_in: str = "process", kwh_usd: str = "0") -> LocalProvider:
        return this_computer(
            self.shell, data_dir=self.data, way_in=way_in, kwh_usd=Decimal(kwh_usd), tools=self.tools
        )

    def order(self, label: str = LABEL, disk_gb: int = 1) -> LaunchOrder:
        return LaunchOrder(label, public_line(KEY), disk_gb, key_ref=KEY_REF)

    async def machine(self, label: str = LABEL, want: Want = ANY_CPU, way_in: str = "process") -> Machine:
        """A machine that runs."""
        provider = self.provider(way_in=way_in)
        await provider.launch((await provider.offers(want))[0], self.order(label))
        machine = await provider.inspect(label)
        assert machine is not None
        return machine

    def folder(self, label: str = LABEL) -> Path:
        return self.data / "machines" / label

    def ask(self, command: str, **words: object) -> dict[str, object]:
        """The keeper itself, without a shell in between."""
        folders = {"root": str(self.data / "machines"), "locks": str(self.data / "locks")}
        return keeper.answer({**folders, **words, "command": command})

    def half_order(self, label: str = LABEL) -> dict[str, object]:
        env = {"LASTCALL_MACHINE": label}
        keep = {"key_ref": "", "hourly": 0}
        return {"label": label, "disk_gb": 1, "locks": ["cpu"], "env": env, "shell": "process", "keep": keep}


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """This computer without GPUs; what a test leaves running is ended."""
    shell = Shells(MemoryKeyring({KEY_REF: private_text(KEY)}))
    made = Bench(tmp_path, shell)
    yield made
    await shell.close()
    for left in made.ask("list").get("ok", []):  # type: ignore[attr-defined]
        made.ask("destroy", label=left["label"])


# --- offers ---------------------------------------------------------------------------------------


async def test_without_a_gpu_the_cpu_is_offered_to_who_allows_it(bench: Bench):
    """Marked CPU-only, priced by the meter, and only for a wish that allows it and wants no GPU."""
    provider = bench.provider(kwh_usd="0.30")
    offer = (await provider.offers(ANY_CPU))[0]
    assert (offer.gpu, offer.cpu_only, offer.count, offer.vram_gb) == ("CPU only", True, 1, 0)
    assert offer.hourly == Usd.of("0.0195")
    assert "65 W (assumed) at $0.30/kWh" in offer.note
    for refused in (Want(disk_gb=1), replace(ANY_CPU, gpu="RTX 3090"), replace(ANY_CPU, vram_gb=8)):
        assert await provider.offers(refused) == []


async def test_each_free_gpu_is_an_offer(bench: Bench):
    """Two cards are two offers of one, or one offer of two; electricity is their power limit."""
    provider = bench.with_tools(nvidia_smi=gpu_tools.TWO_3090).provider(kwh_usd="0.30")
    single = await provider.offers(Want(gpu="RTX 3090", disk_gb=1))
    assert [(offer.id, offer.count, offer.host) for offer in single] == [
        (RTX_3090, 1, RTX_3090),
        (SECOND_3090, 1, SECOND_3090),
    ]
    assert single[0].hourly == Usd.of("0.105")
    pair = await provider.offers(Want(count=2, vram_gb=24, disk_gb=1))
    assert [(offer.count, offer.vram_gb, offer.hourly) for offer in pair] == [(2, 24, Usd.of("0.21"))]
    avoiding = await provider.offers(Want(disk_gb=1, avoid=frozenset({pair[0].host})))
    assert avoiding == []


async def test_what_does_not_fit_is_not_offered(bench: Bench):
    """Another model, too little memory, too dear, or spot, which there is none of. A computer that is itself too small
    says what it lacks."""
    look = await bench.with_tools(nvidia_smi=gpu_tools.HEALTHY).provider()._look()
    seller = Seller("local", "this computer", Decimal(1))
    assert [offer.gpu for offer in offers(look, Want(disk_gb=1), seller)] == ["A10"]
    for want in (
        Want(disk_gb=1, gpu="RTX 3090"),
        Want(disk_gb=1, vram_gb=40),
        Want(disk_gb=1, count=2),
        Want(disk_gb=1, max_hourly=Usd.of("0.10")),
        Want(disk_gb=1, spot=True),
        Want(disk_gb=1, cpu_ok=True, gpu="H100 SXM"),
    ):
        assert offers(look, want, seller) == []
    for want, lacks in ((Want(disk_gb=10**6), "free disk"), (Want(disk_gb=1, ram_gb=10**6), "of memory")):
        with pytest.raises(NoCapacity, match=lacks):
            offers(look, want, seller)


async def test_a_card_that_works_for_somebody_else_is_no_offer(bench: Bench):
    """A program that is not ours holds most of the memory: we leave it alone."""
    assert await bench.with_tools(nvidia_smi=gpu_tools.BUSY).provider().offers(Want(disk_gb=1)) == []


async def test_an_amd_card_is_offered_with_its_truth(bench: Bench):
    """The note on the quote says that CUDA-only tools will not run."""
    provider = bench.with_tools(rocm_smi=gpu_tools.ROCM_6).provider()
    offer = (await provider.offers(Want(disk_gb=1)))[0]
    assert "CUDA-only tools will not run" in offer.note
    assert await provider.launch(offer, bench.order()) == LABEL
    machine = await provider.inspect(LABEL)
    assert machine is not None
    assert machine.access is not None
    assert machine.access.env["HIP_VISIBLE_DEVICES"] == "0"


# --- who may have it ------------------------------------------------------------------------------


async def test_a_gpu_in_use_is_no_offer_to_the_next(bench: Bench):
    """Each rental sees its own card alone, and the third finds nothing; what ends is free again."""
    provider = bench.with_tools(nvidia_smi=gpu_tools.TWO_3090).provider()
    want = Want(disk_gb=1)
    first = await bench.machine(LABEL, want)
    assert first.access is not None
    assert first.access.env == {"LASTCALL_MACHINE": LABEL, "CUDA_VISIBLE_DEVICES": RTX_3090}
    assert [offer.id for offer in await provider.offers(want)] == [SECOND_3090]
    assert await provider.offers(Want(count=2, disk_gb=1)) == []
    await bench.machine(SECOND, want)
    assert await provider.offers(want) == []
    await provider.destroy(LABEL)
    assert [offer.id for offer in await provider.offers(want)] == [RTX_3090]


async def test_a_lost_race_takes_nothing(bench: Bench):
    """An offer of two cards of which one went meanwhile is ``NoCapacity``; the other card stays free."""
    provider = bench.with_tools(nvidia_smi=gpu_tools.TWO_3090).provider()
    pair = (await provider.offers(Want(count=2, disk_gb=1)))[0]
    single = (await provider.offers(Want(disk_gb=1)))[1]
    await provider.launch(single, bench.order(SECOND))
    with pytest.raises(NoCapacity, match=f"in use by {SECOND}"):
        await provider.launch(pair, bench.order())
    assert [machine.label for machine in await provider.machines()] == [SECOND]
    assert [offer.id for offer in await provider.offers(Want(disk_gb=1))] == [RTX_3090]


async def test_a_full_disk_is_no_capacity(bench: Bench):
    """The disk is asked again when the machine is made, and nothing is left behind."""
    provider = bench.provider()
    offer = (await provider.offers(ANY_CPU))[0]
    with pytest.raises(NoCapacity, match="GB free"):
        await provider.launch(offer, bench.order(disk_gb=10**6))
    assert await provider.machines() == []


async def test_a_label_is_launched_once(bench: Bench):
    """A second launch under the same label makes nothing: the machine that is there has to be looked at."""
    await bench.machine()
    again = bench.ask("create", order=bench.half_order())
    assert again["no"] == "exists"
    assert bench.folder().is_dir()


# --- the way in -----------------------------------------------------------------------------------


@needs_sshd
async def test_a_machine_with_its_own_sshd_lets_its_key_in_and_no_other(bench: Bench):
    """The host key is pinned from the start, the mark is in the environment, and another key is refused."""
    machine = await bench.machine(way_in="auto")
    access = machine.access
    assert access is not None
    assert (access.kind, access.host, access.key_ref, len(access.host_keys)) == (
        "ssh",
        "127.0.0.1",
        KEY_REF,
        1,
    )
    assert (await bench.shell.pin(access)).host_keys == access.host_keys
    told = await bench.shell.run(
        access, ["/bin/sh", "-c", "pwd; echo $LASTCALL_MACHINE"], limit=timedelta(seconds=20)
    )
    assert told.stdout.decode().split() == [access.workdir, LABEL]
    stranger = Shells(MemoryKeyring({KEY_REF: private_text(new_key())}))
    with pytest.raises(Exception, match="did not accept the key"):
        await stranger.pin(access)
    await stranger.close()


@needs_sshd
def test_a_folder_of_any_name_will_do(tmp_path: Path):
    """Spaces and per cent signs mean something to sshd and to ssh; not here."""
    bench = Bench(tmp_path / "my 5% data", Shells(MemoryKeyring({})))
    order = {**bench.half_order(), "shell": "ssh", "public_key": public_line(KEY)}
    assert "ok" in bench.ask("create", order=order)
    assert bench.ask("destroy", label=LABEL) == {"ok": None}


@needs_sshd
async def test_an_sshd_that_was_ended_is_a_stopped_machine(bench: Bench):
    """As after a restart of the computer: STOPPED with a reason, and it can be destroyed."""
    await bench.machine(way_in="ssh")
    pid = json.loads((bench.folder() / "machine.json").read_text())["sshd"]["pid"]
    psutil.Process(pid).kill()
    await wait_until(lambda: not is_alive(pid))
    machine = await bench.provider().inspect(LABEL)
    assert machine is not None
    assert machine.state is MachineState.STOPPED
    assert "sshd does not run" in machine.reason
    await bench.provider().destroy(LABEL)
    assert await bench.provider().inspect(LABEL) is None


async def test_a_computer_that_was_restarted_has_stopped_machines(bench: Bench):
    """Without an sshd the computer's own boot id tells."""
    await bench.machine()
    file = bench.folder() / "machine.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "boot": "before"}))
    machine = (await bench.provider().machines())[0]
    assert (machine.state, "started again" in machine.reason) == (MachineState.STOPPED, True)


async def test_a_key_of_two_lines_is_refused(bench: Bench):
    """A second line in the public key would be a second way in."""
    offer = (await bench.provider().offers(ANY_CPU))[0]
    order = LaunchOrder(LABEL, f"{public_line(KEY)}\n{public_line(new_key())}", 1)
    with pytest.raises(NeedsHuman, match="not one line"):
        await bench.provider(way_in="auto").launch(offer, order)


# --- what a crash leaves --------------------------------------------------------------------------


def test_a_making_that_is_cut_off_anywhere_is_listed_and_can_be_ended(tmp_path: Path):
    """Killed before each call in turn: what is there is STARTING or complete, its end is always possible, and then
    the next machine can have the CPU."""
    bench = Bench(tmp_path, Shells(MemoryKeyring({})))
    seen = set()
    point = 1
    while dies_at(point, lambda: bench.ask("create", order=bench.half_order()), "/local/far/"):
        for machine in bench.ask("list")["ok"]:  # type: ignore[attr-defined]
            seen.add(machine["state"])
        assert bench.ask("destroy", label=LABEL) == {"ok": None}
        assert bench.ask("list") == {"ok": []}
        assert not list((bench.data / "locks").glob("*.json"))
        point += 1
    assert seen == {"stopped", "running"}
    assert bench.ask("destroy", label=LABEL) == {"ok": None}
    assert point > 30


@needs_sshd
def test_an_sshd_whose_making_was_cut_off_is_ended(tmp_path: Path):
    """Killed with its sshd already running and nothing written down: the folder's own pid file leads to it."""
    bench = Bench(tmp_path, Shells(MemoryKeyring({})))
    order = {**bench.half_order(), "shell": "ssh", "public_key": public_line(KEY)}
    pids = []
    died, point = True, 0
    while died:
        point += 1
        died = dies_at(point, lambda: bench.ask("create", order=order), "/local/far/way_in", once=True)
        file = bench.folder() / "ssh" / "pid"
        pids += [int(text) for text in file.read_text().split()] if file.exists() else []
        assert bench.ask("destroy", label=LABEL) == {"ok": None}
    assert len(pids) > 1, f"of {point} points"
    assert [pid for pid in pids if is_alive(pid)] == []


def test_an_account_that_cannot_log_in_is_entered_directly():
    """Tried, not guessed: where the account's shell lets nobody in, the machine is a plain process, says why, and
    no sshd is left behind. Who insists on SSH is told."""
    # Without the rights to become nobody, an order without a key is what lets nobody in.
    key = public_line(KEY) if os.getuid() == 0 else ""

    def make(folder: Path) -> None:
        bench = Bench(folder, Shells(MemoryKeyring({})))
        order = {**bench.half_order(), "public_key": key}
        made = bench.ask("create", order={**order, "shell": "auto"})["ok"]["made"]  # type: ignore[index]
        assert made["sshd"] is None
        assert made["no_sshd_because"]
        assert not (bench.folder() / "ssh").exists()
        assert bench.ask("destroy", label=LABEL) == {"ok": None}
        assert bench.ask("create", order={**order, "shell": "ssh"})["no"] == "no_way_in"
        assert not bench.folder().exists()

    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        as_nobody(lambda: make(Path(folder)))
        assert [pid for pid in psutil.pids() if folder in processes.command_line(pid)] == []


async def test_a_folder_that_is_half_made_is_starting_while_somebody_makes_it(bench: Bench):
    """Given up by its maker, it is STOPPED and says why; one that cannot be read is UNKNOWN, never left out."""
    bench.folder().mkdir(parents=True)
    bench.folder(SECOND).mkdir()
    (bench.folder(SECOND) / "machine.json").write_text("{half")
    listed = {machine.label: machine for machine in await bench.provider().machines()}
    half, broken = listed[LABEL], listed[SECOND]
    assert (half.state, half.access, "cut off" in half.reason) == (MachineState.STOPPED, None, True)
    held = os.open(bench.folder(), os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    made = await bench.provider().inspect(LABEL)
    os.close(held)
    assert made is not None and made.state is MachineState.STARTING
    assert (broken.state, broken.label) == (MachineState.UNKNOWN, SECOND)


async def test_a_lock_of_a_machine_that_is_gone_is_no_lock(bench: Bench):
    """Somebody removed the folder by hand: the GPU is not lost for ever."""
    await bench.machine()
    (bench.folder()).rename(bench.data / "elsewhere")
    assert len(await bench.provider().offers(ANY_CPU)) == 1
    await bench.machine(SECOND)


# --- workstations ---------------------------------------------------------------------------------


def test_workstations_are_read_from_one_line():
    """User and port are optional; an IPv6 address stands in brackets."""
    found = workstations(" ann@ws1, ws2:2222 ,[fd00::7]:22,")
    assert [(one.user, one.host, one.port) for one in found] == [
        ("ann", "ws1", 22),
        ("", "ws2", 2222),
        ("", "fd00::7", 22),
    ]
    assert workstations("") == ()


@pytest.mark.parametrize(
    "entry", ["ann@", "@ws1", "ws1:0", "ws1:99999", "ws 1", "ws1:x", "-oProxyCommand=x", "a@b@c"]
)
def test_an_entry_that_is_no_host_is_named(entry: str):
    """The sentence names the entry and what would be right."""
    with pytest.raises(ValueError, match=r"is not \[user@\]host\[:port\]"):
        workstations(f"ok,{entry}")


def test_the_same_host_twice_is_refused():
    """Both would be ``local/ws1``."""
    with pytest.raises(ValueError, match="ws1 is named twice"):
        workstations("ann@ws1,bob@ws1:2222")


async def test_a_workstation_that_is_offline_is_an_error_and_never_empty(bench: Bench):
    """Each question says that it is not known; this computer answers meanwhile."""
    with RefusingPort() as port:
        away = workstation(workstations(f"ann@127.0.0.1:{port}")[0], bench.shell, namespace="tests")
        assert away.name == "local/127.0.0.1"
        for question in (
            away.machines(),
            away.inspect(LABEL),
            away.destroy(LABEL),
            away.offers(ANY_CPU),
            away.account(),
        ):
            with pytest.raises(TryLater, match="refused the connection"):
                await question
    assert await bench.provider().machines() == []


class Parrot(Shells):
    """A shell whose far side always says the same."""

    def __init__(self, ran: Ran) -> None:
        super().__init__(MemoryKeyring({}))
        self._ran = ran

    async def run(self, access: Access, argv: object, *, limit: timedelta, stdin: bytes = b"") -> Ran:
        return self._ran


@pytest.mark.parametrize(
    ("ran", "error"),
    [
        (Ran(0, b"Welcome!\n", b""), VendorChanged),
        (Ran(0, b'lastcall-keeper:{"half', b""), VendorChanged),
        (Ran(1, b"", b"SyntaxError: invalid syntax"), VendorChanged),
        (Ran(0, b'lastcall-keeper:{"ok": [{"label": "x"}]}', b""), VendorChanged),
        (Ran(127, b"", b"python3: No such file or directory"), NeedsHuman),
        (Ran(0, b'lastcall-keeper:{"no": "fault", "why": "Input/output error"}', b""), TryLater),
    ],
)
async def test_an_answer_that_cannot_be_read_is_unknown(ran: Ran, error: type[ProviderError]):
    """Whatever is not the keeper's whole word is an error with its reason, never an empty listing."""
    host = Host(Access("process", "/"), Parrot(ran), title="ws1", root="/nowhere", locks="/nowhere")
    with pytest.raises(error, match="ws1"):
        await LocalProvider("local/ws1", host, way_in="host").machines()


# --- the registry ---------------------------------------------------------------------------------


def test_every_computer_is_a_provider_of_its_own(tmp_path: Path):
    """One that is offline must not keep another's rentals open."""
    shell = Shells(MemoryKeyring({}))
    found = computers(shell, data_dir=tmp_path, namespace="tests", local_hosts="ann@ws1,ws2")
    assert [one.name for one in found] == ["local", "local/ws1", "local/ws2"]
    assert {one.profile.family for one in found} == {"local"}
    with pytest.raises(ValueError, match="LASTCALL_LOCAL_SHELL"):
        computers(shell, data_dir=tmp_path, namespace="tests", local_shell="telnet")


def test_every_provider_can_be_compared():
    """Configured or not; their examples are cards that we know, at a rate, and each cloud names its setting."""
    assert [one.family for one in PROFILES] == ["local", "vast", "runpod", "lambda"]
    assert [one.setting for one in PROFILES] == ["", "VAST_API_KEY", "RUNPOD_API_KEY", "LAMBDA_API_KEY"]
    assert all(one.example_hourly > ZERO and model(one.example_gpu) for one in PROFILES if not one.owned)
