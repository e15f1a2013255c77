"""Vast.ai's filter grammar over rows: ``{field: {op: value}}``, all of them at once. Numbers may come as texts; an
unknown field or operator is a fault of the caller (vast.md, 2.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from adapters.simulators.faces.face import BadCall

Row = dict[str, Any]

CONTROL = {
    "type",
    "order",
    "limit",
    "allocated_storage",
    "disable_bundling",
    "target_reliability",
    "extra_ids",
}
_NUMERIC: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "gt": lambda have, asked: have > asked,
    "gte": lambda have, asked: have >= asked,
    "lt": lambda have, asked: have < asked,
    "lte": lambda have, asked: have <= asked,
}
_VIRTUAL: dict[str, Callable[[Row], Any]] = {
    "reliability": lambda row: row["reliability2"],
    "verified": lambda row: row["verification"] == "verified",
    "datacenter": lambda row: row["hosting_type"] == 1,
    "geolocation": lambda row: (row["geolocation"] or "").rpartition(",")[2].strip(),
    "driver_version": lambda row: row["driver_vers"],
    "dphtotal": lambda row: row["dph_total"],
}
_IGNORED = {"rented"}
_NEVER = {"id"}
"""Fields that the back end takes and that match nothing (``ask_contract_id`` does)."""


def search(rows: Iterable[Row], asked: Mapping[str, Any], *, strict: bool = True) -> list[Row]:
    """Rows that pass every filter of a flat search body."""
    filters = {name: ops for name, ops in asked.items() if name not in CONTROL}
    return [row for row in rows if matches(row, filters, strict=strict)]


def matches(row: Row, filters: Mapping[str, Any], *, strict: bool = True) -> bool:
    """Whether one row passes them all. Raises ``BadCall`` for what cannot be a filter."""
    passed = True
    for name, ops in filters.items():
        if not isinstance(ops, dict):
            raise BadCall(400, f"{name}: a filter is an object of operators")
        if name not in row and name not in _VIRTUAL and name not in _IGNORED:
            if strict:
                raise BadCall(400, f"{name}: Extra inputs are not permitted")
            continue
        have = _VIRTUAL[name](row) if name in _VIRTUAL else row.get(name)
        for op, asked in ops.items():
            hit = _passes(name, have, op, asked)
            passed = passed and (hit or name in _IGNORED) and name not in _NEVER
    return passed


def _passes(name: str, have: Any, op: str, asked: Any) -> bool:
    if op in ("in", "notin"):
        if not isinstance(asked, list):
            raise BadCall(400, f"{name}: {op} takes an array")
        return any(_same(name, have, one) for one in asked) == (op == "in")
    if op in ("eq", "neq"):
        return _same(name, have, asked) == (op == "eq")
    if op not in _NUMERIC:
        raise BadCall(400, f"{name}: no operator {op}")
    wanted, ours = _number(name, asked), _told(have)
    return not ours.is_nan() and _NUMERIC[op](ours, wanted)


def _same(name: str, have: Any, asked: Any) -> bool:
    if isinstance(have, int | float | Decimal) and not isinstance(have, bool):
        return _told(have) == _number(name, asked)
    return bool(have == asked)


def _number(name: str, value: Any) -> Decimal:
    """Also out of a text, as the vendor's own client sends most of them."""
    number = _told(value)
    if number.is_nan():
        raise BadCall(400, f"{name}: {value!r} is no number")
    return number


def _told(value: Any) -> Decimal:
    try:
        return Decimal(str(value)) if isinstance(value, int | float | str) else Decimal("nan")
    except InvalidOperation:
        return Decimal("nan")


def ordered(rows: list[Row], order: Any) -> list[Row]:
    """By ``[["dph_total", "asc"], …]``, the first one counting most."""
    if not isinstance(order, list):
        raise BadCall(400, "order: an array of [column, direction]")
    for entry in reversed(order):
        if not isinstance(entry, list) or len(entry) != 2 or entry[1] not in ("asc", "desc"):
            raise BadCall(400, f"order: {entry!r}")
        name = entry[0]
        if any(name not in row for row in rows):
            raise BadCall(400, f"order: no column {name}")
        rows = sorted(
            rows, key=lambda row: (row[name] is not None, row[name] or 0), reverse=entry[1] == "desc"
        )
    return rows
