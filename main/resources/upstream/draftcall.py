"""Asks a shop that no settings describe yet for its list, once and without credentials, and has a first mapping drafted of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from main.resources.upstream.draft import draft_source
from main.resources.upstream.session import UpstreamSession
from main.service.errors import UpstreamRefused
from main.service.model import Source

if TYPE_CHECKING:
    from main.resources.upstream.watchdog import Watchdog

_WANTS_CREDENTIALS = {401, 403}


def draft_shop(url: str, watchdog: Watchdog) -> str:
    """Give a source's entry of config.yml that fits what is at the URL, as far as it can be told.

    Raises:
        UpstreamRefused: the shop refuses; where it wants credentials, with what to do instead.
        UpstreamError: nothing can be had there, or it is no list in JSON.
    """
    session = UpstreamSession(Source(name="draft", kind="mapped", url=url), watchdog)
    try:
        return draft_source(session.get())
    except UpstreamRefused as error:
        if error.status not in _WANTS_CREDENTIALS:
            raise
        raise UpstreamRefused(
            f"{error} A draft calls without credentials: save an answer and give its file.", error.status
        ) from error
    finally:
        session.close()
