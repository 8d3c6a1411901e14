"""Counts of searches that add up over nodes."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealane.model.usage import ClusterUsage, SearchUsage, Spread

TIMES = st.lists(st.integers(0, 10**7), max_size=50)


def spread(*values: int) -> Spread:
    made = Spread()
    for value in values:
        made.add(value)
    return made


def test_small_values_are_told_exactly() -> None:
    made = spread(*range(1, 101))
    assert (made.count, made.max, made.average, made.percentile(90)) == (100, 100, 50, 90)


def test_nothing_counted_is_zero() -> None:
    assert (Spread().max, Spread().average, Spread().percentile(90)) == (0, 0, 0)


@pytest.mark.parametrize(
    ("value", "shown"), [(255, 255), (256, 257), (1000, 1003), (60_000, 60_159)]
)
def test_large_values_share_a_bucket_and_show_its_end(value: int, shown: int) -> None:
    assert spread(value).max == shown


@given(TIMES)
def test_a_percentile_is_within_a_hundredth(values: list[int]) -> None:
    made = spread(*values)
    if values:
        exact = sorted(values)[max(0, -(-len(values) * 90 // 100) - 1)]
        assert exact <= made.percentile(90) <= exact * 1.01 + 1
        assert len(made.buckets) <= len(values)


@given(TIMES, TIMES)
def test_merged_is_as_if_counted_at_one_place(left: list[int], right: list[int]) -> None:
    merged = spread(*left)
    merged.merge(spread(*right))
    assert merged == spread(*left, *right)


def usage(alias: str, took: int) -> SearchUsage:
    return SearchUsage(
        total=2,
        success=1,
        skipped=1,
        took=spread(took),
        took_one_trip=spread(took),
        remotes=3,
        remotes_max=took,
        failure_reasons={"not_found": 1},
        features={"mrt_on": 2},
        clients={"kibana": 1},
        clusters={alias: ClusterUsage(total=1, took=spread(took))},
    )


def test_nodes_add_up() -> None:
    whole = usage("eu", 5)
    whole.merge(usage("us", 7))
    whole.merge(usage("eu", 1))
    assert (whole.total, whole.success, whole.skipped, whole.remotes) == (6, 3, 3, 9)
    assert whole.remotes_max == 7
    assert whole.failure_reasons == {"not_found": 3}
    assert whole.features == {"mrt_on": 6}
    assert whole.clients == {"kibana": 3}
    assert {alias: each.total for alias, each in whole.clusters.items()} == {"eu": 2, "us": 1}
    assert whole.took == spread(5, 7, 1)


def test_counts_cross_as_json() -> None:
    sent = msgspec.json.decode(msgspec.json.encode(usage("eu", 300)))
    assert msgspec.convert(sent, SearchUsage, str_keys=True) == usage("eu", 300)
