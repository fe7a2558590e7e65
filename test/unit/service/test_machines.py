import datetime as dt
import hashlib

import pytest

from main.service.errors import InvalidQuery, NotFound, StoreDown, Unauthenticated
from main.service.machines import HELD, PREFIX, MachineKeys, digest_key
from main.service.model import Caller, CallerKind, Role
from test.fakes import NOW, FakeClock, MemoryAccounts

DAY = dt.timedelta(days=1)


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def store():
    return MemoryAccounts()


@pytest.fixture
def machines(store, clock):
    return MachineKeys(store, clock)


def refused(machines, text):
    with pytest.raises(Unauthenticated) as caught:
        machines.know(text)
    return (str(caught.value), caught.value.code) == ("Authorization token is invalid", "invalid_token")


def test_a_machine_is_known_by_its_key(machines):
    key, text = machines.issue("till-1", Role.EDITOR, 90 * DAY)
    assert machines.know(text) == Caller(name="till-1", kind=CallerKind.KEY, role=Role.EDITOR, token_id=key.id)
    assert (key.created_at, key.expires_at, key.role) == (NOW, NOW + 90 * DAY, Role.EDITOR)


def test_a_key_is_kept_as_a_digest_only(machines, store):
    key, text = machines.issue("till-1", Role.READER, None)
    assert text.startswith(PREFIX)
    assert store.api_keys == {digest_key(text): key}
    assert text not in repr(store)
    assert text[len(PREFIX) :] not in repr(store)


def test_the_digest_is_that_of_the_whole_key_and_of_no_other(machines, store):
    one, two = (machines.issue(name, Role.READER, None) for name in ("till-1", "till-2"))
    assert {digest: key.name for digest, key in store.api_keys.items()} == {
        hashlib.sha256(text.encode()).digest(): key.name for key, text in (one, two)
    }
    assert [machines.know(text).name for _, text in (one, two)] == ["till-1", "till-2"]


def test_no_two_keys_are_alike(machines):
    made = [machines.issue("till-1", Role.READER, None) for _ in range(20)]
    assert len({key.id for key, _ in made}) == len({text for _, text in made}) == 20
    assert {len(key.id) for key, _ in made} == {12}
    assert machines.find_all()


def test_a_key_ends_when_its_time_is_over(machines, clock):
    _, text = machines.issue("till-1", Role.READER, DAY)
    clock.advance(DAY.total_seconds() - 1)
    assert machines.know(text)
    clock.advance(1)
    assert refused(machines, text)


def test_a_key_without_an_end_lasts(machines, clock):
    _, text = machines.issue("till-1", Role.READER, None)
    clock.advance(10_000 * 86400)
    assert machines.know(text)


def test_a_key_that_is_revoked_is_refused_within_a_second_by_every_process(machines, store, clock):
    other = MachineKeys(store, clock)
    key, text = machines.issue("till-1", Role.READER, None)
    assert other.know(text)
    machines.revoke(key.id)
    assert HELD < 1
    clock.advance(HELD)
    assert refused(machines, text)
    assert refused(other, text)
    assert machines.find_all()[0].revoked_at == NOW


def test_the_store_is_asked_at_most_twice_a_second(machines, store, clock):
    _, text = machines.issue("till-1", Role.READER, None)
    machines.know(text)
    store.down = True
    assert machines.know(text)
    clock.advance(HELD)
    with pytest.raises(StoreDown):
        machines.know(text)


def test_it_is_noted_when_a_key_was_used(machines, clock):
    _, text = machines.issue("till-1", Role.READER, None)
    clock.advance(60)
    machines.know(text)
    assert machines.find_all()[0].last_used_at == clock.now()


@pytest.mark.parametrize("text", [PREFIX, "x" * 49, PREFIX + "x" * 43, PREFIX + "x" * 42, PREFIX + "x" * 44, PREFIX + "é" * 43])
def test_what_is_no_key_is_refused(machines, text):
    assert refused(machines, text)


def test_what_has_not_the_form_of_a_key_costs_no_question(machines, store):
    store.down = True
    assert refused(machines, PREFIX + "x" * 100_000)


@pytest.mark.parametrize("name", ["", "-a", "a b", "a\n", "x" * 65, "é", "[red]"])
def test_a_name_is_short_and_plain(machines, name):
    with pytest.raises(InvalidQuery) as caught:
        machines.issue(name, Role.READER, None)
    assert list(caught.value.errors) == ["name"]


def test_a_key_that_is_not_there_cannot_be_ended(machines):
    with pytest.raises(NotFound) as caught:
        machines.revoke("nope")
    assert (caught.value.what, caught.value.name) == ("key", "nope")
