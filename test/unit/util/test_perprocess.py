"""One object a process, also across a fork."""

import os
import threading

from main.util.perprocess import PerProcess


def test_nothing_is_made_before_it_is_asked_for_and_then_once():
    made = []
    held = PerProcess(lambda: made.append(1) or object())
    assert made == []
    assert held.get() is held.get()
    assert made == [1]


def test_what_was_dropped_is_made_anew():
    held = PerProcess(object)
    first = held.get()
    assert held.drop() is first
    assert held.drop() is None
    assert held.get() is not first


def test_threads_that_meet_at_the_first_call_get_the_same_object():
    barrier, found = threading.Barrier(8), []

    def make():
        barrier.wait()
        return object()

    held = PerProcess(make)
    threads = [threading.Thread(target=lambda: found.append(held.get())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, found))) == 1


def test_another_process_makes_its_own_and_forgets_its_parents(monkeypatch):
    held = PerProcess(object)
    parents = held.get()
    monkeypatch.setattr(os, "getpid", lambda: 1)
    childs = held.get()
    assert childs is not parents
    assert held.get() is childs
    assert list(held._made) == [1]  # descriptors of the parent's object are given back in the child


def test_a_fork_makes_another_object_in_the_child():
    held = PerProcess(object)
    before = id(held.get())
    keep = held.get()
    child = os.fork()
    if child == 0:
        os._exit(0 if held.get() is not keep else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert id(held.get()) == before
