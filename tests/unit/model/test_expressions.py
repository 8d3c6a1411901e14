"""Expressions: what scripts of pipelines may say, and what they may not."""

import math
from typing import Any

import pytest

from sealane.model.expressions import BadExpression, parse_expression

VARIABLES: dict[str, Any] = {"params": {"a": 5.0, "b": 3, "none": None}, "values": [1.0, 2.5]}


def value(source: str) -> Any:
    return parse_expression(source).value(VARIABLES, {"Math.max": max})


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("params.a + 1", 6.0),
        ("params['a'] / 2 * 3", 7.5),
        ("return params.a;", 5.0),
        ("1 - 2 - 3", -4),
        ("2 + 3 * 4", 14),
        ("(2 + 3) * 4", 20),
        ("--1", 1),
        ("7 / 2", 3),
        ("-7 / 2", -3),
        ("7.0 / 2", 3.5),
        ("-7 % 3", -1),
        ("5.5 % 2", 1.5),
        ("1.0 / 0", math.inf),
        ("-1.0 / 0", -math.inf),
        ("params.a > 3 && !(params.b <= 2)", True),
        ("params.a == 5.0 || params.zz > 1", True),
        ("params.a > 3 ? 1 : 2", 1),
        ("params.none == null", True),
        ("values.length", 2),
        ("values[1]", 2.5),
        ("Math.max(params.a, 10)", 10),
        ("1e3d", 1000.0),
    ],
)
def test_what_expressions_say(source: str, expected: Any) -> None:
    assert value(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("9223372036854775807 + 1", -(2**63)),
        ("-9223372036854775807 - 2", 2**63 - 1),
        ("9223372036854775807 * 9223372036854775807 * 1.5", 1.5),
        ("params[params] == null", True),
        ("params[values] == null", True),
        ("params[1] == null", True),
    ],
)
def test_whole_numbers_have_64_bits_and_members_are_named_by_text(
    source: str, expected: Any
) -> None:
    assert value(source) == expected


@pytest.mark.parametrize("source", ["-" * 3_000 + "1", "1" + "+1" * 1_500, "params" + ".a" * 1_000])
def test_a_chain_that_would_exhaust_the_stack_is_refused(source: str) -> None:
    with pytest.raises(BadExpression, match="in a row"):
        parse_expression(source)


def test_a_long_sum_is_none() -> None:
    assert value("1" + "+1" * 150) == 151


@pytest.mark.parametrize("source", ["9223372036854775808", "9" * 3_999])
def test_a_whole_number_beyond_64_bits_is_refused(source: str) -> None:
    with pytest.raises(BadExpression, match="Invalid int constant"):
        parse_expression(source)


def test_zero_by_zero_is_no_number() -> None:
    assert math.isnan(value("0.0 / 0"))


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("def x = 1; return x", "unexpected"),
        ("1 +", "unexpected end"),
        ("a b", "unexpected [b]"),
        ("f(1)", "unknown function [f]"),
        ("zz + 1", "cannot resolve symbol [zz]"),
        ("params.none + 1", "cannot cast [null] to a number"),
        ("params.a ? 1 : 2", "cannot cast [5.0] to boolean"),
        ("1 / 0", "/ by zero"),
        ("values[7]", "cannot read [7]"),
        ("Math.max('a', 1)", "cannot be called"),
        ("(" * 100 + "1" + ")" * 100, "nested deeper"),
        ("1" * 5_000, "longer than"),
    ],
)
def test_what_is_no_expression_is_told(source: str, problem: str) -> None:
    with pytest.raises(BadExpression) as raised:
        value(source)
    assert problem in str(raised.value)
