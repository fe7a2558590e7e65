"""`make run`, as a person meets it: it starts, says where it is, and leaves nothing behind however it ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psutil
import pytest

from sample.demo import LOOPBACK, ROOT
from sample.processes import find_free_port
from test.e2e.stack import NGINX, NO_NGINX, fetch, is_gone, stop_and_wait, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]
with_nginx = pytest.param("nginx", marks=pytest.mark.skipif(NGINX is None, reason=NO_NGINX))


@dataclass(frozen=True)
class Demo:
    """A launcher that has printed its banner."""

    port: int
    process: subprocess.Popen[str]
    output: Path
    children: list[psutil.Process]

    def kill_child(self, text: str) -> None:
        """Kills the first child whose command line holds the text."""
        next(child for child in self.children if text in " ".join(child.cmdline())).kill()

    def are_children_gone(self) -> bool:
        return all(is_gone(child) for child in self.children)


def make_environment(data: Path, port: int, nginx: str) -> dict[str, str]:
    return dict(os.environ) | {"PORT": str(port), "AISLE_DATA": str(data), "AISLE_NGINX": nginx}


@contextmanager
def run_demo(data: Path, nginx: str) -> Iterator[Demo]:
    port, output = find_free_port(LOOPBACK), data / "output"
    with output.open("w") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "sample.demo"],
            cwd=ROOT,
            env=make_environment(data, port, nginx),
            stdout=sink,
            stderr=subprocess.STDOUT,
            text=True,
        )
    try:
        wait_for("the banner", lambda: "stop   Ctrl-C" in output.read_text() or process.poll() is not None)
        assert process.poll() is None, output.read_text()
        yield Demo(port, process, output, psutil.Process(process.pid).children(recursive=True))
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(30)


@pytest.mark.parametrize("nginx", [with_nginx, "none"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_runs_as_its_banner_says_and_leaves_nothing(tmp_path: Path, nginx: str, number: signal.Signals) -> None:
    with run_demo(tmp_path, nginx) as demo:
        banner = demo.output.read_text()
        url = re.search(r"curl '(.+)'", banner)
        assert url
        parts = urlsplit(url[1])
        assert parts.port == demo.port
        assert fetch(demo.port, f"{parts.path}?{parts.query}").json["data"]
        assert fetch(demo.port, "/docs").status == 200
        assert ("no Nginx found" in banner) == (nginx == "none")
        assert len(demo.children) >= 7  # the shops, the watcher, uWSGI and its four workers
        assert stop_and_wait(demo.process, number) == 0
        assert demo.are_children_gone()


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "sample.demo"],
            cwd=ROOT,
            env=make_environment(tmp_path, port, "none"),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert done.returncode == 1
    assert f"Port {port}" in done.stdout
    assert "PORT=" in done.stdout
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("text", "name"), [("uWSGI master", "uwsgi"), ("sample serve", "shops"), ("sync --watch", "watcher")])
def test_a_dead_part_is_named_and_ends_the_rest(tmp_path: Path, text: str, name: str) -> None:
    with run_demo(tmp_path, "none") as demo:
        demo.kill_child(text)
        assert demo.process.wait(20) == 1
        assert f"{name} was killed by SIGKILL" in demo.output.read_text()
        assert demo.are_children_gone()


def test_nothing_outlives_a_killed_launcher(tmp_path: Path) -> None:
    with run_demo(tmp_path, "nginx" if NGINX else "none") as demo:
        demo.process.kill()
        wait_for("the end of all children", demo.are_children_gone, 40)
