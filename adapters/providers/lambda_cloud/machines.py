"""Lambda's instances as machines. A row that is odd is a machine all the same; nothing of the row is kept but what is
named here: rows carry live Jupyter credentials (lambda.md, 2.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from adapters.providers.lambda_cloud.offers import gpu_of
from adapters.providers.lambda_cloud.profile import NAME
from adapters.providers.lambda_cloud.wire import Row, id_of, part, price_of, text, texts
from bot.domain import label as labels
from bot.domain.market import Access, Machine, MachineState
from bot.domain.money import ZERO, Usd

USER = "ubuntu"
ENDED = ("terminated",)
ENDING = ("terminating",)
LABEL_TAG = "label"

Redact = Callable[[str], str]


def machine(row: Row, ssh_port: int, redact: Redact) -> Machine | None:
    """None for one that Lambda itself says has ended. Raises ``VendorChanged`` for a row without an id."""
    machine_id, status = id_of(row, "an instance"), text(row, "status")
    if status in ENDED:
        return None
    label, address = label_of(row), text(row, "ip")
    state, why = _state(status, address)
    reason = " ".join(
        word for word in (why, _words(row) if state is not MachineState.RUNNING else "") if word
    )
    kind = part(row, "instance_type")
    return Machine(
        provider=NAME,
        id=machine_id,
        label=label,
        state=state,
        access=_access(label or machine_id, address, ssh_port) if state is MachineState.RUNNING else None,
        hourly=price_of(kind),
        reason=redact(" ".join(reason.split()))[:200],
        gpu=gpu_of(kind)[0] or text(kind, "gpu_description"),
    )


def label_of(row: Row) -> str:
    """Our label from the name, or else from the tags or from the name of the key: names and tags were seen not to
    stick, and a name can be changed by hand (lambda.md, (a) 14). Without one of ours, whatever the name is."""
    name = text(row, "name")
    tags = row.get("tags")
    rows = [tag for tag in tags if isinstance(tag, dict)] if isinstance(tags, list) else []
    tagged = [text(tag, "value") for tag in rows if tag.get("key") == LABEL_TAG]
    named = (name, *tagged, *texts(row.get("ssh_key_names")))
    return next((one for one in named if labels.parse(one) is not None), name)


def burn(rows: list[Row]) -> Usd | None:
    """What everything that is not ending costs in an hour together; None where one does not tell."""
    prices = [price_of(part(row, "instance_type")) for row in rows if is_billed(row)]
    known = [price for price in prices if price is not None]
    return sum(known, ZERO) if len(known) == len(prices) else None


def is_billed(row: Row) -> bool:
    """Billing ends the moment one terminates (lambda.md, 4); every other status, known or not, is billed."""
    return text(row, "status") not in (*ENDED, *ENDING)


def _state(status: str, address: str) -> tuple[MachineState, str]:
    match status:
        case "booting":
            return MachineState.STARTING, ""
        case "active" if address:
            return MachineState.RUNNING, ""
        case "active":
            return MachineState.STARTING, "active, and no address yet."
        case "preempted":
            return MachineState.STOPPED, "preempted."
        case "unhealthy":
            return MachineState.UNKNOWN, "unhealthy by Lambda's own check, and still billed."
        case _ if status in ENDING:
            return MachineState.ENDING, ""
        case _:
            return MachineState.UNKNOWN, f"status {status[:40] or 'not told'}, probably still billed."


def _access(name: str, address: str, port: int) -> Access:
    ours = labels.parse(name)
    return Access(
        kind="ssh",
        workdir=f"~/lastcall/{name}",
        host=address,
        port=port,
        user=USER,
        key_ref=f"{ours.rental}-{ours.attempt}" if ours else "",
    )


def _words(row: Row) -> str:
    """What Lambda says keeps it from being restarted: the only prose that a machine has."""
    return next(_descriptions(part(row, "actions")), "")


def _descriptions(actions: Row) -> Iterator[str]:
    for name in ("restart", *actions):
        said = text(part(actions, name), "reason_description")
        if said:
            yield said
