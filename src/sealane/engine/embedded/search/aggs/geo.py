"""Columns of points, as grids and distance ranges read them."""

from dataclasses import dataclass

import tantivy

from sealane.engine.embedded.search.aggs.cells import cells, each_value
from sealane.engine.embedded.search.aggs.columns import Column
from sealane.engine.embedded.search.aggs.run import Run, not_supported
from sealane.engine.embedded.search.scope import Scope, all_of
from sealane.model.geo import unpack
from sealane.reduce.tiles import TILE_LATITUDE_MAX, Box

Point = tuple[float, float]
"""Latitude and longitude."""


@dataclass(frozen=True, slots=True)
class GeoColumn:
    """`column.name` is None where no document of the view has a point."""

    column: Column

    def lacking(self) -> tantivy.Query:
        return self.column.lacking()

    def inside(self, tile: Box, scope: Scope) -> tantivy.Query:
        """Documents with a point in a map tile, which owns its northern and its western edge."""
        if self.column.name is None:
            return tantivy.Query.empty_query()
        south, north, west, east = tile
        low = None if south <= -TILE_LATITUDE_MAX else south
        high = None if north >= TILE_LATITUDE_MAX else north
        kind = tantivy.FieldType.Float
        name = f"{self.column.name}#lon"
        end = None if east >= 180.0 else east
        queries = [
            tantivy.Query.range_query(scope.schema, name, kind, west, end, True, end is None)
        ]
        if low is not None or high is not None:
            name = f"{self.column.name}#lat"
            queries.append(
                tantivy.Query.range_query(scope.schema, name, kind, low, high, low is None, True)
            )
        return all_of(*queries)


def geo_column(path: str, kind: str, scope: Scope) -> GeoColumn:
    """Raises IllegalArgument for a field that is mapped, and not as a point. `kind` names the aggregation."""
    mapped = scope.mapped(path)
    if mapped is None:
        return GeoColumn(Column(None, None, None))
    if mapped.type.value != "geo_point":
        raise not_supported(kind, path, mapped.type.value)
    name = mapped.path if scope.has_column(mapped.path) else None
    return GeoColumn(Column(mapped, name, "long"))


def points(geo: GeoColumn, query: tantivy.Query, total: int, run: Run) -> list[list[Point]]:
    """The points of each of the `total` documents of a query, in document order."""
    found = cells(query, total, geo.column, run)
    return [[unpack(int(value)) for value in each_value(cell)] for cell in found]
