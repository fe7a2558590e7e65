"""Asks a running sample shop to misbehave: the other end of `POST /_behave`."""

import os
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

import orjson

from sample.faults import CONTROL_PATH, Behaviour
from sample.ports import SHOP_PORTS, base_url, variable

PATIENCE_SECONDS = 5


class ControlFailedError(Exception):
    """The shop could not be asked, or refused; the text says why and what to do."""


def find_shop(shop: str, url: str | None) -> str:
    """Return the base URL of a demo shop: the given one, the environment's, or the usual one."""
    return url or os.environ.get(variable(shop)) or base_url(SHOP_PORTS[shop])


def tell(base: str, shop: str, fault: str | None, seconds: float | None) -> Behaviour:
    """Return how the shop behaves now, after asking it for a fault if one is named; raises ControlFailedError."""
    asked = {name: value for name, value in (("fault", fault), ("seconds", seconds)) if value is not None}
    status, body = _send(base, f"/{shop}{CONTROL_PATH}", orjson.dumps(asked) if asked else None)
    try:
        content = orjson.loads(body)
        if status == HTTPStatus.OK:
            return Behaviour(content["fault"], content["seconds"])
        raise ControlFailedError(content["message"])
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise ControlFailedError(f"{base} answers {status}, but is no sample shop that can be told to misbehave.") from error


def _send(base: str, path: str, body: bytes | None) -> tuple[int, bytes]:
    """Return the answer's status and body; never through a proxy of the environment."""
    try:
        parts = urlsplit(base)
        connection = HTTPConnection(parts.hostname or "", parts.port or 80, timeout=PATIENCE_SECONDS)
    except ValueError as error:
        raise ControlFailedError(f"{base} is no address; allowed: http://host:port.") from error
    if parts.scheme != "http" or not parts.hostname:
        raise ControlFailedError(f"{base} is no address; allowed: http://host:port.")
    try:
        connection.request("GET" if body is None else "POST", parts.path.rstrip("/") + path, body)
        response = connection.getresponse()
        return response.status, response.read()
    except TimeoutError as error:
        message = f"{base} takes no requests within {PATIENCE_SECONDS} s. Is the shop frozen? kill -CONT its process."
        raise ControlFailedError(message) from error
    except (OSError, HTTPException) as error:
        raise ControlFailedError(f"No shop at {base} ({error}). Is it running? --url names another address.") from error
    finally:
        connection.close()
