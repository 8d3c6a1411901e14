"""Pipelines over a final tree: what each one adds, orders and drops."""

import json
from typing import Any

import pytest

from sealane.errors import IllegalArgument
from sealane.model import dsl
from sealane.query import parse_search_body
from sealane.reduce import merge_aggs, render_aggs
from sealane.reduce.partial import (
    BucketsPartial,
    CountBucket,
    HistogramBucket,
    HistogramPartial,
    MetricPartial,
)

Json = dict[str, Any]


def specs(aggs: Json) -> tuple[dsl.Agg, ...]:
    return parse_search_body(json.dumps({"aggs": aggs}).encode()).aggs


def metric(value: float | None) -> MetricPartial:
    if value is None:
        return MetricPartial(0, 0.0, None, None)
    return MetricPartial(1, value, value, value, value * value)


def histogram(values: list[float | None]) -> HistogramPartial:
    """A bucket a value, 10 wide; None leaves a gap."""
    return HistogramPartial(
        [
            HistogramBucket(at * 10.0, 1, {"v": metric(value)})
            for at, value in enumerate(values)
            if value is not None
        ]
    )


def asked(values: list[float | None], **pipelines: Json) -> list[Json]:
    """The buckets of a histogram with the sum `v` and these pipelines."""
    aggs = {
        "h": {
            "histogram": {"field": "n", "interval": 10},
            "aggs": {"v": {"sum": {"field": "n"}}, **pipelines},
        }
    }
    wanted = specs(aggs)
    tree = merge_aggs(wanted, [{"h": histogram(values)}], final=True)
    buckets: list[Json] = render_aggs(wanted, tree)["h"]["buckets"]
    return buckets


def shown(buckets: list[Json], name: str = "x") -> list[Any]:
    return [bucket[name]["value"] if name in bucket else "-" for bucket in buckets]


def moving(script: str, window: int = 3, **options: Any) -> Json:
    return {"moving_fn": {"buckets_path": "v", "window": window, "script": script, **options}}


def test_derivatives_of_derivatives() -> None:
    """S-112."""
    buckets = asked(
        [1, 4, 9, 16],
        y={"derivative": {"buckets_path": "x"}},
        x={"derivative": {"buckets_path": "v"}},
    )
    assert shown(buckets) == ["-", 3.0, 5.0, 7.0]
    assert shown(buckets, "y") == ["-", "-", 2.0, 2.0]


def test_a_gap_has_no_derivative() -> None:
    assert shown(asked([1, 4, None, 16], x={"derivative": {"buckets_path": "v"}})) == [
        "-",
        3.0,
        None,
        None,
    ]
    zeros = {"derivative": {"buckets_path": "v", "gap_policy": "insert_zeros"}}
    assert shown(asked([1, 4, None, 16], x=zeros)) == ["-", 3.0, -4.0, 16.0]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("MovingFunctions.max(values)", [None, 1.0, 5.0, 5.0, 7.0]),
        ("MovingFunctions.min(values)", [None, 1.0, 1.0, 1.0, 2.0]),
        ("MovingFunctions.sum(values)", [0.0, 1.0, 6.0, 8.0, 14.0]),
        ("MovingFunctions.unweightedAvg(values)", [None, 1.0, 3.0, 8 / 3, 14 / 3]),
        ("MovingFunctions.linearWeightedAvg(values)", [None, 0.5, 2.75, 17 / 7, 30 / 7]),
        ("MovingFunctions.ewma(values, 0.5)", [None, 1.0, 3.0, 2.5, 5.25]),
        ("MovingFunctions.holt(values, 0.5, 0.5)", [None, 1.0, 3.0, 3.0, 4.875]),
        (
            "MovingFunctions.stdDev(values, MovingFunctions.unweightedAvg(values))",
            [None, 0.0, 2.0, (26 / 9) ** 0.5, (38 / 9) ** 0.5],
        ),
        ("values.length > 1 ? values[0] * params.k : 0", [0.0, 0.0, 2.0, 2.0, 10.0]),
    ],
)
def test_moving_functions(script: str, expected: list[float | None]) -> None:
    wanted: Any = {"source": script, "params": {"k": 2}}
    found = shown(asked([1, 5, 2, 7, 3], x=moving(wanted)))
    assert found == pytest.approx(expected)


def test_a_window_may_be_shifted() -> None:
    found = asked([1, 5, 2, 7], x=moving("MovingFunctions.sum(values)", 2, shift=1))
    assert shown(found) == [1.0, 6.0, 7.0, 9.0]


def test_windows_over_too_many_buckets_are_refused() -> None:
    values: list[float | None] = [1.0] * 8_000
    with pytest.raises(IllegalArgument, match="more than the limit"):
        asked(values, x=moving("MovingFunctions.sum(values)", 8_000))


def test_holt_winters_needs_two_seasons_and_follows_them() -> None:
    values: list[float | None] = [10, 20, 30] * 4
    script = "MovingFunctions.holtWinters(values, 0.5, 0.1, 0.1, 3, true)"
    with pytest.raises(IllegalArgument, match="holtWinters"):
        asked(values, x=moving(script, 5))
    guarded = f"values.length >= 9 ? {script} : 0"
    assert shown(asked(values, x=moving(guarded, 9)))[9:] == pytest.approx([10, 20, 30], rel=0.05)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("rescale_0_1", [0.0, 0.25, 1.0]),
        ("rescale_0_100", [0.0, 25.0, 100.0]),
        ("percent_of_sum", [1 / 8, 2 / 8, 5 / 8]),
        ("mean", [-5 / 12, -1 / 6, 7 / 12]),
        ("z-score", [-0.98058, -0.39223, 1.37281]),
        ("softmax", [0.017148, 0.046613, 0.936239]),
    ],
)
def test_normalize(method: str, expected: list[float]) -> None:
    found = asked([1, 2, 5], x={"normalize": {"buckets_path": "v", "method": method}})
    assert shown(found) == pytest.approx(expected, abs=1e-5)


def test_buckets_are_sorted_and_cut() -> None:
    sort = {"sort": [{"v": {"order": "desc"}}], "from": 1, "size": 2}
    assert [b["key"] for b in asked([1, 5, 2, 7], x={"bucket_sort": sort})] == [10.0, 20.0]
    assert len(asked([1, 5, 2, 7], x={"bucket_sort": {"size": 3}})) == 3
    assert asked([1, 5], x={"bucket_sort": {"from": 4}}) == []


def test_gaps_are_not_sorted_unless_they_count_as_zero() -> None:
    by_value = {"sort": ["v"]}
    assert [b["key"] for b in asked([3, None, 2], x={"bucket_sort": by_value})] == [20.0, 0.0]
    zeros = {**by_value, "gap_policy": "insert_zeros"}
    assert [b["key"] for b in asked([3, None, 2], x={"bucket_sort": zeros})] == [10.0, 20.0, 0.0]


def test_scripts_see_paths_and_params() -> None:
    script = {
        "buckets_path": {"v": "v", "n": "_count"},
        "script": {"source": "params.v / params.n * params.k", "params": {"k": 10}},
        "format": "0.0",
    }
    (bucket, _) = asked([3, 4], x={"bucket_script": script})
    assert bucket["x"] == {"value": 30.0, "value_as_string": "30.0"}


def test_a_selector_drops_buckets() -> None:
    selector = {"buckets_path": {"v": "v"}, "script": "params.v > 2"}
    buckets = asked([1, 5, None, 7], x={"bucket_selector": selector})
    assert [bucket["key"] for bucket in buckets] == [10.0, 30.0]


def test_buckets_that_the_request_fixes_keep_their_names_when_some_are_dropped() -> None:
    selector = {"buckets_path": {"n": "_count"}, "script": "params.n > 2"}
    aggs = {
        "f": {
            "filters": {"filters": {name: {"match_all": {}} for name in "abc"}},
            "aggs": {"x": {"bucket_selector": selector}},
        },
        "r": {
            "range": {"field": "n", "ranges": [{"to": 1}, {"from": 1, "to": 2}, {"from": 2}]},
            "aggs": {"x": {"bucket_sort": {"sort": [{"_count": "desc"}], "size": 2}}},
        },
    }
    wanted = specs(aggs)
    counts = BucketsPartial([CountBucket(2), CountBucket(3), CountBucket(4)])
    tree = merge_aggs(wanted, [{"f": counts, "r": counts}], final=True)
    answer = render_aggs(wanted, tree)
    assert answer["f"]["buckets"] == {"b": {"doc_count": 3}, "c": {"doc_count": 4}}
    assert [bucket["key"] for bucket in answer["r"]["buckets"]] == ["2.0-*", "1.0-2.0"]


def test_only_the_final_merge_runs_pipelines() -> None:
    """S-112: what shards and clusters answer holds none of them, and what came in is left as it was."""
    aggs = {
        "h": {
            "histogram": {"field": "n", "interval": 10},
            "aggs": {
                "v": {"sum": {"field": "n"}},
                "x": {"cumulative_sum": {"buckets_path": "v"}},
            },
        },
        "m": {"max_bucket": {"buckets_path": "h>x"}},
    }
    wanted = specs(aggs)
    partial = merge_aggs(wanted, [{"h": histogram([1, 2])}], final=False)
    assert list(partial) == ["h"]
    held = partial["h"]
    assert isinstance(held, HistogramPartial)
    assert [list(bucket.aggs or {}) for bucket in held.buckets] == [["v"], ["v"]]
    tree = merge_aggs(wanted, [partial, {"h": histogram([3, None])}], final=True)
    assert render_aggs(wanted, tree)["m"] == {"value": 6.0, "keys": ["10.0"]}
    assert [list(bucket.aggs or {}) for bucket in held.buckets] == [["v"], ["v"]]


def test_meta_of_a_pipeline_is_echoed() -> None:
    """S-116: and nothing but what was asked for is in the answer."""
    (bucket,) = asked([1], x={"cumulative_sum": {"buckets_path": "v"}, "meta": {"a": 1}})
    assert list(bucket) == ["key", "doc_count", "v", "x"]
    assert bucket["x"] == {"meta": {"a": 1}, "value": 1.0}
