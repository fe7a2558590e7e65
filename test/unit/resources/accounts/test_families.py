from datetime import timedelta

from main.resources.accounts.families import REMEMBERED
from main.service.model import Role
from test.fakes import NOW
from test.unit.resources.conftest import fetch


def test_a_login_that_ended_is_remembered_for_longer_than_an_access_token_lives():
    assert timedelta(minutes=15) * 2 < REMEMBERED


def test_a_login_keeps_the_time_at_which_it_first_ended(path, store, clock):
    ada = store.add("ada", "hash", Role.READER, NOW)
    store.start_family(ada.id, "family", "one", NOW + timedelta(days=1))
    store.end_family("family")
    ended = fetch(path, "SELECT ended_at FROM token_family")
    clock.advance(60)
    store.end_family("family")
    store.set_password(ada.id, "other", revoke=True)
    assert fetch(path, "SELECT ended_at FROM token_family") == ended
