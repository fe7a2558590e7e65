"""Where servers are: URLs that may hold a password, and are secrets then."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote, urlsplit

from marshmallow import ValidationError, fields

from main.settings.fields import Provided
from main.util.secret import Secret, remember_secret

SERVERS = {"memcached": ("memcached",), "redis": ("redis", "rediss")}
_TASK_URL = re.compile(
    r"sqlite:///\S.*|(?:postgresql|mongodb)://[^\s/?#]+(?:/[^\s/?#]*)?(?:\?[^\s#]*)?|mongodb\+srv://[^\s/?#,]+(?:/[^\s/?#]*)?(?:\?[^\s#]*)?"
)
_PASSWORD = re.compile(r"//[^/?#@]*:([^/?#]*)@")
_SHAPES = "memcached://HOST:PORT, redis://HOST:PORT/DATABASE or rediss:// (TLS)"


class ServerUrl(fields.Field[Secret]):
    """The URL of a cache server; with a user or password inside only as ``${NAME}`` or a file beside it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Secret:  # noqa: ARG002
        if not isinstance(value, str):
            raise ValidationError("text")
        if not _is_server_url(value):
            raise ValidationError(_SHAPES)
        if "@" in value and not isinstance(value, Provided):
            raise ValidationError("with a user or password ${NAME} of an environment variable, or a path under url_file")
        remember_secret(unquote(urlsplit(value).password or ""))
        return Secret(str(value))


def _is_server_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return False
    if parts.query or parts.fragment or not parts.hostname or any(sign.isspace() or not sign.isprintable() for sign in value):
        return False
    if not value.startswith(f"{parts.scheme}://"):
        return False
    if parts.scheme == "memcached":
        return parts.path in {"", "/"} and parts.username is None
    return parts.scheme in SERVERS["redis"] and (parts.path in {"", "/"} or parts.path[1:].isdecimal())


class TaskUrl(fields.Field[str]):
    """Where tasks are kept; a password stands inside only as ``${NAME}`` or a file beside it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:  # noqa: ARG002
        if not isinstance(value, str):
            raise ValidationError("text")
        if not _TASK_URL.fullmatch(value):
            raise ValidationError(
                "sqlite:///FILE, postgresql://HOST:PORT/DATABASE, or mongodb://HOST:PORT/DATABASE (or mongodb+srv://)"
            )
        password = _PASSWORD.search(value)
        if password and not isinstance(value, Provided):
            raise ValidationError("with a password ${NAME} of an environment variable, or a path under url_file")
        if password:
            remember_secret(unquote(password[1]))
        return str(value)
