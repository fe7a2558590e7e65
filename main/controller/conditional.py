"""Conditional answers (RFC 9110, 13): strong ETags and 304."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from flask import Response, request
from werkzeug.exceptions import PreconditionRequired

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.datastructures import ETags

_VERSION = re.compile("[1-9][0-9]{0,15}")


def etag_of(*parts: object) -> str:
    """Give the strong ETag of an answer that depends on these parts and on nothing else."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(part if isinstance(part, bytes) else repr(part).encode("utf-8", "surrogatepass"))
        digest.update(b"\0")
    return digest.hexdigest()


def not_modified(tag: str) -> bool:
    """Tell whether the caller already holds the answer with this ETag."""
    return "If-None-Match" in request.headers and request.if_none_match.contains_weak(tag)


def read_versions() -> frozenset[int] | None:
    """Give the versions that ``If-Match`` names, of a thing whose ETag is its version; None for ``*``, any at all.

    A weak tag counts like a strong one: proxies weaken the tag of what they compress, and a version says the same of every form.

    Raises:
        PreconditionRequired: the caller does not say which version it has seen (RFC 6585, 3).
    """
    given = _read_precondition()
    if given.star_tag:
        return None
    return frozenset(int(tag) for tag in given.as_set(include_weak=True) if _VERSION.fullmatch(tag))


def read_tags() -> frozenset[str] | None:
    """Give the tags that ``If-Match`` names, weak ones included, of a thing whose ETag is a word; None for ``*``, any at all.

    Raises:
        PreconditionRequired: the caller does not say what it has seen (RFC 6585, 3).
    """
    given = _read_precondition()
    return None if given.star_tag else frozenset(given.as_set(include_weak=True))


def _read_precondition() -> ETags:
    if "If-Match" not in request.headers:
        raise PreconditionRequired
    return request.if_match


def answer_json(
    body: bytes, tag: str | None = None, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Give a JSON answer; with an ETag it may be kept by the caller if asked for again each time."""
    response = Response(body, status, mimetype="application/json")
    if tag is not None:
        response.headers["ETag"] = f'"{tag}"'
        response.headers["Cache-Control"] = "private, no-cache"
    else:
        response.headers["Cache-Control"] = "no-store"
    response.headers.update(headers or {})
    return response
