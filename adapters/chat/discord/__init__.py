"""Discord as a chat: slash commands, mentions, buttons, modals, threads and files, over the gateway."""

from adapters.chat.discord.chat import DiscordChat
from adapters.chat.discord.opening import Discord, DiscordLogin

__all__ = ["Discord", "DiscordChat", "DiscordLogin"]
