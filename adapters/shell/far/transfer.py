"""The machine's end of a transfer: one stream each way, files one after another, nothing sent that is there already."""

from __future__ import annotations

import os
from typing import Any, Dict

from adapters.shell.far.files import Inbox, Source
from adapters.shell.far.patterns import find
from adapters.shell.far.words import Talk, folder_in


def receive(talk: Talk, asked: Dict[str, Any]) -> None:
    """Take files into folder ``dest``: first tell what is here, then store what comes, each with an answer."""
    files = [(str(name), int(size)) for name, size in asked["files"]]
    inbox = Inbox(asked["workdir"], asked["dest"], talk.tick)
    done = False
    try:
        talk.say({"have": inbox.have_all(files)})
        talk.expect(asked["silence"])
        while True:
            head = talk.hear()
            if head.get("end"):
                break
            name = files[head["file"]][0]
            inbox.begin(name, head["from"])
            for chunk in talk.body():
                inbox.write(chunk)
            talk.say({"stored": head["file"], "sha256": inbox.finish(name, talk.hear()["sha256"])})
        done = True
    finally:
        inbox.close(done=done)
    talk.say({"done": True})


def emit(talk: Talk, asked: Dict[str, Any]) -> None:
    """Give what fits the patterns: first tell what there is, hear what the other side has, then send the rest."""
    root, source = asked["workdir"], asked["source"]
    files = find(root, source, asked["patterns"])
    talk.say({"files": files})
    had = talk.hear()["have"]
    for index, (name, size) in enumerate(files):
        _emit_one(talk, os.path.join(folder_in(root, source), name), size, index, had[index])
    talk.say({"done": True})


def _emit_one(talk: Talk, path: str, size: int, index: int, had: Any) -> None:
    file, start = Source(path, size, talk.tick), 0
    try:
        if had and 0 <= had[0] <= size:
            if file.skip(had[0]) == had[1]:
                start = had[0]
            else:
                file.close()
                file = Source(path, size, talk.tick)
        talk.word({"file": index, "from": start})
        try:
            while True:
                data = file.chunk()
                if not data:
                    break
                talk.chunk(data)
        finally:
            # Whatever comes next, trouble included, is a word again.
            talk.chunk(b"")
        talk.word({"sha256": file.sha256()})
    finally:
        file.close()
