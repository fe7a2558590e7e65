"""config.yml changed, and broken, below a service that runs: Nginx, uWSGI's workers and the watcher, with real signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING

import pytest

from sample.plan import ROOT
from sample.shops import SHOP_NAMES
from test.conftest import write_config
from test.e2e.stack import NGINX, NO_NGINX, Stack, run_stack, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(NGINX is None, reason=NO_NGINX), pytest.mark.timeout(240)]

ALL = {"lumen", "depot", "parts"}
NONSENSE = "sources: [{name: lumen, kind: shopify, uri: 'https://nowhere.example'}]\nmore: true\n"


class Installed:
    """A chain whose config.yml is there to be edited."""

    def __init__(self, stack: Stack, config: Path) -> None:
        self.stack = stack
        self.config = config
        self.good = config.read_text()

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        env = self.stack.plan.make_environment()
        command = [sys.executable, "-m", "main", *arguments]
        return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False)

    def drop(self, name: str) -> str:
        """The good file without one of its sources, each of which begins with its name."""
        head, *sources = self.good.split("\n  - ")
        return "\n  - ".join([head, *(source for source in sources if f"name: {name}" not in source)])

    def names(self) -> set[str]:
        return {source["name"] for source in self.stack.fetch("/sources").json["data"]}

    def all_say(self, names: set[str]) -> bool:
        """Whether every one of many answers, given at once so that all workers are asked, has these sources."""
        with ThreadPoolExecutor(8) as clients:
            return all(found == names for found in clients.map(lambda _: self.names(), range(40)))

    @contextmanager
    def asked_all_the_time(self) -> Iterator[Counter[int]]:
        """What a few clients are answered meanwhile."""
        over, statuses = Event(), Counter[int]()

        def ask_on() -> None:
            while not over.is_set():
                statuses[self.stack.fetch("/sources").status] += 1

        with ThreadPoolExecutor(4) as clients:
            asked = [clients.submit(ask_on) for _ in range(4)]
            try:
                yield statuses
            finally:
                over.set()
        for each in asked:
            each.result()

    def replace_workers(self, act: Callable[[], object]) -> None:
        """Do what replaces workers, and return when those that are new have loaded the application."""
        before = {worker.pid for worker in self.stack.find_workers()}
        act()
        gone = lambda: before - {worker.pid for worker in self.stack.find_workers()}  # noqa: E731
        wait_for("new workers", lambda: gone() and self.stack.has_all_workers())


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    folder = tmp_path_factory.mktemp("reload")
    config = write_config(folder, "SHOPS")
    text = config.read_text()
    for shop in SHOP_NAMES:
        text = text.replace(f"SHOPS/{shop}", f"${{SAMPLE_{shop.upper()}}}/{shop}")
    config.write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "AISLE_CONFIG", str(config))
        with run_stack(folder / "data", NGINX) as stack:
            wait_for("four workers", stack.has_all_workers)
            yield Installed(stack, config)


@pytest.fixture(autouse=True)
def good_again(installed: Installed) -> Iterator[None]:
    yield
    installed.config.write_text(installed.good)
    assert installed.call("reload").returncode == 0
    wait_for("the sources there were", lambda: installed.all_say(ALL))


def test_every_worker_has_the_changed_sources_within_moments(installed: Installed) -> None:
    assert installed.all_say(ALL)
    pids = {worker.pid for worker in installed.stack.find_workers()}
    installed.config.write_text(installed.drop("depot"))
    with installed.asked_all_the_time() as statuses:
        done = installed.call("reload")
        time.sleep(2)
        assert installed.all_say(ALL - {"depot"})
    assert done.returncode == 0
    assert "Since it was last taken: removed depot." in done.stdout
    assert set(statuses) == {200}
    assert "depot" not in str(installed.stack.fetch("/swagger.json").json["paths"]["/products"]["get"]["parameters"])
    assert installed.stack.fetch("/products?source=depot").status == 422
    assert installed.stack.fetch("/sources/depot").status == 404
    assert {worker.pid for worker in installed.stack.find_workers()} == pids


def test_workers_that_were_idle_meanwhile_follow_with_their_first_requests(installed: Installed) -> None:
    assert installed.all_say(ALL)
    time.sleep(1.5)  # longer than the time for which a worker does not look
    installed.config.write_text(installed.drop("parts"))
    assert installed.call("reload").returncode == 0
    wait_for("the new sources everywhere", lambda: installed.all_say(ALL - {"parts"}), seconds=10)


def test_a_faulty_file_changes_nothing_whatever_happens_to_the_workers(installed: Installed) -> None:
    fifo = installed.stack.plan.run / "uwsgi.fifo"
    master = installed.stack._uwsgi.process  # the test is about its signals
    installed.config.write_text(NONSENSE)
    refused = installed.call("reload")
    assert refused.returncode == 1
    places = ["more", "sources[0].uri (source lumen)", "sources[0].url (source lumen)"]
    assert [line.partition(":")[0] for line in refused.stderr.splitlines()] == places
    with installed.asked_all_the_time() as statuses:
        installed.replace_workers(installed.stack.find_workers()[0].kill)
        installed.replace_workers(lambda: fifo.write_text("c"))
        wait_for("the chain's end", lambda: "chain reloading complete" in installed.stack.read_uwsgi_log())
        installed.replace_workers(lambda: master.send_signal(signal.SIGHUP))
        assert installed.all_say(ALL)
    assert set(statuses) == {200}, statuses
    assert master.poll() is None
    log = installed.stack.read_uwsgi_log()
    assert '"settings.faulty"' in log
    assert "sources[0].uri (source lumen): unknown key" in log
    installed.config.write_text(installed.drop("lumen"))
    assert installed.call("reload").returncode == 0
    wait_for("the mended file", lambda: installed.all_say(ALL - {"lumen"}), seconds=10)


def test_a_worker_that_starts_on_a_newer_file_has_the_others_follow(installed: Installed) -> None:
    installed.config.write_text(installed.drop("depot"))
    installed.replace_workers(installed.stack.find_workers()[0].kill)
    wait_for("the same everywhere", lambda: installed.all_say(ALL - {"depot"}), seconds=10)


def test_a_server_that_is_started_anew_refuses_a_faulty_file(installed: Installed) -> None:
    with installed.stack.without_uwsgi():
        installed.config.write_text(NONSENSE)
        env = {**installed.stack.plan.make_environment(), "AISLE_HTTP": "127.0.0.1:0"}
        command = ["uwsgi", "--ini", str(ROOT / "uwsgi.ini")]
        try:
            ended = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False)
        finally:
            installed.config.write_text(installed.good)
    assert ended.returncode != 0
    assert "Aisle cannot start:\nmore: unknown key" in ended.stderr + ended.stdout
