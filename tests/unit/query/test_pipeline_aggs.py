"""Pipelines: what is refused when a request is read, and the order they run in."""

import json
from typing import Any

import pytest

from sealane.errors import ApiError
from sealane.query import parse_search_body

Json = dict[str, Any]


def inside(**pipelines: Json) -> Json:
    """A histogram with a sum `s` and these pipelines."""
    return {
        "h": {
            "histogram": {"field": "n", "interval": 1},
            "aggs": {"s": {"sum": {"field": "n"}}, **pipelines},
        }
    }


def refusal(aggs: Json) -> list[tuple[str, str]]:
    """Types and reasons of the error, outermost first."""
    with pytest.raises(ApiError) as raised:
        parse_search_body(json.dumps({"aggs": aggs}, separators=(",", ":")).encode())
    found: list[tuple[str, str]] = []
    error: ApiError | None = raised.value
    while error is not None:
        found.append((error.es_type, error.reason))
        error = error.caused_by
    return found


def invalid(*problems: str) -> list[tuple[str, str]]:
    text = "".join(f"{at}: {problem};" for at, problem in enumerate(problems, 1))
    return [("action_request_validation_exception", f"Validation Failed: {text}")]


DERIVATIVE = {"derivative": {"buckets_path": "s"}}


@pytest.mark.parametrize(
    ("aggs", "expected"),
    [
        (
            {"x": {"derivative": {"buckets_path": "_count"}}},
            "derivative aggregation [x] must be declared inside of another aggregation",
        ),
        (
            {
                "t": {
                    "terms": {"field": "k"},
                    "aggs": {"x": {"derivative": {"buckets_path": "_count"}}},
                }
            },
            "derivative aggregation [x] must have a histogram, date_histogram or auto_date_histogram as parent",
        ),
        (
            {"x": {"bucket_sort": {"size": 1}}},
            "bucket_sort aggregation [x] must be declared inside of another aggregation",
        ),
        (
            inside(x={"bucket_sort": {}}),
            "[x] is configured to perform nothing. Please set either of [sort, size, from] to use bucket_sort",
        ),
        (
            {"f": {"filter": {"match_all": {}}, "aggs": {"x": {"bucket_sort": {"size": 1}}}}},
            "bucket_sort aggregation [x] must be declared inside of a multi-bucket aggregation",
        ),
        (
            inside(x={"derivative": {"buckets_path": "none"}}),
            "No aggregation found for path [none]",
        ),
        (
            inside(x={"cumulative_sum": {"buckets_path": ["s", "s"]}}),
            "buckets_path must contain a single entry for aggregation [x]",
        ),
        (
            {
                "c": {"composite": {"sources": [{"k": {"terms": {"field": "k"}}}]}},
                "x": {"max_bucket": {"buckets_path": "c>_count"}},
            },
            "Unable to find unqualified multi-bucket aggregation in buckets_path. Path must include a "
            "multi-bucket aggregation for aggregation [x] found :org.elasticsearch.search.aggregations."
            "bucket.composite.CompositeAggregationBuilder for buckets path: c>_count",
        ),
    ],
)
def test_what_cannot_run_is_told_by_name(aggs: Json, expected: str) -> None:
    assert refusal(aggs) == invalid(expected)


def test_all_faults_are_told_together() -> None:
    aggs = {
        **inside(x={"cumulative_sum": {"buckets_path": "a"}}),
        "y": {"max_bucket": {"buckets_path": "b"}},
    }
    assert refusal(aggs) == invalid(
        "No aggregation found for path [b]", "No aggregation found for path [a]"
    )


@pytest.mark.parametrize(
    ("pipeline", "expected"),
    [
        (
            {"derivative": {}},
            [
                (
                    "parsing_exception",
                    "Missing required field [buckets_path] for derivative aggregation [x]",
                )
            ],
        ),
        (
            {"derivative": {"buckets_path": "s", "foo": 1}},
            [("parsing_exception", "Unexpected token VALUE_NUMBER in [x].")],
        ),
        (
            {"bucket_selector": {"buckets_path": "s"}},
            [
                (
                    "parsing_exception",
                    "Missing required field [script] for bucket_selector aggregation [x]",
                )
            ],
        ),
        (
            {"bucket_sort": {"size": 0}},
            [
                (
                    "x_content_parse_exception",
                    "[1:115] failed to build [bucket_sort] after last required field arrived",
                ),
                ("x_content_parse_exception", "[1:115] [bucket_sort] failed to parse field [size]"),
                ("illegal_argument_exception", "[size] must be a positive integer: [0]"),
            ],
        ),
        (
            {"moving_fn": {"buckets_path": "s", "script": "1", "window": 0}},
            [
                ("x_content_parse_exception", "[1:147] [moving_fn] failed to parse field [window]"),
                (
                    "x_content_parse_exception",
                    "Failed to build [moving_fn] after last required field arrived",
                ),
                ("illegal_argument_exception", "[window] must be a positive, non-zero integer."),
            ],
        ),
    ],
)
def test_what_cannot_be_read_is_told_where(pipeline: Json, expected: list[tuple[str, str]]) -> None:
    assert refusal(inside(x=pipeline)) == expected


def test_a_script_that_is_no_expression_is_refused() -> None:
    found = refusal(inside(x={"bucket_script": {"buckets_path": "s", "script": "def a = 1; a"}}))
    assert "is not supported by this version" in found[-1][1]


def test_pipelines_come_last_each_after_those_it_reads() -> None:
    aggs = inside(
        y={"cumulative_sum": {"buckets_path": "x"}},
        x=DERIVATIVE,
        t={"avg": {"field": "n"}},
    )
    body = parse_search_body(json.dumps({"aggs": aggs}).encode())
    assert [sub.name for sub in body.aggs[0].subs] == ["s", "t", "x", "y"]
