"""terms: the buckets a shard returns are exact; which of them it returns follows the order asked for.

The common order (count descending, then key) is cut by tantivy. Any other, and `include`, `exclude` and
`min_doc_count: 0`, need all keys: they are cut here. A field with more distinct values than tantivy gives at once is
counted flat first, and only the chosen keys are aggregated further.
"""

import re
from functools import cmp_to_key

import tantivy

from sealane.engine.embedded.search import values
from sealane.engine.embedded.search.aggs.columns import Column, column_of
from sealane.engine.embedded.search.aggs.distinct import distinct_counts
from sealane.engine.embedded.search.aggs.lucene_regex import compile_regex
from sealane.engine.embedded.search.aggs.order import check_path
from sealane.engine.embedded.search.aggs.run import (
    NATIVE_BUCKETS,
    LazyQuery,
    NativeLimit,
    Node,
    Raw,
    Run,
)
from sealane.engine.embedded.search.scope import all_of
from sealane.engine.mapping import FieldType
from sealane.errors import IllegalArgument
from sealane.model import dsl
from sealane.reduce.order import sort_buckets
from sealane.reduce.partial import AggPartial, TermBucket, TermsPartial

_BY_COUNT = (("_count", False), ("_key", True))
# Keys aggregated in one call when there are too many for all.
_CHUNK = 10_000
RawKey = str | int | float


class TermsNode(Node):
    def __init__(self, agg: dsl.TermsAgg, run: Run) -> None:
        super().__init__(agg, run)
        self.terms = agg
        self.column = column_of(agg.field, agg.missing, run.scope)
        self.shard_size = agg.effective_shard_size()
        self.order = tuple((each.path, each.ascending) for each in agg.order)
        self.accepts = _Filter(agg, self.column)
        self.by_count = self.order == _BY_COUNT
        self.cut_by_engine = self.by_count and not self.accepts.restricts and agg.min_doc_count > 0
        self._check_order()

    def breadth(self) -> int:
        return self.shard_size

    def _check_order(self) -> None:
        """A bad path is found here; for keywords of all documents only by sorting, as in the reference."""
        if self.column.is_text and self.run.unfiltered:
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
        if self.column.missing is not None:
            body["missing"] = self.column.missing
        return {"t": self.with_aggs({"terms": body}, inline)}

    def read(self, raw: Raw, query: LazyQuery, inline: bool) -> AggPartial:
        found = raw["t"]
        other = int(found["sum_other_doc_count"])
        if other and not self.cut_by_engine:
            return self.overflow(query())
        return self._answer(found["buckets"], other, query, inline)

    def _answer(
        self, raw_buckets: list[Raw], other: int, query: LazyQuery, inline: bool
    ) -> TermsPartial:
        accepted = [each for each in raw_buckets if self.accepts(each["key"])]
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
        least = self.terms.shard_min_doc_count
        if least > 1:
            buckets = [each for each in buckets if each.count >= least]
        self.run.count_buckets(len(buckets))
        return TermsPartial(buckets, other, None, self.column.type, self.column.format)

    def _bucket(self, raw: Raw, query: LazyQuery, inline: bool) -> TermBucket:
        if not self.children:
            return TermBucket(self.column.key(raw["key"]), raw["doc_count"])
        key = raw["key"]
        if raw["doc_count"] == 0:
            aggs = self.run.run(self.children, tantivy.Query.empty_query())
        else:
            aggs = (
                self.child_answers(
                    raw, lambda: all_of(query(), self.column.equal(key, self.run.scope)), inline
                )
                or {}
            )
        return TermBucket(self.column.key(key), raw["doc_count"], aggs)

    def _needs_zeros(self) -> bool:
        return self.terms.min_doc_count == 0 and self.terms.shard_min_doc_count == 0

    def _zeros(self, seen: "set[RawKey]") -> list[Raw]:
        """Buckets for the keys of the view that no matching document has."""
        assert self.column.name is not None
        counts = distinct_counts(tantivy.Query.all_query(), self.column, self.run)
        return [
            {"key": key, "doc_count": 0} for key in counts if key not in seen and self.accepts(key)
        ]

    def collect(self, query: tantivy.Query) -> AggPartial:
        """No document of the view has a value."""
        empty = TermsPartial([], key_type=self.column.type, format=self.column.format)
        missing = self.column.missing
        if missing is None or not self.accepts(missing):
            return empty
        count = self.run.scope.state.count(query)
        if count == 0:
            return empty
        aggs = self.run.run(self.children, query) if self.children else None
        bucket = TermBucket(self.column.key(missing), count, aggs)
        self.run.count_buckets(1)
        return TermsPartial([bucket], key_type=self.column.type, format=self.column.format)

    def overflow(self, query: tantivy.Query) -> AggPartial:
        """More distinct values than one call gives: counts flat, then aggregates the chosen keys in chunks."""
        counts = distinct_counts(query, self.column, self.run)
        accepted: list[Raw] = [
            {"key": key, "doc_count": count} for key, count in counts.items() if self.accepts(key)
        ]
        if self._orders_by_metric():
            return self._by_metric(accepted, query)
        accepted.sort(key=cmp_to_key(self._compare_raw))
        chosen, dropped = accepted[: self.shard_size], accepted[self.shard_size :]
        buckets = self._expanded(chosen, query)
        self.run.count_buckets(len(buckets))
        other = sum(each["doc_count"] for each in dropped)
        return TermsPartial(buckets, other, None, self.column.type, self.column.format)

    def _by_metric(self, accepted: list[Raw], query: tantivy.Query) -> TermsPartial:
        best: list[TermBucket] = []
        other = 0
        for start in range(0, len(accepted), _CHUNK):
            best += self._expanded(accepted[start : start + _CHUNK], query)
            self._sort(best)
            other += sum(each.count for each in best[self.shard_size :])
            del best[self.shard_size :]
        self.run.count_buckets(len(best))
        return TermsPartial(best, other, None, self.column.type, self.column.format)

    def _expanded(self, chosen: list[Raw], query: tantivy.Query) -> list[TermBucket]:
        """The buckets of these keys with their children."""
        if not self.children:
            return [TermBucket(self.column.key(e["key"]), e["doc_count"]) for e in chosen]
        buckets: list[TermBucket] = []
        for start in range(0, len(chosen), _CHUNK):
            part = chosen[start : start + _CHUNK]
            buckets += self._expanded_chunk(part, query)
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
            if one != other:
                return -1 if (one < other) == ascending else 1
        return 0

    def _sort(self, buckets: list[TermBucket]) -> None:
        sort_buckets(buckets, self.terms.order, self.terms.subs, self.column.type)


class _Filter:
    """`include` and `exclude`, on keys in the column's own form."""

    def __init__(self, agg: dsl.TermsAgg, column: Column) -> None:
        self.restricts = agg.include is not None or agg.exclude is not None
        self._column = column
        self._include = self._rule(agg.include, agg)
        self._exclude = self._rule(agg.exclude, agg)

    def _rule(
        self, rule: "tuple[dsl.Scalar, ...] | str | None", agg: dsl.TermsAgg
    ) -> "frozenset[RawKey] | re.Pattern[str] | None":
        if rule is None:
            return None
        if isinstance(rule, str):
            if self._column.type not in ("keyword", None):
                numeric = self._column.type != "ip"
                raise IllegalArgument(
                    f"Aggregation [{agg.name}] cannot support regular expression style "
                    "include/exclude settings as they can only be applied to string fields. Use "
                    + (
                        "an array of numeric values for include/exclude clauses used to filter "
                        "numeric fields"
                        if numeric
                        else "an array of values for include/exclude clauses"
                    )
                )
            return compile_regex(rule)
        return frozenset(self._exact(each) for each in rule)

    def _exact(self, value: dsl.Scalar) -> RawKey:
        match self._column.type:
            case "double":
                return float(values.decimal_of(value, FieldType.DOUBLE))
            case "ip":
                return values.ip_hex(values.ip_number(values.text_of(value)))
            case "boolean":
                text = values.text_of(value)
                return int(text) if text in ("0", "1") else values.boolean(value)
            case "date":
                mapped = self._column.mapped
                assert mapped is not None
                return values.date(value, mapped, 0, round_up=False, fmt=None, zone=None)
            case "long":
                return int(values.decimal_of(value, FieldType.DOUBLE))
        return values.text_of(value)

    def __call__(self, key: RawKey) -> bool:
        if not self.restricts:
            return True
        return (self._include is None or _holds(self._include, key)) and not (
            self._exclude is not None and _holds(self._exclude, key)
        )


def _holds(rule: "frozenset[RawKey] | re.Pattern[str]", key: RawKey) -> bool:
    if isinstance(rule, frozenset):
        return key in rule
    return rule.fullmatch(str(key)) is not None
