"""What a recipe may pass on to a machine: only what was set for that."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.wiring.parts import recipe_secrets


def test_only_what_was_set_for_recipes_can_be_named_by_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """In the environment or in ``.env``; keys of accounts, other tools' tokens and settings are out of reach."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("LASTCALL_RECIPE_ONE=file\nLASTCALL_RECIPE_TWO=file\nVAST_API_KEY=k\n")
    for name in ("HF_TOKEN", "RUNPOD_API_KEY", "LASTCALL_RECIPES", "LASTCALL_SECRET_KEY"):
        monkeypatch.setenv(name, "private")
    monkeypatch.setenv("LASTCALL_RECIPE_HF_TOKEN", "hf")
    monkeypatch.setenv("LASTCALL_RECIPE_TWO", "said")
    assert recipe_secrets() == {"HF_TOKEN": "hf", "ONE": "file", "TWO": "said"}
