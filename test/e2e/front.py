"""Nginx alone, from the project's own templates, before a small uWSGI application that can be frozen or left out."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sample.chain import configure_nginx
from sample.plan import BIN, Plan
from sample.ports import LOOPBACK
from sample.processes import Child, Family, Terms, answers, find_free_port, is_port_free
from test.e2e.stack import Site

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from sample.plan import Tls

APPLICATION = """
def application(environ, start_response):
    environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Request-ID", environ["HTTP_X_REQUEST_ID"])])
    return [environ["HTTP_X_FORWARDED_PROTO"].encode()]
"""


@dataclass(frozen=True)
class Front(Site):
    """A running Nginx."""

    def read_log(self) -> str:
        """Its access log."""
        return (self.plan.run / "nginx.access.log").read_text()

    @contextmanager
    def with_application(self) -> Iterator[Child]:
        """uWSGI behind it."""
        program = self.plan.run / "small.py"
        program.write_text(APPLICATION)
        command = [str(BIN / "uwsgi"), "--socket", str(self.plan.socket), "--chmod-socket=666", "--wsgi-file", str(program)]
        self.family.start("uwsgi", command, os.environ)
        uwsgi = self.family.children[-1]
        try:
            self.family.wait_until("uWSGI", lambda: answers(LOOPBACK, self.plan.port, "/health"))
            yield uwsgi
        finally:
            uwsgi.process.send_signal(signal.SIGKILL)
            uwsgi.process.wait()
            self.family.children.remove(uwsgi)


@contextmanager
def run_front(data: Path, nginx: str | None, edits: Mapping[str, str] | None = None, tls: Tls | None = None) -> Iterator[Front]:
    """Nginx with its configuration, in which some texts may be replaced by others."""
    plan = Plan(data, LOOPBACK, find_free_port(LOOPBACK), {}, nginx, tls)
    plan.run.mkdir(mode=0o700, parents=True)
    command = configure_nginx(plan)
    for old, new in (edits or {}).items():
        edit(plan.run, old, new)
    family = Family(plan.run)
    try:
        family.start("nginx", command, os.environ, Terms(stop_signal=signal.SIGQUIT))
        family.wait_until("Nginx", lambda: not is_port_free(LOOPBACK, plan.port))
        yield Front(plan, family)
    finally:
        family.stop()


def edit(folder: Path, old: str, new: str) -> None:
    """Replaces a text of the rendered configuration, in the one file that has it."""
    [rendered] = [file for file in folder.glob("*.conf") if old in file.read_text()]
    rendered.write_text(rendered.read_text().replace(old, new))
