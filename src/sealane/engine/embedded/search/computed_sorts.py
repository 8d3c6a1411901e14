"""Sort keys whose values no column of the documents has: distances, values of nested objects, converted numbers.

`sorting` resolves a key; what is here reads its values for given documents. Costs a few microseconds a match.
"""

from collections.abc import Callable, Sequence
from math import inf

import numpy as np

from sealane.engine.embedded.search import nested
from sealane.engine.embedded.search.compile import compile_query
from sealane.engine.embedded.search.geo_distance import (
    Doubles,
    arc_meters,
    plane_meters,
    unpack_all,
)
from sealane.engine.embedded.search.scope import Scope, both
from sealane.engine.embedded.search.scored import Docs, docs_of
from sealane.engine.embedded.search.scored_columns import Values, raw_values, whole_numbers
from sealane.engine.embedded.view import NANOS
from sealane.engine.mapping import FieldType
from sealane.errors import IllegalArgument, ParseError
from sealane.model import dsl
from sealane.model.dsl.geo import GeoOrigin
from sealane.model.dsl.joined import NestedSort
from sealane.model.geo import normal_point
from sealane.reduce.partial import SortValue

Lists = Callable[[Docs], Sequence[list[SortValue]]]
"""All values of each document."""
_NS_IN_MS = 1_000_000


# -- nested objects ----------------------------------------------------------------------------------------------


def nested_values(column: str, sort: NestedSort, scope: Scope) -> Lists:
    """The values of a column in the nested objects that a sort asks for, in the order of the objects."""
    levels: list[NestedSort] = []
    at: NestedSort | None = sort
    while at is not None:
        levels.append(at)
        at = at.nested
    for each in levels:
        if each.path is not None and not nested.is_nested(scope.state.view.mapping, each.path):
            raise scope.shard_error(
                f"[nested] failed to find nested object under path [{each.path}]"
            )

    def values(docs: Docs) -> list[list[SortValue]]:
        found: list[list[SortValue]] = [[] for _ in range(len(docs))]
        outer, query = scope, docs.query(scope)
        for each in levels:
            if each.path is None:
                return found
            below = nested.nested_scope(outer, each.path)
            if below is None:
                return found
            query = nested.objects_of(query, each.path, outer, below)
            if each.filter is not None:
                query = both(query, compile_query(each.filter, below).query)
            outer = below
        objects = docs_of(query, outer)
        if not len(objects):
            return found
        path = levels[-1].path
        assert path is not None
        owners = nested.owners_of(objects, path, scope.nested, outer)
        places = np.searchsorted(docs.keys, owners).tolist()
        most, taken = levels[-1].max_children, [0] * len(docs)
        for place, row in zip(places, raw_values(column, objects, outer), strict=True):
            taken[place] += 1
            if most is None or taken[place] <= most:
                found[place].extend(row)
        return found

    return values


def own_values(column: str, scope: Scope) -> Lists:
    return lambda docs: raw_values(column, docs, scope)


def converted(lists: Lists, kind: FieldType, wanted: str) -> Lists:
    """The values as another numeric type."""
    convert: Callable[[float], SortValue]
    if wanted == "double":
        convert = float
    elif wanted == "date" and kind is FieldType.DATE_NANOS:
        convert = lambda value: int(value) // _NS_IN_MS  # noqa: E731
    elif wanted == "date_nanos" and kind is FieldType.DATE:
        convert = lambda value: int(value) * _NS_IN_MS  # noqa: E731
    else:
        convert = int

    def values(docs: Docs) -> list[list[SortValue]]:
        return [
            [convert(each) for each in row if isinstance(each, (int, float))] for row in lists(docs)
        ]

    return values


def column_of(path: str, kind: FieldType) -> str:
    """The column that tells the values of a field apart."""
    return path + NANOS if kind is FieldType.DATE_NANOS else path


# -- distances ---------------------------------------------------------------------------------------------------


def distances(field: dsl.SortField, origin: GeoOrigin, scope: Scope) -> Lists:
    """How far each document is. Raises IllegalArgument or ParseError for a wrong field, or wrong points."""
    mapped = scope.mapped(field.field)
    if mapped is None:
        if not origin.ignore_unmapped:
            raise IllegalArgument(
                f"failed to find mapper for [{field.field}] for geo distance based sort"
            )
        return lambda docs: [[] for _ in range(len(docs))]
    points = [_checked(lat, lon, field.field, origin.validation) for lat, lon in origin.points]
    if mapped.type is not FieldType.GEO_POINT:
        raise IllegalArgument(
            f"unable to apply geo distance sort to field [{field.field}] of type [{mapped.type.value}]"
        )
    mode = field.mode or ("max" if field.descending else "min")
    # The reference measures the simplest case by other means, which know arcs alone.
    simple = len(points) == 1 and origin.unit == 1.0 and mode == "min" and not field.descending
    is_plane = origin.kind == "plane" and not (simple and field.nested is None)
    path = mapped.path
    lists = None if field.nested is None else nested_values(path, field.nested, scope)

    def read(docs: Docs) -> list[list[SortValue]]:
        if lists is None:
            starts, packed = whole_numbers(path, docs, scope)
        else:
            rows = [[int(each or 0) for each in row] for row in lists(docs)]
            starts = np.concatenate(([0], np.cumsum([len(row) for row in rows]))).astype(np.int64)
            packed = np.array([each for row in rows for each in row], np.int64)
        lats, lons = unpack_all(packed)
        found = [_apart(lat, lon, lats, lons, is_plane=is_plane) for lat, lon in points]
        table = np.stack(found, axis=1).reshape(-1) / origin.unit
        apart = Values(starts * len(points), table)
        return [[each] for each in apart.chosen(table, mode, inf).tolist()]

    return read


def _apart(lat: float, lon: float, lats: Doubles, lons: Doubles, *, is_plane: bool) -> Doubles:
    if is_plane:
        return plane_meters(lat, lon, lats, lons)
    return arc_meters(np.full(len(lats), lat), np.full(len(lons), lon), lats, lons)


def _checked(lat: float, lon: float, path: str, validation: str) -> tuple[float, float]:
    if validation == "COERCE":
        return normal_point(lat, lon)
    for name, value, most in (("latitude", lat, 90), ("longitude", lon, 180)):
        if abs(value) <= most:
            continue
        if validation == "STRICT":
            raise ParseError(
                f"illegal {name} value [{value}] for [GeoDistanceSort] for field [{path}]."
            )
        raise IllegalArgument(f"invalid {name} {value}; must be between -{most}.0 and {most}.0")
    return lat, lon
