"""distance_feature: documents with a date or a place, scored by how near it is."""

from dataclasses import dataclass

import numpy as np
import orjson

from sealane.engine.embedded.search import values
from sealane.engine.embedded.search.existence import compile_exists
from sealane.engine.embedded.search.geo_distance import arc_meters, unpack_all
from sealane.engine.embedded.search.scope import NOTHING, Compiled, Scope
from sealane.engine.embedded.search.scored import Docs, Floats, Scorer
from sealane.engine.embedded.search.scored_columns import Values, numbers, whole_numbers
from sealane.engine.mapping import FieldType
from sealane.errors import ApiError, IllegalArgument
from sealane.model.dsl.scored import DistanceFeature
from sealane.model.geo import distance_meters, read_point
from sealane.settings.units import parse_time


def compile_distance_feature(query: DistanceFeature, scope: Scope) -> Compiled:
    """Raises QueryShardError where the field has no distances, or the request none that can be read."""
    mapped = scope.mapped(query.field)
    if mapped is None:
        return NOTHING
    try:
        if mapped.type is FieldType.GEO_POINT:
            lat, lon = read_point(orjson.loads(query.origin) if query.is_json else query.origin)
            scorer: Scorer = _Nearness(mapped.path, distance_meters(query.pivot), scope, (lat, lon))
        elif mapped.type.is_date:
            pivot = parse_time(query.pivot, "distance_feature.pivot").ms
            origin = values.date(
                query.origin, mapped, scope.now_ms, round_up=True, fmt=None, zone=None
            )
            scorer = _Nearness(mapped.path, float(pivot), scope, origin)
        else:
            raise IllegalArgument(
                f"Illegal data type of [{mapped.type.value}]![distance_feature] query can only be run "
                "on a date, date_nanos or geo_point field type!"
            )
    except ApiError as error:
        raise scope.failed(error) from None
    return Compiled(compile_exists(mapped.path, scope).query, None, scorer=scorer)


@dataclass(frozen=True, slots=True)
class _Nearness(Scorer):
    """`origin` is milliseconds, or a latitude and a longitude. The nearest of several values counts."""

    path: str
    pivot: float
    scope: Scope
    origin: float | tuple[float, float]

    def scores(self, docs: Docs) -> Floats:
        if isinstance(self.origin, tuple):
            starts, packed = whole_numbers(self.path, docs, self.scope)
            lats, lons = unpack_all(packed)
            lat, lon = self.origin
            apart = arc_meters(np.full(len(lats), lat), np.full(len(lons), lon), lats, lons)
            column = Values(starts, apart)
        else:
            column = numbers(self.path, docs, self.scope)
            apart = np.abs(column.data - self.origin)
        nearest = column.chosen(apart, "min", np.nan)
        result: Floats = (self.pivot / (self.pivot + nearest)).astype(np.float32)
        return result
