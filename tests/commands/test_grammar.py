"""The grammar: forgiving in order, strict in meaning, and a caret under every mistake."""

from __future__ import annotations

import itertools
import time
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.commands import grammar
from bot.commands.caret import draw
from bot.commands.catalogue import BY_NAME, COMMANDS
from bot.commands.grammar import ProviderWord, Vocabulary, parse
from bot.commands.spoken import (
    Advise,
    Cancel,
    Confirm,
    Down,
    Estimate,
    Extend,
    Help,
    History,
    Later,
    Logs,
    Offers,
    Providers,
    Pull,
    Ssh,
    Status,
    Train,
    Up,
)
from bot.commands.tails import TAILS
from bot.domain.errors import AskAgain
from bot.domain.market import Want
from bot.domain.money import Usd
from tests.commands.words import VOCABULARY, asked, mended_by_its_suggestion, one_clear_sentence, place, said

FULL = Up(
    Want("any", "RTX 4090", 2, disk_gb=80, max_hourly=Usd.of("0.40"), spot=True),
    timedelta(hours=2),
    Usd.of(5),
)


# --- what is understood --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("up local", Up(Want("local"))),
        ("up vast 3090", Up(Want("vast", "RTX 3090"))),
        ("up any 4090 x2 for 2h budget $5 max $0.40/h disk 80GB spot", FULL),
        ("up local/ws1 cpu", Up(Want("local/ws1", cpu_ok=True))),
        ("train tiny-lora quick on local", Train("tiny-lora", "quick", Want("local"))),
        (
            "train sdxl-lora standard on runpod 4090 data ./cats",
            Train("sdxl-lora", "standard", Want("runpod", "RTX 4090"), data="./cats"),
        ),
        (
            "train sdxl-lora data ./cats trigger=ohwx rank=16 lr=1e-4",
            Train(
                "sdxl-lora",
                None,
                Want(),
                data="./cats",
                inputs={"trigger": "ohwx", "rank": "16", "lr": "1e-4"},
            ),
        ),
        ("status", Status("mine")),
        ("status all", Status("all")),
        ("status k7m2qd", Status("k7m2qd")),
        ("down K7M2QD", Down("k7m2qd")),
        ("down mine", Down("mine")),
        ("down all", Down("all")),
        ("extend k7m2qd 1h", Extend("k7m2qd", timedelta(hours=1))),
        ("extend k7m2qd $2", Extend("k7m2qd", Usd.of(2))),
        ("extend k7m2qd +1h", Extend("k7m2qd", timedelta(hours=1))),
        ("extend $2 k7m2qd", Extend("k7m2qd", Usd.of(2))),
        ("extend k7m2qd by 90 minutes", Extend("k7m2qd", timedelta(minutes=90))),
        ("confirm", Confirm()),
        ("confirm k7m2qd", Confirm("k7m2qd")),
        ("cancel k7m2qd", Cancel("k7m2qd")),
        ("offers", Offers(Want())),
        ("offers vast 4090 max $1/h", Offers(Want("vast", "RTX 4090", max_hourly=Usd.of(1)))),
        ("estimate", Estimate()),
        ("estimate sdxl-lora 3090 rate $0.20/h", Estimate("sdxl-lora", "RTX 3090", Usd.of("0.20"))),
        ("estimate $0.20/h", Estimate(rate=Usd.of("0.20"))),
        ("advise sdxl_lora", Advise("sdxl-lora")),
        ("providers", Providers()),
        ("logs", Logs()),
        ("logs k7m2qd", Logs("k7m2qd")),
        ("logs k7m2qd 50", Logs("k7m2qd", 50)),
        ("logs 50", Logs(None, 50)),
        ("pull k7m2qd", Pull("k7m2qd")),
        ("ssh k7m2qd", Ssh("k7m2qd")),
        ("history", History()),
        ("history k7m2qd", History("k7m2qd")),
        ("history 20", History(None, 20)),
        ("help", Help()),
        ("help up", Help("up")),
        ("up --help", Help("up")),
        ("--help", Help()),
    ],
)
def test_every_command_is_understood_as_it_is_written_in_help(line, command):
    """One line, one value."""
    assert said(line) == command


@pytest.mark.parametrize("line", ["", "   ", "/gpu", "gpu", "!gpu  ", "/GPU help", "\t\u00a0"])
def test_an_empty_line_is_help(line):
    """Who types nothing gets told what could be typed."""
    assert said(line) == Help()


@pytest.mark.parametrize("before", ["/gpu ", "!gpu ", "gpu ", "  /gpu   ", "/GPU ", ""])
def test_the_slash_commands_own_name_may_stand_before(before):
    """Some chats hand it over, some do not."""
    assert said(f"{before}up vast 3090") == Up(Want("vast", "RTX 3090"))


@pytest.mark.parametrize(
    "line", ["UP VAST 3090", "up  vast\t3090  ", "up\u00a0vast\u30003090", "up\nvast 3090"]
)
def test_case_and_white_space_do_not_matter(line):
    """Phones put a capital letter first and strange spaces between."""
    assert said(line) == Up(Want("vast", "RTX 3090"))


GROUPS = (
    ("any", "on any", "--on any", "--provider=any"),
    ("4090", "gpu 4090", '--gpu "RTX 4090"', "--gpu=rtx-4090"),
    ("x2", "2x", "--count 2", "x 2"),
    ("for 2h", "--for=2h", "--hours 2", "2h"),
    ("budget $5", "--budget $5", "budget=$5", "--budget=5usd"),
    ("max $0.40/h", "--max 0.4/hr", "max=40c/h", "--max=$0.40/hour"),
    ("disk 80GB", "--disk 80GB", "disk=80gib", "--disk=80g"),
    ("spot", "--spot", "SPOT", "—spot"),
)


@settings(max_examples=300, deadline=None)
@given(order=st.permutations(range(len(GROUPS))), forms=st.lists(st.integers(0, 3), min_size=8, max_size=8))
def test_any_order_and_any_mix_of_words_and_flags_is_the_same_command(order, forms):
    """Order is free, and ``budget $5`` is ``--budget=$5``."""
    line = "up " + " ".join(GROUPS[which][forms[which]] for which in order)
    assert said(line) == FULL


def test_the_parts_of_a_training_may_stand_in_any_order():
    """Also with a recipe's own parameters between."""
    parts = ("sdxl-lora", "standard", "on vast", "4090", "data ./cats", "trigger=ohwx")
    expected = Train(
        "sdxl-lora", "standard", Want("vast", "RTX 4090"), data="./cats", inputs={"trigger": "ohwx"}
    )
    for order in itertools.permutations(parts):
        assert said(f"train {' '.join(order)}") == expected


@pytest.mark.parametrize(
    "gpu",
    [
        "h100 sxm",
        "H100-SXM",
        '"H100 SXM"',
        "“H100 SXM”",
        "gpu h100 sxm",
        "--gpu=“h100 sxm”",
        "--gpu h100 sxm",
        "nvidia h100 sxm",
    ],
)
def test_a_gpu_of_two_words_is_one_gpu(gpu):
    """With quotes of any kind or without."""
    assert said(f"up vast {gpu} for 1h") == Up(Want("vast", "H100 SXM"), timedelta(hours=1))


@pytest.mark.parametrize(
    "line",
    [
        "up 2x3090 vast",
        "up vast 3090x2",
        "up 2x 3090 vast",
        "up 3090 vast × 2".replace("× 2", "×2"),
        "up 2x rtx 3090 vast",
    ],
)
def test_the_count_may_touch_the_gpu(line):
    """``8xh100`` is how many people write it."""
    assert said(line) == Up(Want("vast", "RTX 3090", 2))


def test_a_size_after_a_gpu_belongs_to_its_name_only_where_the_name_needs_it():
    """``a100 80gb`` is a model; after ``h100 sxm`` the size could be meant for the disk."""
    assert said("up a100 80gb disk 200GB") == Up(Want("any", "A100 80GB", disk_gb=200))
    assert said("up a100 80 gb") == Up(Want("any", "A100 80GB"))
    assert place(asked("up h100 sxm 80gb")) == "80gb"


def test_memory_that_is_asked_for_may_decide_between_models():
    """Of the two A100 only one has 80 GB, before or after."""
    assert said("up a100 vram 80GB") == said("up vram 80GB a100") == Up(Want("any", "A100 80GB", vram_gb=80))


@pytest.mark.parametrize("data", ['"./my cats"', "“./my cats”", "'./my cats'", "‘./my cats’"])
def test_a_folder_with_a_space_is_quoted_in_any_way(data):
    """Phones turn quotes into curly ones."""
    for line in (
        f"train tiny-lora data {data}",
        f"train tiny-lora --data={data}",
        f"train tiny-lora data={data}",
    ):
        assert said(line) == Train("tiny-lora", None, Want(), data="./my cats")


@pytest.mark.parametrize("data", ["./猫", "~/cats", "/data/cats", "cats", "./bob's", "C:\\cats", "./a=b"])
def test_a_folder_is_taken_as_it_is_typed(data):
    """The grammar does not know folders."""
    assert said(f"train tiny-lora data {data}") == Train("tiny-lora", None, Want(), data=data)


def test_a_parameters_value_may_be_quoted_or_empty_when_it_is_said_to_be():
    """Values are text here; the recipe's schema judges them."""
    line = 'train tiny-lora trigger="a cat" --rank 16 --caption=""'
    assert said(line) == Train(
        "tiny-lora", None, Want(), inputs={"trigger": "a cat", "rank": "16", "caption": ""}
    )


def test_the_same_thing_said_twice_alike_is_said_once():
    """Repeating oneself is no fault."""
    assert said("up vast on vast budget $5 --budget=$5.00") == Up(Want("vast"), budget=Usd.of(5))


@pytest.mark.parametrize("name", [spec.name for spec in COMMANDS if not spec.available])
def test_a_later_command_is_recognised_whatever_follows(name):
    """It answers "not yet"; its arguments are nobody's business yet."""
    assert said(name) == Later(name)
    assert said(f'{name} --foo "never closed $5') == Later(name)


def test_only_what_the_catalogue_calls_later_is_not_yet():
    """Everything else is built, and every example in help is understood as that command."""
    for spec in COMMANDS:
        if not spec.available:
            continue
        assert spec.name in grammar.BUILD or spec.name in TAILS
        assert spec.examples(VOCABULARY), spec.name
        for example in spec.examples(VOCABULARY):
            assert type(said(example)).__name__.lower() == spec.name


# --- what is asked about -------------------------------------------------------------------------


MISTAKES = [
    # line, what the caret is under, what is suggested
    ("upp vast", "upp", "up"),
    ("stauts", "stauts", "status"),
    ("kill k7m2qd", "kill", "down"),
    ("rent 3090", "rent", "up"),
    ("yes", "yes", "confirm"),
    ("vast 3090", "vast", "up vast"),
    ("3090", "3090", "up 3090"),
    ("up vst 3090", "vst", "vast"),
    ("up ws1", "ws1", "local/ws1"),
    ("up on vats", "vats", "vast"),
    ("up --on=vats", "vats", "vast"),
    ("up vast 3091", "3091", "rtx-3090"),
    ("up vast gpu 3900", "3900", "rtx-3090"),
    ("up vast rtx-3091", "rtx-3091", "rtx-3090"),
    ("up vast buget $5", "buget", "budget"),
    ("up vast --buget $5", "--buget", "--budget"),
    ("up vast --buget=$5", "--buget", "--budget"),
    ("up vast -spot", "-spot", "--spot"),
    ("up vast sopt", "sopt", "spot"),
    ("up vast --spot=yes", "--spot=yes", "spot"),
    ("up vast budget", "budget", "budget $5"),
    ("up vast --budget", "--budget", "--budget $5"),
    ("up vast budget=", "budget=", "budget=$5"),
    ("up vast budget spot", "spot", "$5 spot"),
    ("up vast budget 5", "5", "$5"),
    ("up vast --budget=5", "5", "$5"),
    ("up vast budget -5", "-5", "$5"),
    ("up vast budget $20000", "$20000", "$10000"),
    ("up vast budget $5/h", "$5/h", "$5"),
    ("up vast max $0.40", "$0.40", "$0.40/h"),
    ("up vast max $1/day", "day", "h"),
    ("up vast max $500/h", "$500/h", "$100.00/h"),
    ("up vast for 2", "2", "2h"),
    ("up vast for 2 hurs", "hurs", "hours"),
    ("up vast for 31d", "31d", "30d"),
    ("up vast for 1:30", "1:30", "1h30m"),
    ("up vast disk 80", "80", "80GB"),
    ("up vast disk 80gbb", "gbb", "GB"),
    ("up vast disk 17TB", "17TB", "16TB"),
    ("up vast vram 500GB", "500GB", "288GB"),
    ("up vast x0", "x0", "x1"),
    ("up vast x99", "x99", "x16"),
    ("up vast --count 99", "99", "x16"),
    ("up vast $0.40/h", "$0.40/h", "max $0.40/h"),
    ("up vast ３０９０", "３０９０", "3090"),
    ("up vast budget ＄５", "＄５", "$5"),
    ("up va\u202est 3090", "va?st", "vast"),
    ("up vast, 3090", "vast,", "vast"),
    ("up vast on local", "on local", "vast"),
    ("up vast budget $5 budget $6", "budget $6", "budget $5"),
    ("train sdxl-lra", "sdxl-lra", "sdxl-lora"),
    ("train sdxl-lora $0.40/h", "$0.40/h", "max $0.40/h"),
    ("train sdxl-lora quik", "quik", "quick"),
    ("train sdxl-lora buget=$5", "buget", "budget"),
    ("train sdxl-lora data spot", "spot", "./spot"),
    ("train sdxl-lora data", "data", "data ./pictures"),
    ("train sdxl-lora rank=8 rank=16", "rank=16", "rank=8"),
    ("status mien", "mien", "mine"),
    ("status --mine", "--mine", "mine"),
    ("down -all", "-all", "all"),
    ("up --vast 3090", "--vast", "vast"),
    ("train tiny-lora --quick", "--quick", "quick"),
    ("train tiny-lora ./cats", "./cats", "data ./cats"),
    ('train tiny-lora "/my cats"', '"/my cats"', 'data "/my cats"'),
    ("up vast 3090 for2h", "for2h", "for 2h"),
    ("up vast 3090 budget$5", "budget$5", "budget $5"),
    ("extend k7m2qd -1h", "-1h", "1h"),
    ("extend k7m2qd $2/h", "$2/h", "$2"),
    ("extend k7m2qd 1h $2", "$2", "by 1h"),
    ("help statsu", "statsu", "status"),
    ("logs k7m2qd 0", "0", "1"),
    ("logs k7m2qd 99999", "99999", "10000"),
]


@pytest.mark.parametrize(("line", "fault", "nearest"), MISTAKES, ids=[line for line, _, _ in MISTAKES])
def test_a_mistake_has_its_place_and_the_suggestion_works_there(line, fault, nearest):
    """The caret is under the fault, and the suggestion typed in its place is understood."""
    mended_by_its_suggestion(line, fault, nearest)


@pytest.mark.parametrize(
    ("line", "fault", "choices"),
    [
        ("up vast h100", "h100", ["h100-sxm", "h100-pcie", "h100-nvl"]),
        ("up vast a100", "a100", ["a100-40gb", "a100-80gb"]),
        ("up vast gpu rtx 6000", "gpu rtx 6000", ["rtx-a6000", "rtx-6000-ada"]),
        ("up vast $5", "$5", ["budget $5", "max $5/h"]),
        ("up vast 80GB", "80GB", ["disk 80GB", "vram 80GB"]),
        ("up vast 2", "2", ["x2", "for 2h", "budget $2", "max $2/h"]),
        ("extend k7m2qd 5", "5", ["5h or $5"]),
        ("up vast 3090 cpu", "cpu", ["3090", "cpu"]),
        ("extend 20days 90mins", "20days", ["--id 20days", "by 20days"]),
        ("extend 30days", "30days", ["--id 30days", "by 30days"]),
    ],
)
def test_an_ambiguous_word_is_asked_about_with_all_that_it_could_be(line, fault, choices):
    """Nothing is suggested before the others where money depends on it."""
    question = asked(line)
    assert place(question) == fault
    assert question.nearest == ""
    assert all(choice in question.expected for choice in choices), question.expected


def test_what_could_be_two_things_is_decided_when_the_other_was_said():
    """``90mins`` is shaped like an id; beside an id it can only be the time, in either order."""
    expected = Extend("k7m2qd", timedelta(minutes=90))
    assert said("extend k7m2qd 90mins") == said("extend 90mins k7m2qd") == expected


def test_names_that_clash_are_asked_about_and_can_be_told_apart():
    """A recipe named like a preset, a provider named like an option: flags say which."""
    clash = Vocabulary((ProviderWord("spot"), ProviderWord("4090")), ("quick", "data"), ("quick",))
    question = asked("train quick", clash)
    assert place(question) == "quick"
    assert "--recipe quick or --preset quick" in question.expected
    assert said("train --recipe quick --preset quick", clash) == Train("quick", "quick", Want())
    assert "--spot or --provider spot" in asked("up spot", clash).expected
    assert said("up --provider spot --spot", clash) == Up(Want("spot", spot=True))
    assert "on 4090 or gpu 4090" in asked("up 4090", clash).expected
    assert said("up on 4090 gpu 3090", clash) == Up(Want("4090", "RTX 3090"))
    assert place(asked("train data data ./cats", clash)) == "data"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("foo", "is no command"),
        ("up foo", "I do not know `foo`"),
        ("up on foo", "is not a provider"),
        ("up vast rtx-9999", "is not a GPU"),
        ("up --gpu foo", "is not a GPU"),
        ("up vast budget $0", "more than zero"),
        ("up vast budget NaN", "not a number"),
        ("up vast max inf/h", "not a number"),
        ("up vast max -$1/h", "more than zero"),
        ("up vast for -2h", "more than zero"),
        ("up vast for 0m", "more than zero"),
        ("up vast -5", "more than zero"),
        ("up vast NaN", "not a number"),
        ("up vast budget $1e9", "without an exponent"),
        ("up vast budget €5", "US dollars"),
        ("up vast budget 5 parsecs", "no unit"),
        ("up vast disk 5parsecs", "unknown unit of size"),
        ("up vast for 5parsecs", "unknown unit of time"),
        ("up", "what to rent"),
        ("up spot budget $5", "what to rent"),
        ("train", "needs a recipe"),
        ("train 4090 on vast", "needs a recipe"),
        ("advise", "needs a recipe"),
        ("advise foo", "not a recipe"),
        ("down", "needs a rental id, `mine` or `all`"),
        ("down everything", "is not a rental id"),
        ("down k7m2q", "is not a rental id"),
        ("down k7m2qdx", "is not a rental id"),
        ("extend k7m2qd", "needs more time or money"),
        ("extend 1h", "needs a rental id"),
        ("confirm yes", "is not a rental id"),
        ("status 3090", "`status` takes none"),
        ("estimate sdxl-lora vast", "`estimate` takes none"),
        ("providers vast", "`providers` takes none"),
        ("history k7m2qd 20", "not both"),
        ("help foo", "is not a command"),
        ("up vast --foo", "no option `--foo`"),
        ("up vast foo=5", "no option `foo`"),
        ("up vast --", "do not know"),
        ('up ""', "empty"),
        ('up "RTX 3090', "never closed"),
        ('up "RTX 3090"vast', "space is missing"),
        ("train tiny-lora trigger=", "has no value"),
        ("train tiny-lora --rank", "needs a value"),
        ("train tiny-lora --rank --spot", "needs a value"),
        ("up 日本語", "do not know `日本語`"),
        ("up vast \u200d3090", "invisible character (U+200D)"),
        ("up vast \x003090", "invisible character (U+0000)"),
    ],
)
def test_every_other_mistake_is_one_clear_sentence_with_a_place(line, sentence):
    """And always with what was expected instead."""
    one_clear_sentence(line, sentence)


def test_a_parameter_that_no_recipe_has_is_pointed_at_when_the_parameters_are_known():
    """With the recipes' parameters at hand a slip is found before anything is rented."""
    known = Vocabulary(VOCABULARY.providers, VOCABULARY.recipes, VOCABULARY.presets, ("rank", "trigger"))
    assert said("train tiny-lora RANK=8", known) == Train("tiny-lora", None, Want(), inputs={"rank": "8"})
    question = asked("train tiny-lora trigge=ohwx", known)
    assert (place(question), question.nearest) == ("trigge", "trigger")
    question = asked("train tiny-lora rank 16 spot", known)
    assert (place(question), question.nearest) == ("rank 16", "rank=16")


def test_providers_that_cannot_be_used_yet_are_understood_and_not_suggested():
    """Whether a provider can be used is for the desk to say, in its own words."""
    assert said("up runpod 4090") == Up(Want("runpod", "RTX 4090"))
    assert "runpod" not in asked("up foo").expected


def test_an_empty_vocabulary_still_answers():
    """No provider, no recipe: the words of the grammar are all there is."""
    assert asked("train foo", Vocabulary()).expected
    assert asked("up vast", Vocabulary()).expected
    assert parse("up any 3090", Vocabulary()) == Up(Want("any", "RTX 3090"))


# --- long and strange lines ----------------------------------------------------------------------


def test_a_line_of_ten_thousand_characters_is_one_sentence():
    """It is refused before it is read, and little of it is echoed."""
    question = asked("up " + "x" * 9_997)
    assert "10000 characters" in question.sentence
    assert question.caret is not None
    assert len(question.caret.line) <= 102


@pytest.mark.parametrize("at", [0, 50, 500, 1500, 1900])
def test_the_caret_of_a_long_line_shows_what_is_around_the_fault(at):
    """About a hundred characters, wherever the fault is."""
    line = "up vast " + "spot " * (at // 5) + "wrong " + "spot " * ((1900 - at) // 5)
    question = asked(line)
    assert place(question) == "wrong"
    assert question.caret is not None
    assert len(question.caret.line) <= 102


def test_a_long_word_is_cut_in_the_sentence_and_under_the_caret():
    """Nobody reads two thousand letters twice."""
    question = asked("up " + "y" * 1900)
    assert question.caret is not None
    assert len(question.sentence) < 100
    assert len(question.caret.line) <= 102
    assert 0 < len(place(question)) <= 60


@pytest.mark.parametrize(
    ("line", "marks"),
    [
        ("up 3091", "   ^^^^"),
        ("up 日本語", "   ^^^^^^"),
        ("train tiny-lora data ./猫猫 wrong", "                            ^^^^^"),
        ("train tiny-lora data ./e\u0301 wrong", "                         ^^^^^"),
        ("up\tvast wrong", "        ^^^^^"),
        ("up 🦙", "   ^^"),
    ],
)
def test_the_marks_stand_under_the_fault_after_wide_characters_too(line, marks):
    """Columns on a screen, not characters."""
    question = asked(line)
    assert question.caret is not None
    assert draw(question.caret).split("\n")[1] == marks


def test_nothing_invisible_is_echoed():
    """Overrides that turn the line round, zero widths and controls never reach a chat."""
    evil = "\u202e\u2066\u200d\u200e\x1b\x00\u00ad\ud800\u3164"
    for line in (f"up {evil}", f"{evil}", f'up "{evil}', f"train tiny-lora a{evil}=5", f"help {evil}"):
        question = asked(line)
        assert question.caret is not None
        echoed = f"{question.sentence}{question.caret.line}{draw(question.caret)}{question.nearest}"
        assert not set(evil) & set(echoed), line


def test_zero_width_spaces_of_pasted_text_separate_words_at_most():
    """They come with text copied from web pages."""
    assert said("\ufeffup vast\u200b3090\u200b") == Up(Want("vast", "RTX 3090"))


WORDS = (
    "up train extend logs /gpu vast local/ws1 any 3090 h100 sxm 80gb x2 2x x for budget max disk on gpu spot cpu data "
    "./cats --gpu --for --budget=$5 --hours 2 2h hours $5 $0.40/h 5 -5 NaN 1e9 tiny-lora quick k7m2qd mine all rank=16 "
    "a= = -- - \" “ ' help --help by rate \u202e \u200b ３ 日本 , per h usd 2x3090 3090x2 90mins"
)
TOKENS = st.sampled_from(WORDS.split(" "))


def check(line: str) -> None:
    """A command or a question back, and the question is well made."""
    began = time.perf_counter()
    try:
        command = parse(line, VOCABULARY)
    except AskAgain as question:
        assert question.sentence
        caret = question.caret
        assert caret is not None
        assert 0 <= caret.start <= caret.end <= len(caret.line) <= 102
        assert len(question.sentence) <= 200
        assert len(draw(caret).split("\n")) == 2
    else:
        assert command is not None
    assert time.perf_counter() - began < 1


@settings(max_examples=400, deadline=None)
@given(st.text(max_size=10_000))
def test_any_text_parses_or_is_asked_about(line):
    """Never another exception, never for long."""
    check(line)


@settings(max_examples=800, deadline=None)
@given(st.sampled_from([spec.name for spec in COMMANDS]), st.lists(TOKENS, max_size=12))
def test_any_heap_of_known_words_parses_or_is_asked_about(command, words):
    """The nearer to sense, the deeper it gets."""
    check(" ".join([command, *words]))


@pytest.mark.parametrize(
    "unit",
    [
        "h100 ",
        "2x3090 ",
        "spot ",
        "a=1 ",
        "1h ",
        '"',
        "x",
        "$",
        "日",
        "--for ",
        "- ",
        "\u202e",
        "9",
        "rtx ",
        " ",
    ],
)
def test_the_longest_lines_take_no_time(unit):
    """Two thousand characters of the same, after any command."""
    for name in BY_NAME:
        check((f"{name} " + unit * 2000)[:2000])
