"""What is left of a source under field level security. The expected values are what 8.19.0 answered."""

import json
from typing import Any

import pytest

from sealane.model.security import FieldGrant, FieldLimits
from sealane.query.visible_source import visible_source

SOURCE: dict[str, Any] = {
    "raw": {
        "mix": [1, {"x": 1}, [2, {"y": [1, 2]}]],
        "l": [[1], [{"z": 1}]],
        "e": {},
        "el": [],
        "n": None,
        "t": True,
        "s": "s",
    },
    "a": {
        "b": {"c": {"d": 1}},
        "dot.ted": 5,
        "li": [{"p": 1, "q": 2}, {"q": 3}],
    },
}
WHOLE_A = {"b": {"c": {"d": 1}}, "dot.ted": 5, "li": [{"p": 1, "q": 2}, {"q": 3}]}
WHOLE_RAW = {
    "s": "s",
    "t": True,
    "l": [[1], [{"z": 1}]],
    "mix": [1, {"x": 1}, [2, {"y": [1, 2]}]],
    "n": None,
}


def left(grant: list[str], excepted: list[str] | None = None) -> Any:
    one = FieldGrant(grant=tuple(grant), excepted=tuple(excepted or ()))
    return json.loads(visible_source(json.dumps(SOURCE).encode(), FieldLimits(((one,),))))


@pytest.mark.parametrize(
    ("grant", "excepted", "expected"),
    [
        (
            ["*"],
            ["raw.mix"],
            {"a": WHOLE_A, "raw": {**WHOLE_RAW, "mix": [{"x": 1}, [{"y": [1, 2]}]]}},
        ),
        (["*"], ["raw.mix.*"], {"a": WHOLE_A, "raw": {**WHOLE_RAW, "mix": [1, [2]]}}),
        (
            ["*"],
            ["raw.mix*"],
            {"a": WHOLE_A, "raw": {k: v for k, v in WHOLE_RAW.items() if k != "mix"}},
        ),
        (["raw.mix"], [], {"raw": {"mix": [1, [2]]}}),
        (["raw.mix.x"], [], {"raw": {"mix": [{"x": 1}, [{}]]}}),
        (["raw.l.z"], [], {"raw": {"l": [[{"z": 1}]]}}),
        (["raw.l"], [], {"raw": {"l": [[1]]}}),
        (["*"], ["a.li.*"], {"a": {"b": WHOLE_A["b"], "dot.ted": 5}, "raw": WHOLE_RAW}),
        (["*"], ["a.li.q"], {"a": {**WHOLE_A, "li": [{"p": 1}, {}]}, "raw": WHOLE_RAW}),
        (["a.li.p"], [], {"a": {"li": [{"p": 1}, {}]}}),
        (["a.dot.ted"], [], {"a": {"dot.ted": 5}}),
        (["a.dot"], [], {}),
        (["a.b.c"], [], {}),
        (["a.b.c.*"], [], {"a": {"b": {"c": {"d": 1}}}}),
        (["a.b.c.e"], [], {}),
        (["raw.*"], ["raw.e"], {"raw": WHOLE_RAW}),
        (["raw"], [], {}),
        (["r*"], [], {"raw": WHOLE_RAW}),
        (["*.x"], [], {"a": {"li": [{}, {}]}, "raw": {"l": [[{}]], "mix": [{"x": 1}, [{}]]}}),
        (["a.b*"], ["a.b.c.d"], {}),
        ([], [], {}),
        (["*"], ["*"], {}),
        (["*"], ["a.*", "raw.*"], {}),
        (["_source", "_id"], [], {}),
        (["raw.?ix"], [], {"raw": {"mix": [1, [2]]}}),
        (["/raw.(mix|s)/"], [], {"raw": {"s": "s", "mix": [1, [2]]}}),
        ([""], [], {}),
        (["raw.s", "a.li.*"], ["raw.s"], {"a": {"li": [{"p": 1, "q": 2}, {"q": 3}]}}),
    ],
)
def test_what_is_left_is_what_the_reference_leaves(
    grant: list[str], excepted: list[str], expected: Any
) -> None:
    """X-44: grants and exceptions over objects, arrays of objects, and arrays in arrays."""
    assert left(grant, excepted) == expected


def test_grants_of_one_side_are_united_and_sides_intersected() -> None:
    """X-44: a field is visible where any role of each side shows it."""
    wide = FieldGrant(grant=("a.*",))
    other = FieldGrant(grant=("raw.s", "raw.t"), excepted=("raw.t",))
    key = FieldGrant(grant=("*",), excepted=("a.b.*",))
    limits = FieldLimits(((wide, other), (key,)))
    assert json.loads(visible_source(json.dumps(SOURCE).encode(), limits)) == {
        "a": {"dot.ted": 5, "li": [{"p": 1, "q": 2}, {"q": 3}]},
        "raw": {"s": "s"},
    }


def test_a_source_with_comments_is_read() -> None:
    limits = FieldLimits(((FieldGrant(grant=("a",)),),))
    assert visible_source(b'{"a": 1, /* b */ "b": 2}', limits) == b'{"a":1}'


@pytest.mark.parametrize("inner", ['{"a":%s}', "[%s]", '[{"a":%s}]', '{"a":[%s]}'])
def test_what_lies_too_deep_is_left_out(inner: str) -> None:
    """Whoever may write a document cannot make it one that nobody can read: the rest of it is shown."""
    deep = "1"
    for _ in range(450):
        deep = inner % deep
    limits = FieldLimits(((FieldGrant(excepted=("secret*",)),),))
    source = b'{"n":1,"deep":%b,"secret":"raven"}' % deep.encode()
    shown = json.loads(visible_source(source, limits))
    assert shown["n"] == 1
    assert "secret" not in shown


def test_names_of_many_dots_are_left_out_or_decided() -> None:
    limits = FieldLimits(((FieldGrant(excepted=("a.secret*",)),),))
    short, long = ".".join("a" * 900), ".".join("a" * 90_000)
    source = json.dumps({short: 1, long: 2, "a.secret": 3}).encode()
    assert json.loads(visible_source(source, limits)) == {short: 1}
