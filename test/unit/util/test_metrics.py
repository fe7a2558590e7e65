"""Durations and counts by name."""

import threading

from main.util.metrics import Counters, Timing, Timings


def test_a_name_has_its_count_mean_and_longest_run():
    timings = Timings()
    for milliseconds in (1.0, 2.0, 6.0):
        timings.record("find", milliseconds)
    assert timings.snapshot() == {"find": Timing(3, 3.0, 6.0)}


def test_names_come_sorted_and_figures_to_the_microsecond():
    timings = Timings()
    timings.record("b", 0.12345)
    timings.record("a", 1 / 3)
    assert list(timings.snapshot().items()) == [("a", Timing(1, 0.333, 0.333)), ("b", Timing(1, 0.123, 0.123))]


def test_nothing_recorded_is_an_empty_snapshot():
    assert Timings().snapshot() == {}


def test_a_snapshot_does_not_change_afterwards():
    timings = Timings()
    timings.record("a", 1)
    before = timings.snapshot()
    timings.record("a", 5)
    assert before == {"a": Timing(1, 1, 1)}


def test_many_threads_lose_no_run():
    timings = Timings()

    def record() -> None:
        for _ in range(1000):
            timings.record("a", 1)

    threads = [threading.Thread(target=record) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert timings.snapshot()["a"].count == 8000


def test_counts_add_up_by_name_and_come_sorted():
    counters = Counters()
    counters.add("b")
    counters.add("a", 3)
    before = counters.snapshot()
    counters.add("b")
    assert list(before.items()) == [("a", 3), ("b", 1)]
    assert counters.snapshot() == {"a": 3, "b": 2}


def test_many_threads_lose_no_count():
    counters = Counters()
    threads = [threading.Thread(target=lambda: [counters.add("a") for _ in range(1000)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counters.snapshot() == {"a": 8000}
