"""The faults that other tests stand on are really there."""

import socket
import socketserver
import threading
import time

import pytest

from test.faults.proxy import faulty


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(65536):
            self.request.sendall(data)


@pytest.fixture
def proxy():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        with faulty(server.server_address) as found:
            yield found
        server.shutdown()


def connect(proxy, timeout=10):
    return socket.create_connection(("127.0.0.1", proxy.port), timeout)


def ask(sock, data=b"hello"):
    """Send, and give the whole answer with the seconds until its end."""
    started, got = time.monotonic(), b""
    sock.sendall(data)
    while len(got) < len(data):
        piece = sock.recv(65536)
        if not piece:
            break
        got += piece
    return got, time.monotonic() - started


def test_a_good_way_passes_everything_on(proxy):
    data = bytes(range(256)) * 4000
    with connect(proxy) as sock:
        threading.Thread(target=sock.sendall, args=(data,)).start()
        got = b""
        while len(got) < len(data):
            got += sock.recv(65536)
    assert got == data
    assert proxy.connections == 1


def test_latency_holds_an_answer_back(proxy):
    proxy.set(latency=0.3)
    with connect(proxy) as sock:
        got, seconds = ask(sock)
    assert got == b"hello"
    assert seconds >= 0.3


def test_bandwidth_lets_so_many_bytes_through_in_a_second(proxy):
    proxy.set(bandwidth=10_000)
    with connect(proxy) as sock:
        got, seconds = ask(sock, b"x" * 4000)
    assert len(got) == 4000
    assert seconds >= 0.3


def test_slicing_cuts_an_answer_into_pieces(proxy):
    proxy.set(slicing=1, slice_pause=0.3)  # long enough for a busy machine to take each piece before the next one comes
    with connect(proxy) as sock:
        sock.sendall(b"abc")
        assert [sock.recv(100) for _ in range(3)] == [b"a", b"b", b"c"]


def test_a_limit_ends_the_connection_in_the_middle_of_an_answer(proxy):
    proxy.set(limit=3)
    with connect(proxy) as sock:
        assert ask(sock)[0] == b"hel"


def test_a_slow_close_leaves_the_client_waiting_for_the_end(proxy):
    proxy.set(limit=5, slow_close=0.4)
    with connect(proxy) as sock:
        assert ask(sock)[0] == b"hello"
        started = time.monotonic()
        assert sock.recv(1) == b""
        assert time.monotonic() - started >= 0.3


def test_a_black_hole_answers_nothing_and_lets_go_of_all_when_it_is_over(proxy):
    with connect(proxy, 0.3) as sock:
        proxy.set(black_hole=True)
        sock.sendall(b"hello")
        with pytest.raises(TimeoutError):
            sock.recv(5)
        proxy.set()
        sock.settimeout(10)
        assert sock.recv(5) == b"hello"


def test_a_black_hole_takes_new_connections_too(proxy):
    proxy.set(black_hole=True)
    with connect(proxy, 0.3) as sock:
        sock.sendall(b"hello")
        with pytest.raises(TimeoutError):
            sock.recv(5)


def test_a_reset_cuts_what_is_open_and_what_is_to_come(proxy):
    with connect(proxy) as sock:
        assert ask(sock)[0] == b"hello"
        proxy.set(reset=True)
        with pytest.raises(ConnectionResetError):
            sock.recv(1)
    with pytest.raises(ConnectionError), connect(proxy) as sock:  # the reset may come before connect returns
        ask(sock)
    proxy.set()
    with connect(proxy) as sock:
        assert ask(sock)[0] == b"hello"


def test_a_server_that_is_gone_closes_the_connection(proxy):
    proxy.target = ("127.0.0.1", 1)
    with connect(proxy) as sock:
        assert sock.recv(1) == b""
