"""`fields`, `docvalue_fields`, `stored_fields`: forms, and errors with the reference's texts."""

import pytest

from sealane.errors import ApiError
from sealane.model import dsl
from sealane.query import parse_search_body


def test_a_field_is_a_name_or_an_object() -> None:
    body = parse_search_body(
        b'{"fields": ["a.*", 3, {"field": "b", "format": "yyyy", "include_unmapped": true}]}'
    )
    assert body.fields == (
        dsl.FetchField("a.*"),
        dsl.FetchField("3"),
        dsl.FetchField("b", "yyyy", True),
    )


@pytest.mark.parametrize(
    ("raw", "source", "ids"),
    [
        (b"{}", True, True),
        (b'{"stored_fields": []}', False, True),
        (b'{"stored_fields": "_source"}', True, True),
        (b'{"stored_fields": ["a"], "_source": true}', True, True),
        (b'{"stored_fields": "_none_"}', False, False),
    ],
)
def test_stored_fields_decide_about_source_and_id(raw: bytes, source: bool, ids: bool) -> None:
    body = parse_search_body(raw)
    assert (body.source.enabled, body.ids) == (source, ids)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (
            b'{"fields": [{"fields": "x"}]}',
            "[1:14] [fetch_field_and_format] unknown field [fields] did you mean [field]?",
        ),
        (b'{"fields": [{"format": "x"}]}', "Required [field]"),
        (b'{"fields": "a"}', "Unknown key for a VALUE_STRING in [fields]."),
        (
            b'{"fields": [null]}',
            "[1:17] [fetch_field_and_format] Expected START_OBJECT but was: END_ARRAY",
        ),
        (
            b'{"fields": [["a"]]}',
            "[1:14] [fetch_field_and_format] Expected START_OBJECT but was: VALUE_STRING",
        ),
        (
            b'{"stored_fields": true}',
            "Expected [VALUE_STRING] or [START_ARRAY] in [stored_fields] but found [VALUE_BOOLEAN]",
        ),
        (b'{"stored_fields": ["_none_", "a"]}', "cannot combine _none_ with other fields"),
        (
            b'{"stored_fields": "_none_", "_source": true}',
            "Validation Failed: 1: [stored_fields] cannot be disabled if [_source] is requested;",
        ),
        (
            b'{"query": {"dis_max": {}}}',
            "[dis_max] requires 'queries' field with at least one clause",
        ),
        (
            b'{"query": {"dis_max": {"queries": []}}}',
            "[_na] query malformed, must start with start_object",
        ),
    ],
)
def test_bad_forms_are_refused(raw: bytes, reason: str) -> None:
    with pytest.raises(ApiError) as raised:
        parse_search_body(raw)
    assert raised.value.reason == reason
