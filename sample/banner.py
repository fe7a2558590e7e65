"""What `make run` tells a newcomer once everything answers."""

from __future__ import annotations

import os
import shlex
import sys

from sample.plan import ANONYMOUS, ROOT, Plan
from sample.ports import SHOP_PORTS, base_url
from sample.processes import Family, say, show_command

SHOP = "depot"  # the one the banner makes trouble with
COOKIES = "aisle.cookies"  # where the banner's commands keep a login
ADMIN = "admin"  # the account that the first start makes
NOTICE = "first-admin-password"  # in the data folder: where the workers, whose words go to a log, leave its password


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
