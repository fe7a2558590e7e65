import threading

import pytest
from structlog.testing import capture_logs

from main.service import reload
from main.service.model import Reading, SourcesChange, Taken
from main.service.registry import SourceRegistry
from main.service.reload import Follower
from test.fakes import FakeClock, make_source

PATIENCE = 20


class FakeConfiguration:
    """A config.yml that says what it is told to."""

    def __init__(self, *sources):
        self.started = self.asked = "start"
        self.reading = Reading(sources)
        self.reads = 0
        self.told = []
        self.may_read = threading.Event()
        self.may_read.set()

    def mark(self):
        return self.asked

    def read(self):
        self.reads += 1
        assert self.may_read.wait(PATIENCE)
        return self.reading

    def announce(self):
        self.asked = f"announced {self.reads}"
        return self.asked

    def report(self, taken):
        self.told.append(taken)


@pytest.fixture
def registry():
    return SourceRegistry([make_source("acme")])


@pytest.fixture
def configuration():
    return FakeConfiguration(make_source("depot"))


@pytest.fixture
def follower(registry, configuration, clock):
    return Follower(registry, configuration, clock)


@pytest.fixture
def patient(monkeypatch):
    """Whoever notices a reload waits for it, however long the machine takes to begin its thread."""
    monkeypatch.setattr(reload, "_PATIENCE", PATIENCE)


def names(registry):
    return [source.name for source in registry.all()]


def test_nothing_is_read_until_a_reload_is_asked_for(follower, registry, configuration):
    follower.look()
    assert not follower.follow()
    assert (configuration.reads, names(registry)) == (0, ["acme"])


@pytest.mark.usefixtures("patient")
def test_whoever_looks_sees_the_new_sources_at_once(follower, registry, configuration):
    configuration.asked = "one"
    with capture_logs() as log:
        follower.look()
        assert names(registry) == ["depot"]
    assert log == [
        {"event": "settings.reloaded", "log_level": "info", "added": ("depot",), "removed": ("acme",), "changed": ()}
    ]
    assert configuration.told[-1] == Taken("one", SourcesChange(("depot",), ("acme",)))


@pytest.mark.usefixtures("patient")
def test_it_looks_once_a_second_at_most(follower, registry, configuration, clock: FakeClock):
    follower.look()
    configuration.asked = "one"
    clock.advance(0.9)
    follower.look()
    assert names(registry) == ["acme"]
    clock.advance(0.2)
    follower.look()
    assert names(registry) == ["depot"]


@pytest.mark.usefixtures("patient")
def test_a_reload_is_taken_once(follower, configuration, clock):
    configuration.asked = "one"
    follower.look()
    clock.advance(5)
    follower.look()
    assert not follower.follow()
    assert configuration.reads == 1


def test_a_slow_file_holds_nobody_up(follower, registry, configuration):
    configuration.may_read.clear()
    configuration.asked = "one"
    follower.look()
    assert names(registry) == ["acme"]
    (thread,) = (thread for thread in threading.enumerate() if thread.name == "reload")
    configuration.may_read.set()
    thread.join(PATIENCE)
    assert names(registry) == ["depot"]


def test_what_is_asked_for_while_the_file_is_read_is_another_reload(follower, configuration, monkeypatch):
    read = configuration.read

    def read_late():
        configuration.asked = "two"
        return read()

    configuration.asked = "one"
    monkeypatch.setattr(configuration, "read", read_late)
    assert follower.follow()
    assert follower.follow()
    assert not follower.follow()


def test_a_faulty_file_changes_nothing_and_says_why(follower, registry, configuration):
    configuration.reading, configuration.asked = Reading(faults=("more: unknown key",)), "one"
    with capture_logs() as log:
        assert not follower.follow()
    assert log == [{"event": "settings.reload_failed", "log_level": "error", "faults": ["more: unknown key"]}]
    assert configuration.told == [Taken("one", faults=("more: unknown key",))]
    assert names(registry) == ["acme"]


def test_a_file_that_nobody_foresaw_is_a_faulty_file_and_the_next_one_is_taken(follower, registry, configuration, monkeypatch):
    def read():
        raise RecursionError

    with monkeypatch.context() as patch, capture_logs() as log:
        patch.setattr(configuration, "read", read)
        assert not follower.reload()
    fault = "config.yml: could not be read (RecursionError); the log has its trace."
    assert [line["event"] for line in log] == ["settings.reload_broke", "settings.reload_failed"]
    assert configuration.told == [Taken("start", faults=(fault,))]
    assert names(registry) == ["acme"]
    assert follower.reload()
    assert names(registry) == ["depot"]


def test_sections_that_need_a_restart_are_named(follower, configuration):
    configuration.reading, configuration.asked = Reading((make_source("acme"),), ("logger",)), "one"
    with capture_logs() as log:
        assert follower.follow()
    assert log[-1] == {"event": "settings.restart_needed", "log_level": "warning", "sections": ["logger"]}
    assert configuration.told == [Taken("one", restart=("logger",))]


def test_a_reload_by_signal_has_every_other_process_follow_and_itself_not_again(follower, registry, configuration):
    assert follower.reload()
    assert names(registry) == ["depot"]
    assert configuration.asked == "announced 1"
    assert not follower.follow()


def test_what_others_ask_for_while_a_reload_by_signal_reads_is_followed_and_not_announced_over(
    follower, registry, configuration, monkeypatch
):
    read = configuration.read

    def read_late():
        found = read()
        configuration.asked = "another's"
        return found

    with monkeypatch.context() as patch:
        patch.setattr(configuration, "read", read_late)
        assert follower.reload()
    assert configuration.asked == "another's"
    configuration.reading = Reading((make_source("newest"),))
    assert follower.follow()
    assert names(registry) == ["newest"]


def test_what_others_ask_for_right_after_a_reload_by_signal_is_followed(follower, registry, configuration, monkeypatch):
    announce = configuration.announce

    def announce_and_be_overtaken():
        mark = announce()
        configuration.asked = "another's"
        return mark

    monkeypatch.setattr(configuration, "announce", announce_and_be_overtaken)
    assert follower.reload()
    configuration.reading = Reading((make_source("newest"),))
    assert follower.follow()
    assert (names(registry), configuration.reads) == (["newest"], 2)


def test_a_reload_by_signal_of_a_faulty_file_stays_here(follower, configuration):
    configuration.reading = Reading(faults=("more: unknown key",))
    assert not follower.reload()
    assert configuration.asked == "start"


def test_a_process_introduces_itself_once_and_again_after_a_fork(follower, configuration, clock, monkeypatch):
    follower.introduce()
    follower.look()
    assert configuration.told == [Taken("start")]
    monkeypatch.setattr(reload.os, "getpid", lambda: -1)
    clock.advance(2)
    follower.look()
    assert configuration.told == [Taken("start")] * 2


def test_where_no_thread_can_be_had_nobody_fails_and_the_next_second_has_another(
    follower, registry, configuration, clock, monkeypatch
):
    def refuse(_):
        raise RuntimeError("can't start new thread")

    configuration.asked = "one"
    with monkeypatch.context() as crowded, capture_logs() as log:
        crowded.setattr(threading.Thread, "start", refuse)
        follower.look()
    assert log == [{"event": "settings.reload_thread_refused", "log_level": "warning", "error": "can't start new thread"}]
    assert names(registry) == ["acme"]
    clock.advance(1)
    follower.look()
    assert names(registry) == ["depot"]
