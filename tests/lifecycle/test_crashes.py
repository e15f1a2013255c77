"""The process is stopped before and after every outside call and every commit, alone and in pairs.

Whatever happens: the rental closes, no machine is left, never two at once, every message is said once. Then each
of the money habits is taken away in turn, and the same test must notice. ``LASTCALL_CRASH=all`` tries every point
of every scene on both databases and 2,000 pairs (``make crash``); the usual run takes every point of the plain
scene on SQLite, every seventh of it on PostgreSQL, and samples of the rest.
"""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from bot.ports import Provider
from tests.support.habits import NoAdoption, NoLabel, NoProof, NoSettle, NoWrittenIntent
from tests.support.story import SCENES, Databases, Scene, Story, two_images
from tests.support.town import Wrappers, same

THOROUGH = os.environ.get("LASTCALL_CRASH") == "all"
CHUNKS = 8
"""So that the test processes can share the work."""
PAIR_CHUNKS = 8 if THOROUGH else 2
STRIDE = 1 if THOROUGH else 17
PAIRS = 2000 if THOROUGH else 56
SAMPLED = 7
"""Every so many on PostgreSQL, which runs the same statements: odd, so that moments before and after an effect both
come up."""
PLAIN, LOST, LATE, _GONE, _WRONG, SHRUG, _LAG = SCENES

_POINTS: dict[tuple[str, str], list[str]] = {}

pytestmark = pytest.mark.timeout(1800 if THOROUGH else 240)


@pytest.fixture(params=["sqlite", "postgresql"])
async def databases(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Databases]:
    """New databases on each engine, and the data set beside them."""
    server = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    two_images(tmp_path)
    made = Databases(tmp_path, server)
    await made.prepare()
    yield made
    await made.close()


def whole(databases: Databases) -> bool:
    """Whether all of a scene is lived through on this engine, or a smaller sample of it."""
    return THOROUGH or databases.kind == "sqlite"


async def told(
    databases: Databases, folder: Path, scene: Scene, points: tuple[int, ...], wrap: Wrappers | None = None
) -> Story:
    """One story from the beginning to the end. Those that must end well share a database: a tab is a tab."""
    if wrap is None:
        story = Story(folder, databases.shared(), scene, points, number=databases.next_number())
        await story.tell()
        return story
    async with databases.fresh() as engine:
        story = Story(folder, engine, scene, points, wrap)
        await story.tell()
    return story


async def all_hold(databases: Databases, folder: Path, scene: Scene, points: list[tuple[int, ...]]) -> None:
    """No crash of these breaks a promise."""
    for chosen in points:
        story = await told(databases, folder, scene, chosen)
        names = [story.plan.passed[point - 1] for point in chosen if point <= story.plan.count]
        assert not story.broken(), f"{scene.name}, crashed at {names}: {story.broken()}"


async def points_of(databases: Databases, folder: Path, scene: Scene) -> list[str]:
    """The points of a life without a crash, by name; point 1 first. Lived once per database and scene."""
    known = _POINTS.get((databases.kind, scene.name))
    if known is None:
        story = await told(databases, folder, scene, ())
        assert not story.broken(), story.broken()
        known = _POINTS[databases.kind, scene.name] = story.plan.passed
    return known


@pytest.mark.parametrize("chunk", range(CHUNKS))
async def test_a_crash_at_any_point_leaves_no_machine_and_says_nothing_twice(
    databases: Databases, tmp_path: Path, chunk: int
) -> None:
    """Every single point of a rental's life on SQLite; on PostgreSQL every seventh, and all by ``make crash``."""
    count = len(await points_of(databases, tmp_path, PLAIN))
    assert count > 150
    every = 1 if whole(databases) else SAMPLED
    chosen = range(1 + every * chunk, count + 1, every * CHUNKS)
    await all_hold(databases, tmp_path, PLAIN, [(point,) for point in chosen])


@pytest.mark.parametrize("scene", SCENES[1:], ids=lambda scene: scene.name)
async def test_a_crash_while_the_vendor_misbehaves_leaves_no_machine(
    databases: Databases, tmp_path: Path, scene: Scene
) -> None:
    """Lost and late launches, vanished offers, wrong machines, deaf teardowns, lagging listings, and a crash."""
    count = len(await points_of(databases, tmp_path, scene))
    stride = STRIDE if whole(databases) else 3 * STRIDE
    first = 1 + SCENES.index(scene) % stride
    await all_hold(databases, tmp_path, scene, [(point,) for point in range(first, count + 1, stride)])


@pytest.mark.parametrize("chunk", range(PAIR_CHUNKS))
async def test_two_crashes_in_one_life_leave_no_machine(
    databases: Databases, tmp_path: Path, chunk: int
) -> None:
    """Pairs of points in every scene, drawn by seed; the second one strikes the process that cleans up."""
    dice = random.Random(chunk)
    for scene in SCENES:
        count = len(await points_of(databases, tmp_path, scene))
        share = max(1, PAIRS // PAIR_CHUNKS // len(SCENES) // (1 if whole(databases) else 2))
        pairs = [tuple(sorted(dice.sample(range(1, count + 60), 2))) for _ in range(share)]
        await all_hold(databases, tmp_path, scene, pairs)


async def test_the_launch_is_numbered_anew_after_an_attempt_that_came_to_nothing(
    databases: Databases, tmp_path: Path
) -> None:
    """Numbered attempts: a machine born late under the first label is destroyed or adopted, never doubled."""
    names = await points_of(databases, tmp_path, LATE)
    around = [number for number, name in enumerate(names, 1) if "launch" in name or "machines" in name]
    points = {point + shift for point in around[:8] for shift in (-1, 0, 1, 2) if point + shift > 0}
    chosen = sorted(points)[:: 1 if whole(databases) else 3]
    await all_hold(databases, tmp_path, LATE, [(point,) for point in chosen])


HABITS: dict[str, tuple[Scene, Callable[[Provider], Provider]]] = {
    "our label on all we rent": (LOST, NoLabel),
    "adoption by label before any second try": (LOST, NoAdoption),
    "closed only when the provider lists nothing of ours": (SHRUG, NoProof),
    "the settle window": (LATE, NoSettle),
}


@pytest.mark.parametrize("habit", HABITS)
async def test_without_a_money_habit_machines_leak(databases: Databases, tmp_path: Path, habit: str) -> None:
    """The same story is fine with the habit and breaks a promise without it."""
    scene, breaker = HABITS[habit]
    complete = await told(databases, tmp_path, scene, ())
    assert not complete.broken()
    lacking = await told(databases, tmp_path, scene, (), Wrappers(provider=breaker))
    assert lacking.broken(), f"nobody would notice that {habit!r} is gone"


async def test_without_the_written_intent_machines_leak(databases: Databases, tmp_path: Path) -> None:
    """A process that dies between the launch and its first write: fine with the intent, a leak without it."""
    names = await points_of(databases, tmp_path, PLAIN)
    launched = names.index("after WorldProvider.launch") + 1
    for point in range(launched - 2, launched + 3):
        assert not (await told(databases, tmp_path, PLAIN, (point,))).broken()
    lacking = Wrappers(provider=same, claims=NoWrittenIntent)
    broken = [
        point
        for point in range(launched - 2, launched + 3)
        if (await told(databases, tmp_path, PLAIN, (point,), lacking)).broken()
    ]
    assert broken, "nobody would notice that the written intent is gone"


@pytest.mark.parametrize("chunk", range(PAIR_CHUNKS))
async def test_a_teardown_that_is_asked_for_between_two_crashes_is_not_lost(
    databases: Databases, tmp_path: Path, chunk: int
) -> None:
    """``down`` at any beat, a crash before or after it: the tab closes all the same, and nothing runs on."""
    dice = random.Random(100 + chunk)
    count = len(await points_of(databases, tmp_path, PLAIN))
    for _ in range(PAIRS // PAIR_CHUNKS // (4 if whole(databases) else 8)):
        point, beat = dice.randrange(1, count), dice.randrange(1, 40)
        story = Story(
            tmp_path, databases.shared(), PLAIN, (point,), number=databases.next_number(), down_at_beat=beat
        )
        await story.tell()
        assert not story.broken(), f"crashed at {point}, down at beat {beat}: {story.broken()}"
