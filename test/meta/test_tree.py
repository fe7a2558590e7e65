from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

from test.meta.layers import ROOT, read_modules

LONGEST_FILE = 400
LONGEST_FUNCTION = 60
MIRRORED = 0.95
MODULES = [module for module in read_modules() if not module.place.endswith(("__init__.py", "__main__.py"))]
BINARY = {".png", ".jpg", ".jpeg", ".gif", ".ico", ".gz", ".woff", ".woff2"}
MACHINE_PATHS = re.compile(r"(?<![\w.])(/home/[a-z]|/Users/[A-Za-z]|/root/|/work/|C:\\\\Users)")
REGISTRIES = re.compile(r"https?://[\w.-]*(?:pypi|pythonhosted|npmjs|crates|maven|artifactory|nexus|devpi)[\w.-]*|index-url")


def tracked_files() -> list[Path]:
    """Give what git keeps, or would keep when it is added."""
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"git does not list the files here: {done.stderr.strip()}")
    return [path for line in done.stdout.splitlines() if (path := ROOT / line).is_file()]


def mirror_of(place: str) -> Path:
    """Give where the unit tests of a module stand."""
    path = Path(place).relative_to("main")
    return ROOT / "test/unit" / path.with_name(f"test_{path.name}")


def test_nearly_every_module_has_its_tests_at_the_mirrored_path():
    missing = [module.place for module in MODULES if not mirror_of(module.place).exists()]
    assert 1 - len(missing) / len(MODULES) >= MIRRORED, missing


def test_every_unit_test_mirrors_a_module():
    found = set((ROOT / "test/unit").rglob("test_*.py"))
    astray = found - {mirror_of(module.place) for module in MODULES}
    assert len(astray) <= len(found) * (1 - MIRRORED), sorted(str(path.relative_to(ROOT)) for path in astray)


def test_no_file_is_too_long():
    lengths = {module.place: len(module.lines) for module in MODULES}
    assert {place: length for place, length in lengths.items() if length > LONGEST_FILE} == {}


def test_no_function_is_too_long():
    lengths = {
        f"{module.place}:{node.lineno} {node.name}": node.end_lineno - node.lineno + 1
        for module in MODULES
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert len(lengths) > 100
    assert {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION} == {}


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_requirements_are_pinned_with_hashes(name: str):
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ")
    pinned = [line for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    assert pinned
    assert [
        line for line in pinned if not re.match(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==\S+ .*--hash=sha256:[0-9a-f]{64}", line)
    ] == []


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_everything_asked_for_is_pinned(name: str):
    asked = re.findall(r"^([A-Za-z0-9][A-Za-z0-9._-]*)", (ROOT / f"{name}.in").read_text(encoding="utf-8"), re.MULTILINE)
    pinned = {
        spell(found)
        for found in re.findall(r"^([A-Za-z0-9._-]+)(?:\[[a-z,]+\])?==", (ROOT / f"{name}.txt").read_text(), re.MULTILINE)
    }
    assert asked
    assert {spell(package) for package in asked} <= pinned


def spell(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()


def test_no_path_of_a_machine_and_no_registry_is_in_the_tree():
    files = [path for path in tracked_files() if path.suffix not in BINARY and path != Path(__file__)]
    assert len(files) > 100
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path in files
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if MACHINE_PATHS.search(line) or REGISTRIES.search(line)
    ]
    assert found == []


def test_a_path_of_a_machine_would_be_noticed():
    for line in ("cd /home/ada/aisle", "x = '/work/main'", "https://pypi.example/simple", "--index-url x"):
        assert MACHINE_PATHS.search(line) or REGISTRIES.search(line)
    for line in ("a/work/b", "https://shop.example/maps", "WORKDIR /app", "framework/"):
        assert not MACHINE_PATHS.search(line)
        assert not REGISTRIES.search(line)


def test_every_folder_of_tests_is_a_package():
    folders = {path.parent for path in (ROOT / "test").rglob("*.py")}
    assert [str(folder.relative_to(ROOT)) for folder in folders if not (folder / "__init__.py").exists()] == []
