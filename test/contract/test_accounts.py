"""What every account store must do, alone and when several processes use it."""

import datetime as dt
import random
import threading
from dataclasses import replace

import pytest

from main.service.errors import NameTaken, StoreDown
from main.service.model import ApiKey, Role
from main.service.ports.doors import Revocations
from test.contract.accountstores import ACCOUNT_STORES, DURABLE_ACCOUNTS
from test.contract.processes import PATIENCE, run_together, second_process

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
LATER = NOW + dt.timedelta(days=30)
KEY = ApiKey(id="k1", name="till", role=Role.READER, created_at=NOW, expires_at=LATER)
durable = pytest.mark.parametrize("backend", DURABLE_ACCOUNTS, ids=lambda backend: backend.name)


@pytest.fixture(params=ACCOUNT_STORES.values(), ids=ACCOUNT_STORES)
def backend(request):
    return request.param


@pytest.fixture
def store(backend, tmp_path):
    store = backend.make(tmp_path)
    store.open()
    yield store
    store.close()


@pytest.fixture
def ada(store):
    return store.add("Ada", "hash", Role.EDITOR, NOW)


def test_an_account_is_found_by_its_name_in_any_case_and_by_its_id(store, ada):
    assert (ada.username, ada.role, ada.enabled, ada.created_at) == ("Ada", Role.EDITOR, True, NOW)
    assert ada.password_hash == "hash"
    assert [store.find(name) for name in ("Ada", "ada", "ADA")] == [ada] * 3
    assert store.get(ada.id) == ada
    for nobody in ("", "ad", "ada ", "a%a", "\ud800"):
        assert store.find(nobody) is None
    for nothing in (0, -1, ada.id + 1, 2**63, 10**30):
        assert store.get(nothing) is None


def test_a_name_is_given_once_whatever_its_case(store, ada):
    for name in ("Ada", "ada", "aDA"):
        with pytest.raises(NameTaken, match="There is an account of this name already"):
            store.add(name, "other", Role.ADMIN, NOW)
    assert store.find_all() == [ada]
    store.add("Straße", "hash", Role.READER, NOW)
    with pytest.raises(NameTaken):
        store.add("STRASSE", "hash", Role.READER, NOW)


def test_all_accounts_come_by_name(store):
    for name in ("cleo", "Ada", "ben"):
        store.add(name, "hash", Role.READER, NOW)
    assert [account.username for account in store.find_all()] == ["Ada", "ben", "cleo"]


def test_a_wanted_id_is_given_where_it_is_free_and_none_is_given_twice(store, ada):
    assert store.add("ben", "hash", Role.READER, NOW, wanted_id=70).id == 70
    assert store.add("cleo", "hash", Role.READER, NOW, wanted_id=ada.id).id == 71
    assert store.add("dora", "hash", Role.READER, NOW, wanted_id=7).id == 7
    assert store.add("emil", "hash", Role.READER, NOW).id == 72


def test_another_password_ends_what_was_given_so_far_and_a_rehash_does_not(store, ada):
    store.start_family(ada.id, "family", "first", LATER)
    store.set_password(ada.id, "rehashed", revoke=False)
    assert store.get(ada.id) == replace(ada, password_hash="rehashed")
    assert store.rotate("family", "first", "second", NOW)
    store.set_password(ada.id, "other", revoke=True)
    assert store.get(ada.id) == replace(ada, password_hash="other", generation=ada.generation + 1)
    assert not store.rotate("family", "second", "third", NOW)
    assert store.revocations().generations == {ada.id: ada.generation + 1}


def test_a_rehash_that_comes_after_another_password_changes_nothing(store, ada):
    store.set_password(ada.id, "other", revoke=True)
    store.set_password(ada.id, "rehashed", revoke=False, instead_of="hash")
    assert store.get(ada.id).password_hash == "other"
    store.set_password(ada.id, "rehashed", revoke=False, instead_of="other")
    assert store.get(ada.id) == replace(ada, password_hash="rehashed", generation=ada.generation + 1)


def test_switching_an_account_off_ends_what_was_given_for_good(store, ada):
    store.start_family(ada.id, "family", "first", LATER)
    store.set_enabled(ada.id, enabled=False)
    assert not store.get(ada.id).enabled
    assert store.revocations().generations == {ada.id: None}
    assert not store.rotate("family", "first", "second", NOW)
    store.set_enabled(ada.id, enabled=True)
    assert store.get(ada.id).enabled
    assert store.revocations().generations[ada.id] > ada.generation
    assert not store.rotate("family", "first", "second", NOW)


def test_what_happens_to_one_account_leaves_the_others_alone(store, ada):
    ben = store.add("ben", "hash", Role.READER, NOW)
    store.start_family(ben.id, "bens", "first", LATER)
    store.set_password(ada.id, "other", revoke=True)
    store.set_enabled(ada.id, enabled=False)
    store.set_password(99, "nobodys", revoke=True)
    assert store.get(ben.id) == ben
    assert store.rotate("bens", "first", "second", NOW)


def test_a_refresh_token_works_once_and_using_it_again_ends_the_family(store, ada):
    store.start_family(ada.id, "family", "first", LATER)
    store.start_family(ada.id, "other", "first", LATER)
    assert store.rotate("family", "first", "second", NOW)
    assert store.rotate("family", "second", "third", NOW)
    assert "family" not in store.revocations().ended
    assert not store.rotate("family", "second", "fourth", NOW)
    assert "family" in store.revocations().ended
    assert not store.rotate("family", "third", "fourth", NOW)
    assert store.rotate("other", "first", "second", NOW)


def test_a_family_that_is_over_or_unknown_gives_nothing(store, ada):
    store.start_family(ada.id, "family", "first", LATER)
    assert not store.rotate("family", "first", "second", LATER)
    assert not store.rotate("nobodys", "first", "second", NOW)


def test_a_login_goes_on_until_it_is_ended_or_over_whatever_becomes_of_its_refresh_tokens(store, ada):
    store.start_family(ada.id, "family", "first", LATER)
    store.start_family(ada.id, "other", "first", LATER)
    assert store.rotate("family", "first", "second", NOW)
    assert store.has_family("family", NOW)
    assert not store.has_family("family", LATER)
    assert not store.has_family("nobodys", NOW)
    store.end_family("family")
    assert not store.has_family("family", NOW)
    assert not store.rotate("other", "used before", "second", NOW)
    assert not store.has_family("other", NOW)


def test_a_login_that_was_ended_is_told_and_stays_ended(store, ada):
    store.start_family(ada.id, "family", "first", LATER)
    before = store.revocations()
    store.end_family("family")
    store.end_family("family")
    store.end_family("nobodys")
    assert before == Revocations(frozenset(), {ada.id: ada.generation})
    assert store.revocations().ended >= {"family"}
    assert not store.rotate("family", "first", "second", NOW)


def test_an_account_is_known_to_revocations_as_soon_as_it_is_there(store, ada):
    assert store.revocations().generations == {ada.id: ada.generation}
    ben = store.add("ben", "hash", Role.READER, NOW)
    assert store.revocations().generations == {ada.id: ada.generation, ben.id: ben.generation}


def test_a_key_is_found_by_its_digest_and_listed_newest_first(store):
    newer = replace(KEY, id="k2", created_at=NOW + dt.timedelta(hours=1), expires_at=None)
    store.add_key(KEY, b"one")
    store.add_key(newer, b"two")
    assert (store.find_key(b"one"), store.find_key(b"two"), store.find_key(b"")) == (KEY, newer, None)
    assert store.keys() == [newer, KEY]


def test_a_key_that_was_revoked_is_still_found_and_says_when_that_was(store):
    store.add_key(KEY, b"one")
    assert not store.revoke_key("nobodys", NOW)
    assert store.revoke_key("k1", NOW)
    assert store.revoke_key("k1", LATER)
    assert store.find_key(b"one").revoked_at == NOW


def test_it_is_noted_when_a_key_was_last_used(store):
    store.add_key(KEY, b"one")
    for seconds in (1, 600):
        store.touch_key("k1", NOW + dt.timedelta(seconds=seconds))
    store.touch_key("nobodys", NOW)
    assert store.find_key(b"one").last_used_at == NOW + dt.timedelta(seconds=600)


def test_a_store_that_is_down_says_so_in_our_words(backend, store, ada, tmp_path):
    backend.damage(tmp_path, store)
    for call in (
        store.ping,
        store.find_all,
        store.revocations,
        store.keys,
        lambda: store.add("ben", "hash", Role.READER, NOW),
        lambda: store.find("ada"),
        lambda: store.get(1),
        lambda: store.set_password(1, "hash", revoke=True),
        lambda: store.set_enabled(1, enabled=False),
        lambda: store.start_family(1, "family", "first", LATER),
        lambda: store.rotate("family", "first", "second", NOW),
        lambda: store.end_family("family"),
        lambda: store.add_key(KEY, b"one"),
        lambda: store.find_key(b"one"),
        lambda: store.revoke_key("k1", NOW),
    ):
        with pytest.raises(StoreDown):
            call()
    store.touch_key("k1", NOW)


def test_many_threads_at_once_use_a_refresh_token_and_one_wins(store, ada):
    store.start_family(ada.id, "family", "first", LATER)
    together, answers = threading.Barrier(8), []

    def use(name):
        together.wait(20)
        answers.append(store.rotate("family", "first", name, NOW))

    threads = [threading.Thread(target=use, args=(str(number),)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert sorted(answers) == [False] * 7 + [True]
    assert "family" in store.revocations().ended


def child(backend, folder, action, argument=""):
    return second_process("test.contract.accountchild", backend.name, folder, action, argument)


@durable
def test_eight_processes_write_at_once_and_nothing_is_lost_or_doubled(backend, store, tmp_path):
    answers = run_together(child(backend, tmp_path, "add", name) for name in "abcdefgh")
    assert sorted(answers) == ["taken"] * 7 + ["won"]
    found = store.find_all()
    assert len(found) == len({account.id for account in found}) == 81
    assert store.find("everybodys").password_hash == "abcdefgh"[answers.index("won")]


@durable
def test_a_refresh_token_used_by_several_processes_at_once_is_won_by_one_and_ends_the_family(backend, store, ada, tmp_path):
    store.start_family(ada.id, "family", "first", LATER)
    answers = run_together(child(backend, tmp_path, "rotate", name) for name in "abcd")
    assert sorted(answers) == ["False"] * 3 + ["True"]
    assert "family" in store.revocations().ended
    assert not store.rotate("family", "abcd"[answers.index("True")], "next", NOW)


@durable
def test_what_was_kept_survives_kill_minus_nine(backend, store, tmp_path):
    rng = random.Random(4)
    for round_ in range(5):
        with child(backend, tmp_path, "forever", str(round_)) as process:
            said = [process.stdout.readline() for _ in range(rng.randint(1, 6))]
            process.kill()
            said += process.stdout.readlines()
        names = {line.strip() for line in said if line.endswith("\n")}
        kept = {account.username for account in store.find_all() if account.username.startswith(f"{round_}-")}
        assert names <= kept
        assert len(kept - names) <= 1


@durable
def test_a_running_process_sees_at_once_that_another_switched_an_account_off(backend, store, ada, tmp_path):
    with child(backend, tmp_path, "watch") as process:
        assert process.stdout.readline() == "ready\n"
        store.set_enabled(ada.id, enabled=False)
        assert process.stdout.readline() == "off\n"
