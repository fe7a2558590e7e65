"""What accounts and callers say of themselves."""

from __future__ import annotations

import datetime as dt

import pytest

from main.service.model import NOBODY, Account, Caller, CallerKind, Role, TokenPair


@pytest.mark.parametrize("role", Role)
def test_each_role_may_do_what_those_before_it_may(role: Role):
    assert [role.allows(needed) for needed in Role] == [needed in list(Role)[: list(Role).index(role) + 1] for needed in Role]


def test_callers_of_one_name_are_told_apart_by_how_they_are_known():
    keys = {Caller(name="till", kind=kind, role=Role.READER).key for kind in CallerKind}
    assert len(keys) == len(CallerKind)
    assert NOBODY.key == "anonymous:anonymous"


def test_what_is_secret_stands_in_no_log():
    now = dt.datetime.now(dt.UTC)
    ada = Account(
        id=1, username="ada", role=Role.READER, enabled=True, generation=1, created_at=now, password_hash="secret-hash"
    )
    assert "secret" not in repr(TokenPair("secret-access", 900, "secret-refresh")) + repr(ada)
