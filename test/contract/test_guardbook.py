"""What every guard book must do."""

import threading
import time
from dataclasses import replace

import pytest

from main.service.errors import UpstreamClosed, UpstreamTimeout
from main.service.model import BreakerMode, GuardState
from test.contract.books import BOOKS

FULL = GuardState(
    mode=BreakerMode.CLOSED,
    enabled=False,
    failures_in_row=3,
    buckets=((1_770_000_000, 4, 3),),
    opened_at=1_770_000_000.25,
    open_until=1_770_000_005.5,
    times_opened=2,
    probe_owner="one",
    probe_until=1_770_000_009.0,
    paused_until=1_770_000_060.0,
    begun=((1_770_000_000.125, 1), (1_770_000_000.5, 7)),
    retry_tokens=9.1,
    calls=12,
    failures=5,
    durations_ms=(12, 3000),
    last_error_type="UpstreamTimeout",
    last_error="Zeitüberschreitung \U0001f550 ﻻ",
    last_error_at=1_770_000_001.0,
)


@pytest.fixture(params=BOOKS.values(), ids=BOOKS)
def book(request, tmp_path):
    return request.param.make(tmp_path)


GENEROUS = 5.0


def count_up(state):
    return replace(state, calls=state.calls + 1), state.calls + 1


def soon():
    return time.monotonic() + 0.05


def test_a_source_never_seen_has_the_default_state(book):
    assert book.read("acme") == GuardState()


def test_a_change_gives_its_answer_and_is_read_at_once(book):
    assert book.read("acme").calls == 0
    assert [book.change("acme", count_up) for _ in range(3)] == [1, 2, 3]
    assert book.read("acme") == GuardState(calls=3)


def test_every_member_of_a_state_is_kept(book):
    book.change("acme", lambda _: (FULL, None))
    assert book.change("acme", lambda state: (state, state)) == FULL
    assert book.read("acme") == FULL


def test_sources_do_not_share_a_state(book):
    book.change("acme", count_up)
    assert book.read("depot") == GuardState()
    assert book.change("depot", count_up) == 1


def test_a_step_that_breaks_changes_nothing_and_harms_no_later_one(book):
    book.change("acme", count_up)
    with pytest.raises(ZeroDivisionError):
        book.change("acme", lambda _: 1 // 0)
    assert book.read("acme").calls == 1
    assert book.change("acme", count_up) == 2


def test_changes_of_many_threads_are_all_kept(book):
    threads = [threading.Thread(target=lambda: [book.change("acme", count_up) for _ in range(50)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert book.change("acme", lambda state: (state, state.calls)) == 400


def test_a_note_is_taken_before_the_next_change(book):
    for _ in range(3):
        book.note("acme", count_up)
    assert book.change("acme", count_up) == 4


def test_a_note_is_taken_soon_where_no_change_comes(book):
    book.note("acme", count_up)
    until = time.monotonic() + GENEROUS
    while book.read("acme").calls < 1 and time.monotonic() < until:
        time.sleep(0.01)
    assert book.read("acme") == book.read_now("acme") == GuardState(calls=1)


def test_notes_and_changes_of_many_threads_are_all_kept(book):
    def count():
        for _ in range(50):
            book.note("acme", count_up)
            book.change("acme", count_up)

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert book.change("acme", lambda state: (state, state.calls)) == 800


def test_no_more_places_are_held_than_there_are(book):
    with book.slot("acme", 2, soon()), book.slot("acme", 2, soon()):
        with pytest.raises(UpstreamTimeout, match="No place was free"), book.slot("acme", 2, soon()):
            pytest.fail("a third came in")
        with book.slot("depot", 2, soon()):
            assert True
    with book.slot("acme", 1, soon()):
        assert True


def test_a_place_is_given_back_when_the_call_breaks(book):
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), book.slot("acme", 1, soon()):
            raise ZeroDivisionError


def test_a_free_place_is_given_even_when_the_deadline_has_passed(book):
    with book.slot("acme", 1, time.monotonic() - 1):
        assert True


def test_waiting_threads_get_their_places_in_the_order_they_came(book):
    order, threads = [], []

    def enter(number):
        with book.slot("acme", 1, time.monotonic() + 30):
            order.append(number)

    with book.slot("acme", 1, soon()):
        for number in range(8):
            threads.append(threading.Thread(target=enter, args=(number,)))
            threads[-1].start()
            time.sleep(0.03)
    for thread in threads:
        thread.join()
    assert order == list(range(8))


def test_a_waiter_that_waits_for_long_is_not_overtaken_by_those_who_come_later(book):
    order = []

    def enter(number):
        with book.slot("acme", 1, time.monotonic() + 30):
            order.append(number)

    threads = [threading.Thread(target=enter, args=(number,)) for number in range(4)]
    with book.slot("acme", 1, soon()):
        threads[0].start()
        time.sleep(0.9)
        for thread in threads[1:]:
            thread.start()
            time.sleep(0.03)
        time.sleep(0.4)  # so that the first has waited for more than the second after which it listens
    for thread in threads:
        thread.join()
    assert order == list(range(4))


def test_a_waiter_whose_source_is_closed_is_sent_away_at_once_and_those_behind_it_move_up(book):
    closed, order = threading.Event(), []

    def enter(number, closed):
        try:
            with book.slot("acme", 1, time.monotonic() + 30, closed):
                order.append(number)
        except UpstreamClosed as error:
            order.append(str(error))

    with book.slot("acme", 1, soon()):
        leaving = threading.Thread(target=enter, args=(1, closed))
        leaving.start()
        time.sleep(0.03)
        staying = threading.Thread(target=enter, args=(2, threading.Event()))
        staying.start()
        closed.set()
        leaving.join(GENEROUS)
        assert len(order) == 1
    staying.join()
    assert "was closed" in order[0]
    assert order[1] == 2
    with book.slot("acme", 1, soon(), closed):
        assert True  # a free place is given: what comes of the call is not the book's to say


def test_a_waiter_that_gave_up_takes_no_place(book):
    with book.slot("acme", 1, soon()):
        for _ in range(3):
            with pytest.raises(UpstreamTimeout), book.slot("acme", 1, soon()):
                pytest.fail("there was no place")
    with book.slot("acme", 1, soon()):
        assert True
