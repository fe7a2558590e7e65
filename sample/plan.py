"""Where `make run` listens and writes, as the environment says; what cannot work is told before anything starts."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sample.ports import LOOPBACK, SHOP_PORTS, base_url, variable
from sample.processes import StartFailed, find_free_port, is_port_free

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
LONGEST_SOCKET_PATH = 100  # the kernel takes 107 bytes
ANONYMOUS = "AISLE_AUTH__ANONYMOUS"  # the demo is open to readers; config.yml by itself is closed
CERTIFICATE, KEY = "AISLE_TLS_CERT", "AISLE_TLS_KEY"


@dataclass(frozen=True)
class Tls:
    """Where TLS is spoken, and with which certificate."""

    port: int
    certificate: Path
    key: Path


@dataclass(frozen=True)
class Plan:
    """Where everything listens and writes."""

    data: Path
    host: str
    port: int
    shops: Mapping[str, int]
    nginx: str | None
    tls: Tls | None = None

    @property
    def run(self) -> Path:
        """Sockets, logs and rendered files; one folder a port, so that two can run side by side."""
        return self.data / f"run-{self.port}"

    @property
    def socket(self) -> Path:
        """UWSGI's socket."""
        wanted = self.run / "uwsgi.sock"
        if len(bytes(wanted)) <= LONGEST_SOCKET_PATH:
            return wanted
        return Path(tempfile.gettempdir()) / f"aisle-{os.getpid()}-{self.port}.sock"

    @property
    def address(self) -> str:
        """What a person types."""
        return f"https://{self.reach}:{self.tls.port}" if self.tls else f"http://{self.reach}:{self.port}"

    @property
    def reach(self) -> str:
        """Where this machine reaches it."""
        return LOOPBACK if self.host == "0.0.0.0" else self.host

    def make_environment(self) -> dict[str, str]:
        """What the children get: our own environment, without what only the front needs."""
        front = {"PORT", "HOST", "AISLE_HTTP", "AISLE_SOCKET", "AISLE_WATCH", "TLS_PORT", CERTIFICATE, KEY}
        ours = {
            "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "PYTHONUNBUFFERED": "1",
            "AISLE_DATA": str(self.data),
            ANONYMOUS: os.environ.get(ANONYMOUS, "reader"),
        } | {variable(shop): base_url(port) for shop, port in self.shops.items()}
        return {name: value for name, value in os.environ.items() if name not in front} | ours


def make_plan(environ: dict[str, str]) -> Plan:
    """The plan for an environment; raises StartFailed when it cannot work."""
    host, nginx = environ.get("HOST") or LOOPBACK, find_nginx(environ)
    port = read_port(environ, "PORT", "8080", host)
    return Plan(
        data=ROOT / (environ.get("AISLE_DATA") or "var"),
        host=host,
        port=port,
        shops=choose_shop_ports(port),
        nginx=nginx,
        tls=read_tls(environ, host, nginx),
    )


def read_port(environ: dict[str, str], name: str, usual: str, host: str) -> int:
    """The port a variable names; raises StartFailed when it is none, or cannot be listened on."""
    text = environ.get(name) or usual
    if not re.fullmatch(r"[1-9][0-9]{0,4}", text) or int(text) > 65535:  # noqa: PLR2004
        message = f"{name} is {text!r}; it must be a number from 1 to 65535."
        raise StartFailed(message)
    if not is_port_free(host, int(text)):
        message = f"Port {text} of {host} cannot be used: it is taken, or not ours to take. Choose another one: {name}={find_free_port(LOOPBACK)} make run"
        raise StartFailed(message)
    return int(text)


def read_tls(environ: dict[str, str], host: str, nginx: str | None) -> Tls | None:
    """TLS, where a certificate is named; raises StartFailed when it cannot work."""
    given = {name: ROOT / environ[name] for name in (CERTIFICATE, KEY) if environ.get(name)}
    if not given:
        return None
    for name in (CERTIFICATE, KEY):
        if name not in given or not os.access(given[name], os.R_OK):
            message = f"{name} must name a PEM file that can be read; {CERTIFICATE} and {KEY} go together."
            raise StartFailed(message)
    if nginx is None:
        message = f"{CERTIFICATE} takes Nginx, and there is none here."
        raise StartFailed(message)
    return Tls(read_port(environ, "TLS_PORT", "8443", host), given[CERTIFICATE], given[KEY])


def choose_shop_ports(front: int) -> dict[str, int]:
    """The shops' usual ports, or free ones in place of those that are taken or wanted for the front."""
    return {
        shop: port if port != front and is_port_free(LOOPBACK, port) else find_free_port(LOOPBACK)
        for shop, port in SHOP_PORTS.items()
    }


def find_nginx(environ: dict[str, str]) -> str | None:
    """An Nginx, also where a user's PATH has no /usr/sbin; None when there is none or none is wanted."""
    wanted = environ.get("AISLE_NGINX") or "nginx"
    return None if wanted == "none" else shutil.which(wanted) or shutil.which(wanted, path="/usr/sbin:/usr/local/sbin")
