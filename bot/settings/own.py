"""What one bot needs: its folder and database, its providers' keys, and what holds for one rental."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.domain.money import Usd
from bot.settings.values import (
    Addresses,
    Budget,
    Database,
    Folder,
    Hours,
    Key,
    Kwh,
    Money,
    Namespace,
    Patience,
    SealingKey,
    Url,
    split_addresses,
)


class OwnSettings(BaseSettings):
    """Names are ``LASTCALL_`` and the field in capitals; a vendor's are the ones its own tools know."""

    model_config = SettingsConfigDict(
        env_prefix="LASTCALL_",
        env_file=".env",
        extra="ignore",
        frozen=True,
        env_ignore_empty=True,
        populate_by_name=True,
    )

    data_dir: Path = Field(
        default=Path("data"), description="Folder for the database, results and local machines."
    )
    database_url: Database = Field(
        default="", description="postgresql://… for several replicas; empty: SQLite in the data folder."
    )
    namespace: Namespace = Field(
        default="",
        description="Keeps two deployments on one account apart (letters and digits); empty: made once and kept.",
    )
    secret_key: SealingKey = Field(
        default="",
        description="Seals keys in the database (32 bytes, urlsafe base64); empty: a 0600 file is made.",
    )
    recipes: Folder = Field(
        default=None, description="A team's own recipe folder, read beside the shipped ones."
    )
    local_hosts: str = Field(
        default="", description="Workstations that may be used by SSH: ann@ws1,ws2:2222 (comma separated)."
    )
    local_shell: Literal["auto", "ssh", "process"] = Field(
        default="auto",
        description="How this computer is entered: by its own sshd where one is installed, or directly.",
    )
    kwh_usd: Kwh = Field(default=Decimal(0), description="Price of electricity per kWh in dollars.")
    default_budget: Budget = Field(
        default=Usd.of(5), description="Budget of a rental when nobody says one, in dollars."
    )
    default_hours: Hours = Field(
        default=timedelta(hours=4), description="Length of a rental when nobody says one, in hours."
    )
    max_lifetime: Hours = Field(
        default=timedelta(hours=24), description="No machine may exist longer, in hours."
    )
    auto_confirm: Money = Field(
        default=Usd(0),
        description="A worst case up to this is not asked about, in dollars; 0: only what is free.",
    )
    orphan_grace: Hours = Field(
        default=timedelta(minutes=15),
        description="A machine of ours that no rental knows is killed after this, in hours.",
    )
    idle_remind: Hours = Field(
        default=timedelta(minutes=20),
        description="A rented machine that nobody uses is reminded of after this: 20m, 1h.",
    )
    idle_limit: Patience = Field(
        default=None,
        description="A rented machine that nobody uses is torn down after this: 45m, 2h; empty: never.",
    )
    notify_urls: Addresses = Field(
        default=SecretStr(""),
        description="Told when chat is not enough: ntfy://…, mailto://… (any of Apprise's; blanks or commas between).",
    )
    vast_api_key: Key = Field(
        default=SecretStr(""), validation_alias="VAST_API_KEY", description="Vast.ai; empty: not used."
    )
    vast_api_url: Url = Field(
        default="https://console.vast.ai",
        validation_alias="VAST_API_URL",
        description="Where Vast.ai's API is.",
    )
    runpod_api_key: Key = Field(
        default=SecretStr(""), validation_alias="RUNPOD_API_KEY", description="RunPod; empty: not used."
    )
    runpod_api_url: Url = Field(
        default="https://api.runpod.io/v2",
        validation_alias="RUNPOD_API_URL",
        description="Where RunPod's REST API v2 is.",
    )
    runpod_graphql_url: Url = Field(
        default="https://api.runpod.io/graphql",
        validation_alias="RUNPOD_GRAPHQL_URL",
        description="Where RunPod tells balance and spend.",
    )
    lambda_api_key: Key = Field(
        default=SecretStr(""), validation_alias="LAMBDA_API_KEY", description="Lambda; empty: not used."
    )
    lambda_api_url: Url = Field(
        default="https://cloud.lambda.ai/api/v1",
        validation_alias="LAMBDA_API_URL",
        description="Where Lambda's API is.",
    )
    lambda_ssh_port: int = Field(
        default=22,
        ge=1,
        le=65535,
        validation_alias="LAMBDA_SSH_PORT",
        description="Port of SSH on Lambda's machines.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="How much the log says."
    )
    log_format: Literal["pretty", "json"] = Field(
        default="pretty", description="How the server's log reads: for people, or one JSON object a line."
    )

    @classmethod
    def variable(cls, field: str) -> str:
        """What a field is called in the environment."""
        alias = cls.model_fields[field].validation_alias
        return alias if isinstance(alias, str) else f"LASTCALL_{field.upper()}"

    @property
    def notify_addresses(self) -> tuple[str, ...]:
        """The second medium's addresses, one by one; each is a secret."""
        return split_addresses(self.notify_urls.get_secret_value())

    @property
    def data(self) -> Path:
        """The data folder, absolute."""
        return self.data_dir.expanduser().absolute()

    @property
    def database(self) -> str:
        """SQLAlchemy's URL with the async driver."""
        url = self.database_url or f"sqlite:///{self.data / 'lastcall.db'}"
        for plain, driver in (
            ("postgres://", "postgresql+asyncpg://"),
            ("postgresql://", "postgresql+asyncpg://"),
        ):
            if url.startswith(plain):
                return driver + url.removeprefix(plain)
        return "sqlite+aiosqlite://" + url.removeprefix("sqlite://") if url.startswith("sqlite://") else url
