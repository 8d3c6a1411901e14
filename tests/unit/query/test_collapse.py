"""How `collapse` is read: places and texts are those that the reference answered."""

import pytest

from sealane.errors import ApiError
from sealane.model.dsl import Collapse
from sealane.query import parse_search_body


def collapse_of(raw: str) -> Collapse:
    found = parse_search_body(raw.encode()).collapse
    assert found is not None
    return found


def test_a_collapse_with_inner_hits() -> None:
    found = collapse_of(
        '{"collapse":{"field":"k","max_concurrent_group_searches":3,'
        '"inner_hits":{"name":"x","sort":[{"n":"asc"}],"fields":{"field":"a"}}}}'
    )
    assert (found.field, found.max_concurrent) == ("k", 3)
    (inner,) = found.inner_hits
    assert inner.name == "x"
    assert inner.search == b'{"size":3,"fields":[{"field":"a"}],"sort":[{"n":"asc"}]}'


def test_no_inner_hits_at_all() -> None:
    assert collapse_of('{"collapse":{"field":"k","inner_hits":[]}}').inner_hits == ()


@pytest.mark.parametrize(
    ("raw", "reason", "cause"),
    [
        ('{"collapse":"k"}', "Unknown key for a VALUE_STRING in [collapse].", None),
        (
            '{"collapse":{"field":3}}',
            "[1:22] [collapse] field doesn't support values of type: VALUE_NUMBER",
            None,
        ),
        ('{"collapse":{"field":"k","bla":1}}', "[1:26] [collapse] unknown field [bla]", None),
        (
            '{"collapse":{"field":"k","max_concurrent_group_searches":0}}',
            "[1:58] [collapse] failed to parse field [max_concurrent_group_searches]",
            "maxConcurrentGroupRequests` must be positive",
        ),
        (
            '{"collapse":{"field":"k","inner_hits":{"bla":1}}}',
            "[1:46] [collapse] failed to parse field [inner_hits]",
            "[1:40] [inner_hits] unknown field [bla]",
        ),
        (
            '{"collapse":{"field":"k","inner_hits":[{"size":1},{"size":1}]}}',
            "[1:61] [collapse] failed to parse field [inner_hits]",
            "inner_hits must have a [name]; set the [name] field in the inner_hits definition",
        ),
        (
            '{"size":1,"collapse":{"field":"k","inner_hits":[1]}}',
            "[1:49] [collapse] failed to parse field [inner_hits]",
            "Invalid token in inner_hits array",
        ),
        (
            '{"size":1,"collapse":{"field":"k","inner_hits":{"size":-1}}}',
            "[1:56] [collapse] failed to parse field [inner_hits]",
            "[1:56] [inner_hits] failed to parse field [size]",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(raw: str, reason: str, cause: str | None) -> None:
    with pytest.raises(ApiError) as raised:
        parse_search_body(raw.encode())
    assert raised.value.reason == reason
    assert (raised.value.caused_by.reason if raised.value.caused_by else None) == cause


def test_a_missing_field_is_a_clear_error() -> None:
    with pytest.raises(ApiError, match=r"\[collapse\] requires a \[field\]"):
        parse_search_body(b'{"collapse":{}}')
