"""Mappings and documents beside what a real Elasticsearch 8.19.0 answered to the same requests (answers_*.json)."""

import json
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from sealane.engine.embedded.documents import DocumentParser
from sealane.engine.mapping import (
    DEFAULT_DATE_FORMAT,
    MappingLimits,
    merge_mapping,
    parse_mapping,
    render_mapping,
)
from sealane.engine.mapping.values import instant_from, ip_from
from sealane.errors import ApiError
from sealane.model.civil import DateTimeError
from sealane.model.date_formats import date_format

HERE = Path(__file__).parent


def _read(name: str) -> Any:
    return json.loads((HERE / name).read_text("utf-8"))


_MAPPINGS = _read("answers_mappings.json")
_MERGES = _read("answers_merges.json")
_DOCUMENTS = [
    (group["mapping"], row) for group in _read("answers_documents.json") for row in group["rows"]
]


def _refusal(call: Callable[[], object]) -> dict[str, Any]:
    """The answer body of the error that `call` raises."""
    with pytest.raises(ApiError) as caught:
        call()
    return caught.value.to_body()


@pytest.mark.parametrize("row", _MAPPINGS, ids=lambda row: json.dumps(row["body"])[:80])
def test_a_mapping_is_read_and_shown_as_the_reference_does(row: dict[str, Any]) -> None:
    if "error" in row["answer"]:
        assert _refusal(lambda: parse_mapping(row["body"])) == row["answer"]
        return
    mapping = parse_mapping(row["body"])
    shown = render_mapping(mapping)
    assert shown == row["answer"]
    assert render_mapping(parse_mapping(shown)) == shown


@pytest.mark.parametrize("row", _MERGES["rows"], ids=lambda row: json.dumps(row["update"])[:80])
def test_an_update_is_merged_as_the_reference_does(row: dict[str, Any]) -> None:
    base = parse_mapping(_MERGES["base"])
    if "error" in row["answer"]:
        refusal = _refusal(lambda: merge_mapping(base, parse_mapping(row["update"])))
        assert refusal == row["answer"]
        return
    merged = merge_mapping(base, parse_mapping(row["update"]))
    assert render_mapping(merged) == row["answer"]


@pytest.mark.parametrize(("mapping", "row"), _DOCUMENTS, ids=lambda each: str(each)[:60])
def test_a_document_is_read_as_the_reference_does(
    mapping: dict[str, Any], row: dict[str, Any]
) -> None:
    parser = DocumentParser(parse_mapping(mapping), MappingLimits())
    document = row["document"].encode()
    if "error" in row:
        assert _refusal(lambda: parser.parse(document, "1")) == row["error"]
        return
    parsed = parser.parse(document, "1")
    if row.get("values") is not None:
        values = {name: parsed.get(name) for name in row["values"]}
        assert _comparable(values) == _reference(row["values"])


def _comparable(values: dict[str, Any]) -> dict[str, list[Any]]:
    listed = {name: each if isinstance(each, list) else [each] for name, each in values.items()}
    return {name: sorted(set(each)) for name, each in listed.items()}


def _reference(values: dict[str, list[Any]]) -> dict[str, list[Any]]:
    reader = {"date": int, "ip": ip_from, "boolean": int}
    return {
        name: sorted({reader.get(name, lambda value: value)(value) for value in each})
        for name, each in values.items()
    }


def test_new_fields_are_mapped_as_the_reference_maps_them() -> None:
    for group in _read("answers_documents.json"):
        parser = DocumentParser(parse_mapping(group["mapping"]), MappingLimits())
        for row in group["rows"]:
            if group["fresh"]:
                parser = DocumentParser(parse_mapping(group["mapping"]), MappingLimits())
            if "mapping" in row:
                parser.parse(row["document"].encode(), "1")
                assert render_mapping(parser.mapping) == row["mapping"], row["document"]


@pytest.mark.parametrize(
    "text",
    [
        "2019-04-30T11:22:33Z",
        "2019-04-30T11:22:33.004Z",
        "1969-12-31T23:59:59.999Z",
        "0001-01-01T00:00:00Z",
        "2019-02-29T00:00:00Z",
        "2019-W18-2T11:22:33Z",
        "2019-04-30T24:00:00Z",
        "2019-04-30T11:22:60Z",
        "2019-04-30 11:22:33Z",
        "2019-04-30T11:22:33,004Z",
        "2019-04-30T11:22:33.0ZZZ",
        "2019-04-30T11:22:33.+01Z",
        "2019-04-30T11:22:33.1-1Z",
        "2019-04-3\u0660T11:22:33Z",
        "0000-04-30T11:22:33Z",
    ],
)
def test_the_short_way_of_reading_a_moment_agrees_with_the_long_one(text: str) -> None:
    """It either gives the same milliseconds or leaves the text to the whole parser."""
    quick = instant_from(text)
    try:
        full = date_format(DEFAULT_DATE_FORMAT).parse(text, False, UTC)
    except (ApiError, DateTimeError):
        assert quick is None
    else:
        assert quick in (None, full)
