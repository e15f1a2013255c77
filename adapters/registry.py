"""Every adapter by name, in one place: a new one is a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from adapters.http import Pause, wait
from adapters.providers import lambda_cloud, local, runpod, vast
from bot.domain.vendor import Profile
from bot.ports import Clock, Provider, Shell


@dataclass(frozen=True, slots=True)
class Login:
    """One vendor's account: where its API is, and the key to it."""

    family: str
    key: str = field(repr=False)
    url: str
    graphql_url: str = ""
    ssh_port: int = 22


@dataclass(frozen=True, slots=True)
class _Cloud:
    profile: Profile
    rents: Callable[[Login, Clock, Pause], Provider]


_CLOUDS = (
    _Cloud(
        vast.PROFILE,
        lambda at, clock, pause: vast.VastProvider(key=at.key, url=at.url, clock=clock, pause=pause),
    ),
    _Cloud(
        runpod.PROFILE,
        lambda at, clock, pause: runpod.RunpodProvider(
            key=at.key, url=at.url, graphql_url=at.graphql_url, clock=clock, pause=pause
        ),
    ),
    _Cloud(
        lambda_cloud.PROFILE,
        lambda at, clock, pause: lambda_cloud.LambdaProvider(
            key=at.key, url=at.url, ssh_port=at.ssh_port, clock=clock, pause=pause
        ),
    ),
)
PROFILES: tuple[Profile, ...] = (local.PROFILE, *(one.profile for one in _CLOUDS))
"""All that can be compared, configured or not."""


def clouds(logins: Sequence[Login], clock: Clock, *, speed: int = 1) -> tuple[Provider, ...]:
    """Those that somebody has a key for. ``speed``: how much faster ``clock`` runs than the world's."""
    by_family = {one.profile.family: one for one in _CLOUDS}

    async def pause(length: timedelta) -> None:
        await wait(length / speed)

    return tuple(by_family[login.family].rents(login, clock, pause) for login in logins if login.key)


def computers(
    shell: Shell,
    *,
    data_dir: Path,
    namespace: str,
    local_hosts: str = "",
    local_shell: str = "auto",
    kwh_usd: Decimal = Decimal(0),
    shared: bool = False,
) -> tuple[Provider, ...]:
    """This computer and the team's workstations; ``shared`` when other computers work on the same database.

    Raises ``ValueError`` with a sentence about the setting that is wrong."""
    return (
        local.this_computer(shell, data_dir=data_dir, kwh_usd=kwh_usd, way_in=local_shell, shared=shared),
        *(
            local.workstation(one, shell, namespace=namespace, kwh_usd=kwh_usd)
            for one in local.workstations(local_hosts)
        ),
    )


def vendor_skew(provider: Provider) -> timedelta | None:
    """How far the vendor's clock is ahead of ours, as its last answer told; None where no vendor is asked."""
    if isinstance(provider, vast.VastProvider | runpod.RunpodProvider | lambda_cloud.LambdaProvider):
        return provider.http.vendor_skew
    return None


def vendor_calls(provider: Provider) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """Requests to the vendor by kind, and those that did not succeed by what became of them; both since the start of
    the process, and empty where no vendor is asked."""
    if isinstance(provider, vast.VastProvider | runpod.RunpodProvider | lambda_cloud.LambdaProvider):
        return provider.http.calls, provider.http.errors
    return {}, {}
