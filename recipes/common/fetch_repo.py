"""Fetch a model repository in folders (Diffusers layout) with huggingface_hub, which verifies and resumes.

    python fetch_repo.py https://huggingface.co/OWNER/NAME FOLDER KEEP[,KEEP...]            fetch what matches
    python fetch_repo.py https://huggingface.co/OWNER/NAME FOLDER KEEP[,KEEP...] --check    exit 0 when all is there

Runs with the tool's own Python. HF_TOKEN is read by huggingface_hub itself. What was fetched is judged by what the
repository's own model_index.json and weight indexes name, and by each file's header.
"""

import json
import sys
from pathlib import Path

from fetch_file import fault_of


def lacking(folder: Path) -> str:
    """What is missing or broken; nothing when it is whole."""
    try:
        parts = json.loads((folder / "model_index.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "model_index.json is missing"
    for name, kind in parts.items():
        if name.startswith("_") or not isinstance(kind, list) or kind[0] is None:
            continue
        weights = sorted((folder / name).glob("*.safetensors"))
        if not (folder / name).is_dir() or ((folder / name / "config.json").exists() and not weights):
            return f"{name} is missing"
        for index in (folder / name).glob("*.index*.json"):
            for file in set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()):
                if not (folder / name / file).exists():
                    return f"{name}/{file} is missing"
        for file in weights:
            fault = fault_of(file, file.suffix)
            if fault:
                return fault
    return ""


def main() -> int:
    words = [one for one in sys.argv[1:] if one != "--check"]
    url, folder, keep = words[0], Path(words[1]), words[2].split(",")
    if "--check" not in sys.argv:
        from huggingface_hub import snapshot_download  # the tool brings it

        snapshot_download(url.partition("huggingface.co/")[2], local_dir=str(folder), allow_patterns=keep)
    fault = lacking(folder)
    if fault:
        print(fault)
    return 1 if fault else 0


if __name__ == "__main__":
    sys.exit(main())
