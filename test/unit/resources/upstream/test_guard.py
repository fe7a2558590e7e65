"""The guard of one source: who may call, who waits, and what the ends of calls lead to."""

import threading
import time
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
import structlog

from main.resources.guards.files import FileGuardBook
from main.resources.guards.memory import MemoryGuardBook
from main.resources.upstream.faults import parse_retry_after
from main.resources.upstream.guard import Guard
from main.service.errors import (
    CrawlStopped,
    UpstreamError,
    UpstreamOpen,
    UpstreamPaused,
    UpstreamRefused,
    UpstreamThrottled,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from main.service.model import BreakerMode, BreakerState, GuardState, Rate
from main.util.filelocks import try_lock, unlock
from test.fakes import FakeClock, make_source

GENEROUS = 5.0
NOW = FakeClock().timestamp()


@pytest.fixture(params=["memory", "files"])
def book(request, tmp_path):
    return MemoryGuardBook() if request.param == "memory" else FileGuardBook(tmp_path / "guards")


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def guard(book, clock):
    return Guard(make_source(), book, clock)


def call(guard, error=None, seconds=3.0):
    """Make a call that ends like this; what the guard lets out is given back."""
    try:
        with guard.admitted(guard._clock.monotonic() + seconds):  # the clock that the deadline counts by
            if error is not None:
                raise error
    except UpstreamError as caught:
        return caught
    return None


def fail(guard, times=5):
    return [call(guard, UpstreamUnreachable("The shop refuses connections.")) for _ in range(times)]


def switch(book, mode):
    book.change("acme", lambda _: (GuardState(mode=mode), None))


def test_calls_are_counted_with_how_they_went_and_how_long_they_took(guard, book, clock):
    with guard.admitted(clock.monotonic() + 3):
        clock.advance(0.25)
    call(guard, UpstreamTimeout("The shop did not answer in time."))
    call(guard, UpstreamRefused("The shop answered 404.", 404))
    state = book.read("acme")
    assert (state.calls, state.failures, state.failures_in_row, state.durations_ms) == (3, 1, 0, (250, 0, 0))
    assert (state.last_error_type, state.last_error_at) == ("UpstreamTimeout", clock.timestamp())


def test_a_guard_without_a_book_or_a_clock_keeps_to_itself():
    guard = Guard(make_source())
    fail(guard)
    assert isinstance(call(guard), UpstreamOpen)
    assert call(Guard(make_source())) is None


class TestBesideOthers:
    """Where all is well, a call waits for nobody who is busy with the guard's file."""

    def test_no_call_waits_while_another_process_has_the_file(self, tmp_path, clock):
        book = FileGuardBook(tmp_path)
        guard = Guard(make_source(), book, clock)
        call(guard)
        guard.close()
        file = try_lock(tmp_path / "acme.json")
        with structlog.testing.capture_logs() as logs:
            assert [call(guard) for _ in range(20)] == [None] * 20
        assert logs == [], "nobody tried to share anything yet"
        unlock(file)
        guard.close()
        assert FileGuardBook(tmp_path).read("acme").calls == 21

    @pytest.mark.parametrize(
        ("state", "held"),
        [
            (GuardState(mode=BreakerMode.FORCED_OPEN), UpstreamOpen),
            (GuardState(opened_at=NOW, open_until=NOW + 5), UpstreamOpen),
            (GuardState(paused_until=NOW + 5), UpstreamPaused),
        ],
    )
    def test_what_another_process_has_just_found_out_holds_at_once(self, tmp_path, clock, state, held):
        guard, other = Guard(make_source(), FileGuardBook(tmp_path), clock), FileGuardBook(tmp_path)
        assert call(guard) is None
        other.change("acme", lambda _: (state, None))
        assert isinstance(call(guard), held)

    def test_a_good_end_is_known_to_all_at_once_where_it_counts(self, tmp_path, clock):
        guard, other = Guard(make_source(), FileGuardBook(tmp_path), clock), FileGuardBook(tmp_path)
        fail(guard, times=4)
        call(guard)
        assert other.read("acme").failures_in_row == 0


class TestBreaker:
    def test_after_five_failures_no_call_is_made_until_the_probe(self, guard, clock):
        fail(guard)
        made = []
        for _ in range(20):
            with pytest.raises(UpstreamOpen) as caught, guard.admitted(clock.monotonic() + 3):
                made.append(1)
        assert made == []
        assert 5 <= caught.value.retry_after <= 5.75

    def test_many_good_calls_between_do_not_hide_that_half_of_them_fail(self, guard, book, clock):
        for _ in range(10):
            call(guard, UpstreamTimeout("x"))
            call(guard)
            clock.advance(0.1)
        assert book.read("acme").breaker(clock.timestamp()) is BreakerState.OPEN

    def test_missing_items_never_open_it(self, guard):
        for _ in range(50):
            assert call(guard, UpstreamRefused("The shop answered 404.", 404)).status == 404
        assert call(guard) is None

    def test_a_shop_that_recovered_is_called_again_within_ten_seconds(self, guard, clock):
        for _ in range(200):  # down for long, so that the breaker stays open as long as it ever does
            call(guard, UpstreamTimeout("x"))
            clock.advance(0.5)
        recovered = clock.monotonic()
        while call(guard) is not None:
            clock.advance(0.25)
        assert clock.monotonic() - recovered <= 10
        assert call(guard) is None

    def test_a_dead_shop_is_tried_at_most_every_five_seconds(self, guard, clock):
        fail(guard)
        tries = []
        for _ in range(600):
            clock.advance(0.1)
            if isinstance(call(guard, UpstreamTimeout("x")), UpstreamTimeout):
                tries.append(clock.monotonic())
        assert len(tries) >= 6
        assert min(after - before for before, after in pairwise(tries)) >= 5

    def test_one_call_at_a_time_tries_the_shop(self, guard, book, clock):
        fail(guard)
        clock.advance(6)
        with guard.admitted(clock.monotonic() + 3):
            for other in (guard, Guard(make_source(), book, clock)):
                assert "one call is trying it" in str(call(other))
        assert call(guard) is None

    @pytest.mark.parametrize("error", [CrawlStopped("x"), KeyboardInterrupt(), ZeroDivisionError()])
    def test_a_probe_that_we_gave_up_leaves_its_turn_to_the_next(self, guard, book, clock, error):
        fail(guard)
        clock.advance(6)
        with pytest.raises(type(error)), guard.admitted(clock.monotonic() + 3):
            raise error
        assert (book.read("acme").calls, book.read("acme").probe_owner) == (5, None)
        assert call(guard) is None

    def test_a_person_can_switch_the_source_off(self, guard, book):
        switch(book, BreakerMode.FORCED_OPEN)
        held = call(guard)
        assert (type(held), str(held), held.retry_after) == (UpstreamOpen, "The source's breaker is forced open by hand.", None)
        switch(book, BreakerMode.AUTO)
        assert call(guard) is None

    def test_a_person_can_keep_it_closed(self, guard, book):
        switch(book, BreakerMode.CLOSED)
        assert all(isinstance(error, UpstreamUnreachable) for error in fail(guard, 30))
        assert book.read("acme").failures == 30

    def test_what_happened_is_logged_once(self, guard, clock):
        with structlog.testing.capture_logs() as logs:
            fail(guard)
            call(guard)
            clock.advance(6)
            call(guard, UpstreamTimeout("The shop did not answer in time."))
            clock.advance(8)
            call(guard)
            call(guard)
        assert [line["event"] for line in logs] == ["source.breaker_opened", "source.probe_failed", "source.breaker_closed"]
        assert [line["source"] for line in logs] == ["acme"] * 3
        assert (logs[0]["error_type"], logs[0]["failures_in_row"]) == ("UpstreamUnreachable", 5)
        assert logs[2]["open_s"] == 8.0


class TestPause:
    @pytest.mark.parametrize(
        ("header", "seconds"), [("3", 3), ("86400", 60), ("-1", 60), ("abc", 60), ("Sat, 21 Nov 2020 09:00:00 GMT", 60)]
    )
    def test_no_call_is_made_and_no_thread_sleeps_until_the_pause_is_over(self, guard, book, clock, header, seconds):
        call(guard, UpstreamThrottled("The shop answered 429.", 429, parse_retry_after(header)))
        began = time.monotonic()
        for tenth in range(seconds * 10):
            held = call(guard)
            assert isinstance(held, UpstreamPaused)
            assert held.retry_after == pytest.approx(seconds - tenth / 10)
            clock.advance(0.1)
        clock.advance(0.001)
        assert call(guard) is None
        assert time.monotonic() - began < GENEROUS
        assert book.read("acme").failures == 0

    def test_it_is_logged_once(self, guard):
        with structlog.testing.capture_logs() as logs:
            with guard.admitted(3), guard.admitted(3):
                assert call(guard, UpstreamThrottled("The shop answered 429.", 429, 3)).status == 429
            call(guard)
        assert [(line["event"], line["seconds"]) for line in logs] == [("source.paused", 3.0)]

    def test_a_call_that_waited_for_its_turn_meanwhile_is_not_made(self, book):
        guard = Guard(make_source(rate=Rate(2, timedelta(seconds=2))), book)
        assert call(guard) is None
        found = []
        with guard.admitted(time.monotonic() + 3):
            waiting = threading.Thread(target=lambda: found.append(call(guard)))
            waiting.start()
            time.sleep(0.1)
            book.change("acme", lambda state: (replace(state, paused_until=time.time() + 30), None))
        waiting.join()
        assert isinstance(found[0], UpstreamPaused)


class TestRate:
    def test_a_call_whose_turn_would_come_too_late_is_refused_and_costs_no_turn(self, book, clock):
        guard = Guard(make_source(rate=Rate(2, timedelta(seconds=10))), book, clock)
        assert [call(guard) for _ in range(2)] == [None, None]
        for _ in range(5):
            held = call(guard, seconds=9)
            assert (type(held), str(held), held.retry_after) == (UpstreamPaused, "The source's rate of 2/10s is used up.", 10.0)
        clock.advance(10)
        assert [type(call(guard)) for _ in range(3)] == [type(None), type(None), UpstreamPaused]

    def test_the_next_one_waits_for_its_turn(self, book):
        guard = Guard(make_source(rate=Rate(2, timedelta(milliseconds=300))), book)
        began = time.monotonic()
        for _ in range(5):
            assert call(guard) is None
        assert 0.6 <= time.monotonic() - began < GENEROUS

    def test_several_guards_share_one_rate(self, book, clock):
        guards = [Guard(make_source(rate=Rate(3, timedelta(minutes=1))), book, clock) for _ in range(5)]
        assert [call(guard) is None for guard in guards] == [True, True, True, False, False]

    def test_closing_ends_the_wait_for_a_turn_and_counts_nothing(self, book):
        guard = Guard(make_source(rate=Rate(1, timedelta(minutes=1))), book)
        call(guard)
        threading.Timer(0.1, guard.close).start()
        began = time.monotonic()
        assert "was closed while a call waited" in str(call(guard, seconds=100))
        assert time.monotonic() - began < GENEROUS
        assert (book.read("acme").calls, book.read("acme").failures) == (1, 0)


class TestPlaces:
    def test_calls_under_way_are_bounded_and_a_full_house_is_no_failure_of_the_shop(self, book):
        guard = Guard(make_source(concurrency=2), book)
        with guard.admitted(time.monotonic() + 1), guard.admitted(time.monotonic() + 1):
            assert "No place was free" in str(call(guard, seconds=0.05))
        assert call(guard) is None
        guard.close()
        assert (book.read("acme").calls, book.read("acme").failures) == (3, 0)

    def test_closing_ends_the_wait_for_a_place(self, book):
        guard, other = Guard(make_source(concurrency=1), book), Guard(make_source(concurrency=1), book)
        with other.admitted(time.monotonic() + 1):
            threading.Timer(0.1, guard.close).start()
            began = time.monotonic()
            assert str(call(guard, seconds=100)) == "The source was closed while a call waited for a place."
            assert time.monotonic() - began < GENEROUS
        assert (book.read("acme").failures, call(other)) == (0, None)

    def test_a_place_that_is_freed_in_time_is_taken(self, book):
        guard, found = Guard(make_source(concurrency=1), book), []
        with guard.admitted(time.monotonic() + 1):
            waiting = threading.Thread(target=lambda: found.append(call(guard, seconds=30)))
            waiting.start()
            time.sleep(1.2)  # longer than a wait lasts before it looks whether the guard was closed
        waiting.join()
        assert found == [None]

    def test_who_waited_longer_than_all_others_gets_the_first_place(self, book):
        guard, order = Guard(make_source(concurrency=1), book), []

        def wait(name):
            with guard.admitted(time.monotonic() + 30):
                order.append(name)

        waiting = [threading.Thread(target=wait, args=(name,)) for name in ("first", "second", "third")]
        with guard.admitted(time.monotonic() + 1):
            waiting[0].start()
            time.sleep(0.95)
            for thread in waiting[1:]:
                thread.start()
                time.sleep(0.02)
            time.sleep(0.3)
        for thread in waiting:
            thread.join()
        assert order == ["first", "second", "third"]


class TestRetries:
    def test_a_thousand_calls_to_a_shop_that_always_fails_are_at_most_1110(self, clock):
        book = MemoryGuardBook()
        switch(book, BreakerMode.CLOSED)
        guard, physical = Guard(make_source(), book, clock), 0
        for _ in range(1000):
            physical += 1
            call(guard, UpstreamRefused("The shop answered 503.", 503))
            if guard.may_retry():
                physical += 1
                call(guard, UpstreamRefused("The shop answered 503.", 503))
        assert 1100 <= physical <= 1110
        assert book.read("acme").calls == physical

    def test_guards_of_one_source_share_one_budget(self, book, clock):
        guards = [Guard(make_source(), book, clock) for _ in range(4)]
        assert sum(guard.may_retry() for guard in guards for _ in range(10)) == 9


def test_a_guard_tells_why_no_call_may_begin_without_taking_a_place(guard, clock):
    assert guard.find_hold() is None
    fail(guard)
    assert str(guard.find_hold()).startswith("The shop failed too often; it is tried again in ")
    clock.advance(10)
    assert guard.find_hold() is None  # one may try it
    with guard.admitted(clock.monotonic() + 3):
        assert str(guard.find_hold()) == "The shop failed too often; one call is trying it right now."
    assert guard.find_hold() is None
