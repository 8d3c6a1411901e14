"""Buckets of whole keys: several fields' terms together, and terms that are rare."""

from collections import Counter
from collections.abc import Mapping

import tantivy

from sealane.engine.embedded.search.aggs.cells import Raw, cells, distinct, each_value, slices
from sealane.engine.embedded.search.aggs.columns import check_format
from sealane.engine.embedded.search.aggs.composite import tuples
from sealane.engine.embedded.search.aggs.composite_native import native_counts
from sealane.engine.embedded.search.aggs.distinct import distinct_counts
from sealane.engine.embedded.search.aggs.order import check_path
from sealane.engine.embedded.search.aggs.run import Node, Run
from sealane.engine.embedded.search.aggs.term_column import check_keys, keyed_column
from sealane.engine.embedded.search.aggs.term_filter import TermFilter
from sealane.engine.embedded.search.scope import all_of
from sealane.errors import IllegalArgument
from sealane.model import dsl
from sealane.reduce.multi_terms import sort_tuple_buckets
from sealane.reduce.partial import (
    AggPartial,
    MultiTermsPartial,
    RareTermsPartial,
    TermBucket,
    TupleBucket,
)
from sealane.reduce.rare_terms import common_hash, packed

Tuple = tuple[Raw, ...]
_SIMPLE_ORDERS = ("_count", "_key", "_term")


class MultiTermsNode(Node):
    """All tuples are counted; those that the order chooses are computed further."""

    def __init__(self, agg: dsl.MultiTermsAgg, run: Run) -> None:
        super().__init__(agg, run)
        self.terms = agg
        self.columns = [
            keyed_column(each.field, each.missing, None, run.scope) for each in agg.terms
        ]
        for column in self.columns:
            check_keys(column, "multi_terms")
        self.least = min(agg.shard_min_doc_count, agg.min_doc_count)
        for order in agg.order:
            if order.path not in _SIMPLE_ORDERS:
                check_path(order.path, agg.subs)

    def collect(self, query: tantivy.Query) -> AggPartial:
        counts = self._counts(query)
        other = 0
        if self.least > 1:
            other = sum(count for count in counts.values() if count < self.least)
            counts = Counter({key: n for key, n in counts.items() if n >= self.least})
        types = [each.type for each in self.columns]
        raw: dict[int, Tuple] = {}
        buckets: list[TupleBucket] = []
        for key, count in counts.items():
            shown = [c.key(value) for c, value in zip(self.columns, key, strict=True)]
            buckets.append(TupleBucket(list(shown), count))
            raw[id(buckets[-1])] = key
        limit = self.terms.effective_shard_size()
        by_metric = any(order.path not in _SIMPLE_ORDERS for order in self.terms.order)
        if by_metric:
            for bucket in buckets:
                bucket.aggs = self._below(query, raw[id(bucket)])
        sort_tuple_buckets(buckets, self.terms, types)
        other += sum(bucket.count for bucket in buckets[limit:])
        del buckets[limit:]
        if self.children and not by_metric:
            for bucket in buckets:
                bucket.aggs = self._below(query, raw[id(bucket)])
        self.run.count_buckets(len(buckets))
        if any(each is None for each in types):
            return MultiTermsPartial(buckets, other)
        formats = [each.format for each in self.columns]
        return MultiTermsPartial(buckets, other, None, types, formats)

    def _below(self, query: tantivy.Query, key: Tuple) -> dict[str, AggPartial] | None:
        if not self.children:
            return None
        scope = self.run.scope
        parts = (c.equal(value, scope) for c, value in zip(self.columns, key, strict=True))
        return self.run.run(self.children, all_of(query, *parts))

    def _counts(self, query: tantivy.Query) -> "Counter[Tuple]":
        counts: Counter[Tuple] = Counter()
        if any(each.name is None and each.missing is None for each in self.columns):
            return counts
        sources = [
            dsl.CompositeSource(name=each.field, kind="terms", field=each.field)
            for each in self.terms.terms
        ]
        if all(each.missing is None for each in self.columns):
            found = native_counts(sources, self.columns, query, self.run)
            if found is not None:
                return found
        for part, total in slices(query, self.run):
            columns = [
                [distinct(cell) for cell in cells(part, total, each, self.run)]
                for each in self.columns
            ]
            counts.update(tuples(columns, [False] * len(columns)))
        return counts


class RareTermsNode(Node):
    def __init__(self, agg: dsl.RareTermsAgg, run: Run) -> None:
        super().__init__(agg, run)
        self.rare = agg
        self.column = keyed_column(agg.field, agg.missing, agg.value_type, run.scope)
        check_keys(self.column, "rare_terms")
        check_format(self.column, agg.field, agg.format)
        if self.column.type == "double":
            raise IllegalArgument("RareTerms aggregation does not support floating point fields.")
        self.accepts = TermFilter(agg.name, agg.include, agg.exclude, self.column)

    def collect(self, query: tantivy.Query) -> AggPartial:
        column = self.column
        buckets: list[TermBucket] = []
        common: list[bytes] = []
        for raw, count in self._counts(query).items():
            if not self.accepts(raw):
                continue
            if count > self.rare.max_doc_count:
                common.append(common_hash(column.key(raw)))
                continue
            aggs = None
            if self.children:
                inside = all_of(query, column.equal(raw, self.run.scope))
                aggs = self.run.run(self.children, inside)
            buckets.append(TermBucket(column.key(raw), count, aggs))
        self.run.count_buckets(len(buckets))
        return RareTermsPartial(buckets, packed(common), column.type, column.format)

    def _counts(self, query: tantivy.Query) -> "Mapping[Raw, int]":
        """As the reference, a number counts as often as a document has it."""
        column = self.column
        if column.name is None or column.is_text:
            return distinct_counts(query, column, self.run)
        if self.run.scope.state.column(column.name).single_valued:
            return distinct_counts(query, column, self.run)
        counts: Counter[Raw] = Counter()
        for part, total in slices(query, self.run):
            for cell in cells(part, total, column, self.run):
                counts.update(each_value(cell))
        return counts
