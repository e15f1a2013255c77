"""The answers about the market: where to train, who rents out what, and what can be had now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.commands.reach import set_up
from bot.commands.replies_estimate import decimal, estimate_reply
from bot.commands.replies_offers import offers_reply
from bot.domain.advice import Advice
from bot.domain.market import Account, AccountNote
from bot.domain.money import MICROS_PER_CENT, Usd
from bot.domain.recipe import Recipe
from bot.domain.talk import Button, Kind, Reply, Table, Tone
from bot.domain.vendor import Profile

__all__ = ["advise_reply", "estimate_reply", "offers_reply", "providers_reply"]


def advise_reply(recipe: Recipe, advice: Advice, missing: str = "") -> Reply:
    """Local or cloud in the title, the reasons as lines, cards to rent as a table. ``missing``: who of those that
    rent them out is not configured, in a sentence."""
    lines = [*advice.because]
    if advice.faster and advice.faster not in lines:
        lines.append(advice.faster)
    if recipe.run is None:
        lines.append(
            f"{recipe.title} can be advised on, and not trained: its recipe says no training command."
        )
    if missing and advice.cards:
        lines.append(missing)
    table = Table(
        ("To rent", "Card", "Price per hour"),
        tuple((one.title, one.gpu, f"{one.hourly.rate()} (typical)") for one in advice.cards),
        "Typical cards and rates, not offers: the price you confirm is that of a live offer.",
    )
    return Reply(
        kind=Kind.ANSWER,
        title=f"{recipe.title}: {advice.where.capitalize()}",
        lines=tuple(lines),
        tables=(table,) if advice.cards else (),
        tone=Tone.GOOD if advice.where == "local" else Tone.CALM,
        buttons=(Button("What does it cost?", f"estimate {recipe.name}"),),
        data={
            "recipe": recipe.name,
            "where": advice.where,
            "because": list(advice.because),
            "fit": advice.fit.name.lower(),
            "faster": advice.faster or None,
            "cards": [
                {"provider": one.family, "gpu": one.gpu, "hourly": decimal(one.hourly), "source": "typical"}
                for one in advice.cards
            ],
        },
    )


def providers_reply(profiles: Sequence[Profile], accounts: Mapping[str, Sequence[Account]]) -> Reply:
    """The comparison. ``accounts`` by family: one for a vendor's account, one for each computer of the team."""
    rows = tuple(
        (one.title, one.best_for, one.gpu_options, one.price_range, one.ease, _state(one, accounts))
        for one in profiles
    )
    notes = tuple(
        _titled(one, note)
        for one in profiles
        for note in dict.fromkeys(_note(account) for account in accounts.get(one.family, ()))
        if note
    )
    missing = set_up([one for one in profiles if not accounts.get(one.family)])
    broken = any(account.state is AccountNote.FAULT for some in accounts.values() for account in some)
    header = ("Provider", "Best for", "GPU options", "Price range", "Ease of use", "Configured")
    return Reply(
        kind=Kind.ANSWER,
        title="Where GPUs can be had",
        lines=(*notes, *filter(None, [missing])),
        tables=(Table(header, rows),) if rows else (),
        tone=Tone.WARN if broken else Tone.CALM,
        data={"providers": [_profile_data(one, accounts.get(one.family, ())) for one in profiles]},
    )


def _titled(profile: Profile, note: str) -> str:
    """With the provider's name before it, unless it is said already (by the vendor, or as ``family/computer``)."""
    named = note.startswith((profile.title, f"{profile.family}/"))
    return note if named else f"{profile.title}: {note}"


def _state(profile: Profile, accounts: Mapping[str, Sequence[Account]]) -> str:
    """One or two words a state; ``2 ready, 1 fault`` for several computers."""
    found = accounts.get(profile.family, ())
    if not found:
        return AccountNote.NOT_CONFIGURED.value
    if len(found) == 1:
        return found[0].state.value
    counts = {state: sum(one.state is state for one in found) for state in AccountNote}
    return ", ".join(f"{count} {state.value}" for state, count in counts.items() if count)


def _note(account: Account) -> str:
    """What is there, or what is missing: the account's own sentence, its money, its computer."""
    said = [account.note] if account.note else []
    if account.hardware is not None and account.hardware.sentence not in ("", account.note):
        said.append(account.hardware.sentence)
    if account.balance is not None:
        said.append(f"Balance {_down_to_cent(account.balance)}.")
    if account.burn_hourly is not None and account.burn_hourly.micros:
        said.append(f"Spending {account.burn_hourly.rate()} now.")
    return " ".join(said)


def _down_to_cent(balance: Usd) -> Usd:
    """A balance is rounded down, so that nobody is promised more than there is."""
    return Usd(balance.micros // MICROS_PER_CENT * MICROS_PER_CENT)


def _profile_data(profile: Profile, accounts: Sequence[Account]) -> dict[str, Any]:
    return {
        "provider": profile.family,
        "title": profile.title,
        "best_for": profile.best_for,
        "gpu_options": profile.gpu_options,
        "price_range": profile.price_range,
        "ease": profile.ease,
        "setting": profile.setting or None,
        "owned": profile.owned,
        "configured": any(one.state is AccountNote.READY for one in accounts),
        "accounts": [
            {
                "state": one.state.value,
                "note": one.note,
                "balance": decimal(one.balance) if one.balance is not None else None,
                "burn_hourly": decimal(one.burn_hourly) if one.burn_hourly is not None else None,
                "as_of": one.as_of.isoformat() if one.as_of else None,
                "hardware": one.hardware.sentence if one.hardware else None,
            }
            for one in accounts
        ],
    }
