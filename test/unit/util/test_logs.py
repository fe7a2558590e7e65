"""Log lines: one JSON object each, or readable on a terminal."""

import io
import json
import logging
import sys

import pytest
import structlog

from main.util.logs import (
    LEVELS,
    bind_request_id,
    configure_logs,
    current_request_id,
    request_context,
    unbind_request_id,
)
from main.util.secret import Secret


@pytest.fixture(autouse=True)
def logging_as_before():
    root, urllib3 = logging.getLogger(), logging.getLogger("urllib3")
    handlers, level, urllib3_level, config = root.handlers, root.level, urllib3.level, structlog.get_config()
    yield
    root.handlers = handlers
    root.setLevel(level)
    urllib3.setLevel(urllib3_level)
    structlog.configure(**config)


def lines(capsys) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_every_event_is_one_json_object_on_its_own_line(capsys):
    configure_logs(terminal=False)
    log = structlog.get_logger()
    log.info("source.synced", source="acme", products=3)
    log.warning("source.failed", source="depot")
    first, second = lines(capsys)
    assert (first["event"], first["level"], first["source"], first["products"]) == ("source.synced", "info", "acme", 3)
    assert first["timestamp"].endswith("Z")
    assert (second["event"], second["level"]) == ("source.failed", "warning")


@pytest.mark.parametrize("value", ["a\nb", "a\r\n{}", "\u2028", "\x85", 'quote"', "\x00", "سلك"])
def test_a_value_with_line_breaks_stays_on_one_line(capsys, value):
    configure_logs(terminal=False)
    structlog.get_logger().info("event", value=value)
    (line,) = lines(capsys)
    assert line["value"] == value


def test_a_secret_in_a_field_is_masked(capsys):
    configure_logs(terminal=False)
    structlog.get_logger().info("event", token=Secret("hunter2"), nested={"token": Secret("hunter2")})
    (line,) = lines(capsys)
    assert (line["token"], line["nested"]) == ("***", {"token": "***"})


def test_an_exception_is_one_line_with_its_trace_inside(capsys):
    configure_logs(terminal=False)
    try:
        raise LookupError("gone")
    except LookupError:
        structlog.get_logger().exception("event.broke")
    (line,) = lines(capsys)
    assert "LookupError: gone" in line["exception"]


@pytest.mark.parametrize("level", LEVELS)
def test_only_what_is_as_grave_as_the_level_is_written(capsys, level):
    configure_logs(level, terminal=False)
    for name in LEVELS:
        getattr(structlog.get_logger(), name)("event")
    assert [line["level"] for line in lines(capsys)] == list(LEVELS[LEVELS.index(level) :])


def test_a_terminal_gets_readable_lines(capsys):
    configure_logs(terminal=True)
    structlog.get_logger().info("source.synced", source="acme")
    written = capsys.readouterr().err
    assert "source.synced" in written
    assert not written.startswith("{")


def test_without_a_terminal_the_lines_are_json_by_default(capsys):
    configure_logs()
    structlog.get_logger().info("event")
    assert lines(capsys)[0]["event"] == "event"


@pytest.mark.parametrize("library", [False, True])
def test_a_line_is_written_at_once_so_that_another_processs_cannot_come_between(monkeypatch, library):
    class Recorder(io.StringIO):
        def write(self, text):
            written.append(text)
            return len(text)

    written = []
    monkeypatch.setattr(sys, "stderr", Recorder())
    configure_logs(terminal=False)
    (logging.getLogger("some.library") if library else structlog.get_logger()).warning("event")
    (line,) = written
    assert line.endswith("}\n")


def test_what_libraries_log_has_the_same_form_from_warning_on(capsys):
    configure_logs("debug", terminal=False)
    logging.getLogger("some.library").info("chatter")
    logging.getLogger("some.library").warning("first\nsecond")
    (line,) = lines(capsys)
    assert (line["event"], line["level"]) == ("first\nsecond", "warning")


def test_warnings_of_urllib3_are_not_written_because_they_spell_out_urls(capsys):
    configure_logs("debug", terminal=False)
    logging.getLogger("urllib3.connectionpool").warning("Retrying /products?consumer_secret=hunter2")
    assert capsys.readouterr().err == ""


def test_the_request_id_is_on_every_line_inside_its_context(capsys):
    configure_logs(terminal=False)
    log = structlog.get_logger()
    with request_context("r-1"):
        assert current_request_id() == "r-1"
        log.info("inside")
    log.info("outside")
    inside, outside = lines(capsys)
    assert inside["request_id"] == "r-1"
    assert "request_id" not in outside
    assert current_request_id() is None


def test_a_bound_request_id_stays_until_it_is_unbound():
    bind_request_id("r-2")
    assert current_request_id() == "r-2"
    unbind_request_id()
    assert current_request_id() is None


def test_a_request_id_that_is_no_text_is_none():
    with structlog.contextvars.bound_contextvars(request_id=7):
        assert current_request_id() is None


def test_a_line_and_its_end_are_one_write_so_that_processes_do_not_mix_theirs(monkeypatch):
    written = []

    class Stream:
        def write(self, text):
            written.append(text)

        def flush(self):
            written.append(None)

        def isatty(self):
            return False

    monkeypatch.setattr("sys.stderr", Stream())
    configure_logs(terminal=False)
    structlog.get_logger().info("event")
    [line] = [text for text in written if text]
    assert line.endswith("}\n")
