"""significant_terms: what the found documents have, counted beside what a background has.

The background is all documents that the search may see, or those of a filter.
"""

import tantivy

from sealane.engine.embedded.search.aggs.cells import Raw
from sealane.engine.embedded.search.aggs.columns import Column, check_format
from sealane.engine.embedded.search.aggs.distinct import distinct_counts
from sealane.engine.embedded.search.aggs.run import Node, Run
from sealane.engine.embedded.search.aggs.term_column import check_hint, check_keys, keyed_column
from sealane.engine.embedded.search.aggs.term_filter import TermFilter
from sealane.engine.embedded.search.compile import compile_query
from sealane.engine.embedded.search.scope import all_of
from sealane.errors import UnsupportedOperation
from sealane.model import dsl
from sealane.reduce.partial import AggPartial, SignificantBucket, SignificantPartial
from sealane.reduce.significant import best_of_shard


class SignificantNode(Node):
    """Base: counts of terms, here and in the background, scored by this shard's sizes to choose what it returns."""

    def __init__(self, agg: dsl.SignificantTermsAgg, run: Run) -> None:
        super().__init__(agg, run)
        self.significant = agg
        self.background = (
            run.everything
            if agg.background_filter is None
            else all_of(run.everything, compile_query(agg.background_filter, run.scope).query)
        )
        self.least = agg.shard_min_doc_count
        self.key_type: str | None = None
        self.format: str | None = None

    def here(self, query: tantivy.Query) -> dict[Raw, int]:
        """Documents of a query by term."""
        raise NotImplementedError

    def known(self, terms: list[Raw]) -> dict[Raw, int]:
        """Documents of the background by term, at least for these."""
        raise NotImplementedError

    def key(self, term: Raw) -> Raw:
        return term

    def inside(self, term: Raw) -> tantivy.Query:
        raise NotImplementedError

    def collect(self, query: tantivy.Query) -> AggPartial:
        state = self.run.scope.state
        found = SignificantPartial([], key_type=self.key_type, format=self.format)
        if self.key_type is None:
            return found
        counts = {term: count for term, count in self.here(query).items() if count >= self.least}
        known = self.known(list(counts)) if counts else {}
        raw: dict[int, Raw] = {}
        for term, count in sorted(counts.items()):
            found.buckets.append(SignificantBucket(self.key(term), count, known.get(term, 0)))
            raw[id(found.buckets[-1])] = term
        found.found = state.count(query)
        found.background = state.count(self.background)
        found.buckets = best_of_shard(self.significant, found)
        if self.children:
            for bucket in found.buckets:
                inside = all_of(query, self.inside(raw[id(bucket)]))
                bucket.aggs = self.run.run(self.children, inside)
        self.run.count_buckets(len(found.buckets))
        return found


class SignificantTermsNode(SignificantNode):
    def __init__(self, agg: dsl.SignificantTermsAgg, run: Run) -> None:
        super().__init__(agg, run)
        self.column: Column = keyed_column(agg.field, agg.missing, agg.value_type, run.scope)
        check_keys(self.column, "significant_terms")
        check_format(self.column, agg.field, agg.format)
        check_hint(agg.execution_hint, self.column)
        if self.column.type == "double":
            raise UnsupportedOperation("No support for examining floating point numerics")
        self.accepts = TermFilter(agg.name, agg.include, agg.exclude, self.column)
        self.key_type, self.format = self.column.type, self.column.format

    def here(self, query: tantivy.Query) -> dict[Raw, int]:
        counts = distinct_counts(query, self.column, self.run)
        return {term: count for term, count in counts.items() if self.accepts(term)}

    def known(self, terms: list[Raw]) -> dict[Raw, int]:
        return distinct_counts(self.background, self.column, self.run)

    def key(self, term: Raw) -> Raw:
        return self.column.key(term)

    def inside(self, term: Raw) -> tantivy.Query:
        return self.column.equal(term, self.run.scope)
