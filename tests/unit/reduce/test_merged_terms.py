"""Sorted lists of terms into one."""

from hypothesis import given
from hypothesis import strategies as st

from sealane.reduce.merged_terms import merge_terms

_TERMS = st.lists(st.text(max_size=3), max_size=8)


def _sorted(terms: list[str]) -> list[str]:
    return sorted(set(terms), key=lambda term: term.encode("utf-8", "surrogatepass"))


@given(st.lists(_TERMS, max_size=4), st.integers(min_value=1, max_value=10))
def test_the_merge_is_the_sorted_union_cut_to_size(lists: list[list[str]], size: int) -> None:
    whole = _sorted([term for terms in lists for term in terms])
    assert list(merge_terms([_sorted(terms) for terms in lists], size)) == whole[:size]


@given(_TERMS, _TERMS, _TERMS, st.integers(min_value=1, max_value=5))
def test_merging_is_closed(a: list[str], b: list[str], c: list[str], size: int) -> None:
    """Clusters merge what their shards have merged, by the same code."""
    first, second, third = _sorted(a), _sorted(b), _sorted(c)
    inner = merge_terms([first, second], size)
    assert merge_terms([inner, third], size) == merge_terms([first, second, third], size)
