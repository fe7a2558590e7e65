"""A shared cache that is killed, frozen or slow below a service under load: nothing fails, and nothing needs a restart."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from sample.plan import ROOT
from test.e2e.liveshops import serve, strictly
from test.e2e.stack import wait_for
from test.faults.openloop import drive
from test.faults.proxy import faulty
from test.faults.rawshop import RawShop
from test.faults.servers import serving

if TYPE_CHECKING:
    from pathlib import Path

    from test.e2e.liveshops import Aisle

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

DEADLINE_MS = 800


@pytest.mark.parametrize(("kind", "scheme"), [("redis", "redis"), ("memcached", "memcached")])
def test_a_shared_cache_in_trouble_fails_nobody(kind: str, scheme: str, tmp_path: Path) -> None:
    with RawShop(40) as shop, serving(kind, tmp_path / "server") as server, faulty(server.address) as proxy:
        cache = {"kind": kind, "url": f"{scheme}://127.0.0.1:{proxy.port}"}
        live = {"fresh": "200ms", "revalidate": "100ms", "max_stale": "5s"}
        with serve(tmp_path, {"shop": shop}, cache=cache, live=live) as aisle:
            before = {worker.pid for worker in aisle.workers}

            def make_trouble() -> None:
                for trouble, cure in (
                    (server.freeze, server.thaw),
                    (server.kill, server.start),
                    (lambda: proxy.set(latency=1.0), proxy.set),
                    (lambda: proxy.set(reset=True), proxy.set),
                    (lambda: proxy.set(black_hole=True), proxy.set),
                ):
                    time.sleep(0.7)
                    trouble()
                    time.sleep(1.3)
                    cure()

            troubles = threading.Thread(target=make_trouble)
            troubles.start()
            urls = [f"{aisle.url}/products?per_page=5"]
            urls += [f"{aisle.url}/products/shop:{n}?live=true&deadline_ms={DEADLINE_MS}" for n in range(1, 4)]
            volley = drive(urls, rate=40, seconds=11)
            troubles.join()
            assert set(volley.statuses) == {200}
            assert volley.slowest < DEADLINE_MS / 1000 + 3, "and a machine that is busy"
            states = [strictly(shot.body)["freshness"]["state"] for n, shot in enumerate(volley.shots) if n % 4]
            wrong = [state for state in states if state not in {"live", "cached", "stale"}]
            assert len(wrong) <= len(states) * 0.02, wrong
            wait_for("the cache found again", lambda: is_cache_up(aisle), seconds=15)
            assert {worker.pid for worker in aisle.workers} == before
            assert "Traceback" not in aisle.log
            assert "cache.tier_lost" in aisle.log
            assert "cache.tier_found" in aisle.log


def is_cache_up(aisle: Aisle) -> bool:
    """Whether the cache is there in the eyes of the workers; which one answers is chance, so some are asked."""
    asked = [aisle.ask("/status").json["components"] for _ in range(12)]
    found = {part["up"] for parts in asked for part in parts if part["name"] == "cache"}
    return found == {True}


@pytest.mark.parametrize("lazy", [True, False])
def test_the_master_holds_nothing_and_looks_work_however_it_forks(lazy: bool, tmp_path: Path) -> None:  # noqa: FBT001
    ini = tmp_path / "uwsgi.ini"
    text = (ROOT / "uwsgi.ini").read_text().replace("chdir = %d", f"chdir = {ROOT}")
    ini.write_text(text if lazy else text.replace("lazy-apps = true\n", ""))
    with RawShop(8) as shop, serve(tmp_path, {"shop": shop}, ini=ini, cache={"kind": "file"}, live={"fresh": "100ms"}) as aisle:
        master = psutil.Process(aisle.pid)
        assert master.num_threads() == 1
        assert [one for one in master.net_connections("tcp") if one.status != psutil.CONN_LISTEN] == []
        assert [one.path for one in master.open_files() if one.path.startswith(str(tmp_path / "data"))] == []
        for number in range(40):
            assert aisle.look("shop", number % 8 + 1).json["freshness"]["state"] in {"live", "cached", "stale"}
        assert master.num_threads() == 1
        assert len(aisle.workers) == 4
