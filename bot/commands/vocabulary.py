"""The words that are not the grammar's own: providers, recipes, presets. Whoever starts the bot passes them in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.domain.market import ANY


@dataclass(frozen=True, slots=True)
class ProviderWord:
    """A provider as people type it: its family or its full name (``family/machine``), and its title."""

    name: str
    title: str = ""
    available: bool = True
    """False: it is not configured; the word is understood all the same."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All names that a line may use."""

    providers: tuple[ProviderWord, ...] = ()
    recipes: tuple[str, ...] = ()
    presets: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    """Names of recipe parameters. When given, another name in ``name=value`` is a fault; when empty, none is."""

    def provider(self, word: str) -> str | None:
        """The provider of this name or title, ``any``, or None. Exact but for case."""
        typed = word.casefold()
        if typed == ANY:
            return ANY
        named = [each.name for each in self.providers if each.name.casefold() == typed]
        titled = [each.name for each in self.providers if each.title and each.title.casefold() == typed]
        return next(iter(named or (titled if len(titled) == 1 else [])), None)

    def recipe(self, word: str) -> str | None:
        """The recipe of this name; case and ``_`` for ``-`` do not matter unless two would fit."""
        return _one(word, self.recipes)

    def preset(self, word: str) -> str | None:
        """The preset of this name."""
        return _one(word, self.presets)

    def input(self, word: str) -> str | None:
        """The parameter of this name as the recipes spell it; any name when they are not known."""
        return _one(word, self.inputs) if self.inputs else word.lower()

    def usable(self) -> tuple[str, ...]:
        """``any`` and the providers that can be used now, for "expected"."""
        return (ANY, *(each.name for each in self.providers if each.available))


def _one(word: str, names: Iterable[str]) -> str | None:
    exact = [name for name in names if name == word]
    typed = word.casefold().replace("_", "-")
    alike = exact or [name for name in names if name.casefold().replace("_", "-") == typed]
    return alike[0] if len(alike) == 1 else None
