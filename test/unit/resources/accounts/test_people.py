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
