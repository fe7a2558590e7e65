"""The server behind every sample shop."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from sample.dialects import dummyjson_app
from sample.mount import delayed
from sample.records import Records
from sample.server import running
from test.sample.conftest import Serve

ROOT = Path(__file__).parents[2]
SHOP = Records({"id": number, "title": "lamp", "price": 1.5} for number in range(5))


def test_one_connection_serves_many_requests() -> None:
    with running(dummyjson_app(SHOP)) as base_url, requests.Session() as session:
        ports = set()
        for _ in range(3):
            with session.get(f"{base_url}/products/1", timeout=5, stream=True) as response:
                assert response.raw.connection is not None
                ports.add(response.raw.connection.sock.getsockname()[1])
                assert response.content
            assert "Content-Length" in response.headers
            assert "Connection" not in response.headers
        assert len(ports) == 1


def test_a_request_body_is_not_taken_for_the_next_request() -> None:
    with running(dummyjson_app(SHOP)) as base_url, requests.Session() as session:
        assert session.post(f"{base_url}/products", data=b"GET / HTTP/1.1\r\n\r\n", timeout=5).status_code == 405
        assert session.get(f"{base_url}/products", timeout=5).status_code == 200


def test_a_stopped_shop_is_down_for_a_client_with_open_connections() -> None:
    with requests.Session() as session:
        with running(dummyjson_app(SHOP)) as base_url:
            assert session.get(f"{base_url}/products", timeout=5).ok
        with pytest.raises(requests.ConnectionError):
            session.get(f"{base_url}/products", timeout=5)


def test_answers_can_be_postponed(serve: Serve) -> None:
    get = serve(delayed(dummyjson_app(SHOP), 120))
    started = time.monotonic()
    get("/products")
    assert time.monotonic() - started >= 0.12


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_command_at_once_and_successfully(number: signal.Signals) -> None:
    command = [sys.executable, "-m", "sample", "serve", "--port", "0", "--shop", "lumen"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            base_url = process.stdout.readline().split()[-1]
            assert process.stdout.readline().split()[:2] == ["/lumen", "shopify"]
            assert requests.get(f"{base_url}/lumen/products.json", timeout=5).ok
            os.kill(process.pid, number)
            assert process.wait(timeout=3) == 0
        finally:
            process.kill()
