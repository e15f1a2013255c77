"""The one part of the bot that names adapters. The terminal's are handed on to ``bot.entry``, which names none."""

from adapters.chat.console import ConsoleChat, Interrupts, Seat, Told, open_console, run_once, what_is_left
from adapters.process_mark import here
from bot.wiring.app import App, is_dead
from bot.wiring.parts import logins

__all__ = [
    "App",
    "ConsoleChat",
    "Interrupts",
    "Seat",
    "Told",
    "here",
    "is_dead",
    "logins",
    "open_console",
    "run_once",
    "what_is_left",
]
