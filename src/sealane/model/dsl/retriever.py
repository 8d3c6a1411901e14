"""Retrievers: where the hits of a search come from, as a tree."""

from dataclasses import dataclass
from enum import StrEnum

DEFAULT_RANK_WINDOW = 10
DEFAULT_RANK_CONSTANT = 60


class Normalizer(StrEnum):
    """How the scores of one retriever become comparable with those of another."""

    NONE = "none"
    MINMAX = "minmax"
    L2_NORM = "l2_norm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retriever:
    """Base of all retrievers. `filters` are queries as JSON that limit what any retriever below finds."""

    filters: tuple[bytes, ...] = ()
    min_score: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainRetriever(Retriever):
    """`standard` and `knn`: `search` has the members of a search body, as JSON, that say the same."""

    search: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RescorerRetriever(Retriever):
    """`rescore` is the section of that name, as JSON."""

    inner: Retriever
    rescore: bytes
    window: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RrfRetriever(Retriever):
    """Fuses its children by the ranks of their hits: 1 / (constant + rank), summed."""

    children: tuple[Retriever, ...]
    window: int = DEFAULT_RANK_WINDOW
    constant: int = DEFAULT_RANK_CONSTANT


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearRetriever(Retriever):
    """Fuses its children by their scores, each with its weight."""

    children: tuple[Retriever, ...]
    weights: tuple[float, ...]
    normalizers: tuple[Normalizer, ...]
    window: int = DEFAULT_RANK_WINDOW
