"""terms: the buckets a shard returns are exact; which of them it returns follows the order asked for.

The common order (count descending, then key) is cut by tantivy. Any other, and `include`, `exclude` and
`min_doc_count: 0`, need all keys: they are cut here. A field with more distinct values than tantivy gives at once is
counted flat first, and only the chosen keys are aggregated further.
"""

from functools import cmp_to_key
from math import copysign

import tantivy

from sealane.engine.embedded.search.aggs.columns import signed_zeros
from sealane.engine.embedded.search.aggs.distinct import distinct_counts
from sealane.engine.embedded.search.aggs.order import check_path
from sealane.engine.embedded.search.aggs.run import (
    NATIVE_BUCKETS,
    LazyQuery,
    NativeLimit,
    Node,
    Raw,
    Run,
)
from sealane.engine.embedded.search.aggs.term_column import check_hint, terms_column
from sealane.engine.embedded.search.aggs.term_filter import TermFilter
from sealane.engine.embedded.search.scope import all_of
from sealane.model import dsl
from sealane.reduce.order import sort_buckets
from sealane.reduce.packed_terms import packed
from sealane.reduce.partial import AggPartial, Key, TermBucket, TermsPartial

_BY_COUNT = (("_count", False), ("_key", True))
# Keys aggregated in one call when there are too many for all.
_CHUNK = 10_000
RawKey = str | int | float


def _wants_scores(specs: tuple[dsl.Agg, ...]) -> bool:
    return any(
        (isinstance(spec, dsl.TopHitsAgg) and not spec.body.sort) or _wants_scores(spec.subs)
        for spec in specs
    )


class TermsNode(Node):
    def __init__(self, agg: dsl.TermsAgg, run: Run) -> None:
        super().__init__(agg, run)
        self.terms = agg
        self.column = terms_column(agg, run.scope)
        check_hint(agg.execution_hint, self.column)
        # A missing value with a fraction makes doubles of all keys.
        self.promoted = self.column.type == "long" and isinstance(self.column.missing, float)
        self.key_type = "double" if self.promoted else self.column.type
        self.shard_size = agg.effective_shard_size()
        self.order = tuple((each.path, each.ascending) for each in agg.order)
        self.accepts = TermFilter(agg.name, agg.include, agg.exclude, self.column)
        self.by_count = self.order == _BY_COUNT
        self.least = min(agg.shard_min_doc_count, agg.min_doc_count)
        self.cut_by_engine = (
            self.by_count
            and not self.accepts.restricts
            and agg.min_doc_count > 0
            and self.column.missing is None
            # Of equal counts, tantivy has whole numbers before fractions.
            and self.column.type not in ("double", "float")
        )
        self._check_order()

    def breadth(self) -> int:
        return self.shard_size

    def _check_order(self) -> None:
        """A bad path is found here; for keywords of all documents only by sorting, as in the reference.

        It counts those without collecting them, unless what is below wants their scores.
        """
        if self.column.is_text and self.run.unfiltered and not _wants_scores(self.terms.subs):
            return
        for path, _ in self.order:
            if path not in ("_count", "_key", "_term"):
                check_path(path, self.terms.subs)

    def native(self, inline: bool) -> Raw | None:
        if self.column.name is None:
            return None
        size = min(self.shard_size, NATIVE_BUCKETS) if self.cut_by_engine else NATIVE_BUCKETS
        body: Raw = {
            "field": self.column.name,
            "size": size,
            "segment_size": NATIVE_BUCKETS,
            "order": {"_count": "desc"},
        }
        return {"t": self.with_aggs({"terms": body}, inline)}

    def read(self, raw: Raw, query: LazyQuery, inline: bool) -> AggPartial:
        found = raw["t"]
        other = int(found["sum_other_doc_count"])
        if other and (not self.cut_by_engine or self.shard_size > NATIVE_BUCKETS):
            return self.overflow(query())
        buckets = found["buckets"]
        if self.column.missing is not None:
            buckets = self._with_missing(buckets, query)
        buckets = self._with_signed_zeros(buckets, query)
        return self._answer(buckets, other, query, inline)

    def _with_missing(self, buckets: list[Raw], query: LazyQuery) -> list[Raw]:
        """The documents without a value join the bucket of `missing`, which is then computed by a query."""
        lacking = self.run.scope.state.count(all_of(query(), self.column.lacking()))
        if not lacking:
            return buckets
        key = self.column.missing
        same = sum(each["doc_count"] for each in buckets if each["key"] == key)
        joined = {"key": key, "doc_count": same + lacking, "joined": True}
        return [each for each in buckets if each["key"] != key] + [joined]

    def _with_signed_zeros(self, buckets: list[Raw], query: LazyQuery) -> list[Raw]:
        """tantivy has one bucket for the two zeros of a double, the reference two."""
        scope = self.run.scope
        if self.column.type != "double" or not any(each["key"] == 0 for each in buckets):
            return buckets
        if signed_zeros(self.column, scope) is None:
            return buckets
        counts = {
            zero: scope.state.count(all_of(query(), self.column.equal(float(zero), scope)))
            for zero in ("-0.0", "0.0")
        }
        return [each for each in buckets if each["key"] != 0] + [
            {"key": float(zero), "doc_count": count, "joined": True}
            for zero, count in counts.items()
            if count
        ]

    def _answer(
        self, raw_buckets: list[Raw], other: int, query: LazyQuery, inline: bool
    ) -> TermsPartial:
        accepted = [each for each in raw_buckets if self.accepts(each["key"])]
        if self.least > 1:
            other += sum(each["doc_count"] for each in accepted if each["doc_count"] < self.least)
            accepted = [each for each in accepted if each["doc_count"] >= self.least]
        if self._needs_zeros():
            accepted += self._zeros({each["key"] for each in accepted})
        if not self._orders_by_metric():
            accepted.sort(key=cmp_to_key(self._compare_raw))
            chosen, dropped = accepted[: self.shard_size], accepted[self.shard_size :]
            buckets = [self._bucket(each, query, inline) for each in chosen]
            other += sum(each["doc_count"] for each in dropped)
        else:
            buckets = [self._bucket(each, query, inline) for each in accepted]
            if len(buckets) > self.shard_size:
                self._sort(buckets)
                other += sum(each.count for each in buckets[self.shard_size :])
                del buckets[self.shard_size :]
        self.run.count_buckets(len(buckets))
        return self._partial(buckets, other)

    def _partial(self, buckets: list[TermBucket], other: int) -> TermsPartial:
        found = TermsPartial(buckets, other, None, self.key_type, self.column.format)
        return packed(found, self.terms)

    def _key(self, raw: RawKey) -> Key:
        return float(raw) if self.promoted else self.column.key(raw)

    def _inside(self, query: LazyQuery, key: RawKey) -> tantivy.Query:
        """The documents of a bucket."""
        if self.promoted and key == self.column.missing:
            return all_of(query(), self.column.lacking())
        return all_of(query(), self.column.equal(key, self.run.scope))

    def _bucket(self, raw: Raw, query: LazyQuery, inline: bool) -> TermBucket:
        if not self.children:
            return TermBucket(self._key(raw["key"]), raw["doc_count"])
        key = raw["key"]
        if raw["doc_count"] == 0:
            aggs = self.run.run(self.children, tantivy.Query.empty_query())
        else:
            whole = inline and "joined" not in raw
            aggs = self.child_answers(raw, lambda: self._inside(query, key), whole) or {}
        return TermBucket(self._key(key), raw["doc_count"], aggs)

    def _needs_zeros(self) -> bool:
        return self.terms.min_doc_count == 0

    def _zeros(self, seen: "set[RawKey]") -> list[Raw]:
        """Buckets for the keys of what may be seen of the view that no matching document has."""
        assert self.column.name is not None
        visible = self.run.scope.visible
        everything = tantivy.Query.all_query() if visible is None else visible
        counts = distinct_counts(everything, self.column, self.run)
        return [
            {"key": key, "doc_count": 0} for key in counts if key not in seen and self.accepts(key)
        ]

    def collect(self, query: tantivy.Query) -> AggPartial:
        """No document of the view has a value."""
        empty = self._partial([], 0)
        missing = self.column.missing
        if missing is None or not self.accepts(missing):
            return empty
        count = self.run.scope.state.count(query)
        if count == 0:
            return empty
        aggs = self.run.run(self.children, query) if self.children else None
        bucket = TermBucket(self._key(missing), count, aggs)
        self.run.count_buckets(1)
        return self._partial([bucket], 0)

    def overflow(self, query: tantivy.Query) -> AggPartial:
        """More distinct values than one call gives: counts flat, then aggregates the chosen keys in chunks."""
        counts = distinct_counts(query, self.column, self.run)
        every: list[Raw] = [{"key": key, "doc_count": count} for key, count in counts.items()]
        every = self._with_signed_zeros(every, lambda: query)
        accepted = [each for each in every if self.accepts(each["key"])]
        if self._orders_by_metric():
            return self._by_metric(accepted, query)
        accepted.sort(key=cmp_to_key(self._compare_raw))
        chosen, dropped = accepted[: self.shard_size], accepted[self.shard_size :]
        buckets = self._expanded(chosen, query)
        self.run.count_buckets(len(buckets))
        other = sum(each["doc_count"] for each in dropped)
        return self._partial(buckets, other)

    def _by_metric(self, accepted: list[Raw], query: tantivy.Query) -> TermsPartial:
        best: list[TermBucket] = []
        other = 0
        for start in range(0, len(accepted), _CHUNK):
            best += self._expanded(accepted[start : start + _CHUNK], query)
            self._sort(best)
            other += sum(each.count for each in best[self.shard_size :])
            del best[self.shard_size :]
        self.run.count_buckets(len(best))
        return self._partial(best, other)

    def _expanded(self, chosen: list[Raw], query: tantivy.Query) -> list[TermBucket]:
        """The buckets of these keys with their children."""
        if not self.children:
            return [TermBucket(self._key(e["key"]), e["doc_count"]) for e in chosen]
        buckets: list[TermBucket] = []
        for start in range(0, len(chosen), _CHUNK):
            part = chosen[start : start + _CHUNK]
            together = [each for each in part if "joined" not in each]
            found = iter(self._expanded_chunk(together, query))
            buckets += [
                self._bucket(each, lambda: query, False) if "joined" in each else next(found)
                for each in part
            ]
        return buckets

    def _expanded_chunk(self, part: list[Raw], query: tantivy.Query) -> list[TermBucket]:
        assert self.column.name is not None
        keys = [each["key"] for each in part]
        inside = all_of(
            query,
            tantivy.Query.term_set_query(self.run.scope.schema, self.column.name, keys),
        )
        try:
            request = self.native(True)
            assert request is not None
            found = self.run.aggregate(inside, request)["t"]["buckets"]
            by_key = {each["key"]: each for each in found}
            return [self._bucket(by_key[key], lambda: query, True) for key in keys]
        except (NativeLimit, KeyError):
            return [self._bucket(each, lambda: query, False) for each in part]

    # -- order ---------------------------------------------------------------------------------------------------

    def _orders_by_metric(self) -> bool:
        return any(path not in ("_count", "_key", "_term") for path, _ in self.order)

    def _compare_raw(self, left: Raw, right: Raw) -> int:
        for path, ascending in self.order:
            name = "doc_count" if path == "_count" else "key"
            one, other = left[name], right[name]
            if one == other == 0:
                one, other = copysign(1.0, one), copysign(1.0, other)
            if one != other:
                return -1 if (one < other) == ascending else 1
        return 0

    def _sort(self, buckets: list[TermBucket]) -> None:
        sort_buckets(buckets, self.terms.order, self.terms.subs, self.key_type)
