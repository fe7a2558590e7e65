"""YAML as config.yml is written in: read safely, and every way in which it can be wrong told alike."""

from __future__ import annotations

from typing import Any

import yaml

# What PyYAML lets through when a value is not what its form or its tag says: a 45th day, 5,000 digits, !!bool foo.
_UNREADABLE = (ValueError, ArithmeticError, LookupError, AttributeError, TypeError)
_MERGE = "tag:yaml.org,2002:merge"
_SEQUENCE = "tag:yaml.org,2002:seq"
_TEXT = "tag:yaml.org,2002:str"


class YamlFault(ValueError):
    """A text that is no YAML; ``place`` is empty, or says at which line and column."""

    def __init__(self, problem: str, place: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.place = place


def parse_yaml(text: str) -> Any:
    """Give what a text in YAML says.

    Raises:
        YamlFault: it is none, or a key stands twice, or a value cannot be read, or it is nested too deeply.
    """
    try:
        return yaml.load(text, _StrictLoader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise YamlFault(" ".join(str(getattr(error, "problem", error)).split()), place) from error
    except RecursionError as error:
        raise YamlFault("is nested too deeply") from error
    except _UNREADABLE as error:
        raise YamlFault(_first_sentence(error)) from error


class _StrictLoader(yaml.SafeLoader):
    """YAML in which a key that stands twice is a mistake, not a silent overwrite, and a list never holds itself."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: FBT001, FBT002 - as PyYAML has it
        """Give a node's value; one that cannot be read is told with its place."""
        try:
            return super().construct_object(node, deep)
        except _UNREADABLE as error:
            problem = f"a value that cannot be read ({_first_sentence(error)})"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from error


def _mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [loader.construct_object(key) for key, _ in node.value if key.tag != _MERGE]
    twice = next((key for index, key in enumerate(keys) if key in keys[:index]), None)
    if twice is not None:
        raise yaml.constructor.ConstructorError(None, None, f"key {twice!r} stands twice", node.start_mark)
    return loader.construct_mapping(node, deep=True)


def _sequence(loader: yaml.SafeLoader, node: yaml.SequenceNode) -> list[Any]:
    return loader.construct_sequence(node, deep=True)


def _text(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    """Give a text, in which JSON may have written one character as a surrogate pair."""
    text: str = loader.construct_scalar(node)
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError as error:
        raise yaml.constructor.ConstructorError(
            None, None, "half of a surrogate pair is no character", node.start_mark
        ) from error


def _first_sentence(error: Exception) -> str:
    return str(error).partition(";")[0] or type(error).__name__


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
_StrictLoader.add_constructor(_SEQUENCE, _sequence)
_StrictLoader.add_constructor(_TEXT, _text)
