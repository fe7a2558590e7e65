"""Raw shops below a real uWSGI of four workers with four threads each: what the proofs of live looks start from.

    with serve(folder, {"good": shop, "odd": other}, live={"fresh": "100ms"}) as aisle:
        aisle.ask("/products?live=true&sort=name")     # an Answer
        aisle.look("odd", 3, deadline_ms=300)          # one product live: an Answer
        aisle.switch("odd", breaker="closed")          # PATCH /sources/odd
        aisle.guard("odd")                             # GET /sources/odd, its guard
        aisle.peaks()                                  # per worker, since aisle.settle()

All shops sell ``Raw thing 1`` and so on, so a page by name holds the same thing of every shop.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import yaml

from main.bootstrap import build_sync
from main.bootstrap_doors import build_machines
from main.service.model import Role
from main.settings import load_settings
from sample.plan import BIN, ROOT
from sample.ports import LOOPBACK
from sample.processes import Family, answers, find_free_port
from test.e2e.stack import Answer, fetch, is_gone, wait_for
from test.faults.sampler import Sample, look

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from main.service.model import Outcome
    from test.faults.rawshop import RawShop

WORKERS = 4
THREADS = 4
KIB = 1024
PATIENT_MS = 5000  # the longest that may be asked for: nobody waits for so long where something is known, or a timeout ends it
# Answers are forgotten at once, so that each look is really made; a page asked for again a second later has no old figures either.
FORGETFUL = {"fresh": "100ms", "revalidate": "100ms", "max_stale": "1s"}
_OPEN = {"auth": {"anonymous": "reader"}, "limits": {"api": "off"}}


@dataclass(frozen=True)
class Aisle:
    """A running service over raw shops."""

    port: int
    folder: Path
    family: Family
    env: Mapping[str, str]
    key: str  # an admin's

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int:
        return self.family.children[0].process.pid

    @property
    def workers(self) -> list[psutil.Process]:
        """The living workers; those whose application is still being loaded are named otherwise."""
        found = psutil.Process(self.pid).children()
        return [one for one in found if not is_gone(one) and "uWSGI worker" in " ".join(one.cmdline())]

    @property
    def is_complete(self) -> bool:
        """Whether all workers serve: the last thing before that is to make their threads, which takes seconds on a busy machine."""
        loaded = self.log.count("(default app)")
        ready = sum(worker.num_threads() >= THREADS for worker in self.workers)
        return ready == WORKERS and loaded >= (WORKERS if "lazy" in self.log else 1)

    @property
    def log(self) -> str:
        return (self.folder / "uwsgi.log").read_text()

    def ask(self, path: str, method: str = "GET", headers: Mapping[str, str] | None = None, body: Any = None) -> Answer:
        """The answer to a reader, who needs no login here, or to the admin where something is changed."""
        data = None if body is None else json.dumps(body).encode()
        kind = {} if data is None else {"Content-Type": "application/json"}
        login = {} if method == "GET" else {"X-API-Key": self.key}
        return fetch(self.port, path, method, {**kind, **login, **(headers or {})}, data)

    def look(self, source: str, number: int = 1, deadline_ms: int = PATIENT_MS, more: str = "") -> Answer:
        return self.ask(f"/products/{source}:{number}?live=true&deadline_ms={deadline_ms}{more}")

    def switch(self, source: str, **change: Any) -> Any:
        answer = self.ask(f"/sources/{source}", "PATCH", {"If-Match": "*"}, body=change)
        assert answer.status == 200, answer.body
        return answer.json

    def guard(self, source: str) -> Any:
        return self.ask(f"/sources/{source}").json["guard"]

    def count(self) -> dict[int, Sample]:
        """What each worker holds on to."""
        counted = {worker.pid: look(worker, None) for worker in self.workers}
        return {pid: one for pid, one in counted.items() if one is not None}

    def readers(self) -> dict[int, int]:
        """How many of each worker's descriptors are its readers' of the store: two a reader, which stays for the next request that reads."""
        opened = {worker.pid: [Path(file.path).name for file in worker.open_files()] for worker in self.workers}
        return {pid: sum(name in {"aisle.db", "aisle.db-wal"} for name in names) for pid, names in opened.items()}

    def settle(self) -> dict[int, int]:
        """Each worker's memory now, in KiB, from which its peak counts."""
        for worker in self.workers:
            Path(f"/proc/{worker.pid}/clear_refs").write_text("5")
        return {worker.pid: read_status(worker.pid, "VmRSS") for worker in self.workers}

    def peaks(self) -> dict[int, int]:
        """The most memory each worker has had since, in KiB."""
        return {worker.pid: read_status(worker.pid, "VmHWM") for worker in self.workers}


def read_status(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1])


@contextmanager
def serve(folder: Path, shops: Mapping[str, RawShop | str], **more: Any) -> Iterator[Aisle]:
    """Sync these shops (or URLs) once, then serve them. ``options`` go to a source, ``env`` and ``ini`` to uWSGI, the rest into config.yml."""
    options, extra, ini = more.pop("options", {}), more.pop("env", {}), more.pop("ini", ROOT / "uwsgi.ini")
    # Over TCP straight to the workers: the kernel shares connections out among them.
    port = find_free_port(LOOPBACK)
    env = write_settings(folder, shops, options, more)
    sync(env)
    family = Family(folder)
    command = [str(BIN / "uwsgi"), "--ini", str(ini), "--http11-socket", f"{LOOPBACK}:{port}"]
    try:
        family.start("uwsgi", command, {**env, **extra})
        aisle = Aisle(port, folder, family, env, issue_key(env))
        family.wait_until("uWSGI", lambda: answers(LOOPBACK, port, "/health"))
        wait_for("four workers", lambda: aisle.is_complete)
        yield aisle
    finally:
        family.stop()


def write_settings(
    folder: Path, shops: Mapping[str, RawShop | str], options: Mapping[str, Any], more: Mapping[str, Any]
) -> dict[str, str]:
    sources = [
        {
            "name": name,
            "kind": "dummyjson",
            "url": shop if isinstance(shop, str) else shop.url,
            "currency": "EUR",
            "every": "1h",
        }
        | {"timeout": "4s", **options.get("*", {}), **options.get(name, {})}
        for name, shop in shops.items()
    ]
    config = folder / "config.yml"
    config.write_text(yaml.safe_dump({**_OPEN, "logger": {"kind": "json"}, "sources": sources, **more}))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AISLE_", "C8Y_"))}
    path = f"{BIN}{os.pathsep}{kept.get('PATH', os.defpath)}"
    return kept | {"PATH": path, "AISLE_CONFIG": str(config), "AISLE_DATA": str(folder / "data"), "PYTHONUNBUFFERED": "1"}


def issue_key(env: Mapping[str, str]) -> str:
    """An admin's key."""
    with build_machines(load_settings(dict(env))) as machines:
        return machines.issue("tests", Role.ADMIN, None)[1]


def sync(env: Mapping[str, str]) -> list[Outcome]:
    """One sync of every source, in this process."""
    built = build_sync(load_settings(dict(env)))
    built.lifecycle.open()
    try:
        return [report.outcome for report in built.sync.sync_all(load_settings(dict(env)).sources)]
    finally:
        built.lifecycle.close()


def strictly(body: bytes) -> Any:
    """What a strict reader makes of an answer: RFC 8259, no NaN, no lone surrogate, no key twice."""

    def refuse(text: str) -> None:
        raise AssertionError(f"{text} is no JSON")

    def once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        assert len({name for name, _ in pairs}) == len(pairs), f"twice: {pairs}"
        return dict(pairs)

    found = json.loads(body.decode(), parse_constant=refuse, object_pairs_hook=once)
    json.dumps(found, ensure_ascii=False).encode()
    return found


def states(answer: Answer, source: str) -> list[str]:
    """How far each of a source's products on a page is confirmed."""
    return [product["freshness"]["state"] for product in strictly(answer.body)["data"] if product["source"] == source]
