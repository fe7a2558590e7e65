"""Connections are made within the call's time, whatever hangs: an address, a handshake."""

import shutil
import socket
import ssl
import subprocess
import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest
import requests
from werkzeug import Response
from werkzeug.serving import make_server

from main.resources.upstream import lines, watched
from main.resources.upstream.session import UpstreamSession
from main.resources.upstream.watchdog import Watchdog, WatchedCall
from main.resources.upstream.watched import WatchedAdapter, dial, tls_context
from main.service.errors import UpstreamClosed, UpstreamTimeout, UpstreamUnreachable
from test.unit.resources.upstream.conftest import A_SOURCE
from test.unit.resources.upstream.shops import black_hole, canned, reply

GENEROUS = 5
SHORT = timedelta(milliseconds=300)


def found(*addresses):
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in addresses]


@pytest.fixture
def call():
    call = WatchedCall(time.monotonic() + 4)
    yield call
    call.detach()


class TestDial:
    def test_a_black_hole_leaves_time_for_the_next_address(self, call):
        with black_hole() as hole, socket.create_server(("127.0.0.1", 0)) as good:
            connection = dial(found(hole, *[good.getsockname()] * 9), call)  # a tenth of the time is the hole's
            with connection:
                assert connection.getpeername() == good.getsockname()
                assert connection.gettimeout() is None

    def test_many_black_holes_take_no_longer_than_one(self):
        began = time.monotonic()
        with black_hole() as one, black_hole() as other, pytest.raises(TimeoutError):
            dial(found(*[one, other] * 5), WatchedCall(began + 1))
        assert time.monotonic() - began < GENEROUS  # a second each would be ten

    def test_an_address_that_refuses_is_passed_over(self, call, closed_port):
        with socket.create_server(("127.0.0.1", 0)) as good:
            dial(found(("127.0.0.1", closed_port), good.getsockname()), call).close()

    def test_the_last_refusal_is_told(self, call, closed_port):
        with pytest.raises(ConnectionRefusedError):
            dial(found(("127.0.0.1", closed_port)), call)

    def test_without_time_or_addresses_there_is_no_connection(self, call):
        for late in (WatchedCall(time.monotonic() - 1), call):
            with pytest.raises(TimeoutError, match="no time left"):
                dial(found(("127.0.0.1", 9)) if late is not call else [], late)

    def test_a_call_that_was_ended_does_not_connect(self, call):
        call.end()
        with pytest.raises(TimeoutError):
            dial(found(("127.0.0.1", 9)), call)


def test_a_shop_that_takes_no_connection_is_given_up_at_the_deadline(session_to):
    began = time.monotonic()
    with black_hole() as (host, port), pytest.raises(UpstreamTimeout, match="in time"):
        session_to(f"http://{host}:{port}", timeout=SHORT).get()
    assert time.monotonic() - began < GENEROUS


def test_closing_a_session_ends_a_call_that_is_still_connecting(session_to):
    with black_hole() as (host, port):
        session = session_to(f"http://{host}:{port}", timeout=timedelta(seconds=60))
        caught = []

        def call():
            with pytest.raises(UpstreamClosed) as error:
                session.get()
            caught.append(error)

        caller = threading.Thread(target=call)
        caller.start()
        until = time.monotonic() + GENEROUS
        while caller.is_alive() and time.monotonic() < until:
            session.close()  # again and again: nothing tells when the call has begun to connect
            caller.join(0.1)
    assert len(caught) == 1


@pytest.mark.parametrize("answer", [[], [b"\x16\x03\x03\x10\x00", *[b"\x00"] * 300]], ids=["silent", "dripping"])
def test_a_handshake_that_never_ends_is_given_up_at_the_deadline(session_to, raw_shop, answer):
    began = time.monotonic()
    with pytest.raises(UpstreamTimeout):
        session_to(raw_shop(answer).url.replace("http:", "https:"), timeout=SHORT).get()
    assert time.monotonic() - began < GENEROUS


class Slow:
    """Knows no name, and takes its time."""

    def resolve(self, *_):
        raise TimeoutError("The look-up takes too long.")


def test_a_look_up_that_never_ends_is_a_call_that_took_too_long():
    session = UpstreamSession(replace(A_SOURCE, url="http://shop.example"), Watchdog(Slow()))
    try:
        with pytest.raises(UpstreamTimeout):
            session.get()
    finally:
        session.close()


def test_a_connection_that_nobody_watches_is_an_ordinary_one(raw_shop):
    shop = raw_shop(reply(b"[1]"))
    adapter = WatchedAdapter()
    answer = adapter.send(requests.Request("GET", shop.url).prepare(), stream=True, timeout=GENEROUS)
    assert answer.read() == b"[1]"
    adapter.close()


@pytest.fixture
def certificate(tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed, so there is no certificate to try")
    paths = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run([*command, *names, "-keyout", paths[0], "-out", paths[1]], check=True, capture_output=True)
    return paths


def test_the_certificates_are_read_once():
    assert tls_context() is tls_context()
    assert tls_context().verify_mode is ssl.CERT_REQUIRED
    assert tls_context().check_hostname


class TestCertificates:
    @pytest.fixture
    def url(self, certificate):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate[1], certificate[0])
        server = make_server("127.0.0.1", 0, canned(lambda _: Response(b"[1]")), ssl_context=context)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"https://localhost:{server.port}"
        server.shutdown()
        thread.join()
        server.server_close()

    def test_a_certificate_that_nobody_vouches_for_is_refused_and_not_tried_again(self, session_to, url):
        with pytest.raises(UpstreamUnreachable, match="TLS certificate or handshake was refused"):
            session_to(url).get()

    def test_one_that_is_known_is_taken_for_its_own_name_alone(self, session_to, url, certificate, monkeypatch):
        context = ssl.create_default_context(cafile=str(certificate[1]))
        monkeypatch.setattr(watched, "tls_context", lambda: context)
        assert session_to(url).get().body == b"[1]"
        with pytest.raises(UpstreamUnreachable, match="TLS certificate or handshake was refused"):
            session_to(url.replace("localhost", "127.0.0.1")).get()


class TestTLS:
    @pytest.fixture
    def url(self, certificate, monkeypatch):
        """One connection over TLS: the first request is answered, the second never."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate[1], certificate[0])
        monkeypatch.setattr(watched, "DEFAULT_CA_BUNDLE_PATH", str(certificate[1]))
        tls_context.cache_clear()
        listener = socket.create_server(("localhost", 0))

        def serve():
            connection, _ = listener.accept()
            with context.wrap_socket(connection, server_side=True) as secure:
                secure.settimeout(GENEROUS)
                secure.recv(4096)
                secure.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n[1]")
                while secure.recv(4096):
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"https://localhost:{listener.getsockname()[1]}"
        thread.join()
        listener.close()
        tls_context.cache_clear()

    def test_a_connection_that_is_used_again_is_ended_at_the_deadline_and_leaves_no_plug(self, session_to, url):
        session = session_to(url, timeout=SHORT)
        assert session.get(patience=20).body == b"[1]"  # a handshake takes its time on a busy machine
        held = len(lines._PLUGS)
        began = time.monotonic()
        with pytest.raises(UpstreamTimeout):
            session.get()
        assert time.monotonic() - began < GENEROUS
        assert len(lines._PLUGS) == held - 1
