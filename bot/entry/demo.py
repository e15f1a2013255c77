"""``lastcall demo``: rentals of this computer and of three simulated clouds, told step by step, then the prompt."""

from __future__ import annotations

import shlex
import sys

from bot.domain import budget
from bot.domain.rental import Goal, Rental, Step
from bot.domain.talk import Kind, Reply, Table, Tone
from bot.entry.terminal import Terminal, open_terminal
from bot.settings import Settings
from bot.store.journal import Line
from bot.wiring import Told
from bot.wiring.stage import BY_HAND, TRAININGS, Stage, stage

_STEPS = {step.value: f"{number}/{len(Step)}" for number, step in enumerate(Step, 1)}
_TONES = {"closed": Tone.GOOD, "trouble": Tone.WARN, "failure": Tone.ALARM}
_TOLD = {*_STEPS, *_TONES, "launch"}
_INTERRUPTED = 130


async def demo(settings: Settings, *, play: bool) -> int:
    """Play it, say where the results are and what the vendors' meters show, and stay at the prompt where there is one
    (``play``: never). 0 only when every rental went well and no meter shows anything running."""
    async with (
        await stage(settings) as staged,
        open_terminal(
            staged.settings(settings), interactive=False, story=True, clock=staged.clock, speed=staged.speed
        ) as terminal,
    ):
        await terminal.console.screen.answer(_opening(staged))
        terminal.console.before = _Teller(terminal).tell
        terminal.before = f"LASTCALL_DATA_DIR={shlex.quote(str(terminal.app.settings.data))} "
        code = await _play(terminal)
        if code != _INTERRUPTED:
            await _where(terminal)
        await terminal.console.screen.answer(_books(staged, await _counted(terminal)))
        left = any(one.running for one in staged.meters())
    if code == 0 and not left and not play and sys.stdin.isatty() and sys.stdout.isatty():
        return await _prompt(settings)
    return code or int(left)


async def _prompt(settings: Settings) -> int:
    """The same clouds, to be tried by hand."""
    async with (
        await stage(settings) as staged,
        open_terminal(
            staged.settings(settings), interactive=True, clock=staged.clock, speed=staged.speed
        ) as terminal,
    ):
        await terminal.console.screen.say(
            "Lastcall on simulated clouds: nothing is paid here. Type help, or quit to leave."
        )
        await terminal.console.listen(terminal.app.desk)
    return 0


async def _play(terminal: Terminal) -> int:
    for line in TRAININGS:
        await terminal.console.screen.say(f"> /gpu {line}")
        if code := await terminal.run(line, wait=True, yes=True):
            return code
    await terminal.console.screen.say(f"> /gpu {BY_HAND}")
    if code := await terminal.run(BY_HAND, wait=False, yes=True):
        return code
    rental = await _reminded(terminal)
    await terminal.console.screen.say(f"> /gpu down {rental.id}")
    return await terminal.run(f"down {rental.id}", wait=True, yes=False)


async def _reminded(terminal: Terminal) -> Rental:
    """The machine that nobody uses, once its reminder was said."""
    while True:
        rental = next(iter(await terminal.mine()), None)
        if rental is None or rental.goal is Goal.GONE:
            raise ValueError("the rental by hand ended before its reminder")
        if (await terminal.app.store.alerts.of([rental.id])).get(rental.id):
            await terminal.say_the_rest()
            return rental
        await terminal.app.ticker.next("reminders")


def _opening(staged: Stage) -> Reply:
    names = ", ".join(one.vendor for one in staged.meters())
    return Reply(
        Kind.ANSWER,
        "Lastcall demo: four rentals, from the first word to the closed tab",
        (
            f"{names} are SIMULATED on this computer; the first rental is this computer itself.",
            f"HTTP, SSH, files and training are real. The clock runs {staged.speed} times as fast; nothing is paid.",
            "Ctrl-C tears down before it leaves.",
        ),
    )


async def _counted(terminal: Terminal) -> dict[str, str]:
    """What Lastcall's own meter says, by provider."""
    totals: dict[str, int] = {}
    rentals = await terminal.app.store.rentals.closed_ones(limit=20, owner=terminal.seat.actor.key)
    for rental in rentals:
        if rental.channel.id != terminal.seat.session or rental.closed_at is None:
            continue
        for attempt in rental.attempts:
            cost = budget.cost(attempt, rental.closed_at).micros
            title = terminal.app.providers[attempt.offer.provider].profile.title
            totals[title] = totals.get(title, 0) + cost
    return {title: f"${micros / 1e6:.4f}" for title, micros in totals.items()}


def _books(staged: Stage, counted: dict[str, str]) -> Reply:
    """The closing bill: ours beside the vendors'."""
    meters = staged.meters()
    rows = tuple(
        (
            one.vendor,
            str(one.machines),
            str(one.running),
            f"${one.billed.dollars:.4f}",
            counted.get(one.vendor, "$0.0000"),
        )
        for one in meters
    )
    left = sum(one.running for one in meters)
    table = Table(("simulated vendor", "machines", "running now", "its invoice", "Lastcall counted"), rows)
    title = f"{left} machines still run" if left else "The vendors' own meters: nothing is running"
    data = {
        "running": left,
        "vendors": {
            one.vendor: {"running": one.running, "billed_usd": str(one.billed.dollars)} for one in meters
        },
    }
    return Reply(Kind.ANSWER, title, tables=(table,), tone=Tone.ALARM if left else Tone.GOOD, data=data)


class _Teller:
    """The journal as it grows, a line a step, each before the card that shows the same."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._told = 0
        self._rentals: set[str] = set()

    async def tell(self) -> None:
        """Tell what is new about the rentals of this session, to the last line of those that are closed."""
        app = self._terminal.app
        self._rentals |= {one.id for one in await self._terminal.mine()}
        for rental in self._rentals:
            for line in await app.store.journal.lines(rental=rental):
                if line.seq > self._told:
                    self._told = line.seq
                    await self._one(line)

    async def _one(self, line: Line) -> None:
        if line.kind in _TOLD:
            told = Told(
                f"{line.at:%H:%M:%S}",
                _STEPS.get(line.kind, ""),
                line.kind,
                line.text,
                _TONES.get(line.kind, Tone.CALM),
            )
            await self._terminal.console.screen.tell(told)


async def _where(terminal: Terminal) -> None:
    closed = await terminal.app.store.rentals.closed_ones(limit=9, owner=terminal.seat.actor.key)
    trained = [one for one in closed if one.results and one.channel.id == terminal.seat.session]
    if not trained:
        return
    folder = terminal.app.settings.data / "results"
    found = [
        (str(one.offer.provider if one.offer else ""), str(folder / one.id)) for one in reversed(trained)
    ]
    found += [("loss curve", one.path) for one in trained[-1].results if one.name == "loss.png"]
    found.append(
        ("next", "type help, or train on your own images: train tiny-lora quick on local data ./folder")
    )
    await terminal.console.screen.answer(Reply(Kind.ANSWER, "Where to look", fields=tuple(found)))
