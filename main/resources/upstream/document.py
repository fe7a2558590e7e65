"""One small public document at a URL of the settings, such as an identity provider's keys: bounded in time and size."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import requests

from main.resources.upstream.faults import refuse_errors, translate
from main.resources.upstream.wire import Wire

if TYPE_CHECKING:
    from main.resources.upstream.watchdog import Watchdog

SECONDS = 2.0
MOST_BYTES = 256 * 1024


def fetch_document(url: str, watchdog: Watchdog) -> bytes:
    """Give what is there, within 2 s and up to 256 KiB; no redirect is followed, no proxy used, no credential sent.

    Raises:
        UpstreamError: it cannot be had.
    """
    wire = Wire(watchdog, kept=1)
    try:
        request = requests.Request("GET", url, headers={"Accept": "application/json", "Accept-Encoding": "identity"}).prepare()
        reply = wire.send(request, time.monotonic() + SECONDS, MOST_BYTES)
    except (requests.RequestException, ValueError) as error:
        raise translate(error) from error
    finally:
        wire.close()
    refuse_errors(reply)
    return reply.body
