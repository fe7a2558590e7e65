"""`make run`: the sample shops, a first sync, the watcher, uWSGI, and Nginx in front, as one program that stops as one.

Each sample shop is a process of its own that can be killed, frozen or throttled while the rest goes on. PORT (8080) and HOST (127.0.0.1) say where it listens, AISLE_DATA (var) where it keeps its data, AISLE_NGINX which Nginx to use (`none`: without).
AISLE_TLS_CERT and AISLE_TLS_KEY, two PEM files, switch TLS on, at TLS_PORT (8443); PORT then leads there.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import sys
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sample.ports import LOOPBACK, SHOP_PORTS, base_url, variable
from sample.processes import (
    Child,
    Family,
    StartFailed,
    StopAsked,
    Terms,
    answers,
    find_free_port,
    is_port_free,
    say,
    show_command,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
SHOP = "depot"  # the one the banner makes trouble with
LONGEST_SOCKET_PATH = 100  # the kernel takes 107 bytes
ANONYMOUS = "AISLE_AUTH__ANONYMOUS"  # the demo is open to readers; config.yml by itself is closed
CERTIFICATE, KEY = "AISLE_TLS_CERT", "AISLE_TLS_KEY"
COOKIES = "aisle.cookies"  # where the banner's commands keep a login
ADMIN = "admin"  # the account that the first start makes
NOTICE = "first-admin-password"  # in the data folder: where the workers, whose words go to a log, leave its password
SOME_SOURCE_FAILED = 1  # exit code of `python -m main sync`


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


def print_banner(plan: Plan, family: Family) -> None:
    """What a newcomer wants to know, once everything answers."""
    front = "Nginx, then uWSGI" if plan.nginx else "uWSGI's own HTTP router (no Nginx found; install one to have it in front)"
    say(
        f"\nAisle is running at {plan.address}\n"
        f"  open   {plan.address}/ in a browser: the console\n"
        f"  docs   {plan.address}/docs\n"
        f"{describe_move(plan)}"
        f"  login  {describe_access(plan)}\n"
        f"  try    {describe_curl(plan)} '{plan.address}/products?per_page=3'\n"
        f"  front  {front}\n"
        f"  admin  {describe_first_admin(plan)}\n"
        f"  data   {plan.data}\n"
        f"  logs   {plan.run}/*.log\n"
        f"{describe_trouble(plan, family)}"
        f"  stop   Ctrl-C\n"
    )


def describe_move(plan: Plan) -> str:
    """Where plain HTTP leads, once there is TLS."""
    return (
        f"  plain  http://{plan.reach}:{plan.port} leads there; /health, /ready and /heartbeat are answered at both\n"
        if plan.tls
        else ""
    )


def reading_is_open() -> bool:
    """Whether reading needs no login here."""
    return os.environ.get(ANONYMOUS, "reader") == "reader"


def name_curl(plan: Plan) -> str:
    """curl, told of a certificate that only we may know."""
    return f"curl --cacert {shlex.quote(str(plan.tls.certificate))}" if plan.tls else "curl"


def describe_curl(plan: Plan) -> str:
    """How the commands of the banner ask: with the login that the one above them keeps, where reading needs one."""
    return name_curl(plan) if reading_is_open() else f"{name_curl(plan)} -b {COOKIES}"


def describe_access(plan: Plan) -> str:
    """Who may read here, and how that is changed."""
    if reading_is_open():
        return f"not needed to read, as this is a demo ({ANONYMOUS}=reader); {ANONYMOUS}=none make run asks for one"
    given = f'{{"username": "{ADMIN}", "password": "..."}}'
    login = f"{name_curl(plan)} -c {COOKIES} -H 'Content-Type: application/json' -d '{given}' {plan.address}/auth"
    return f"needed for everything ({ANONYMOUS}=none), so first: {login}"


def describe_first_admin(plan: Plan) -> str:
    """Where the password of the first account is; on a terminal the password itself, that one time: the workers that made it write to a log, so they did not show it."""
    data = "" if plan.data == ROOT / "var" else f"AISLE_DATA={shlex.quote(str(plan.data))} "
    change = f"{data}{show_command([sys.executable])} -m main users passwd {ADMIN}"
    file = plan.data / NOTICE
    if not file.exists():
        return f"log in as {ADMIN} with the password you know; for another one: {change}"
    if not sys.stdout.isatty():
        return f"log in as {ADMIN}; the password is in {file}; for another one: {change}"
    password = file.read_text().strip()
    file.unlink()
    return f"log in as {ADMIN} with {password} (shown only now); for another one: {change}"


def describe_trouble(plan: Plan, family: Family) -> str:
    """How to see that the lists do not notice: real process ids, real ports, commands to be pasted into another terminal."""
    pids = {child.name: child.process.pid for child in family.children if child.name in plan.shops}
    if SHOP not in pids:
        return ""  # it did not even live until now
    port, pid, python = plan.shops[SHOP], pids[SHOP], show_command([sys.executable])
    others = ", ".join(f"{name} is {number}" for name, number in pids.items() if name != SHOP)
    url = "" if port == SHOP_PORTS[SHOP] else f" --url {base_url(port)}"
    return (
        f"\n  Make trouble, from another terminal; the lists do not notice, live looks keep their deadline:\n"
        f"    look       {describe_curl(plan)} '{plan.address}/products?source={SHOP}&live=true&deadline_ms=800'\n"
        f"    state      {describe_curl(plan)} '{plan.address}/sources/{SHOP}'; the watcher's words are in {plan.run}/watcher.log\n"
        f"    freeze     kill -STOP {pid}, and kill -CONT {pid} ({SHOP}; {others})\n"
        f"    stop       kill {pid}, and {python} -m sample serve --shop {SHOP} --port {port}\n"
        f"    throttle   {python} -m sample behave {SHOP} throttle --seconds 30{url}, and ... {SHOP} well{url}\n"
        f'               or curl -d \'{{"fault": "throttle", "seconds": 30}}\' {base_url(port)}/{SHOP}/_behave\n'
        f"    more       {python} -m sample behave --help (slow, drip, broken, garbled, price, invalid)\n\n"
    )


def main() -> int:
    """Runs until it is told to stop (0) or a part of it ends (1)."""
    os.chdir(ROOT)
    try:
        plan = make_plan(dict(os.environ))
    except StartFailed as failure:
        say(str(failure))
        return 1
    family = Family(plan.run)
    family.obey_signals()
    try:
        start_stack(family, plan)
        print_banner(plan, family)
        family.watch()
    except StopAsked:
        say("\nStopping.")
        return 0
    except StartFailed as failure:
        say(f"{failure}\nStopping everything.")
        return 1
    finally:
        family.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
