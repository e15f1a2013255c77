"""The console command ``lastcall``: arguments in, exit code out. No traceback reaches a person."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Coroutine, Sequence
from typing import Any

from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from bot.recipes import BrokenRecipe
from bot.settings import Settings


def main(argv: Sequence[str] | None = None) -> int:
    """Run one of serve, chat, demo, env."""
    arguments = _parser().parse_args(argv)
    try:
        if arguments.command == "env":
            from bot.entry.env import example

            sys.stdout.write(example())
            return 0
        settings = Settings()
        return asyncio.run(_chosen(settings, arguments))
    except ValidationError as error:
        return _sorry(_settings_fault(error))
    except (ValueError, BrokenRecipe) as error:
        return _sorry(str(error))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 1
    except (SQLAlchemyError, OSError) as error:
        return _sorry(f"{_first_line(error)} (database {_database()})")


def _chosen(settings: Settings, arguments: argparse.Namespace) -> Coroutine[Any, Any, int]:
    # Imported here: 'lastcall env' and '--help' should not pay for the engine.
    if arguments.command == "serve":
        from bot.entry.serve import serve

        return serve(settings)
    if arguments.command == "demo":
        from bot.entry.demo import demo

        return demo(settings)
    from bot.entry.chat import chat

    return chat(settings, line=arguments.line, wait=arguments.wait, json=arguments.json, yes=arguments.yes)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lastcall", description="The chat-ops bot that rents GPUs for a team and always closes the tab."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    commands.add_parser("demo", help="a whole rental of this computer, then the prompt")
    commands.add_parser("serve", help="the engine, until stopped")
    chat = commands.add_parser(
        "chat", help="talk to it in this terminal", description="Exit codes: 0 done, 1 refused or failed, 2 not understood."
    )
    chat.add_argument("-c", dest="line", metavar="COMMAND", help='run one command, such as "/gpu up local cpu"')
    chat.add_argument("--wait", action="store_true", help="with -c: until its rental is closed")
    chat.add_argument("--json", action="store_true", help="every reply as one JSON line")
    chat.add_argument("--yes", action="store_true", help="with -c: confirm the price that is quoted")
    commands.add_parser("env", help="print every setting as .env.example")
    return parser


def _settings_fault(error: ValidationError) -> str:
    first = error.errors()[0]
    name = f"LASTCALL_{str(first['loc'][0]).upper()}" if first["loc"] else "The settings"
    return f"{name}: {first['msg'].removeprefix('Value error, ')}."


def _database() -> str:
    from sqlalchemy.engine import make_url

    return make_url(Settings().database).render_as_string(hide_password=True)


def _first_line(error: BaseException) -> str:
    text = str(getattr(error, "orig", None) or error).strip()
    return text.splitlines()[0] if text else type(error).__name__


def _sorry(sentence: str) -> int:
    sys.stderr.write(f"lastcall: {sentence}\n")
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
