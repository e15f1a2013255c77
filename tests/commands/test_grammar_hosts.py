"""What may be asked of a host in a line: where it is, how well it runs, what it can do."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from bot.commands.catalogue import BY_NAME
from bot.commands.completion import complete
from bot.commands.spoken import Offers, Train, Up
from bot.domain.errors import AskAgain
from bot.domain.market import Want
from tests.commands.words import VOCABULARY, asked, mended_by_its_suggestion, one_clear_sentence, said

ALL = Want("any", "RTX 3090", region="EU", reliability=0.95, verified=True, cuda="12.4", down_mbps=500)
GROUPS = (
    ("any 3090", "3090 --on any"),
    ("in EU", "region europe", "--region=eu", "--in EU"),
    ("reliability 95%", "reliability 0.95", "--reliability=95%", "reliability 95 %"),
    ("verified", "--verified"),
    ("cuda 12.4", "--cuda=12.4"),
    ("net 500mbps", "network 500 mbit/s", "--net=0.5gbps"),
)


@pytest.mark.parametrize("order", list(itertools.permutations(range(len(GROUPS))))[::29])
def test_any_order_and_any_form_is_the_same_wish(order):
    """Words or flags, whole names or codes."""
    forms = itertools.zip_longest(*(GROUPS[which] for which in order))
    for form in forms:
        line = " ".join(text or GROUPS[which][0] for which, text in zip(order, form, strict=True))
        assert said(f"offers {line}") == Offers(ALL), line


def test_up_and_train_take_them_like_offers():
    """One table of options; what is not said is not asked for."""
    assert said("up vast 3090 in SE verified for 2h") == Up(
        Want("vast", "RTX 3090", region="SE", verified=True), timedelta(hours=2)
    )
    assert said("train tiny-lora quick on vast in us-west-1 cuda 12.4") == Train(
        "tiny-lora", "quick", Want("vast", region="us-west-1", cuda="12.4")
    )
    assert said("offers") == Offers(Want())


@pytest.mark.parametrize(
    ("line", "region"),
    [
        ("offers in IN", "IN"),
        ("offers in in x2", "IN"),
        ("offers in NO spot", "NO"),
        ("offers in united states spot", "US"),
        ("offers in South Korea vast", "KR"),
        ('offers in "south korea"', "KR"),
        ("offers in se region SE --region=sweden", "SE"),
    ],
)
def test_a_region_may_be_several_words_or_look_like_an_option(line, region):
    """``in IN`` is India, and what follows a name is not part of it."""
    command = said(line)
    assert isinstance(command, Offers) and command.want.region == region


MISTAKES = [
    ("up vast SE", "SE", "in SE"),
    ("up vast sweden", "sweden", "in sweden"),
    ("up vast us-west-1", "us-west-1", "in us-west-1"),
    ("up vast in swedn", "swedn", "SE"),
    ("up vast in", "in", "in SE"),
    ("up vast in spot", "spot", "SE spot"),
    ("up vast in SE in US", "in US", "in SE"),
    ("up vast 95%", "95%", "reliability 95%"),
    ("up vast reliability 95", "95", "95%"),
    ("up vast reliability 120%", "120%", "100%"),
    ("up vast reliability", "reliability", "reliability 95%"),
    ("up vast reliabilty 95%", "reliabilty", "reliability"),
    ("up vast verifed", "verifed", "verified"),
    ("up vast --verified=yes", "--verified=yes", "verified"),
    ("up vast cuda 124", "124", "12.4"),
    ("up vast cuda=12,4", "12,4", "12.4"),
    ("up vast cuda12.4", "cuda12.4", "cuda 12.4"),
    ("up vast cuda", "cuda", "cuda 12.4"),
    ("up vast 500mbps", "500mbps", "net 500mbps"),
    ("up vast net 500", "500", "500mbps"),
    ("up vast net 500MB/s", "500MB/s", "4000mbps"),
    ("up vast net 500kbps", "kbps", "mbps"),
    ("up vast net500mbps", "net500mbps", "net 500mbps"),
]


@pytest.mark.parametrize(("line", "fault", "nearest"), MISTAKES, ids=[line for line, _, _ in MISTAKES])
def test_a_mistake_has_its_place_and_the_suggestion_works_there(line, fault, nearest):
    """The caret is under the fault, and the suggestion typed in its place is understood."""
    mended_by_its_suggestion(line, fault, nearest)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("up vast in moon", "`moon` is no region that I know"),
        ("up vast in XX", "`XX` is no region that I know"),
        ("up vast no", "I do not know `no`"),
        ("up vast it", "I do not know `it`"),
        ("up vast cuda twelve", "is no CUDA version"),
        ("up vast net fast", "is no network speed"),
        ("up vast reliability high", "is no share"),
        ("estimate 95%", "`estimate` takes none"),
        ("status in SE", "`status` takes none"),
        ("estimate SE", "I do not know `SE`"),
    ],
)
def test_every_other_mistake_is_one_clear_sentence(line, sentence):
    """A bare word is never taken for a region: small ``no`` and ``it`` are not even suspected of it."""
    one_clear_sentence(line, sentence)


@pytest.mark.parametrize(
    ("line", "way"), [("up vast 12.4", "cuda 12.4"), ("up vast 0.95", "reliability 0.95")]
)
def test_a_bare_number_is_offered_what_it_could_be(line, way):
    """Beside all other things that a number could count, and only where it could be that."""
    assert asked(line).expected.endswith(way)
    assert "cuda" not in asked("up vast 2").expected


@pytest.mark.parametrize("name", ["up", "train", "offers"])
@pytest.mark.parametrize("word", ["in", "reliability", "verified", "cuda", "net"])
def test_help_and_completion_show_them(name, word):
    """Both follow from the table: the option is offered, and its values are understood."""
    spec = BY_NAME[name]
    option = next(each for each in spec.options if word in each.words)
    assert f"[{option.shape}]" in spec.usage
    start = "train tiny-lora " if name == "train" else f"{name} vast "
    assert word in [each.text for each in complete(start, VOCABULARY)]
    if option.switch:
        return
    values = complete(f"{start}{word} ", VOCABULARY)
    assert [each.text for each in values] == list(option.samples)
    for each in values:
        said(f"{start}{word} {each.text}")


def test_what_was_asked_of_a_host_is_not_offered_again():
    """A slot is filled once."""
    after = [each.text for each in complete("offers vast in SE verified cuda 12.4 ", VOCABULARY)]
    assert not {"in", "verified", "cuda"} & set(after)
    assert {"reliability", "net"} <= set(after)


@pytest.mark.parametrize("unit", ["in IN ", "in ", "net 5 ", "cuda 1 ", "95% ", "united ", "us-west-1 "])
def test_long_lines_of_them_take_no_time(unit):
    """Two thousand characters of the same are a command or a question back."""
    for name in ("up", "offers", "train"):
        try:
            assert said((f"{name} " + unit * 2000)[:2000])
        except AskAgain as question:
            assert question.sentence
