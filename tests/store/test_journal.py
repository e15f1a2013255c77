"""The journal can be added to and read; the database itself refuses the rest."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.domain.money import Usd
from bot.store import Store
from bot.store.rows import Entry
from tests.store.tabs import SECOND, T0, texts

REWRITING = {
    "an UPDATE": "UPDATE journal SET text = 'nothing happened'",
    "a DELETE": "DELETE FROM journal WHERE seq = 1",
    "a REPLACE": "INSERT OR REPLACE INTO journal (seq, at, rental, actor, kind, text) "
    "VALUES (1, '2026-03-02', '', '', 'x', 'nothing happened')",
    "a TRUNCATE": "TRUNCATE journal",
}


@pytest.mark.parametrize("way", REWRITING)
async def test_no_line_can_be_changed_or_taken_out(store: Store, way: str):
    """Even raw SQL on the bot's own connection cannot rewrite what was written."""
    await store.journal.add([Entry("asked", "one"), Entry("asked", "two")], now=T0)
    with pytest.raises(DBAPIError) as refused:
        async with store.engine.begin() as connection:
            await connection.execute(text(REWRITING[way]))
    known = {"a REPLACE": "sqlite", "a TRUNCATE": "postgresql"}.get(way, store.engine.dialect.name)
    reason = "append-only" if known == store.engine.dialect.name else "syntax"
    assert reason in str(refused.value)
    assert await texts(store) == ["one", "two"]
    await store.journal.add([Entry("asked", "three")], now=T0)
    assert await texts(store) == ["one", "two", "three"]


async def test_lines_are_read_newest_last_and_by_rental(store: Store):
    """The newest lines of all or of one rental, as they were written."""
    for number in range(4):
        entry = Entry("step", f"line {number}", "sim:acme:ann", Usd(number))
        await store.journal.add([entry], now=T0 + number * SECOND, rental="ab"[number % 2])
    assert await texts(store, "b") == ["line 1", "line 3"]
    [last] = await store.journal.lines(limit=1)
    assert (last.at, last.rental, last.actor) == (T0 + 3 * SECOND, "b", "sim:acme:ann")
    assert (last.kind, last.text, last.cost) == ("step", "line 3", Usd(3))
    await store.journal.add([], now=T0)
    assert len(await texts(store)) == 4
