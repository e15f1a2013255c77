"""``lastcall reap`` where a setting cannot be read: what does not need it is reaped all the same, and it is shouted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.entry.readable import Readable
from bot.settings import Settings
from bot.wiring import reaping_of
from tests.entry.test_reap import SECRET, VENDORS, clouds, pager, reap


async def test_a_malformed_setting_that_it_does_not_need_stops_nothing(tmp_path: Path):
    """Budgets, electricity and SSH ports are the bot's; exit 0, and each is told."""
    wrong = {"LASTCALL_PERSON_DAY": "lots", "LASTCALL_DATABASE_URL": "mysql://x", "LAMBDA_SSH_PORT": "ssh"}
    async with clouds() as them:
        for vendor in VENDORS:
            them.put(vendor)
        words = ("--dry-run", "--json", "--namespace", "ours")  # what it ends is proven below
        said = await reap(tmp_path, *words, **{**them.settings, **wrong})
    assert said.code == 0, said
    assert said.fates() == {vendor: ["would end"] for vendor in VENDORS}
    assert all(any(name in note for note in said.json["notes"]) for name in wrong)


async def test_a_malformed_key_spares_no_other_account_and_is_shouted(tmp_path: Path):
    """That account is unknown, so exit 1; the value of the key is nowhere."""
    async with clouds() as them, pager() as (address, heard):
        machine = them.put("vast")
        them.put("runpod")
        wrong = {
            **them.settings,
            "VAST_API_KEY": f"{SECRET} {SECRET}",
            "LASTCALL_NOTIFY_URLS": f"{address} {SECRET}",
        }
        said = await reap(tmp_path, "--json", "--namespace", "ours", **wrong)
        left = {vendor: them.alive(vendor) for vendor in VENDORS}
    assert said.code == 1
    assert left == {"vast": [machine], "runpod": [], "lambda": []}
    (told,) = heard
    assert "vast: unknown" in told["message"] and "VAST_API_KEY: is no API key" in told["message"]
    assert "address 2 is none" in told["message"], (
        "the address that can be read is told of the one that cannot"
    )
    assert SECRET not in told["message"]


async def test_a_malformed_namespace_ends_nothing_and_is_shouted(tmp_path: Path):
    """What is kept in the data folder may be another's: nothing is guessed. Named on the command line, all is well."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "namespace").write_text("ours\n")
    async with clouds() as them, pager() as (address, heard):
        machine = them.put("vast")
        wrong = {**them.settings, "LASTCALL_NAMESPACE": "Our Team", "LASTCALL_NOTIFY_URLS": address}
        said = await reap(tmp_path, **wrong)
        assert them.alive("vast") == [machine]
        assert said.code == 1 and "LASTCALL_NAMESPACE: is 1 to 20" in said.err
        (told,) = heard
        assert "did not look at anything" in told["title"] and "LASTCALL_NAMESPACE" in told["message"]
        named = await reap(tmp_path, "--dry-run", "--json", "--namespace", "ours", **wrong)
    assert named.code == 0 and named.fates()["vast"] == ["would end"]


@pytest.mark.parametrize(
    ("faults", "asked", "blind"),
    [
        ({}, ["vast"], []),
        ({"vast_api_url": "VAST_API_URL: is none."}, [], ["vast"]),
        ({"vast_api_key": "VAST_API_KEY: is none."}, [], ["vast"]),
        ({"lambda_api_url": "LAMBDA_API_URL: is none."}, ["vast"], []),
        ({"lambda_ssh_port": "LAMBDA_SSH_PORT: is none."}, ["vast"], []),
    ],
)
async def test_only_an_account_that_was_meant_to_be_asked_is_missed(
    faults: dict[str, str], asked: list[str], blind: list[str], tmp_path: Path
):
    """A key goes to no other address than the one that was meant; an account without a key is nobody's business."""
    fields: dict[str, Any] = {
        "vast_api_key": "k",
        "runpod_api_key": "",
        "lambda_api_key": "",
        "data_dir": tmp_path,
    }
    read = Readable(Settings(_env_file=None, **fields), faults)
    parts = reaping_of(read.settings, "ours", read.faults)
    await parts.close()
    assert [one.name for one in parts.providers] == asked
    assert [one.provider for one in parts.blind] == blind
