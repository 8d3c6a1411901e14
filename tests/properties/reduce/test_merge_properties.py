"""Merging is order-free and associative; a merged page is the page of the union."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sealane.query import parse_aggs, parse_search_body
from sealane.reduce import merge, merge_aggs, render_aggs
from sealane.reduce.partial import Hit, Partial, ShardCounts, TotalHits
from tests.unit.reduce.collector import collect_tree

SPECS = parse_aggs(
    {
        "terms": {"terms": {"field": "k"}, "aggs": {"stats": {"extended_stats": {"field": "n"}}}},
        "histogram": {"histogram": {"field": "n", "interval": 4}},
        "distinct": {"cardinality": {"field": "n"}},
        "ranges": {"range": {"field": "n", "ranges": [{"to": 3}, {"from": 2}]}},
        "count": {"value_count": {"field": "k"}},
    }
)
DOCUMENTS = st.lists(
    st.fixed_dictionaries(
        {"k": st.sampled_from("abcde"), "n": st.integers(min_value=-20, max_value=20)}
    ),
    max_size=15,
)


def answer(trees: list[Any]) -> Any:
    return render_aggs(SPECS, merge_aggs(SPECS, trees, final=True))


@settings(max_examples=60, deadline=None)
@given(shards=st.lists(DOCUMENTS, min_size=3, max_size=4), seed=st.randoms(use_true_random=False))
def test_grouping_and_order_of_sources_do_not_matter(shards: Any, seed: Any) -> None:
    trees = [collect_tree(SPECS, documents) for documents in shards]
    expected = answer([collect_tree(SPECS, [d for documents in shards for d in documents])])
    assert answer(trees) == expected
    seed.shuffle(trees)
    left = merge_aggs(SPECS, trees[:2], final=False)
    assert answer([left, *trees[2:]]) == expected
    right = merge_aggs(SPECS, trees[1:], final=False)
    assert answer([trees[0], right]) == expected


SORTED = parse_search_body(b'{"sort":[{"a":"desc"},{"b":"asc"},{"c":"asc"}]}')
KEYS = st.tuples(
    st.integers(min_value=0, max_value=2), st.one_of(st.none(), st.sampled_from("xyz"))
)


@settings(max_examples=100, deadline=None)
@given(
    shards=st.lists(st.lists(KEYS, max_size=8), min_size=1, max_size=4),
    from_=st.integers(min_value=0, max_value=5),
    size=st.integers(min_value=0, max_value=10),
)
def test_a_merged_page_is_the_page_of_the_union(shards: Any, from_: int, size: int) -> None:
    number = 0
    parts, union = [], []
    for shard, keys in enumerate(shards):
        hits = []
        for a, b in keys:
            number += 1
            hits.append(Hit("i", str(number), None, sort=[a, b, number], shard=shard))
        hits.sort(key=_expected_order)
        union += hits
        parts.append(
            Partial(
                hits[: from_ + size],
                TotalHits(len(hits)),
                None,
                ShardCounts(1, 1),
                sort_types=["long", "keyword", "long"],
            )
        )
    page = sorted(union, key=_expected_order)[from_ : from_ + size]
    assert merge(SORTED, parts, from_=from_, size=size, final=True).hits == page


def _expected_order(hit: Hit) -> Any:
    a, b, number = hit.sort or ()
    return -a, b is None, b or "", number  # type: ignore[operator]
