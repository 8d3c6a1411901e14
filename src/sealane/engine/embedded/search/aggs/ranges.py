"""range and date_range: each packed into as few of tantivy's range aggregations as do not overlap."""

import tantivy

from sealane.engine.embedded.search import values
from sealane.engine.embedded.search.aggs.columns import Column, column_of, with_fraction
from sealane.engine.embedded.search.aggs.run import LazyQuery, Node, Raw, Run
from sealane.engine.embedded.search.aggs.term_column import check_numbers
from sealane.engine.embedded.search.scope import all_of, any_of
from sealane.engine.embedded.search.state import EXACT_DOUBLES
from sealane.engine.mapping import FieldType
from sealane.errors import IllegalArgument
from sealane.model import dsl
from sealane.model.dates import DEFAULT_FORMAT, resolve_date_math
from sealane.reduce.partial import AggPartial, BucketsPartial, CountBucket

Span = tuple[float | None, float | None]


class RangeNode(Node):
    def __init__(self, agg: dsl.RangeAgg, run: Run) -> None:
        super().__init__(agg, run)
        self.range = agg
        self.column = with_fraction(column_of(agg.field, agg.missing, run.scope), agg.missing)
        check_numbers(self.column, agg.field, "date_range" if agg.date else "range")
        if not agg.ranges:
            raise IllegalArgument(f"No [ranges] specified for the [{agg.name}] aggregation")
        self.spans = [self._span(each) for each in agg.ranges]
        self.packs = pack(self.spans, self.column)
        ends = [end for span in self.spans for end in _native_range(span, self.column).values()]
        # tantivy's aggregation reads its ends as doubles; queries read whole numbers as what they are.
        self.exact = self.column.type == "double" or all(abs(each) < EXACT_DOUBLES for each in ends)

    def _span(self, spec: dsl.RangeBucketSpec) -> Span:
        return self._end(spec.from_), self._end(spec.to)

    def _end(self, value: dsl.Scalar | None) -> float | None:
        if value is None:
            return None
        if self.range.date or self.column.type == "date":
            fmt = self.range.format or self.column.format or DEFAULT_FORMAT
            now = self.run.scope.now_ms
            return float(resolve_date_math(value, now, fmt, time_zone=self.range.time_zone))
        number = float(values.decimal_of(value, FieldType.DOUBLE))
        mapped = self.column.mapped
        if mapped is not None and mapped.type is FieldType.FLOAT:
            # The reference compares the float's own digits, so the bound is rounded to them.
            return values.floating(number, FieldType.FLOAT)
        return number

    def breadth(self) -> int:
        return len(self.spans)

    def native(self, inline: bool) -> Raw | None:
        if self.column.name is None or self.column.missing is not None or not self.exact:
            return None
        requests: Raw = {}
        for place, pack_ in enumerate(self.packs):
            ranges = [_native_range(self.spans[at], self.column) for at in pack_]
            body: Raw = {"range": {"field": self.column.name, "ranges": ranges}}
            requests[str(place)] = self.with_aggs(body, inline)
        return requests

    def read(self, raw: Raw, query: LazyQuery, inline: bool) -> AggPartial:
        found: dict[int, CountBucket] = {}
        for place, pack_ in enumerate(self.packs):
            buckets = {
                (each.get("from"), each.get("to")): each for each in raw[str(place)]["buckets"]
            }
            for at in pack_:
                wanted = _native_range(self.spans[at], self.column)
                if not buckets:
                    continue  # the view has no documents
                bucket = buckets[(_float(wanted.get("from")), _float(wanted.get("to")))]
                narrowed = self._narrowed(query, self.spans[at])
                aggs = self.child_answers(bucket, narrowed, inline)
                found[at] = CountBucket(bucket["doc_count"], aggs)
        buckets_ = [
            found[at] if at in found else CountBucket(0, self._none())
            for at in range(len(self.spans))
        ]
        self.run.count_buckets(len(buckets_))
        return BucketsPartial(buckets_, self.spans, self._format())

    def _none(self) -> dict[str, AggPartial] | None:
        if not self.children:
            return None
        return self.run.run(self.children, tantivy.Query.empty_query())

    def _narrowed(self, query: LazyQuery, span: Span) -> LazyQuery:
        return lambda: all_of(query(), self.column.between(*span, self.run.scope))

    def collect(self, query: tantivy.Query) -> AggPartial:
        buckets: list[CountBucket] = []
        for low, high in self.spans:
            inside = self.column.between(low, high, self.run.scope)
            if self._missing_is_in(low, high):
                inside = any_of([inside, self.column.lacking()])
            narrowed = all_of(query, inside)
            count = self.run.scope.state.count(narrowed)
            aggs = self.run.run(self.children, narrowed) if self.children else None
            buckets.append(CountBucket(count, aggs))
        self.run.count_buckets(len(buckets))
        return BucketsPartial(buckets, self.spans, self._format())

    def _format(self) -> str | None:
        """Empty where the values are numbers."""
        if self.column.mapped is None or self.column.type == "date":
            return self.column.format
        return (self.range.format or "") if self.range.date else ""

    def _missing_is_in(self, low: float | None, high: float | None) -> bool:
        missing = self.column.missing
        if missing is None or isinstance(missing, str):
            return False
        return (low is None or missing >= low) and (high is None or missing < high)


def _float(value: float | None) -> float | None:
    return None if value is None else float(value)


def _native_range(span: Span, column: Column) -> dict[str, float]:
    low, high = column.ends(*span) or (0.0, 0.0)
    found: dict[str, float] = {}
    if low is not None:
        found["from"] = low
    if high is not None:
        found["to"] = high
    return found


def pack(spans: list[Span], column: Column) -> list[list[int]]:
    """Places of ranges in groups without overlaps; a range that can hold nothing is in none."""
    packs: list[tuple[float, list[int]]] = []
    order = sorted(range(len(spans)), key=lambda at: _low(spans[at]))
    for at in order:
        range_ = _native_range(spans[at], column)
        low, high = range_.get("from", float("-inf")), range_.get("to", float("inf"))
        if low >= high:
            continue
        for number, (end, members) in enumerate(packs):
            if end <= low:
                members.append(at)
                packs[number] = (high, members)
                break
        else:
            packs.append((high, [at]))
    return [members for _, members in packs]


def _low(span: Span) -> float:
    return float("-inf") if span[0] is None else span[0]
