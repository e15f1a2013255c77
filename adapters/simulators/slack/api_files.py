"""The three steps of an upload, and what a file looks like from outside."""

from __future__ import annotations

import json
from typing import Any

from adapters.simulators.slack.refusals import Refusal
from adapters.simulators.slack.things import Json, Message, SlackFile
from adapters.simulators.slack.town import SlackTown


def upload_url(town: SlackTown, args: Json) -> Json:
    """``files.getUploadURLExternal``: where the bytes go, once."""
    name, length = args.get("filename"), str(args.get("length") or "")
    if not isinstance(name, str) or not name or not length.isdigit() or int(length) == 0:
        raise Refusal("invalid_arguments")
    file = SlackFile(
        town.number("F"), name, int(length), town.bot.id, title=name, alt=str(args.get("alt_txt") or "")
    )
    town.files[file.id] = file
    return {"ok": True, "file_id": file.id, "upload_url": f"{town.base_url}upload/v1/{file.id}"}


def complete_upload(town: SlackTown, args: Json) -> Json:
    """``files.completeUploadExternal``: the files become one message, where a channel is named."""
    found = _listed(args.get("files"))
    files = [_uploaded(town, one) for one in found]
    channels = [one for one in str(args.get("channels") or args.get("channel_id") or "").split(",") if one]
    places = [town.writable(one) for one in channels]
    blocks = args.get("blocks")
    thread = str(args.get("thread_ts") or "")
    if blocks:
        raise Refusal("invalid_arguments")  # not known well enough to be pretended
    if thread and len(places) != 1:
        raise Refusal("invalid_arguments")
    for place in places:
        words = str(args.get("initial_comment") or "")
        said = Message(
            place.id, town.ts(), town.bot.id, words, thread, files=files, bot_id=town.bot_id, args=args
        )
        town.put(place, said)
    for one, file in zip(found, files, strict=True):
        file.complete, file.title = True, str(one.get("title") or file.title)
        file.shared += [place.id for place in places]
    return {"ok": True, "files": [town.shown_file(file) for file in files]}


def file_info(town: SlackTown, args: Json) -> Json:
    """``files.info``."""
    file = town.files.get(str(args.get("file", "")))
    if file is None or not file.complete:
        raise Refusal("file_not_found")
    return {"ok": True, "file": town.shown_file(file)}


def _listed(found: Any) -> list[Json]:
    try:
        files = json.loads(found) if isinstance(found, str) else found
    except json.JSONDecodeError:
        raise Refusal("invalid_arguments") from None
    if not isinstance(files, list) or not files or not all(isinstance(one, dict) for one in files):
        raise Refusal("invalid_arguments")
    return files


def _uploaded(town: SlackTown, named: Json) -> SlackFile:
    file = town.files.get(str(named.get("id", "")))
    if file is None or file.data is None or file.complete:
        raise Refusal("file_not_found")
    return file
