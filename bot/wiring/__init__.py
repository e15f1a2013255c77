"""The one part of the bot that names adapters. The terminal's are handed on to ``bot.entry``, which names none."""

from adapters.chat.console import ConsoleChat, Interrupts, Seat, Told, open_console, run_once, what_is_left
from adapters.process_mark import here
from adapters.registry import vendor_skew
from bot.wiring.app import App, is_dead
from bot.wiring.parts import hosts_fault, logins
from bot.wiring.reaping import noted_namespace, notifier_of, reaping_of

__all__ = [
    "App",
    "ConsoleChat",
    "Interrupts",
    "Seat",
    "Told",
    "here",
    "hosts_fault",
    "is_dead",
    "logins",
    "noted_namespace",
    "notifier_of",
    "open_console",
    "reaping_of",
    "run_once",
    "vendor_skew",
    "what_is_left",
]
