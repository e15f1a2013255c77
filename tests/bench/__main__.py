"""``python -m tests.bench [idle|start|demo|store|market|slack|discord …]``: a line for each figure, with its limit.

Exit code 1 when a figure is past its limit.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench import claims, discord_answers, offers, process, slack_answers
from tests.support.postgres import running_postgres

MINUTES_BETWEEN_LOOKS = 5
"""As bot/wiring/app.py has it for a server that had nothing open for long."""


@dataclass(frozen=True, slots=True)
class Figure:
    """Something measured; ``most`` is the requirement, ``beside`` the baseline of the same run."""

    name: str
    value: float
    unit: str
    most: float | None = None
    beside: str = ""

    @property
    def is_kept(self) -> bool:
        return self.most is None or self.value <= self.most

    def __str__(self) -> str:
        limit = "" if self.most is None else f"at most {self.most:g}: {'kept' if self.is_kept else 'BROKEN'}"
        return f"{self.name:<36} {self.value:>9.2f} {self.unit:<9} {limit:<20} {self.beside}".rstrip()


def idle(seconds: float) -> Iterator[Figure]:
    memory, own, look = process.idle(seconds)
    yield Figure("idle server, memory", memory, "MiB", 150)
    total = own + look / MINUTES_BETWEEN_LOOKS
    beside = f"{own:.2f} its own over {seconds:g} s, a look for strays ({look:.2f}) each {MINUTES_BETWEEN_LOOKS} min"
    yield Figure("idle server, CPU a minute", total, "s", 0.2, beside)


def start(_: float) -> Iterator[Figure]:
    prompt, bare = process.until_first_word(3)
    yield Figure(
        "warm start to the prompt", prompt, "s", 2, f"{prompt / bare:.1f} x a bare import of SQLAlchemy"
    )
    reply = process.first_reply(3)
    yield Figure("warm start to a reply and the end", reply, "s", None, f"{reply / bare:.1f} x the same")


def demo(_: float) -> Iterator[Figure]:
    yield Figure("the whole demo", process.demo(), "s", 90)


def store(_: float) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder, running_postgres() as server:
        urls = {"SQLite": f"sqlite+aiosqlite:///{folder}/bench.db", "PostgreSQL": server.url(server.create())}
        for name, url in urls.items():
            claimed, bare = asyncio.run(claims.rates(url, Path(folder), 3))
            beside = f"{bare / claimed:.1f} x slower than SELECT 1 ({bare:.0f}/s)"
            yield Figure(f"claims, {name}", claimed, "a second", None, beside)


def market(_: float) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        ours, bare = asyncio.run(offers.beyond_the_slowest(Path(folder), 9))
    slowest = max(offers.TAKES.values())
    ratio = (slowest + ours) / (slowest + bare)
    beside = f"{ratio:.3f} x a bare wait for the same three ({bare * 1000:.2f} ms beyond the slowest)"
    yield Figure("offers over three, beyond the slowest", ours * 1000, "ms", 20, beside)


def slack(seconds: float) -> Iterator[Figure]:
    mine, bare = asyncio.run(slack_answers.measured(max(1, int(min(seconds, 20)))))
    load = "50 commands a second, 100 people, 200 rentals"
    ratio = f"{mine.ack(0.99) / bare.ack(0.99):.2f} x a bare bolt echo ({bare.ack(0.99):.1f} ms)"
    yield Figure("Slack: acknowledged, p99", mine.ack(0.99), "ms", 100, f"{ratio}; {load}")
    ratio = f"{mine.answer(0.95) / bare.answer(0.95):.2f} x a bare bolt echo ({bare.answer(0.95):.1f} ms)"
    yield Figure("Slack: status answered, p95", mine.answer(0.95), "ms", 300, ratio)
    yield Figure("Slack: commands lost", mine.lost, "", 0, f"of {len(mine.acks) + mine.lost}")


def discord(seconds: float) -> Iterator[Figure]:
    mine, typed, bare = asyncio.run(discord_answers.measured(max(1, int(min(seconds, 20)))))
    load = "50 interactions a second, 100 people, 200 rentals"
    ratio = f"{mine.ack(0.99) / bare.ack(0.99):.2f} x a bare discord.py echo ({bare.ack(0.99):.1f} ms)"
    yield Figure("Discord: acknowledged, p99", mine.ack(0.99), "ms", 100, f"{ratio}; {load}")
    ratio = (
        f"{mine.answer(0.95) / bare.answer(0.95):.2f} x a bare discord.py echo ({bare.answer(0.95):.1f} ms)"
    )
    yield Figure("Discord: status answered, p95", mine.answer(0.95), "ms", None, ratio)
    yield Figure("Discord: suggestions, p95", typed.answer(0.95), "ms", 200)
    lost = mine.lost + typed.lost
    yield Figure("Discord: interactions lost", lost, "", 0, f"of {len(mine.acks) + len(typed.acks) + lost}")


BENCHES: dict[str, Callable[[float], Iterator[Figure]]] = {
    "idle": idle,
    "start": start,
    "demo": demo,
    "store": store,
    "market": market,
    "slack": slack,
    "discord": discord,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure Lastcall.")
    parser.add_argument("which", nargs="*", choices=[[], *BENCHES], help="all, if none is named")
    parser.add_argument("--seconds", type=float, default=60, help="how long an idle server is watched")
    arguments = parser.parse_args()
    kept = True
    for name in arguments.which or BENCHES:
        for figure in BENCHES[name](arguments.seconds):
            print(figure, flush=True)
            kept = kept and figure.is_kept
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
