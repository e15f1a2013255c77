"""Where people are: the chats' tokens and addresses, and which channels hear what concerns everybody."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

from bot.domain.allowance import Role
from bot.domain.talk import Channel
from bot.settings.values import Key, Places, Url


class ChatSettings(BaseSettings):
    """A chat without its token is not used."""

    channels: Places = Field(
        default="",
        description="Where the team hears what concerns everybody (orphans, digest): slack:C024 (commas between).",
    )
    http_host: str = Field(
        default="127.0.0.1", description="Address on which Lastcall listens, where it listens at all."
    )
    http_port: int = Field(default=8080, ge=0, le=65535, description="Its port.")
    ops_host: str = Field(
        default="127.0.0.1",
        description="Address of the operations door (/healthz, /readyz, /metrics); it asks nobody who they are.",
    )
    ops_port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="Its port, such as 8750; 0: a free one, which the log tells; empty: no door.",
    )
    slack_bot_token: Key = Field(
        default=SecretStr(""),
        validation_alias="SLACK_BOT_TOKEN",
        description="Slack: xoxb-…, from OAuth & Permissions; empty: Slack is not used.",
    )
    slack_app_token: Key = Field(
        default=SecretStr(""),
        validation_alias="SLACK_APP_TOKEN",
        description="Slack: xapp-… with connections:write, for SLACK_MODE=socket.",
    )
    slack_signing_secret: Key = Field(
        default=SecretStr(""),
        validation_alias="SLACK_SIGNING_SECRET",
        description="Slack: from Basic Information, for SLACK_MODE=http.",
    )
    slack_mode: Literal["socket", "http"] = Field(
        default="socket",
        validation_alias="SLACK_MODE",
        description="Slack: socket needs no address of your own; http listens on LASTCALL_HTTP_PORT.",
    )
    slack_api_url: Url = Field(
        default="https://slack.com/api",
        validation_alias="SLACK_API_URL",
        description="Where Slack's Web API is.",
    )
    slack_allow: str = Field(
        default="",
        validation_alias="SLACK_ALLOW",
        description="Slack: who is heard beside the workspace's members: guests, or a team's id T024 (commas between).",
    )

    discord_bot_token: Key = Field(
        default=SecretStr(""),
        validation_alias="DISCORD_BOT_TOKEN",
        description="Discord: from Bot in the developer portal; empty: Discord is not used.",
    )
    discord_guild_ids: str = Field(
        default="",
        validation_alias="DISCORD_GUILD_IDS",
        description="Discord: ids of the servers that are heard (commas between); empty: all that the bot is in.",
    )
    discord_roles: str = Field(
        default="",
        validation_alias="DISCORD_ROLES",
        description="Discord: role ids and what they are here: 1203:admin, 1204:viewer (commas between).",
    )
    discord_message_content: bool = Field(
        default=False,
        validation_alias="DISCORD_MESSAGE_CONTENT",
        description="Discord: hear !gpu, too; needs the Message Content intent in the developer portal.",
    )
    discord_api_url: Url = Field(
        default="https://discord.com/api/v10",
        validation_alias="DISCORD_API_URL",
        description="Where Discord's API is.",
    )
    discord_gateway_url: str = Field(
        default="wss://gateway.discord.gg/",
        validation_alias="DISCORD_GATEWAY_URL",
        description="Where Discord's gateway is.",
    )

    @field_validator("discord_guild_ids")
    @classmethod
    def _ids(cls, value: str) -> str:
        for one in re.split(r"[\s,]+", value.strip()):
            if one and not one.isdecimal():
                raise ValueError(f"{one!r} is no server's id; it is a long number (Copy Server ID)")
        return value

    @field_validator("discord_roles")
    @classmethod
    def _role_names(cls, value: str) -> str:
        for one in re.split(r"[\s,]+", value.strip()):
            theirs, _, role = one.partition(":")
            if one and (not theirs.isdecimal() or role not in [*Role]):
                raise ValueError(f"{one!r} is no role; write it like 1203:admin (admin, member or viewer)")
        return value

    @property
    def discord_servers(self) -> tuple[str, ...]:
        """Ids of servers, in the order in which they are named."""
        return tuple(one for one in re.split(r"[\s,]+", self.discord_guild_ids) if one)

    @property
    def discord_role_map(self) -> dict[str, Role]:
        """A Discord role's id to ours."""
        named = (one.partition(":") for one in re.split(r"[\s,]+", self.discord_roles) if one)
        return {theirs: Role(role) for theirs, _, role in named}

    @property
    def home_channels(self) -> tuple[Channel, ...]:
        """The team's channels, in the order in which they are named."""
        named = (one.partition(":") for one in re.split(r"[\s,]+", self.channels) if one)
        return tuple(Channel(chat, place) for chat, _, place in named)

    @property
    def slack_allowed(self) -> frozenset[str]:
        """``guests`` and team ids."""
        return frozenset(one for one in re.split(r"[\s,]+", self.slack_allow) if one)
