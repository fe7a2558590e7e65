"""The sampler counts what a process tree holds."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from test.faults.rawshop import RawShop
from test.faults.sampler import Sample, Watch, each, sample

CODE = """
import socket, subprocess, sys, threading, time
port = int(sys.argv[1])
child = subprocess.Popen([sys.executable, "-c", "import time; print(1, flush=True); time.sleep(60)"], stdout=subprocess.PIPE)
child.stdout.readline()
print("ready", flush=True)
for line in sys.stdin:
    held = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()
    threads = [threading.Thread(target=over.wait, daemon=True) for _ in range(4)]
    [thread.start() for thread in threads]
    memory = b"x" * (40 << 20)
    print("grown", flush=True)
    sys.stdin.readline()
    del memory
    [thing.close() for thing in (*held, listener)]
    over.set()
    [thread.join() for thread in threads]
    print("shrunk", flush=True)
"""


@pytest.fixture
def grower():
    with RawShop() as shop:
        command = [sys.executable, "-c", CODE, str(shop.port)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "ready\n"
        yield process, shop.port
        for pid in each(process.pid):
            subprocess.run(["kill", "-9", str(pid)], check=True)
        process.communicate()


def step(process: subprocess.Popen[str]) -> str:
    process.stdin.write("\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


def test_growth_is_counted_and_so_is_its_end(grower) -> None:
    process, port = grower
    before = sample(process.pid)
    assert before.processes == len(each(process.pid)) == 2
    assert step(process) == "grown"
    grown = sample(process.pid)
    assert before.drift(grown) == {"threads": 4, "descriptors": 4, "sockets": 4}
    assert grown.rss - before.rss >= 39 << 20
    assert sample(process.pid, ports={port}).sockets == 3
    assert step(process) == "shrunk"
    # A thread that was joined is over for Python; the kernel, which is asked here, may need a moment more to end it.
    until = time.monotonic() + 20
    while before.drift(sample(process.pid)) and time.monotonic() < until:
        time.sleep(0.01)
    assert before.drift(sample(process.pid)) == {}


def test_a_watch_keeps_the_peak_of_each(grower) -> None:
    process, port = grower
    before = sample(process.pid)
    with Watch(process.pid, every=0.01, ports={port}) as watch:
        step(process)
        time.sleep(0.3)
        step(process)
    assert watch.peak.threads == before.threads + 4
    assert watch.peak.sockets == 3
    assert watch.peak.rss - before.rss >= 39 << 20


def test_a_process_that_is_gone_holds_nothing() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert sample(process.pid) == Sample()


def test_a_zombie_holds_nothing() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # until it has ended, without collecting it
    assert sample(process.pid) == Sample()
    process.wait()
