"""auto_date_histogram: which interval fits, by the reference's list of them."""

from typing import Any

import pytest

from sealane.model.dates import parse_date
from sealane.query.body import parse_aggs
from sealane.reduce.aggs import merge_aggs, render_aggs
from sealane.reduce.partial import AutoDatePartial, HistogramBucket


def rendered(dates: list[list[str]], rounding: int = 0, **options: Any) -> dict[str, Any]:
    """The answer of shards with these dates, each of which has rounded as `rounding` says."""
    specs = parse_aggs({"x": {"auto_date_histogram": {"field": "at", **options}}})
    trees = []
    for shard in dates:
        counts: dict[int, int] = {}
        for each in shard:
            counts[parse_date(each)] = counts.get(parse_date(each), 0) + 1
        buckets = [HistogramBucket(key, counts[key]) for key in sorted(counts)]
        trees.append({"x": AutoDatePartial(buckets, rounding)})
    shown: dict[str, Any] = render_aggs(specs, merge_aggs(specs, trees, final=True))["x"]  # type: ignore[arg-type]
    return shown


@pytest.mark.parametrize(
    ("last", "buckets", "interval"),
    [
        ("2024-01-01T00:00:05Z", 10, "1s"),
        ("2024-01-01T00:00:40Z", 10, "5s"),
        ("2024-01-01T00:04:50Z", 10, "30s"),
        ("2024-01-01T00:09:00Z", 10, "1m"),
        ("2024-01-01T04:59:00Z", 10, "30m"),
        ("2024-01-02T05:00:00Z", 10, "3h"),
        ("2024-01-05T00:00:00Z", 10, "12h"),
        ("2024-01-08T00:00:00Z", 10, "1d"),
        ("2024-03-01T00:00:00Z", 10, "7d"),
        ("2024-10-01T00:00:00Z", 10, "1M"),
        ("2026-03-01T00:00:00Z", 10, "3M"),
        ("2033-01-01T00:00:00Z", 10, "1y"),
        ("2060-01-01T00:00:00Z", 10, "5y"),
        ("2600-01-01T00:00:00Z", 6, "100y"),
    ],
)
def test_the_smallest_interval_that_fits(last: str, buckets: int, interval: str) -> None:
    """S-102."""
    first = "2024-01-01T00:00:00Z"
    together = rendered([[first, last]], buckets=buckets)
    assert together["interval"] == interval
    assert len(together["buckets"]) <= buckets
    assert rendered([[first], [last]], buckets=buckets) == together


def test_gaps_are_filled_and_neighbours_joined() -> None:
    found = rendered([["2024-01-01"], ["2024-01-20", "2024-01-20"]], buckets=3, format="yyyy-MM-dd")
    assert found == {
        "buckets": [
            {"key_as_string": "2024-01-01", "key": 1704067200000, "doc_count": 1},
            {"key_as_string": "2024-01-08", "key": 1704672000000, "doc_count": 0},
            {"key_as_string": "2024-01-15", "key": 1705276800000, "doc_count": 2},
        ],
        "interval": "7d",
    }


def test_the_coarsest_source_leads() -> None:
    """A source that could only say months says nothing of days."""
    assert rendered([["2024-01-01"], ["2024-02-01"]], rounding=4, buckets=40)["interval"] == "1M"


@pytest.mark.parametrize("minimum", ["second", "minute", "hour", "day", "month", "year"])
def test_no_interval_below_the_minimum(minimum: str) -> None:
    found = rendered([["2024-01-01T00:00:01Z"]], minimum_interval=minimum)
    assert found["interval"] == "1" + {"month": "M"}.get(minimum, minimum[0])


def test_nothing_at_all() -> None:
    assert rendered([]) == {"buckets": [], "interval": "1s"}
    assert rendered([[]]) == {"buckets": [], "interval": "1s"}


def test_days_begin_in_the_zone() -> None:
    found = rendered([["2024-06-01T22:30:00Z"]], time_zone="Europe/Berlin", minimum_interval="day")
    assert found["buckets"][0]["key_as_string"] == "2024-06-02T00:00:00.000+02:00"
