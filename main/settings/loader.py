"""Reads config.yml and the environment; the only reader of the environment there is."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from marshmallow import ValidationError

from main.service.model import Platform
from main.settings.exchange import read_mark
from main.settings.fields import Provided, Unset
from main.settings.model import DEFAULT_CONFIG, Origin, Settings
from main.settings.schema import ConfigSchema
from main.settings.servers import TaskUrl
from main.settings.yamltext import YamlFault, parse_yaml
from main.util.secret import MASK, Secret, publish_names
from main.util.text import shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    _Path = tuple[str | int, ...]

DEFAULT_DATA = "var"
_PREFIX = "AISLE_"
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_USER_INFO = re.compile(r"//\S*@")
_ABSENT = "Missing data for required field."
_UNSHOWN = {"auth", "headers"}
_SERVED = {"cache", "tasks"}
_SECRETS = {("auth", "secret"), ("auth", "secret_file")}


class SettingsError(Exception):
    """The configuration cannot be used; ``faults`` has one line each: path, what is there, what is allowed."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def find_data(environ: Mapping[str, str] | None = None) -> Path:
    """Give the data folder that ``AISLE_DATA`` names."""
    environ = os.environ if environ is None else environ
    return Path(environ.get("AISLE_DATA") or DEFAULT_DATA).absolute()


def load_settings(environ: Mapping[str, str] | None = None, text: str | None = None) -> Settings:
    """Read the settings that ``AISLE_CONFIG``, its file (or the ``text`` given in its place) and the rest of the environment say.

    Raises:
        SettingsError: with every mistake at once.
    """
    environ = os.environ if environ is None else environ
    faults: list[str] = []
    path, data = Path(environ.get("AISLE_CONFIG") or DEFAULT_CONFIG), find_data(environ)
    mark = read_mark(data)  # before the file: what is asked for while it is being read comes later
    text = _read_file(path) if text is None else text
    raw = _overlay(_read_yaml(path, text), environ, faults)
    config = _interpolate(raw, environ, (), faults)
    try:
        loaded = ConfigSchema().load(config)
    except ValidationError as error:
        faults.extend(_describe(error.messages, config))
    if faults:
        raise SettingsError(sorted(set(faults)))
    origin = Origin(environ, text, mark, silent="sources" not in loaded)
    loaded["sources"] = tuple(loaded.get("sources", ()))
    publish_names(source.name for source in loaded["sources"])
    return Settings(data=data, platform=_read_platform(environ), origin=origin, **loaded)


def read_task_url(text: str) -> str:
    """Give the URL of a task store that was given outside of config.yml, once it is known to be one.

    Raises:
        SettingsError: it is none; says what is allowed, and not what was given.
    """
    try:
        return str(TaskUrl().deserialize(Provided(text)))
    except ValidationError as error:
        raise SettingsError([f"{MASK}; allowed: {error.args[0]}"]) from error


def _read_file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError([f"{path}: {error.strerror}; allowed: a readable file (AISLE_CONFIG names another)"]) from error
    except UnicodeDecodeError as error:
        raise SettingsError([f"{path}: not UTF-8; allowed: YAML in UTF-8"]) from error


def _read_yaml(path: Path, text: str) -> dict[str, Any]:
    try:
        found = parse_yaml(text)
    except YamlFault as fault:
        raise SettingsError([f"{path}{fault.place}: {fault.problem}; allowed: YAML"]) from fault
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise SettingsError([f"{path}: {type(found).__name__}; allowed: a mapping of {', '.join(ConfigSchema().fields)}"])
    return found


def _overlay(config: dict[str, Any], environ: Mapping[str, str], faults: list[str]) -> dict[str, Any]:
    """Lay ``AISLE_SECTION__KEY`` (and ``AISLE_SOURCES__NAME__KEY``) over what the file says."""
    for name in sorted(environ):
        if name.startswith(_PREFIX) and "__" in name:
            path = name.removeprefix(_PREFIX).lower().split("__")
            if not _place(config, path, _scalar(environ[name])):
                faults.append(f"{name}: names no setting; allowed: AISLE_SECTION__KEY or AISLE_SOURCES__NAME__KEY")
    return config


def _scalar(text: str) -> Any:
    try:
        value = parse_yaml(text)
    except YamlFault:
        value = text
    return value if isinstance(value, list | dict) else Provided(text)


def _place(node: Any, path: list[str], value: Any) -> bool:
    *parents, last = path
    for step in parents:
        node = _step(node, step)
        if node is None:
            return False
    if not isinstance(node, dict):
        return False
    node[last] = value
    return True


def _step(node: Any, step: str) -> Any:
    if isinstance(node, dict):
        if not isinstance(node.get(step), dict | list):
            node[step] = {}
        return node[step]
    named = (item for item in node if isinstance(item, dict) and str(item.get("name", "")).replace("-", "_") == step)
    if step.isdigit() and int(step) < len(node):
        return node[int(step)]
    return next(named, None)


def _interpolate(node: Any, environ: Mapping[str, str], path: _Path, faults: list[str], whose: str = "") -> Any:
    whose = _whose(node) if path[:1] == ("sources",) and len(path) == len(("sources", 0)) else whose
    if isinstance(node, dict):
        return {key: _interpolate(value, environ, (*path, key), faults, whose) for key, value in node.items()}
    if isinstance(node, list):
        return [_interpolate(value, environ, (*path, index), faults, whose) for index, value in enumerate(node)]
    if not isinstance(node, str):
        return node
    where = f"{_spell(path)}{whose}"
    filled = _fill(node, environ, where, faults) if "${" in node else node
    # How Python holds bytes of the environment that are no UTF-8.
    if any("\ud800" <= character <= "\udfff" for character in filled):
        faults.append(f"{where}: not UTF-8; allowed: text in UTF-8")
        return Unset("?")
    return filled


def _fill(node: str, environ: Mapping[str, str], where: str, faults: list[str]) -> str:
    missing = [name for name, default in _VARIABLE.findall(node) if name not in environ and f"${{{name}}}" in node]
    if missing:
        faults += [
            f"{where}: ${{{name}}} is not set; allowed: the name of an environment variable that is set" for name in missing
        ]
        return Unset("?")
    filled = _VARIABLE.sub(lambda found: environ.get(found[1], found[2] or ""), node)
    from_environment = _VARIABLE.fullmatch(node) is not None and not _VARIABLE.fullmatch(node)[2]  # type: ignore[index]
    return Provided(filled) if from_environment else filled


def _whose(source: Any) -> str:
    """Give the name of the source a fault is in: its number says little to a person."""
    name = source.get("name") if isinstance(source, dict) else None
    return f" (source {shorten(name, 40)})" if isinstance(name, str) and name.isprintable() and name else ""


def _describe(messages: Any, config: Any, path: _Path = ()) -> Iterator[str]:
    if isinstance(messages, dict):
        for key, below in messages.items():
            yield from _describe(below, config, path if key == "_schema" else (*path, key))
        return
    for message in messages:
        if message == _ABSENT or not isinstance(_at(path, config), Unset):
            yield _sentence(path, message, config)


def _sentence(path: _Path, message: str, config: Any) -> str:
    inside = path[:1] == ("sources",) and path[2:] not in {(), ("name",)}
    where = (_spell(path) or "config.yml") + (_whose(_at(path[:2], config)) if inside else "")
    if message == "Unknown field.":
        return f"{where}: unknown key; allowed: {', '.join(_allowed_keys(path))}"
    if message == _ABSENT:
        return f"{where}: missing; allowed: a value"
    message = {"Invalid input type.": "a mapping", "Field may not be null.": "a value"}.get(message, message)
    return f"{where}: {_show(path, config)}; allowed: {message}"


def _show(path: _Path, config: Any) -> str:
    if len(path) > 2 and _UNSHOWN.intersection(map(str, path[2:])):  # noqa: PLR2004 - sources[i].auth...
        return MASK
    if path[:2] in _SECRETS:
        return MASK
    found = _at(path, config)
    if isinstance(found, dict | list):
        return "a mapping" if isinstance(found, dict) else "a list"  # never what is inside: it may be a secret
    if isinstance(found, str) and path[0] in _SERVED and (isinstance(found, Provided) or "@" in found):
        return MASK  # the URL of a server may hold its password
    if isinstance(found, str):
        return repr(_USER_INFO.sub(f"//{MASK}@", found))[:80]
    return "nothing" if found is None else repr(found)[:80]


def _at(path: _Path, config: Any) -> Any:
    try:
        for step in path:
            config = config[step]
    except KeyError:
        return None  # what was read from KEY_file is not in the file under KEY
    return config


def _spell(path: _Path) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def _allowed_keys(path: _Path) -> list[str]:
    schema: Any = ConfigSchema()
    for step in path[:-1]:
        if isinstance(step, int):
            continue
        field = {found.data_key or name: found for name, found in schema.fields.items()}.get(step)
        schema = getattr(getattr(field, "inner", field), "schema", schema)
    return [found.data_key or name for name, found in schema.fields.items()]


def _read_platform(environ: Mapping[str, str]) -> Platform:
    password = environ.get("C8Y_BOOTSTRAP_PASSWORD")
    return Platform(
        base_url=environ.get("C8Y_BASEURL"),
        mqtt_url=environ.get("C8Y_BASEURL_MQTT"),
        tenant=environ.get("C8Y_BOOTSTRAP_TENANT"),
        user=environ.get("C8Y_BOOTSTRAP_USER"),
        password=Secret(password) if password else None,
        isolation=environ.get("C8Y_MICROSERVICE_ISOLATION"),
    )
