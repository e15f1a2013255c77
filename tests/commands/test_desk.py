"""The desk: one path for every line, from any chat, to an answer that a person can use."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.simulators.chat import words
from adapters.simulators.faults import FaultKind
from adapters.simulators.training import Training
from bot.domain.money import Usd
from bot.domain.rental import Ending
from bot.domain.talk import Kind, Reply, Tone
from tests.support.crash import Forwarding
from tests.support.small_town import FOR_EVER, HOUR, MINUTE, TRAIN, SmallTown
from tests.support.town import ANN, BEN, EVE
from tests.support.towns import Found


async def _ready(town: SmallTown, text: str = "up world 3090 for 2h") -> str:
    tab = await town.rent(text)
    await town.until(tab, lambda rental: rental.attempt is not None and rental.attempt.ready_at)
    return tab


async def _training(town: SmallTown) -> str:
    town.shell.script = Training(lasts=MINUTE, lines=60, checkpoints=3)
    tab = await town.rent()
    await town.until(tab, lambda rental: rental.progress.step >= 3)
    return tab


# --- looking ------------------------------------------------------------------------------------


async def test_help_names_every_command_and_explains_each(town: SmallTown):
    """With options and examples; what comes later says so."""
    reply = await town.ask("help")
    assert reply.kind is Kind.ANSWER and len(reply.data["commands"]) >= 15
    for name in ("up", "train", "status", "down", "extend", "estimate", "ssh"):
        one = await town.ask(f"help {name}")
        assert one.kind is Kind.ANSWER and one.title.startswith(name) and one.code
    assert any("later release" in line for line in (await town.ask("help report")).lines)


async def test_status_of_nothing_says_that_nothing_costs(town: SmallTown):
    """The best answer there is."""
    reply = await town.ask("status")
    assert (reply.title, reply.tone) == ("Nothing is open. Nothing costs.", Tone.GOOD)


async def test_status_shows_mine_all_of_the_team_or_one(town: SmallTown):
    """With state, cost, the most it can cost and its end; other teams see nothing."""
    mine = await _ready(town)
    theirs = await town.rent("up world 3090", actor=BEN)
    await town.pass_time(MINUTE)
    reply = await town.ask("status")
    assert [row[0] for row in reply.tables[0].rows] == [mine]
    assert reply.title == "1 open, $0.20/h now, $0.01 so far"
    assert "1 more of your team: status all" in reply.lines
    assert {row[0] for row in (await town.ask("status all")).tables[0].rows} == {mine, theirs}
    assert (await town.ask("status all", actor=EVE)).tables == ()
    one = await town.ask(f"status {mine}")
    assert dict(one.fields)["state"] == "ready" and one.data["gate3"]
    assert {table.header[-1] for table in one.tables} == {"what was found", "journal"}


async def test_status_counts_a_machine_that_is_given_up_as_long_as_it_may_cost(town: SmallTown):
    """What burns is what is not proven gone."""
    tab = await _ready(town)
    town.world.stop(town.world.ever()[0].id)
    town.vendor("destroy", FaultKind.SHRUG, times=FOR_EVER)
    await town.until(tab, lambda rental: rental.attempt is None)
    assert "$0.20/h now" in (await town.ask("status")).title


async def test_status_warns_when_nobody_works(town: SmallTown):
    """A tab without an engine is not closed in time."""
    await town.rent()
    assert any("No engine runs now" in line for line in (await town.ask("status")).lines)
    now = town.clock.now()
    await town.life.store.leases.take("engine:x", token="x", now=now, until=now + MINUTE)
    assert not any("No engine" in line for line in (await town.ask("status")).lines)


async def test_history_tells_the_whole_story_and_the_last_rentals(town: SmallTown):
    """Who asked, what was done, what it cost."""
    assert (await town.ask("history")).title == "Nothing was rented yet."
    tab = await town.rent()
    await town.until_closed(tab)
    reply = await town.ask(f"history {tab}")
    assert [line["kind"] for line in reply.data["lines"]][0::100] == ["asked"]
    assert reply.data["lines"][0]["actor"] == ANN.key
    assert reply.tables[0].rows[-1][1] == "closed" and reply.tables[0].rows[-1][3].startswith("$")
    past = await town.ask("history")
    assert past.tables[0].rows[0][0] == tab and past.tables[0].rows[0][3] == "done"
    assert (await town.ask("history", actor=EVE)).title == "Nothing was rented yet."
    assert (await town.ask(f"history {tab}", actor=EVE)).kind is Kind.REFUSED


async def test_offers_and_providers_and_estimate_and_advise_change_nothing(town: SmallTown):
    """They only look."""
    offers = await town.ask("offers 3090")
    assert offers.kind is Kind.ANSWER and "$0.20/h" in words(offers)
    for line in (
        "providers",
        "estimate",
        "estimate tiny-lora",
        "estimate sdxl-lora 3090 rate $0.20/h",
        "advise tiny-lora",
    ):
        assert (await town.ask(line)).kind is Kind.ANSWER, line
    assert not await town.life.store.rentals.open_ones() and not town.world.ever()


async def test_a_provider_that_cannot_answer_is_named_and_spoils_nothing(town: SmallTown):
    """Its own words, beside those of the others."""
    town.vendor("offers", FaultKind.NEEDS_HUMAN, reason="The key is not valid.")
    town.vendor("account", FaultKind.NEEDS_HUMAN, reason="The key is not valid.")
    assert "The key is not valid" in words(await town.ask("offers"))
    assert "The key is not valid" in words(await town.ask("providers"))


# --- entering -----------------------------------------------------------------------------------


async def test_logs_show_the_last_lines_while_it_trains(town: SmallTown):
    """Redraws are lines of their own; only for the owner's eyes."""
    tab = await _training(town)
    reply = await town.ask(f"logs {tab} 2")
    assert reply.private and len(reply.data["lines"]) == 2 and "steps:" in reply.code
    assert (await town.ask("logs")).rental == tab
    assert (await town.ask(f"logs {tab}", actor=BEN)).kind is Kind.REFUSED


async def test_logs_before_any_training_are_refused_with_where_to_look(town: SmallTown):
    """Nothing was said yet."""
    tab = await _ready(town)
    reply = await town.ask(f"logs {tab}")
    assert reply.kind is Kind.REFUSED and f"history {tab}" in reply.lines[0]


async def test_logs_of_a_closed_rental_come_from_its_results(town: SmallTown):
    """They were brought home with them."""
    tab = await town.rent()
    await town.until_closed(tab)
    kept = town.town.folder / "results" / tab / "train.log"
    kept.write_bytes(b"one\rtwo\nthree \xff\n")
    assert (await town.ask(f"logs {tab}")).data["lines"] == ["one", "two", "three �"]


async def test_pull_brings_what_there_is_so_far_and_says_where_the_rest_lies(town: SmallTown):
    """Checkpoints while it trains; the results when it is over."""
    town.shell.script = Training(lasts=MINUTE, lines=60, checkpoints=3)
    tab = await town.rent()
    await town.until(tab, lambda rental: rental.progress.step >= 1)
    assert "written nothing yet" in (await town.ask(f"pull {tab}")).title
    await town.until(tab, lambda rental: rental.progress.step >= 5)
    early = await town.ask(f"pull {tab}")
    assert early.kind is Kind.ANSWER and "-step" in early.data["files"][0]["name"]
    await town.until_closed(tab)
    late = await town.ask(f"pull {tab}")
    assert {one["name"] for one in late.data["files"]} >= {f"tiny-lora-{tab}.safetensors", "lastcall.json"}


async def test_pull_of_what_never_was_is_refused(town: SmallTown):
    """A machine for hands has no results of ours."""
    tab = await _ready(town)
    assert (await town.ask(f"pull {tab}")).kind is Kind.REFUSED
    assert (await town.ask("pull zzzzzz")).kind is Kind.REFUSED


async def test_ssh_gives_a_command_that_proves_who_answers(town: SmallTown):
    """A key in a 0600 file, the host's key pinned; the file goes with the machine."""
    tab = await _ready(town)
    reply = await town.ask(f"ssh {tab}")
    assert reply.private and reply.code.startswith("ssh -p 22 -i ")
    assert "UserKnownHostsFile=" in reply.code and "root@" in reply.code
    key = town.town.folder / "keys" / f"{tab}-1"
    assert key.stat().st_mode & 0o777 == 0o600
    assert (await town.ask(f"ssh {tab}", actor=BEN)).kind is Kind.REFUSED
    await town.ask(f"down {tab}")
    await town.until_closed(tab)
    assert not key.exists()
    assert (await town.ask(f"ssh {tab}")).kind is Kind.REFUSED


async def test_a_machine_that_cannot_be_reached_is_a_sentence_not_a_fault_of_ours(town: SmallTown):
    """In the shell's words."""
    tab = await _training(town)
    town.broken("look", FaultKind.UNREACHABLE)
    reply = await town.ask(f"logs {tab}")
    assert reply.kind is Kind.FAULT and "reference" not in words(reply)


# --- asking -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "kind", "said"),
    [
        ("train tiny-lora", Kind.MISUNDERSTOOD, "How thorough?"),
        ("train flux-lora quick on world", Kind.REFUSED, "LASTCALL_RECIPE_HF_TOKEN is not set"),
        (
            "train tiny-lora quick on world rank=999",
            Kind.REFUSED,
            "rank is a whole number from 1 to 128, not 999.",
        ),
        ("train tiny-lora quick on world rank=sixteen", Kind.REFUSED, "rank is a whole number"),
        ("train tiny-lora quick on world lr=nan", Kind.REFUSED, "lr is a number such as 1e-4"),
        ("train tiny-lora quick on world for 1m", Kind.REFUSED, "too short"),
        ("up world 3090 for 30h", Kind.REFUSED, "No machine lives longer than 24 h"),
        ("up world 3090 budget $0", Kind.MISUNDERSTOOD, ""),
        ("up world 3090 for 0h", Kind.MISUNDERSTOOD, ""),
        ("report", Kind.NOT_YET, "later release"),
        ("confirm", Kind.REFUSED, "You have nothing to confirm."),
        ("status zzzzzz", Kind.REFUSED, "There is no rental zzzzzz."),
        ("extend zzzzzz 1h", Kind.REFUSED, "There is no rental zzzzzz."),
        ("make me a sandwich", Kind.MISUNDERSTOOD, ""),
    ],
)
async def test_what_cannot_be_done_is_told_in_a_sentence(town: SmallTown, line: str, kind: Kind, said: str):
    """Understood or not, now or later: nothing is opened, and the way out is named."""
    reply = await town.ask(line)
    assert reply.kind is kind and said in reply.title, reply
    assert not await town.life.store.rentals.open_ones()


async def test_a_parameter_that_the_recipe_does_not_know_is_told_with_the_nearest(town: SmallTown):
    """And all that it does know."""
    reply = await town.ask("train tiny-lora quick on world rnk=4 data ./images")
    assert reply.kind is Kind.MISUNDERSTOOD
    assert "rank" in words(reply)


async def test_what_was_typed_reaches_the_trainer(town: SmallTown):
    """Numbers as numbers, in the trainer's own file."""
    tab = await town.rent(f"{TRAIN} rank=4 lr=1e-3")
    rental = await town.until_closed(tab)
    assert (
        rental.job is not None and {"rank": 4, "lr": 0.001, "steps": 8}.items() <= rental.job.inputs.items()
    )
    config = town.world.ever()[0].files["config.json"]
    assert b'"rank": 4' in config and b'"learning_rate": 0.001' in config and b'"steps": 8' in config


@pytest.mark.parametrize("line", ["extend {} 23h", "extend {} $50", "extend {} 100d", "extend {} $1000000"])
async def test_no_extension_passes_what_the_label_promises(town: SmallTown, line: str):
    """The reaper ends a machine at the time in its label; the answer says what is possible."""
    tab = await _ready(town)
    reply = await town.ask(line.format(tab))
    assert reply.kind in (Kind.REFUSED, Kind.MISUNDERSTOOD), reply
    if reply.kind is Kind.REFUSED:
        assert "may exist until" in reply.title and "22 h" in reply.lines[0]
    assert (await town.rental(tab)).lifetime == 2 * HOUR


@pytest.mark.parametrize("line", ["extend {} 1h", "confirm {}", "cancel {}"])
async def test_what_is_over_is_over(town: SmallTown, line: str):
    """Closed is told, and nothing opens it again."""
    tab = await town.rent()
    await town.until_closed(tab)
    reply = await town.ask(line.format(tab))
    assert "over" in reply.title
    assert (await town.rental(tab)).ending is Ending.DONE


async def test_what_has_not_begun_cannot_be_extended(found: Found):
    """A quote has no end to move."""
    town = await found(auto_confirm=Usd(0))
    tab = await town.rent()
    await town.until(tab, lambda rental: rental.quoted_at)
    assert "has not begun" in (await town.ask(f"extend {tab} 1h")).title


async def test_a_crumb_of_money_is_told_what_it_pays_for(town: SmallTown):
    """A tenth of a cent is twenty seconds."""
    tab = await _ready(town)
    reply = await town.ask(f"extend {tab} $0.001")
    assert reply.kind in (Kind.REFUSED, Kind.MISUNDERSTOOD)


async def test_several_quotes_are_never_guessed_between(found: Found):
    """It is about money."""
    town = await found(auto_confirm=Usd(0))
    tabs = [await town.rent() for _ in range(2)]
    for tab in tabs:
        await town.until(tab, lambda rental: rental.quoted_at)
    reply = await town.ask("confirm")
    assert reply.kind is Kind.MISUNDERSTOOD and all(tab in words(reply) for tab in tabs)


@pytest.mark.parametrize(
    "line", ["down {}", "status {}", "confirm {}", "extend {} 1h", "logs {}", "ssh {}", "pull {}"]
)
async def test_another_team_can_do_nothing(town: SmallTown, line: str):
    """Not even look."""
    tab = await _ready(town)
    reply = await town.ask(line.format(tab), actor=EVE)
    assert reply.kind is Kind.REFUSED and "another team" in reply.title
    assert (await town.ask("down all", actor=EVE)).title == "Nothing is open."
    assert (await town.rental(tab)).ending is None


async def test_a_teammate_may_end_it(town: SmallTown):
    """It can only save money, and it is written down who did."""
    tab = await _ready(town)
    assert (await town.ask(f"down {tab}", actor=BEN)).kind is Kind.ANSWER
    await town.until_closed(tab)
    assert "on request of ben" in town.card(tab)
    assert [line.actor for line in await town.journal(tab) if line.kind == "asked"] == [ANN.key, BEN.key]


async def test_a_spot_machine_is_refused_where_there_is_none(town: SmallTown):
    """Before anything is asked of a vendor; here the vendor could, and has none."""
    tab = await town.rent("up world 3090 spot")
    assert (await town.until_closed(tab)).ending is Ending.NO_OFFER


# --- what is written down -----------------------------------------------------------------------


async def test_refusals_are_in_the_journal_with_who_asked_and_what(town: SmallTown):
    """What was merely not understood is not."""
    await town.ask("up world 3090 for 30h", actor=BEN)
    await town.ask("gibberish")
    lines = [line for line in await town.life.store.journal.lines() if line.kind == "refused"]
    assert [(line.actor, line.text) for line in lines] == [
        (BEN.key, "up world 3090 for 30h: No machine lives longer than 24 h here.")
    ]


@pytest.mark.parametrize(
    "line",
    [
        "x" * 10_000,
        "up " * 3_000,
        "status \x00\x1b[2J\x07",
        "\u202eup world",
        "up world 🦄" + "🦄" * 500,
        "\ud800",
    ],
    ids=["long", "many words", "control", "right to left", "unicorns", "half a character"],
)
async def test_absurd_lines_get_a_short_clean_answer(town: SmallTown, line: str):
    """No control characters come back, no essay, no trace of our insides."""
    reply = await town.ask(line)
    assert reply.kind in (Kind.MISUNDERSTOOD, Kind.REFUSED), reply
    said = words(reply) + repr(reply.data)
    assert len(said) < 4000 and "Traceback" not in said
    assert all(mark.isprintable() or mark == "\n" for mark in words(reply))


LINES = st.one_of(
    st.text(max_size=60),
    st.lists(
        st.sampled_from(
            ["up", "train", "down", "status", "extend", "tiny-lora", "quick", "world", "3090", "x2", "for", "2h",
             "$5", "budget", "mine", "all", "k7m2qd", "rank=4", "data", "./images", "spot", "--gpu", "max", "$0.40/h"]
        ),
        max_size=7,
    ).map(" ".join),
)  # fmt: skip


async def test_any_line_gets_an_answer(town: SmallTown):
    """Never a fault, never an exception."""

    @settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
    @given(LINES)
    def try_it(line: str) -> None:
        lines.append(line)

    lines: list[str] = []
    try_it()
    for line in lines:
        reply = await town.ask(line)
        assert reply.kind is not Kind.FAULT, (line, reply)


class Broken(Forwarding):
    """A provider with a bug."""

    async def offers(self, *_: Any) -> Any:
        raise KeyError("sk-secret")


async def test_a_fault_of_ours_is_a_reference_and_nothing_else(town: SmallTown):
    """What is in the log is for who runs it."""
    town.town.wrap.provider = Broken
    town.again()
    reply: Reply = await town.ask("offers")
    assert reply.kind is Kind.FAULT and "reference" in reply.title
    assert "secret" not in words(reply) and "Traceback" not in words(reply) and "KeyError" not in words(reply)


async def test_down_all_tells_machine_by_machine_what_is_proved_gone(town: SmallTown):
    """A quote had none; a machine is asked first and believed gone only when that is proved."""
    await _ready(town)
    asking = await town.rent("up world 3090")
    reply = await town.ask("down all")
    rows = {row[0]: row[1:] for row in reply.tables[0].rows}
    assert rows[asking] == ("none", "nothing was rented")
    machine = next(row for row in reply.tables[0].rows if row[0] != asking)
    assert machine[1].startswith("world/") and machine[2] == "to be asked to end; still billed"
    assert [one["known"] for one in reply.data["machines"]] == [row[2] for row in reply.tables[0].rows]
    await town.until_closed(machine[0])
    assert (await town.ask("down all")).title in ("Nothing is open.", f"Tearing down {asking}.")
