import pytest

from main.service.errors import NameTaken
from main.service.model import Role
from test.fakes import NOW
from test.unit.resources.conftest import fetch


def test_the_name_is_kept_as_it_was_written_and_compared_as_it_is_meant(path, store):
    store.add("Ada.Lovelace", "hash", Role.READER, NOW)
    assert fetch(path, "SELECT username, name_key FROM account") == [("Ada.Lovelace", "ada.lovelace")]


def test_an_id_that_no_database_can_hold_is_not_wanted(store):
    for number, wanted in enumerate((0, -7, 2**63), 1):
        assert store.add(f"user{number}", "hash", Role.READER, NOW, wanted_id=wanted).id == number


def test_an_account_does_not_show_its_hash(store):
    assert "secret-hash" not in repr(store.add("ada", "secret-hash", Role.READER, NOW))


def test_a_name_that_is_taken_in_another_case_leaves_the_account_as_it_was(store):
    ada = store.add("Ada", "hash", Role.READER, NOW)
    with pytest.raises(NameTaken, match="There is an account of this name already"):
        store.add("ADA", "other", Role.ADMIN, NOW, wanted_id=70)
    assert store.find_all() == [ada]


@pytest.mark.parametrize("number", [0, -1, 2**63 - 1, 2**63, 10**30])
def test_nobody_has_an_id_that_was_never_given_or_that_no_database_can_hold(store, number):
    store.add("ada", "hash", Role.READER, NOW)
    assert store.get(number) is None


def test_the_largest_id_that_the_database_can_hold_is_given_where_it_is_wanted(store):
    made = store.add("ada", "hash", Role.READER, NOW, wanted_id=2**63 - 1)
    assert (made.id, store.get(2**63 - 1)) == (2**63 - 1, made)
