"""A door whose tokens can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from main.service.errors import Unauthenticated
from main.service.model import Caller, CallerKind, Role, TokenPair

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

PASSWORD = "correct horse battery staple"


class FakeDoor:
    """A door whose tokens are words: ``admin-token`` is an admin's login, ``admin-key`` an admin's key; ended ones are known no more."""

    def __init__(self) -> None:
        self.callers: dict[str, Caller] = {}
        self.accounts: dict[str, tuple[str, Role]] = {"ada": (PASSWORD, Role.ADMIN), "rita": (PASSWORD, Role.READER)}
        self.refreshes: dict[str, str] = {}
        self.renewals: dict[str, TokenPair | Exception] = {}  # by session
        self.numbers = 0
        for number, role in enumerate(Role, start=1):
            login = Caller(name=role, kind=CallerKind.ACCOUNT, role=role, account_id=number, session=f"s-{role}", token_id="1")
            self.callers[f"{role}-token"] = login
            self.callers[f"{role}-key"] = Caller(name=f"{role}-machine", kind=CallerKind.KEY, role=role, token_id=f"k-{role}")

    def login(self, username: str, password: str) -> tuple[TokenPair, Caller]:
        known = self.accounts.get(username)
        if known is None or known[0] != password:
            raise Unauthenticated("The username or the password is wrong")
        return self._give(username, known[1])

    def refresh(self, token: str) -> tuple[TokenPair, Caller]:
        username = self.refreshes.pop(token, None)
        if username is None:
            raise Unauthenticated("Authorization token is invalid", "invalid_token")
        return self._give(username, self.accounts[username][1])

    def renew(self, caller: Caller) -> TokenPair | None:
        found = self.renewals.get(caller.session or "")
        if isinstance(found, Exception):
            raise found
        return found

    def logout(self, caller: Caller) -> None:
        self.callers = {token: known for token, known in self.callers.items() if known.session != caller.session}

    def know(self, token: str) -> Caller:
        if token not in self.callers:
            raise Unauthenticated("Authorization token is invalid", "invalid_token")
        return self.callers[token]

    def public_keys(self) -> Mapping[str, Any]:
        return {"keys": [{"kty": "OKP", "kid": "1"}]}

    def _give(self, username: str, role: Role) -> tuple[TokenPair, Caller]:
        self.numbers += 1
        access, refresh, session = f"a-{self.numbers}", f"r-{self.numbers}", f"s-{self.numbers}"
        caller = Caller(name=username, kind=CallerKind.ACCOUNT, role=role, account_id=9, session=session, token_id=access)
        self.callers[access], self.refreshes[refresh] = caller, username
        return TokenPair(access, 900, refresh), caller


def as_admin(client: Any) -> Any:
    """Have a test client send the token of :class:`FakeDoor`'s admin with every request."""
    client.environ_base["HTTP_AUTHORIZATION"] = "Bearer admin-token"
    return client
