"""``python -m main sync --watch`` as the process it is."""

import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest

from main.app import create_app
from main.bootstrap import build_sync
from main.service.sync import LEASE
from main.settings import load_settings
from main.util.clock import SystemClock
from test.fakes import FakeDoor, as_admin
from test.integration.processes import ROOT, Installation, wait_for


class LateClock(SystemClock):
    """The machine's clock once a lease has run out."""

    def now(self):
        return super().now() + LEASE + timedelta(seconds=1)


def config(url, **given):
    return {"name": "acme", "kind": "dummyjson", "url": url, "currency": "EUR", "timeout": "20s", **given}


@pytest.fixture
def installation(tmp_path, shop):
    return Installation(tmp_path, config(shop.url, every="1s"))


def end(process, number=signal.SIGTERM):
    """Send a signal; give the exit code and how long the process took."""
    process.send_signal(number)
    started = time.monotonic()
    return process.wait(30), time.monotonic() - started


def test_it_syncs_on_schedule_follows_changes_and_stops_cleanly(installation, shop):
    with installation.started("sync", "--watch") as process:
        wait_for(lambda: len(installation.events("source.synced")) >= 2)
        shop.restock(70)
        wait_for(lambda: installation.events("source.synced")[-1]["products"] == 70)
        code, took = end(process)
    assert code == 0
    assert took < 30
    assert [line["event"] for line in installation.log()][-5:] == ["watch.stopped", *["component.closed"] * 4]
    assert {line["level"] for line in installation.log()} == {"info"}


def test_it_reports_a_shop_that_is_down_and_syncs_it_when_it_is_back(installation, shop):
    shop.fault = "broken"
    with installation.started("sync", "--watch") as process:
        failed = wait_for(lambda: installation.events("source.sync_failed"))
        assert (failed[0]["error_type"], failed[0]["error"]) == ("UpstreamRefused", "The shop answered 500.")
        shop.fault = None
        wait_for(lambda: installation.events("source.synced"))
        assert end(process)[0] == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_in_the_middle_of_a_slow_crawl_ends_it_without_a_trace(tmp_path, number):
    command = [sys.executable, "-m", "sample", "generate", "--count", "5000", "--delay-ms", "1500"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as slow:
        try:
            url = slow.stdout.readline().split()[-1]
            installation = Installation(tmp_path, config(url, concurrency=1))
            with installation.started("sync", "--watch") as process:
                wait_for(lambda: installation.events("source.sync_started"))
                code, took = end(process, number)
        finally:
            slow.kill()
    assert code == 0
    assert took < 30
    head = installation.head()
    record = head.records["acme"]
    assert (head.version, record.products, record.outcome, record.lease_until) == (0, 0, None, None)


def test_a_hanging_shop_holds_a_stopping_process_no_longer_than_one_call_may_take(tmp_path, shop):
    shop.fault = "hanging"
    installation = Installation(tmp_path, config(shop.url, timeout="3s"))
    with installation.started("sync", "--watch") as process:
        assert shop.asked.wait(30)
        code, took = end(process)
    assert code == 0
    assert took < 30
    assert installation.head().records["acme"].lease_until is None


def test_a_restart_does_not_crawl_before_a_source_is_due(tmp_path, shop):
    installation = Installation(tmp_path, config(shop.url, every="1h"))
    with installation.started("sync", "--watch") as process:
        wait_for(lambda: installation.events("source.synced"))
        assert end(process)[0] == 0
    calls = shop.calls
    due = installation.head().records["acme"].next_sync_at
    with installation.started("sync", "--watch") as process:
        wait_for(lambda: len(installation.events("watch.started")) == 2)
        time.sleep(2.5)  # longer than the spread at start and two looks at the schedule
        assert end(process)[0] == 0
    assert shop.calls == calls
    assert installation.head().records["acme"].next_sync_at == due


def test_two_processes_never_crawl_one_source_at_once(installation, shop):
    shop.fault = "hanging"
    with installation.started("sync", "--watch"):
        assert shop.asked.wait(30)
        second = installation.run("sync")
        assert (second.returncode, "source.busy" in second.stderr) == (1, True)
        assert shop.calls == 1


def test_the_lease_of_a_killed_process_runs_out_and_nothing_of_its_crawl_is_left(installation, shop):
    shop.fault = "hanging"
    with installation.started("sync", "--watch") as process:
        assert shop.asked.wait(30)
        process.kill()
        process.wait()
    shop.fault = None
    assert installation.head().records["acme"].lease_until is not None
    assert installation.run("sync").returncode == 1
    settings = load_settings(installation.environ)
    services = build_sync(settings, clock=LateClock())
    services.lifecycle.open()
    assert [report.outcome for report in services.sync.sync_all(settings.sources)] == ["ok"]
    services.lifecycle.close()
    assert installation.head().records["acme"].products == 60


def test_a_sync_asked_for_by_http_is_taken_up_by_the_watcher_and_can_be_followed(tmp_path, shop):
    installation = Installation(tmp_path, config(shop.url, every="1h"))
    client = as_admin(create_app(load_settings(installation.environ), door=FakeDoor()).test_client())
    asked = client.post("/sources/acme/sync")
    assert (asked.status_code, asked.json["note"][:21]) == (202, "No watcher is running")
    where = asked.headers["Location"]
    with installation.started("sync", "--watch") as process:
        done = wait_for(lambda: client.get(where).json if client.get(where).json["state"] == "ok" else None)
        assert (done["products"], done["received"], done["total"], done["created"]) == (60, 60, 60, 60)
        again = client.post("/sources/acme/sync")
        assert (again.json["note"], again.json["id"]) == (None, done["id"] + 1)
        wait_for(lambda: client.get(again.headers["Location"]).json["state"] == "ok")
        assert end(process)[0] == 0
    assert [sync["state"] for sync in client.get("/sources/acme/syncs").json["data"]] == ["ok", "ok"]
    assert client.get("/sources/acme").json["last_sync"]["url"] == again.headers["Location"]


def test_the_progress_of_a_slow_crawl_is_seen_and_a_killed_ones_record_is_stopped_by_the_next(tmp_path):
    command = [sys.executable, "-m", "sample", "generate", "--count", "5000", "--delay-ms", "700"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as slow:
        try:
            url = slow.stdout.readline().split()[-1]
            installation = Installation(tmp_path, config(url, concurrency=1, every="1h"))
            client = as_admin(create_app(load_settings(installation.environ), door=FakeDoor()).test_client())
            asked = client.post("/sources/acme/sync").headers["Location"]
            with installation.started("sync", "--watch") as process:
                seen = wait_for(lambda: client.get(asked).json if client.get(asked).json["received"] else None)
                process.kill()
                process.wait()
            assert (seen["state"], seen["finished_at"], seen["total"]) == ("running", None, 5000)
            assert 0 < seen["received"] < 5000
        finally:
            slow.kill()
    services = build_sync(load_settings(installation.environ), clock=LateClock())
    services.lifecycle.open()
    # What was asked for is still due, so a watcher that starts now does it again.
    assert services.sync.store.due("acme") <= LateClock().now()
    services.sync.sync_all(load_settings(installation.environ).sources)
    services.lifecycle.close()
    newest, left = client.get("/sources/acme/syncs").json["data"]
    assert (newest["state"], newest["error_type"]) == ("failed", "UpstreamUnreachable")
    assert (left["state"], left["error"]) == ("stopped", "The process that ran it ended before the sync did.")


def test_a_source_that_is_no_longer_configured_is_dropped_at_the_next_start(tmp_path, shop):
    both = Installation(tmp_path, config(shop.url), config(shop.url, name="depot"))
    assert both.run("sync").returncode == 0
    one = Installation(tmp_path, config(shop.url))
    with one.started("sync", "--watch") as process:
        wait_for(lambda: one.events("watch.started"))
        assert end(process)[0] == 0
    assert list(one.head().records) == ["acme"]


def test_two_sources_do_not_wait_for_each_other(tmp_path, shop):
    slow = config(shop.url, name="slow")
    good = {"name": "good", "kind": "feed", "url": f"file://{tmp_path}/feed.csv", "currency": "EUR", "every": "1s"}
    (tmp_path / "feed.csv").write_text("id,name,price\n1,Lamp,9.99\n")
    shop.fault = "hanging"
    installation = Installation(tmp_path, slow, good)
    with installation.started("sync", "--watch"):
        assert shop.asked.wait(30)
        wait_for(lambda: len(installation.events("source.synced")) >= 2)
        assert {line["source"] for line in installation.events("source.synced")} == {"good"}
