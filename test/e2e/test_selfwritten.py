"""A record that a shop sends wrong, and mends, as an editor lives it: all that anybody asks for is a sync."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from test.e2e.stack import NGINX, NO_NGINX, Stack, run_stack, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(NGINX is None, reason=NO_NGINX), pytest.mark.timeout(240)]

PASSWORD = "violet anvils sing of {} at noon"
# The record of each sample shop that `behave SHOP invalid` spoils.
RECORDS = {"lumen": "7800100000002", "depot": "4102", "parts": "PX-1002"}


class Room:
    """The chain with its watcher, a person of each role, and what they may ask for."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.headers = {role: self._enter(role) for role in ("reader", "editor", "admin")}

    def _enter(self, role: str) -> dict[str, str]:
        password = PASSWORD.format(role)
        self.stack.run_command("users", "add", f"some-{role}", "--role", role, "--password-stdin", given=password)
        answer = self.stack.send_json("/auth", {"username": f"some-{role}", "password": password})
        return {"Authorization": f"Bearer {answer.json['access_token']}"}

    def sync(self, shop: str) -> None:
        """Have the watcher sync a shop once, and return when it has ended well."""
        asked = self.stack.send_json(f"/sources/{shop}/sync", {}, self.headers["admin"])
        assert asked.status == 202, asked.body
        path = asked.headers["location"]

        def has_ended() -> bool:
            state = self.read(path)["state"]
            assert state in {"requested", "running", "ok"}, state
            return bool(state == "ok")

        wait_for(f"a sync of {shop}", has_ended)

    def read(self, path: str) -> Any:
        answer = self.stack.fetch(path, headers=self.headers["reader"])
        assert answer.status == 200, answer.body
        return answer.json

    def tasks(self, shop: str) -> list[dict[str, Any]]:
        """What the board has about a shop's record."""
        found: list[dict[str, Any]] = self.read(f"/tasks?kind=quarantine&product={shop}:{RECORDS[shop]}")["data"]
        return found

    def wait_until_it_is(self, shop: str, status: str) -> dict[str, Any]:
        """The shop's one task, once it has a status; the board follows a moment after the sync's own record."""
        wait_for(f"{shop}'s task being {status}", lambda: [task["status"] for task in self.tasks(shop)] == [status], seconds=20)
        [task] = self.tasks(shop)
        whole: dict[str, Any] = self.read(f"/tasks/{task['id']}")
        return whole


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    # The schedule is out of the way, so that each sync is one that somebody has asked for.
    hourly = {f"AISLE_SOURCES__{shop.upper()}__EVERY": "1h" for shop in RECORDS}
    with run_stack(tmp_path_factory.mktemp("room"), NGINX, watch=True, **hourly) as stack:
        yield Room(stack)


@pytest.fixture(autouse=True)
def well_again(room: Room) -> Iterator[None]:
    yield
    for shop in RECORDS:
        room.stack.behave(shop, "well")


@pytest.mark.parametrize("shop", RECORDS)
def test_a_wrong_record_is_a_task_until_the_shop_mends_it_and_again_when_it_is_back(room: Room, shop: str) -> None:
    assert room.tasks(shop) == []
    room.stack.behave(shop, "invalid")
    room.sync(shop)
    made = room.wait_until_it_is(shop, "open")
    assert (made["created_by"], made["version"], made["history"]) == ("aisle", 1, [])
    rejected = room.read(f"/sources/{shop}/quarantine")["data"]
    assert RECORDS[shop] in {record["record_id"] for record in rejected}
    assert made["title"].startswith(f"{shop}: record {RECORDS[shop]} is no valid product")

    room.stack.behave(shop, "well")
    room.sync(shop)
    closed = room.wait_until_it_is(shop, "done")
    [step] = closed["history"]
    assert (step["by"], step["reason"]) == ("aisle", "What it is about is no longer found.")
    assert {change["field"]: change["after"] for change in step["changes"]} == {"status": "done", "resolution": "fixed"}
    assert room.read(f"/products/{shop}:{RECORDS[shop]}")["source"] == shop

    room.stack.behave(shop, "invalid")
    room.sync(shop)
    again = room.wait_until_it_is(shop, "open")
    assert again["id"] == made["id"]
    assert [step["by"] for step in again["history"]] == ["aisle", "aisle"]

    room.stack.behave(shop, "well")
    room.sync(shop)
    room.wait_until_it_is(shop, "done")


def test_what_an_editor_will_not_fix_stays_closed(room: Room) -> None:
    room.stack.behave("depot", "invalid")
    room.sync("depot")
    task = room.wait_until_it_is("depot", "open")
    headers = {**room.headers["editor"], "If-Match": f'"{task["version"]}"', "Content-Type": "application/json"}
    refused = b'{"status": "done", "resolution": "wont_fix"}'
    assert room.stack.fetch(f"/tasks/{task['id']}", "PATCH", headers, refused).status == 200
    closed = room.wait_until_it_is("depot", "done")
    for behaviour in ("well", "invalid"):
        room.stack.behave("depot", behaviour)
        room.sync("depot")
        room.sync("depot")  # it begins when the board has followed the one before
        assert room.read(f"/tasks/{task['id']}") == closed, behaviour
    assert len(room.tasks("depot")) == 1


def test_nobody_but_the_rules_has_written_on_the_board(room: Room) -> None:
    assert {task["created_by"] for task in room.read("/tasks?per_page=100")["data"]} <= {"aisle"}
