"""The console command ``lastcall``: arguments in, exit code out. No traceback reaches a person."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import sys
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from typing import Any

from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from bot.domain.nearest import nearest
from bot.recipes import BrokenRecipe
from bot.settings import Settings

log = logging.getLogger("lastcall")

_NOT_OURS = frozenset({"LASTCALL_MACHINE"})
"""What rented machines of this computer carry."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one of serve, chat, demo, check, health, reap, env."""
    arguments = _parser().parse_args(argv)
    try:
        if arguments.command == "env":
            from bot.entry.env import example  # noqa: PLC0415

            sys.stdout.write(example())
            sys.stdout.flush()
            return 0
        gc.disable()  # a fifth of a start would go into looking for garbage in modules that stay
        chosen = _reaping(arguments) if arguments.command == "reap" else _chosen(Settings(), arguments)
        _point_out_typos()
        gc.freeze()
        gc.enable()
        return asyncio.run(chosen)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
        )  # or the flush at the end would complain
        return 1
    except ValidationError as error:
        return _malformed(error, arguments)
    except Exception as error:  # noqa: BLE001 - the last door: a sentence for people, the rest for the log
        return _sorry(_sentence(error))


def _chosen(settings: Settings, arguments: argparse.Namespace) -> Coroutine[Any, Any, int]:
    # Imported here: 'lastcall env' and '--help' should not pay for the engine.
    if arguments.command == "serve":
        from bot.entry.serve import serve  # noqa: PLC0415

        return serve(settings)
    if arguments.command == "demo":
        from bot.entry.demo import demo  # noqa: PLC0415

        return demo(settings, play=arguments.play)
    if arguments.command == "check":
        from bot.entry.check import check  # noqa: PLC0415

        return check(settings, as_json=arguments.json)
    if arguments.command == "health":
        from bot.entry.health import health  # noqa: PLC0415

        return health(settings, live=arguments.live)
    from bot.entry.chat import chat  # noqa: PLC0415

    return chat(settings, line=arguments.line, wait=arguments.wait, json=arguments.json, yes=arguments.yes)


def _reaping(arguments: argparse.Namespace) -> Coroutine[Any, Any, int]:
    """By itself: a setting that cannot be read stops everything else, and must not stop this."""
    from bot.entry.readable import readable  # noqa: PLC0415
    from bot.entry.reap import Wish, reap  # noqa: PLC0415

    names, every = arguments.namespace, arguments.all_namespaces
    return reap(readable(), Wish(names, every, arguments.dry_run, arguments.json, arguments.within))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lastcall", description="The chat-ops bot that rents GPUs for a team and always closes the tab."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    demo = commands.add_parser(
        "demo",
        help="rentals of this computer and of three simulated clouds, then the prompt",
        description="Exit code 0 only if the simulated vendors' own meters show nothing running.",
    )
    demo.add_argument("--play", action="store_true", help="without the prompt at the end")
    commands.add_parser("serve", help="the engine, until stopped")
    chat = commands.add_parser(
        "chat",
        help="talk to it in this terminal",
        description="Exit codes: 0 done, 1 refused or failed, 2 not understood.",
    )
    chat.add_argument(
        "-c", dest="line", metavar="COMMAND", help='run one command, such as "/gpu up local cpu"'
    )
    chat.add_argument("--wait", action="store_true", help="with -c: until its rental is closed")
    chat.add_argument("--json", action="store_true", help="every reply as one JSON line")
    chat.add_argument("--yes", action="store_true", help="with -c: confirm the price that is quoted")
    check = commands.add_parser(
        "check",
        help="what is configured, what works, what to do",
        description="Reads only. Exit codes: 0 nothing to mend, 1 something failed.",
    )
    check.add_argument("--json", action="store_true", help="one JSON object")
    asked = commands.add_parser(
        "health",
        help="ask the bot on this computer whether it is ready (needs LASTCALL_OPS_PORT)",
        description="Exit codes: 0 ready, 1 not ready or no answer.",
    )
    asked.add_argument("--live", action="store_true", help="only whether it answers")
    _reap(
        commands.add_parser("reap", help="without bot and database: end what is past the time in its label")
    )
    commands.add_parser("env", help="print every setting as .env.example")
    return parser


def _reap(reap: argparse.ArgumentParser) -> None:
    reap.description = (
        "Needs the providers' keys and the namespace only. Exit codes: 0 all was asked and nothing that is due is left,"
        " 1 something could not be asked, ended or read; then LASTCALL_NOTIFY_URLS are told, too."
    )
    reap.add_argument("--dry-run", action="store_true", help="say what would be ended, touch nothing")
    reap.add_argument("--json", action="store_true", help="one JSON object")
    whose = reap.add_mutually_exclusive_group()
    whose.add_argument(
        "--namespace", default="", metavar="NAME", help="whose machines; default LASTCALL_NAMESPACE"
    )
    whose.add_argument(
        "--all-namespaces", action="store_true", help="those of every Lastcall on the accounts"
    )
    reap.add_argument(
        "--within", type=_minutes, default=timedelta(minutes=10), metavar="MINUTES",
        help="how long the end of what is due may take (default 10)",
    )  # fmt: skip


def _minutes(text: str) -> timedelta:
    minutes = float(text)
    if not 0 < minutes <= 60:
        raise argparse.ArgumentTypeError("it is more than 0 and at most 60 minutes")
    return timedelta(minutes=minutes)


def _point_out_typos() -> None:
    """A setting that nobody reads is most often one that is misspelt."""
    known = {Settings.variable(name) for name in Settings.model_fields}
    for name in sorted(os.environ):
        if name.startswith("LASTCALL_") and name not in known | _NOT_OURS:
            meant = nearest(name, known)
            sys.stderr.write(
                f"lastcall: {name} is no setting" + (f"; did you mean {meant}?\n" if meant else ".\n")
            )


def _sentence(error: Exception) -> str:
    match error:
        case BrokenRecipe() | ValueError():
            return str(error)
        case SQLAlchemyError() | OSError():
            return _unusable(error)
    log.error("left by a fault", exc_info=error)
    return f"a fault of Lastcall ({type(error).__name__}: {_first_line(error)}); the log has the rest."


def _malformed(error: ValidationError, arguments: argparse.Namespace) -> int:
    """Every setting that cannot be read, at once; ``check`` says what each is for, too."""
    from bot.entry.faults import as_findings, setting_faults  # noqa: PLC0415

    faults = setting_faults(error)
    if arguments.command == "check":
        from bot.entry.check import show  # noqa: PLC0415

        show(as_findings(faults), as_json=arguments.json)
        return 1
    for one in faults:
        _sorry(str(one))
    return 1


def _unusable(error: Exception) -> str:
    """The database or the disk."""
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}."
    from sqlalchemy.engine import make_url  # noqa: PLC0415

    settings = Settings()
    where = make_url(settings.database).render_as_string(hide_password=True)
    setting = "LASTCALL_DATABASE_URL" if settings.database_url else "LASTCALL_DATA_DIR"
    return f"the database {where} cannot be used: {_first_line(error)} (see {setting})."


def _first_line(error: BaseException) -> str:
    text = str(getattr(error, "orig", None) or error).strip()
    return text.splitlines()[0] if text else type(error).__name__


def _sorry(sentence: str) -> int:
    sys.stderr.write(f"lastcall: {sentence}\n")
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
