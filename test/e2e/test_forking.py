"""What a server's first process holds when it forks its workers: nothing that two processes must not share."""

from __future__ import annotations

import re
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from sample.plan import BIN, ROOT
from sample.ports import LOOPBACK
from sample.processes import answers, find_free_port
from test.e2e.stack import fetch, wait_for
from test.integration.processes import Installation

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

PATHS = ["/products", "/products?q=lamp", "/products/good:1", "/sources/nope", "/swagger.json", "/health"]
KINDS = ["uwsgi", "uwsgi preloaded", "gunicorn", "gunicorn preloaded"]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    folder = tmp_path_factory.mktemp("forking")
    (folder / "feed.csv").write_text("id,name,price\n1,Lamp,9.99\n2,Chair,19.99\n")
    source = {"name": "good", "kind": "feed", "url": f"file://{folder}/feed.csv", "currency": "EUR"}
    found = Installation(folder, source)
    assert found.run("sync").returncode == 0
    return found


def command(kind: str, folder: Path, port: int) -> list[str]:
    server, _, preloaded = kind.partition(" ")
    if server == "gunicorn":
        # Its control socket has a thread of its own in the first process, whatever it serves.
        given = [
            "--no-control-socket",
            f"--bind={LOOPBACK}:{port}",
            "--workers=2",
            "--threads=2",
            *(["--preload"] if preloaded else []),
        ]
        return [str(BIN / "gunicorn"), "main.wsgi:app", *given]
    text = (ROOT / "uwsgi.ini").read_text().replace("chdir = %d", f"chdir = {ROOT}")
    changed = re.sub("^lazy-apps = true$", "lazy-apps = false", text, flags=re.MULTILINE) if preloaded else text
    assert (changed != text) == bool(preloaded)
    (folder / "uwsgi.ini").write_text(changed)
    return [str(BIN / "uwsgi"), "--ini", str(folder / "uwsgi.ini")]


@contextmanager
def serving(kind: str, installation: Installation) -> Iterator[tuple[psutil.Process, int]]:
    port = find_free_port(LOOPBACK)
    env = {**installation.full_environ, "AISLE_HTTP": f"{LOOPBACK}:{port}", "AISLE_WORKERS": "2"}
    with (installation.folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command(kind, installation.folder, port), cwd=ROOT, env=env, stdout=log, stderr=log)
    try:
        wait_for("an answer", lambda: process.poll() is not None or answers(LOOPBACK, port, "/health"))
        yield psutil.Process(process.pid), port
    finally:
        process.terminate()
        process.wait(40)


def open_files(master: psutil.Process) -> list[str]:
    return [str(path.readlink()) for path in Path(f"/proc/{master.pid}/fd").iterdir()]


def ask_everything(port: int) -> dict[str, Any]:
    changing = re.compile(rb'"(request_id|age_s)":("[^"]*"|\d+)')
    found = {path: fetch(port, path) for path in PATHS}
    # Each server listens on a port of its own, which links spell out.
    return {path: (a.status, changing.sub(b"", a.body).replace(str(port).encode(), b"PORT")) for path, a in found.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_process_has_one_thread_and_nothing_of_the_stores_or_shops_open(
    kind: str, installation: Installation
) -> None:
    with serving(kind, installation) as (master, port):
        assert fetch(port, "/products").status == 200
        assert master.num_threads() == 1
        assert [name for name in open_files(master) if str(installation.folder / "data") in name] == []
        assert [found for found in master.net_connections("inet") if found.status != psutil.CONN_LISTEN] == []


def test_all_ways_serve_the_same(installation: Installation) -> None:
    found = {}
    for kind in KINDS:
        with serving(kind, installation) as (_, port):
            found[kind] = ask_everything(port)
    assert {status for status, _ in found["uwsgi"].values()} == {200, 404}
    for kind in KINDS:
        assert found[kind] == found["uwsgi"], kind


@pytest.mark.parametrize("kind", ["uwsgi", "gunicorn"])
def test_a_first_start_on_a_faulty_file_ends_at_once_and_says_why(kind: str, tmp_path: Path) -> None:
    faulty = Installation(tmp_path, more=True)
    env = {**faulty.full_environ, "AISLE_HTTP": f"{LOOPBACK}:{find_free_port(LOOPBACK)}"}
    ended = subprocess.run(
        command(kind, tmp_path, find_free_port(LOOPBACK)),
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode != 0
    assert "Aisle cannot start:\nmore: unknown key" in ended.stderr
