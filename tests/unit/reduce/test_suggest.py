"""Suggestions of several parts."""

import itertools

import pytest

from sealane.errors import IllegalState
from sealane.model.dsl import (
    CompletionSuggestion,
    PhraseSuggestion,
    SearchBody,
    Spelling,
    Suggestion,
    SuggestOrder,
    TermSuggestion,
)
from sealane.reduce.partial import (
    Hit,
    Partial,
    ShardCounts,
    SuggestEntry,
    SuggestOption,
    SuggestPartial,
)
from sealane.reduce.suggest import merge_suggestions

Option = tuple[str, float, int]


def part(kind: str, *options: SuggestOption, text: str = "x", cutoff: float = 0.0) -> Partial:
    entry = SuggestEntry(text, 0, len(text), list(options), cutoff)
    return Partial(
        hits=[],
        total=None,
        max_score=None,
        shards=ShardCounts(1, 1),
        suggest={"s": SuggestPartial(kind, [entry])},
    )


def words(*options: Option) -> Partial:
    return part("term", *(SuggestOption(text, score, freq) for text, score, freq in options))


def completions(*options: tuple[str, float, str]) -> Partial:
    return part(
        "completion",
        *(SuggestOption(t, score, hit=Hit(index, t, score)) for t, score, index in options),
    )


def merged(suggestion: Suggestion, parts: list[Partial]) -> list[SuggestOption]:
    found = merge_suggestions(SearchBody(raw=b"", suggest=(suggestion,)), parts)
    assert found is not None
    return found["s"].entries[0].options


def term(order: SuggestOrder = SuggestOrder.SCORE, size: int = 5) -> TermSuggestion:
    return TermSuggestion(name="s", field="f", size=size, spelling=Spelling(order=order))


def test_frequencies_add_up_and_the_best_score_stays() -> None:
    """S-118."""
    options = merged(
        term(), [words(("a", 0.5, 1), ("b", 0.4, 9)), words(("b", 0.4, 1), ("a", 0.6, 2))]
    )
    assert [(each.text, each.score, each.freq) for each in options] == [
        ("a", 0.6, 3),
        ("b", 0.4, 10),
    ]
    by_freq = merged(term(SuggestOrder.FREQUENCY, 1), [words(("a", 0.6, 3)), words(("b", 0.4, 10))])
    assert [each.text for each in by_freq] == ["b"]


def test_the_order_of_parts_does_not_matter() -> None:
    parts = [words(("a", 0.5, 1)), words(("b", 0.5, 1)), words(("c", 0.5, 2), ("a", 0.5, 1))]
    results = {
        tuple((each.text, each.freq) for each in merged(term(), list(order)))
        for order in itertools.permutations(parts)
    }
    assert results == {(("a", 2), ("c", 2), ("b", 1))}


def test_merging_is_closed() -> None:
    """Merging what was merged gives what merging all at once gives."""
    parts = [words(("a", 0.5, 1)), words(("b", 0.5, 1)), words(("a", 0.5, 3))]
    half = part("term", *merged(term(), parts[:2]))
    assert merged(term(), [half, parts[2]]) == merged(term(), parts)


def test_one_part_is_only_cut() -> None:
    options = merged(term(size=1), [words(("b", 0.1, 1), ("a", 0.5, 1))])
    assert [each.text for each in options] == ["b"]


def test_phrases_must_beat_the_highest_cutoff() -> None:
    suggestion = PhraseSuggestion(name="s", field="f", generators=())
    one = part("phrase", SuggestOption("a b", 0.2), cutoff=0.1)
    other = part("phrase", SuggestOption("c d", 0.5), cutoff=0.3)
    assert [each.text for each in merged(suggestion, [one, other])] == ["c d"]


def test_completions_are_ordered_by_weight_then_text_then_shard() -> None:
    """S-119."""
    suggestion = CompletionSuggestion(name="s", field="f", size=3)
    parts = [
        completions(("b", 1.0, "i"), ("a", 1.0, "i")),
        completions(("a", 1.0, "eu:i"), ("z", 2.0, "eu:i")),
    ]
    options = merged(suggestion, parts)
    assert [(each.text, each.hit.index if each.hit else "") for each in options] == [
        ("z", "eu:i"),
        ("a", "i"),
        ("a", "eu:i"),
    ]


def test_duplicates_are_skipped_before_the_cut() -> None:
    suggestion = CompletionSuggestion(name="s", field="f", size=2, skip_duplicates=True)
    parts = [completions(("a", 2.0, "i"), ("b", 1.0, "i")), completions(("a", 3.0, "eu:i"))]
    assert [(each.text, each.score) for each in merged(suggestion, parts)] == [
        ("a", 3.0),
        ("b", 1.0),
    ]


def test_other_words_for_the_same_text_are_an_error() -> None:
    """S-118."""
    with pytest.raises(IllegalState, match=r"different text actual \[y\] expected \[x\]"):
        merged(term(), [part("term"), part("term", text="y")])


def test_no_suggestions_at_all() -> None:
    empty = Partial(hits=[], total=None, max_score=None, shards=ShardCounts())
    assert merge_suggestions(SearchBody(raw=b""), [empty]) is None
