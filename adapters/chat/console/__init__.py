"""The terminal as a chat: a prompt with live cards, a one-shot command, plain lines and JSON for scripts."""

from adapters.chat.console.chat import ConsoleChat, Seat
from adapters.chat.console.interrupts import Interrupts, what_is_left
from adapters.chat.console.one_shot import run_once
from adapters.chat.console.opening import open_console
from adapters.chat.console.screen import Told

__all__ = ["ConsoleChat", "Interrupts", "Seat", "Told", "open_console", "run_once", "what_is_left"]
