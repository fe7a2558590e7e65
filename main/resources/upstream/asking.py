"""How a source is asked: the headers every call carries, its credentials, and where they go."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from requests import PreparedRequest
from requests.auth import HTTPBasicAuth
from requests.exceptions import InvalidHeader
from requests.structures import CaseInsensitiveDict
from requests.utils import check_header_validity

from main import __version__
from main.resources.upstream.urls import with_query
from main.util.logs import current_request_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from main.resources.upstream.urls import Params
    from main.service.model import Source
    from main.util.secret import Secret

AGENT = f"Aisle/{__version__} (product catalogue; one crawl per schedule)"


class Asker:
    """Makes a source's requests. What stays the same is prepared once: a call on a request's path has no time for it."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def request(
        self, url: str, params: Params, body: bytes | None, conditions: Mapping[str, str], token: Secret | None
    ) -> PreparedRequest:
        """Give the request for a URL: a GET, or a POST of this JSON; ``token`` is the access token, where there is one.

        Raises:
            InvalidHeader: a header or credential cannot be sent.
        """
        request = PreparedRequest()
        request.method = "GET" if body is None else "POST"
        secrets = {name: secret.reveal() for name, secret in self._source.credentials.query}
        request.url = with_query(url, {**params, **secrets})
        request.headers = self._standing.copy()
        if conditions:
            request.headers.update(conditions)
        if token is not None:
            _put(request.headers, "Authorization", f"Bearer {token.reveal()}")
        if request_id := current_request_id():
            _put(request.headers, "X-Request-ID", request_id)
        if body is not None:
            request.body = body
            request.headers["Content-Type"] = "application/json"
            request.headers["Content-Length"] = str(len(body))
        return request

    @cached_property
    def _standing(self) -> CaseInsensitiveDict[str]:
        headers: CaseInsensitiveDict[str] = CaseInsensitiveDict()
        asked = {"User-Agent": AGENT, "Accept": "application/json, */*;q=0.5"}
        for name, value in (*asked.items(), *self._source.headers.items(), *self._credentials()):
            _put(headers, name, value)
        headers["Accept-Encoding"] = "gzip"
        headers["Connection"] = "keep-alive"
        return headers

    def _credentials(self) -> list[tuple[str, str]]:
        credentials = self._source.credentials
        found = []
        if credentials.basic:
            username, password = credentials.basic
            carrier = PreparedRequest()
            carrier.headers = CaseInsensitiveDict()
            HTTPBasicAuth(username.reveal().encode(), password.reveal().encode())(carrier)
            found += list(carrier.headers.items())
        if credentials.bearer:
            found.append(("Authorization", f"Bearer {credentials.bearer.reveal()}"))
        if credentials.header:
            name, secret = credentials.header
            found.append((name, secret.reveal()))
        return found


def _put(headers: CaseInsensitiveDict[str], name: str, value: str) -> None:
    check_header_validity((name, value))
    try:
        value.encode("latin-1")
    except UnicodeEncodeError as error:
        raise InvalidHeader(f"The header {name} holds characters that cannot be sent.") from error
    headers[name] = value
