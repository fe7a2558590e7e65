import json

import pytest

from main.service.errors import InvalidAccount
from main.service.oldusers import OldUser, read_old_users


def test_entries_are_read_in_their_order():
    text = json.dumps(
        [{"id": 1, "username": "ada", "password": "x", "role": "admin", "more": 1}, {"username": "ben", "password": "y"}]
    )
    assert read_old_users(text.encode()) == [OldUser("ada", "x", 1, "admin"), OldUser("ben", "y")]


@pytest.mark.parametrize("wanted", [1, 2**53])
def test_an_id_from_one_up_to_what_every_json_reader_can_tell_from_the_next_is_wanted(wanted):
    (user,) = read_old_users(json.dumps([{"id": wanted, "username": "ada", "password": "x"}]).encode())
    assert (user.id, user.fault) == (wanted, None)


@pytest.mark.parametrize("wanted", [0, -1, 2**53 + 1, 2**60, "7", 1.5, True, None, []])
def test_an_id_that_is_none_is_not_wanted(wanted):
    (user,) = read_old_users(json.dumps([{"id": wanted, "username": "ada", "password": "x"}]).encode())
    assert (user.id, user.fault) == (None, None)


@pytest.mark.parametrize(
    ("entry", "name", "fault"),
    [
        ("ada", "entry 1", "is no mapping with username and password"),
        (None, "entry 1", "is no mapping with username and password"),
        ({}, "entry 1", "has no username"),
        ({"username": "", "password": "hunter2"}, "entry 1", "has no username"),
        ({"username": 7, "password": "hunter2"}, "entry 1", "has no username"),
        ({"username": "ada"}, "ada", "has no password"),
        ({"username": "ada", "password": ""}, "ada", "has no password"),
        ({"username": "ada", "password": ["hunter2"]}, "ada", "has no password"),
        ({"username": "ada", "password": "hunter2", "role": 3}, "ada", "has a role that is no text"),
    ],
)
def test_an_entry_that_cannot_be_used_says_why_and_does_not_show_its_password(entry, name, fault):
    (user,) = read_old_users(json.dumps([entry]).encode())
    assert (user.name, user.fault) == (name, fault)
    assert "hunter2" not in repr(user)


def test_a_password_does_not_show():
    assert "hunter2" not in repr(read_old_users(b'[{"username": "ada", "password": "hunter2"}]'))


@pytest.mark.parametrize("text", [b"", b"\xff\xfe", b'[{"password": "hunter2"', b"[" * 100_000, b"[" + b"9" * 5000 + b"]"])
def test_what_is_not_json_is_refused_without_showing_it(text):
    with pytest.raises(
        InvalidAccount,
        match=r"^The file is not JSON( \(line 1, column \d+\))?; allowed: a list of \{id, username, password, role\}\.$",
    ) as caught:
        read_old_users(text)
    assert "hunter2" not in str(caught.value)


def test_where_json_breaks_off_is_said():
    with pytest.raises(InvalidAccount, match=r"line 2, column 1"):
        read_old_users(b"[\n")


@pytest.mark.parametrize("text", [b"{}", b'"hunter2"', b"7", b"null"])
def test_what_is_no_list_is_refused(text):
    with pytest.raises(InvalidAccount, match="The file holds no list"):
        read_old_users(text)
