from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from test.meta.layers import ROOT

if TYPE_CHECKING:
    from pathlib import Path

RULE = """
def choose(n):
    if n > 1:
        return "many"
    return "one"
"""
CONFTEST = """
from test.meta.coverage_gate import CoverageGate


def pytest_configure(config):
    config.pluginmanager.register(CoverageGate(config))
"""
SETTINGS = """
[tool.pytest.ini_options]
testpaths = ["checks"]
addopts = "-p no:cacheprovider"
[tool.coverage.run]
branch = true
source = ["main"]
"""
Run = Any


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A function that runs a small suite of its own, whose only rule is tried with these numbers."""
    for name, text in {
        "main/__init__.py": "",
        "main/service/__init__.py": "",
        "main/service/rule.py": RULE,
        "pyproject.toml": SETTINGS,
        "checks/conftest.py": CONFTEST,
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def start(numbers: tuple[int, ...], *arguments: str) -> subprocess.CompletedProcess[str]:
        lines = [f"def test_{n}():\n    assert choose({n})" for n in numbers]
        (tmp_path / "checks/test_rule.py").write_text("\n".join(["from main.service.rule import choose", *lines]))
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("COV_", "COVERAGE_", "PYTEST_"))}
        environ = {**kept, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "COVERAGE_FILE": str(tmp_path / ".coverage")}
        command = [sys.executable, "-m", "pytest", *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60, check=False)

    return start


def test_a_whole_run_that_misses_a_line_of_a_rule_fails_and_says_which(run: Run):
    done = run((1,), "--cov")
    assert done.returncode == 1, done.stdout
    assert "main/service/rule.py" in done.stdout.partition("coverage of the rules")[2]
    assert "FAIL main/service/* and main/util/*" in done.stdout
    assert "1 passed" in done.stdout.splitlines()[-1]


def test_a_whole_run_that_misses_nothing_passes(run: Run):
    done = run((1, 2), "--cov", "-m", "not containers")
    assert done.returncode == 0, done.stdout
    assert "coverage of the rules" not in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("--cov", "-k", "test_1"),
        ("checks/test_rule.py", "--cov"),
        ("--cov", "-m", "slow or not slow"),
        ("--cov", "--no-cov"),
        (),
    ],
    ids=["by-word", "by-path", "by-mark", "coverage-off", "no-coverage"],
)
def test_a_run_of_a_part_is_not_judged(run: Run, arguments: tuple[str, ...]):
    done = run((1,), *arguments)
    assert done.returncode == 0, done.stdout
    assert "coverage of the rules" not in done.stdout


def test_a_run_in_which_nothing_was_measured_fails(run: Run):
    done = run((1,), "--cov=checks")
    assert done.returncode == 1, done.stdout
    assert "Nothing was measured in main/service/*" in done.stdout
