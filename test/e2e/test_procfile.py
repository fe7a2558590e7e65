"""The Procfile's lines, run as a platform runs them: by a shell, with PORT set."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from sample.plan import BIN, ROOT
from sample.ports import LOOPBACK, SHOP_PORTS, variable
from sample.processes import answers, find_free_port
from test.e2e.stack import fetch, stop_and_wait, wait_for

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


def start_line(name: str, data: Path, port: int) -> subprocess.Popen[str]:
    lines = dict(re.findall(r"^(\w+): (.+)$", (ROOT / "Procfile").read_text(), re.MULTILINE))
    nowhere = f"http://{LOOPBACK}:{find_free_port(LOOPBACK)}"
    env = (
        dict(os.environ)
        | {
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "PORT": str(port),
            "AISLE_DATA": str(data),
            "AISLE_AUTH__ANONYMOUS": "reader",
        }
        | {variable(shop): nowhere for shop in SHOP_PORTS}
    )
    return subprocess.Popen(["/bin/sh", "-c", f"exec {lines[name]}"], cwd=ROOT, env=env, text=True)


def test_the_web_line_serves_on_the_given_port(tmp_path: Path) -> None:
    port = find_free_port(LOOPBACK)
    process = start_line("web", tmp_path, port)
    try:
        wait_for("an answer", lambda: process.poll() is not None or answers(LOOPBACK, port, "/health"))
        assert fetch(port, "/health").json == {"status": "UP"}
    finally:
        assert stop_and_wait(process, signal.SIGTERM) == 0


def test_the_watcher_line_lives_without_any_shop_and_stops_when_told(tmp_path: Path) -> None:
    process = start_line("watcher", tmp_path, 0)
    try:
        wait_for("the watcher's store", lambda: process.poll() is not None or any(tmp_path.iterdir()))
        time.sleep(1)
        assert process.poll() is None
    finally:
        assert stop_and_wait(process, signal.SIGTERM) == 0
