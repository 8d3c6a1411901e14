"""Nearest neighbours: the `knn` query, and documents that were found before with their scores."""

from dataclasses import dataclass

from sealane.model.dsl.queries import Query

MAX_CANDIDATES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Knn(Query):
    """The `k` documents of a shard whose vectors are nearest; None takes as many as the search wants hits.

    `similarity` is the least that is near enough, in the terms of the field's own measure.
    """

    field: str
    vector: tuple[float, ...]
    k: int | None = None
    num_candidates: int | None = None
    similarity: float | None = None
    filters: tuple[Query, ...] = ()


@dataclass(frozen=True, slots=True)
class ScoredDoc:
    """One document, by the name that its index goes by for whoever searches."""

    index: str
    shard: int
    id: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredDocs(Query):
    """Exactly these documents, with these scores: what an earlier phase of the same search has found."""

    docs: tuple[ScoredDoc, ...]
