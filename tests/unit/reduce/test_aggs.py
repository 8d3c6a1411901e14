"""Rules of the merge that need sources of different kinds, limits, and numbers as text."""

import json

import pytest

from sealane.errors import IllegalArgument, TooManyBuckets
from sealane.query import parse_aggs, parse_search_body
from sealane.reduce import merge_aggs, render_aggs
from sealane.reduce.kahan import compensated_sum
from sealane.reduce.number_format import decimal_format, java_double
from sealane.reduce.partial import (
    BucketsPartial,
    CountBucket,
    HistogramBucket,
    HistogramPartial,
    MetricPartial,
    TermBucket,
    TermsPartial,
)

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


def _cut(*counts: int) -> dict[str, TermsPartial]:
    """A shard's answer that fills its shard size of two."""
    buckets = [TermBucket(f"t{n}", count) for n, count in enumerate(counts)]
    return {"a": TermsPartial(buckets, other=9, key_type="keyword")}


SMALL = parse_aggs({"a": {"terms": {"field": "f", "size": 2, "shard_size": 2}}})


def test_what_shards_kept_to_themselves_adds_up() -> None:
    flat = merge_aggs(SMALL, [_cut(5, 4), _cut(7, 3)], final=True)
    assert render_aggs(SMALL, flat)["a"]["doc_count_error_upper_bound"] == 7


def test_a_cluster_of_one_shard_bounds_no_error_once_it_has_reduced() -> None:
    """As with ccs_minimize_roundtrips: what a cluster reduced out of one answer counts as whole."""
    several = merge_aggs(SMALL, [_cut(5, 4), _cut(7, 3)], final=False)
    tree = merge_aggs(SMALL, [several, _cut(8, 6)], final=True, by_cluster=True)
    assert render_aggs(SMALL, tree)["a"]["doc_count_error_upper_bound"] == 7


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("no", "Cannot find aggregation named [no]"),
        ("s.no.avg", "Cannot find aggregation named [s.no]"),
        ("s", "Missing value key in [null] which refers to a multi-value metric aggregation"),
        (
            "s.no",
            "No enum constant org.elasticsearch.search.aggregations.metrics.InternalStats."
            "Metrics.no",
        ),
        ("s>x", "Metrics aggregations cannot have sub-aggregations (at [>x]"),
        (
            "m.no",
            "Unknown value key [no] for single-value metric aggregation [m]. Either use [value] "
            "as key or drop the key all together",
        ),
        ("t", "Can't sort a [sterms] aggregation [t]"),
        ("t>s", "Can't sort by a descendant of a [sterms] aggregation [s]"),
        ("f>g", "Cannot find aggregation named [g]"),
        (
            "f.no",
            "Unknown value key [no] for single-bucket aggregation [f]. Either use [doc_count] as "
            "key or drop the key all together.",
        ),
    ],
)
def test_an_order_that_leads_to_no_number_says_why(path: str, problem: str) -> None:
    subs = {
        "s": {"stats": {"field": "n"}},
        "m": {"max": {"field": "n"}},
        "t": {"terms": {"field": "k"}},
        "f": {"filter": {"match_all": {}}},
    }
    specs = parse_aggs({"a": {"terms": {"field": "f", "order": {path: "asc"}}, "aggs": subs}})
    below = {
        "s": MetricPartial(1, 1.0, 1.0, 1.0),
        "m": MetricPartial(1, 1.0, 1.0, 1.0),
        "t": TermsPartial([], key_type="keyword"),
        "f": BucketsPartial([CountBucket(1)]),
    }
    buckets = [TermBucket("x", 1, below), TermBucket("y", 1, below)]
    partial = TermsPartial(buckets, key_type="keyword")
    # What is not the last merge orders nothing.
    merge_aggs(specs, [{"a": partial}], final=False)
    with pytest.raises(IllegalArgument) as raised:
        merge_aggs(specs, [{"a": partial}], final=True)
    assert raised.value.reason == f"Invalid aggregation order path [{path}]. {problem}"
    assert raised.value.caused_by is not None
    assert raised.value.caused_by.reason == problem


def _extended(partial: MetricPartial, **options: str) -> dict[str, object]:
    specs = parse_aggs({"a": {"extended_stats": {"field": "f", **options}}})
    tree = merge_aggs(specs, [{"a": partial}], final=True)
    answer: dict[str, object] = render_aggs(specs, tree)["a"]
    return answer


def test_statistics_that_one_value_does_not_have_are_words() -> None:
    one = _extended(MetricPartial(1, 2.0, 2.0, 2.0, 4.0), format="0.0")
    assert one["variance_sampling"] == one["std_deviation_sampling"] == "NaN"
    assert one["std_deviation_sampling_as_string"] == "NaN"
    assert one["variance_as_string"] == "0.0"


def test_dates_beyond_the_calendar_are_its_last() -> None:
    day = _extended(MetricPartial(1, 1.5e12, 1.5e12, 1.5e12, 2.25e24, "date"))
    assert day["sum_of_squares_as_string"] == "+292278994-08-17T07:12:55.807Z"
    assert day["variance_sampling_as_string"] == "1970-01-01T00:00:00.000Z"


def test_spreads_of_booleans_are_booleans_but_their_deviations_texts() -> None:
    flags = _extended(MetricPartial(2, 1.0, 0.0, 1.0, 1.0, "boolean"))
    assert flags["variance_as_string"] is True
    assert flags["std_deviation_as_string"] == "true"
