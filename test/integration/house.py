"""An application behind its real door: accounts, keys and tokens in a data folder, by a clock that moves when it is told to."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from main.app import create_app
from main.bootstrap_doors import build_accounts, build_machines
from main.service.model import HashRules, Role
from main.settings.model import Auth, Limits
from test.fakes import PASSWORD, FakeClock, MemoryTasks, make_task
from test.unit.controller.guarded import PAGE, example_of_body

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from werkzeug.test import TestResponse

    from main.settings import Settings

CHEAP = HashRules(memory=64 * 1024, time=1)
OVER = 16 * 60  # seconds, after which an access token is over


class House:
    """Real accounts, one of each role, over a copy of a synced catalogue; closed to everybody else."""

    def __init__(self, settings: Settings, data: Path, **auth: Any) -> None:
        with closing(sqlite3.connect(settings.data / "aisle.db")) as kept, closing(sqlite3.connect(data / "aisle.db")) as copy:
            kept.backup(copy)
        self.clock = FakeClock()
        self.settings = replace(settings, data=data, auth=Auth(argon2=CHEAP, **auth), limits=Limits(None, None))
        built = build_accounts(self.settings, clock=self.clock)
        built.lifecycle.open()
        for name, role in {"ada": Role.ADMIN, **{role.value: role for role in Role}}.items():
            built.accounts.add(name, PASSWORD, role)
        built.lifecycle.close()
        self.tasks = MemoryTasks()
        self.app = create_app(self.settings, clock=self.clock, tasks=self.tasks)
        self.document = self.ask("GET", "/swagger.json").json
        reading = self.enter("reader", "header")
        self.filled = {
            "{product_id}": self.ask("GET", "/products", headers=reading).json["data"][0]["id"],
            "{name}": "lumen",
            "{task_id}": "1",
            "{number}": str(self.syncs(reading)["data"][0]["id"]),
        }

    def ask(self, method: str, url: str, **given: Any) -> TestResponse:
        """The answer to a client that keeps no cookies."""
        return self.app.test_client(use_cookies=False).open(url, method=method, **given)

    def syncs(self, headers: dict[str, str]) -> Any:
        """The syncs of a source."""
        return self.ask("GET", "/sources/lumen/syncs", headers=headers).json

    def operations(self) -> Iterator[tuple[str, str, str, Any]]:
        """Every operation of the document, HEAD included: path, method, role, body."""
        for path, item in self.document["paths"].items():
            for method, operation in item.items():
                if method != "parameters":
                    yield path, method, operation["x-role"], example_of_body(self.document, operation)
                if method == "get":
                    yield path, "head", operation["x-role"], None

    def send(self, path: str, method: str, body: Any, headers: dict[str, str]) -> TestResponse:
        """The answer to an operation, before a board with one task."""
        self.tasks.reset()
        self.tasks.add(make_task("Mend"))
        seen = {} if method in {"get", "head"} else {"If-Match": "*"}
        for part, value in self.filled.items():
            path = path.replace(part, value)
        if path == "/auth/refresh":  # the document's example is nobody's
            body = {"refresh_token": self.login("ada")["refresh_token"]}
        if (path, method) == (
            "/tasks",
            "delete",
        ):  # without a title all would go, which takes another role than the document can say
            path = f"{path}?title=Mend"
        return self.ask(method.upper(), path, headers={**seen, **headers}, **({} if body is None else {"json": body}))

    def login(self, name: str) -> Any:
        """What a login gives."""
        return self.ask("POST", "/auth", json={"username": name, "password": PASSWORD}).json

    def enter(self, who: str | None, way: str) -> dict[str, str]:
        """What a caller sends to say who it is: nobody, a role, or an admin whose time is over or who was sent away."""
        if who is None:
            return {}
        role = who if who in set(Role) else "admin"
        if way == "key":
            return {"X-API-Key": self._issue(Role(role), who)}
        if who == "expired":
            self.clock.advance(-OVER)
        given = self.login(role)
        if who == "expired":
            self.clock.advance(OVER)
        bearer = {"Authorization": f"Bearer {given['access_token']}"}
        if who == "revoked":
            assert self.ask("DELETE", "/auth", headers=bearer).status_code == 200
        return (
            bearer
            if way == "header"
            else {"Cookie": f"token={given['access_token']}", **PAGE, "X-CSRF-Token": given["csrf_token"]}
        )

    def _issue(self, role: Role, who: str) -> str:
        with build_machines(self.settings, self.clock) as machines:
            key, text = machines.issue("till", role, dt.timedelta(seconds=-1 if who == "expired" else OVER))
            if who == "revoked":
                machines.revoke(key.id)
        return text
