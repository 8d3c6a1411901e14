"""`fields`, `docvalue_fields` and `stored_fields`: values as Elasticsearch 8.19.0 shows them."""

from typing import Any

import pytest

from sealane.engine.embedded.view import ShardView
from sealane.engine.mapping import Field, FieldType, Mapping
from sealane.errors import IllegalArgument
from tests.unit.engine.search.shards import FIELDS, mapping_of, search, shard

DOCUMENT: dict[str, Any] = {
    "title": ["The fox", None, "sees"],
    "tag": ["b", "a", "b"],
    "n": [3, "1", 2],
    "price": "10.5",
    "ratio": 0.1,
    "ok": "true",
    "at": "2020-02-29T23:59:59.999Z",
    "ip": "::ffff:10.0.0.7",
    "host": {"name": "x", "port": 80},
    "extra": {"deep": [1, {"er": 2}]},
}


@pytest.fixture(scope="module")
def view() -> ShardView:
    typed = {**DOCUMENT, "n": [3, 1, 2], "price": 10.5, "ok": True, "title": ["The fox", "sees"]}
    view = shard([typed], mapping_of(FIELDS, tag={"ignore_above": 3}))
    return view


def _fields(view: ShardView, **body: Any) -> dict[str, list[Any]] | None:
    (hit,) = search(view, body).hits
    return hit.fields


def test_fields_are_typed_and_in_the_order_of_the_source(view: ShardView) -> None:
    assert _fields(view, fields=["t*", "n", "at", "ip", "ok", "host.*"]) == {
        "title": ["The fox", "sees"],
        "tag": ["b", "a", "b"],
        "n": [3, 1, 2],
        "at": ["2020-02-29T23:59:59.999Z"],
        "ip": ["10.0.0.7"],
        "ok": [True],
        "host.name": ["x"],
        "host.port": [80],
    }


def test_doc_values_are_sorted_as_in_columns(view: ShardView) -> None:
    assert _fields(view, docvalue_fields=["tag", "n", "ratio", "_seq_no"]) == {
        "tag": ["a", "b"],
        "n": [1, 2, 3],
        "ratio": [0.10000000149011612],
        "_seq_no": [0],
    }


def test_formats_apply_to_dates_and_to_numbers_of_columns(view: ShardView) -> None:
    assert _fields(
        view,
        fields=[{"field": "at", "format": "epoch_millis"}],
        docvalue_fields=[{"field": "price", "format": "0.00"}],
    ) == {"price": ["10.50"], "at": ["1583020799999"]}


def test_unmapped_leaves_come_where_they_are_asked_for(view: ShardView) -> None:
    assert _fields(view, fields=["extra.*", "nope"]) is None
    asked = [{"field": "extra.*", "include_unmapped": True}]
    assert _fields(view, fields=asked) == {"extra.deep": [1], "extra.deep.er": [2]}


def test_what_is_too_long_for_a_keyword_is_told_apart() -> None:
    leaf = Field(path="tag", type=FieldType.KEYWORD, source_path="tag", ignore_above=3)
    view = shard([{}], Mapping(fields={"tag": leaf}, objects=frozenset()))
    from sealane.engine.embedded.search.document_cache import Document
    from sealane.engine.embedded.search.field_values import FieldReader
    from sealane.engine.embedded.search.scope import Scope
    from sealane.engine.embedded.search.state import state_of
    from sealane.query import parse_search_body

    reader = FieldReader(parse_search_body(b'{"fields": ["tag"]}'), Scope(state_of(view), "i", 0))
    document = Document(0, 1, 1, "1", None, ("tag",), b'{"tag": ["long one", "abc"]}')
    assert reader.read(document) == ({"tag": ["abc"]}, {"tag": ["long one"]})


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (
            {"fields": [{"field": "tag", "format": "0"}]},
            "error fetching [tag]: Field [tag] of type [keyword] doesn't support formats.",
        ),
        (
            {"fields": ["_seq_no"]},
            "error fetching [_seq_no]: Cannot fetch values for internal field [_seq_no].",
        ),
        (
            {"docvalue_fields": [{"field": "tag", "format": "0"}]},
            "Field [tag] of type [keyword] does not support custom formats",
        ),
        (
            {"docvalue_fields": [{"field": "at", "format": "f"}]},
            "Invalid format: [f]: Unknown pattern letter: f",
        ),
    ],
)
def test_what_cannot_be_read_is_refused(view: ShardView, body: dict[str, Any], reason: str) -> None:
    with pytest.raises(IllegalArgument) as error:
        search(view, body)
    assert error.value.reason == reason


@pytest.mark.parametrize(
    ("body", "has_id", "has_source"),
    [
        ({"stored_fields": []}, True, False),
        ({"stored_fields": ["tag", "_source"]}, True, True),
        ({"stored_fields": [], "_source": True}, True, True),
        ({"stored_fields": "_none_"}, False, False),
    ],
)
def test_stored_fields_leave_the_source_out(
    view: ShardView, body: dict[str, Any], has_id: bool, has_source: bool
) -> None:
    (hit,) = search(view, body).hits
    assert (bool(hit.id), hit.source is not None) == (has_id, has_source)
