"""The core is told the time and never waits."""

from __future__ import annotations

import ast

from tests.house.reading import Source, sources

NOW = {
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
    "time.time",
    "time.time_ns",
}
SLEEP = {"time.sleep", "asyncio.sleep", "anyio.sleep"}
THE_CLOCK = {"adapters/clock.py"}


def test_only_the_clock_asks_what_time_it_is() -> None:
    """Everything else is handed a Clock; scripts that run alone on the far side have nobody to hand them one."""
    asked = [
        f"{source.name}:{call.lineno} {name}"
        for source in sources("bot", "adapters")
        if source.name not in THE_CLOCK and not source.is_far
        for name, call in source.calls()
        if name in NOW
    ]
    assert not asked


def test_the_core_never_sleeps() -> None:
    """A step that has to wait returns the time to look again."""
    assert not [place for source in sources("bot") for place in naps(source)]


def test_no_test_sleeps() -> None:
    """Time is stepped or the state is asked for. Only tests/support may wait, for real processes and servers."""
    files = [
        source
        for source in sources("tests")
        if not source.name.startswith(("tests/support/", "tests/bench/"))
    ]
    assert not [place for source in files for place in naps(source)]


def naps(source: Source) -> list[str]:
    """Where this file sleeps; ``asyncio.sleep(0)`` takes no time and only lets others run."""
    return [
        f"{source.name}:{call.lineno} {name}"
        for name, call in source.calls()
        if name in SLEEP
        and not (call.args and isinstance(call.args[0], ast.Constant) and call.args[0].value == 0)
    ]
