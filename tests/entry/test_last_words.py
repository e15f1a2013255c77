"""Whatever is wrong with settings, disk or database is told in one line, with exit code 1 and no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def lastcall(folder: Path, *words: str, head: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    """Run it there with these settings and nothing to read."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("LASTCALL_")}
    command = [sys.executable, "-m", "bot", *words]
    return subprocess.run(
        command,
        env={**bare, "PYTHONPATH": str(ROOT), **settings},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("DEFAULT_HOURS", "soon", "'soon' is no number of hours"),
        ("DEFAULT_HOURS", "0", "more than 0"),
        ("DEFAULT_BUDGET", "-1", "must not be negative"),
        ("AUTO_CONFIRM", "nan", "no amount of dollars"),
        ("KWH_USD", "cheap", "'cheap' is no price of a kWh"),
        ("KWH_USD", "inf", "must be 0 to 10 dollars"),
        ("DATABASE_URL", "mysql://me:hidden@there/db", "is no database of ours"),
        ("DATABASE_URL", "nonsense", "is no database of ours"),
        ("SECRET_KEY", "short", "is no key; it is 32 bytes"),
        ("NAMESPACE", "A-b", "1 to 20 lower-case letters and digits"),
        ("LOCAL_SHELL", "telnet", "'telnet' is none of 'auto', 'ssh' or 'process'"),
        ("LOCAL_HOSTS", "two words", "is not [user@]host[:port]"),
        ("LOG_LEVEL", "LOUD", "'LOUD' is none of"),
        ("RECIPES", "/nowhere/at/all", "is no folder"),
    ],
)
def test_a_wrong_setting_is_named_with_what_is_wrong(
    tmp_path: Path, name: str, value: str, told: str
) -> None:
    """One line; a password in it is not repeated."""
    ran = lastcall(tmp_path, "chat", "-c", "status", **{f"LASTCALL_{name}": value})
    assert ran.returncode == 1
    assert f"LASTCALL_{name}" in ran.stderr
    assert told in ran.stderr
    assert len(ran.stderr.splitlines()) == 1
    assert "hidden" not in ran.stderr


def test_all_wrong_settings_are_told_at_once(tmp_path: Path) -> None:
    """A line for each, so that nobody mends one just to hear of the next."""
    ran = lastcall(tmp_path, "chat", "-c", "status", LASTCALL_DEFAULT_HOURS="soon", LASTCALL_KWH_USD="cheap")
    assert ran.returncode == 1
    assert [line.split(": ")[1] for line in ran.stderr.splitlines()] == [
        "LASTCALL_KWH_USD",
        "LASTCALL_DEFAULT_HOURS",
    ]


def test_a_misspelt_setting_is_pointed_out(tmp_path: Path) -> None:
    """It is not obeyed, but it does not go unseen either."""
    ran = lastcall(tmp_path, "chat", "-c", "status", LASTCALL_DATADIR="elsewhere")
    assert ran.returncode == 0
    assert ran.stderr == "lastcall: LASTCALL_DATADIR is no setting; did you mean LASTCALL_DATA_DIR?\n"


def test_a_database_that_is_none_is_told(tmp_path: Path) -> None:
    """A file of something else is left as it is."""
    (tmp_path / "data").mkdir()
    file = tmp_path / "data" / "lastcall.db"
    file.write_text("no database, but somebody's notes " * 50)
    for word in (("serve",), ("chat", "-c", "status")):
        ran = lastcall(tmp_path, *word)
        assert ran.returncode == 1
        assert "file is not a database" in ran.stderr
        assert "Traceback" not in ran.stderr
    assert file.read_text().startswith("no database")


def test_a_demo_whose_own_database_is_none_is_told(tmp_path: Path) -> None:
    """It has a folder of its own, and leaves what it does not know."""
    (tmp_path / "data" / "demo").mkdir(parents=True)
    file = tmp_path / "data" / "demo" / "lastcall.db"
    file.write_text("no database, but somebody's notes " * 50)
    ran = lastcall(tmp_path, "demo")
    assert ran.returncode == 1
    assert "file is not a database" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert file.read_text().startswith("no database")


def test_a_database_that_does_not_answer_is_told_without_its_password(tmp_path: Path) -> None:
    """Where it was looked for, and which setting says so."""
    ran = lastcall(tmp_path, "serve", LASTCALL_DATABASE_URL="postgresql://me:hidden@127.0.0.1:1/db")
    assert ran.returncode == 1
    assert "127.0.0.1:1/db" in ran.stderr
    assert "LASTCALL_DATABASE_URL" in ran.stderr
    assert "hidden" not in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("where", ["notes.txt", "/proc/nothing"])
def test_a_data_folder_that_cannot_be_used_is_told(tmp_path: Path, where: str) -> None:
    """A file in its place, or a place where nothing can be made."""
    (tmp_path / "notes.txt").write_text("mine")
    ran = lastcall(tmp_path, "chat", "-c", "status", LASTCALL_DATA_DIR=where)
    assert ran.returncode == 1
    assert "cannot be written to" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("status", 0),
        ("up local", 1),
        ("up vast 3090", 1),
        ("down k7m2qd", 1),
        ("helo", 2),
        ("up local for -1h", 2),
    ],
)
def test_the_exit_code_says_done_refused_or_not_understood(tmp_path: Path, line: str, code: int) -> None:
    """0, 1 and 2. A computer with a GPU may rent what one without refuses, so that none is looked for here."""
    ran = lastcall(tmp_path, "chat", "-c", line, *(["--wait"] if line == "up local" else []), PATH="/nowhere")
    assert ran.returncode == code, ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_reader_that_leaves_early_is_no_fault(tmp_path: Path) -> None:
    """``lastcall … | head -1`` ends quietly."""
    for words in (["env"], ["chat", "-c", "help"]):
        read, write = os.pipe()
        os.close(read)
        bare = {name: value for name, value in os.environ.items() if not name.startswith("LASTCALL_")}
        ran = subprocess.run(
            [sys.executable, "-m", "bot", *words],
            env={**bare, "PYTHONPATH": str(ROOT)},
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=write,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
        os.close(write)
        assert ran.stderr == ""


def test_the_example_of_settings_is_what_the_program_prints() -> None:
    """``lastcall env > .env.example`` after a change of the settings."""
    from bot.entry.env import example  # noqa: PLC0415 - beside the words that name it

    assert (ROOT / ".env.example").read_text(encoding="utf-8") == example()
