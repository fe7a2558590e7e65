import json
import re

import pytest
from structlog.testing import capture_logs

from main.service.accounts import AccountService
from main.service.errors import InvalidAccount, NameTaken, NotFound, StoreDown, Unavailable
from main.service.model import Role
from test.fakes import NOW, FakeClock, MemoryAccounts

GOOD = "violet anvil hums low"
OTHER = "seven grey kites resting"


class FakeHasher:
    """Hashes that can be read: ``cost|password``; it notes every hash that was checked, and for which password."""

    def __init__(self, cost: int = 1) -> None:
        self.cost = cost
        self.checked: list[str] = []
        self.tried: list[str] = []
        self.full = False

    def hash(self, password: str) -> str:
        if self.full:
            raise Unavailable("Too many passwords are being checked at the moment.", retry_after=2)
        return f"{self.cost}|{password}"

    def verify(self, password_hash: str, password: str) -> bool:
        self.checked.append(password_hash)
        self.tried.append(password)
        return password_hash.partition("|")[2] == password

    def needs_rehash(self, password_hash: str) -> bool:
        return int(password_hash.partition("|")[0]) < self.cost

    def decoy(self) -> str:
        return f"{self.cost}|\0decoy"


class FakeFirstPassword:
    """Keeps what was shown."""

    def __init__(self) -> None:
        self.shown: list[tuple[str, str]] = []
        self.forgotten = 0

    def show(self, username: str, password: str) -> None:
        self.shown.append((username, password))

    def forget(self) -> None:
        self.forgotten += 1


@pytest.fixture
def store():
    return MemoryAccounts()


@pytest.fixture
def hasher():
    return FakeHasher()


@pytest.fixture
def first():
    return FakeFirstPassword()


@pytest.fixture
def accounts(store, hasher, first):
    return AccountService(store, hasher, first, FakeClock())


@pytest.fixture
def ada(accounts):
    return accounts.add("Ada", GOOD, Role.EDITOR)


# adding


def test_an_account_is_made_with_the_hash_of_its_password(accounts, ada):
    assert (ada.username, ada.role, ada.enabled, ada.created_at, ada.password_hash) == (
        "Ada",
        Role.EDITOR,
        True,
        NOW,
        f"1|{GOOD}",
    )
    assert accounts.find_all() == [ada]
    assert accounts.get("ADA") == ada


@pytest.mark.parametrize(
    "name", ["", " ada", "ada lovelace", "ädä", "-ada", ".ada", "ada\n", "a" * 65, "ada\x00", "<b>", "\ud800"]
)
def test_a_name_that_is_not_allowed_is_refused_with_what_is(accounts, name):
    with pytest.raises(InvalidAccount, match="allowed: 1 to 64 of a-z, A-Z, 0-9 and"):
        accounts.add(name, GOOD, Role.READER)
    assert accounts.find_all() == []


@pytest.mark.parametrize("name", ["a", "Ada.Lovelace", "ada@shop.example", "4you", "a" * 64, "till_4+north"])
def test_names_and_mail_addresses_are_allowed(accounts, name):
    assert accounts.add(name, GOOD, Role.READER).username == name


def test_a_name_that_is_taken_is_refused_before_a_password_is_asked_for(accounts, ada):
    for call in (lambda: accounts.check_new("ada"), lambda: accounts.add("ADA", GOOD, Role.READER)):
        with pytest.raises(NameTaken):
            call()


@pytest.mark.parametrize(
    ("password", "fault"),
    [("hunter2", "too short"), ("passwordpassword", "most common"), ("adaadaadaadaada", "is the username")],
)
def test_a_weak_password_is_refused_with_the_reason_and_not_shown(accounts, store, password, fault):
    def add():
        accounts.add("Ada", password, Role.READER)

    def change():
        store.add("Ada", "hash", Role.READER, NOW)
        accounts.change_password("ada", password)

    for call in (add, change):
        with pytest.raises(InvalidAccount, match=fault) as caught:
            call()
        assert password not in str(caught.value)


def test_how_long_a_password_must_be_is_a_setting(store, hasher, first):
    lax = AccountService(store, hasher, first, FakeClock(), password_min=8)
    assert lax.add("ada", "k9$Kq!v2", Role.READER)
    with pytest.raises(InvalidAccount, match="allowed: 20 to 128"):
        AccountService(store, hasher, first, FakeClock(), password_min=20).change_password("ada", "k9$Kq!v2Lm#8Wz1")


# changing


def test_another_password_ends_every_login(accounts, store, ada):
    store.start_family(ada.id, "family", "first", NOW.replace(year=2030))
    assert accounts.change_password("ADA", OTHER) == ada
    assert accounts.verify("Ada", GOOD) is None
    assert accounts.verify("Ada", OTHER).generation == ada.generation + 1
    assert not store.rotate("family", "first", "second", NOW)


def test_switching_off_keeps_out_and_switching_on_lets_in_again(accounts, store, ada):
    assert not accounts.set_enabled("ada", enabled=False).enabled
    assert accounts.verify("Ada", GOOD) is None
    assert store.revocations().generations == {ada.id: None}
    assert accounts.set_enabled("ada", enabled=True).enabled
    assert accounts.verify("Ada", GOOD).id == ada.id


def test_there_must_be_such_an_account(accounts):
    for call in (
        lambda: accounts.get("nobody"),
        lambda: accounts.change_password("nobody", GOOD),
        lambda: accounts.set_enabled("nobody", enabled=False),
    ):
        with pytest.raises(NotFound) as caught:
            call()
        assert (caught.value.what, caught.value.name) == ("account", "nobody")


# verifying


def test_the_longest_password_is_known_however_many_characters_it_is_written_with(accounts):
    # Each letter with three marks, which compose to one character: 128 of them, written with 512.
    letters = [f"{letter}{breathing}\u0342\u0345" for letter in "αηωΑΗΩ" for breathing in "\u0313\u0314"]
    written = "".join(letters[number**2 % 11] for number in range(128))
    made = accounts.add("zoe", written, Role.READER)
    assert (len(written), len(made.password_hash.partition("|")[2])) == (512, 128)
    assert accounts.verify("zoe", written) == made


def test_the_right_password_is_known_under_any_spelling_of_the_name_and_of_the_password(accounts):
    made = accounts.add("Zoe", "caf\u00e9 au lait chaud", Role.READER)
    assert accounts.verify("ZOE", "cafe\u0301\u00a0au lait chaud") == made
    assert accounts.verify("zoe", "CAF\u00c9 au lait chaud") is None


def test_one_hash_of_the_same_cost_is_checked_whoever_asks(accounts, store, hasher, ada):
    ben = accounts.add("ben", OTHER, Role.READER)
    accounts.set_enabled("ben", enabled=False)
    for name, password in (("ada", "wrong"), ("nobody", GOOD), ("", ""), ("ben", OTHER), ("\ud800", "x"), ("ada", "x" * 10**6)):
        assert accounts.verify(name, password) is None
    decoy = hasher.decoy()
    assert hasher.checked == [ada.password_hash, decoy, decoy, ben.password_hash, decoy, ada.password_hash]


def test_what_is_longer_than_any_password_is_not_hashed_and_takes_as_long_as_a_wrong_one(accounts, hasher, ada):
    for characters in (512, 513, 1_000_000):
        assert accounts.verify("ada", "x" * characters) is None
    assert hasher.tried == ["x" * 512, "", ""]
    assert hasher.checked == [ada.password_hash] * 3


def test_the_decoy_is_nobodys_password(accounts, hasher):
    assert accounts.verify("nobody", hasher.decoy().partition("|")[2]) is None


def test_a_hash_is_made_anew_at_login_when_the_parameters_have_risen(accounts, store, hasher, ada):
    hasher.cost = 2
    assert accounts.verify("ada", "wrong") is None
    assert store.get(ada.id).password_hash == f"1|{GOOD}"
    assert accounts.verify("ada", GOOD) == ada
    assert (store.get(ada.id).password_hash, store.get(ada.id).generation) == (f"2|{GOOD}", ada.generation)
    assert accounts.verify("ada", GOOD).id == ada.id


def test_a_password_that_was_changed_during_a_login_is_not_put_back_by_the_new_hash_of_the_old_one(
    accounts, store, hasher, ada, monkeypatch
):
    hasher.cost = 2
    really = hasher.hash

    def hash_late(password):
        monkeypatch.setattr(hasher, "hash", really)
        accounts.change_password("ada", OTHER)
        return really(password)

    monkeypatch.setattr(hasher, "hash", hash_late)
    assert accounts.verify("ada", GOOD) == ada
    assert store.get(ada.id).password_hash == f"2|{OTHER}"


@pytest.mark.parametrize("trouble", ["full", "down"])
def test_a_hash_that_cannot_be_made_anew_keeps_nobody_out(accounts, store, hasher, ada, trouble, monkeypatch):
    hasher.cost, hasher.full = 2, trouble == "full"

    def fail(*_, **__):
        raise StoreDown

    if trouble == "down":
        monkeypatch.setattr(store, "set_password", fail)
    with capture_logs() as logs:
        assert accounts.verify("ada", GOOD) == ada
    assert [line["event"] for line in logs] == ["accounts.not_rehashed"]


def test_too_many_and_a_store_that_is_down_are_no_wrong_password(accounts, store, hasher, ada):
    hasher.full = True
    with pytest.raises(Unavailable):
        accounts.change_password("ada", OTHER)
    store.down = True
    with pytest.raises(StoreDown):
        accounts.verify("ada", GOOD)


# the first admin


def test_the_first_start_makes_an_admin_whose_password_is_shown_once(accounts, first):
    assert [accounts.ensure_first_admin() for _ in range(2)] == [True, False]
    ((username, password),) = first.shown
    assert username == "admin"
    assert re.fullmatch("[a-z2-9]{5}(-[a-z2-9]{5}){4}", password)
    assert not set("ilo") & set(password)
    assert accounts.verify("admin", password).role is Role.ADMIN


def test_no_two_installations_get_the_same_password(first):
    for _ in range(2):
        AccountService(MemoryAccounts(), FakeHasher(), first, FakeClock()).ensure_first_admin()
    assert first.shown[0] != first.shown[1]


def test_where_there_is_any_account_none_is_made(accounts, first, ada):
    assert accounts.ensure_first_admin() is False
    assert first.shown == []


def test_of_processes_that_start_at_once_one_makes_the_admin(accounts, store, first, monkeypatch):
    store.add("admin", "hash", Role.ADMIN, NOW)
    before, really = iter([[]]), store.find_all
    monkeypatch.setattr(store, "find_all", lambda: next(before, really()))
    assert accounts.ensure_first_admin() is False
    assert first.shown == []


def test_what_was_kept_of_the_first_password_goes_with_its_first_change(accounts, first, ada):
    accounts.ensure_first_admin()
    accounts.add("admin", GOOD, Role.ADMIN)
    accounts.change_password("ada", OTHER)
    assert first.forgotten == 0
    accounts.change_password("ADMIN", OTHER)
    assert first.forgotten == 1


def test_no_log_line_holds_a_password_or_a_hash(accounts, first):
    with capture_logs() as logs:
        accounts.ensure_first_admin()
        accounts.add("ben", GOOD, Role.READER)
        accounts.change_password("ben", OTHER)
        accounts.set_enabled("ben", enabled=False)
        accounts.verify("ben", GOOD)
    assert [line["event"] for line in logs] == ["accounts.added", "accounts.password_changed", "accounts.switched"]
    assert not any(secret in str(logs) for secret in (GOOD, OTHER, first.shown[0][1]))


# taking over an old users.json


def take_over(accounts, *entries, **options):
    return [(done.name, done.account, done.remark) for done in accounts.take_over(json.dumps(entries).encode(), **options)]


def test_old_users_keep_their_ids_roles_and_passwords(accounts):
    entries = [
        {"id": 7, "username": "ben", "password": GOOD, "role": "editor"},
        {"id": 3, "username": "cleo", "password": OTHER},
    ]
    (_, ben, _), (_, cleo, _) = take_over(accounts, *entries)
    assert ((ben.id, ben.role), (cleo.id, cleo.role)) == ((7, Role.EDITOR), (3, Role.READER))
    assert accounts.verify("ben", GOOD) == ben
    assert accounts.verify("cleo", OTHER) == cleo


def test_a_role_can_be_given_to_those_that_have_none(accounts):
    assert take_over(accounts, {"username": "ben", "password": GOOD}, role=Role.EDITOR)[0][1].role is Role.EDITOR


def test_an_id_that_is_taken_is_said(accounts, ada):
    ((_, ben, remark),) = take_over(accounts, {"id": ada.id, "username": "ben", "password": GOOD})
    assert (ben.id != ada.id, remark) == (True, f"id {ada.id} was taken")


@pytest.mark.parametrize(
    ("entry", "remark"),
    [
        ({"username": "ben", "password": "hunter2"}, "the password is too short"),
        ({"username": "ben", "password": GOOD, "role": "root"}, "has a role that there is not; allowed: reader, editor, admin"),
        ({"username": "ben ben", "password": GOOD}, "The username is not allowed"),
        ({"username": "Ada", "password": GOOD}, "There is an account of this name already."),
        ({"username": "ben"}, "has no password"),
    ],
)
def test_an_entry_that_cannot_be_taken_over_is_left_out_with_the_reason_and_the_next_goes_through(accounts, ada, entry, remark):
    (left, account, told), (_, cleo, _) = take_over(accounts, entry, {"username": "cleo", "password": OTHER})
    assert (left, account) == (entry["username"], None)
    assert told.startswith(remark)
    assert not any(str(secret) in told for secret in ("hunter2", GOOD))
    assert cleo is not None


def test_weak_passwords_are_taken_over_when_they_are_allowed_and_named(accounts):
    weak = [{"id": 1, "username": "ben", "password": "hunter2"}, {"id": 1, "username": "cleo", "password": "letmein"}]
    (_, ben, told), (_, _, also) = take_over(accounts, *weak, allow_weak=True)
    assert told == "weak: the password is too short: 7 characters; allowed: 15 to 128"
    assert also.endswith("; id 1 was taken")
    assert accounts.verify("ben", "hunter2") == ben


def test_a_password_that_no_login_takes_is_left_out_all_the_same(accounts):
    ((_, account, told),) = take_over(accounts, {"username": "ben", "password": "x1y2z" * 40}, allow_weak=True)
    assert (account, told) == (None, "the password is too long: 200 characters; allowed: 15 to 128")


def test_nothing_is_taken_over_from_what_is_no_list(accounts):
    with pytest.raises(InvalidAccount):
        accounts.take_over(b"{}")
