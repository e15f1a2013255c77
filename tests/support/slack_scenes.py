"""What people meet in Slack, each made by the core itself: from rentals as values, and in a small town."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.commands import forms
from bot.commands.replies_offers import offers_reply
from bot.domain import approval, cards, ledger_cards, notices, orphan_cards
from bot.domain.alert import Alert, Loudness
from bot.domain.form import Form, Weighed
from bot.domain.ledger import By
from bot.domain.market import MachineState
from bot.domain.money import Usd
from bot.domain.orphan import Orphan
from bot.domain.rental import Attempt, Check, Ending, Goal, Progress, Rental, ResultFile, Step
from bot.domain.talk import Actor, Channel, Reply, Request
from bot.lifecycle.reminders import in_place
from tests.commands.vendors import Vendor, offer
from tests.support.rentals import HOUR, MINUTE, START, begun, running
from tests.support.small_town import SmallTown
from tests.support.town import ANN as TOWN_ANN
from tests.support.town import BEN as TOWN_BEN
from tests.support.town import HERE

ANN, BEN = Actor("slack", "T1", "U0ANN", "ann"), Actor("slack", "T1", "U0BEN", "ben")
GPU = Channel("slack", "C0GPU", "1772441940.000100")
OFFER = offer("vast", "7741", "0.2042", traffic_per_gb=Usd.of("0.0195"), where="Stockholm, SE")
HOW = "2 h at $0.2042/h + 10 min to tear down + 6 GB of traffic, up to the next cent"
CHECKS = tuple(
    Check(name, "PASS", "As ordered.") for name in ("GPU", "driver", "disk", "network", "CUDA", "torch")
)


def rented(**changes: object) -> Rental:
    """ann's training on a vendor's machine."""
    attempt = running(offer=OFFER, machine_id="20471234", unit="train-1", report=CHECKS)
    facts: dict[str, object] = {
        "owner": ANN, "channel": GPU, "offer": OFFER, "worst_case": Usd.of("0.58"), "worst_how": HOW,
        "attempts": (attempt,), "created_at": START - 3 * MINUTE,
    }  # fmt: skip
    return begun(**(facts | changes))


def quote() -> Reply:
    """Before anything is rented."""
    asked = replace(rented(), goal=Goal.QUOTED, attempts=(), began_at=None)
    return cards.card(asked, START)


def training() -> Rental:
    """In the middle of it."""
    progress = Progress(
        "training", 184, 300, loss=0.0412, first_loss=0.1833, seconds_per_step=3.1, eta=6 * MINUTE
    )
    return rented(step=Step.TRAIN, progress=progress)


def reminder(rung: int, level: Loudness) -> Reply:
    """As it is said at this level."""
    rental, now = training(), START + 2 * HOUR * rung / 100
    alert = Alert(rental.id, f"{rung}%", 1, now, level, now)
    return in_place(rental, alert, level, notices.reminder(rental, rung, now)).reply


def to_approve(**decided: object) -> Reply:
    """What somebody else has to agree to."""
    asked = replace(rented(), goal=Goal.QUOTED, attempts=(), began_at=None)
    reason = "a rental over $0.50 needs a second pair of eyes"
    request = approval.Approval(asked.id, START, ANN, START + approval.LIFE, Usd.of("0.58"), reason)
    return approval.card(asked, replace(request, **decided))  # type: ignore[arg-type] # fields by name


def stuck() -> Reply:
    """A machine that does not go away."""
    attempt = replace(rented().attempts[0], destroy_asked_at=START)
    rental = rented(goal=Goal.GONE, attempts=(attempt,), note="500: internal error, try again")
    return notices.stuck(rental, attempt, 30, START + 31 * MINUTE)


def orphan() -> Reply:
    """A machine that no rental here knows."""
    label = "lc-test-zzzzzz-1-20260303T0900Z"
    return orphan_cards.card(
        Orphan(
            "vast",
            "20479999",
            label,
            "RTX 4090",
            MachineState.RUNNING,
            Usd.of("0.41"),
            START,
            START + 15 * MINUTE,
        )
    )


def receipt() -> Reply:
    """A first machine that never came up, and a second that did everything."""
    first = Attempt(
        1, "lc-test-k7m2qd-1-x", OFFER, START, machine_id="20471111", condemned="stuck at boot",
        destroy_asked_at=START + 12 * MINUTE, ended_at=START + 12 * MINUTE, gone_at=START + 14 * MINUTE,
    )  # fmt: skip
    second = replace(
        rented().attempts[0], number=2, tried_at=START + 15 * MINUTE, running_at=START + 17 * MINUTE,
        ready_at=START + 18 * MINUTE, tools_at=START + 22 * MINUTE, dataset_at=START + 23 * MINUTE,
        destroy_asked_at=START + 60 * MINUTE, ended_at=START + 60 * MINUTE, gone_at=START + 62 * MINUTE,
    )  # fmt: skip
    results = tuple(
        ResultFile(f"/srv/lastcall/results/k7m2qd/{name}", name, size, digest * 32)
        for name, size, digest in (
            ("lora.safetensors", 18_900_000, "a1"), ("loss.png", 41_200, "b2"), ("manifest.json", 2_210, "c3")
        )
    )  # fmt: skip
    rental = rented(
        attempts=(first, second), goal=Goal.GONE, ending=Ending.DONE, results=results, quoted_at=START - MINUTE,
        trained_at=START + 53 * MINUTE, pulled_at=START + 55 * MINUTE, closed_at=START + 63 * MINUTE,
    )  # fmt: skip
    return cards.card(rental, START + 2 * HOUR)


def failed() -> Reply:
    """One that came to nothing, with what would help."""
    why = "the data set has no captions\nPut a .txt file with the same name beside each image."
    done = replace(rented().attempts[0], ended_at=START + 9 * MINUTE, gone_at=START + 10 * MINUTE)
    rental = rented(goal=Goal.GONE, ending=Ending.FAILED, ending_note=why, attempts=(done,))
    return cards.card(replace(rental, closed_at=START + 10 * MINUTE), START + HOUR)


def costs() -> Reply:
    """A week of two people at two vendors."""
    rentals = []
    for day in range(5):
        for number, (who, where, price) in enumerate(((ANN, "vast", "0.2042"), (BEN, "runpod", "0.69"))):
            began = START + timedelta(days=day, hours=number)
            end = began + timedelta(hours=1 + day)
            one = replace(OFFER, provider=where, hourly=Usd.of(price))
            attempt = running(offer=one, tried_at=began, running_at=began, ended_at=end, gone_at=end)
            facts = {"id": f"r{day}{number}aaa", "owner": who, "offer": one, "attempts": (attempt,)}
            rentals.append(rented(**facts, began_at=began, created_at=began, closed_at=end, goal=Goal.GONE))
    now = START + timedelta(days=5)
    start = START - timedelta(hours=9)
    return ledger_cards.report(
        ledger_cards.Spend("the team's", By.PERSON, "this week", start, now, now, rentals)
    )


def many_offers() -> Reply:
    """Of twenty-six the cheapest fifteen, and one vendor that is silent."""
    found = [
        replace(
            OFFER if number % 3 else replace(OFFER, provider="runpod", where="EU-RO-1", verified=None),
            id=str(number), hourly=Usd(204_200 + 13_700 * number), spot=not number % 5,
        )
        for number in range(26)
    ]  # fmt: skip
    silent = {"lambda": "the key is not accepted"}
    return offers_reply(found, silent, ["3 offers were left out: less than 24 GB of memory."])


PURE: Mapping[str, Callable[[], Reply]] = {
    "quote": quote,
    "running": lambda: cards.card(training(), START + 70 * MINUTE),
    "reminder-50-thread": lambda: reminder(50, Loudness.THREAD),
    "reminder-75-owner": lambda: reminder(75, Loudness.OWNER),
    "reminder-90-owner": lambda: reminder(90, Loudness.OWNER),
    "reminder-90-channel": lambda: reminder(90, Loudness.CHANNEL),
    "last-minutes": lambda: notices.last_minutes(training(), START + 110 * MINUTE),
    "idle": lambda: notices.idle(rented(job=None, goal=Goal.READY), START + HOUR, START + 90 * MINUTE),
    "unpulled": lambda: notices.unpulled(rented(note="the connection is refused"), START + HOUR),
    "approval": to_approve,
    "approval-declined": lambda: to_approve(
        verdict=approval.Verdict.DECLINED, decided_by=BEN, said="use the 3060 under the desk"
    ),
    "stuck": stuck,
    "orphan": orphan,
    "receipt": receipt,
    "failed": failed,
    "costs": costs,
    "offers": many_offers,
}


async def status_of_thirty(town: SmallTown) -> Reply:
    """One that runs and twenty-nine quotes."""
    tab = await town.rent("up world 3090 for 4h")
    await town.until(tab, lambda rental: rental.attempt is not None and rental.attempt.ready_at)
    for _ in range(29):
        await town.rent("up world 3090 for 1h")
    return await town.ask("status")


async def home(town: SmallTown) -> list[Reply]:
    """A machine that runs, a quote that is being made, and a machine of somebody else's."""
    for text, who in (("up world 3090 for 4h", TOWN_ANN), ("up world 3090 for 2h", TOWN_BEN)):
        tab = await town.rent(text, actor=who)
        await town.until(tab, lambda rental: rental.attempt is not None and rental.attempt.ready_at)
    town.clock.advance(30 * MINUTE)
    await town.rent("up world 3090 for 1h")
    return list(await town.life.desk.home(TOWN_ANN))


async def form(town: SmallTown, command: str, values: Mapping[str, str]) -> tuple[Form, Weighed]:
    """Filled by hand, with two vendors' prices, on the scales."""
    dearer = replace(OFFER, gpu="RTX 4090", hourly=Usd.of("0.41"))
    other = offer("runpod", "a", "0.69", gpu="L40S", vram_gb=48)
    stock: tuple[Any, ...] = (Vendor("vast", [OFFER, dearer]), Vendor("runpod", [other]))
    desk = town.life.desk
    desk.house = replace(desk.house, providers={one.name: one for one in stock})
    request = Request(TOWN_ANN, HERE, "", "", town.clock.now())
    shown = await forms.build(desk.house, TOWN_ANN, command, values)
    every = {one.name: one.value for one in shown.fields} | dict(values)
    return shown, await desk.weigh(request, command, every)


SNAPSHOTS = Path(__file__).parents[1] / "adapters/chat/slack/snapshots"
