"""URLs that stay where a source is: what is asked below its URL, ids that become part of a path, links that a shop names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import quote, unquote, urlencode, urlsplit, urlunsplit

import idna
from requests.utils import requote_uri

from main.service.errors import UpstreamGarbled, UpstreamUnsendable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Params = Mapping[str, str | int | Sequence[str]]

_PORTS = {"http": 80, "https": 443}
_DECODED = 3  # how often a path may have been encoded before a server reads it
_DOTS = {".", ".."}
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_PLAIN = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9_-]*)*")  # nothing to encode, and no dots to climb by


def quote_id(source_id: str) -> str:
    """Give a shop's own id as one part of a path: nothing in it can end the part, begin a query or climb up.

    Raises:
        UpstreamGarbled: it cannot be sent so: it is empty, not text, or spells ``.`` or ``..`` between slashes.
    """
    if not source_id or _has_controls(source_id) or _climbs(source_id):
        raise UpstreamGarbled("The product's id cannot be part of a URL.")
    try:
        return quote(source_id, safe="")
    except UnicodeEncodeError as error:
        raise UpstreamGarbled("The product's id cannot be part of a URL.") from error


def origin_of(url: str) -> tuple[str, str | None, int | None]:
    """Give scheme, host and port, the usual port where none is written.

    Raises:
        ValueError: it is no URL.
    """
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)


def encode_host(url: str) -> str:
    """Give the URL with a host of any script as IDNA writes it (RFC 5891); what IDNA has no writing for stays as it is.

    Raises:
        ValueError: it is no URL.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host.isascii():
        return url
    try:
        written = idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        return url
    before, at, _ = parts.netloc.rpartition("@")
    port = "" if parts.port is None else f":{parts.port}"
    return urlunsplit(parts._replace(netloc=f"{before}{at}{written}{port}"))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a source is: its URL, origin and path; every URL made here is on that origin and below that path."""

    url: str
    origin: tuple[str, str | None, int | None]
    prefix: str

    @classmethod
    def of(cls, url: str) -> Self:
        """Give the place a source's URL names.

        Raises:
            UpstreamUnsendable: it is no URL.
        """
        try:
            written = encode_host(url)
            return cls(written, origin_of(written), urlsplit(requote_uri(written)).path.rstrip("/"))
        except ValueError as error:
            raise UpstreamUnsendable("The source's URL is not a URL.") from error

    def below(self, path: str) -> str:
        """Give the URL of a path below the source's own.

        Raises:
            UpstreamGarbled: the path leads elsewhere.
        """
        if path and not path.startswith(("/", "?")):
            raise UpstreamGarbled("A path to ask for begins with a slash.")
        url = self.url + path
        # Most are so, and a call on a request's path has no time for the rest.
        return url if _PLAIN.fullmatch(url) else self._checked(url)

    def linked(self, url: str) -> str:
        """Give the URL that the shop itself named.

        Raises:
            UpstreamGarbled: it leads elsewhere.
        """
        try:
            written = encode_host(url)
            there, user = origin_of(written), urlsplit(written).username
        except ValueError as error:
            raise UpstreamGarbled("The shop's link to its next page is not a URL.") from error
        if there != self.origin or user is not None:
            raise UpstreamGarbled("The shop's link to its next page leads to another host.")
        return self._checked(written)

    def _checked(self, url: str) -> str:
        if "\\" in url or _has_controls(url):
            raise UpstreamGarbled("The URL to ask for holds characters that no URL has.")
        if not (self.origin[1] or "").isascii():
            raise UpstreamUnsendable("The host in the source's URL is not one that IDNA can write.")
        parts = urlsplit(requote_uri(url))
        if _climbs(parts.path) or not (parts.path == self.prefix or parts.path.startswith(f"{self.prefix}/")):
            raise UpstreamGarbled("The URL to ask for leads out of the source's own path.")
        return urlunsplit(parts._replace(fragment=""))


def with_query(url: str, query: Params | Sequence[tuple[str, str | int]]) -> str:
    """Give the URL with these parameters after those it has; a list is sent as one parameter for each of its texts."""
    if not query:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query, doseq=True)}"


def _has_controls(text: str) -> bool:
    return _CONTROLS.search(text) is not None


def _climbs(path: str) -> bool:
    """Tell whether a path, decoded as often as a server might, has a part that means the folder itself or the one above."""
    for _ in range(_DECODED):
        if any(part.partition(";")[0].strip() in _DOTS for part in path.replace("\\", "/").split("/")):
            return True
        decoded = unquote(path)
        if decoded == path:
            return False
        path = decoded
    return True
