"""variable_width_histogram: its clusters, against the plain way of finding them."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from sealane.model.dsl import VariableWidthHistogramAgg
from sealane.reduce.aggs import merge_aggs
from sealane.reduce.partial import VariableWidthPartial, WidthBucket

VALUES = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 5)), max_size=40)


def _plainly(found: list[tuple[float, int]], most: int) -> list[tuple[float, int]]:
    """The two nearest, the first of equals, are joined until few enough are left."""
    left = list(found)
    while len(left) > most:
        gaps = [after[0] - before[0] for before, after in itertools.pairwise(left)]
        at = gaps.index(min(gaps))
        (one, count), (other, others) = left[at : at + 2]
        mean = (one * count + other * others) / (count + others)
        left[at : at + 2] = [(mean, count + others)]
    return left


@given(VALUES, st.integers(1, 10))
def test_the_nearest_clusters_are_joined_first(values: list[tuple[int, int]], most: int) -> None:
    counts = {float(value): count for value, count in values}
    ordered = sorted(counts.items())
    spec = VariableWidthHistogramAgg(name="w", field="n", buckets=most)
    buckets = [WidthBucket(value, value, value, count) for value, count in ordered]
    tree = merge_aggs((spec,), [{"w": VariableWidthPartial(buckets)}], final=True)
    merged = tree["w"]
    assert isinstance(merged, VariableWidthPartial)
    assert [(each.centroid, each.count) for each in merged.buckets] == _plainly(ordered, most)
