"""Mappings and documents of data streams in the engine. The texts are what Elasticsearch 8.19.0 answered."""

from typing import Any

import pytest

from sealane.engine.embedded.documents import DocumentParser, parse_ignoring_unknown
from sealane.engine.mapping import MappingLimits, merge_mapping, parse_mapping, render_mapping
from sealane.errors import DocumentParsing, IllegalArgument, MapperParsing

BODY: dict[str, Any] = {
    "_data_stream_timestamp": {"enabled": True},
    "properties": {"@timestamp": {"type": "date"}},
}
MAPPING = parse_mapping(BODY)
LIMITS = MappingLimits()


def test_the_mapping_is_shown_as_it_was_given() -> None:
    assert MAPPING.data_stream_timestamp
    assert render_mapping(MAPPING) == BODY
    assert "_data_stream_timestamp" not in render_mapping(parse_mapping({"properties": {}}))


def test_it_is_not_switched_off() -> None:
    off = parse_mapping({"_data_stream_timestamp": {"enabled": False}})
    with pytest.raises(IllegalArgument, match="Cannot update parameter"):
        merge_mapping(MAPPING, off, LIMITS)
    silent = parse_mapping({"properties": {"a": {"type": "long"}}})
    assert merge_mapping(MAPPING, silent, LIMITS).data_stream_timestamp
    with pytest.raises(MapperParsing):
        parse_mapping({"_data_stream_timestamp": {"on": True}})


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"{}", "[1:2] failed to parse: data stream timestamp field [@timestamp] is missing"),
        (
            b'{"@timestamp":[]}',
            "[1:17] failed to parse: data stream timestamp field [@timestamp] is missing",
        ),
        (
            b'{\n"@timestamp": [null]}',
            "[2:21] failed to parse: data stream timestamp field [@timestamp] is missing",
        ),
        (
            b'{"@timestamp":[1,2]}',
            "[1:18] failed to parse field [@timestamp] of type [date] in document with id 'x'. Preview of field's "
            "value: '2'",
        ),
    ],
)
def test_documents_without_one_time(document: bytes, reason: str) -> None:
    with pytest.raises(DocumentParsing) as raised:
        DocumentParser(MAPPING, LIMITS).parse(document, "x")
    assert raised.value.reason == reason


@pytest.mark.parametrize("document", [b'{"@timestamp":1}', b'{"@timestamp":[null,"2026-01-01"]}'])
def test_documents_with_one_time(document: bytes) -> None:
    DocumentParser(MAPPING, LIMITS).parse(document, "x")


def test_what_was_accepted_before_is_not_judged_again() -> None:
    parse_ignoring_unknown(MAPPING)(b"{}")
