"""What a running bot is made of: settings in, adapters, hands of the engine and house of the desk out."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values

from adapters import registry
from adapters.clock import RandomIds
from adapters.notify import AppriseAddresses, AppriseNotifier
from adapters.ops.tally import Counts
from adapters.process_mark import here
from adapters.providers.local.hosts import workstations
from adapters.shell import Shells
from bot import recipes
from bot.commands.house import House, Terms
from bot.domain.label import NAMESPACE
from bot.domain.recipe import FOR_RECIPES
from bot.lifecycle.hands import Hands, Limits
from bot.lifecycle.heartbeat import Heart
from bot.lifecycle.line import LaunchLine
from bot.lifecycle.reminders import Reminders
from bot.lifecycle.watch import Watch
from bot.ports import Clock, Ids, Notifier, Provider
from bot.settings import Settings
from bot.store import Store

_NAMESPACE_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class World:
    """What engine and desk both stand on."""

    settings: Settings
    clock: Clock
    store: Store
    shells: Shells
    providers: dict[str, Provider]
    recipes: recipes.Recipes
    namespace: str


def providers_of(
    settings: Settings, shells: Shells, namespace: str, clock: Clock, speed: int
) -> Sequence[Provider]:
    """This computer, the workstations, and the clouds somebody has a key for."""
    own = registry.computers(
        shells,
        data_dir=settings.data,
        namespace=namespace,
        local_hosts=settings.local_hosts,
        local_shell=settings.local_shell,
        kwh_usd=settings.kwh_usd,
        shared=bool(settings.database_url),
    )
    return (*own, *registry.clouds(logins(settings), clock, speed=speed))


def hosts_fault(text: str) -> str:
    """What is wrong with the list of workstations, in a sentence; empty when nothing is."""
    try:
        workstations(text)
    except ValueError as error:
        return str(error)
    return ""


def logins(settings: Settings) -> tuple[registry.Login, ...]:
    """The vendors' accounts as the settings name them, also those without a key."""
    return (
        registry.Login("vast", settings.vast_api_key.get_secret_value(), settings.vast_api_url),
        registry.Login(
            "runpod",
            settings.runpod_api_key.get_secret_value(),
            settings.runpod_api_url,
            graphql_url=settings.runpod_graphql_url,
        ),
        registry.Login(
            "lambda",
            settings.lambda_api_key.get_secret_value(),
            settings.lambda_api_url,
            ssh_port=settings.lambda_ssh_port,
        ),
    )


def hands_of(world: World) -> Hands:
    """What the engine works with."""
    settings = world.settings
    return Hands(
        clock=world.clock,
        ids=RandomIds(f":{here()}"),
        store=world.store,
        providers=world.providers,
        shell=world.shells,
        watch=Watch(world.providers, world.clock),
        line=LaunchLine(world.providers),
        recipes=world.recipes,
        results=settings.data / "results",
        limits=Limits(
            max_lifetime=settings.max_lifetime,
            auto_confirm=settings.auto_confirm,
            orphan_grace=settings.orphan_grace,
        ),
        heart=Heart(),
        secrets=recipe_secrets(),
        tally=Counts(),
    )


def second_medium(settings: Settings) -> Notifier | None:
    """None where no address is set."""
    return AppriseNotifier(settings.notify_addresses) if settings.notify_addresses else None


def reminders_of(settings: Settings, hands: Hands) -> Reminders:
    """By what people are told when no chat is answered, and after how long of nothing."""
    return Reminders(
        hands,
        notifier=second_medium(settings),
        idle_remind=settings.idle_remind,
    )


def recipe_secrets() -> Mapping[str, str]:
    """What recipes may pass on to a machine: ``LASTCALL_RECIPE_HF_TOKEN``, in ``.env`` or outside of it, is their
    ``HF_TOKEN``. Only what was set for this: a recipe cannot name the key of an account."""
    said = {**dotenv_values(".env"), **os.environ}
    return {name.removeprefix(FOR_RECIPES): value for name, value in said.items()
            if value and name.startswith(FOR_RECIPES)}  # fmt: skip


def house_of(world: World, ids: Ids, nudge: Callable[[], None], sweep_soon: Callable[[], None]) -> House:
    """What the desk works with."""
    settings = world.settings
    longest = settings.max_lifetime
    return House(
        store=world.store,
        clock=world.clock,
        ids=ids,
        providers=world.providers,
        profiles=registry.PROFILES,
        recipes=world.recipes,
        shell=world.shells,
        namespace=world.namespace,
        data=settings.data,
        approvers=settings.approvers_channel,
        addresses=AppriseAddresses(),
        nudge=nudge,
        sweep_soon=sweep_soon,
        secrets=recipe_secrets(),
        terms=Terms(settings.default_budget, min(settings.default_hours, longest), longest),
    )


def prove_writable(folder: Path) -> None:
    """Raises ``ValueError``. SQLite would say less, and later."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        what = "it is no folder" if folder.exists() and not folder.is_dir() else error.strerror
        raise ValueError(
            f"The data folder {folder} cannot be written to: {what}. Set LASTCALL_DATA_DIR to another one."
        ) from error


async def kept_namespace(store: Store, data: Path) -> str:
    """The name of a deployment that was given none, made once. It is kept beside the database, too: with a lost
    database its machines would be strangers, and nobody would end them."""
    beside = data / "namespace"
    fresh = "".join(secrets.choice(_NAMESPACE_LETTERS) for _ in range(6))
    known = beside.read_text().strip() if beside.exists() else ""
    name = await store.mark("namespace", known if NAMESPACE.fullmatch(known) else fresh)
    if name != known:
        with contextlib.suppress(OSError):  # a full disk: the database has it
            beside.write_text(name + "\n")
    return name
