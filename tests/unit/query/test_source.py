"""What `_source` filters leave of a document, against the answers of 8.19.0."""

import json
from typing import Any

import pytest

from sealane.model.dsl import SourceFilter
from sealane.query.source import filter_source

DOCUMENT: dict[str, Any] = {
    "l": [{"a": 1}],
    "m": [[{"a": 1}], {"b": 1}],
    "o": {"l": [{"a": 1}, 2]},
    "p": {"q": []},
    "e": {},
    "r": {"e": {}},
    "s": 1,
    "a.b": {"c": 1},
    "w": {"x": 1, "y": {"z": 1}},
}
EMPTY: dict[str, Any] = {"user": {"name": "u"}, "l": [{"a": 1}, {}], "y": {"e": {}}, "le": []}


def left(document: dict[str, Any], includes: tuple[str, ...], excludes: tuple[str, ...]) -> Any:
    wanted = SourceFilter(includes=includes, excludes=excludes)
    return json.loads(filter_source(json.dumps(document).encode(), (wanted,)))


def changed(**members: Any) -> dict[str, Any]:
    """The document with other members; None takes one away."""
    return {key: value for key, value in {**DOCUMENT, **members}.items() if value is not None}


@pytest.mark.parametrize(
    ("excludes", "expected"),
    [
        (("l.a",), changed(l=None)),
        (("m.a",), changed(m=[{"b": 1}])),
        (("o.l.a",), changed(o={"l": [2]})),
        (("o.l",), changed(o=None)),
        (("p.q",), changed(p=None)),
        (("p.q.x",), DOCUMENT),
        (("e.x",), DOCUMENT),
        (("r.e",), changed(r=None)),
        (("r.e.x",), DOCUMENT),
        (("s.x",), DOCUMENT),
        (("w",), changed(w=None)),
        (("w.x", "w.y.z"), changed(w=None)),
        (("w?x",), DOCUMENT),
    ],
)
def test_what_loses_all_it_had_goes(excludes: tuple[str, ...], expected: Any) -> None:
    """What was empty before stays."""
    assert left(DOCUMENT, (), excludes) == expected


@pytest.mark.parametrize(
    ("includes", "excludes", "expected"),
    [
        ((), ("w.x", "w.y*"), changed(w={})),
        ((), ("w.x", "w.y.z", "zz*"), changed(w={"y": {}})),
        ((), ("l.a", "m.a", "o.l.a", "zz*"), changed(l=[], m=[{"b": 1}], o={"l": [2]})),
        (("l", "r", "e"), ("l.a", "zz*"), {"l": [], "r": {"e": {}}, "e": {}}),
    ],
)
def test_with_wildcards_members_stay_and_items_go(
    includes: tuple[str, ...], excludes: tuple[str, ...], expected: Any
) -> None:
    assert left(DOCUMENT, includes, excludes) == expected


@pytest.mark.parametrize(
    ("includes", "excludes", "expected"),
    [
        (("w",), ("w.y.z",), {"w": {"x": 1}}),
        (("w.*",), ("w.y.z",), {"w": {"x": 1}}),
        (("w.y.*", "l"), ("w.y.z", "l.a"), {}),
        (("w.q",), (), {}),
        (("w.q", "p"), ("nope",), {"p": {"q": []}}),
    ],
)
def test_includes_are_taken_first(
    includes: tuple[str, ...], excludes: tuple[str, ...], expected: Any
) -> None:
    assert left(DOCUMENT, includes, excludes) == expected


@pytest.mark.parametrize(
    ("excludes", "expected"),
    [
        (("l.a",), {**EMPTY, "l": [{}]}),
        (("u*.name",), {**EMPTY, "user": {}}),
        (("user.name",), {key: EMPTY[key] for key in ("l", "y", "le")}),
    ],
)
def test_items_that_were_empty_stay_where_nothing_is_taken_from_beside_them(
    excludes: tuple[str, ...], expected: Any
) -> None:
    assert left(EMPTY, (), excludes) == expected
