import threading
import time
from collections import deque
from itertools import count

import pytest

from main.service import fanout
from main.service.errors import CrawlStopped, UpstreamTimeout
from main.service.fanout import Lanes, Promise, crawl_pages, run_together
from main.service.ports.upstream import CrawlPage
from test.fakes import FakeConnector

PATIENCE = 20


def ignore():
    """A tick that asks for nothing."""


def records_of(pages):
    return sorted(record for page in pages for record in page.records)


def test_the_first_page_comes_alone_and_names_the_rest(stop):
    answers = {None: CrawlPage((b"0",), (1, 2), 3), 1: CrawlPage((b"1",)), 2: CrawlPage((b"2",))}
    connector = FakeConnector(answers)
    pages = crawl_pages(connector, 4, stop, ignore)
    assert next(pages).total == 3
    assert connector.asked == [None]
    assert records_of(pages) == [b"1", b"2"]


def test_no_more_calls_are_under_way_than_the_source_allows(stop):
    running, most, lock, three = 0, 0, threading.Lock(), threading.Barrier(3)

    def answer():
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        three.wait(PATIENCE)  # passes only when three calls are under way at once
        with lock:
            running -= 1
        return ()

    answers = {None: CrawlPage((), tuple(range(9)))} | dict.fromkeys(range(9), answer)
    list(crawl_pages(FakeConnector(answers), 3, stop, ignore))
    assert most == 3


def test_a_call_that_several_pages_name_is_made_once(stop):
    answers = {None: CrawlPage((b"0",), (1, 2)), 1: CrawlPage((b"1",), (2, 3)), 2: CrawlPage((b"2",), (3, 1)), 3: (b"3",)}
    connector = FakeConnector(answers)
    assert records_of(crawl_pages(connector, 1, stop, ignore)) == [b"0", b"1", b"2", b"3"]
    assert connector.asked == [None, 1, 2, 3]


def test_a_failed_call_ends_the_crawl_and_drops_the_calls_not_yet_begun(stop):
    connector = FakeConnector({None: CrawlPage((), (1, 2, 3)), 1: UpstreamTimeout("too slow")})
    with pytest.raises(UpstreamTimeout, match="too slow"):
        list(crawl_pages(connector, 1, stop, ignore))
    assert connector.asked == [None, 1]


def test_a_stop_ends_the_crawl_while_the_shop_hangs(stop):
    released = threading.Event()
    hanging = FakeConnector({None: lambda: released.wait(PATIENCE) and ()})
    threading.Timer(0.1, stop.set).start()
    try:
        with pytest.raises(CrawlStopped):
            list(crawl_pages(hanging, 1, stop, ignore))
    finally:
        released.set()


def test_it_ticks_while_it_waits_for_a_slow_shop(stop):
    enough, ticks = threading.Event(), count(1)
    slow = FakeConnector({None: lambda: (b"0",) if enough.wait(PATIENCE) else ()})
    pages = crawl_pages(slow, 1, stop, lambda: enough.set() if next(ticks) == 3 else None)
    assert records_of(pages) == [b"0"]


def test_it_ticks_within_a_long_page(stop):
    ticks = count()
    page = next(crawl_pages(FakeConnector({None: [b"%d" % n for n in range(2000)]}), 1, stop, lambda: next(ticks)))
    before = next(ticks)
    assert len(list(page.records)) == 2000
    assert next(ticks) - before - 1 == 4


def test_a_stop_ends_a_long_page_in_its_middle(stop):
    page = next(crawl_pages(FakeConnector({None: [b"%d" % n for n in range(100_000)]}), 1, stop, ignore))
    stop.set()
    seen = count()
    with pytest.raises(CrawlStopped):
        exhaust(next(seen) for _ in page.records)
    assert next(seen) < 5000


def exhaust(iterator):
    deque(iterator, maxlen=0)


def test_work_for_several_items_runs_at_once_and_answers_in_order():
    together = threading.Barrier(5)

    def work(item):
        together.wait(PATIENCE)
        return item * item

    assert run_together(work, range(5)) == [0, 1, 4, 9, 16]


def test_work_for_no_items_is_no_work():
    assert run_together(lambda item: item, []) == []


def test_an_error_in_one_items_work_reaches_the_caller():
    with pytest.raises(UpstreamTimeout):
        run_together(FakeConnector({1: (), 2: UpstreamTimeout("too slow")}).fetch, [1, 2])


@pytest.fixture
def lanes():
    lanes = Lanes()
    yield lanes
    lanes.close()


def test_a_lane_that_hangs_holds_nobody_else_up(lanes):
    hang, done = threading.Event(), threading.Event()
    for _ in range(5):
        assert lanes.submit("stuck", 2, lambda: hang.wait(PATIENCE))
    assert lanes.submit("free", 1, done.set)
    assert done.wait(PATIENCE)
    hang.set()


def test_no_more_work_of_a_lane_is_under_way_than_it_is_wide(lanes):
    running, most, lock, pairs, left = 0, 0, threading.Lock(), threading.Barrier(2), threading.Semaphore(0)

    def work():
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        pairs.wait(PATIENCE)  # passes only when two are under way at once
        with lock:
            running -= 1
        left.release()

    for _ in range(8):
        assert lanes.submit("acme", 2, work)
    assert all(left.acquire(timeout=PATIENCE) for _ in range(8))
    assert most == 2


def test_a_lane_takes_no_more_than_can_wait_in_it(lanes):
    hang = threading.Event()
    taken = sum(lanes.submit("acme", 1, lambda: hang.wait(PATIENCE)) for _ in range(600))
    hang.set()
    assert taken == 501


def test_lanes_that_hang_leave_every_other_lane_a_thread_however_wide_they_are(lanes, monkeypatch):
    monkeypatch.setattr(fanout, "_MOST_THREADS", 4)
    hang, order, done = threading.Event(), [], threading.Semaphore(0)
    for lane in ("stuck", "stuck too"):
        for _ in range(4):
            assert lanes.submit(lane, 4, lambda: hang.wait(PATIENCE))

    def note(number):
        order.append(number)
        done.release()

    for number in range(3):
        assert lanes.submit("free", 4, lambda number=number: note(number))
    assert all(done.acquire(timeout=PATIENCE) for _ in range(3))
    assert order == [0, 1, 2], "one after the other"
    assert not hang.is_set()
    hang.set()


def test_a_lane_that_had_to_wait_for_threads_is_as_wide_as_before_once_there_are_some(lanes, monkeypatch):
    monkeypatch.setattr(fanout, "_MOST_THREADS", 3)
    hang, first, pairs, left = threading.Event(), threading.Event(), threading.Barrier(2), threading.Semaphore(0)
    for _ in range(3):
        assert lanes.submit("stuck", 3, lambda: hang.wait(PATIENCE))
    assert lanes.submit("free", 2, lambda: first.wait(PATIENCE))

    def meet():
        pairs.wait(PATIENCE)  # passes only when two are under way at once
        left.release()

    assert all(lanes.submit("free", 2, meet) for _ in range(4))
    hang.set()
    free = threading.Event()
    assert lanes.submit("stuck", 1, free.set)
    assert free.wait(PATIENCE)
    first.set()
    assert all(left.acquire(timeout=PATIENCE) for _ in range(4))


def name_threads(known):
    return sorted(thread.name.partition("_")[0] for thread in set(threading.enumerate()) - known)


def test_threads_are_let_go_after_a_while_without_work_and_the_next_work_gets_new_ones(lanes, monkeypatch):
    monkeypatch.setattr(fanout, "_QUIET", 0.1)
    monkeypatch.setattr(fanout, "_GLANCE", 0.05)
    known, hang = set(threading.enumerate()), threading.Event()
    for _ in range(6):
        assert lanes.submit("acme", 6, lambda: hang.wait(PATIENCE))
    time.sleep(0.5)
    assert name_threads(known) == ["lanes", *["live"] * 6]  # quiet as it is, work is under way
    hang.set()
    until = time.monotonic() + PATIENCE
    while name_threads(known):
        assert time.monotonic() < until
        time.sleep(0.01)
    done = threading.Event()
    assert lanes.submit("acme", 1, done.set)
    assert done.wait(PATIENCE)


def test_work_that_breaks_is_logged_and_the_next_is_done(lanes, log_lines):
    done = threading.Event()
    assert lanes.submit("acme", 1, lambda: 1 / 0)
    assert lanes.submit("acme", 1, done.set)
    assert done.wait(PATIENCE)
    until = time.monotonic() + PATIENCE
    while not log_lines() and time.monotonic() < until:
        time.sleep(0.01)
    (line,) = log_lines()
    assert (line["event"], "ZeroDivisionError" in line["exception"]) == ("live.look_broke", True)


def test_work_goes_on_in_its_own_thread_where_the_next_lane_has_room_and_not_before_its_own_is_free(lanes):
    threads, order, done, free = [], [], threading.Event(), threading.Event()

    def read():
        threads.append(threading.get_ident())
        lanes.submit("cache", 1, lambda: order.append("next in line"))
        assert lanes.go_on("acme", 1, fly)
        order.append("read")

    def fly():
        threads.append(threading.get_ident())
        order.append("fly")
        done.set()

    assert lanes.submit("cache", 1, read)
    assert done.wait(PATIENCE)
    lanes.submit("cache", 1, free.set)
    assert free.wait(PATIENCE)
    assert threads[0] == threads[1]
    assert order[0] == "read"
    assert sorted(order) == ["fly", "next in line", "read"]


def test_work_that_goes_on_waits_where_the_next_lane_has_no_room(lanes):
    hang, done = threading.Event(), threading.Event()
    lanes.submit("acme", 1, lambda: hang.wait(PATIENCE))
    lanes.submit("cache", 1, lambda: lanes.go_on("acme", 1, done.set))
    free = threading.Event()
    lanes.submit("cache", 1, free.set)
    assert free.wait(PATIENCE)
    assert not done.is_set()
    hang.set()
    assert done.wait(PATIENCE)


def test_work_that_breaks_after_it_said_how_it_goes_on_does_go_on(lanes, log_lines):
    first, second, free = threading.Event(), threading.Event(), threading.Event()

    def work():
        lanes.go_on("acme", 1, first.set)
        lanes.go_on("depot", 1, second.set)
        raise ZeroDivisionError

    lanes.submit("cache", 1, work)
    assert first.wait(PATIENCE)
    assert second.wait(PATIENCE)
    assert lanes.go_on("acme", 1, free.set)
    assert free.wait(PATIENCE)
    until = time.monotonic() + PATIENCE
    while not log_lines() and time.monotonic() < until:
        time.sleep(0.01)
    assert [line["event"] for line in log_lines()] == ["live.look_broke"]


def test_what_nobody_waits_for_begins_when_nothing_else_waits(lanes):
    hang, order, done = threading.Event(), [], threading.Semaphore(0)

    def note(name):
        order.append(name)
        done.release()

    lanes.submit("acme", 1, lambda: hang.wait(PATIENCE))
    assert lanes.go_on("acme", 1, lambda: note("first renewal"), hurried=False)
    assert lanes.go_on("acme", 1, lambda: note("second renewal"), hurried=False)
    assert lanes.go_on("acme", 1, lambda: note("awaited"))
    assert lanes.submit("acme", 1, lambda: note("awaited too"))
    hang.set()
    assert all(done.acquire(timeout=PATIENCE) for _ in range(4))
    assert order == ["awaited", "awaited too", "first renewal", "second renewal"]


@pytest.fixture
def refuse_threads(monkeypatch):
    """A function that lets the next threads with a name that begins so fail to start, as the system does when it has no more."""
    refused, start = [], threading.Thread.start

    def refuse(thread):
        if refused and thread.name.startswith(refused[0]):
            refused.pop(0)
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    return refused.append


@pytest.mark.parametrize("name", ["lanes", "live_0"])
def test_work_for_which_not_one_thread_can_be_had_is_refused_and_the_next_is_done(lanes, refuse_threads, log_lines, name):
    wrong, done = threading.Event(), threading.Event()
    refuse_threads(name)
    assert not lanes.submit("acme", 1, wrong.set)
    assert lanes.submit("acme", 1, done.set)
    assert done.wait(PATIENCE)
    assert not wrong.is_set()
    assert [(line["event"], line["error"]) for line in log_lines()] == [("live.thread_refused", "can't start new thread")]


def test_work_for_which_no_further_thread_can_be_had_is_done_by_those_there_are(lanes, refuse_threads):
    hang, done, free = threading.Event(), threading.Event(), threading.Event()
    lanes.submit("acme", 1, lambda: hang.wait(PATIENCE))
    refuse_threads("live_1")
    assert lanes.submit("depot", 1, done.set)
    assert not done.wait(0.1)
    hang.set()
    assert done.wait(PATIENCE)
    assert lanes.submit("depot", 1, free.set)
    assert free.wait(PATIENCE)


def test_closed_lanes_drop_what_waits_and_start_anew(lanes):
    hang, dropped, done = threading.Event(), threading.Event(), threading.Event()
    lanes.submit("acme", 1, lambda: hang.wait(PATIENCE))
    lanes.submit("acme", 1, dropped.set)
    lanes.close()
    lanes.close()
    hang.set()
    assert lanes.submit("depot", 1, done.set)
    assert done.wait(PATIENCE)
    assert not dropped.is_set()


def test_a_promise_is_waited_for_until_it_is_kept_or_the_deadline():
    kept, open_ = Promise(), Promise()
    kept.keep("here")
    Promise.wait([kept], time.monotonic() + PATIENCE)
    Promise.wait([kept, open_], time.monotonic() - 1)
    assert (kept.kept, kept.answer, open_.kept) == (True, "here", False)
