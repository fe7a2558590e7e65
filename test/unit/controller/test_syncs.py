from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from main.app import create_app
from main.resources.database.engine import WriterLock
from main.service.model import GuardState, Outcome
from test.fakes import NOW, FakeClock, FakeDoor, MemoryCatalogue, MemoryGuardBook, as_admin, make_report
from test.unit.controller.documented import assert_as_documented

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from main.settings import Settings

PREFIXED = {"X-Forwarded-Prefix": "/service/aisle"}


class Served:
    """The application over a catalogue in memory, with everything beside it in reach."""

    def __init__(self, settings: Settings) -> None:
        self.store, self.book, self.clock = MemoryCatalogue(), MemoryGuardBook(), FakeClock()
        self.app = create_app(settings, reader=self.store, board=self.store, book=self.book, clock=self.clock, door=FakeDoor())
        self.client: FlaskClient = as_admin(self.app.test_client())
        self.document = self.client.get("/swagger.json").json

    def post(self, name: str = "lumen", **given: Any) -> TestResponse:
        answer = self.client.post(f"/sources/{name}/sync", **given)
        assert_as_documented(self.document, "/sources/{name}/sync", answer, "post")
        return answer

    def get(self, url: str, path: str) -> Any:
        answer = self.client.get(url)
        assert_as_documented(self.document, path, answer)
        return answer.json


@pytest.fixture
def served(settings: Settings) -> Served:
    return Served(settings)


def test_a_sync_is_asked_for_and_can_be_followed_to_its_end(served: Served):
    served.store.beat(["lumen"], NOW)
    answer = served.post()
    assert (answer.status_code, answer.json["state"], answer.json["note"]) == (202, "requested", None)
    where = answer.headers["Location"]
    assert where == f"/sources/lumen/syncs/{answer.json['id']}" == answer.json["url"]
    item = "/sources/{name}/syncs/{number}"
    assert served.get(where, item) == answer.json
    begun = served.store.begin("lumen", NOW, force=False)
    served.store.progress(make_report("lumen", id=begun.id, pages=2, received=60, total=194))
    running = served.get(where, item)
    assert (running["state"], running["pages"], running["received"], running["total"]) == ("running", 2, 60, 194)
    assert (running["started_at"], running["finished_at"]) == ("2026-03-01T12:00:00.000Z", None)
    served.store.record(make_report("lumen", Outcome.FAILED, id=begun.id, error_type="UpstreamTimeout", error="too slow"))
    failed = served.get(where, item)
    assert (failed["state"], failed["error"], failed["finished_at"]) == ("failed", "too slow", "2026-03-01T12:00:00.250Z")


def test_asking_again_while_one_waits_gives_the_same_record(served: Served):
    first, second = served.post(), served.post(json={"force": True})
    assert second.json == {**first.json, "force": True}
    assert len(served.store.records) == 1


def test_a_sync_nobody_will_take_up_says_so(served: Served):
    assert served.post().json["note"].startswith("No watcher is running: ")


def test_the_location_is_under_the_prefix_the_caller_sees(served: Served):
    answer = served.client.post("/sources/lumen/sync", headers=PREFIXED)
    assert answer.headers["Location"] == answer.json["url"] == "/service/aisle/sources/lumen/syncs/1"


def test_syncs_come_newest_first_and_in_pages(served: Served):
    for _ in range(3):
        served.store.begin("lumen", NOW, force=False)
    page = served.get("/sources/lumen/syncs?per_page=2", "/sources/{name}/syncs")
    assert ([sync["id"] for sync in page["data"]], page["total"], page["pages"]) == ([3, 2], 3, 2)
    assert [sync["state"] for sync in page["data"]] == ["running", "stopped"]
    assert served.client.get("/sources/lumen/syncs?per_page=2").headers["X-Total-Count"] == "3"


def test_what_was_synced_for_real_is_told(fetch: Any):
    (sync,) = fetch("/sources/lumen/syncs")["data"]
    assert (sync["state"], sync["products"], sync["rejected"], sync["received"]) == ("ok", 21, 1, 22)
    assert fetch(f"/sources/lumen/syncs/{sync['id']}") == sync


@pytest.mark.parametrize("number", ["0", "7", "9223372036854775808", "9" * 40, "x", "-1", "1.0"])
def test_a_sync_that_is_not_there_is_404(client: FlaskClient, number: str):
    assert client.get(f"/sources/lumen/syncs/{number}").status_code == 404


def test_a_source_nobody_knows_is_404(served: Served):
    assert served.post("nobody").status_code == 404
    assert served.client.get("/sources/nobody/syncs").status_code == 404
    assert served.client.get("/sources/nobody/syncs/1").status_code == 404


def test_a_source_that_is_switched_off_is_409(served: Served):
    served.book.states["lumen"] = GuardState(enabled=False)
    answer = served.post()
    assert (answer.status_code, served.store.records) == (409, {})
    assert answer.json["detail"].startswith("This source was switched off")


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"json": {"force": "yes"}}, 422),
        ({"json": {"now": True}}, 422),
        ({"json": [1]}, 422),
        ({"query_string": {"force": "true"}}, 422),
        ({"data": "force=true", "content_type": "text/plain"}, 415),
        ({"data": "{", "content_type": "application/json"}, 400),
        ({"data": "x" * 70_000, "content_type": "application/json"}, 413),
    ],
)
def test_a_wrong_request_is_refused_and_asks_for_nothing(served: Served, given: dict[str, Any], status: int):
    assert served.post(**given).status_code == status
    assert served.store.records == {}


def test_a_store_that_is_down_is_503_and_says_when_to_come_back(served: Served):
    served.store.down = True
    answer = served.post()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


def test_a_store_that_somebody_else_is_writing_for_long_is_503_too(unsynced: Settings):
    client = as_admin(create_app(unsynced, door=FakeDoor()).test_client())
    with WriterLock(unsynced.data / "aisle.db").held():
        answer = client.post("/sources/lumen/sync")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert client.post("/sources/lumen/sync").status_code == 202
