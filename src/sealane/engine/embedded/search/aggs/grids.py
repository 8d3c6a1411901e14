"""Points in cells of a grid, and in rings around a place."""

from collections import defaultdict

import tantivy

from sealane.engine.embedded.search.aggs.cells import in_order, slices
from sealane.engine.embedded.search.aggs.geo import Point, geo_column, points
from sealane.engine.embedded.search.aggs.run import Node, Run
from sealane.engine.embedded.search.aggs.samplers import restricted_to
from sealane.errors import IllegalArgument
from sealane.model import dsl
from sealane.reduce.grids import fullest
from sealane.reduce.partial import (
    AggPartial,
    BucketsPartial,
    CountBucket,
    Key,
    TermBucket,
    TermsPartial,
)
from sealane.reduce.tiles import geohash_at, geohash_box, meets, tile_at, tile_box


class GeoGridNode(Node):
    def __init__(self, agg: dsl.GeoGridAgg, run: Run) -> None:
        super().__init__(agg, run)
        self.grid = agg
        self.geo = geo_column(agg.field, agg.kind, run.scope)

    def collect(self, query: tantivy.Query) -> AggPartial:
        if self.geo.column.name is None:
            return TermsPartial([])
        numbers: dict[Key, list[int]] = defaultdict(list)
        for part, total in slices(query, self.run):
            found = points(self.geo, part, total, self.run)
            rows = in_order(part, total, self.run)
            for each, (number, _) in zip(found, rows, strict=True):
                for key in {self._cell(point) for point in each}:
                    if self._is_wanted(key):
                        numbers[key].append(int(number))
        buckets = [TermBucket(key, len(docs)) for key, docs in numbers.items()]
        buckets = fullest(buckets, self.grid.effective_shard_size())
        self.run.count_buckets(len(buckets))
        if self.children:
            for bucket in buckets:
                inside = restricted_to(query, numbers[bucket.key], self.run)
                bucket.aggs = self.run.run(self.children, inside)
        return TermsPartial(buckets)

    def _cell(self, point: Point) -> Key:
        locate = geohash_at if self.grid.kind == "geohash_grid" else tile_at
        return locate(*point, self.grid.precision)

    def _is_wanted(self, key: Key) -> bool:
        bounds = self.grid.bounds
        if bounds is None:
            return True
        box = geohash_box(key) if isinstance(key, str) else tile_box(int(key))
        return meets(box, bounds)


class GeoDistanceNode(Node):
    def __init__(self, agg: dsl.GeoDistanceAgg, run: Run) -> None:
        super().__init__(agg, run)
        self.rings = agg
        self.geo = geo_column(agg.field, "geo_distance", run.scope)
        if not agg.ranges:
            raise IllegalArgument(f"No [ranges] specified for the [{agg.name}] aggregation")

    def collect(self, query: tantivy.Query) -> AggPartial:
        numbers: list[list[int]] = [[] for _ in self.rings.ranges]
        if self.geo.column.name is not None:
            for part, total in slices(query, self.run):
                self._sort_in(part, total, numbers)
        buckets = []
        for docs in numbers:
            aggs = None
            if self.children:
                aggs = self.run.run(self.children, restricted_to(query, docs, self.run))
            buckets.append(CountBucket(len(docs), aggs))
        self.run.count_buckets(len(buckets))
        return BucketsPartial(buckets)

    def _sort_in(self, part: tantivy.Query, total: int, numbers: list[list[int]]) -> None:
        """Adds the number of each document to the rings that it has a point in."""
        found = points(self.geo, part, total, self.run)
        rows = in_order(part, total, self.run)
        agg = self.rings
        flat = [point for each in found for point in each]
        measured = iter(_meters(agg.origin, flat, plane=agg.plane))
        spans = [(0.0 if each.from_ is None else float(each.from_), each.to) for each in agg.ranges]
        for each, (number, _) in zip(found, rows, strict=True):
            away = [next(measured) / agg.unit for _ in each]
            for place, (low, high) in enumerate(spans):
                if any(low <= far and (high is None or far < float(high)) for far in away):
                    numbers[place].append(int(number))


def _meters(origin: Point, places: list[Point], *, plane: bool) -> list[float]:
    if not places:
        return []
    import numpy as np

    from sealane.engine.embedded.search.geo_distance import arc_meters, plane_meters

    lats, lons = np.array(places, dtype=np.float64).T
    measure = plane_meters if plane else arc_meters
    lat, lon = (np.full(len(lats), side) for side in origin)
    found: list[float] = measure(lat, lon, lats, lons).tolist()
    return found
