"""The table of offers: what a chat can show, what programs get, and nothing that nobody told."""

from __future__ import annotations

import json
from datetime import timedelta

from adapters.chat.console.plain import plain
from adapters.chat.console.render import draw, paint
from bot.commands.replies_offers import offers_reply
from bot.domain.money import ZERO, Usd
from bot.domain.talk import Reply, Tone
from tests.commands.vendors import offer, profile

BARE = {"reliability": None, "verified": None, "cuda": "", "down_mbps": None, "places": ()}


def rows(reply: Reply) -> list[dict[str, str]]:
    """The table by its header; what programs get is JSON whatever was told."""
    json.dumps(reply.data)
    (table,) = reply.tables
    return [dict(zip(table.header, row, strict=True)) for row in table.rows]


def test_the_price_is_all_in_and_traffic_stands_beside_it():
    """GPU and the disk that was asked for in one price; what a GB costs on top in a column of its own."""
    dear = offer("vast", "b", "0.35", traffic_per_gb=Usd.of("0.0195"), disk_hourly=Usd.of("0.004"))
    reply = offers_reply([offer("vast", "a", "0.2042"), dear], {})
    assert [(row["Price"], row["Traffic"]) for row in rows(reply)] == [
        ("$0.2042/h", "-"),
        ("$0.35/h", "$0.0195/GB"),
    ]
    assert reply.title == "2 offers, from $0.2042/h"
    assert reply.lines == (
        "Prices are all-in: GPU and 20 GB of disk; traffic comes on top where it has a price.",
    )


def test_what_is_known_of_a_host_stands_in_one_cell():
    """As much as is told: nothing is claimed of a host whose vendor is silent."""
    hosts = [
        offer(id="a"),
        offer(id="b", reliability=0.9996, verified=False, down_mbps=25_000),
        offer(id="c", **{**BARE, "verified": True}),
        offer(id="d", **BARE),
    ]
    assert [row["Host"] for row in rows(offers_reply(hosts, {}))] == [
        "SE, 99.3% up, verified, CUDA 12.8, 910 Mbit/s",
        "SE, 99.9% up, unverified, CUDA 12.8, 25 Gbit/s",
        "verified",
        "-",
    ]


def test_a_column_where_nobody_tells_anything_is_not_there():
    """An own computer has no traffic price, no place and no reliability."""
    own = offer("local", gpu="CPU only", vram_gb=0, hourly="0", cpu_only=True, **BARE)
    reply = offers_reply([own], {})
    assert rows(reply) == [{"Provider": "local", "GPU": "CPU only", "Price": "free"}]
    assert reply.title == "1 offer, the cheapest free"
    assert reply.lines == ()


def test_the_place_is_what_the_vendor_calls_it_or_its_country():
    """Before all else that is known of the host."""
    bare = {**BARE, "places": ("US", "us-west-1")}
    here = [offer(id="a", **{**bare, "where": "us-west-1"}), offer(id="b", **bare)]
    assert [row["Host"] for row in rows(offers_reply(here, {}))] == ["us-west-1", "US"]


def test_different_disks_are_told_apart():
    """A whole machine comes with a bigger disk than was asked for."""
    reply = offers_reply([offer(id="a"), offer(id="b", disk_gb=1400)], {})
    assert "GPU and 20 to 1400 GB of disk." in reply.lines[0]


def test_programs_get_everything_that_was_told():
    """Money as decimal strings, times in seconds, null for what nobody said."""
    full = offer(
        "vast", traffic_per_gb=Usd.of("0.0195"), disk_hourly=Usd.of("0.004"), drift=5, ram_gb=64,
        billing_step=timedelta(minutes=1), lasts=timedelta(days=2), spot=True,
    )  # fmt: skip
    first, second = offers_reply([full, offer(id="d", **BARE)], {}).data["offers"]
    assert first == {
        "provider": "vast", "id": "77", "gpu": "RTX 3090", "count": 1, "vram_gb": 24, "vendor": "nvidia",
        "hourly": "0.31", "disk_hourly": "0.004", "traffic_per_gb": "0.0195", "ceiling_hourly": "0.3255",
        "gpu_from_running": False, "billing_step": 60, "disk_gb": 20, "ram_gb": 64, "where": "",
        "places": ["SE", "EU"], "host": "77", "pool": False, "reliability": 0.993, "verified": True,
        "cuda": "12.8", "down_mbps": 910, "lasts": 172800, "spot": True, "cpu_only": False, "note": "",
    }  # fmt: skip
    told = ("reliability", "verified", "cuda", "down_mbps", "lasts", "ram_gb")
    assert [second[name] for name in told] == [None] * 6


def test_spot_is_explained_once():
    """And stands beside each price that is one."""
    reply = offers_reply([offer(id="a", spot=True), offer(id="b", spot=True)], {})
    assert [row["Price"] for row in rows(reply)] == ["$0.31/h spot"] * 2
    assert sum("may take the machine away" in line for line in reply.lines) == 1


def test_a_vendor_that_could_not_be_asked_is_named():
    """An empty list with a problem is not "there is nothing"."""
    reply = offers_reply([], {"two": "it did not answer within 12 s"})
    assert reply.title == "No offers found, but not everybody could be asked"
    assert reply.lines == ("two could not be asked: it did not answer within 12 s",)
    assert reply.tone is Tone.WARN and reply.data["problems"] == {"two": "it did not answer within 12 s"}
    assert offers_reply([], {}).title == "No such offer right now"


def test_who_is_not_configured_stands_in_one_line():
    """With all that would have to be set."""
    missing = [
        profile("runpod", title="RunPod", setting="RUNPOD_API_KEY"),
        profile("lambda", setting="LAMBDA_API_KEY"),
    ]
    reply = offers_reply([offer(**BARE, hourly="0")], {}, missing=missing)
    assert reply.lines == ("RunPod and Lambda are not configured: set RUNPOD_API_KEY, LAMBDA_API_KEY.",)
    assert reply.data["not_configured"] == ["runpod", "lambda"]
    assert reply.tone is Tone.CALM


def test_a_long_list_is_cut_for_people_and_whole_for_programs():
    """Fifteen rows, the count of the rest, and every offer in the data; an honest sentence is said once."""
    many = [offer(id=str(n), note="One honest sentence.", hourly="0") for n in range(20)]
    reply = offers_reply(many, {})
    assert len(rows(reply)) == 15
    assert reply.tables[0].note.startswith("5 more")
    assert len(reply.data["offers"]) == 20
    assert reply.lines == ("one: One honest sentence.",)


def test_the_table_is_a_table_on_a_usual_screen():
    """Eighty columns: the cell about the host breaks its lines, and every row stays one row with its price."""
    usual = [
        offer("lambda", "c", "2.49", gpu="A100 SXM 80GB", vram_gb=80, where="us-west-1", **BARE),
        offer("vast", "a", "0.3123", gpu="RTX 4090", where="Stockholm, SE", traffic_per_gb=Usd.of("0.02")),
        offer("runpod", "b", "0.69", gpu="RTX 4090", where="EU-RO-1", **{**BARE, "cuda": "12.8"}),
    ]
    reply = offers_reply(usual, {})
    lines = paint(draw(reply), width=80, colour=False).splitlines()
    assert max(map(len, lines)) <= 80
    vast = next(line for line in lines if line.strip().startswith("vast"))
    assert "RTX 4090" in vast and "$0.3123/h" in vast and "$0.02/GB" in vast and "Stockholm" in vast
    assert any("Provider" in line and "Traffic" in line for line in lines)
    assert "A100 SXM 80GB" in next(line for line in lines if line.strip().startswith("lambda"))
    assert any("99.3% up, verified, CUDA 12.8, 910 Mbit/s" in line for line in plain(reply))


def test_free_and_paid_are_shown_beside_each_other():
    """The sentence about prices is about those that have one."""
    free = offer("local", hourly="0", disk_gb=40, **BARE)
    assert free.hourly == ZERO
    reply = offers_reply([free, offer()], {})
    assert [row["Price"] for row in rows(reply)] == ["free", "$0.31/h"]
    assert reply.lines == ("Prices are all-in: GPU and 20 GB of disk.",)
