import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from main.service.model import Reading, SourcesChange, Taken
from main.settings import ConfigFile, kept_settings, load_settings
from main.settings.configfile import changed_sections
from main.settings.exchange import read_answers

SHOP = "sources: [{{name: acme, kind: shopify, url: 'https://acme.example', auth: {{bearer_file: '{}'}}}}]\n"


@pytest.fixture
def environ(tmp_path):
    (tmp_path / "key").write_text("hunter2")
    (tmp_path / "config.yml").write_text(SHOP.format(tmp_path / "key"))
    return {"AISLE_CONFIG": str(tmp_path / "config.yml"), "AISLE_DATA": str(tmp_path / "data")}


@pytest.fixture
def settings(environ):
    return load_settings(environ)


def test_a_file_that_did_not_change_reads_the_same(settings):
    assert ConfigFile(settings, "api").read() == Reading(settings.sources)


def test_another_section_that_differs_needs_a_restart(settings, environ):
    with Path(environ["AISLE_CONFIG"]).open("a") as file:
        file.write("logger: {level: debug}\ngreeting: {default_name: Ada}\nservice: {}\n")
    assert ConfigFile(settings, "api").read() == Reading(settings.sources, ("greeting", "logger"))
    assert changed_sections(settings, load_settings(environ)) == ("greeting", "logger")


def test_a_faulty_file_gives_its_faults_alone(settings, environ):
    Path(environ["AISLE_CONFIG"]).write_text("more: true")
    reading = ConfigFile(settings, "api").read()
    assert [fault.partition(":")[0] for fault in reading.faults] == ["more"]
    assert reading.sources == ()


def test_a_file_that_is_empty_while_it_is_saved_takes_no_source_away(settings, environ):
    file = ConfigFile(settings, "api", keeps=True)
    Path(environ["AISLE_CONFIG"]).write_text("")
    (fault,) = file.read().faults
    assert fault == "sources: missing, where there were 1; allowed: a list of sources ([] to remove them all)"
    assert kept_settings(settings) is None
    Path(environ["AISLE_CONFIG"]).write_text("sources: []")
    assert file.read() == Reading()
    Path(environ["AISLE_CONFIG"]).write_text("")
    assert file.read() == Reading()


def test_a_secret_is_read_again(settings, tmp_path):
    (tmp_path / "key").write_text("renewed")
    (source,) = ConfigFile(settings, "api").read().sources
    assert source.credentials.bearer.reveal() == "renewed"
    assert source != settings.sources[0]


def test_a_renamed_key_is_picked_up_where_the_environment_has_it(environ):
    environ["TWO"] = "second"
    running = load_settings(environ)
    text = "sources: [{name: acme, kind: shopify, url: 'https://acme.example', auth: {bearer: '${%s}'}}]"
    Path(environ["AISLE_CONFIG"]).write_text(text % "TWO")
    assert ConfigFile(running, "api").read().sources[0].credentials.bearer.reveal() == "second"
    Path(environ["AISLE_CONFIG"]).write_text(text % "THREE")
    assert "${THREE} is not set" in ConfigFile(running, "api").read().faults[0]


def test_what_is_right_is_kept_by_who_serves_and_by_nobody_else(settings):
    ConfigFile(settings, "watcher").read()
    assert kept_settings(settings) is None
    ConfigFile(settings, "api", keeps=True).read()
    assert kept_settings(settings) == settings


def test_an_announcement_is_a_new_mark_that_names_what_was_read(settings, environ):
    file = ConfigFile(settings, "api")
    assert file.mark() == file.started == ""
    assert file.announce() == file.mark()
    first = json.loads(file.mark())["checked"]
    Path(environ["AISLE_CONFIG"]).write_text("sources: []")
    file.read()
    file.announce()
    assert json.loads(file.mark())["checked"] != first
    assert load_settings(environ).origin.mark == file.mark()


def test_a_worker_that_starts_on_another_file_has_the_others_follow(settings, environ):
    ConfigFile(settings, "api").keep()
    assert ConfigFile(settings, "api").mark() == ""
    Path(environ["AISLE_CONFIG"]).write_text("{}")
    newer = ConfigFile(load_settings(environ), "api")
    newer.keep()
    assert newer.mark() != ""


def test_what_a_process_made_of_it_is_noted(settings):
    taken = Taken("m", SourcesChange(("acme",)))
    ConfigFile(settings, "api").report(taken)
    (answer,) = read_answers(settings.data)
    assert (answer.name, answer.pid, answer.taken) == ("api", os.getpid(), taken)


def test_a_data_folder_that_cannot_be_written_to_is_logged_and_harms_nothing(settings, tmp_path):
    (tmp_path / "data").touch()
    file = ConfigFile(settings, "api", keeps=True)
    with capture_logs() as log:
        assert file.announce() == ""
        file.report(Taken("m"))
        file.keep()
        assert file.read() == Reading(settings.sources)
    assert [(line["event"], line["log_level"]) for line in log] == [("settings.note_failed", "warning")] * 4


def test_settings_that_come_from_no_file_never_change(settings):
    made = replace(settings, origin=None)
    file = ConfigFile(made, "api", keeps=True)
    file.announce()
    file.keep()
    file.report(Taken("m"))
    assert (file.mark(), file.started, file.read()) == ("", "", Reading(made.sources))
    assert not made.data.exists()
