"""Answers that are kept in the store."""

import os
import sqlite3
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from main.resources.catalogue.reader import SqliteReader
from main.resources.replies.sqlite import KEPT, LEASE, SqliteReplies
from main.service.errors import StoreDown
from main.service.model import Begun, Claim, Reply, Standing
from main.util.processes import own_mark
from test.fakes import NOW

ROOT = Path(__file__).parents[4]
REPLY = Reply(202, (("Content-Type", "application/json"), ("Location", "/ü")), b'{"id": 1}\x00\xff')


def claim(number=1, **given):
    values = {"scope": "account:ada", "key": "k", "fingerprint": b"one", "owner": f"{own_mark()}#{number}"}
    return Claim(**{**values, **given})


@pytest.fixture
def path(tmp_path):
    reader = SqliteReader(tmp_path / "aisle.db")
    reader.open()
    reader.close()
    return tmp_path / "aisle.db"


@pytest.fixture
def replies(path):
    return SqliteReplies(path)


def test_a_new_key_is_taken_and_its_answer_given_again_with_every_byte(replies, path):
    assert replies.begin(claim(), NOW) == Begun(Standing.NEW)
    replies.finish(claim(), REPLY, NOW)
    assert SqliteReplies(path).begin(claim(2), NOW) == Begun(Standing.DONE, REPLY)


def test_a_key_that_is_under_way_says_so(replies):
    replies.begin(claim(), NOW)
    assert replies.begin(claim(2), NOW) == Begun(Standing.UNDER_WAY)


def test_a_key_of_another_request_says_so_before_and_after_its_end(replies):
    replies.begin(claim(), NOW)
    other = claim(2, fingerprint=b"two")
    assert replies.begin(other, NOW) == Begun(Standing.OTHER)
    replies.finish(claim(), REPLY, NOW)
    assert replies.begin(other, NOW) == Begun(Standing.OTHER)


def test_everybody_has_keys_of_their_own(replies):
    replies.begin(claim(), NOW)
    assert replies.begin(claim(2, scope="account:bob"), NOW) == Begun(Standing.NEW)
    assert replies.begin(claim(3, key="other"), NOW) == Begun(Standing.NEW)


def test_an_answer_is_kept_for_a_day_and_then_forgotten(replies, path):
    replies.begin(claim(), NOW)
    replies.finish(claim(), REPLY, NOW)
    assert replies.begin(claim(2), NOW + KEPT - timedelta(seconds=1)).standing is Standing.DONE
    assert replies.begin(claim(3, fingerprint=b"two"), NOW + KEPT) == Begun(Standing.NEW)
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM reply").fetchone() == (1,)


def test_a_key_that_was_given_back_is_new(replies):
    replies.begin(claim(), NOW)
    replies.release(claim())
    assert replies.begin(claim(2), NOW) == Begun(Standing.NEW)


def test_an_answer_that_was_kept_is_not_given_back(replies):
    replies.begin(claim(), NOW)
    replies.finish(claim(), REPLY, NOW)
    replies.release(claim())
    assert replies.begin(claim(2), NOW).standing is Standing.DONE


def test_what_nobody_can_tell_of_is_free_after_its_lease_and_late_answers_of_it_change_nothing(replies):
    stranger = claim(owner="another machine#1")
    replies.begin(stranger, NOW)
    assert replies.begin(claim(2), NOW + LEASE - timedelta(seconds=1)) == Begun(Standing.UNDER_WAY)
    assert replies.begin(claim(2), NOW + LEASE) == Begun(Standing.NEW)
    replies.finish(stranger, replace(REPLY, status=500), NOW + LEASE)
    replies.release(stranger)
    assert replies.begin(claim(3), NOW + LEASE) == Begun(Standing.UNDER_WAY)


def test_what_a_killed_process_had_taken_is_free_at_once(replies):
    code = "import os; from main.util.processes import own_mark; print(own_mark(), flush=True)"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    replies.begin(claim(owner=f"{ended}#1"), NOW)
    assert replies.begin(claim(2), NOW) == Begun(Standing.NEW)
    assert str(os.getpid()) not in ended.split(":")


def test_a_store_that_cannot_be_used_is_told(tmp_path):
    replies = SqliteReplies(tmp_path / "nowhere" / "aisle.db")
    for step in (
        lambda: replies.begin(claim(), NOW),
        lambda: replies.finish(claim(), REPLY, NOW),
        lambda: replies.release(claim()),
    ):
        with pytest.raises(StoreDown):
            step()
