"""``orphans``: the list of what no rental knows, and what becomes of one machine of it.

A decision is written down and the sweep is told; the vendor is only ever asked to end something by the sweep. What is
not ours is shown and refused.
"""

from __future__ import annotations

from bot.commands.admit import ask_of, may_rent, why_approve
from bot.commands.house import House
from bot.commands.orphan_look import Found, look
from bot.commands.replies_orphans import orphans_reply, owner_of
from bot.commands.spoken import Orphans
from bot.domain import label as labels
from bot.domain.adoption import Adopter, adopted
from bot.domain.cards import card
from bot.domain.clocktime import utc
from bot.domain.errors import AskAgain, Refused
from bot.domain.market import Machine
from bot.domain.money import ZERO
from bot.domain.orphan import GRACE, Fate, Orphan
from bot.domain.orphan import found as first_seen
from bot.domain.orphan_cards import condition, facts
from bot.domain.policy import may_decide
from bot.domain.talk import Kind, Reply, Request
from bot.store.rows import Entry, Say


async def orphans(house: House, request: Request, command: Orphans) -> Reply:
    """The list, or a decision about one machine."""
    if command.fate is None:
        return orphans_reply(await look(house, leftovers=True), everything=command.everything)
    orphan = await _meant(house, command.machine)
    if reason := may_decide(await house.role(request.actor)):
        raise Refused(reason)
    if orphan.may_become(command.fate):
        if command.fate is Fate.ADOPT:
            orphan = await _adopt(house, request, orphan)
        else:
            orphan = await _decide(house, request, orphan, command.fate)
    return await _outcome(house, orphan, command.fate)


async def _decide(house: House, request: Request, orphan: Orphan, fate: Fate) -> Orphan:
    after = await house.store.orphans.decide(
        orphan,
        fate,
        by=request.actor,
        now=house.clock.now(),
        key=request.key,
        entry=Entry("orphan", f"{fate}: {orphan.name} ({orphan.label})", actor=request.actor.key),
    )
    house.nudge()
    if fate is Fate.KILL:
        house.sweep_soon()
    return after


async def _adopt(house: House, request: Request, orphan: Orphan) -> Orphan:
    provider = house.providers.get(orphan.provider)
    if provider is None:
        raise Refused(
            f"{orphan.provider} is not configured here, so {orphan.name} could not be looked after."
        )
    machine = Machine(orphan.provider, orphan.machine_id, orphan.label, orphan.state)
    twin = (await house.store.orphans.owners(orphan.provider, [machine])).get(machine.id)
    if twin is not None:
        raise Refused(
            f"{orphan.name} goes by the label of {twin.rental}'s machine, and a label belongs to one machine.",
            help=f"To end it: orphans kill {orphan.name}",
        )
    await may_rent(house, request.actor)
    terms, now = house.terms, house.clock.now()
    latency = provider.capabilities.teardown_latency
    adopter = Adopter(request.actor, request.channel, house.namespace, terms.budget, terms.lifetime, latency)
    rental = adopted(orphan, await _free_id(house, orphan), adopter, now)
    if why := await why_approve(house, rental, request.actor, rental.worst_case or ZERO):
        raise Refused(
            f"Adopting {orphan.name} needs somebody else's word: {why}.",
            help="Ask an admin to adopt it, or: orphans kill " + orphan.name,
        )
    what = f"adopted {orphan.name} ({orphan.label}); at most {rental.worst_case}"
    after = await house.store.orphans.adopt(
        orphan,
        rental,
        by=request.actor,
        key=request.key,
        entry=Entry("adopt", what, actor=request.actor.key),
        says=[Say(f"card:{rental.id}", request.channel, card(rental, now))],
        ask=ask_of(rental, now),
    )
    house.nudge()
    return after


async def _free_id(house: House, orphan: Orphan) -> str:
    """The id in the label, by which people knew it, unless another rental has it here."""
    parsed = labels.parse(orphan.label)
    taken = parsed is None or await house.store.rentals.get(parsed.rental) is not None
    return house.ids.rental() if parsed is None or taken else parsed.rental


async def _outcome(house: House, orphan: Orphan, fate: Fate) -> Reply:
    """What is so now. Raises ``Refused`` when that is not what was asked for."""
    if orphan.gone_at is not None or orphan.fate is not fate:
        state = (
            f"gone since {utc(orphan.absent_at or orphan.gone_at)}" if orphan.gone_at else condition(orphan)
        )
        more = (
            f"down {orphan.rental} ends it."
            if orphan.fate is Fate.ADOPT
            else "'orphans' shows what there is."
        )
        raise Refused(f"{orphan.name} cannot be changed: {state}.", help=more)
    data = facts(orphan)
    if fate is Fate.KILL:
        text = f"Ending {orphan.name}; it is asked for until the provider shows nothing of it."
    elif fate is Fate.IGNORE:
        costs = f" It goes on costing {orphan.hourly.rate()}." if orphan.hourly is not None else ""
        text = f"{orphan.name} is left alone.{costs}"
    else:
        rental = await house.store.rentals.get(orphan.rental)
        assert rental is not None
        until = f"; it ends at {utc(rental.hard_end)}" if rental.hard_end else ""
        text = f"Adopted {orphan.name} as {rental.id}: at most {rental.worst_case}{until}."
        data = {**data, "rental": rental.id}
    lines = await house.idle_note()
    return Reply(Kind.ANSWER, text, lines, rental=orphan.rental, data=data)


# --- finding -------------------------------------------------------------------------------------


async def _meant(house: House, text: str) -> Orphan:
    """The orphan that is called so. One that the sweep has not met is written down first. Raises ``Refused`` for what
    is not ours to decide about, and ``AskAgain`` when several are called so."""
    named = await house.store.orphans.named(text)
    chosen = [one for one in named if not one.is_over] or named
    if len(chosen) == 1:
        return chosen[0]
    if chosen:
        raise _which(text, [one.name for one in chosen])
    found = await look(house, leftovers=False)
    machines = [*found.new, *(one for one, _ in found.back), *found.foreign]
    called = [one for one in machines if _is_called(one, text)]
    if len(called) > 1:
        raise _which(text, [f"{one.provider}/{one.id}" for one in called])
    if len(called) == 1 and called[0] in found.new:
        return await _write_down(house, called[0])
    raise await _not_ours(house, text, found, called)


async def _write_down(house: House, machine: Machine) -> Orphan:
    orphan = first_seen(machine, house.clock.now(), GRACE)
    entry = Entry("orphan", f"found {orphan.name}: {machine.label}, which no rental here knows")
    await house.store.orphans.found(orphan, entry)
    return orphan


async def _not_ours(house: House, text: str, found: Found, called: list[Machine]) -> Refused:
    for machine in called:
        name = f"{machine.provider}/{machine.id}"
        if machine in found.foreign:
            whose = owner_of(machine, house.namespace)
            return Refused(f"{name} is not ours ({whose}): Lastcall never touches it.")
        return Refused(f"{name} belonged to a rental that gave it back; the next sweep ends it.")
    for machine, owner in found.owned:
        if _is_called(machine, text):
            name = f"{machine.provider}/{machine.id}"
            return Refused(
                f"{name} is the machine of {owner.rental}.", help=f"To end it: down {owner.rental}"
            )
    if await house.store.rentals.get(text.lower()) is not None:
        return Refused(f"{text} is a rental.", help=f"To end it: down {text.lower()}")
    unasked = " ".join(found.problems)
    return Refused(
        f"There is no machine {text} that could be seen.",
        help=unasked or "'orphans all' shows what there is.",
    )


def _which(text: str, names: list[str]) -> AskAgain:
    return AskAgain(f"Several machines are called {text}.", expected=", ".join(sorted(names)))


def _is_called(machine: Machine, text: str) -> bool:
    return text.lower() in (machine.id.lower(), f"{machine.provider}/{machine.id}".lower())
