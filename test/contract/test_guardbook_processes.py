"""What a guard book that several processes share must do when they use it at once, and when one is killed or stopped."""

import time
from dataclasses import replace

import pytest

from main.resources.upstream.guard import Guard
from main.service.errors import Unavailable, UpstreamOpen, UpstreamTimeout
from main.service.model import BreakerMode, GuardState
from test.contract.books import SHARED
from test.contract.processes import PATIENCE, second_process
from test.fakes import make_source
from test.faults.frozen import freeze

GENEROUS = 5.0


@pytest.fixture(params=SHARED, ids=lambda kind: kind.name)
def kind(request):
    return request.param


@pytest.fixture
def book(kind, tmp_path):
    return kind.make(tmp_path)


@pytest.fixture
def child(kind, tmp_path):
    """Return a function that runs a second process on the same book."""

    return lambda action, argument="": second_process("test.contract.guardchild", kind.name, tmp_path, action, argument)


def started(process, word="inside"):
    line = process.stdout.readline()
    assert line == f"{word}\n", process.stderr.read()
    return process


def count_up(state):
    return replace(state, calls=state.calls + 1), state.calls + 1


def test_changes_of_eight_processes_are_all_kept(book, child):
    children = [child("count", "200") for _ in range(8)]
    processes = [context.__enter__() for context in children]
    try:
        answers = [process.communicate(timeout=PATIENCE) for process in processes]
    finally:
        for context in children:
            context.__exit__(None, None, None)
    assert [answer[0] for answer in answers] == ["done\n"] * 8, answers
    assert book.change("acme", lambda state: (state, state.calls)) == 1600


def test_a_change_is_seen_by_another_process_within_moments(kind, book, tmp_path):
    other = kind.make(tmp_path)
    assert other.read("acme") == GuardState()
    for number in range(1, 6):
        book.change("acme", count_up)
        until = time.monotonic() + GENEROUS
        while other.read("acme").calls < number and time.monotonic() < until:
            time.sleep(0.01)
        assert other.read("acme").calls == number


def test_a_look_gives_what_another_process_has_changed_just_now(kind, book, tmp_path):
    other = kind.make(tmp_path)
    for number in range(1, 51):
        book.change("acme", count_up)
        assert other.read_now("acme").calls == number


def test_notes_of_several_processes_are_all_kept(book, child):
    with child("note", "200") as one, child("note", "200") as two:
        assert [process.communicate(timeout=PATIENCE)[0] for process in (one, two)] == ["done\n"] * 2
    assert book.read_now("acme").calls == 400


def test_a_change_whose_process_is_killed_holds_nobody_up(book, child):
    book.change("acme", count_up)
    with child("change") as process:
        started(process)
        process.kill()
        process.wait()
        assert book.change("acme", count_up) == 2


def test_a_process_that_was_stopped_inside_a_change_holds_nobody_up_for_long(kind, book, child, tmp_path):
    book.change("acme", count_up)
    with child("change") as process:
        started(process)
        freeze(process.pid)
        began = time.monotonic()
        assert [book.change("acme", count_up) for _ in range(20)] == list(range(2, 22))
        assert time.monotonic() - began < GENEROUS
        assert book.read("acme").calls == 21
        with pytest.raises(Unavailable, match="The switch cannot be kept now"):
            book.change("acme", lambda state: (replace(state, mode=BreakerMode.FORCED_OPEN), None))
    # What could not be shared meanwhile is made up for.
    assert book.change("acme", count_up) == 22
    assert kind.make(tmp_path).read("acme") == GuardState(calls=22)


def test_places_are_counted_over_all_processes(book, child):
    with child("hold", "2") as one, child("hold", "2") as two:
        started(one)
        started(two)
        with pytest.raises(UpstreamTimeout), book.slot("acme", 2, time.monotonic() + 0.1):
            pytest.fail("a third came in")
        one.kill()
        with book.slot("acme", 2, time.monotonic() + PATIENCE):
            assert True


def test_a_crowd_of_processes_never_holds_more_places_than_there_are_and_nobody_starves(child):
    children = [child("crowd", "3") for _ in range(6)]
    processes = [context.__enter__() for context in children]
    try:
        answers = [process.communicate(timeout=PATIENCE) for process in processes]
    finally:
        for context in children:
            context.__exit__(None, None, None)
    assert max(int(answer[0]) for answer in answers) <= 3, answers


def half_open(book):
    opened = replace(GuardState(), failures_in_row=5, opened_at=time.time() - 6, open_until=time.time() - 1, times_opened=1)
    book.change("acme", lambda _: (opened, None))


def test_one_process_at_a_time_tries_a_shop_whose_breaker_opened(book, child):
    half_open(book)
    # The turn of the one that tries lasts for its call's time: longer than they may begin apart on a busy machine.
    children = [child("call", "30") for _ in range(4)]
    processes = [context.__enter__() for context in children]
    try:
        answers = [process.stdout.readline().strip() for process in processes]
    finally:
        for context in children:
            context.__exit__(None, None, None)
    assert sorted(answers) == ["UpstreamOpen"] * 3 + ["calling"]


def test_a_probe_whose_process_is_killed_frees_its_place_at_once_and_its_turn_soon(book, child):
    half_open(book)
    guard = Guard(make_source(concurrency=1), book)
    with child("call", "2") as process:
        started(process, "calling")
        process.kill()
        process.wait()
    with pytest.raises(UpstreamOpen, match="trying it right now"), guard.admitted(time.monotonic() + 1):
        pytest.fail("two tried at once")
    until = time.monotonic() + PATIENCE
    while book.read("acme").opened_at is not None and time.monotonic() < until:
        try:
            with guard.admitted(time.monotonic() + 1):
                assert True
        except UpstreamOpen:
            time.sleep(0.05)
    assert book.read("acme").opened_at is None
