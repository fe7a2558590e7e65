"""The barrier client fires all at once and misses nothing."""

from __future__ import annotations

import subprocess
import sys

from test.faults.barrier import fire
from test.faults.rawshop import RawShop
from test.faults.volley import ROOT, Shot, Volley


def test_all_requests_arrive_within_a_moment_each_on_a_connection_of_its_own() -> None:
    with RawShop(latency=0.5) as shop:
        volley = fire(f"{shop.url}/products/1", 300, processes=3, headers={"X-Who": "me"})
        arrived = [request.at for request in shop.requests]
        assert volley.statuses == {200: 300}
        assert (shop.calls("/products/1"), shop.connections) == (300, 300)
        assert max(arrived) - min(arrived) < 5
        assert {request.headers["x-who"] for request in shop.requests} == {"me"}
    assert min(shot.seconds for shot in volley.shots) >= 0.5
    assert volley.shots[7].headers["content-type"] == "application/json"
    assert b"Raw thing 1" in volley.shots[7].body


def test_several_urls_are_taken_in_turn() -> None:
    with RawShop() as shop:
        volley = fire([f"{shop.url}/products/1?a=b", f"{shop.url}/products/99"], 6, processes=2)
        assert (shop.calls("/products/1?a=b"), shop.calls("/products/99")) == (3, 3)
    assert [shot.status for shot in volley.shots] == [200, 404] * 3


def test_what_is_not_answered_is_told_apart() -> None:
    with RawShop() as shop:
        faults = {}
        for name in ("silent", "hang_up", "hang_up_in_body", "reset_after_request"):
            shop.behave(name)
            volley = fire(shop.url, 2, processes=1, timeout=0.5 if name == "silent" else 20)
            assert volley.statuses == {0: 2}
            faults[name] = volley.shots[0].fault
        port = shop.port
    assert faults == {
        "silent": "timeout",
        "hang_up": "no whole answer",
        "hang_up_in_body": "no whole answer",
        "reset_after_request": "ConnectionResetError",
    }
    assert fire(f"http://127.0.0.1:{port}/", 1, processes=1).shots[0].fault == "not connected: ConnectionRefusedError"


def test_percentiles_are_by_nearest_rank() -> None:
    volley = Volley([Shot(0, seconds, 200, {}, b"", "") for seconds in range(100, 0, -1)])
    assert [volley.percentile(percent) for percent in (0, 1, 50, 99, 99.5, 100)] == [1, 1, 50, 99, 100, 100]
    assert volley.slowest == 100


def test_it_is_a_command_too() -> None:
    with RawShop() as shop:
        command = [sys.executable, "-m", "test.faults.barrier", shop.url + "/products", "5"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.startswith("{200: 5} p50 ")
