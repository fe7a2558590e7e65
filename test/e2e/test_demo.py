"""`make run`, as a person meets it: it starts, says where it is, and leaves nothing behind however it ends."""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psutil
import pytest

from sample.plan import ROOT, choose_shop_ports
from sample.ports import LOOPBACK, SHOP_PORTS
from sample.processes import answers, find_free_port, show_command
from test.e2e.certificates import make_tls
from test.e2e.stack import NGINX, NO_NGINX, fetch, is_gone, stop_and_wait, wait_for
from test.faults.frozen import freeze

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]
with_nginx = pytest.param("nginx", marks=pytest.mark.skipif(NGINX is None, reason=NO_NGINX))


@dataclass(frozen=True)
class Demo:
    """A launcher that has printed its banner."""

    port: int
    process: subprocess.Popen[str]
    output: Path
    children: list[psutil.Process]

    def find_child(self, text: str) -> psutil.Process:
        """The first child whose command line holds the text."""
        return next(child for child in self.children if text in " ".join(child.cmdline()))

    def list_products(self, query: str = "") -> dict[str, Any]:
        """The list as the front answers it."""
        return fetch(self.port, f"/products?{query}").json

    def are_children_gone(self) -> bool:
        return all(is_gone(child) for child in self.children)


def make_environment(data: Path, port: int, nginx: str) -> dict[str, str]:
    return dict(os.environ) | {"PORT": str(port), "AISLE_DATA": str(data), "AISLE_NGINX": nginx}


@contextmanager
def run_demo(data: Path, nginx: str, **environ: str) -> Iterator[Demo]:
    port, output = find_free_port(LOOPBACK), data / "output"
    with output.open("w") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "sample.demo"],
            cwd=ROOT,
            env=make_environment(data, port, nginx) | environ,
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
        assert "login  not needed to read, as this is a demo (AISLE_AUTH__ANONYMOUS=reader)" in banner
        assert read_role(demo.port, banner) == "admin"
        assert len(demo.children) >= 9  # three shops, the watcher, uWSGI and its four workers
        assert stop_and_wait(demo.process, number) == 0
        assert demo.are_children_gone()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_where_reading_needs_a_login_the_banners_commands_make_one_and_use_it(tmp_path: Path) -> None:
    with run_demo(tmp_path, "none", AISLE_AUTH__ANONYMOUS="none") as demo:
        banner = demo.output.read_text()
        assert fetch(demo.port, "/products").status == 401
        login, *questions = re.findall(r"curl .+?(?=;|\n|$)", banner)
        password = (tmp_path / "first-admin-password").read_text().strip()
        assert "access_token" in run_line(login.replace("...", password), tmp_path)
        asked = [run_line(question, tmp_path) for question in questions if "-b aisle.cookies" in question]
        assert ["data" in asked[0], "data" in asked[1], json.loads(asked[2])["name"]] == [True, True, "depot"]


@pytest.mark.skipif(NGINX is None, reason=NO_NGINX)
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_with_a_certificate_the_banner_leads_to_https_and_its_commands_log_in_there(tmp_path: Path) -> None:
    tls = make_tls(tmp_path)
    named = {"AISLE_TLS_CERT": str(tls.certificate), "AISLE_TLS_KEY": str(tls.key), "TLS_PORT": str(tls.port)}
    with run_demo(tmp_path, "nginx", AISLE_AUTH__ANONYMOUS="none", **named) as demo:
        banner = demo.output.read_text()
        assert f"Aisle is running at https://{LOOPBACK}:{tls.port}\n" in banner
        assert f"plain  http://{LOOPBACK}:{demo.port} leads there" in banner
        login, *questions = re.findall(r"curl .+?(?=;|\n|$)", banner)
        password = (tmp_path / "first-admin-password").read_text().strip()
        assert "access_token" in run_line(login.replace("...", password), tmp_path)
        assert "__Host-token" in (tmp_path / "aisle.cookies").read_text()
        assert "data" in json.loads(run_line(next(each for each in questions if "-b aisle.cookies" in each), tmp_path))


def read_role(port: int, banner: str) -> str:
    """The role of whoever logs in as the banner says."""
    named = re.search(r"log in as (\w+); the password is in (.+);", banner)
    assert named
    login = {"username": named[1], "password": Path(named[2]).read_text().strip()}
    told = fetch(port, "/auth", "POST", {"Content-Type": "application/json"}, json.dumps(login).encode()).json
    role: str = fetch(port, "/auth/me", headers={"Authorization": f"Bearer {told['access_token']}"}).json["role"]
    return role


def test_a_terminal_shows_the_first_password_itself_and_only_once(tmp_path: Path) -> None:
    (tmp_path / "first-admin-password").write_text("a-password-that-was-made\n")
    show = "import sys; from pathlib import Path; from sample.banner import describe_first_admin; from sample.plan import Plan; print(describe_first_admin(Plan(Path(sys.argv[1]), '', 1, {}, None)))"
    ours, theirs = pty.openpty()
    for _ in range(2):
        subprocess.run([sys.executable, "-c", show, str(tmp_path)], cwd=ROOT, stdout=theirs, timeout=30, check=True)
    os.close(theirs)
    first, second, *_ = os.read(ours, 10_000).decode().splitlines()
    os.close(ours)
    change = f"for another one: AISLE_DATA={tmp_path} {show_command([sys.executable])} -m main users passwd admin"
    assert first == f"log in as admin with a-password-that-was-made (shown only now); {change}"
    assert second == f"log in as admin with the password you know; {change}"


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


@pytest.mark.parametrize(("text", "name"), [("uWSGI master", "uwsgi"), ("sync --watch", "watcher")])
def test_a_dead_part_is_named_and_ends_the_rest(tmp_path: Path, text: str, name: str) -> None:
    with run_demo(tmp_path, "none") as demo:
        demo.find_child(text).kill()
        assert demo.process.wait(20) == 1
        assert f"{name} was killed by SIGKILL" in demo.output.read_text()
        assert demo.are_children_gone()


def test_a_shop_can_be_stopped_throttled_and_frozen_as_the_banner_says_while_the_list_stays_as_it_is(tmp_path: Path) -> None:
    with run_demo(tmp_path, "none") as demo:
        banner = demo.output.read_text()
        before = demo.list_products()["data"]
        depot, parts = demo.find_child("--shop depot"), demo.find_child("--shop parts")

        throttle = re.search(r"throttle +(\S+ -m sample behave depot throttle.*), and", banner)
        assert throttle
        assert run_line(throttle[1]) == "depot: throttle (30 s): answers 429 with a Retry-After of so many seconds\n"
        curl = re.search(r"or (curl -d .+)", banner)
        assert curl
        assert '"fault":"throttle"' in run_line(curl[1])
        assert demo.list_products()["data"] == before

        stop = re.search(r"kill (\d+), and (.+ serve .+)", banner)
        assert stop
        assert int(stop[1]) == depot.pid
        depot.terminate()
        wait_for("the word", lambda: "depot ended with code 0; the lists go on. Start it again: " in demo.output.read_text())
        assert stop[2] in demo.output.read_text()
        freeze(parts.pid)
        assert demo.list_products()["data"] == before
        assert demo.process.poll() is None

        started = subprocess.Popen(shlex.split(stop[2]), cwd=ROOT, stdout=subprocess.DEVNULL)
        try:
            port = int(stop[2].split()[-1])
            wait_for("the shop", lambda: answers(LOOPBACK, port, "/"))
        finally:
            assert stop_and_wait(started, signal.SIGTERM) == 0
        assert stop_and_wait(demo.process, signal.SIGTERM, 12) == 0  # though one shop is frozen
        assert demo.are_children_gone()


def run_line(line: str, folder: Path = ROOT) -> str:
    return subprocess.run(shlex.split(line), cwd=folder, capture_output=True, text=True, timeout=30, check=True).stdout


def test_a_taken_port_of_a_shop_is_replaced_and_so_is_the_fronts() -> None:
    usual = next(port for port in SHOP_PORTS.values())
    chosen = choose_shop_ports(usual)
    assert set(chosen) == set(SHOP_PORTS)
    assert usual not in chosen.values()
    with socket.create_server((LOOPBACK, 0)) as taken, pytest.MonkeyPatch.context() as patch:
        patch.setitem(SHOP_PORTS, "depot", taken.getsockname()[1])
        assert choose_shop_ports(1)["depot"] != taken.getsockname()[1]


def test_nothing_outlives_a_killed_launcher(tmp_path: Path) -> None:
    with run_demo(tmp_path, "nginx" if NGINX else "none") as demo:
        freeze(demo.find_child("--shop lumen").pid)
        demo.process.kill()
        wait_for("the end of all children", demo.are_children_gone, 40)
