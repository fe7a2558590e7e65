"""Measures every figure Aisle promises, prints a table and writes it to bench/RESULTS.md.

``make bench`` takes about half an hour, the first time some minutes more to build the stores it searches in;
``make bench ARGS=--quick`` takes some eight minutes with smaller catalogues, which prove less.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import re
import shlex
import sqlite3
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from bench import figures
from bench.stack import BIN, ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.figures import Row, Sizes

RESULTS = ROOT / "bench" / "RESULTS.md"


def measure_all(sizes: Sizes, data: Path, only: str | None = None) -> list[Row]:
    """Measure everything, or one part, part by part."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        parts: list[tuple[str, Callable[[Sizes, Path], list[Row]], Path]] = [
            ("sync", figures.sync_rows, Path(name)),
            ("readers during a sync", figures.reader_rows, Path(name)),
            ("list pages", figures.page_rows, Path(name)),
            ("search", figures.search_rows, data),
            ("memory and start", figures.weight_rows, data),
            ("live looks", figures.live_rows, Path(name)),
            ("logins", figures.flood_rows, Path(name)),
            ("tasks", figures.board_rows, Path(name)),
            ("console", figures.console_rows, Path(name)),
        ]
        for title, measure, folder in parts:
            if only is not None and only not in title:
                continue
            started = time.perf_counter()
            print(f"-- {title}", flush=True)
            rows += measure(sizes, folder)
            print(f"   ({time.perf_counter() - started:.0f} s)", flush=True)
    return rows


def describe_machine() -> list[str]:
    """Give where and with what this was measured."""
    uwsgi = _output([str(BIN / "uwsgi"), "--version"])
    memory = psutil.virtual_memory().total / 2**30
    return [
        f"- date: {dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC; commit: {describe_commit()}",
        f"- machine: {_processor()}, {os.cpu_count()} cores, {memory:.0f} GB; load before: {os.getloadavg()[0]:.1f}",
        f"- Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, uWSGI {uwsgi}",
        f"- compared with: FastAPI {version('fastapi')}, uvicorn {version('uvicorn')}, pydantic {version('pydantic')}",
        f"- command: `{describe_command(sys.argv[1:])}`",
    ]


def describe_command(options: list[str]) -> str:
    """Give how this was started."""
    return f'make bench ARGS="{shlex.join(options)}"' if options else "make bench"


def describe_commit() -> str:
    """Give what of Aisle is measured."""
    commit = _output(["git", "rev-parse", "--short", "HEAD"]) or "unknown"
    return f"{commit} with changes not committed" if _output(["git", "status", "--porcelain", "main", "uwsgi.ini"]) else commit


def _output(command: list[str]) -> str:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*:\s*(.+)", information.read_text()) if information.exists() else None
    return found[1] if found else platform.machine()


def write_table(rows: list[Row]) -> str:
    """Give the table in Markdown."""
    lines = [f"| {row.figure} | {row.goal} | {row.measured} | {row.verdict} |" for row in rows]
    return "\n".join(["| figure | goal | measured | |", "|---|---|---|---|", *lines])


def write_results(machine: list[str], rows: list[Row]) -> None:
    """Write bench/RESULTS.md; what people wrote below its last heading stays."""
    notes = RESULTS.read_text().partition("## What was found")[2] if RESULTS.exists() else "\n"
    head = "# Figures\n\nWritten by `make bench`: medians, and ratios measured side by side in one run. Other work on the machine moves all of them.\n"
    RESULTS.write_text("\n".join([head, *machine, "", write_table(rows), "", "## What was found" + notes]))


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="some eight minutes, with smaller catalogues; RESULTS.md stays")
    parser.add_argument("--data", type=Path, default=ROOT / "var" / "bench", help="where the stores to search in are kept")
    parser.add_argument("--only", help="the part whose title holds this, such as `live`; RESULTS.md stays")
    asked = parser.parse_args()
    asked.data.mkdir(parents=True, exist_ok=True)
    machine = describe_machine()
    begun = describe_commit()
    rows = measure_all(figures.QUICK if asked.quick else figures.FULL, asked.data.absolute(), asked.only)
    if describe_commit() != begun:
        machine.append(f"- the code changed while this ran: it ended at {describe_commit()}")
    print("\n".join(["", *machine, "", write_table(rows)]))
    if not asked.quick and not asked.only:
        write_results(machine, rows)
    if any(row.holds is False for row in rows):
        print("\nNot every figure holds.")


if __name__ == "__main__":
    main()
