"""Aggregations whose buckets are queries: filter, filters, missing, global."""

import itertools

import tantivy

from sealane.engine.embedded.search.aggs.columns import check_shows, column_of
from sealane.engine.embedded.search.aggs.run import Node, Run
from sealane.engine.embedded.search.compile import compile_query
from sealane.engine.embedded.search.existence import compile_exists
from sealane.engine.embedded.search.scope import NOTHING, all_of, any_of, without
from sealane.errors import IllegalArgument
from sealane.model import dsl
from sealane.reduce.partial import (
    AggPartial,
    BucketsPartial,
    CountBucket,
    TermBucket,
    TermsPartial,
)

MAX_FILTERS = 4_096


class QueriesNode(Node):
    """Base: one bucket for each of `queries`."""

    def queries(self, query: tantivy.Query) -> list[tantivy.Query]:
        raise NotImplementedError

    def collect(self, query: tantivy.Query) -> AggPartial:
        buckets = [self.bucket(each) for each in self.queries(query)]
        self.run.count_buckets(len(buckets))
        return BucketsPartial(buckets)

    def bucket(self, query: tantivy.Query) -> CountBucket:
        count = self.run.scope.state.count(query)
        if not self.children:
            return CountBucket(count)
        return CountBucket(count, self.run.run(self.children, query))


class FilterNode(QueriesNode):
    def __init__(self, agg: dsl.FilterAgg, run: Run) -> None:
        super().__init__(agg, run)
        self.filter = compile_query(agg.filter, run.scope).query

    def queries(self, query: tantivy.Query) -> list[tantivy.Query]:
        return [all_of(query, self.filter)]


class FiltersNode(QueriesNode):
    def __init__(self, agg: dsl.FiltersAgg, run: Run) -> None:
        super().__init__(agg, run)
        self.filters = [compile_query(each, run.scope).query for each in agg.filters]
        self.other = agg.other_bucket_key is not None

    def queries(self, query: tantivy.Query) -> list[tantivy.Query]:
        found = [all_of(query, each) for each in self.filters]
        if self.other:
            found.append(without(query, any_of(self.filters)) if self.filters else query)
        return found


class MissingNode(QueriesNode):
    def __init__(self, agg: dsl.MissingAgg, run: Run) -> None:
        super().__init__(agg, run)
        check_shows(column_of(agg.field, None, run.scope))
        self.filled = agg.filled
        # An object is no field: all documents lack it.
        leaf = agg.field.startswith("_") or run.scope.mapped(agg.field) is not None
        self.present = (compile_exists(agg.field, run.scope) if leaf else NOTHING).query

    def queries(self, query: tantivy.Query) -> list[tantivy.Query]:
        return [tantivy.Query.empty_query() if self.filled else without(query, self.present)]


class GlobalNode(QueriesNode):
    def queries(self, query: tantivy.Query) -> list[tantivy.Query]:
        return [self.run.everything]


class AdjacencyNode(QueriesNode):
    """Each filter, and each two of them together."""

    def __init__(self, agg: dsl.AdjacencyMatrixAgg, run: Run) -> None:
        super().__init__(agg, run)
        if len(agg.filters) > MAX_FILTERS:
            raise IllegalArgument(
                "Number of filters is too large, must be less than or equal to: "
                f"[{MAX_FILTERS}] but was [{len(agg.filters)}]. This limit can be set by changing "
                "the [indices.query.bool.max_clause_count] setting."
            )
        alone = [compile_query(each, run.scope).query for each in agg.filters]
        named = list(zip(agg.keys, alone, strict=True))
        self.cells = named + [
            (f"{one}{agg.separator}{other}", all_of(first, second))
            for (one, first), (other, second) in itertools.combinations(named, 2)
        ]

    def collect(self, query: tantivy.Query) -> AggPartial:
        buckets = []
        for key, inside in self.cells:
            self.run.check()
            found = self.bucket(all_of(query, inside))
            if found.count:
                buckets.append(TermBucket(key, found.count, found.aggs))
        self.run.count_buckets(len(buckets))
        return TermsPartial(buckets)
