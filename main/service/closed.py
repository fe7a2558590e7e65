"""A door that lets nobody in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from main.service.errors import Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from main.service.model import Caller


class ClosedDoor:
    """What stands in where there are no accounts: every credential is wrong."""

    def login(self, username: str, password: str) -> NoReturn:  # noqa: ARG002
        """Refuse."""
        raise Unauthenticated("The username or the password is wrong")

    def refresh(self, token: str) -> NoReturn:  # noqa: ARG002
        """Refuse."""
        raise Unauthenticated("Authorization token is invalid", "invalid_token")

    def logout(self, caller: Caller) -> None:
        """End nothing: nobody is in."""

    def know(self, token: str) -> NoReturn:  # noqa: ARG002
        """Refuse."""
        raise Unauthenticated("Authorization token is invalid", "invalid_token")

    def public_keys(self) -> Mapping[str, Any]:
        """Give none."""
        return {"keys": []}
