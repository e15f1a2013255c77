"""What is asked of every parser of a unit, whatever it reads."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.commands.units import UnitFault

Parser = Callable[[str], object]


def fault(parser: Parser, text: str) -> UnitFault:
    """What a parser says of a text that it does not take."""
    with pytest.raises(UnitFault) as caught:
        parser(text)
    return caught.value


def value_or_fault(parser: Parser, text: str) -> None:
    """Whatever the text: a value, or a fault with words and a place that lies in the text; no other exception."""
    try:
        value = parser(text)
    except UnitFault as question:
        assert 0 <= question.start <= question.end <= len(text)
        assert question.sentence and question.expected
    else:
        assert value
