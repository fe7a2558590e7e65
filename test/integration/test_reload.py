"""``python -m main sync --watch`` while its config.yml is edited."""

import signal

import pytest

from main.settings import load_settings
from main.settings.lastgood import keep_settings
from test.integration.processes import Installation, wait_for


class Edited(Installation):
    """An installation whose sources a test changes."""

    def synced(self, name):
        return [line for line in self.events("source.synced") if line["source"] == name]

    def products(self):
        return {name: record.products for name, record in self.head().records.items()}


def config(url, name="acme", **given):
    return {"name": name, "kind": "dummyjson", "url": url, "currency": "EUR", "timeout": "20s", **given}


@pytest.fixture
def installation(tmp_path, shop):
    return Edited(tmp_path, config(shop.url))


def end(process):
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


def test_sources_are_added_changed_and_removed_without_a_restart(installation, shop):
    with installation.started("sync", "--watch") as process:
        wait_for(lambda: installation.synced("acme"))
        installation.write(config(shop.url), config(shop.url, "depot"))
        done = installation.run("reload")
        assert (done.returncode, f"watcher {process.pid} on" in done.stdout) == (0, True)
        assert "has taken it: added depot." in done.stdout
        wait_for(lambda: installation.synced("depot"))
        assert len(installation.synced("acme")) == 1
        installation.write(config(shop.url), config(shop.url, "depot", currency="USD"))
        assert "has taken it: changed depot." in installation.run("reload").stdout
        wait_for(lambda: len(installation.synced("depot")) == 2)
        assert installation.synced("depot")[1]["updated"] == 60
        version = installation.head().version
        installation.write(config(shop.url, "depot", currency="USD"))
        assert "has taken it: removed acme." in installation.run("reload").stdout
        wait_for(lambda: installation.events("watch.products_dropped"))
        assert installation.products() == {"depot": 60}
        assert installation.head().version == version + 1
        end(process)
    assert len(installation.events("watch.started")) == 1


@pytest.mark.parametrize("way", ["signal", "command"])
def test_a_faulty_file_changes_nothing_and_says_why(installation, shop, way):
    with installation.started("sync", "--watch") as process:
        wait_for(lambda: installation.synced("acme"))
        installation.write(config(shop.url, kind="shopfy"))
        if way == "command":
            refused = installation.run("reload")
            assert refused.returncode == 1
            assert "sources[0].kind (source acme): 'shopfy'; allowed: " in refused.stderr
        else:
            process.send_signal(signal.SIGHUP)
            (told,) = wait_for(lambda: installation.events("settings.reload_failed"))
            assert told["faults"][0].startswith("sources[0].kind (source acme): 'shopfy'; allowed: ")
        installation.write(config(shop.url, every="1s"))
        process.send_signal(signal.SIGHUP)
        wait_for(lambda: len(installation.synced("acme")) >= 3)
        end(process)
    assert [line["changed"] for line in installation.events("settings.reloaded")] == [["acme"]]


def test_a_crawl_in_hand_ends_when_its_source_is_changed_and_begins_anew(installation, shop):
    shop.fault = "hanging"
    with installation.started("sync", "--watch") as process:
        assert shop.asked.wait(30)
        shop.fault = None
        installation.write(config(shop.url, currency="USD"))
        process.send_signal(signal.SIGHUP)
        wait_for(lambda: installation.synced("acme"))  # long before the hanging call's time is over
        shop.released.set()
        end(process)
    record = installation.head().records["acme"]
    assert (record.products, record.failures, record.lease_until) == (60, 0, None)


def test_a_renewed_file_of_a_secret_is_picked_up(tmp_path, shop):
    (tmp_path / "key").write_text("one")
    source = config(shop.url, auth={"bearer_file": str(tmp_path / "key")})
    installation = Edited(tmp_path, source)
    with installation.started("sync", "--watch") as process:
        wait_for(lambda: installation.synced("acme"))
        (tmp_path / "key").write_text("two")
        assert "has taken it: changed acme." in installation.run("reload").stdout
        wait_for(lambda: len(installation.synced("acme")) == 2)
        end(process)
    assert "two" not in {line["event"] for line in installation.log()}


def test_what_else_differs_is_said_to_need_a_restart(installation, shop):
    with installation.started("sync", "--watch") as process:
        wait_for(lambda: installation.synced("acme"))
        installation.write(config(shop.url), logger={"level": "debug"})
        assert "no source differs; it needs a restart for: logger." in installation.run("reload").stdout
        end(process)
    assert installation.events("settings.restart_needed")[0]["sections"] == ["logger"]


def test_a_watcher_beside_workers_starts_on_what_their_server_last_took(installation, shop):
    keep_settings(load_settings(installation.environ))  # this process stands for the server that starts both
    (installation.folder / "config.yml").write_text("more: true")
    with installation.started("sync", "--watch") as process:
        wait_for(lambda: installation.synced("acme"))
        end(process)
    assert installation.events("settings.faulty")[0]["fault"].startswith("more: unknown key")
