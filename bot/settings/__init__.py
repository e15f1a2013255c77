"""Every setting, read once at the start from the environment and from ``.env``."""

from __future__ import annotations

from bot.settings.chats import ChatSettings
from bot.settings.own import OwnSettings
from bot.settings.team import TeamSettings

__all__ = ["Settings"]


class Settings(ChatSettings, TeamSettings, OwnSettings):
    """All of them: a bot's own, what holds for its teams, and the chats."""

    model_config = OwnSettings.model_config
