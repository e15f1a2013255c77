"""Secrets at rest, and the files that hold the key to them."""

from __future__ import annotations

import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_private_key
from sqlalchemy.engine import make_url

from bot.store import Store
from bot.store.rows import SECRETS
from bot.store.session import migrate, open_database, reading
from bot.store.vault import Vault, deployment_key
from tests.store.tabs import KEY, T0, count
from tests.support.worker import Worker

REF = "abc234-1"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def public_of(private: str) -> str:
    key = load_ssh_private_key(private.encode(), None)
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def exported(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def dump(store: Store) -> str:
    """All that the database keeps: the files of SQLite, every row of PostgreSQL."""
    if store.engine.dialect.name == "sqlite":
        path = Path(make_url(str(store.engine.url)).database or "")
        files = sorted(path.parent.glob(f"{path.name}*"))
        return "".join(file.read_bytes().decode("latin-1") for file in files)
    async with reading(store.engine) as connection:
        return str((await connection.execute(SECRETS.select())).all())


async def test_the_private_key_is_nowhere_in_clear(store: Store):
    """Neither the key's armour nor any line of it is in the database; what is there opens with the right key."""
    public = await store.vault.new_keypair(REF, now=T0)
    private = await store.vault.private_key(REF)
    assert public == f"{public_of(private)} {REF}"
    everything = await dump(store)
    assert REF in everything
    assert not [line for line in private.splitlines() if line in everything]


async def test_another_deployments_key_opens_nothing(store: Store, tmp_path: Path):
    """A database that was carried off is of no use without the key; to its new owner the key pair is not there."""
    await store.vault.new_keypair(REF, now=T0)
    thief = Vault(store.engine, Fernet.generate_key, tmp_path / "keys")
    for reading_it in (thief.private_key(REF), thief.export(REF), thief.new_keypair(REF, now=T0)):
        with pytest.raises(KeyError):
            await reading_it
    assert exported(tmp_path / "keys") == []


async def test_a_key_pair_is_made_once(store: Store, other: Store):
    """A second call, of another bot too, returns the first one's public line; another name has another pair."""
    first = await store.vault.new_keypair(REF, now=T0)
    assert await other.vault.new_keypair(REF, now=T0) == first
    assert await other.vault.new_keypair("abc234-2", now=T0) != first
    assert await count(store.engine, SECRETS) == 2


async def test_an_exported_key_is_for_its_owners_eyes(store: Store, tmp_path: Path):
    """The file is 0600 in a 0700 folder; exporting again replaces it, a planted link is not followed."""
    await store.vault.new_keypair(REF, now=T0)
    victim = tmp_path / "victim"
    victim.write_text("mine")
    path = await store.vault.export(REF)
    path.unlink()
    path.symlink_to(victim)
    assert await store.vault.export(REF) == path
    assert path.read_text() == await store.vault.private_key(REF)
    assert (mode(path), mode(path.parent), path.is_symlink()) == (0o600, 0o700, False)
    assert victim.read_text() == "mine"
    assert exported(path.parent) == [REF]
    with pytest.raises(KeyError):
        await store.vault.export("nobody-1")


async def test_forgotten_is_gone_from_everywhere(store: Store):
    """Row, exported key and known hosts are removed; forgetting twice is fine."""
    await store.vault.new_keypair(REF, now=T0)
    path = await store.vault.export(REF)
    path.with_name(f"{REF}.known_hosts").write_text("host key")
    for _ in range(2):
        await store.vault.forget(REF)
    assert not exported(path.parent)
    with pytest.raises(KeyError):
        await store.vault.private_key(REF)


def test_the_deployments_key_is_made_once_and_kept(tmp_path: Path):
    """Without one in the settings there is a 0600 file in a 0700 folder; a configured one needs no file."""
    folder = tmp_path / "data"
    assert deployment_key(KEY.decode(), folder)() == KEY
    assert not folder.exists()
    key = deployment_key("", folder)()
    assert deployment_key("", folder)() == key
    Fernet(key)
    assert (mode(folder), mode(folder / "secret.key")) == (0o700, 0o600)
    assert [path.name for path in folder.iterdir()] == ["secret.key"]


def test_what_a_dead_start_left_is_in_nobodys_way(tmp_path: Path):
    """Eight starts at once under one process id, as in containers, agree on one key."""
    folder = tmp_path / "data"
    gate = threading.Barrier(8)

    def start(_: int) -> bytes:
        gate.wait()
        return deployment_key("", folder)()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(start, range(8)))) == 1
    assert [path.name for path in folder.iterdir()] == ["secret.key"]


async def test_two_processes_that_start_at_once_agree_on_one_key(tmp_path: Path):
    """What one of them seals the other can open."""
    workers = [Worker() for _ in range(2)]
    for number in range(5):
        for worker in workers:
            worker.tell("key", str(tmp_path / f"data{number}"))
        assert len({str(await worker.answer()) for worker in workers}) == 1
    for worker in workers:
        worker.end()


async def test_the_folder_of_a_new_database_is_private(tmp_path: Path):
    """Rentals, people and sealed keys are not for every user of the computer."""
    engine = open_database(f"sqlite+aiosqlite:///{tmp_path / 'data' / 'lastcall.db'}")
    await migrate(engine)
    await engine.dispose()
    assert mode(tmp_path / "data") == 0o700
