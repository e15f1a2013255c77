"""What the handlers work with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from bot.commands.vocabulary import ProviderWord, Vocabulary
from bot.domain.allowance import Role
from bot.domain.money import Usd
from bot.domain.recipe import PRESETS
from bot.domain.talk import Actor, Channel
from bot.domain.vendor import Profile
from bot.ports import Addresses, Clock, Ids, Provider, Shell
from bot.recipes import RecipeFile
from bot.store import Store


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds when nobody says otherwise."""

    budget: Usd
    lifetime: timedelta
    max_lifetime: timedelta


@dataclass(frozen=True, slots=True)
class House:
    """Ports, store and policy of one deployment."""

    store: Store
    clock: Clock
    ids: Ids
    providers: Mapping[str, Provider]
    profiles: Sequence[Profile]
    recipes: Mapping[str, RecipeFile]
    shell: Shell
    terms: Terms
    namespace: str
    data: Path
    approvers: Channel | None = None
    """Where somebody is asked to agree; None: where the rental was asked for."""
    addresses: Addresses | None = None
    """Through which addresses are told; None: this process has nothing for it."""
    nudge: Callable[[], None] = lambda: None
    """Tells this process's engine that there is something to do."""
    sweep_soon: Callable[[], None] = lambda: None
    """Tells this process's sweep not to wait for its minute."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What was set for recipes to pass on to a machine, by the names they know."""

    @property
    def results(self) -> Path:
        """Folder of all results."""
        return self.data / "results"

    @property
    def vocabulary(self) -> Vocabulary:
        """The words that the grammar does not know by itself."""
        there = {one.profile.family for one in self.providers.values()}
        named = {
            one.family: ProviderWord(one.family, one.title, one.family in there) for one in self.profiles
        }
        for provider in self.providers.values():
            named.setdefault(provider.name, ProviderWord(provider.name, provider.profile.title))
        inputs = sorted({name for one in self.recipes.values() for name in one.recipe.inputs})
        return Vocabulary(tuple(named.values()), tuple(sorted(self.recipes)), PRESETS, tuple(inputs))

    async def role(self, actor: Actor) -> Role:
        """What this person may do here: by the settings, by what an admin said, by what their chat says."""
        return await self.store.budgets.role(actor)

    async def engine_runs(self) -> bool:
        """Whether any process works on the rentals now."""
        return bool(await self.store.leases.live("engine:", now=self.clock.now()))

    async def idle_note(self) -> tuple[str, ...]:
        """A line for whoever changed something while nobody works on it."""
        if await self.engine_runs():
            return ()
        return ("No engine runs now: nothing happens until 'lastcall serve' or 'lastcall chat' is started.",)
