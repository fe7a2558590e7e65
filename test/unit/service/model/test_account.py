import pytest

from main.service.model import Account, Caller, CallerKind, Role, TokenPair
from test.fakes import NOW


def test_each_role_may_do_what_those_before_it_may_and_no_more():
    allowed = {role: {needed for needed in Role if role.allows(needed)} for role in Role}
    assert allowed == {
        Role.READER: {Role.READER},
        Role.EDITOR: {Role.READER, Role.EDITOR},
        Role.ADMIN: {Role.READER, Role.EDITOR, Role.ADMIN},
    }


@pytest.mark.parametrize("kind", CallerKind)
def test_callers_of_one_name_and_of_different_kinds_are_told_apart(kind):
    keys = {Caller(name="ada", kind=other, role=None).key for other in CallerKind if other is not kind}
    assert Caller(name="ada", kind=kind, role=None).key not in keys


def test_two_logins_of_one_account_are_the_same_caller():
    logins = [Caller(name="ada", kind=CallerKind.ACCOUNT, role=Role.READER, session=session) for session in ("a", "b")]
    assert len({login.key for login in logins}) == 1


def test_nothing_secret_shows_itself():
    account = Account(
        id=1, username="ada", role=Role.READER, enabled=True, generation=1, created_at=NOW, password_hash="hidden-hash"
    )
    assert "hidden" not in repr(account) + repr(TokenPair("hidden-access", 900, "hidden-refresh"))
