"""Reads a module's syntax tree and names every line that breaks the layer rule, a fence or a rule about errors."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
CORE = ("main.service.model", "main.service.ports", "main.service.errors")
TYPES = ("main.service.model", "main.service.errors")
# The table of docs/architecture.md: what each layer may import of ours. Its exceptions: bootstrap hands the sync the
# function that makes a product's JSON, and that is made by the marshmallow schema in main.controller.documents. A guard that
# is given no book keeps one in memory, which is a resource of its own as well. What is kept in SQLite shares one database.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "main.controller": ("main.controller", "main.service", "main.util"),
    "main.service": ("main.service", "main.util"),
    "main.resources.cache": ("main.resources.cache", *CORE, "main.util"),
    "main.resources.catalogue": ("main.resources.catalogue", "main.resources.database", *CORE, "main.util"),
    "main.resources.accounts": ("main.resources.accounts", "main.resources.database", *CORE, "main.util"),
    "main.resources.database": ("main.resources.database", *CORE, "main.util"),
    "main.resources.limits": ("main.resources.limits", *CORE, "main.util"),
    "main.resources.replies": ("main.resources.replies", "main.resources.database", *CORE, "main.util"),
    "main.resources.guards": ("main.resources.guards", *CORE, "main.util"),
    "main.resources.tasks": ("main.resources.tasks", "main.resources.database", *CORE, "main.util"),
    "main.resources.tokens": ("main.resources.tokens", *CORE, "main.util"),
    "main.resources.upstream": ("main.resources.upstream", "main.resources.guards.memory", *CORE, "main.util"),
    "main.util": ("main.util",),
    "main.settings": ("main.settings", "main.service.model", "main.util"),
    "main.bootstrap": (
        *("main.service", "main.resources", "main.util", "main.settings", "main.controller.documents"),
        *("main.bootstrap_doors", "main.bootstrap_tasks"),
    ),
    "main.bootstrap_doors": ("main.service", "main.resources", "main.util", "main.settings"),
    "main.bootstrap_tasks": ("main.service", "main.resources", "main.util", "main.settings"),
    "main.app": ("main.controller", "main.bootstrap", "main.settings", "main.util", *TYPES),
    "main.cli": (
        *("main.cli_common", "main.cli_keys", "main.cli_tasks", "main.cli_users"),
        *("main.bootstrap", "main.settings", "main.util", *TYPES),
    ),
    "main.cli_common": ("main.settings", "main.util", *TYPES),
    "main.cli_keys": ("main.bootstrap_doors", "main.settings", "main.util", *TYPES),
    "main.cli_tasks": ("main.cli_common", "main.bootstrap_tasks", "main.settings", "main.util", *TYPES),
    "main.cli_users": ("main.cli_common", "main.bootstrap_doors", "main.settings", "main.util", *TYPES),
    "main.wsgi": ("main.app", "main.bootstrap_doors", "main.settings", "main.util", *TYPES),
    "main.__main__": ("main.cli",),
}
# What annotations may name beside that.
IN_ANNOTATIONS: dict[str, tuple[str, ...]] = dict.fromkeys(
    ("main.app", "main.cli", "main.cli_tasks", "main.cli_users", "main.wsgi"), ("main.service",)
)
FENCES: dict[str, tuple[str, ...]] = {
    "flask": ("main.controller", "main.app"),
    "flask_restx": ("main.controller", "main.app"),
    "werkzeug": ("main.controller", "main.app"),
    "flask_wtf": ("main.controller.console",),
    "wtforms": ("main.controller.console",),
    "jinja2": ("main.controller.console",),
    "markupsafe": ("main.controller.console",),
    "requests": ("main.resources.upstream",),
    "urllib3": ("main.resources.upstream",),
    "marshmallow": ("main.controller", "main.settings", "main.resources.upstream"),
    "jmespath": ("main.util.expressions",),
    "limits": ("main.resources.limits",),
    "cachelib": ("main.resources.cache",),
    "pymemcache": ("main.resources.cache",),
    "redis": ("main.resources.cache",),
    "sqlite3": ("main.resources.database",),
    "sqlalchemy": (
        *("main.resources.database", "main.resources.catalogue", "main.resources.accounts", "main.resources.replies"),
        "main.resources.tasks",
    ),
    "pymongo": ("main.resources.tasks.mongo", "main.resources.tasks.turns"),
    "psycopg": ("main.resources.tasks.postgres",),
    "alembic": ("main.resources.database",),
    "argon2": ("main.resources.accounts.hashing",),
    "jwt": ("main.resources.tokens",),
    "cryptography": ("main.resources.tokens",),
    "concurrent.futures": ("main.service.fanout",),
}
ENVIRONMENT = {"environ", "environb", "getenv", "putenv"}
READS_ENVIRONMENT = "main.settings.loader"
BROAD = {"Exception", "BaseException"}


@dataclass(frozen=True)
class Fault:
    """A line that breaks a rule."""

    place: str
    line: str
    rule: str

    def __str__(self) -> str:
        return f"{self.place}: {self.line}\n    {self.rule}"


class Module:
    """A module's name, text and tree."""

    def __init__(self, name: str, text: str, place: str = "snippet") -> None:
        self.name = name
        self.place = place
        self.lines = text.splitlines()
        self.tree = ast.parse(text)
        self.annotations = {id(node) for test in self._checking_blocks() for node in ast.walk(test)}

    def _checking_blocks(self) -> list[ast.If]:
        return [node for node in ast.walk(self.tree) if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]

    def fault(self, node: ast.AST, rule: str) -> Fault:
        number = node.lineno  # type: ignore[attr-defined]
        return Fault(f"{self.place}:{number}", self.lines[number - 1].strip(), rule)


def read_modules(package: str = "main") -> list[Module]:
    """Give every module of a package; migrations are not ours to shape."""
    paths = sorted(path for path in (ROOT / package).rglob("*.py") if "migrations" not in path.parts)
    return [Module(name_of(path), path.read_text(encoding="utf-8"), str(path.relative_to(ROOT))) for path in paths]


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def inside(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def imports_of(module: Module) -> Iterator[tuple[ast.stmt, str]]:
    """Give each import with the full name of what it brings in."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join([*module.name.split(".")[: -node.level], *filter(None, [node.module])])
            yield from ((node, f"{base}.{alias.name}") for alias in node.names)


def find_upward_imports(module: Module) -> Iterator[Fault]:
    layer = next((layer for layer in sorted(MAY_IMPORT, key=len, reverse=True) if inside(module.name, (layer,))), None)
    for node, name in imports_of(module):
        if not inside(name, ("main",)) or name == "main.__version__":
            continue
        extra = IN_ANNOTATIONS.get(layer or "", ()) if id(node) in module.annotations else ()
        allowed = (*MAY_IMPORT.get(layer or "", ()), *extra)
        if not inside(name, allowed):
            yield module.fault(node, f"{layer or module.name} may import only {', '.join(allowed) or 'nothing of ours'}")


def find_broken_fences(module: Module) -> Iterator[Fault]:
    for node, name in imports_of(module):
        for library, packages in FENCES.items():
            if inside(name, (library,)) and not inside(module.name, packages):
                yield module.fault(node, f"{library} only in {', '.join(packages)}")
        if inside(name, tuple(f"os.{word}" for word in ENVIRONMENT)) and module.name != READS_ENVIRONMENT:
            yield module.fault(node, f"the environment only in {READS_ENVIRONMENT}")
    for node in ast.walk(module.tree):
        reads = isinstance(node, ast.Attribute) and node.attr in ENVIRONMENT and ast.unparse(node.value) == "os"
        if reads and module.name != READS_ENVIRONMENT:
            yield module.fault(node, f"the environment only in {READS_ENVIRONMENT}")


def find_late_imports(module: Module) -> Iterator[Fault]:
    """Find imports inside functions without a comment above them that says why."""
    functions = (node for node in ast.walk(module.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    late = {
        node.lineno: node
        for function in functions
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    for number, node in sorted(late.items()):
        above = number - 1
        while above in late:
            above -= 1
        if not module.lines[above - 1].strip().startswith("# "):
            yield module.fault(node, "an import inside a function says why in a comment above it")


def find_careless_handlers(module: Module) -> Iterator[Fault]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ExceptHandler):
            if node.type is None:
                yield module.fault(node, "an except names what it catches")
            if all(isinstance(step, ast.Pass) or _is_ellipsis(step) for step in node.body):
                yield module.fault(node, "an error is not passed over in silence")


def find_broad_handlers(module: Module) -> Iterator[Fault]:
    """Find handlers that keep any error there is; one that raises it again keeps nothing."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ExceptHandler) and node.type is not None:
            caught = {part.id for part in ast.walk(node.type) if isinstance(part, ast.Name)}
            last = node.body[-1]
            again = isinstance(last, ast.Raise) and last.exc is None
            if caught & BROAD and not again:
                yield module.fault(node, "one of at most three handlers that catch everything")


def _is_ellipsis(step: ast.stmt) -> bool:
    return isinstance(step, ast.Expr) and isinstance(step.value, ast.Constant) and step.value.value is ...
