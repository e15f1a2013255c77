"""Every setting, read once at the start from the environment and from ``.env``."""

from __future__ import annotations

import base64
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.domain.label import NAMESPACE
from bot.domain.money import Usd

_DATABASES = ("sqlite:///", "sqlite+aiosqlite:///", "postgres://", "postgresql://", "postgresql+asyncpg://")
_DEAREST_KWH = 10
_KEY_BYTES = 32


def _usd(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        amount = Usd.of(value.strip().removeprefix("$"))
    except (ArithmeticError, ValueError):
        raise ValueError(f"{value!r} is no amount of dollars; write it like 5 or $4.50") from None
    if amount.micros < 0:
        raise ValueError("must not be negative")
    return amount


def _hours(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = value.strip().lower().removesuffix("h").strip()
    try:
        hours = Decimal(text)
    except ArithmeticError:
        raise ValueError(f"{value!r} is no number of hours; write it like 4 or 24h") from None
    if not hours.is_finite() or not 0 < hours <= 24 * 30:
        raise ValueError("must be more than 0 and at most 720 hours")
    return timedelta(seconds=int(hours * 3600))


def _namespace(value: object) -> object:
    if isinstance(value, str) and value and not NAMESPACE.fullmatch(value):
        raise ValueError("is 1 to 20 lower-case letters and digits")
    return value


def _kwh(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        price = Decimal(value.strip().removeprefix("$"))
    except ArithmeticError:
        raise ValueError(f"{value!r} is no price of a kWh in dollars; write it like 0.30") from None
    if not price.is_finite() or not 0 <= price <= _DEAREST_KWH:
        raise ValueError(f"must be 0 to {_DEAREST_KWH} dollars")
    return price


def _database(value: object) -> object:
    if isinstance(value, str) and value and not value.startswith(_DATABASES):
        raise ValueError(
            "is no database of ours; write it like postgresql://user:password@host/name, or leave it empty"
        )
    return value


def _key(value: object) -> object:
    """A key that cannot seal is found out now, not when the first machine is rented."""
    if not isinstance(value, str) or not value:
        return value
    try:
        long_enough = len(base64.urlsafe_b64decode(value)) == _KEY_BYTES
    except ValueError:
        long_enough = False
    if not long_enough:
        raise ValueError("is no key; it is 32 bytes in urlsafe base64, or empty")
    return value


def _folder(value: object) -> object:
    if isinstance(value, str) and value and not Path(value).expanduser().is_dir():
        raise ValueError(f"{value!r} is no folder")
    return Path(value).expanduser() if isinstance(value, str) and value else value


def _url(value: object) -> object:
    if isinstance(value, str):
        value = value.strip().rstrip("/")
        if not value.startswith(("https://", "http://")) or len(value) < len("http://a"):
            raise ValueError(f"{value!r} is no address; write it like https://host/path")
    return value


def _token(value: object) -> object:
    """A key goes into a header: what cannot stand there is a slip of the hand."""
    if isinstance(value, str):
        value = value.strip()
        if not value.isascii() or not value.isprintable() or " " in value:
            raise ValueError("is no API key: it has spaces or characters that no key has")
    return value


Key = Annotated[SecretStr, BeforeValidator(_token)]
Url = Annotated[str, BeforeValidator(_url)]
Money = Annotated[Usd, NoDecode, BeforeValidator(_usd)]
Hours = Annotated[timedelta, NoDecode, BeforeValidator(_hours)]


class Settings(BaseSettings):
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
    database_url: Annotated[str, BeforeValidator(_database)] = Field(
        default="", description="postgresql://… for several replicas; empty: SQLite in the data folder."
    )
    namespace: Annotated[str, BeforeValidator(_namespace)] = Field(
        default="",
        description="Keeps two deployments on one account apart (letters and digits); empty: made once and kept.",
    )
    secret_key: Annotated[str, BeforeValidator(_key)] = Field(
        default="",
        description="Seals keys in the database (32 bytes, urlsafe base64); empty: a 0600 file is made.",
    )
    recipes: Annotated[Path | None, BeforeValidator(_folder)] = Field(
        default=None, description="A team's own recipe folder, read beside the shipped ones."
    )
    local_hosts: str = Field(
        default="", description="Workstations that may be used by SSH: ann@ws1,ws2:2222 (comma separated)."
    )
    local_shell: Literal["auto", "ssh", "process"] = Field(
        default="auto",
        description="How this computer is entered: by its own sshd where one is installed, or directly.",
    )
    kwh_usd: Annotated[Decimal, BeforeValidator(_kwh)] = Field(
        default=Decimal(0), description="Price of electricity per kWh in dollars."
    )
    default_budget: Money = Field(
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

    @classmethod
    def variable(cls, field: str) -> str:
        """What a field is called in the environment."""
        alias = cls.model_fields[field].validation_alias
        return alias if isinstance(alias, str) else f"LASTCALL_{field.upper()}"

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
