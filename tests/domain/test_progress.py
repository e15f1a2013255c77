"""Progress: what five trainers draw, and what must not be taken for it."""

from __future__ import annotations

import time
from io import StringIO
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tqdm import tqdm

from bot.domain.progress import MOST_POINTS, follow, lines_of, read_bar
from bot.domain.recipe import ProgressSpec
from bot.domain.rental import Progress

SPEC = ProgressSpec(stages={"caching latents": "caching latents", "saving checkpoint": "saving"})
TRAINERS = {
    "sd-scripts": (
        "steps:  10%|█         | 160/1600 [02:10<19:30,  1.23it/s, avr_loss=0.123]",
        "steps",
        (160, 1600, 0.123),
    ),
    "ai-toolkit": (
        "my_lora:  13%|█▎        | 253/2000 [08:01<55:20,  1.90s/it, lr: 1.0e-04 loss: 3.510e-01]",
        "my_lora",
        (253, 2000, 0.351),
    ),
    "SimpleTuner": (
        "Epoch 1/10, Steps:  10%|█         | 103/1000 [01:00<10:00,  1.72it/s, lr=0.0001, step_loss=0.3]",
        r"Epoch \d+/\d+, Steps",
        (103, 1000, 0.3),
    ),
    "OneTrainer": (
        "step:  43%|████▎     | 13/30 [00:20<00:27,  1.59s/it, loss=0.2, smooth loss=0.21]",
        "step",
        (13, 30, 0.21),
    ),
    "diffusers": (
        "Steps:  51%|█████     | 253/500 [04:10<04:05,  1.01it/s, loss=0.25, lr=0.0001]",
        "Steps",
        (253, 500, 0.25),
    ),
}


@pytest.mark.parametrize("trainer", TRAINERS)
def test_the_bars_of_five_trainers_are_read(trainer: str):
    """Told apart by their description, with the loss under each one's own name."""
    line, description, expected = TRAINERS[trainer]
    bar = read_bar(line, ProgressSpec(description=description))
    assert bar is not None
    assert (bar.step, bar.total, bar.loss) == expected
    assert bar.eta is not None and bar.seconds_per_step


@pytest.mark.parametrize("trainer", TRAINERS)
def test_bars_of_somebody_else_are_not_the_trainings(trainer: str):
    """Downloads, caching and samples draw the same shape."""
    others = [line for name, (line, _, _) in TRAINERS.items() if name != trainer]
    others += [
        "model.safetensors:  30%|███       | 2.08G/6.94G [01:01<02:23, 34.0MB/s]",
        "Fetching 28 files:  50%|█████     | 14/28 [00:10<00:10,  1.40it/s]",
        " 55%|█████▌    | 11/20 [00:04<00:03,  2.61it/s]",
    ]
    spec = ProgressSpec(description=TRAINERS[trainer][1])
    assert not [line for line in others if read_bar(line, spec)]


def _drawn(total: int) -> bytes:
    """What real tqdm writes into a file."""
    log = StringIO()
    with tqdm(range(total), desc="steps", file=log, mininterval=0, miniters=1, ncols=120, ascii=False) as bar:
        for number in bar:
            bar.set_postfix(avr_loss=1 / (number + 1))
    return log.getvalue().encode()


def _followed(chunks: list[bytes]) -> Progress:
    """As the engine does it: what was not taken comes again with the next piece."""
    progress, held = Progress(total=1), b""
    for number, chunk in enumerate(chunks):
        lines, taken = lines_of(held + chunk, ended=number == len(chunks) - 1)
        held = (held + chunk)[taken:]
        progress = follow(progress, lines, SPEC)
    return progress


DRAWN = _drawn(40)


def test_real_tqdm_is_followed_to_its_last_step():
    """Every redraw, the first without a loss and an ETA of its own."""
    progress = _followed([DRAWN])
    assert (progress.step, progress.total, progress.stage) == (40, 40, "training")
    assert progress.loss == pytest.approx(1 / 40, rel=0.01)
    assert progress.first_loss == pytest.approx(1)


@given(st.lists(st.integers(0, len(DRAWN)), max_size=12))
def test_the_log_may_be_cut_anywhere(cuts: list[int]):
    """In the middle of a line, of a number, of a character: the end is the same."""
    marks = [0, *sorted(cuts), len(DRAWN)]
    pieces = [DRAWN[start:end] for start, end in pairwise(marks)]
    whole, parts = _followed([DRAWN]), _followed(pieces)
    assert (parts.step, parts.loss, parts.losses) == (whole.step, whole.loss, whole.losses)


@given(st.binary(max_size=3000))
def test_any_bytes_are_followed(noise: bytes):
    """Invalid UTF-8, control characters, half bars: none raises, none goes past the end."""
    progress = _followed([noise, b"\rsteps: 10%|", noise, b"| 1/2 [00:01<00:01, 1.00it/s]\n", noise])
    assert 0 <= progress.step <= progress.total


@pytest.mark.parametrize(
    "line",
    [
        "steps: 10%|#| 1/2 [::::<::::, ....it/s]",
        "steps: 10%|#| 1/2 [00:01<00:01, 1.2.3it/s]",
        "steps: 10%|#| 99999999999999999999/99999999999999999999 [00:01<00:01, 1.00it/s]",
        "steps: 10%|#| 1/2 [00:01<99999999999999:00, 1.00it/s]",
        "steps: 10%|#| ٣/٥ [00:01<00:01, 1.00it/s]",
    ],
)
def test_a_bar_with_absurd_numbers_is_none(line: str):
    """No number of a trainer's makes us fall."""
    assert read_bar(line, SPEC) is None


def test_a_bar_without_speed_and_eta_is_read():
    """As tqdm draws the first line."""
    bar = read_bar("steps:   0%|          | 0/300 [00:00<?, ?it/s]", SPEC)
    assert bar is not None and (bar.step, bar.total, bar.loss, bar.eta, bar.seconds_per_step) == (
        0,
        300,
        None,
        None,
        None,
    )


def test_garbage_of_hundreds_of_megabytes_costs_little():
    """A piece is 256 KiB at most; lines that look almost like a bar cost no more than others."""
    began = time.process_time()
    for unit in (
        b"\x00\xff",
        b"9",
        b"steps: ",
        b"9%|",
        b"a: 1%| ",
        b"| " * 50 + b"\n",
        b"x: 10%|" + b"9" * 3900 + b"\n",
    ):
        chunk = (unit * (256 * 1024 // len(unit) + 1))[: 256 * 1024]
        lines, taken = lines_of(chunk, ended=False)
        follow(Progress(), lines, SPEC)
        assert taken > len(chunk) - 5000
    assert time.process_time() - began < 5


def test_a_line_that_never_ends_is_taken_in_pieces():
    """It must neither be kept for ever nor stop what comes behind it."""
    lines, taken = lines_of(b"x" * 100_000, ended=False)
    assert taken == 100_000 and len(lines[0]) == 4000
    assert lines_of(b"x" * 100, ended=False) == ([], 0)


def _bars(*losses: str) -> list[str]:
    return [
        f"steps: 1%|#| {n}/100 [00:01<00:09, 1.00it/s, avr_loss={loss}]" for n, loss in enumerate(losses, 1)
    ]


def test_a_loss_that_is_no_number_is_counted_and_not_kept():
    """Two in a row, one good one, and the count begins anew."""
    two = follow(Progress(), _bars("0.5", "nan", "inf"), SPEC)
    assert (two.loss, two.nan_lines, two.step) == (0.5, 2, 3)
    assert follow(two, _bars("0.4", "0.4", "0.4", "0.4"), SPEC).nan_lines == 0
    assert follow(Progress(), _bars("NaN"), SPEC).nan_lines == 1


def test_a_step_never_goes_back():
    """A second bar of the same name, or a redraw that comes late."""
    progress = follow(Progress(), _bars("0.5", "0.4"), SPEC)
    assert follow(progress, _bars("0.5"), SPEC).step == 2


def test_the_curve_stays_small():
    """A few hundred points, the last one always among them."""
    lines = [f"steps: 1%|#| {n}/9000 [00:01<00:09, 1.00it/s, avr_loss=0.1]" for n in range(1, 9001)]
    progress = follow(Progress(), lines, SPEC)
    assert len(progress.losses) <= MOST_POINTS
    assert progress.losses[-1][0] >= 8990
    assert [step for step, _ in progress.losses] == sorted({step for step, _ in progress.losses})


def test_stages_follow_the_recipes_lines():
    """Caching before the first bar, saving between two."""
    cached = follow(Progress(stage="starting"), ["caching latents: 1/2"], SPEC)
    assert cached.stage == "caching latents"
    trained = follow(cached, _bars("0.5"), SPEC)
    assert trained.stage == "training"
    assert follow(trained, ["saving checkpoint: out/x", *_bars("0.5")], SPEC).stage == "saving"
    assert follow(trained, ["saving checkpoint: out/x", *_bars("0.5", "0.4")], SPEC).stage == "training"
