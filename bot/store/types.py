"""Column types that keep money whole, time aware and values typed on SQLite and PostgreSQL alike."""

from __future__ import annotations

import functools
import json
import re
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import BigInteger, DateTime, Dialect, Integer, String, Text
from sqlalchemy.types import TypeDecorator

from bot.domain.money import Usd

_KEPT_NOWHERE = re.compile("[\x00\ud800-\udfff]")
"""PostgreSQL refuses NUL, both refuse half a surrogate pair. A trainer's last words may hold them, and a pass that
cannot be written down would come again for ever."""


class Plain(TypeDecorator[str]):
    """Text from outside; a character that no database keeps becomes U+FFFD."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else _KEPT_NOWHERE.sub("\ufffd", value)


class UsdMicros(TypeDecorator[Usd]):
    """``Usd`` as whole micro-dollars (SQLite would keep a Decimal as REAL)."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Usd | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - the base's signature
        return None if value is None else value.micros

    def process_result_value(self, value: int | None, dialect: Dialect) -> Usd | None:  # noqa: ARG002
        return None if value is None else Usd(value)


class UtcTime(TypeDecorator[datetime]):
    """Aware UTC; a naive moment is refused (SQLite drops the zone, so it is put back here)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Span(TypeDecorator[timedelta]):
    """``timedelta`` as whole microseconds."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: timedelta | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else value // timedelta(microseconds=1)

    def process_result_value(self, value: int | None, dialect: Dialect) -> timedelta | None:  # noqa: ARG002
        return None if value is None else timedelta(microseconds=value)


class Word(TypeDecorator[StrEnum]):
    """A ``StrEnum`` by its value."""

    impl = String(40)
    cache_ok = True

    def __init__(self, enum: type[StrEnum]) -> None:
        super().__init__()
        self.enum = enum

    def process_bind_param(self, value: StrEnum | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else value.value

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:  # noqa: ARG002
        return None if value is None else self.enum(value)


class Rank(TypeDecorator[IntEnum]):
    """An ``IntEnum`` by its number, so that SQL can compare it."""

    impl = Integer
    cache_ok = True

    def __init__(self, enum: type[IntEnum]) -> None:
        super().__init__()
        self.enum = enum

    def process_bind_param(self, value: IntEnum | int | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else int(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> IntEnum | None:  # noqa: ARG002
        return None if value is None else self.enum(value)


_REMEMBERED, _SHORT = 2_048, 4_096
"""Values of each column that are not read a second time, and up to how many characters of text."""


class Value(TypeDecorator[Any]):
    """A domain value as JSON text, typed by pydantic on the way back. The same text is the same frozen value: most of
    a row stays as it was since it was last read, and reading it anew was half the work of every look at the rentals.

    ``json`` writes it, not pydantic: there a loss of infinity becomes null and the row could not be read again."""

    impl = Text
    cache_ok = True

    def __init__(self, shape: Any) -> None:
        super().__init__()
        self.shape = shape
        self.adapter: TypeAdapter[Any] = TypeAdapter(shape)
        self._read = functools.lru_cache(_REMEMBERED)(self.adapter.validate_json)

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002
        if value is None:
            return None
        text = json.dumps(self.adapter.dump_python(value, mode="json"), ensure_ascii=False)
        return _KEPT_NOWHERE.sub("\ufffd", text)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002
        if value is None:
            return None
        return self._read(value) if len(value) <= _SHORT else self.adapter.validate_json(value)
