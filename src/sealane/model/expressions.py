"""A small language of expressions: what scripts of pipeline aggregations may say here.

Numbers, `true`, `false`, `null`; `params.name` and `params['name']`; `values` and `values.length`; arithmetic,
comparisons, `&&`, `||`, `!`, `a ? b : c`; calls of functions that the caller names. There are no statements, no loops
and no variables, so every expression ends: its cost is its length. Whole numbers divide as whole numbers do in the
reference's language, and doubles as doubles.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import copysign, fmod, inf, isnan, nan
from typing import Any

LENGTH_MAX = 4_000
DEPTH_MAX = 64
"""Of brackets and the like."""
CHAIN_MAX = 200
"""Of operators that work on each other's values: each is a call when the expression is evaluated."""
_LONG_MAX = 2**63 - 1

Functions = Mapping[str, Callable[..., Any]]
Node = tuple[Any, ...]
"""An operator and its operands."""


class BadExpression(ValueError):
    """What is not such an expression. Its text says what was met where."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression. Equal sources are equal."""

    source: str
    root: Node

    def value(self, variables: Mapping[str, Any], functions: Functions) -> Any:
        """Its value. Raises BadExpression for unknown names and operands that do not fit."""
        return _evaluate(self.root, variables, functions)


_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[dDfFlL]?)"
    r"|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<text>'[^'\\]*'|\"[^\"\\]*\")"
    r"|(?P<sign>&&|\|\||[<>=!]=|[-+*/%<>!?:().,\[\];]))"
)
_LEVELS = (("||",), ("&&",), ("==", "!="), ("<", "<=", ">", ">="), ("+", "-"), ("*", "/", "%"))
_WORDS = {"true": True, "false": False, "null": None}


def parse_expression(source: str) -> Expression:
    """Raises BadExpression."""
    if len(source) > LENGTH_MAX:
        raise BadExpression(f"longer than [{LENGTH_MAX}] characters")
    parser = _Parser(source)
    root = parser.ternary()
    if parser.sign() == ";":
        parser.step()
    if parser.at < len(parser.tokens):
        raise BadExpression(f"unexpected [{parser.tokens[parser.at][1]}]")
    if _is_deeper(root, CHAIN_MAX):
        raise BadExpression(f"more than [{CHAIN_MAX}] operators in a row")
    return Expression(source, root)


def _is_deeper(root: Node, limit: int) -> bool:
    level: list[Any] = [root]
    for _ in range(limit):
        level = [inner for node in level for inner in node if isinstance(inner, tuple)]
        if not level:
            return False
    return True


class _Parser:
    def __init__(self, source: str) -> None:
        text = source.strip().removeprefix("return ")
        self.tokens: list[tuple[str, str]] = []
        self.at = 0
        self._depth = 0
        end = 0
        while end < len(text):
            found = _TOKEN.match(text, end)
            if found is None:
                if not text[end:].strip():
                    break
                raise BadExpression(f"unexpected [{text[end:].strip()[:20]}]")
            kind = str(found.lastgroup)
            self.tokens.append((kind, found[kind]))
            end = found.end()

    def sign(self) -> str:
        """The operator here, empty where there is none."""
        if self.at < len(self.tokens) and self.tokens[self.at][0] == "sign":
            return self.tokens[self.at][1]
        return ""

    def step(self) -> tuple[str, str]:
        if self.at >= len(self.tokens):
            raise BadExpression("unexpected end")
        self.at += 1
        return self.tokens[self.at - 1]

    def expect(self, sign: str) -> None:
        _, found = self.step()
        if found != sign:
            raise BadExpression(f"expected [{sign}] but found [{found}]")

    def ternary(self) -> Node:
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise BadExpression(f"nested deeper than [{DEPTH_MAX}]")
        node = self._binary(0)
        if self.sign() == "?":
            self.step()
            chosen = self.ternary()
            self.expect(":")
            node = ("?", node, chosen, self.ternary())
        self._depth -= 1
        return node

    def _binary(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._unary()
        node = self._binary(level + 1)
        while self.sign() in _LEVELS[level]:
            _, operator = self.step()
            node = (operator, node, self._binary(level + 1))
        return node

    def _unary(self) -> Node:
        signs = []
        while self.sign() in ("-", "+", "!"):
            signs.append(self.step()[1])
        node = self._primary()
        for sign in reversed(signs):
            node = ("negate" if sign == "-" else "same" if sign == "+" else "!", node)
        return node

    def _primary(self) -> Node:
        kind, text = self.step()
        if kind == "number":
            return ("value", _number(text))
        if kind == "text":
            return ("value", text[1:-1])
        if text == "(":
            node = self.ternary()
            self.expect(")")
            return node
        if kind == "name":
            return self._named(text)
        raise BadExpression(f"unexpected [{text}]")

    def _named(self, name: str) -> Node:
        if name in _WORDS:
            return ("value", _WORDS[name])
        node: Node = ("name", name)
        path = name
        while True:
            if self.sign() == ".":
                self.step()
                member = self.step()[1]
                path = f"{path}.{member}"
                node = ("member", node, member)
            elif self.sign() == "[":
                self.step()
                node = ("item", node, self.ternary())
                self.expect("]")
            elif self.sign() == "(":
                self.step()
                node = ("call", path, self._arguments())
            else:
                return node

    def _arguments(self) -> tuple[Node, ...]:
        found: list[Node] = []
        while self.sign() != ")":
            if found:
                self.expect(",")
            found.append(self.ternary())
        self.step()
        return tuple(found)


def _number(text: str) -> float | int:
    body = text.rstrip("dDfFlL")
    if not body.isdigit() or text[-1] in "dDfF":
        return float(body)
    if len(body.lstrip("0")) > 19 or int(body) > _LONG_MAX:
        raise BadExpression(f"Invalid int constant [{text}].")
    return int(body)


# -- evaluation --------------------------------------------------------------------------------------------------


def _evaluate(node: Node, variables: Mapping[str, Any], functions: Functions) -> Any:
    operator, *operands = node

    def value(at: int) -> Any:
        return _evaluate(operands[at], variables, functions)

    match operator:
        case "value":
            return operands[0]
        case "name":
            return _lookup(variables, operands[0])
        case "member":
            return _member(value(0), operands[1])
        case "item":
            return _member(value(0), value(1))
        case "call":
            function = functions.get(operands[0])
            if function is None:
                raise BadExpression(f"unknown function [{operands[0]}]")
            arguments = [_evaluate(each, variables, functions) for each in operands[1]]
            return _called(operands[0], function, arguments)
        case "?":
            return value(1) if _truth(value(0)) else value(2)
        case "&&":
            return _truth(value(0)) and _truth(value(1))
        case "||":
            return _truth(value(0)) or _truth(value(1))
        case "!":
            return not _truth(value(0))
        case "negate":
            return _wrapped(-_as_number(value(0)))
        case "same":
            return _as_number(value(0))
        case "==" | "!=":
            return (value(0) == value(1)) == (operator == "==")
    return _arithmetic(operator, _as_number(value(0)), _as_number(value(1)))


def _lookup(variables: Mapping[str, Any], name: str) -> Any:
    if name not in variables:
        raise BadExpression(f"cannot resolve symbol [{name}]")
    return variables[name]


def _member(container: Any, name: Any) -> Any:
    if isinstance(container, Mapping):
        return container.get(name) if isinstance(name, str) else None
    if isinstance(container, list | tuple):
        if name == "length":
            return len(container)
        if isinstance(name, int) and not isinstance(name, bool) and 0 <= name < len(container):
            return container[name]
    raise BadExpression(f"cannot read [{name}]")


def _called(name: str, function: Callable[..., Any], arguments: list[Any]) -> Any:
    try:
        return function(*arguments)
    except (TypeError, ValueError, OverflowError) as problem:
        if isinstance(problem, BadExpression):
            raise
        raise BadExpression(f"[{name}] cannot be called with these arguments") from None


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise BadExpression(f"cannot cast [{value}] to boolean")
    return value


def _as_number(value: Any) -> float | int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadExpression(f"cannot cast [{'null' if value is None else value}] to a number")
    return value


def _arithmetic(operator: str, left: float, right: float) -> Any:
    match operator:
        case "+":
            return _wrapped(left + right)
        case "-":
            return _wrapped(left - right)
        case "*":
            return _wrapped(left * right)
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
        case ">=":
            return left >= right
    whole = isinstance(left, int) and isinstance(right, int)
    if whole and right == 0:
        raise BadExpression("/ by zero")
    if operator == "%":
        return _remainder(left, right, whole=whole)
    if whole:
        return _truncated(int(left), int(right))
    return _quotient(float(left), float(right))


def _wrapped(value: float) -> float:
    """Whole numbers have 64 bits in the reference's language, and begin anew at the other end."""
    if isinstance(value, int) and not -_LONG_MAX - 1 <= value <= _LONG_MAX:
        return (value + _LONG_MAX + 1) % 2**64 - _LONG_MAX - 1
    return value


def _truncated(left: int, right: int) -> int:
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def _remainder(left: float, right: float, *, whole: bool) -> float:
    if whole:
        return left - right * _truncated(int(left), int(right))
    return nan if right == 0 or left in (inf, -inf) else fmod(left, right)


def _quotient(left: float, right: float) -> float:
    if right != 0:
        return left / right
    if left == 0 or isnan(left):
        return nan
    return inf * copysign(1.0, left) * copysign(1.0, right)
