"""Runs aggregations against one view: as much as possible in one call of tantivy's aggregator, the rest by queries.

A node that tantivy can compute hands out requests (`native`) and reads their results (`read`); its native children
are computed inside it. A node that tantivy lacks (`filter`, `missing`, `global`, anything with a `missing` bucket)
collects by itself, by running its children on a narrower query. So a tree of any shape works; what is native is fast.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import tantivy

from sealane.engine.embedded.search.scope import EVERYTHING, Compiled, Scope
from sealane.errors import ApiError, IllegalArgument, Internal, TooManyBuckets
from sealane.model import dsl
from sealane.reduce.partial import AggPartial

# tantivy's own limit for one call, buckets of all levels together.
NATIVE_BUCKETS = 65_000
# What one shard may gather for one search; the reduce checks search.max_buckets.
MAX_SHARD_BUCKETS = 1_000_000
REPORTED_LIMIT = 65_536

LazyQuery = Callable[[], tantivy.Query]
Raw = dict[str, Any]


# tantivy makes all buckets of a range in each bucket around it, filled or not: calendar days within calendar days took
# gigabytes. Trees that may come to more than this are run level by level instead.
SPREAD_MAX = 500_000


class NativeLimit(Exception):
    """tantivy refused: too many buckets in one call."""


class Node:
    """One aggregation of the tree, bound to a run. Subclasses say how it is computed."""

    def __init__(self, agg: dsl.Agg, run: "Run") -> None:
        self.agg = agg
        self.run = run
        self.children = [run.node(each) for each in agg.subs if not each.is_pipeline]

    def native(self, inline: bool) -> Raw | None:
        """Requests to tantivy by a name of the node's own; None when it collects by itself.

        `inline` says whether native children are computed inside.
        """
        return None

    def read(self, raw: Raw, query: LazyQuery, inline: bool) -> AggPartial:
        """The answer out of the results of `native`. `query` selects the documents that were aggregated."""
        raise NotImplementedError

    def collect(self, query: tantivy.Query) -> AggPartial:
        """The answer for the documents of `query`, by whatever calls it takes."""
        raise NotImplementedError

    def overflow(self, query: tantivy.Query) -> AggPartial:
        """The answer where even this level alone has more buckets than tantivy gives at once."""
        raise TooManyBuckets(REPORTED_LIMIT)

    def empty(self) -> AggPartial:
        """The answer for no documents."""
        return self.run.one(self, tantivy.Query.empty_query())

    def breadth(self) -> int:
        """How many buckets tantivy may make of this node in one bucket around it."""
        return 1

    def spread(self) -> int:
        """How many it may make of this node and all below it."""
        return self.breadth() * (1 + sum(child.spread() for child in self.children))

    # -- for subclasses with buckets -----------------------------------------------------------------------------

    def child_requests(self, inline: bool) -> Raw:
        return requests_of(self.children, inline) if inline else {}

    def child_answers(
        self, bucket: Raw, query: LazyQuery, inline: bool
    ) -> dict[str, AggPartial] | None:
        """The answers of all children in one bucket: read out of it, or collected for its query."""
        if not self.children:
            return None
        found: dict[str, AggPartial] = {}
        others: list[Node] = []
        for place, child in enumerate(self.children):
            requests = child.native(True) if inline else None
            if requests is None:
                others.append(child)
                continue
            raw = {name: bucket[f"{place}.{name}"] for name in requests}
            found[child.agg.name] = child.read(raw, query, True)
        if others:
            found.update(self.run.run(others, query()))
        return {child.agg.name: found[child.agg.name] for child in self.children}

    def with_aggs(self, body: Raw, inline: bool) -> Raw:
        requests = self.child_requests(inline)
        return {**body, "aggs": requests} if requests else body


def requests_of(nodes: Sequence[Node], inline: bool) -> Raw:
    requests: Raw = {}
    for place, node in enumerate(nodes):
        for name, body in (node.native(inline) or {}).items():
            requests[f"{place}.{name}"] = body
    return requests


@dataclass(slots=True)
class Run:
    """One search's aggregations. `check` raises when the search was cancelled."""

    scope: Scope
    check: Callable[[], None]
    build: Callable[[dsl.Agg, "Run"], Node]
    everything: tantivy.Query
    """What a global aggregation sees."""
    unfiltered: bool = False
    """Whether the search is for all documents."""
    searched: Compiled = EVERYTHING
    """The search itself, for the scores of its documents."""
    asked: dsl.SearchBody | None = None
    """The same as it was asked for: what hits are highlighted by, and what they show unless told otherwise."""
    named: Sequence[tuple[str, tantivy.Query]] = ()
    """The search's named queries."""
    around: "Run | None" = None
    """The run at the level above, of which this one aggregates nested objects."""
    buckets: int = 0

    def node(self, agg: dsl.Agg) -> Node:
        return self.build(agg, self)

    def count_buckets(self, more: int) -> None:
        self.buckets += more
        if self.buckets > MAX_SHARD_BUCKETS:
            raise TooManyBuckets(REPORTED_LIMIT)

    def one(self, node: Node, query: tantivy.Query) -> AggPartial:
        return self.run([node], query)[node.agg.name]

    def run(self, nodes: Sequence[Node], query: tantivy.Query) -> dict[str, AggPartial]:
        """The answers of all nodes for the documents of `query`."""
        self.check()
        if sum(node.spread() for node in nodes) <= SPREAD_MAX:
            try:
                return self._run(nodes, query, inline=True)
            except NativeLimit:
                pass
        answers: dict[str, AggPartial] = {}
        for node in nodes:
            try:
                answers.update(self._run([node], query, inline=False))
            except NativeLimit:
                answers[node.agg.name] = node.overflow(query)
        return answers

    def _run(
        self, nodes: Sequence[Node], query: tantivy.Query, *, inline: bool
    ) -> dict[str, AggPartial]:
        requests = requests_of(nodes, inline)
        results = self.aggregate(query, requests) if requests else {}
        answers: dict[str, AggPartial] = {}
        for place, node in enumerate(nodes):
            names = node.native(inline)
            if names is None:
                answers[node.agg.name] = node.collect(query)
            else:
                raw = {name: results[f"{place}.{name}"] for name in names}
                answers[node.agg.name] = node.read(raw, lambda: query, inline)
        return answers

    def aggregate(self, query: tantivy.Query, requests: Raw) -> Raw:
        """One call of tantivy's aggregator. Raises NativeLimit."""
        try:
            results: Raw = self.scope.state.view.searcher.aggregate(query, requests)
        except ValueError as error:
            if "bucket limit" in str(error) or "memory limit" in str(error).lower():
                raise NativeLimit from None
            raise Internal(f"aggregation failed: {error}") from error
        return results


def not_supported(agg_type: str, path: str, type_name: str) -> ApiError:
    return IllegalArgument(
        f"Field [{path}] of type [{type_name}] is not supported for aggregation [{agg_type}]"
    )
