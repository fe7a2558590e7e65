"""Applications served by four worker processes on a free port."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sample.ports import LOOPBACK
from sample.processes import find_free_port
from test.integration.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

WORKERS = 4
PATIENCE = 120  # seconds: four applications start at once, maybe on a busy machine


@contextmanager
def served(app: str, environ: Mapping[str, str], log: Path) -> Iterator[str]:
    """The URL of an app's workers; they go on starting while the first one answers already."""
    port = find_free_port(LOOPBACK)
    command = [sys.executable, "-m", "gunicorn", "-w", str(WORKERS), "--threads", "4", "--no-control-socket"]
    with log.open("ab") as file:
        server = subprocess.Popen([*command, "-b", f"127.0.0.1:{port}", app], cwd=ROOT, env=environ, stdout=file, stderr=file)
    url = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + PATIENCE
        while server.poll() is None and not answers(url) and time.monotonic() < until:
            time.sleep(0.1)
        assert server.poll() is None, log.read_text()
        yield url
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False
