"""What a search template turns into. The language is the reference's; HTML is never escaped, JSON strings are."""

from typing import Any

import pytest

from sealane.errors import ApiError, ParseError
from sealane.query.mustache import OUTPUT_MAX, PIECES_MAX, as_is, render

PARAMS: dict[str, Any] = {
    "text": 'a "b" & \\ <c>\n',
    "number": 10,
    "half": 1.5,
    "big": 1e10,
    "yes": True,
    "no": False,
    "null": None,
    "empty": "",
    "list": ["x", "y", "z"],
    "none": [],
    "user": {"name": "kim", "tags": ["t"], "age": 3},
    "users": [{"name": "a"}, {"name": "b"}],
}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{number}} {{half}} {{yes}} {{big}}", "10 1.5 true 1.0E10"),
        ("[{{missing}}{{null}}]", "[]"),
        ("{{text}}", 'a \\"b\\" & \\\\ <c>\\n'),
        ("{{{text}}}", PARAMS["text"]),
        ("{{& text}}", PARAMS["text"]),
        ("{{ user.name }} {{user.tags.0}} {{list.1}} {{list.size}} {{list.9}}", "kim t y 3 "),
        ("{{#user}}{{name}}{{number}}{{/user}}", "kim10"),
        ("{{#users}}<{{name}}>{{/users}}", "<a><b>"),
        ("{{#list}}{{.}};{{/list}}", "x;y;z;"),
        ("{{#yes}}y{{/yes}}{{#no}}n{{/no}}{{^no}}not{{/no}}", "ynot"),
        ("{{#none}}n{{/none}}{{^none}}empty{{/none}}{{^empty}}-{{/empty}}", "empty-"),
        ("{{#number}}n{{/number}}", "n"),
        ("{{from}}{{^from}}0{{/from}}", "0"),
        ("{{number}}{{^number}}0{{/number}}", "10"),
        ("a{{! a comment }}b", "ab"),
        ("{{=<% %>=}}<% number %>{{number}}", "10{{number}}"),
        ("{{#toJson}}list{{/toJson}}", '["x","y","z"]'),
        ("{{#toJson}}user{{/toJson}}", '{"name":"kim","tags":["t"],"age":3}'),
        ("{{#toJson}}list.0{{/toJson}} {{#toJson}}list.size{{/toJson}}", "x 3"),
        ("{{#toJson}}yes{{/toJson}}{{#toJson}}missing{{/toJson}}", "true"),
        ("{{#join}}list{{/join}}", "x,y,z"),
        ("{{#join delimiter='||'}}list{{/join delimiter='||'}}", "x||y||z"),
        ("{{#join}}user.tags{{/join}}{{#join}}missing{{/join}}", "t"),
        ("{{#url}}{{user.name}}/é b{{/url}}", "kim%2F%C3%A9+b"),
        ("{{list}} {{users}}", "{0=x, 1=y, 2=z, size=3} {0={name=a}, 1={name=b}, size=2}"),
    ],
)
def test_render(template: str, expected: str) -> None:
    assert render(template, PARAMS) == expected


def test_a_tag_with_a_line_of_its_own_takes_the_line() -> None:
    assert render("a\n  {{#yes}}  \nb\n{{/yes}}\nc", PARAMS) == "a\nb\nc"


def test_escaping_is_the_content_types() -> None:
    assert render("{{text}}", PARAMS, as_is) == PARAMS["text"]


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{{number", "Improperly closed variable in query-template:1 @[query-template:1]"),
        (
            "\n{{/yes}}",
            "Mismatched start/end tags: null != yes in query-template:2 @[query-template:2]",
        ),
        (
            "{{#yes}}{{/no}}",
            "Mismatched start/end tags: yes != no in query-template:1 @[query-template:1]",
        ),
        ("{{#yes}}", "Failed to close 'yes' tag @[query-template:1]"),
        (
            "{{#toJson}}{{a}}{{b}}{{/toJson}}",
            "Mustache function [toJson] must contain one and only one identifier",
        ),
        ("{{#join}}{{/join}}", "Mustache function [join] must contain one and only one identifier"),
        ("{{> part}}", "Template part not found @[query-template:1]"),
    ],
)
def test_a_malformed_template_says_where(template: str, reason: str) -> None:
    with pytest.raises(ApiError) as raised:
        render(template, PARAMS)
    assert raised.value.to_cause() == {
        "type": "script_exception",
        "reason": reason,
        "script_stack": [],
        "script": template,
        "lang": "mustache",
    }


def test_what_grows_too_large_is_refused() -> None:
    many = {"a": ["x" * 1000] * 100, "b": [1] * 100}
    with pytest.raises(ParseError):
        render("{{#b}}{{#a}}{{.}}{{/a}}{{/b}}", many)
    assert len(render("{{#a}}{{.}}{{/a}}", many)) < OUTPUT_MAX


def test_parameters_that_nest_too_deeply_are_refused() -> None:
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    for template in ("{{deep}}", "{{#toJson}}deep{{/toJson}}"):
        with pytest.raises(ParseError, match="nested too deeply"):
            render(template, {"deep": [deep]})


def test_sections_may_not_nest_without_end() -> None:
    with pytest.raises(ApiError):
        render("{{#yes}}" * 10_000, PARAMS)


@pytest.mark.parametrize("around", ["%s", "{{#url}}%s{{/url}}", "{{#a}}{{#url}}%s{{/url}}{{/a}}"])
def test_sections_that_turn_and_write_nothing_end_too(around: str) -> None:
    """Twenty turns in each of twenty sections are more than a node could ever do."""
    with pytest.raises(ParseError) as error:
        render(around % ("{{#a}}" * 20 + "{{/a}}" * 20), {"a": [1] * 20})
    assert error.value.reason == f"Mustache script step limit exceeded [{PIECES_MAX}]"


def test_text_in_an_url_is_limited_while_it_is_made() -> None:
    with pytest.raises(ParseError, match="result size limit exceeded"):
        render("{{#url}}{{#a}}{{b}}{{/a}}{{/url}}", {"a": [1] * 50_000, "b": "x" * 60_000})
