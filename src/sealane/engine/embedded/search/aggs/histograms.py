"""histogram and date_histogram.

Buckets of equal width are tantivy's histogram. Months, quarters, years and days with changes of the clocks are its
range aggregation, between bounds that `model.dates` computes from the extremes of the column.
"""

import itertools
import math
from dataclasses import dataclass

import tantivy

from sealane.engine.embedded.search import values
from sealane.engine.embedded.search.aggs.columns import column_of, with_fraction
from sealane.engine.embedded.search.aggs.run import (
    NATIVE_BUCKETS,
    REPORTED_LIMIT,
    LazyQuery,
    Node,
    Raw,
    Run,
)
from sealane.engine.embedded.search.aggs.term_column import check_numbers
from sealane.engine.embedded.search.scope import all_of, any_of
from sealane.engine.mapping import FieldType
from sealane.errors import IllegalArgument, TooManyBuckets
from sealane.model import dsl
from sealane.model.dates import DEFAULT_FORMAT, Rounding, resolve_date_math, zone
from sealane.reduce.partial import AggPartial, HistogramBucket, HistogramPartial

_CLOCK_UNITS = {"second": 1_000, "minute": 60_000, "hour": 3_600_000}
_DAY_MS = 86_400_000
_EVEN_UNITS = {**_CLOCK_UNITS, "day": _DAY_MS, "week": 7 * _DAY_MS}
# No clock change is finer than this.
_CLOCK_STEP = 900_000
# 1970-01-01 was a Thursday; weeks begin on Monday.
_WEEK_SHIFT = -3 * _DAY_MS


@dataclass(frozen=True, slots=True)
class Even:
    """Buckets of one width, the first from `offset` on."""

    interval: float
    offset: float


@dataclass(frozen=True, slots=True)
class Uneven:
    """Buckets between computed bounds."""

    bounds: list[int]


class HistogramNode(Node):
    """What both have in common; a subclass says the shape of its buckets and how to round into them."""

    shape: "Even | Uneven | None" = None

    def __init__(
        self,
        agg: "dsl.HistogramAgg | dsl.DateHistogramAgg",
        run: Run,
        kind: str,
    ) -> None:
        super().__init__(agg, run)
        self.column = with_fraction(column_of(agg.field, agg.missing, run.scope), agg.missing)
        check_numbers(self.column, agg.field, kind)

    def floor(self, value: float) -> float:
        raise NotImplementedError

    def end(self, key: float) -> float:
        """The beginning of the bucket after `key`."""
        raise NotImplementedError

    def keeps(self, key: float) -> bool:
        """Whether hard bounds let a bucket be."""
        return True

    def breadth(self) -> int:
        if isinstance(self.shape, Uneven):
            return len(self.shape.bounds)
        if self.shape is None or self.column.name is None:
            return 1
        column = self.run.scope.state.column(self.column.name)
        if column.min is None or column.max is None:
            return 1
        return int(min(NATIVE_BUCKETS, (column.max - column.min) / self.shape.interval + 1))

    def partial(self, buckets: list[HistogramBucket]) -> HistogramPartial:
        self.run.count_buckets(len(buckets))
        return HistogramPartial(buckets, self.column.format)

    def native(self, inline: bool) -> Raw | None:
        if self.column.name is None or self.column.missing is not None:
            return None
        return self._requests(inline)

    def _requests(self, inline: bool) -> Raw | None:
        if self.shape is None:
            return None
        if isinstance(self.shape, Even):
            body: Raw = {
                "histogram": {
                    "field": self.column.name,
                    "interval": self.shape.interval,
                    "offset": self.shape.offset,
                    "min_doc_count": 1,
                }
            }
        else:
            bounds = self.shape.bounds
            pairs = itertools.pairwise(bounds)
            ranges = [{"from": low, "to": high} for low, high in pairs]
            body = {"range": {"field": self.column.name, "ranges": ranges}}
        return {"h": self.with_aggs(body, inline)}

    def read(self, raw: Raw, query: LazyQuery, inline: bool) -> AggPartial:
        return self.partial(self._buckets(raw["h"]["buckets"], query, inline))

    def _buckets(
        self, raw_buckets: list[Raw], query: LazyQuery, inline: bool
    ) -> list[HistogramBucket]:
        buckets: list[HistogramBucket] = []
        for each in raw_buckets:
            key = each["key"] if isinstance(self.shape, Even) else each.get("from")
            if not each["doc_count"] or key is None or not self.keeps(key):
                continue
            aggs = self.child_answers(each, self._narrowed(query, key), inline)
            buckets.append(HistogramBucket(self._key(key), each["doc_count"], aggs))
        return buckets

    def _key(self, key: float) -> float | int:
        return key

    def _narrowed(self, query: LazyQuery, key: float) -> LazyQuery:
        scope = self.run.scope
        return lambda: all_of(query(), self.column.between(key, self.end(key), scope))

    def collect(self, query: tantivy.Query) -> AggPartial:
        """With `missing`: documents without a value join the bucket that it falls in."""
        missing = self.column.missing
        buckets: list[HistogramBucket] = []
        if self.column.name is not None:
            requests = self._requests(False)
            if requests is not None:
                raw = self.run.aggregate(query, requests)
                buckets = self._buckets(raw["h"]["buckets"], lambda: query, False)
        if missing is None or isinstance(missing, str):
            return self.partial(buckets)
        lacking = all_of(query, self.column.lacking())
        docs = self.run.scope.state.count(lacking)
        key = self.floor(missing)
        if docs == 0 or not self.keeps(key):
            return self.partial(buckets)
        same = self.column.between(key, self.end(key), self.run.scope)
        joined = all_of(query, any_of([same, self.column.lacking()]))
        count = self.run.scope.state.count(joined)
        aggs = self.run.run(self.children, joined) if self.children else None
        buckets = [each for each in buckets if each.key != key]
        buckets.append(HistogramBucket(self._key(key), count, aggs))
        buckets.sort(key=lambda each: each.key)
        return self.partial(buckets)


class NumberHistogramNode(HistogramNode):
    def __init__(self, agg: dsl.HistogramAgg, run: Run) -> None:
        super().__init__(agg, run, "histogram")
        if agg.interval <= 0:
            raise IllegalArgument(f"interval must be positive, got: {agg.interval}")
        self.histogram = agg
        self.shape = Even(agg.interval, agg.offset % agg.interval)
        self.low = _double(agg.hard_bounds.min if agg.hard_bounds else None)
        self.high = _double(agg.hard_bounds.max if agg.hard_bounds else None)

    def floor(self, value: float) -> float:
        interval, offset = self.histogram.interval, self.histogram.offset
        return math.floor((value - offset) / interval) * interval + offset

    def end(self, key: float) -> float:
        return key + self.histogram.interval

    def keeps(self, key: float) -> bool:
        return (self.low is None or key >= self.low) and (self.high is None or key <= self.high)

    def _key(self, key: float) -> float:
        return float(key)


def _double(value: dsl.Scalar | None) -> float | None:
    return None if value is None else float(values.decimal_of(value, FieldType.DOUBLE))


class DateHistogramNode(HistogramNode):
    def __init__(self, agg: dsl.DateHistogramAgg, run: Run) -> None:
        super().__init__(agg, run, "date_histogram")
        if agg.calendar_interval is None and agg.fixed_interval_ms is None:
            raise IllegalArgument("Invalid interval specified, must be non-null and non-empty")
        if agg.fixed_interval_ms is not None and agg.fixed_interval_ms <= 0:
            raise IllegalArgument("Zero or negative time interval not supported")
        self.histogram = agg
        self.rounding = Rounding(
            agg.calendar_interval,
            agg.fixed_interval_ms,
            time_zone=agg.time_zone,
            offset_ms=agg.offset_ms,
        )
        self.low = self._bound(agg.hard_bounds.min if agg.hard_bounds else None)
        self.high = self._bound(agg.hard_bounds.max if agg.hard_bounds else None)
        if self.column.name is not None:
            self.shape = self._shape(self.column.name)

    def _bound(self, value: dsl.Scalar | None) -> int | None:
        if value is None:
            return None
        return resolve_date_math(
            value,
            self.run.scope.now_ms,
            self.histogram.format or self.column.format or DEFAULT_FORMAT,
            time_zone=self.histogram.time_zone,
        )

    def _shape(self, name: str) -> "Even | Uneven | None":
        agg = self.histogram
        shift = _constant_offset(agg.time_zone)
        even = agg.fixed_interval_ms or _EVEN_UNITS.get(agg.calendar_interval or "")
        if even is not None and shift is not None:
            if agg.calendar_interval == "week":
                shift -= _WEEK_SHIFT
            return Even(even, (agg.offset_ms - shift) % even)
        column = self.run.scope.state.column(name)
        if column.min is None or column.max is None:
            return None
        return Uneven(self._bounds(int(column.min), int(column.max)))

    def _bounds(self, least: int, most: int) -> list[int]:
        if self.low is not None:
            least = max(least, self.low)
        if self.high is not None:
            most = min(most, self.high)
        bounds = [self.rounding.floor(least)]
        while bounds[-1] <= most:
            bounds.append(self._next(bounds[-1]))
            if len(bounds) > NATIVE_BUCKETS:
                raise TooManyBuckets(REPORTED_LIMIT)
        return bounds

    def floor(self, value: float) -> float:
        return self.rounding.floor(int(value))

    def end(self, key: float) -> float:
        return self._next(int(key))

    def _next(self, key: int) -> int:
        """The first instant that rounds to a later bucket, also over a change of the clocks."""
        found = self.rounding.floor(at := self.rounding.next(key))
        while found <= key:
            at += _CLOCK_STEP
            found = self.rounding.floor(at)
        return found

    def keeps(self, key: float) -> bool:
        return (self.low is None or key >= self.low) and (self.high is None or key < self.high)

    def _key(self, key: float) -> int:
        return int(key)


def _constant_offset(name: str) -> int | None:
    """Milliseconds east of UTC of a zone without clock changes; None for the others."""
    where = zone(name)
    found = where.utcoffset(None)
    if found is None:
        return 0 if name in ("UTC", "Z", "Etc/UTC", "GMT") else None
    return int(found.total_seconds() * 1000)
