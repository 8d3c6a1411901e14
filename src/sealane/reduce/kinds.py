"""The kinds of aggregations: how each one's states merge, read as numbers and show as JSON.

A module for each family registers its kinds; nothing here, and nothing that merges or renders a tree, names one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sealane.errors import (
    ApiError,
    IllegalArgument,
    NumberFormatError,
    TooManyBuckets,
    UnfitState,
)
from sealane.model.dsl import Agg
from sealane.reduce.partial import (
    AggPartial,
    BucketsPartial,
    CountBucket,
    InnerHits,
    MetricPartial,
)

Json = dict[str, Any]
Tree = dict[str, AggPartial]

DEFAULT_MAX_BUCKETS = 65_536
"""`search.max_buckets`."""


class NoNumber(Exception):
    """Why a path does not lead to one number. `error` is what an answer shows it as."""

    error: type[ApiError] = IllegalArgument


class NotNumeric(NoNumber):
    """A path names a member by a number, and this is none."""

    error = NumberFormatError


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of aggregation.

    `partial` is the type of its states; `merge(reduction, spec, states)` makes one of any number of them, none
    included. `render(body, spec, state, show)` adds the members of a final state to its JSON, in the reference's order.
    `type_name(spec, state)` is what `typed_keys` shows.

    `number(spec, state, member)` is the value that an order or a pipeline path reads, raw: NaN or infinite when empty;
    raises NoNumber for a member it does not have. None where there is no number. `is_single_bucket` says that paths
    may go on below it, in the only bucket of a BucketsPartial.
    """

    partial: type[AggPartial]
    merge: "Callable[[Reduction, Any, list[Any]], AggPartial]"
    render: "Callable[[Json, Any, Any, Show], None]"
    type_name: Callable[[Any, Any], str]
    number: Callable[[Any, Any, str], float] | None = None
    is_single_bucket: bool = False


_KINDS: dict[type[Agg], Kind] = {}


def register(spec: type[Agg], kind: Kind) -> None:
    """Says how aggregations of a type are merged and shown. Once for each type, when its module is imported."""
    if spec in _KINDS:
        raise ValueError(f"{spec.__name__} is registered already")
    _KINDS[spec] = kind


def kind_of(spec: Agg) -> Kind:
    return _KINDS[type(spec)]


def type_name(spec: Agg, partial: AggPartial) -> str:
    """The reference's name for the kind of answer, as `typed_keys` shows it."""
    return kind_of(spec).type_name(spec, partial)


class Reduction:
    """One merge: whether it is final, the time it is for, and how many buckets it may still make.

    `by_cluster` says that each source is a cluster's answer, not a shard's.
    """

    __slots__ = ("buckets", "by_cluster", "final", "max_buckets", "now_ms")

    def __init__(self, final: bool, max_buckets: int, now_ms: int, by_cluster: bool) -> None:
        self.final = final
        self.by_cluster = by_cluster
        self.max_buckets = max_buckets
        self.now_ms = now_ms
        self.buckets = 0

    def count(self, buckets: int) -> None:
        """Raises TooManyBuckets when a final answer grows over the limit."""
        if self.final:
            self.buckets += buckets
            if self.buckets > self.max_buckets:
                raise TooManyBuckets(self.max_buckets)

    def trees(
        self, specs: tuple[Agg, ...], trees: Sequence[Mapping[str, AggPartial] | None]
    ) -> Tree | None:
        """The merged sub-aggregations of one bucket; None when there are none in the request."""
        if not specs:
            return None
        present = [tree for tree in trees if tree]
        return {
            spec.name: self.one(spec, [tree[spec.name] for tree in present if spec.name in tree])
            for spec in specs
            if not spec.is_pipeline
        }

    def gap(self, specs: tuple[Agg, ...], beside: Mapping[str, AggPartial] | None) -> Tree | None:
        """The sub-aggregations of a bucket that no source has. `beside` is one that some have: it tells types."""
        if not specs or not beside:
            return self.trees(specs, [])
        return self.trees(specs, [_emptied_tree(beside)])

    def one(self, spec: Agg, partials: Sequence[AggPartial]) -> AggPartial:
        """All sources' states of one aggregation; an empty state without sources."""
        kind = _KINDS[type(spec)]
        states = [partial for partial in partials if isinstance(partial, kind.partial)]
        if len(states) != len(partials):
            raise UnfitState(
                f"aggregation [{spec.name}] was answered with states of different kinds"
            )
        return kind.merge(self, spec, states)


def emptied_like(partial: AggPartial) -> AggPartial | None:
    """A state of nothing that still knows its field's type; None where only values are shown in a type."""
    if isinstance(partial, MetricPartial):
        return MetricPartial(
            0, 0.0, None, None, value_type=partial.value_type, format=partial.format
        )
    if isinstance(partial, BucketsPartial):
        buckets = [CountBucket(0, _emptied_tree(bucket.aggs)) for bucket in partial.buckets]
        return BucketsPartial(buckets, partial.bounds, partial.format)
    return None


def _emptied_tree(tree: Mapping[str, AggPartial] | None) -> Tree:
    emptied = {name: emptied_like(partial) for name, partial in (tree or {}).items()}
    return {name: state for name, state in emptied.items() if state is not None}


class Show:
    """Rendering of one tree. `typed` writes `sterms#name` for names; `hits` makes the JSON of hits."""

    __slots__ = ("hits", "typed")

    def __init__(self, typed: bool, hits: "Callable[[InnerHits], Json] | None" = None) -> None:
        self.typed = typed
        self.hits = hits

    def aggs(self, specs: tuple[Agg, ...], tree: Mapping[str, AggPartial] | None) -> Json:
        """The members of aggregations side by side: `{name: {...}}`. Empty where the request has none."""
        answer: Json = {}
        for spec in specs:
            if spec.is_pipeline and spec.name not in (tree or {}):
                continue  # it has no value in this bucket
            partial = (tree or {})[spec.name]
            kind = _KINDS[type(spec)]
            body: Json = {} if spec.meta is None else {"meta": spec.meta}
            kind.render(body, spec, partial, self)
            name = f"{kind.type_name(spec, partial)}#{spec.name}" if self.typed else spec.name
            answer[name] = body
        return answer
