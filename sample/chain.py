"""The chain of processes behind `make run`: sample shops, first sync, watcher, uWSGI and Nginx."""

from __future__ import annotations

import os
import re
import signal
import sys
from functools import partial
from typing import TYPE_CHECKING

from sample.plan import BIN, ROOT, Plan, Tls
from sample.ports import LOOPBACK
from sample.processes import Child, Family, StartFailed, Terms, answers, say

if TYPE_CHECKING:
    from pathlib import Path

SOME_SOURCE_FAILED = 1  # exit code of `python -m main sync`


def start_stack(family: Family, plan: Plan, *, watch: bool = True) -> None:
    """Starts everything in order and returns when the front answers."""
    plan.run.mkdir(mode=0o700, parents=True, exist_ok=True)
    env = plan.make_environment()
    start_shops(family, plan, env)
    sync_once(family, env)
    if watch:
        family.start("watcher", [sys.executable, "-m", "main", "sync", "--watch"], env, Terms(takes_hangup=True))
    start_uwsgi(family, plan, env)
    if plan.nginx:
        start_nginx(family, plan, env)
    # In plain HTTP, TLS or not: the probes stay there.
    family.wait_until(f"An answer from {plan.address}/health", lambda: answers(plan.reach, plan.port, "/health"))


def start_shops(family: Family, plan: Plan, env: dict[str, str]) -> None:
    """Starts each sample shop as a process of its own and waits for them; later the rest can do without any of them."""
    started = [(start_shop(family, shop, port, env), port) for shop, port in plan.shops.items()]
    for child, port in started:
        family.wait_until(f"The sample shop {child.name}", partial(is_open, child, port))


def start_shop(family: Family, shop: str, port: int, env: dict[str, str]) -> Child:
    """Starts one sample shop."""
    command = [sys.executable, "-m", "sample", "serve", "--shop", shop, "--port", str(port)]
    return family.start(shop, command, env, Terms(expendable=True))


def is_open(shop: Child, port: int) -> bool:
    """Whether a shop answers; raises StartFailed when it has ended instead."""
    if shop.process.poll() is not None:
        raise StartFailed(shop.describe_end())
    return answers(LOOPBACK, port, "/")


def sync_once(family: Family, env: dict[str, str]) -> None:
    """Fetches all sources for the first time; a source that fails is the watcher's to retry."""
    code = family.run("sync", [sys.executable, "-m", "main", "sync"], env)
    if code == SOME_SOURCE_FAILED:
        say("Not every source came in; the watcher tries again.")
    elif code:
        message = f"The first sync ended with code {code}."
        raise StartFailed(message)


def start_uwsgi(family: Family, plan: Plan, env: dict[str, str]) -> None:
    """Starts the workers: on a socket for Nginx, or with uWSGI's own HTTP router."""
    behind = {"AISLE_SOCKET": str(plan.socket), "AISLE_SERVER__PROXIES": "1"}
    front = behind if plan.nginx else {"AISLE_HTTP": f"{plan.host}:{plan.port}"}
    command = [str(BIN / "uwsgi"), "--ini", str(ROOT / "uwsgi.ini")]
    family.start("uwsgi", command, env | front | {"AISLE_FIFO": str(plan.run / "uwsgi.fifo")})


def start_nginx(family: Family, plan: Plan, env: dict[str, str]) -> None:
    """Starts Nginx with a configuration of its own."""
    family.start("nginx", configure_nginx(plan), env, Terms(stop_signal=signal.SIGQUIT))


def configure_nginx(plan: Plan) -> list[str]:
    """Renders the configuration and gives the command that runs Nginx with it."""
    values = {
        "AISLE_RUN": str(plan.run),
        "AISLE_USER": "user root;" if os.geteuid() == 0 else "",
        "AISLE_LISTEN": f"{plan.host}:{plan.port}",
        "AISLE_UPSTREAM": f"unix:{plan.socket}",
        "AISLE_ACCESS_LOG": str(plan.run / "nginx.access.log"),
        "AISLE_TRUSTED_PROXY": "255.255.255.255",
        "AISLE_TLS": f'include "{plan.run / "tls.conf"}";' if plan.tls else "",
    }
    if plan.tls:
        render(ROOT / "nginx" / "tls.conf.template", plan.run / "tls.conf", describe_tls(plan.host, plan.tls))
    render(ROOT / "nginx" / "templates" / "aisle.conf.template", plan.run / "aisle.conf", values)
    render(ROOT / "nginx" / "nginx.conf.template", plan.run / "nginx.conf", values)
    return [str(plan.nginx), "-e", "stderr", "-c", str(plan.run / "nginx.conf"), "-g", "daemon off;"]


def describe_tls(host: str, tls: Tls) -> dict[str, str]:
    """What the configuration of TLS is filled in with."""
    return {
        "AISLE_TLS_LISTEN": f"{host}:{tls.port}",
        "AISLE_TLS_PORT": f":{tls.port}",
        "AISLE_TLS_CERT": str(tls.certificate),
        "AISLE_TLS_KEY": str(tls.key),
    }


def render(template: Path, target: Path, values: dict[str, str]) -> None:
    """Fills in `${NAME}`, as the public Nginx image does with its templates."""
    target.write_text(re.sub(r"\$\{([A-Z_]+)\}", lambda found: values[found[1]], template.read_text()))
