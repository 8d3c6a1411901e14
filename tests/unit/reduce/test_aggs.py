"""Rules of the merge that need sources of different kinds, limits, and numbers as text."""

import json

import pytest

from sealane.errors import IllegalArgument, TooManyBuckets
from sealane.query import parse_aggs, parse_search_body
from sealane.reduce import merge_aggs, render_aggs
from sealane.reduce.kahan import compensated_sum
from sealane.reduce.number_format import decimal_format, java_double
from sealane.reduce.partial import HistogramBucket, HistogramPartial, TermBucket, TermsPartial

TERMS = parse_aggs({"a": {"terms": {"field": "f"}}})


def test_long_and_double_keys_meet_as_doubles() -> None:
    tree = merge_aggs(
        TERMS,
        [
            {"a": TermsPartial([TermBucket(1, 2)], key_type="long")},
            {"a": TermsPartial([TermBucket(1.0, 1), TermBucket(1.5, 1)], key_type="double")},
        ],
        final=True,
    )
    assert json.dumps(render_aggs(TERMS, tree)["a"]["buckets"]) == (
        '[{"key": 1.0, "doc_count": 3}, {"key": 1.5, "doc_count": 1}]'
    )


def test_text_and_numbers_do_not_meet() -> None:
    with pytest.raises(IllegalArgument) as raised:
        merge_aggs(
            TERMS,
            [
                {"a": TermsPartial([TermBucket(1, 2)], key_type="long")},
                {"a": TermsPartial([TermBucket("x", 1)], key_type="keyword")},
            ],
            final=True,
        )
    assert raised.value.reason == (
        "Merging/Reducing the aggregations failed when computing the aggregation [a] because the field you gave in "
        "the aggregation query existed as two different types in two different indices"
    )


def test_sources_without_the_field_change_nothing() -> None:
    mapped = {"a": TermsPartial([TermBucket("x", 1)], other=3, error=0, key_type="keyword")}
    tree = merge_aggs(TERMS, [{"a": TermsPartial([])}, mapped], final=False)
    assert tree == mapped


def test_min_doc_count_counts_only_at_the_end() -> None:
    specs = parse_aggs({"a": {"terms": {"field": "f", "min_doc_count": 2}}})
    half = {"a": TermsPartial([TermBucket("x", 1)], key_type="keyword")}
    partial = merge_aggs(specs, [half], final=False)
    tree = merge_aggs(specs, [partial, half], final=True)
    assert render_aggs(specs, tree)["a"]["buckets"] == [{"key": "x", "doc_count": 2}]


def test_gaps_that_would_never_end_are_refused() -> None:
    specs = parse_aggs({"a": {"histogram": {"field": "f", "interval": 0.001}}})
    far = {"a": HistogramPartial([HistogramBucket(0.0, 1), HistogramBucket(1e12, 1)])}
    with pytest.raises(
        TooManyBuckets, match=r"equal to: \[65536\] but this number of buckets was exceeded"
    ):
        merge_aggs(specs, [far], final=True)


def test_bounds_with_now_use_the_time_of_the_request() -> None:
    specs = parse_search_body(
        b'{"aggs":{"a":{"date_histogram":{"field":"d","calendar_interval":"day",'
        b'"extended_bounds":{"min":"now-1d","max":"now"}}}}}'
    ).aggs
    tree = merge_aggs(specs, [{"a": HistogramPartial([])}], final=True, now_ms=86_400_000 * 10)
    assert [bucket["key"] for bucket in render_aggs(specs, tree)["a"]["buckets"]] == [
        86_400_000 * 9,
        86_400_000 * 10,
    ]


def test_sums_keep_their_low_bits() -> None:
    assert compensated_sum([0.1] * 10) == 1.0
    assert compensated_sum([1.0, float("inf"), 2.0]) == float("inf")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.5, "1.5"),
        (1e7, "1.0E7"),
        (1e-7, "1.0E-7"),
        (1.234e8, "1.234E8"),
        (0.0, "0.0"),
        (-2, "-2.0"),
    ],
)
def test_doubles_as_java_prints_them(value: float, text: str) -> None:
    assert java_double(value) == text


@pytest.mark.parametrize(
    ("value", "pattern", "text"),
    [
        (0.25, "0.0", "0.2"),
        (0.35, "0.0", "0.3"),
        (1234567.891, "#,##0.00", "1,234,567.89"),
        (5, "000", "005"),
        (0.5, "#.##", ".5"),
        (0.123, "0.0%", "12.3%"),
        (-3, "$0", "-$3"),
        (2, "0.0#", "2.0"),
    ],
)
def test_number_patterns(value: float, pattern: str, text: str) -> None:
    assert decimal_format(value, pattern) == text
