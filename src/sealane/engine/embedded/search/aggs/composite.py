"""composite: the tuples of keys of every matching document, counted, sorted and cut to a page."""

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import tantivy

from sealane.engine.embedded.search.aggs.cells import (
    Cell,
    Raw,
    cells,
    distinct,
    each_value,
    slices,
)
from sealane.engine.embedded.search.aggs.columns import column_of
from sealane.engine.embedded.search.aggs.composite_after import after_tuple
from sealane.engine.embedded.search.aggs.composite_native import native_counts
from sealane.engine.embedded.search.aggs.geo import GeoColumn, geo_column, points
from sealane.engine.embedded.search.aggs.run import Node, Run, not_supported
from sealane.engine.embedded.search.aggs.term_column import check_keys
from sealane.engine.embedded.search.scope import all_of
from sealane.errors import IllegalArgument, TooManyBuckets
from sealane.model import dsl
from sealane.model.dates import Rounding
from sealane.reduce.composite import sort_tuples
from sealane.reduce.partial import AggPartial, CompositePartial, Key, TupleBucket
from sealane.reduce.tiles import meets, tile_at, tile_box

Tuple = tuple[Raw | None, ...]
_MAX_BUCKETS = 65_536


class SourceReader:
    """One source of the keys: how a document's values become parts of keys, and a part a query."""

    def __init__(self, spec: dsl.CompositeSource, run: Run) -> None:
        """Raises IllegalArgument for a field that cannot be such a source."""
        self.spec = spec
        self.run = run
        if spec.missing_order != "default" and not spec.missing_bucket:
            raise IllegalArgument("missingOrder can only be set if missingBucket is true")
        if not spec.field:
            raise IllegalArgument(
                "Required one of fields [field, script], but none were specified."
            )
        self.column = column_of(spec.field, None, run.scope)
        self.geo: GeoColumn | None = None
        self.rounding: Rounding | None = None
        mapped = self.column.mapped
        if spec.kind == "geotile_grid":
            self.geo = geo_column(spec.field, "geotile_grid", run.scope)
        elif spec.kind != "terms" and not self.column.is_number and mapped is not None:
            raise not_supported(spec.kind, mapped.path, mapped.type.value)
        else:
            check_keys(self.column, "terms")
        if spec.kind == "date_histogram":
            self.rounding = _rounding(spec)
        self._keys: dict[Raw, Raw] = {}

    @property
    def type(self) -> str | None:
        match self.spec.kind:
            case "geotile_grid":
                return "long"
            case "histogram":
                return "date" if self.column.type == "date" else "double"
            case "date_histogram":
                return "long"
        return self.column.type

    def cells(self, query: tantivy.Query, total: int) -> list[Cell]:
        """The parts of keys of each document."""
        if self.geo is not None:
            zoom = self.spec.precision
            return [
                self._tiles({tile_at(lat, lon, zoom) for lat, lon in each})
                for each in points(self.geo, query, total, self.run)
            ]
        found = cells(query, total, self.column, self.run)
        if self.spec.kind == "terms":
            return [distinct(each) for each in found]
        return [self._rounded(each) for each in found]

    def _tiles(self, tiles: set[int]) -> Cell:
        bounds = self.spec.bounds
        if bounds is not None:
            tiles = {tile for tile in tiles if meets(tile_box(tile), bounds)}
        return sorted(tiles) or None

    def _rounded(self, cell: Cell) -> Cell:
        if cell is None:
            return None
        if isinstance(cell, list):
            return list(dict.fromkeys(map(self._key, cell)))
        return self._key(cell)

    def _key(self, value: Raw) -> Raw:
        known = self._keys.get(value)
        if known is None:
            known = self._keys[value] = self._floor(value)
        return known

    def _floor(self, value: Raw) -> Raw:
        if self.rounding is not None:
            return self.rounding.floor(int(value))
        interval = self.spec.interval
        return math.nan if interval is None else math.floor(float(value) / interval) * interval

    def query(self, part: Raw | None) -> tantivy.Query:
        """Documents with this part of a key."""
        scope = self.run.scope
        if self.geo is not None:
            return (
                self.geo.lacking() if part is None else self.geo.inside(tile_box(int(part)), scope)
            )
        if part is None:
            return self.column.lacking()
        if self.rounding is not None:
            start = int(part)
            return self.column.between(start, self.rounding.next(start), scope)
        if self.spec.kind == "histogram":
            start_at = float(part)
            return self.column.between(start_at, start_at + (self.spec.interval or 0.0), scope)
        return self.column.equal(part, scope)

    def shown(self, part: Raw | None) -> Key | None:
        if part is None or self.spec.kind != "terms":
            return part
        return self.column.key(part)


def _rounding(spec: dsl.CompositeSource) -> Rounding:
    if spec.calendar_interval is None and spec.fixed_interval_ms is None:
        raise IllegalArgument("Invalid interval specified, must be non-null and non-empty")
    if spec.fixed_interval_ms is not None and spec.fixed_interval_ms <= 0:
        raise IllegalArgument("Zero or negative time interval not supported")
    return Rounding(
        spec.calendar_interval,
        spec.fixed_interval_ms,
        time_zone=spec.time_zone,
        offset_ms=spec.offset_ms,
    )


class CompositeNode(Node):
    def __init__(self, agg: dsl.CompositeAgg, run: Run) -> None:
        super().__init__(agg, run)
        self.composite = agg
        if agg.size > _MAX_BUCKETS:
            error = TooManyBuckets(_MAX_BUCKETS)
            error.reason = (
                "Trying to create too many buckets. Must be less than or equal to: "
                f"[{_MAX_BUCKETS}] but was [{agg.size}]. This limit can be set by changing the "
                "[search.max_buckets] cluster level setting."
            )
            raise error
        self.sources = [SourceReader(each, run) for each in agg.sources]
        self.types = [each.type for each in self.sources]
        self.after = after_tuple(agg, [each.column for each in self.sources], run.scope.present_ms)

    def collect(self, query: tantivy.Query) -> AggPartial:
        counts = self._counts(query)
        # Addresses are 32 hex digits here, which sort as they are.
        compared = [None if each == "ip" else each for each in self.types]
        if self.after is not None:
            counts.pop(self.after, None)
        keys = list(counts)
        if self.after is not None:
            keys.append(self.after)
        sort_tuples(keys, self.composite.sources, compared)
        first = 0 if self.after is None else keys.index(self.after) + 1
        chosen = keys[first : first + self.composite.size]
        self.run.count_buckets(len(chosen))
        return CompositePartial(
            [self._bucket(each, counts[each], query) for each in chosen],
            list(self.types),
            [each.column.format for each in self.sources],
        )

    def _bucket(self, key: Tuple, count: int, query: tantivy.Query) -> TupleBucket:
        aggs = None
        if self.children:
            parts = zip(self.sources, key, strict=True)
            inside = all_of(query, *(source.query(part) for source, part in parts))
            aggs = self.run.run(self.children, inside)
        shown = [source.shown(part) for source, part in zip(self.sources, key, strict=True)]
        return TupleBucket(shown, count, aggs)

    def _counts(self, query: tantivy.Query) -> Counter[Tuple]:
        counts: Counter[Tuple] = Counter()
        if any(
            each.column.name is None
            and each.column.missing is None
            and each.geo is None
            and not each.spec.missing_bucket
            for each in self.sources
        ):
            return counts
        found = native_counts(
            self.composite.sources, [each.column for each in self.sources], query, self.run
        )
        if found is not None:
            return found
        for part, total in slices(query, self.run):
            columns = [each.cells(part, total) for each in self.sources]
            counts.update(tuples(columns, [each.spec.missing_bucket for each in self.sources]))
        return counts


def tuples(columns: Sequence[list[Cell]], keep_missing: Sequence[bool]) -> Iterable[Any]:
    """Every combination of the values of each document; none where one lacks that has no bucket."""
    if not any(list in set(map(type, column)) for column in columns):
        dropped = [at for at, keep in enumerate(keep_missing) if not keep]
        whole: Iterable[Any] = zip(*columns, strict=True)
        if not dropped:
            return whole
        return (row for row in whole if all(row[at] is not None for at in dropped))
    return itertools.chain.from_iterable(
        itertools.product(*map(_parts, row, keep_missing)) for row in zip(*columns, strict=True)
    )


def _parts(cell: Cell, keep_missing: bool) -> Sequence[Raw | None]:
    if cell is None:
        return (None,) if keep_missing else ()
    return each_value(cell)
