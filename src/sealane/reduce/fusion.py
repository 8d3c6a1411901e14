"""Fusing ranked lists of hits into one: by their ranks, or by their scores.

A document is told apart by its index, its shard and its id: equal ids in two clusters are two documents.
"""

from collections.abc import Sequence
from math import sqrt

from sealane.model.dsl import LinearRetriever, Normalizer, RrfRetriever, ScoredDoc
from sealane.reduce.partial import Hit

_Key = tuple[str, int, str]
_EPSILON = 1e-6


def scored_doc(hit: Hit) -> ScoredDoc:
    return ScoredDoc(hit.index, hit.shard, hit.id, hit.score or 0.0)


def fuse(
    retriever: RrfRetriever | LinearRetriever, lists: Sequence[Sequence[ScoredDoc]]
) -> list[ScoredDoc]:
    """The best `window` documents of all lists, each list in its order.

    Equal ones are told apart by the first list that has one of them, or has it earlier.
    """
    cut = [each[: retriever.window] for each in lists]
    ranks: dict[_Key, list[int | None]] = {}
    scores: dict[_Key, float] = {}
    for number, docs in enumerate(cut):
        worth = _worth(retriever, number, docs)
        for rank, doc in enumerate(docs):
            key = (doc.index, doc.shard, doc.id)
            ranks.setdefault(key, [None] * len(cut))[number] = rank
            scores[key] = scores.get(key, 0.0) + worth[rank]
    order = sorted(scores, key=lambda key: (-scores[key], *_places(ranks[key]), key))
    if retriever.min_score is not None:
        order = [key for key in order if scores[key] >= retriever.min_score]
    return [ScoredDoc(*key, scores[key]) for key in order[: retriever.window]]


def _places(ranks: list[int | None]) -> list[tuple[bool, int]]:
    return [(rank is None, rank or 0) for rank in ranks]


def _worth(
    retriever: RrfRetriever | LinearRetriever, number: int, docs: Sequence[ScoredDoc]
) -> list[float]:
    if isinstance(retriever, RrfRetriever):
        return [1.0 / (retriever.constant + rank) for rank in range(1, len(docs) + 1)]
    scores = _normalized([doc.score for doc in docs], retriever.normalizers[number])
    return [retriever.weights[number] * score for score in scores]


def _normalized(scores: list[float], normalizer: Normalizer) -> list[float]:
    if not scores or normalizer is Normalizer.NONE:
        return scores
    if normalizer is Normalizer.L2_NORM:
        length = sqrt(sum(score * score for score in scores))
        return scores if length < _EPSILON else [score / length for score in scores]
    least, most = min(scores), max(scores)
    if most - least < _EPSILON:
        return [1.0] * len(scores)
    return [(score - least) / (most - least) for score in scores]
