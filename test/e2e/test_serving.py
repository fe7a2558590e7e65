"""The chain a client meets: Nginx, its socket, uWSGI, the application."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING

import pytest

from test.e2e.stack import NGINX, NO_NGINX, Answer, Stack, run_stack, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(NGINX is None, reason=NO_NGINX), pytest.mark.timeout(180)]

KIB = 1024
LARGEST_BODY = 128 * KIB
SECURED = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "strict-transport-security": None,
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with run_stack(tmp_path_factory.mktemp("data"), NGINX) as running:
        yield running


def assert_is_problem(answer: Answer, status: int) -> None:
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = json.loads(answer.body)
    assert problem["status"] == status
    assert {"type", "title", "detail", "request_id"} <= set(problem)
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert "nginx/" not in answer.headers.get("server", "")
    assert_is_secured(answer)


def assert_is_secured(answer: Answer) -> None:
    assert {name: answer.headers.get(name) for name in SECURED} == SECURED
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "geolocation=()" in answer.headers["permissions-policy"]


def test_health_and_products_come_through(stack: Stack) -> None:
    assert stack.fetch("/health").json == {"status": "UP"}
    answer = stack.fetch("/products?per_page=3")
    assert answer.status == 200
    assert len(answer.json["data"]) == 3


def test_every_kind_of_answer_is_secured_once(stack: Stack) -> None:
    for path in ("/products?per_page=1", "/docs", "/static/docs.js", "/swaggerui/swagger-ui.css", "/health", "/nothing"):
        assert_is_secured(stack.fetch(path))


def test_two_authorizations_let_nobody_in(stack: Stack) -> None:
    two = (
        b"GET /products HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\nConnection: close\r\n\r\n"
    )
    assert stack.send_raw(two).status in {400, 401}


def test_nobody_changes_anything_without_a_login(stack: Stack) -> None:
    answer = stack.fetch("/sources/depot/sync", "POST")
    assert_is_problem(answer, 401)
    assert answer.headers["www-authenticate"] == 'Bearer realm="aisle"'
    assert_is_problem(stack.fetch("/products", headers={"Authorization": "Bearer nonsense"}), 401)


def test_swagger_ui_and_its_files_come_through(stack: Stack) -> None:
    page = stack.fetch("/docs")
    assert page.status == 200
    assert b"/swaggerui/swagger-ui-bundle.js" in page.body
    assert stack.fetch("/swaggerui/swagger-ui-bundle.js").status == 200


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        pytest.param(b"GARBAGE\r\n\r\n", 400, id="no HTTP"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, id="two hosts"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", 400, id="no host"),
        pytest.param(b"GET /_problem HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 404, id="inner location"),
        pytest.param(b"TRACE /products HTTP/1.1\r\nHost: a\r\n\r\n", 405, id="method"),
        pytest.param(b"POST /products HTTP/1.1\r\nHost: a\r\nContent-Length: 131073\r\n\r\n", 413, id="body"),
        pytest.param(b"GET /" + 9 * KIB * b"a" + b"?token=hunter2 HTTP/1.1\r\nHost: a\r\n\r\n", 414, id="address"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nX-Big: " + 9 * KIB * b"a" + b"\r\n\r\n", 431, id="one header"),
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: a\r\n" + 40 * (b"X-Some: " + KIB * b"a" + b"\r\n") + b"\r\n", 431, id="all headers"
        ),
        pytest.param(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: odd\r\n\r\n", 501, id="encoding"),
        pytest.param(b"GET / HTTP/3.7\r\nHost: a\r\n\r\n", 505, id="version"),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
            id="both lengths",
        ),
    ],
)
def test_an_error_of_nginx_itself_is_a_problem(stack: Stack, raw: bytes, status: int) -> None:
    answer = stack.send_raw(raw)
    assert_is_problem(answer, status)
    assert b"hunter2" not in answer.body
    assert ("allow" in answer.headers) == (status == 405)


def test_an_unknown_address_is_the_applications_own_problem(stack: Stack) -> None:
    assert_is_problem(stack.fetch("/no/such//thing"), 404)


def test_headers_of_any_size_never_end_in_a_server_error(stack: Stack) -> None:
    one = [stack.fetch("/health", headers={"X-Big": "a" * KIB * size}).status for size in range(1, 33)]
    many = [stack.fetch("/health", headers={f"X-{n}": "a" * 1000 for n in range(size)}).status for size in range(1, 33)]
    assert set(one) == {200, 431}
    assert set(many) == {200}


def test_a_body_that_nobody_reads_is_still_answered(stack: Stack) -> None:
    statuses = {stack.fetch("/health", "POST", body=b"a" * LARGEST_BODY).status for _ in range(20)}
    assert statuses == {405}


def test_a_sane_request_id_is_answered_back(stack: Stack) -> None:
    assert stack.fetch("/health", headers={"X-Request-ID": "order-66.a_b"}).headers["x-request-id"] == "order-66.a_b"


@pytest.mark.parametrize("odd", ['a"b', "a b", "a" * 65, ""])
def test_an_odd_request_id_is_replaced(stack: Stack, odd: str) -> None:
    given = stack.fetch("/health", headers={"X-Request-ID": odd}).headers["x-request-id"]
    assert given
    assert given != odd


def test_a_client_cannot_speak_as_a_proxy(stack: Stack) -> None:
    lies = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Prefix": "/evil",
        "X-Forwarded-Proto": "https",
        "Forwarded": "host=evil.example",
    }
    answer = stack.fetch("/products?per_page=1", headers=lies)
    assert answer.status == 200
    assert "evil" not in str(answer.headers) + answer.body.decode()


def test_json_is_compressed_for_who_asks(stack: Stack) -> None:
    plain = stack.fetch("/products")
    packed = stack.fetch("/products", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["vary"]
    assert gzip.decompress(packed.body) == plain.body


def test_killed_workers_cost_no_request(stack: Stack) -> None:
    over = Event()

    def ask_on() -> list[int]:
        statuses = []
        while not over.is_set():
            statuses.append(stack.fetch("/products?per_page=1").status)
        return statuses

    with ThreadPoolExecutor(8) as clients:
        asked = [clients.submit(ask_on) for _ in range(8)]
        try:
            for number in range(4):
                wait_for("four workers", stack.has_all_workers)
                workers = stack.find_workers()
                workers[number % len(workers)].kill()
            wait_for("four workers", stack.has_all_workers)
        finally:
            over.set()
    statuses = Counter(status for answers in asked for status in answers.result())
    assert set(statuses) == {200}, statuses
    assert statuses.total() > 200


def test_a_chain_reload_costs_no_request(stack: Stack) -> None:
    wait_for("four workers", stack.has_all_workers)
    before = {worker.pid for worker in stack.find_workers()}
    (stack.plan.run / "uwsgi.fifo").write_text("c")
    statuses = []

    def is_complete() -> bool:
        statuses.append(stack.fetch("/health").status)
        return "chain reloading complete" in stack.read_uwsgi_log()

    wait_for("the end of the chain reload", is_complete)
    assert set(statuses) == {200}
    assert not before & {worker.pid for worker in stack.find_workers()}


def test_the_log_of_uwsgi_has_nothing_of_its_own_to_say_about_a_request(stack: Stack) -> None:
    stack.fetch("/products", headers={"X-Request-ID": "quiet"})
    wait_for("the line", lambda: '"quiet"' in stack.read_uwsgi_log())
    assert "setsockopt" not in stack.read_uwsgi_log()


def test_uwsgi_stops_at_once_while_a_worker_is_still_loading(stack: Stack) -> None:
    wait_for("four workers", stack.has_all_workers)
    begun = stack.read_uwsgi_log().count("(pre app)")
    stack.find_workers()[0].kill()
    wait_for("a worker that loads", lambda: stack.read_uwsgi_log().count("(pre app)") > begun)
    with stack.without_uwsgi(seconds=22) as code:  # below worker-reload-mercy
        assert code == 0


def test_without_uwsgi_nginx_says_so_and_recovers(stack: Stack) -> None:
    with stack.without_uwsgi():
        answer = stack.fetch("/products?token=hunter2", headers={"X-Request-ID": "mine"})
        head = stack.fetch("/health", "HEAD")
    assert_is_problem(answer, 502)
    assert answer.json["instance"] == "/products"
    assert answer.json["request_id"] == "mine"
    assert int(answer.headers["retry-after"]) >= 1
    assert head.status == 502
    assert head.body == b""
    assert stack.fetch("/health").status == 200


def test_the_log_of_nginx_is_one_json_line_a_request_without_queries(stack: Stack) -> None:
    stack.fetch("/products?token=hunter2", headers={"X-Request-ID": "logged"})
    log = stack.plan.run / "nginx.access.log"
    wait_for("the line", lambda: '"logged"' in log.read_text())
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    line = next(line for line in lines if line["request_id"] == "logged")
    assert (line["method"], line["path"], line["status"]) == ("GET", "/products", stack.fetch("/products?token=hunter2").status)
    assert "hunter2" not in log.read_text()


def test_whatever_bytes_a_request_is_made_of_the_log_of_nginx_is_one_ascii_line_for_it(stack: Stack) -> None:
    log = stack.plan.run / "nginx.access.log"
    odd = [
        b"\xe2\x80\xa8",
        b"\x1b[2J",
        b'","event":"forged',
        b"\xc2\x85",
        b"\x9b31m",
        b"\\n",
        b"%0a%0d",
        b"\xff\xfe",
        b"\x00",
        b"\x7f",
    ]
    before = len(log.read_bytes().split(b"\n"))
    for text in odd:
        head = b"GET /sources/" + text + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
        stack.send_raw(head + b"X-Request-ID: " + text.replace(b"\x00", b"") + b"\r\nUser-Agent: x\r\n\r\n")
    wait_for("the lines", lambda: len(log.read_bytes().split(b"\n")) >= before + len(odd))
    lines = log.read_bytes().split(b"\n")[before - 1 : -1]
    assert len(lines) == len(odd)
    assert all(line.isascii() and json.loads(line)["event"] == "nginx.request" for line in lines)
