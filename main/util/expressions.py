"""JMESPath expressions (jmespath.org) over JSON whose fractions are decimals: compiled once, checked whole, exact about money."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import jmespath
from jmespath import exceptions, functions
from jmespath.parser import ParsedResult, Parser

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_FAILURES = (exceptions.JMESPathError, TypeError, ValueError, ArithmeticError, RecursionError, AttributeError)

_PATHS = {"subexpression", "index_expression", "pipe"}
_PROJECTIONS = {"projection", "filter_projection", "value_projection", "flatten"}  # of which the first part finds the list
_JUDGED = "true or false"  # what ! gives has no keys: it binds tighter than a dot, so that !a.b asks true or false for b
_WHOLES = {"comparator", "not_expression", "function_expression"}  # which need each of their parts


class ExpressionError(ValueError):
    """An expression that cannot be read, or cannot be used on a value; the text is a sentence for a person."""


class _DecimalFunctions(functions.Functions):
    """The functions of JMESPath, for which a ``Decimal`` is a number like any other."""

    def _get_allowed_pytypes(self, types: list[str]) -> tuple[list[str], list[tuple[str, ...]]]:
        allowed, below = super()._get_allowed_pytypes(types)  # type: ignore[misc]
        return [*allowed, *_with_decimal(allowed)], [(*kinds, *_with_decimal(kinds)) for kinds in below]

    def _convert_to_jmespath_type(self, pyobject: str) -> str:
        found: str = "number" if pyobject == "Decimal" else super()._convert_to_jmespath_type(pyobject)  # type: ignore[misc]
        return found

    @functions.signature({"types": []})
    def _func_to_number(self, arg: Any) -> Any:
        if isinstance(arg, int | Decimal) and not isinstance(arg, bool):
            return arg
        try:
            number = Decimal(arg.strip()) if isinstance(arg, str) else None
        except InvalidOperation:
            return None
        return number if number is not None and number.is_finite() else None

    @functions.signature({"types": []})
    def _func_type(self, arg: Any) -> str:
        return self._convert_to_jmespath_type(type(arg).__name__)

    @functions.signature({"types": []})
    def _func_to_string(self, arg: Any) -> Any:
        return str(arg) if isinstance(arg, Decimal) else super()._func_to_string(arg)  # type: ignore[misc]


def _with_decimal(kinds: Any) -> list[str]:
    return ["Decimal"] if "float" in kinds else []


_OPTIONS = jmespath.Options(custom_functions=_DecimalFunctions())


class Expression:
    """A compiled expression; safe to use from several threads."""

    def __init__(self, text: str, tree: Any) -> None:
        self.text = text
        self._parsed = ParsedResult(text, tree)

    def search(self, value: Any) -> Any:
        """Give what the expression finds in a value; None when it finds nothing.

        Raises:
            ExpressionError: a function cannot work with what it was given.
        """
        try:
            return self._parsed.search(value, options=_OPTIONS)
        except _FAILURES as error:
            raise ExpressionError(" ".join(str(error).split())[:200]) from error

    def find_absent(self, value: Any) -> str | None:
        """Give the first key the expression names that is not in the object where it looks for it, None where all are.

        What is null or empty has no keys to tell of: there the value says nothing, and the expression may well be right.
        """
        return _find_absent(self._parsed.parsed, value)


def _find_absent(node: Any, value: Any) -> str | None:
    kind, below = node["type"], node["children"]
    if kind == "field":
        return None if _is_false(value) or (isinstance(value, dict) and node["value"] in value) else str(node["value"])
    if kind in _PATHS:
        return _find_on_path(below, value)
    if kind == "and_expression":
        return None if _is_false(Expression("", below[0]).search(value)) else _find_absent(below[1], value)
    looked = [_find_absent(one, value) for one in (below[:1] if kind in _PROJECTIONS else below)]
    if kind == "or_expression" or (kind == "function_expression" and node["value"] == "not_null"):
        return looked[-1] if all(looked) else None
    return next(filter(None, looked), None) if kind in _PROJECTIONS | _WHOLES else None


def _find_on_path(steps: Sequence[Any], value: Any) -> str | None:
    for step in steps:
        if absent := _find_absent(step, value):
            return absent
        value = Expression("", step).search(value) if step["type"] != "not_expression" else _JUDGED
    return None


def _is_false(value: Any) -> bool:
    return value is None or value is False or value in ("", [], {})  # as JMESPath has it: 0 is true


@lru_cache(maxsize=4096)
def compile_expression(text: str) -> Expression:
    """Compile an expression, its functions and how many arguments they take checked as well.

    Raises:
        ExpressionError: it is none; says why.
    """
    try:
        tree = _exact(Parser().parse(text).parsed)
        calls = list(_calls(tree))
    except (exceptions.JMESPathError, ValueError, RecursionError) as error:
        raise ExpressionError(_explain(error)) from error
    for name, given in calls:
        spec = functions.Functions.FUNCTION_TABLE.get(name)
        if spec is None:
            raise ExpressionError(f"there is no function {name}()")
        wanted = len(spec["signature"])
        if given < wanted or (given > wanted and not spec["signature"][-1].get("variadic")):
            raise ExpressionError(f"{name}() takes {wanted} argument{'s' if wanted > 1 else ''}, not {given}")
    return Expression(text, tree)


def _explain(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, exceptions.IncompleteExpressionError):
        return "it ends too early"
    if isinstance(error, exceptions.LexerError):
        return f"at column {error.lexer_position + 1}: {error.message}; keys of other letters stand in double quotes: '\"é\"'"
    if isinstance(error, exceptions.ParseError):
        return f"at column {error.lex_position + 1}: {error.token_value!r} cannot stand there"
    return "it is empty" if isinstance(error, exceptions.EmptyExpressionError) else "it has a number that is too long"


def _exact(node: Any) -> Any:
    """Give a tree whose literal fractions are decimals, as those of the records are."""
    if isinstance(node, float):
        return Decimal(repr(node))
    if isinstance(node, dict):
        return {key: _exact(value) for key, value in node.items()}
    return [_exact(value) for value in node] if isinstance(node, list) else node


def _calls(node: Any) -> Iterator[tuple[str, int]]:
    if node["type"] == "function_expression":
        yield node["value"], len(node["children"])
    for child in node["children"]:
        if isinstance(child, dict) and "type" in child:
            yield from _calls(child)
