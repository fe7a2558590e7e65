"""The errors that Nginx makes by itself, each by what really leads to it where anything does."""

from __future__ import annotations

import json
import re
import shutil
import socket
from typing import TYPE_CHECKING

import pytest

from sample.ports import LOOPBACK
from test.e2e.front import Front, run_front
from test.e2e.stack import NGINX, NO_NGINX, Answer, wait_for
from test.faults.frozen import freeze, thaw

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(NGINX is None, reason=NO_NGINX), pytest.mark.timeout(120)]

CHROMIUM = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8"
MADE = (400, 404, 405, 413, 414, 429, 500, 502, 503, 504)
EDITS = {
    # Shorter than anybody wants to wait for, and bodies that do not stay in memory.
    "uwsgi_read_timeout 60s;": "uwsgi_read_timeout 1s;",
    "client_body_timeout 10s;": "client_body_timeout 1s;",
    "client_body_buffer_size 128k;": "client_body_buffer_size 1k;",
    # What an administrator's own limits would answer.
    "location / {": "".join(f"location = /made/{code} {{ return {code}; }}\n" for code in MADE) + "location / {",
}
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}
COMES_BACK = {429: "1", 502: "2", 503: "2", 504: "5"}


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with run_front(tmp_path_factory.mktemp("front"), NGINX, EDITS) as running:
        yield running


def assert_says_no_more_than_it_must(answer: Answer, status: int) -> None:
    assert answer.status == status
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert answer.headers.get("retry-after") == COMES_BACK.get(status)
    assert answer.headers["x-request-id"]
    assert answer.headers["server"] == "nginx"
    assert b"nginx" not in answer.body
    assert b"hunter2" not in answer.body


def assert_is_problem(answer: Answer, status: int) -> None:
    assert_says_no_more_than_it_must(answer, status)
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json
    assert (told["status"], told["request_id"]) == (status, answer.headers["x-request-id"])
    assert {"type", "title", "detail"} <= set(told)
    assert told["title"] != "Error"


def assert_is_page(answer: Answer, status: int) -> None:
    assert_says_no_more_than_it_must(answer, status)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    page = answer.body.decode()
    assert answer.headers["x-request-id"] in page
    assert f"Error {status}" in page
    assert "<script" not in page
    assert "style" not in page


@pytest.mark.parametrize("status", MADE)
def test_each_status_that_nginx_can_be_told_to_make_is_a_problem(front: Front, status: int) -> None:
    assert_is_problem(front.fetch(f"/made/{status}?token=hunter2"), status)


@pytest.mark.parametrize("status", MADE)
def test_a_browser_reads_a_page_in_the_same_words_where_the_application_is_away(front: Front, status: int) -> None:
    answer = front.fetch(f"/made/{status}?token=hunter2", headers={"Accept": CHROMIUM})
    if status not in {502, 503, 504}:
        assert_is_problem(answer, status)
        return
    assert_is_page(answer, status)
    told, page = front.fetch(f"/made/{status}").json, answer.body.decode()
    assert f"<h1>{told['title']}</h1><p>{told['detail']}</p>" in page
    assert f'<meta http-equiv="refresh" content="{COMES_BACK[status]}">' in page
    assert '<a href="">Try again</a>' in page


@pytest.mark.parametrize(
    ("accept", "given"),
    [
        (None, "application/problem+json"),
        ("", "application/problem+json"),
        ("*/*", "application/problem+json"),
        ("application/json", "application/problem+json"),
        ("application/json, text/html", "application/problem+json"),
        ("application/problem+json, text/html;q=0.5", "application/problem+json"),
        ("text/html", "text/html; charset=utf-8"),
        ("TEXT/HTML", "text/html; charset=utf-8"),
        ("text/html, application/json;q=0.9", "text/html; charset=utf-8"),
        ("text/plain, text/html", "text/html; charset=utf-8"),
    ],
)
def test_a_page_is_for_who_names_it_before_json(front: Front, accept: str | None, given: str) -> None:
    answer = front.fetch("/made/503", headers={} if accept is None else {"Accept": accept})
    assert answer.headers["content-type"] == given


def test_a_page_that_answers_a_form_does_not_ask_again_by_itself(front: Front) -> None:
    answer = front.fetch("/made/503", "POST", {"Accept": CHROMIUM}, b"a=b")
    assert_is_page(answer, 503)
    assert b"refresh" not in answer.body


def test_the_log_tells_the_method_that_was_refused(front: Front) -> None:
    front.fetch("/made/503", "POST", {"X-Request-ID": "refused-post"}, b"a=b")
    wait_for("the line", lambda: '"refused-post"' in front.read_log())
    lines = [json.loads(line) for line in front.read_log().splitlines()]
    assert [line["method"] for line in lines if line["request_id"] == "refused-post"] == ["POST"]


def test_nobody_reaches_the_inner_addresses(front: Front) -> None:
    for path in ("/_problem", "/_page"):
        assert_is_problem(front.fetch(path), 404)


def test_502_is_the_answer_while_uwsgi_is_away_and_over_when_it_is_back(front: Front) -> None:
    assert_is_problem(front.fetch("/products?token=hunter2"), 502)
    assert_is_page(front.fetch("/console", headers={"Accept": CHROMIUM}), 502)
    with front.with_application():
        answer = front.fetch("/products", headers={"X-Request-ID": "mine"})
    assert (answer.status, answer.headers["x-request-id"]) == (200, "mine")
    assert not set(answer.headers) & {"cache-control", "retry-after", "content-security-policy"}  # those are its own to set


def test_504_is_the_answer_of_a_frozen_uwsgi_and_over_when_it_thaws(front: Front) -> None:
    with front.with_application() as uwsgi:
        freeze(uwsgi.process.pid)
        problem = front.fetch("/products", headers={"X-Request-ID": "mine"})
        page = front.fetch("/console", headers={"Accept": CHROMIUM})
        head = front.fetch("/products", "HEAD")
        thaw(uwsgi.process.pid)
        wait_for("an answer", lambda: front.fetch("/products").status == 200)
    assert_is_problem(problem, 504)
    assert (problem.json["request_id"], problem.json["instance"]) == ("mine", "/products")
    assert_is_page(page, 504)
    assert (head.status, head.body) == (504, b"")


def test_500_is_the_answer_where_a_body_cannot_be_kept(tmp_path: Path) -> None:
    with run_front(tmp_path, NGINX, EDITS) as front:
        kept = front.plan.run / "nginx.body"
        shutil.rmtree(kept)
        kept.write_text("not a folder, so that root cannot write into it either")
        assert_is_problem(front.fetch("/products?token=hunter2", "POST", body=b"a" * 100_000), 500)
        assert_is_problem(front.fetch("/products", "POST", {"Accept": CHROMIUM}, b"a" * 100_000), 500)


def test_413_counts_a_body_that_does_not_say_how_long_it_is(front: Front) -> None:
    start = b"POST /products HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    with front.with_application():
        assert_is_problem(front.send_raw(start + b"20001\r\n" + b"a" * 0x20001), 413)


@pytest.mark.parametrize(
    "start",
    [
        b"POST /products HTTP/1.1\r\nHost: a\r\nX-Request-ID: %b\r\nContent-Length: 100\r\n\r\nabc",
        b"POST /products HTTP/1.1\r\nHost: a\r\nX-Request-ID: %b\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nabc",
    ],
)
def test_a_body_that_stalls_is_logged_as_408_and_its_connection_closed(
    front: Front, start: bytes, request: pytest.FixtureRequest
) -> None:
    # Nginx ends such a request before it looks for an error page, and `return 408` just so: there is nothing to render.
    name = re.sub(r"\W", "", request.node.callspec.id)[-20:]
    with front.with_application(), socket.create_connection((LOOPBACK, front.plan.port), timeout=20) as connection:
        connection.sendall(start % name.encode())
        with pytest.raises(ConnectionResetError):
            assert connection.recv(1000) == b"not even the end of the stream, but a reset"
        wait_for("the line", lambda: f'"{name}"' in front.read_log())
    lines = [json.loads(line) for line in front.read_log().splitlines()]
    assert [line["status"] for line in lines if line["request_id"] == name] == [408]
