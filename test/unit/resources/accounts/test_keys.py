import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

from main.resources.accounts.store import SqliteAccounts
from main.service.model import ApiKey, Role
from test.fakes import NOW

KEY = ApiKey(id="k1", name="till 4", role=Role.EDITOR, created_at=NOW, expires_at=None, revoked_at=None, last_used_at=None)


def test_every_part_of_a_key_comes_back(store):
    key = ApiKey(
        id="k1",
        name="till 4",
        role=Role.EDITOR,
        created_at=NOW,
        expires_at=NOW + timedelta(days=90),
        revoked_at=NOW + timedelta(days=1),
        last_used_at=NOW + timedelta(hours=2),
    )
    store.add_key(key, b"\x00\xff")
    assert store.find_key(b"\x00\xff") == key


def ids_of(store):
    listed = store.keys()
    return {key.id for key in listed}


@pytest.mark.parametrize("end", ["expires_at", "revoked_at"])
def test_a_key_that_ended_is_listed_for_another_thirty_days(store, clock, end):
    store.add_key(replace(KEY, **{end: NOW}), b"one")
    clock.advance(30 * 86_400)
    store.add_key(replace(KEY, id="k2"), b"two")  # whoever adds one sweeps
    assert ids_of(store) == {"k1", "k2"}
    clock.advance(0.001)
    store.add_key(replace(KEY, id="k3"), b"three")
    assert ids_of(store) == {"k2", "k3"}


def test_the_last_use_of_a_key_is_known_to_five_minutes_whichever_process_sees_it(store, path, clock):
    store.add_key(KEY, b"one")
    noted = []
    for seconds in (0, 299.999, 300):
        with closing(SqliteAccounts(path, clock)) as other:  # it has noted nothing so far
            other.touch_key("k1", NOW + timedelta(seconds=seconds))
        noted.append(store.find_key(b"one").last_used_at - NOW)
    assert noted == [timedelta(), timedelta(), timedelta(seconds=300)]


def test_a_process_that_has_just_noted_a_use_does_not_go_to_the_disk_for_the_next(store, path):
    store.add_key(KEY, b"one")
    store.touch_key("k1", NOW)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE api_key SET last_used_at = NULL")
    store.touch_key("k1", NOW + timedelta(seconds=299.999))
    assert store.find_key(b"one").last_used_at is None
    store.touch_key("k1", NOW + timedelta(seconds=300))
    assert store.find_key(b"one").last_used_at == NOW + timedelta(seconds=300)
