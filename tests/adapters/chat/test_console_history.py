"""The history file: private, without doubles, and never a reason to fail."""

from __future__ import annotations

from pathlib import Path

from adapters.chat.console.history import KEPT, TidyHistory


def test_each_line_once_newest_last(tmp_path: Path):
    """A line that is typed again moves to the end."""
    file = tmp_path / "history"
    history = TidyHistory(file)
    for line in ("up 3090", "status", "up 3090"):
        history.append_string(line)
    assert file.read_text() == "status\nup 3090\n"
    assert list(TidyHistory(file).load_history_strings()) == ["up 3090", "status"]
    assert history.get_strings() == ["status", "up 3090"]


def test_what_is_not_kept(tmp_path: Path):
    """A leading space, an empty line, the answer to a question."""
    file = tmp_path / "history"
    history = TidyHistory(file)
    history.append_string(" secret")
    history.append_string("")
    history.paused = True
    history.append_string("y")
    assert not file.exists()
    assert history.get_strings() == []


def test_a_file_that_others_could_read_is_mended(tmp_path: Path):
    """With the first line that is kept."""
    file = tmp_path / "history"
    file.write_text("old\n")
    file.chmod(0o644)
    TidyHistory(file).append_string("new")
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["history"]


def test_it_does_not_grow_for_ever(tmp_path: Path):
    """The newest thousand are enough."""
    file = tmp_path / "history"
    file.write_text("".join(f"line {n}\n" for n in range(KEPT + 50)))
    TidyHistory(file).append_string("new")
    lines = file.read_text().splitlines()
    assert len(lines) == KEPT
    assert lines[-1] == "new"


def test_two_sessions_keep_the_lines_of_both(tmp_path: Path):
    """Neither overwrites what the other wrote meanwhile."""
    file = tmp_path / "history"
    one, two = TidyHistory(file), TidyHistory(file)
    one.append_string("a")
    two.append_string("b")
    one.append_string("c")
    assert file.read_text() == "a\nb\nc\n"


def test_no_place_to_write_is_no_fault(tmp_path: Path):
    """Then it lasts as long as the session; a broken file is read as far as it goes."""
    blocked = tmp_path / "file"
    blocked.write_bytes(b"\xff\xfe broken\n")
    history = TidyHistory(blocked / "history")
    history.append_string("up")
    assert history.get_strings() == ["up"]
    assert TidyHistory(None).load_history_strings() == []
    assert len(list(TidyHistory(blocked).load_history_strings())) == 1
