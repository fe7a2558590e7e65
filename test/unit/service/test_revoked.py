import threading

import pytest

from main.service.errors import StoreDown
from main.service.model import Role
from main.service.revoked import HELD, Revoked
from test.fakes import NOW, FakeClock, MemoryAccounts


class Counted(MemoryAccounts):
    """A store that counts its readings, each of which can be made to wait."""

    def __init__(self):
        super().__init__()
        self.readings = 0
        self.gate = threading.Event()
        self.gate.set()

    def revocations(self):
        self.readings += 1
        self.gate.wait(10)
        return super().revocations()


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def store():
    return Counted()


@pytest.fixture
def revoked(store, clock):
    return Revoked(store, clock)


def test_the_store_is_read_at_most_twice_a_second(revoked, store, clock):
    for _ in range(100):
        revoked.read()
    assert store.readings == 1
    clock.advance(HELD)
    revoked.read()
    assert (store.readings, HELD) == (2, 0.5)


def test_what_this_process_ends_is_seen_at_once(revoked, store):
    ada = store.add("ada", "h", Role.READER, NOW)
    assert revoked.read().generations == {ada.id: 1}
    store.set_enabled(ada.id, enabled=False)
    revoked.forget()
    assert revoked.read().generations == {ada.id: None}


def test_a_store_that_is_down_lets_nobody_in(revoked, store, clock):
    revoked.read()
    store.down = True
    clock.advance(HELD)
    with pytest.raises(StoreDown):
        revoked.read()
    store.down = False
    assert revoked.read().ended == frozenset()


def test_threads_that_come_together_read_the_store_once(revoked, store):
    store.gate.clear()
    found = []
    threads = [threading.Thread(target=lambda: found.append(revoked.read())) for _ in range(8)]
    for thread in threads:
        thread.start()
    while not store.readings:
        pass
    store.gate.set()
    for thread in threads:
        thread.join()
    assert (store.readings, len(found)) == (1, 8)
