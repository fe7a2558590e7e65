"""Lines are shut down while they are open, and nothing is once they are closed."""

import socket

import pytest

from main.resources.upstream.lines import _PLUGS, Line, Plug, plug_of


@pytest.fixture
def line():
    """A line, and the other end of it."""
    line = Line(socket.AF_INET, socket.SOCK_STREAM, 0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        line.connect(server.getsockname())
        theirs, _ = server.accept()
    theirs.settimeout(5)
    with line, theirs:
        yield line, theirs


def test_pulling_the_plug_shuts_down_and_leaves_the_descriptor_to_its_owner(line):
    ours, theirs = line
    plug = plug_of(ours)
    plug.pull()
    plug.pull()
    assert theirs.recv(1) == b""
    assert ours.recv(1) == b""
    assert ours.fileno() in _PLUGS


def test_what_was_closed_is_not_pulled_even_when_another_has_its_number(line):
    ours, _ = line
    plug, number = plug_of(ours), ours.fileno()
    ours.close()
    assert number not in _PLUGS
    one, other = socket.socketpair()
    with one, other:
        assert number in {one.fileno(), other.fileno()}
        plug.pull()
        one.send(b"still open")
        assert other.recv(10) == b"still open"


def test_a_line_whose_answer_is_still_read_has_its_plug_until_that_is_over(line):
    ours, theirs = line
    file, plug = ours.makefile("rb"), plug_of(ours)
    ours.close()
    plug.pull()
    assert (theirs.recv(1), file.read()) == (b"", b"")
    file.close()
    assert ours.fileno() not in _PLUGS


def test_one_that_the_other_side_has_closed_is_pulled_without_harm():
    ours, theirs = socket.socketpair()
    with ours:
        theirs.close()
        Plug(ours.fileno()).pull()


def test_a_timeout_that_is_set_already_is_not_set_again(line, monkeypatch):
    ours, _ = line
    asked = []
    monkeypatch.setattr(socket.socket, "settimeout", lambda _, value: asked.append(value))
    for value in (None, 0.5, None):
        ours.settimeout(value)
    assert asked == [0.5]
