"""Mappings as somebody sees them from whom fields are hidden. The expected shapes are those of 8.19.0."""

from typing import Any

import pytest

from sealane.cluster.visible_mapping import visible_mapping
from sealane.model.security import FieldGrant, FieldLimits

KEYWORD = {"type": "keyword"}
OBJ: dict[str, Any] = {
    "properties": {"a": KEYWORD, "deep": {"properties": {"x": KEYWORD}}, "sec": KEYWORD}
}
NEST: dict[str, Any] = {"type": "nested", "properties": {"a": KEYWORD, "sec": KEYWORD}}
TXT: dict[str, Any] = {"type": "text", "fields": {"kw": KEYWORD}}
MAPPING: dict[str, Any] = {
    "dynamic": "false",
    "properties": {
        "empty": {"type": "object"},
        "nest": NEST,
        "obj": OBJ,
        "sec": KEYWORD,
        "secal": {"type": "alias", "path": "sec"},
        "txt": TXT,
    },
}
ALL = MAPPING["properties"]


@pytest.mark.parametrize(
    ("grant", "excepted", "expected"),
    [
        (
            ("*",),
            ("sec*", "*.sec"),
            {
                "empty": {"type": "object"},
                "nest": {"type": "nested", "properties": {"a": KEYWORD}},
                "obj": {"properties": {"a": KEYWORD, "deep": {"properties": {"x": KEYWORD}}}},
                "txt": TXT,
            },
        ),
        (
            ("txt", "obj.a", "nest.a"),
            (),
            {
                "nest": {"type": "nested", "properties": {"a": KEYWORD}},
                "obj": {"properties": {"a": KEYWORD}},
                "txt": {"type": "text"},
            },
        ),
        (
            ("*",),
            ("txt", "obj", "nest", "sec", "empty"),
            {
                "nest": NEST,
                "obj": OBJ,
                "secal": {"type": "alias", "path": "sec"},
                "txt": {"properties": {"kw": KEYWORD}},
            },
        ),
        (
            ("*",),
            ("secal", "obj.*", "nest.*", "empty", "txt*"),
            {
                "nest": {"type": "nested", "properties": {}},
                "obj": {"properties": {}},
                "sec": KEYWORD,
            },
        ),
        (
            ("obj", "txt.kw"),
            (),
            {"obj": {"properties": {}}, "txt": {"properties": {"kw": KEYWORD}}},
        ),
        (("zzz",), (), {}),
    ],
)
def test_what_is_left_of_a_mapping(
    grant: tuple[str, ...], excepted: tuple[str, ...], expected: Any
) -> None:
    """X-44: objects, nested objects, multi-fields and aliases."""
    limits = FieldLimits(((FieldGrant(grant=grant, excepted=excepted),),))
    assert visible_mapping(MAPPING, limits) == {"dynamic": "false", "properties": expected}


def test_an_index_without_a_mapping_has_none() -> None:
    assert visible_mapping({}, FieldLimits(((FieldGrant(),),))) == {}
