"""The order: what is sent to rent one offer, and how its answer is read."""

from __future__ import annotations

import shlex
from decimal import Decimal
from typing import Any

from adapters.http import Answer
from adapters.providers.vast.offers import disk_of, image_for
from bot.domain.errors import NeedsHuman, OutcomeUnknown
from bot.domain.market import LaunchOrder

_KEYS = "~/.ssh/authorized_keys"


def body(order: LaunchOrder, cuda: str, bid: Decimal | None) -> dict[str, Any]:
    """``cancel_unavail`` always: without it an offer that is gone becomes a stopped machine whose disk bills; and
    ``price`` always where we bid: without it a bid becomes a rental at the full price (vast.md, 11.4, 11.5, 11.16)."""
    return {
        "client_id": "me",
        "image": order.image or image_for(cuda),
        "disk": float(disk_of(order.disk_gb)),
        "label": order.label,
        "env": {},
        "onstart": onstart(order.public_key),
        "runtype": "ssh_direc ssh_proxy",
        "price": None if bid is None else float(bid),
        "target_state": "running",
        "cancel_unavail": True,
    }


def onstart(public_key: str) -> str:
    """What runs at every start of the container: no tmux in the way of our commands, and the rental's key in early.
    Raises ``NeedsHuman`` for a key that is not one line."""
    if len(public_key.splitlines()) != 1:
        raise NeedsHuman("the public key of the order is not one line")
    key = shlex.quote(public_key.strip())
    return "\n".join(
        (
            "touch ~/.no_auto_tmux",
            "mkdir -p ~/.ssh && chmod 700 ~/.ssh",
            f"touch {_KEYS} && chmod 600 {_KEYS}",
            f"grep -qxF {key} {_KEYS} || echo {key} >> {_KEYS}",
        )
    )


def contract(answer: Answer, said: str) -> str:
    """The id of what was rented. Raises ``OutcomeUnknown`` for every answer that is not a plain yes: a refusal with
    status 200 has been seen to come with a machine (vast.md, 3.5)."""
    body = answer.body if isinstance(answer.body, dict) else {}
    made = body.get("new_contract")
    if isinstance(made, bool) or not isinstance(made, int | str) or not str(made).isdigit():
        raise OutcomeUnknown(f"no id of a machine in the answer: {said}")
    if body.get("success") is not True:
        raise OutcomeUnknown(f"refused, and machine {made} was created all the same: {said}")
    return str(made)
