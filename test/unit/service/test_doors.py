import datetime as dt
import threading
from dataclasses import replace

import pytest

from main.resources.tokens.outside import OutsideTokens
from main.service.doors import DoorService, DoorTools
from main.service.errors import StoreDown, Unauthenticated, Unavailable
from main.service.machines import MachineKeys
from main.service.model import NOBODY, Caller, CallerKind, Role, TokenTerms
from test.fakes import NOW, FakeClock, MemoryAccounts
from test.unit.resources.tokens.forging import by_key, claims, join, make_codec

TERMS = TokenTerms(issuer="aisle", audience="api", refresh=dt.timedelta(days=30))
MISSING = ("Authorization token is missing", None)
INVALID = ("Authorization token is invalid", "invalid_token")


class Passwords:
    """Whoever knows the word is the account."""

    def __init__(self, store):
        self.store = store

    def verify(self, username, password):
        account = self.store.find(username)
        return account if password == "right" else None


class Visitors:
    """Knows one token of an outside provider, and writes down what is done to it."""

    caller = Caller(name="https://id.example#7", kind=CallerKind.OUTSIDE, role=Role.READER)

    def __init__(self):
        self.journal = []

    def know(self, token):
        return self.caller if token == "outside" else None

    def open(self):
        self.journal.append("open")

    def close(self):
        self.journal.append("close")


class Signer:
    """A codec that only writes down what is done to it, and that may have no key."""

    def __init__(self, journal):
        self.journal, self.lost = journal, False

    def open(self):
        self.journal.append("open codec")

    def ping(self):
        if self.lost:
            raise Unavailable("No key.")

    def close(self):
        self.journal.append("close codec")


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def store():
    store = MemoryAccounts()
    store.add("ada", "h", Role.EDITOR, NOW)
    return store


@pytest.fixture
def make(tmp_path, store, clock):
    """Return a function that gives the door of another worker on the same store and keys."""

    def build(outsiders=None, codec=None):
        tools = DoorTools(
            passwords=Passwords(store),
            accounts=store,
            machines=MachineKeys(store, clock),
            codec=codec or make_codec(tmp_path, clock, terms=TERMS),
            outsiders=outsiders or OutsideTokens((), tmp_path, lambda _: b"", clock),
        )
        door = DoorService(tools, TERMS, clock)
        door.open()
        return door

    return build


@pytest.fixture
def door(make):
    return make()


@pytest.fixture
def other(make):
    return make()


def refusal(call, *args):
    with pytest.raises(Unauthenticated) as caught:
        call(*args)
    return str(caught.value), caught.value.code


class TestLogin:
    def test_a_right_password_gives_tokens_and_says_who_it_is(self, door):
        pair, caller = door.login("ada", "right")
        assert (caller.name, caller.kind, caller.role, caller.account_id) == ("ada", CallerKind.ACCOUNT, Role.EDITOR, 1)
        assert pair.expires_in == 900
        assert door.know(pair.access_token) == caller

    def test_another_worker_knows_the_caller(self, door, other):
        pair, caller = door.login("ada", "right")
        assert other.know(pair.access_token) == caller

    def test_wrong_credentials_are_refused_in_one_and_the_same_way(self, door, store):
        refusals = [refusal(door.login, "ada", "wrong"), refusal(door.login, "nobody", "right")]
        store.set_enabled(1, enabled=False)
        refusals.append(refusal(door.login, "ada", "right"))
        assert set(refusals) == {("Username or password is wrong", None)}

    def test_every_login_is_a_session_of_its_own(self, door):
        one, two = (door.login("ada", "right")[1] for _ in range(2))
        assert one.session != two.session
        assert one.token_id != two.token_id

    def test_an_access_token_is_over_after_fifteen_minutes(self, door, clock):
        pair, _ = door.login("ada", "right")
        clock.advance(899)
        assert door.know(pair.access_token)
        clock.advance(1)
        assert refusal(door.know, pair.access_token) == INVALID

    def test_what_the_store_keeps_of_a_refresh_token_cannot_be_used(self, door, store):
        pair, caller = door.login("ada", "right")
        kept = store.families[caller.session].current
        assert pair.refresh_token not in repr(store)
        assert refusal(door.refresh, f"{caller.session}.{kept}"[:300]) == INVALID

    def test_tokens_do_not_show_themselves(self, door):
        pair, _ = door.login("ada", "right")
        assert repr(pair) == "TokenPair(expires_in=900)"


class TestRefresh:
    def test_a_refresh_token_gives_new_tokens_of_the_same_session(self, door, other):
        pair, caller = door.login("ada", "right")
        again, renewed = other.refresh(pair.refresh_token)
        assert renewed.session == caller.session
        assert door.know(again.access_token) == renewed
        assert again.refresh_token != pair.refresh_token
        assert door.refresh(again.refresh_token)

    def test_using_it_again_ends_the_whole_family_on_every_worker(self, door, other, clock):
        pair, _ = door.login("ada", "right")
        again, _ = door.refresh(pair.refresh_token)
        assert other.know(again.access_token)
        assert refusal(other.refresh, pair.refresh_token) == INVALID
        for worker in (door, other):
            for token in (pair.access_token, again.access_token):
                assert refusal(worker.know, token) == INVALID
            assert refusal(worker.refresh, again.refresh_token) == INVALID

    def test_the_worker_that_saw_it_refuses_at_once(self, door):
        pair, _ = door.login("ada", "right")
        again, _ = door.refresh(pair.refresh_token)
        assert door.know(again.access_token)
        assert refusal(door.refresh, pair.refresh_token) == INVALID
        assert refusal(door.know, again.access_token) == INVALID

    def test_of_many_who_use_it_at_once_one_gets_tokens_at_most(self, door):
        pair, _ = door.login("ada", "right")
        given, refused = [], []

        def use():
            try:
                given.append(door.refresh(pair.refresh_token))
            except Unauthenticated as error:
                refused.append(error)

        threads = [threading.Thread(target=use) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (len(given), len(refused)) == (1, 15)

    def test_other_sessions_go_on(self, door):
        one, two = (door.login("ada", "right")[0] for _ in range(2))
        door.refresh(one.refresh_token)
        refusal(door.refresh, one.refresh_token)
        assert door.know(two.access_token)
        assert door.refresh(two.refresh_token)

    def test_a_login_must_be_repeated_in_the_end(self, door, clock):
        pair, _ = door.login("ada", "right")
        clock.advance(TERMS.refresh.total_seconds() - 1)
        pair, _ = door.refresh(pair.refresh_token)
        clock.advance(1)
        assert refusal(door.refresh, pair.refresh_token) == INVALID

    def test_no_token_is_missing(self, door):
        assert refusal(door.refresh, "") == MISSING

    def test_what_is_no_refresh_token_is_refused(self, door):
        pair, caller = door.login("ada", "right")
        secret = pair.refresh_token.rpartition(".")[2]
        for token in (
            "x",
            pair.access_token,
            secret,
            f"{caller.session}.",
            f"{caller.session}.{secret}x",
            f"{caller.session}.{secret}\n",
            pair.refresh_token.replace("1-1-", "2-1-", 1),
            pair.refresh_token.replace("1-1-", "1-2-", 1),
            pair.refresh_token.replace("1-1-", f"{'9' * 5000}-1-", 1),
            f"1-1-{'0' * 32}.{secret}",
        ):
            assert refusal(door.refresh, token) == INVALID
        assert door.refresh(pair.refresh_token)

    @pytest.mark.parametrize(
        "change",
        [
            lambda store: store.accounts.clear(),
            lambda store: store.set_enabled(1, enabled=False),
            lambda store: store.set_password(1, "h", revoke=True),
        ],
    )
    def test_an_account_that_changed_gets_none(self, door, store, change):
        pair, caller = door.login("ada", "right")
        change(store)
        store.families[caller.session].ended = False  # as if the store had not ended it as well
        assert refusal(door.refresh, pair.refresh_token) == INVALID


class TestEnding:
    def test_logout_ends_the_session_at_once_everywhere(self, door, other, clock):
        pair, caller = door.login("ada", "right")
        assert other.know(pair.access_token)
        door.logout(caller)
        assert refusal(door.know, pair.access_token) == INVALID
        assert refusal(other.know, pair.access_token) == INVALID
        assert refusal(other.refresh, pair.refresh_token) == INVALID

    def test_it_holds_after_a_restart(self, door, make):
        pair, caller = door.login("ada", "right")
        door.logout(caller)
        assert refusal(make().know, pair.access_token) == INVALID

    def test_who_has_no_session_has_none_to_end_and_the_store_is_not_asked(self, door, store):
        store.down = True
        door.logout(NOBODY)
        door.logout(Visitors.caller)

    @pytest.mark.parametrize(
        "change",
        [
            lambda store: store.set_enabled(1, enabled=False),
            lambda store: store.set_password(1, "h", revoke=True),
            lambda store: store.accounts.clear(),
        ],
    )
    def test_an_account_that_is_ended_is_refused_at_once(self, door, other, store, clock, change):
        pair, _ = door.login("ada", "right")
        assert other.know(pair.access_token)
        change(store)
        for worker in (door, other):
            assert refusal(worker.know, pair.access_token) == INVALID

    def test_a_hash_that_was_renewed_ends_nothing(self, door, store, clock):
        pair, _ = door.login("ada", "right")
        store.set_password(1, "h2", revoke=False)
        assert door.know(pair.access_token)

    def test_a_store_that_is_down_lets_nobody_in(self, door, store, clock):
        pair, _ = door.login("ada", "right")
        store.down = True
        with pytest.raises(StoreDown):
            door.know(pair.access_token)


class TestKnowing:
    def test_no_token_is_missing(self, door):
        assert refusal(door.know, "") == MISSING

    @pytest.mark.parametrize("token", ["x", "a.b.c", "aisle_x", "Bearer", "é", "x" * 100_000])
    def test_what_is_no_token_is_invalid(self, door, token):
        assert refusal(door.know, token) == INVALID

    def test_a_refresh_token_opens_nothing(self, door):
        assert refusal(door.know, door.login("ada", "right")[0].refresh_token) == INVALID

    def test_a_machine_is_known(self, door, store, clock):
        _, text = MachineKeys(store, clock).issue("till-1", Role.READER, None)
        assert door.know(text).key == "key:till-1"

    def test_an_outside_caller_is_known(self, make):
        assert make(Visitors()).know("outside") == Visitors.caller

    @pytest.mark.parametrize(
        "change",
        [
            {},
            {"name": "ada"},
            {"name": 7},
            {"role": "god"},
            {"role": None},
            {"role": []},
            {"sub": "ada"},
            {"sid": []},
            {"sid": None},
            {"gen": "x"},
            {"gen": None},
            {"gen": float("inf")},
            {"gen": float("nan")},
            {"gen": 1.5},
            {"gen": True},
        ],
    )
    def test_a_token_that_our_key_signed_for_something_else_is_refused(self, door, change):
        key = door._tools.codec._keys.signer()
        # Without a change, what a door writes of its caller is left out.
        whole = {"name": "ada", "role": "reader", "sid": "s", "gen": 1, **change}
        whole = whole if change else dict.fromkeys(whole, ...)
        token = join({"alg": "HS256", "typ": "at+jwt", "kid": key.kid}, claims(**whole), by_key(key.private))
        if change == {"name": "ada"}:
            assert door.know(token).name == "ada"
        else:
            assert refusal(door.know, token) == INVALID


def test_public_keys_are_those_that_verify(door):
    assert door.public_keys() == {"keys": []}


def test_it_opens_answers_and_closes_with_what_it_holds(make):
    visitors = Visitors()
    signer = Signer(visitors.journal)
    door = make(visitors, signer)
    door.ping()
    signer.lost = True
    with pytest.raises(Unavailable):
        door.ping()
    door.close()
    assert visitors.journal == ["open codec", "open", "close", "close codec"]


class TestRenewal:
    """A browser's cookie, renewed while it is in use."""

    @pytest.fixture
    def enter(self, door):
        def log_in():
            return door.know(door.login("ada", "right")[0].cookie)

        return log_in

    def test_a_cookie_is_renewed_once_half_of_its_life_is_over(self, door, other, clock, enter):
        caller = enter()
        clock.advance(449)
        assert door.renew(caller) is None
        clock.advance(1)
        pair = other.renew(caller)
        assert (pair.expires_in, pair.refresh_token) == (900, "")
        clock.advance(899)
        renewed = door.know(pair.cookie)
        assert renewed.token_id != caller.token_id
        assert replace(renewed, token_id=caller.token_id) == caller

    def test_who_goes_on_using_it_stays_until_the_longest_session_is_over(self, door, clock, enter):
        caller, renewals = enter(), 0
        for _ in range(12 * 60 // 5 - 1):
            clock.advance(5 * 60)
            pair = door.renew(caller)
            if pair is not None:
                last, renewals = pair.cookie, renewals + 1
                caller = door.know(last)
        assert renewals > 40
        assert caller.cookie.over_at == int(NOW.timestamp()) + 12 * 3600
        assert door.renew(caller) is None
        assert door.know(last)
        clock.advance(300)
        assert refusal(door.know, last) == INVALID

    def test_tabs_that_renew_at_once_all_stay_and_no_refresh_token_is_used_up(self, make, clock):
        doors = [make() for _ in range(4)]
        login, _ = doors[0].login("ada", "right")
        caller = doors[0].know(login.cookie)
        clock.advance(600)
        together = threading.Barrier(16)
        found = []

        def come(door):
            together.wait(20)
            found.append(door.renew(caller))

        tabs = [threading.Thread(target=come, args=(doors[number % 4],)) for number in range(16)]
        for tab in tabs:
            tab.start()
        for tab in tabs:
            tab.join()
        assert len({pair.cookie for pair in found}) == 16
        assert {doors[1].know(pair.cookie).session for pair in found} == {caller.session}
        assert doors[2].refresh(login.refresh_token)
        assert doors[3].know(found[0].cookie)

    @pytest.mark.parametrize(
        "end",
        [
            lambda door, store, caller: door.logout(caller),
            lambda door, store, caller: store.set_enabled(1, enabled=False),
            lambda door, store, caller: store.set_password(1, "other", revoke=True),
            lambda door, store, caller: store.accounts.clear(),
            lambda door, store, caller: store.families.clear(),
        ],
        ids=["logout", "disabled", "password", "no account", "no login"],
    )
    def test_a_login_that_has_ended_is_not_renewed_and_what_was_is_refused(self, door, store, clock, enter, end):
        caller = enter()
        clock.advance(600)
        before = door.renew(caller)
        end(door, store, caller)
        assert door.renew(caller) is None
        if store.families:
            assert refusal(door.know, before.cookie) == INVALID

    def test_a_reused_refresh_token_ends_what_was_renewed_too(self, door, clock, enter):
        login, _ = door.login("ada", "right")
        clock.advance(600)
        pair = door.renew(door.know(login.cookie))
        door.refresh(login.refresh_token)
        assert refusal(door.refresh, login.refresh_token) == INVALID
        assert refusal(door.know, pair.cookie) == INVALID

    def test_a_renewed_cookie_has_the_role_of_now(self, door, store, clock, enter):
        caller = enter()
        store.accounts[1] = replace(store.accounts[1], role=Role.READER)
        clock.advance(600)
        assert door.know(door.renew(caller).cookie).role is Role.READER

    def test_only_what_was_made_for_a_cookie_is_renewed(self, door, clock, make):
        login, caller = door.login("ada", "right")
        tokens = [login.access_token, door.refresh(login.refresh_token)[0].access_token]
        clock.advance(600)
        assert [door.renew(door.know(token)) for token in tokens] == [None, None]
        assert door.renew(caller) is None
        assert door.renew(Visitors.caller) is None

    def test_whoever_signs_something_else_for_a_time_of_login_gets_none(self, door, clock, make, tmp_path):
        login, _ = door.login("ada", "right")
        codec = make_codec(tmp_path, clock, terms=TERMS)
        told = {**codec.read(login.cookie), "auth_time": "long ago"}
        assert door.know(codec.sign(told)).cookie is None
