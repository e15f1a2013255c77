"""``notify``: a team's notification channels. Only admins change them; every member sees which there are."""

from __future__ import annotations

from dataclasses import replace

from bot.commands import replies_notify
from bot.commands.house import House
from bot.commands.notify_tail import HERE
from bot.commands.spoken import Notify
from bot.domain.alert import Loudness
from bot.domain.allowance import Role, team_key
from bot.domain.errors import Refused
from bot.domain.outlet import ADDRESS, TOPICS, Outlet, Topic, copy_key, secret_of
from bot.domain.talk import Actor, Button, Channel, Kind, Reply, Request, Tone
from bot.store.rows import Entry, Say

_MOST = 20
"""Notification channels of one team."""


async def notify(house: House, request: Request, command: Notify) -> Reply:
    """Show, add, test or remove."""
    team = team_key(request.actor)
    known = await house.store.outlets.of(team)
    if not (command.add or command.test or command.remove):
        waiting = [await house.store.outlets.waiting(one.id) for one in known]
        return replies_notify.listed(known, waiting)
    if await house.role(request.actor) is not Role.ADMIN:
        raise Refused("Only an admin changes notification channels.", help="'budget' shows who that is.")
    if command.add:
        return await _add(house, request, command, known)
    wanted = command.test if command.test is not None else command.remove
    outlet = next((one for one in known if one.id == wanted), None)
    if outlet is None:
        raise Refused(f"There is no notification channel {wanted}.", help="'notify' shows which there are.")
    return await (_test if command.test is not None else _remove)(house, request, outlet)


async def troubles(house: House, actor: Actor) -> list[str]:
    """A sentence for each notification channel of this person's team that takes nothing."""
    known = await house.store.outlets.of(team_key(actor))
    return [one.trouble(await house.store.outlets.waiting(one.id)) for one in known]


async def _add(house: House, request: Request, command: Notify, known: list[Outlet]) -> Reply:
    if len(known) >= _MOST:
        raise Refused(f"A team has {_MOST} notification channels at most.", help="notify remove <n>")
    address = command.add if "://" in command.add else ""
    channel, title = await _service(house, address) if address else _place(request, command.add)
    if not address and (twin := next((one for one in known if one.channel == channel), None)):
        raise Refused(f"It is notification channel {twin.id} already.", help=f"notify remove {twin.id}")
    now = house.clock.now()
    if address:  # before the row: nobody is ever sent to an address that was not kept
        channel = replace(channel, id=house.ids.token()[:16])
        await house.store.vault.keep(secret_of(channel.id), address, now=now)
    outlet = Outlet(
        id=0,
        team_key=team_key(request.actor),
        channel=channel,
        title=title,
        topics=command.topics or tuple(one for one in TOPICS if not address or one is not Topic.CARDS),
        least=command.least
        if command.least is not None
        else (Loudness.DIRECT if address else Loudness.CHANNEL),
        added_by=request.actor,
        added_at=now,
    )
    entry = Entry("notify", f"added {title}", actor=request.actor.key)
    added = await house.store.outlets.add(outlet, now=now, key=request.key, entry=entry)
    if added is None:
        await house.store.vault.forget(secret_of(channel.id))
        return Reply(Kind.ANSWER, "Added already; 'notify' shows it.", tone=Tone.GOOD, private=True)
    return replies_notify.added(added, seen=bool(address))


async def _service(house: House, address: str) -> tuple[Channel, str]:
    if house.addresses is None:
        raise Refused("Addresses cannot be told from here.", help="notify add here")
    service = await house.addresses.service(address)
    if not service:
        raise Refused(
            "That is no address that Apprise can tell.",
            help="Write it as https://appriseit.com/services/ shows, such as ntfy://ntfy.sh/our-gpus",
        )
    return Channel(ADDRESS, ""), service


def _place(request: Request, said: str) -> tuple[Channel, str]:
    """The channel that this was said in. Others are named only at the terminal: who sits there has the keys anyway,
    and nobody else may send to channels that they may not be in."""
    here = replace(request.channel, thread="")
    at_terminal = request.actor.chat == "console"
    if said != HERE and not at_terminal:
        raise Refused("A channel is added from within.", help="Say 'notify add here' in it.")
    if said == HERE and at_terminal:
        raise Refused(
            "A terminal is no notification channel.",
            help="Say 'notify add here' in a channel, or add an address",
        )
    if said == HERE:
        return here, f"{here.chat} {here.id}"
    chat, _, place = said.partition(":")
    return Channel(chat, place), f"{chat} {place}"


async def _test(house: House, request: Request, outlet: Outlet) -> Reply:
    """An address answers at once; a channel reads it in a moment, by the way that all messages go."""
    now = house.clock.now()
    name = request.actor.name or request.actor.id
    words = Reply(Kind.NOTICE, f"A test by {name}", ("Notifications of Lastcall arrive here.",), loud=True)
    if not outlet.is_address:
        key = copy_key(f"test:{house.ids.token()[:12]}", outlet.id)
        await house.store.outbox.put(Say(key, outlet.channel, words, once=True), now=now)
        house.nudge()
        return Reply(
            Kind.ANSWER, f"A test is on its way to {outlet.name}.", private=True, data={"id": outlet.id}
        )
    assert house.addresses is not None
    try:
        address = await house.store.vault.secret(secret_of(outlet.channel.id))
    except KeyError:
        why = "its address cannot be read: LASTCALL_SECRET_KEY is not the one it was kept with"
    else:
        why = await house.addresses.tell(address, words.title, words.lines[0], words.tone)
    if why:
        await house.store.outlets.failed(outlet.id, why, now=now)
        raise Refused(
            f"{outlet.name} was not told: {why}.", help=f"notify remove {outlet.id}, and add it anew"
        )
    await house.store.outlets.told(outlet.id, now=now)
    return Reply(
        Kind.ANSWER, f"{outlet.name} took the test.", tone=Tone.GOOD, private=True, data={"id": outlet.id}
    )


async def _remove(house: House, request: Request, outlet: Outlet) -> Reply:
    entry = Entry("notify", f"removed {outlet.name}", actor=request.actor.key)
    await house.store.outlets.remove(outlet, now=house.clock.now(), key=request.key, entry=entry)
    await house.store.vault.forget(secret_of(outlet.channel.id))
    left = Button("Show the others", "notify")
    return Reply(Kind.ANSWER, f"Removed: {outlet.name}.", buttons=(left,), data={"id": outlet.id})
