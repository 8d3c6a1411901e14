"""sampler, diversified_sampler and random_sampler: some of the documents, and their children on those."""

import itertools
from collections import Counter
from collections.abc import Iterable

import tantivy

from sealane.engine.embedded.search.aggs.cells import Cell, Raw, cells, in_order, slices
from sealane.engine.embedded.search.aggs.columns import Column, column_of
from sealane.engine.embedded.search.aggs.run import Node, Run, not_supported
from sealane.engine.embedded.search.scope import all_of
from sealane.engine.embedded.view import SEQ_NO
from sealane.engine.mapping import FieldType
from sealane.errors import IllegalArgument
from sealane.model import dsl
from sealane.reduce.key_hashing import mix64
from sealane.reduce.partial import AggPartial, BucketsPartial, CountBucket

_HINTS = ("map", "bytes_hash", "global_ordinals")


class SamplerNode(Node):
    """The best documents by score, ties by age; with a field, at most so many for each value."""

    def __init__(self, agg: dsl.SamplerAgg, run: Run) -> None:
        super().__init__(agg, run)
        self.sampler = agg
        self.column: Column | None = None
        if agg.field is not None:
            self.column = column_of(agg.field, agg.missing, run.scope)
            mapped = self.column.mapped
            if mapped is not None and mapped.type in (FieldType.IP, FieldType.GEO_POINT):
                raise not_supported("diversified_sampler", mapped.path, mapped.type.value)
        if not agg.subs:
            raise IllegalArgument("Sampler aggregation must be used with child aggregations.")
        if agg.execution_hint not in (None, *_HINTS):
            raise IllegalArgument(
                f"Unknown `execution_hint`: [{agg.execution_hint}], expected any of "
                f"[{', '.join(_HINTS)}]"
            )
        if agg.shard_size < 1:
            raise IllegalArgument(
                "numHits must be > 0; please use TotalHitCountCollectorManager if you just need "
                "the total hit count"
            )

    def collect(self, query: tantivy.Query) -> AggPartial:
        column = self.column
        if column is not None and column.type is None:
            return BucketsPartial([CountBucket(0)])
        total = self.run.scope.state.count(query)
        if column is None and total <= self.sampler.shard_size:
            return BucketsPartial([CountBucket(total, self.run.run(self.children, query))])
        chosen = self._chosen(query, total)
        inside = restricted_to(query, chosen, self.run)
        return BucketsPartial([CountBucket(len(chosen), self.run.run(self.children, inside))])

    def _chosen(self, query: tantivy.Query, total: int) -> list[int]:
        limit = self.sampler.shard_size
        searcher = self.run.scope.state.view.searcher
        wanted = limit if self.column is None else total
        hits = searcher.search(query, wanted, False).hits if total else []
        addresses = [address for _, address in hits]
        numbers = [int(each or 0) for each in searcher.fast_field_values(SEQ_NO, addresses)]
        if self.column is None:
            return numbers
        values = self._values(query, total)
        taken: Counter[Raw] = Counter()
        chosen: list[int] = []
        for number in numbers:
            value = values[number]
            if value is not None and taken[value] < self.sampler.max_docs_per_value:
                taken[value] += 1
                chosen.append(number)
                if len(chosen) == limit:
                    break
        return chosen

    def _values(self, query: tantivy.Query, total: int) -> dict[int, Raw | None]:
        """What each document is told apart by, by its number: its text, or its number without a fraction."""
        assert self.column is not None
        is_text = self.column.is_text
        values: dict[int, Raw | None] = {}
        for part, count in slices(query, self.run):
            found = cells(part, count, self.column, self.run)
            if any(isinstance(each, list) for each in found):
                raise IllegalArgument("Sample diversifying key must be a single valued-field")
            numbers = (int(number) for number, _ in in_order(part, count, self.run))
            values.update(zip(numbers, map(_key, found, itertools.repeat(is_text)), strict=True))
        return values


def _key(cell: Cell, is_text: bool) -> Raw | None:
    """As the reference, which takes a number that is missing for 0."""
    if is_text:
        return cell if isinstance(cell, str) else None
    return 0 if cell is None or isinstance(cell, list) else int(cell)


def restricted_to(query: tantivy.Query, numbers: Iterable[int], run: Run) -> tantivy.Query:
    """The query on the documents with these sequence numbers alone."""
    found = list(numbers)
    if not found:
        return tantivy.Query.empty_query()
    return all_of(query, tantivy.Query.term_set_query(run.scope.schema, SEQ_NO, found))


class RandomSamplerNode(Node):
    """Documents by chance, which their number and the seed decide: the same ones each time."""

    def __init__(self, agg: dsl.RandomSamplerAgg, run: Run) -> None:
        super().__init__(agg, run)
        name = f"[random_sampler] aggregation [{agg.name}]"
        if agg.probability is None:
            raise IllegalArgument(f"{name} must have [probability] set")
        if not agg.subs:
            raise IllegalArgument(f"{name} must have sub-aggregations")
        for sub in agg.subs:
            if isinstance(sub, dsl.RandomSamplerAgg):
                raise IllegalArgument(
                    f"{name} does not support sampling [random_sampler] aggregation [{sub.name}]"
                )
        self.probability = agg.probability
        self.seed = agg.seed or 0
        if agg.shard_seed is not None:
            self.seed ^= mix64(agg.shard_seed)

    def collect(self, query: tantivy.Query) -> AggPartial:
        inside = query
        if self.probability < 1.0:
            chosen: list[int] = []
            edge = int(self.probability * 2.0**64) - 2**63
            for part, count in slices(query, self.run):
                numbers = (int(number) for number, _ in in_order(part, count, self.run))
                chosen += [each for each in numbers if mix64(each ^ mix64(self.seed)) < edge]
            inside = restricted_to(query, chosen, self.run)
        count = self.run.scope.state.count(inside)
        return BucketsPartial([CountBucket(count, self.run.run(self.children, inside))])
