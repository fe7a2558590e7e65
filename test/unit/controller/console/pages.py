"""The console as a browser meets it: pages that were parsed, forms that are sent with their token, cookies that are kept."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

from test.unit.controller.guarded import PAGE, Guarded

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
VOID = {"meta", "link", "input", "img", "br", "path", "rect"}


class Parsed(HTMLParser):
    """A page: its elements with their attributes, and its text; tags that are not closed in order are an error."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop() == tag, (tag, self._open)

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.words.append(" ".join(data.split()))

    @property
    def text(self) -> str:
        return " ".join(self.words)

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        return [found for name, found in self.elements if name == tag and all(found.get(k) == v for k, v in wanted.items())]

    def one(self, tag: str, **wanted: str) -> dict[str, str | None]:
        (found,) = self.all(tag, **wanted)
        return found


class Pages(Guarded):
    """The application, asked for pages by somebody with a role's cookie."""

    def see(self, url: str, role: str | None = None, status: int = 200, **given: Any) -> Parsed:
        """A page, as somebody sees it."""
        answer = self.get(url, role, **given)
        assert (answer.status_code, answer.mimetype) == (status, "text/html"), answer.text
        return Parsed(answer.text)

    def get(self, url: str, role: str | None = None, **given: Any) -> TestResponse:
        cookie = {} if role is None else {"Cookie": f"token={role}-token"}
        return self.ask("GET", url, **{**given, "headers": {**BROWSER, **cookie, **given.get("headers", {})}})

    def post(self, url: str, role: str = "admin", **data: str) -> TestResponse:
        """A form that was sent, with a right token unless another one is given."""
        proof = self.prove(f"token={role}-token")
        token = proof.pop("X-CSRF-Token")
        return self.ask("POST", url, headers={**BROWSER, **proof}, data={"csrf_token": token, **data})


__all__ = ["BROWSER", "PAGE", "Pages", "Parsed"]
