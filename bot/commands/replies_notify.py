"""How notification channels read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.domain.clocktime import utc
from bot.domain.outlet import TOPICS, Outlet
from bot.domain.talk import Button, Kind, Reply, Table, Tone


def listed(outlets: Sequence[Outlet], waiting: Sequence[datetime | None]) -> Reply:
    """All of a team's, with what each took last."""
    if not outlets:
        return Reply(
            Kind.ANSWER,
            "Your team has no notification channel.",
            ("Reminders go to where a rental was asked for, to its owner and to the admins.",),
            code="notify add here\nnotify add ntfy://ntfy.sh/our-gpus from direct",
            data={"channels": []},
        )
    troubles = [one.trouble(since) for one, since in zip(outlets, waiting, strict=True)]
    rows = tuple(
        (str(one.id), one.title, _topics(one), one.least.name.lower(), _state(one, bool(trouble)))
        for one, trouble in zip(outlets, troubles, strict=True)
    )
    table = Table(("number", "where", "hears of", "from rung", "state"), rows)
    data = [
        {
            "id": one.id,
            "where": one.title,
            "topics": [*one.topics],
            "from": one.least.name.lower(),
            "told_at": one.told_at.isoformat() if one.told_at else None,
            "trouble": trouble,
        }
        for one, trouble in zip(outlets, troubles, strict=True)
    ]
    sick = tuple(one for one in troubles if one)
    head = f"{len(outlets)} notification channel{'' if len(outlets) == 1 else 's'}"
    tone = Tone.WARN if sick else Tone.CALM
    return Reply(Kind.ANSWER, head, sick, tables=(table,), tone=tone, data={"channels": data})


def added(outlet: Outlet, *, seen: bool) -> Reply:
    """``seen``: an address was typed, where others may read it."""
    lines = [f"It hears of {_topics(outlet)}; of alerts from the rung '{outlet.least.name.lower()}' on."]
    if seen:
        lines.append(
            "Its address is kept encrypted and is not shown again. Delete the message you typed it in."
        )
    return Reply(
        Kind.ANSWER,
        f"Added: notification channel {outlet.name}.",
        tuple(lines),
        buttons=(
            Button("Test it", f"notify test {outlet.id}", primary=True),
            Button("Remove", f"notify remove {outlet.id}"),
        ),
        tone=Tone.GOOD,
        private=seen,
        data={"id": outlet.id},
    )


def _topics(outlet: Outlet) -> str:
    return "all" if set(outlet.topics) == set(TOPICS) else ", ".join(outlet.topics)


def _state(outlet: Outlet, sick: bool) -> str:
    if sick:
        return "takes nothing"
    return f"told {utc(outlet.told_at)}" if outlet.told_at else "nothing to tell yet"
