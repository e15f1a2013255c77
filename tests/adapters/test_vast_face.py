"""The simulated Vast.ai is as strict and as odd as the real one: what the reference says of the wire, asked for by a
client that is not ours. The vendor's own command line, 1.9.1, was run against it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from adapters.providers.vast import VastProvider
from adapters.simulators.faces.face import Dropped, Said, call_of
from adapters.simulators.faces.server import FaceServer
from adapters.simulators.faults import Fault, FaultKind
from bot.domain.money import Usd
from tests.support.vast import KEY_LINE, LABEL, RTX, VastStage, vast_host

CLI_CREATE: dict[str, Any] = {
    "client_id": "me", "image": "pytorch/pytorch:latest", "env": {"A": "b", "-p 8080:8080": "1"}, "price": None,
    "disk": 40.0, "label": "bot-x", "extra": None, "onstart": "echo hi", "image_login": None, "python_utf8": False,
    "lang_utf8": False, "use_jupyter_lab": False, "jupyter_dir": None, "force": False, "cancel_unavail": True,
    "template_hash_id": None, "user": None, "runtype": "ssh_direc ssh_proxy",
}  # fmt: skip
"""The body that the vendor's command line sends, to the letter (vast.md, 3.1)."""
CLI_SEARCH: dict[str, Any] = {
    "external": {"eq": False}, "rentable": {"eq": True}, "gpu_name": {"eq": "RTX 3090"}, "num_gpus": {"eq": "1"},
    "gpu_ram": {"gte": 23000.0}, "dph_total": {"lt": "0.5"}, "duration": {"gt": 86400.0},
    "geolocation": {"in": ["SE", "NO"]}, "cuda_max_good": {"gte": "12.4"}, "driver_version": {"gte": 535_086_005},
    "order": [["dph_total", "asc"]], "type": "on-demand", "limit": 5, "allocated_storage": 40.0,
}  # fmt: skip
FIRST = 30_010_000
KEY = {"Authorization": "Bearer sim-key"}


def post(stage: VastStage, path: str, body: Any, method: str = "POST", **more: Any) -> Said:
    return stage.asks(method, path, json.dumps(body).encode(), **more)


def search(stage: VastStage, **more: Any) -> list[dict[str, Any]]:
    said = post(stage, "/api/v0/bundles/", {**CLI_SEARCH, **more})
    assert said.status == 200, said
    rows: list[dict[str, Any]] = said.json["offers"]
    return rows


def create(stage: VastStage, ask: int = FIRST, **more: Any) -> Said:
    return post(stage, f"/api/v0/asks/{ask}/", {**CLI_CREATE, **more}, "PUT")


# --- the market --------------------------------------------------------------------------------


def test_the_vendors_own_search_finds_what_it_should():
    """Numbers as texts are compared as numbers, virtual fields are understood, and the price is for the disk asked."""
    [row] = search(VastStage(vast_host()))
    assert row["ask_contract_id"] == row["id"] == FIRST
    assert row["dph_total"] == pytest.approx(0.2 + 0.15 * 40 / 720, abs=1e-5)
    assert row["geolocation"] == "Stockholm, SE"


@pytest.mark.parametrize(
    "filters",
    [
        {"gpu_name": {"eq": "RTX_3090"}},
        {"num_gpus": {"eq": "2"}},
        {"id": {"eq": FIRST}},
        {"geolocation": {"notin": ["SE"]}},
        {"verified": {"eq": False}},
        {"reliability": {"gt": 0.99, "lt": 1}},
        {"driver_version": {"gte": "999000000"}},
        {"type": "bid"},
    ],
)
def test_what_does_not_match_is_not_shown(filters: dict[str, Any]):
    """An underscore in a name, the offer's ``id``, another type: nothing, without a word."""
    assert search(VastStage(vast_host()), **filters) == []


@pytest.mark.parametrize(
    "filters",
    [{"gpu_colour": {"eq": "red"}}, {"num_gpus": {"like": 1}}, {"num_gpus": 1}, {"num_gpus": {"eq": "one"}},
     {"gpu_name": {"in": "RTX 3090"}}, {"type": "free"}, {"order": "dph_total"}, {"limit": "5"}],
)  # fmt: skip
def test_a_search_that_is_no_search_is_refused(filters: dict[str, Any]):
    """Unknown fields, operators and types are a fault of the caller."""
    said = post(VastStage(), "/api/v0/bundles/", {**CLI_SEARCH, **filters})
    assert (said.status, said.json["error"]) == (400, "invalid_args")


def test_never_more_than_64_rows_come_and_each_one_is_counted():
    """Whatever the limit; the day's quota ends searches until midnight, and begins anew then."""
    stage = VastStage(*(vast_host(f"h{n}") for n in range(80)))
    assert len(search(stage, limit=3000)) == 64
    assert stage.face.memory.rows == {stage.clock.now().date(): 64}
    stage.face.quirks.row_quota = 64
    said = post(stage, "/api/v0/bundles/", CLI_SEARCH)
    assert (said.status, said.json["error"], said.json["remaining"]) == (429, "search_quota_exceeded", 0)
    stage.clock.advance(timedelta(seconds=said.json["retry_after"]))
    assert search(stage)


def test_the_wrapped_search_refuses_a_flat_body():
    """``PUT /search/asks/`` takes its filters in ``q``."""
    stage = VastStage()
    assert post(stage, "/api/v0/search/asks/", CLI_SEARCH, "PUT").status == 400
    wrapped = {"select_cols": ["*"], "q": CLI_SEARCH}
    assert len(post(stage, "/api/v0/search/asks/", wrapped, "PUT").json["offers"]) == 1


def test_the_vendors_own_create_is_taken_and_echoed():
    """Ports are part of ``env``; the row shows them as pairs, and the key of the container opens that one only."""
    stage = VastStage()
    said = create(stage)
    assert (said.status, said.json["success"]) == (200, True)
    number, own = said.json["new_contract"], said.json["instance_api_key"]
    row = stage.asks("GET", f"/api/v0/instances/{number}/?owner=me", key=own).json["instances"]
    assert (row["label"], row["onstart"], row["disk_space"]) == ("bot-x", "echo hi", 40.0)
    assert row["extra_env"] == [["A", "b"], ["-p 8080:8080", "1"]]
    other = create(stage).json["new_contract"]
    assert stage.asks("DELETE", f"/api/v0/instances/{other}/", key=own).status == 403
    assert stage.asks("DELETE", f"/api/v0/instances/{number}/", key=own).status == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [({"labl": "x"}, 400), ({"env": "-e A=b"}, 400), ({"env": {"A": 1}}, 400), ({"disk": "40"}, 400),
     ({"disk": 5}, 400), ({"image": None}, 400), ({"image": "pytorch/pytorch"}, 422), ({"label": "x" * 257}, 400),
     ({"runtype": "ssh_direkt"}, 400), ({"price": 200}, 400), ({"price": True}, 400), ({"onstart": "x" * 5000}, 400),
     ({"target_state": "asleep"}, 400)],
)  # fmt: skip
def test_a_create_that_the_vendor_would_not_take_is_refused(body: dict[str, Any], status: int):
    """Field by field; and nothing is created."""
    stage = VastStage()
    assert create(stage, **body).status == status
    assert stage.world.ever() == []


def test_an_order_without_cancel_unavail_leaves_a_stopped_machine_behind():
    """The offer is gone, the answer says success, and the disk bills."""
    stage = VastStage(vast_host())
    create(stage)
    assert create(stage).status == 400
    assert create(stage, cancel_unavail=False).json["success"] is True
    stopped = stage.world.ever()[1]
    assert stage.face.row(stopped, stopped.state(stage.clock.now()))["intended_status"] == "stopped"  # type: ignore[arg-type]


def test_a_second_create_on_one_offer_may_be_accepted_too():
    """What a client that repeats its creates gets."""
    stage = VastStage(vast_host())
    stage.face.quirks.double_booking = True
    assert create(stage).json["new_contract"] != create(stage).json["new_contract"]
    assert len(stage.world.alive()) == 2


def test_a_bid_without_its_price_is_a_rental_at_the_full_one():
    """And one that is too low is an error with a machine."""
    stage = VastStage(vast_host("bids", "0.10", spot=True, capacity=3))
    create(stage)
    said = create(stage, price=0.05)
    assert (said.status, said.json["success"], "new_contract" in said.json) == (400, False, True)
    assert [one.agreed for one in stage.world.ever()] == [Usd.of("0.20"), Usd.of("0.05")]


# --- instances ---------------------------------------------------------------------------------


def listing(stage: VastStage, **query: Any) -> Said:
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in query.items()}
    return stage.asks("GET", "/api/v1/instances/?" + "&".join(f"{n}={quote(v)}" for n, v in texts.items()))


def test_the_list_comes_in_pages_by_token():
    """25 at most, five where less than one is asked for; a token that is none is refused."""
    stage = VastStage()
    stage.put(30)
    first = listing(stage, limit="100").json
    assert (first["instances_found"], first["total_instances"]) == (25, 30)
    rest = listing(stage, after_token=first["next_token"]).json
    assert (len(rest["instances"]), rest["next_token"]) == (5, None)
    assert listing(stage, limit="0").json["instances_found"] == 5
    assert listing(stage, after_token="%%").json["error"] == "invalid_token"


def test_the_list_filters_stored_columns_only():
    """By label; a computed column is an error, and one that does not exist comes back as null."""
    stage = VastStage()
    stage.put(3)
    shown = listing(
        stage, select_filters={"label": {"in": ["by hand 1"]}}, select_cols=["label", "nonsense"]
    ).json
    assert shown["instances"] == [{"label": "by hand 1", "nonsense": None}]
    assert listing(stage, select_filters={"dph_total": {"gt": 0}}).json["error"] == "invalid_request"
    assert listing(stage, order_by=[{"col": "dph_total", "dir": "asc"}]).status == 400


def test_the_old_list_is_dead():
    """410 with the address of the new one; a client that reads it as empty rents again and again."""
    said = VastStage().asks("GET", "/api/v0/instances/")
    assert (said.status, said.json["error"]) == (410, "deprecated_endpoint")


def test_without_a_key_nothing_is_told():
    """403 without one, 404 with a wrong one; in the address it is still taken."""
    stage = VastStage()
    assert stage.asks("GET", "/api/v0/users/current/", key="").status == 403
    assert stage.asks("GET", "/api/v0/users/current", key="wrong").status == 404
    assert stage.asks("GET", "/api/v0/users/current?api_key=sim-key", key="").status == 200


def test_a_stopped_machine_that_is_started_is_queued():
    """Status 200 and no success: it may begin, and bill, hours later."""
    stage = VastStage()
    number = create(stage).json["new_contract"]
    path = f"/api/v0/instances/{number}/"
    assert post(stage, path, {"state": "stopped"}, "PUT").json == {"success": True}
    assert post(stage, path, {"state": "running"}, "PUT").json["error"] == "resources_unavailable"
    assert post(stage, path, {"state": "paused"}, "PUT").status == 400
    assert post(stage, "/api/v0/instances/1/", {"label": "x"}, "PUT").json["error"] == "no_such_instance"


def test_logs_come_late_and_need_no_key():
    """The address that is told answers 404 at first."""
    stage = VastStage()
    number = create(stage).json["new_contract"]
    url = post(stage, f"/api/v0/instances/request_logs/{number}/", {"tail": "50"}, "PUT").json["result_url"]
    path = url.removeprefix("http://vast.invalid")
    assert [stage.asks("GET", path, key="").status for _ in range(3)] == [404, 404, 200]


def test_keys_of_the_account_reach_machines_that_come_later():
    """And no others; the list of none is a 404."""
    stage = VastStage()
    assert stage.asks("GET", "/api/v0/ssh/").status == 404
    create(stage)
    post(stage, "/api/v0/ssh/", {"ssh_key": KEY_LINE})
    create(stage)
    assert [one.keys for one in stage.world.ever()] == [[], [KEY_LINE]]
    assert stage.asks("GET", "/api/v0/ssh/").json[0]["key"] == KEY_LINE


def test_what_is_planned_in_the_world_is_said_in_the_vendors_words():
    """No capacity, no credit, throttled, garbled, silence."""
    stage = VastStage()
    kinds = (FaultKind.NO_CAPACITY, FaultKind.NEEDS_HUMAN, FaultKind.TRY_LATER, FaultKind.GARBLED)
    stage.world.plan("launch", *(Fault(kind) for kind in kinds), Fault(FaultKind.LOST_AFTER))
    assert "no_such_ask" in create(stage).json["msg"]
    assert create(stage).json["error"] == "insufficient_credit"
    assert create(stage).status == 429
    assert create(stage).json is None
    with pytest.raises(Dropped):
        create(stage)
    assert [one.label for one in stage.world.ever()] == ["bot-x"]


def test_calls_that_come_too_soon_are_refused():
    """Each kind by its own published interval, and no kind by another's."""
    stage = VastStage()
    user, old = (call_of("GET", f"/api/v0/{p}/", KEY, b"") for p in ("users/current", "instances"))
    assert [stage.face.handle(call).status for call in (user, old, user, old)] == [200, 410, 429, 429]
    stage.clock.advance(timedelta(seconds=1))
    assert stage.face.handle(user).status == 200


async def test_the_adapter_works_over_a_real_connection():
    """The same face as a server on loopback, and the real client: found, rented, given back."""
    stage = VastStage()
    async with FaceServer(stage.face) as server:
        provider = VastProvider(key="sim-key", url=server.url, clock=stage.clock, pause=stage.pause)
        offer = (await provider.offers(RTX))[0]
        machine_id = await provider.launch(offer, stage.order())
        assert [machine.label for machine in await provider.machines()] == [LABEL]
        await provider.destroy(machine_id)
        assert await provider.machines() == []
        await provider.close()
