"""Near spellings by a walk through a sorted dictionary, against comparing every word."""

from hypothesis import given
from hypothesis import strategies as st

from sealane.engine.embedded.search.edits import near_terms

WORDS = st.text("abcd", max_size=7)


def _distance(left: str, right: str, swaps: bool) -> int:
    """Edits with neighbours swapped as one, none of them touched twice."""
    rows = [
        [max(i, j) if 0 in (i, j) else 0 for j in range(len(right) + 1)]
        for i in range(len(left) + 1)
    ]
    for i in range(1, len(left) + 1):
        for j in range(1, len(right) + 1):
            rows[i][j] = min(
                rows[i - 1][j] + 1,
                rows[i][j - 1] + 1,
                rows[i - 1][j - 1] + (left[i - 1] != right[j - 1]),
            )
            swapped = i > 1 and j > 1 and left[i - 2 : i] == right[j - 1] + right[j - 2]
            if swaps and swapped:
                rows[i][j] = min(rows[i][j], rows[i - 2][j - 2] + 1)
    return rows[-1][-1]


@given(st.sets(WORDS, max_size=30), WORDS, st.integers(0, 2), st.integers(0, 3), st.booleans())
def test_finds_exactly_the_near_words(
    words: set[str], word: str, distance: int, prefix_length: int, swaps: bool
) -> None:
    terms = sorted(words)
    found = dict(near_terms(terms, word, distance, prefix_length=prefix_length, swaps=swaps))
    prefix = word[:prefix_length]
    rest = {
        term: _distance(term[len(prefix) :], word[len(prefix) :], swaps)
        for term in terms
        if term.startswith(prefix)
    }
    assert found == {term: edits for term, edits in rest.items() if edits <= distance}


def test_a_swap_may_undo_what_its_first_letter_seems_to_cost() -> None:
    assert dict(near_terms(["brown", "brwon"], "brwon", 1)) == {"brown": 1, "brwon": 0}
    assert dict(near_terms(["brown"], "brwon", 1, swaps=False)) == {}


def test_a_very_long_word_costs_no_more_than_its_terms() -> None:
    """Only what is about as long as a term is ever compared with it."""
    word = "x" * 1_000_000
    assert list(near_terms(["a", "x" * 50], word, 2)) == []
    assert list(near_terms(["x" * 999_999], "x" * 50, 2)) == []
