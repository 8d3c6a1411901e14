"""geo_bounds and geo_centroid of one shard: packed points to extremes and means."""

from math import inf

import tantivy

from sealane.engine.embedded.search.aggs.columns import Column, column_of
from sealane.engine.embedded.search.aggs.rows import whole_values
from sealane.engine.embedded.search.aggs.run import Node, Run, not_supported
from sealane.engine.embedded.search.scope import all_of
from sealane.engine.mapping import FieldType
from sealane.model import dsl
from sealane.model.geo import pack, read_point, unpack
from sealane.reduce.kahan import compensated_sum
from sealane.reduce.metric_states import BoundsPartial, CentroidPartial
from sealane.reduce.partial import AggPartial

Point = tuple[float, float]


class PlaceNode(Node):
    """What both have in common: the points of a field."""

    kind = ""

    def __init__(self, agg: dsl.GeoBoundsAgg | dsl.GeoCentroidAgg, run: Run) -> None:
        super().__init__(agg, run)
        self.column: Column = column_of(agg.field, None, run.scope)
        mapped = self.column.mapped
        if mapped is not None and mapped.type is not FieldType.GEO_POINT:
            raise not_supported(self.kind, agg.field, mapped.type.value)
        self.missing: Point | None = None
        if agg.missing is not None:
            self.missing = unpack(pack(*read_point(agg.missing)))

    def points(self, query: tantivy.Query) -> list[Point]:
        found = [unpack(value) for value in whole_values(query, self.column, self.run)]
        if self.missing is not None:
            lacking = self.run.scope.state.count(all_of(query, self.column.lacking()))
            found += [self.missing] * lacking
        return found


class BoundsNode(PlaceNode):
    kind = "geo_bounds"

    def collect(self, query: tantivy.Query) -> AggPartial:
        points = self.points(query)
        east = [lon for _, lon in points if lon >= 0]
        west = [lon for _, lon in points if lon < 0]
        lats = [lat for lat, _ in points]
        return BoundsPartial(
            top=max(lats, default=-inf),
            bottom=min(lats, default=inf),
            east_left=min(east, default=inf),
            east_right=max(east, default=-inf),
            west_left=min(west, default=inf),
            west_right=max(west, default=-inf),
        )


class CentroidNode(PlaceNode):
    kind = "geo_centroid"

    def collect(self, query: tantivy.Query) -> AggPartial:
        points = self.points(query)
        count = len(points)
        if not count:
            return CentroidPartial(0)
        lat = compensated_sum(lat for lat, _ in points) / count
        lon = compensated_sum(lon for _, lon in points) / count
        return CentroidPartial(count, lat, lon)
