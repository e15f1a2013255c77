"""Every adapter by name, in one place: a new one is a line here."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from adapters.providers import lambda_cloud, local, runpod, vast
from bot.domain.market import Profile
from bot.ports import Provider, Shell

PROFILES: tuple[Profile, ...] = (
    local.PROFILE,
    vast.PROFILE,
    runpod.PROFILE,
    lambda_cloud.PROFILE,
)
"""All that can be compared, configured or not, and whether their adapter is there yet or not."""


def providers(
    shell: Shell,
    *,
    data_dir: Path,
    namespace: str,
    local_hosts: str = "",
    local_shell: str = "auto",
    kwh_usd: Decimal = Decimal(0),
    shared: bool = False,
) -> tuple[Provider, ...]:
    """All that are configured; ``shared`` when other computers work on the same database.

    Raises ``ValueError`` with a sentence about the setting that is wrong."""
    return (
        local.this_computer(shell, data_dir=data_dir, kwh_usd=kwh_usd, way_in=local_shell, shared=shared),
        *(
            local.workstation(one, shell, namespace=namespace, kwh_usd=kwh_usd)
            for one in local.workstations(local_hosts)
        ),
    )
