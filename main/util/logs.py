"""Logs by structlog: readable on a terminal, one JSON object a line otherwise."""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import structlog
from structlog.contextvars import bind_contextvars, bound_contextvars, get_contextvars, unbind_contextvars

from main.util.masking import escape_event, mask_event

if TYPE_CHECKING:
    from collections.abc import Iterator

LEVELS = ("debug", "info", "warning", "error")


def configure_logs(level: str = "info", *, terminal: bool | None = None) -> None:
    """Set up logging for this process, on standard error; ``terminal`` decides the form where it is given."""
    readable = sys.stderr.isatty() if terminal is None else terminal
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    console = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    renderers: list[Any] = [
        structlog.processors.format_exc_info,
        mask_event,
        *([escape_event, console] if readable else [structlog.processors.JSONRenderer(ensure_ascii=True)]),
    ]
    number = getattr(logging, level.upper())
    structlog.configure(
        processors=[*shared, *renderers],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        # Looked up at each line: whoever redirects standard error gets the log too. And the line is written together with its end: where
        # standard error is not buffered, print would write them one after the other, and another process's line could come between.
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    _route_library_logs(shared, renderers, number)


def _route_library_logs(shared: list[Any], renderers: list[Any], number: int) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(number, logging.WARNING))
    # Its warnings about a second try spell out the URL, and a shop's key may stand in the query.
    logging.getLogger("urllib3").setLevel(logging.ERROR)


@contextmanager
def request_context(request_id: str) -> Iterator[None]:
    """Put the request id on every log line written inside."""
    with bound_contextvars(request_id=request_id):
        yield


def bind_request_id(request_id: str) -> None:
    """Put the request id on every log line of this context from now on."""
    bind_contextvars(request_id=request_id)


def unbind_request_id() -> None:
    """End what :func:`bind_request_id` began."""
    unbind_contextvars("request_id")


def current_request_id() -> str | None:
    """Give the request id of this context, if there is one."""
    found = get_contextvars().get("request_id")
    return found if isinstance(found, str) else None
