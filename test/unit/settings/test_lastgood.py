import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from main.settings import SettingsError, ask_reload, has_served, kept_settings, load_settings, start_settings
from main.settings.lastgood import keep_settings

GOOD = "sources: [{name: acme, kind: shopify, url: 'https://acme.example', auth: {bearer: '${KEY}'}}]"
ROOT = Path(__file__).parents[3]


@pytest.fixture
def environ(tmp_path):
    (tmp_path / "config.yml").write_text(GOOD)
    return {"AISLE_CONFIG": str(tmp_path / "config.yml"), "AISLE_DATA": str(tmp_path / "data"), "KEY": "hunter2"}


def spoil(environ):
    Path(environ["AISLE_CONFIG"]).write_text("more: true")


def kept_file(environ):
    return Path(environ["AISLE_DATA"]) / "reload" / "good.json"


def test_a_right_file_is_what_is_started_with(environ):
    settings, faults = start_settings(environ)
    assert ([source.name for source in settings.sources], faults) == (["acme"], [])


def test_a_first_start_refuses_a_faulty_file(environ):
    spoil(environ)
    assert not has_served(environ)
    with pytest.raises(SettingsError):
        start_settings(environ)


def test_the_server_that_took_a_file_goes_on_with_it_while_it_is_faulty(environ):
    taken = load_settings(environ)
    keep_settings(taken)
    spoil(environ)
    assert has_served(environ)
    settings, faults = start_settings(environ)
    assert settings == taken
    assert [fault.partition(":")[0] for fault in faults] == ["more"]


@pytest.mark.parametrize("text", ["", "# all gone", "logger: {level: debug}"])
def test_a_file_that_says_nothing_of_the_sources_there_were_is_faulty_to_who_replaces_a_worker(environ, text):
    taken = load_settings(environ)
    keep_settings(taken)
    Path(environ["AISLE_CONFIG"]).write_text(text)
    fault = "sources: missing, where there were 1; allowed: a list of sources ([] to remove them all)"
    assert start_settings(environ) == (taken, [fault])
    Path(environ["AISLE_CONFIG"]).write_text("sources: []")
    assert start_settings(environ) == (load_settings(environ), [])


def test_a_file_without_sources_is_right_at_a_first_start_and_where_there_were_none(environ):
    Path(environ["AISLE_CONFIG"]).write_text("")
    found = load_settings(environ)
    assert start_settings(environ) == (found, [])
    keep_settings(found)
    assert start_settings(environ) == (found, [])


def test_a_reload_asked_for_before_is_not_followed_and_one_asked_for_later_is(environ):
    keep_settings(load_settings(environ))
    spoil(environ)
    mark = ask_reload(Path(environ["AISLE_DATA"]), "d")
    assert start_settings(environ)[0].origin.mark == mark


def test_another_server_refuses_a_faulty_file_also_under_the_same_pid(environ):
    keep_settings(load_settings(environ))
    spoil(environ)
    found = json.loads(kept_file(environ).read_text())
    kept_file(environ).write_text(json.dumps({**found, "server": found["server"] + "0"}))  # it began at another time
    with pytest.raises(SettingsError):
        start_settings(environ)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"server": "x"}', '{"server": null, "text": "{}"}'])
def test_what_was_not_kept_whole_was_not_kept(environ, text):
    keep_settings(load_settings(environ))
    spoil(environ)
    kept_file(environ).write_text(text)
    with pytest.raises(SettingsError):
        start_settings(environ)


def test_what_was_kept_and_does_not_load_any_more_is_no_help_and_the_file_is_what_is_told(environ):
    keep_settings(load_settings(environ))
    spoil(environ)
    del environ["KEY"]
    with pytest.raises(SettingsError, match="more: unknown key"):
        start_settings(environ)
    assert kept_settings(replace(load_settings({}), data=Path(environ["AISLE_DATA"]))) is None


def test_what_is_kept_is_for_the_owner_alone_and_secrets_are_only_named(environ):
    assert not keep_settings(load_settings(environ))
    assert "${KEY}" in kept_file(environ).read_text()
    assert "hunter2" not in kept_file(environ).read_text()
    assert kept_file(environ).stat().st_mode & 0o777 == 0o600


def test_it_tells_whether_another_file_was_kept_before(environ):
    keep_settings(load_settings(environ))
    assert not keep_settings(load_settings(environ))
    Path(environ["AISLE_CONFIG"]).write_text("{}")
    assert keep_settings(load_settings(environ))


def test_settings_that_come_from_no_file_are_not_kept(environ):
    settings = replace(load_settings(environ), origin=None)
    assert not keep_settings(settings)
    assert kept_settings(settings) is None
    assert not kept_file(environ).exists()


def test_what_was_last_taken_can_be_compared_with(environ):
    taken = load_settings(environ)
    assert kept_settings(taken) is None
    keep_settings(taken)
    assert kept_settings(taken) == taken


def test_a_worker_that_is_forked_keeps_for_its_server_and_the_next_worker_of_it_starts(environ):
    code = """
import os
from main.settings import SettingsError, load_settings, start_settings
from main.settings.lastgood import keep_settings
def worker(work):
    if not os.fork():
        os._exit(0 if work() else 1)
    return os.waitstatus_to_exitcode(os.wait()[1])
assert worker(lambda: keep_settings(load_settings()) is False) == 0
open(os.environ["AISLE_CONFIG"], "w").write("more: true")
assert worker(lambda: start_settings()[0].sources[0].name == "acme") == 0
"""
    run = [sys.executable, "-c", code]
    subprocess.run(run, cwd=ROOT, env=environ, check=True)
    again = subprocess.run([sys.executable, "-m", "main", "sync", "--watch"], cwd=ROOT, env=environ, check=False, timeout=60)
    assert again.returncode == 1
