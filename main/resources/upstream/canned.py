"""A session that calls nobody: every answer is the one payload it was given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from main.resources.upstream.session import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from main.resources.upstream.urls import Params
    from main.service.errors import UpstreamHeld


class CannedSession:
    """Answers every call with one payload, so that a mapping can be tried on a file."""

    def __init__(self, url: str, payload: bytes) -> None:
        self._answer = Answer(url, {}, payload)

    def get(
        self,
        path: str = "",
        params: Params | None = None,
        *,
        limit: int | None = None,
        patience: float = 1,
        deadline: float | None = None,
    ) -> Answer:
        """Give the payload."""
        del path, params, limit, patience, deadline
        return self._answer

    def post(self, path: str, params: Params | None, body: Mapping[str, Any], *, deadline: float | None = None) -> Answer:
        """Give the payload."""
        del path, params, body, deadline
        return self._answer

    def follow(self, url: str, *, deadline: float | None = None) -> Answer:
        """Give the payload."""
        del url, deadline
        return self._answer

    def find_hold(self) -> UpstreamHeld | None:
        """Give None: no shop holds it back."""
        return None

    def close(self) -> None:
        """Do nothing: nothing is open."""
