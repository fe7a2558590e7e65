import threading
import time

import pytest
from argon2 import PasswordHasher, Type, extract_parameters
from argon2.exceptions import HashingError

from main.resources.accounts.hashing import ArgonHasher
from main.service.errors import Unavailable
from main.service.model import HashRules

CHEAP = HashRules(memory=64 * 1024, time=1)


@pytest.fixture
def hasher():
    return ArgonHasher(CHEAP)


def test_a_password_is_known_by_its_hash_which_differs_each_time(hasher):
    one, other = hasher.hash("violet anvil"), hasher.hash("violet anvil")
    assert one != other
    assert hasher.verify(one, "violet anvil")
    assert hasher.verify(other, "violet anvil")
    assert not hasher.verify(one, "violet anvil ")


def test_what_is_asked_for_by_default_is_no_less_than_what_is_advised():
    found = extract_parameters(ArgonHasher(HashRules()).hash("violet anvil"))
    assert (found.type, found.version, found.salt_len, found.hash_len) == (Type.ID, 19, 16, 32)
    assert (found.memory_cost, found.time_cost, found.parallelism) >= (19_456, 2, 1)


def test_a_hash_takes_its_time_and_not_too_much_of_it():
    hasher, taken = ArgonHasher(HashRules()), []
    for _ in range(5):
        start = time.process_time()
        hasher.hash("violet anvil")
        taken.append(time.process_time() - start)
    assert 0.001 < min(taken) < 5  # 15 to 250 ms on an idle machine of the size that is promised for


@pytest.mark.parametrize("place", [0, 72, 73, 127])
def test_every_byte_of_a_long_password_matters(hasher, place):
    long = "violet anvil hums low at dusk; " * 4 + "tidy"
    assert len(long) == 128
    changed = long[:place] + "#" + long[place + 1 :]
    hashed = hasher.hash(long)
    assert hasher.verify(hashed, long)
    assert not hasher.verify(hashed, changed)
    assert not hasher.verify(hasher.hash(long[:72]), long)


@pytest.mark.parametrize("password", ["", "\x00", "a\x00b", "\ud800", "🦉" * 128])
def test_anything_that_json_can_hold_is_a_password(hasher, password):
    assert hasher.verify(hasher.hash(password), password)
    assert not hasher.verify(hasher.hash(password), password + "x")


@pytest.mark.parametrize(
    "broken", ["", "hunter2", "$argon2id$v=19$m=64", "$2b$12$abcdefghijklmnopqrstuv", "$argon2id$v=19$m=64,t=1,p=1$x$y"]
)
def test_what_is_no_hash_is_nobodys_password(hasher, broken):
    assert hasher.verify(broken, "hunter2") is False


def test_a_hash_is_made_anew_when_the_parameters_have_risen_and_only_then(hasher):
    dearer = (HashRules(memory=65 * 1024, time=1), HashRules(memory=1100 * 1024, time=1), HashRules(memory=64 * 1024, time=2))
    for rules in dearer:
        assert ArgonHasher(rules).needs_rehash(hasher.hash("x"))
        assert not hasher.needs_rehash(ArgonHasher(rules).hash("x"))
        assert not ArgonHasher(rules).needs_rehash(ArgonHasher(rules).hash("x"))
    assert not hasher.needs_rehash(hasher.hash("x"))
    assert hasher.needs_rehash(PasswordHasher(1, 64, 1, type=Type.I).hash("x"))
    assert hasher.needs_rehash("hunter2")


def test_a_decoy_costs_what_a_real_hash_costs_and_no_password_has_it(hasher):
    for made in (hasher, ArgonHasher(HashRules())):
        assert extract_parameters(made.decoy()) == extract_parameters(made.hash("x"))
    assert hasher.decoy() != hasher.decoy()
    for password in ("", "x", hasher.decoy()):
        assert not hasher.verify(hasher.decoy(), password)


class Slow:
    """Stands for the real thing while it is at work, for as long as a test wants."""

    def __init__(self):
        self.go, self.running, self.most, self.lock = threading.Event(), 0, 0, threading.Lock()

    def hash(self, _):
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)
        self.go.wait(20)
        with self.lock:
            self.running -= 1
        return "hashed"


@pytest.mark.parametrize("slots", [1, 2])
def test_a_few_are_hashed_at_a_time_as_many_wait_and_the_rest_is_refused_at_once(slots):
    hasher, slow, done = ArgonHasher(CHEAP, slots, patience=20), Slow(), []
    hasher._argon = slow
    threads = [threading.Thread(target=lambda: done.append(hasher.hash("x"))) for _ in range(2 * slots)]
    for thread in threads:
        thread.start()
    while hasher._places._value or slow.running < slots:
        time.sleep(0.001)
    with pytest.raises(Unavailable, match="Too many passwords") as caught:
        hasher.hash("x")
    assert caught.value.retry_after == 2
    slow.go.set()
    for thread in threads:
        thread.join(20)
    assert (done, slow.most) == (["hashed"] * 2 * slots, slots)
    assert hasher.hash("x") == "hashed"


class Noting:
    """Stands for the real thing; it notes in which thread it is asked."""

    def __init__(self):
        self.threads = []

    def hash(self, _):
        self.threads.append(threading.current_thread().name)
        return "hashed"

    def verify(self, *_):
        self.threads.append(threading.current_thread().name)
        return True


def test_whatever_is_hashed_is_hashed_in_a_thread_that_the_machine_serves_last():
    hasher, noting = ArgonHasher(CHEAP), Noting()
    hasher._argon = noting
    assert (hasher.hash("x"), hasher.verify("hashed", "x")) == ("hashed", True)
    assert noting.threads == ["quiet", "quiet"]


class Full:
    """Stands for the real thing on a machine without memory."""

    def hash(self, _):
        raise HashingError


def test_a_hash_for_which_there_is_no_memory_is_the_callers_to_see(monkeypatch):
    hasher, told = ArgonHasher(CHEAP), []
    hasher._argon = Full()  # to fill a machine's memory would end more than this test
    monkeypatch.setattr(threading, "excepthook", told.append)
    with pytest.raises(HashingError):
        hasher.hash("x")
    assert told == []


def test_nobody_waits_for_long():
    hasher = ArgonHasher(CHEAP, patience=0.01)
    with hasher._turn(), pytest.raises(Unavailable):
        hasher.verify(hasher.decoy(), "x")
    assert not hasher.verify(hasher.decoy(), "x")
