"""Decay functions: how a document's score falls with the distance of its number, date or place from an origin."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import orjson

from sealane.engine.embedded.search import values
from sealane.engine.embedded.search.geo_distance import arc_meters, unpack_all
from sealane.engine.embedded.search.scope import Scope
from sealane.engine.embedded.search.scored import Docs, Doubles
from sealane.engine.embedded.search.scored_columns import (
    Values,
    is_numeric,
    numbers,
    whole_numbers,
)
from sealane.engine.mapping import Field, FieldType
from sealane.errors import IllegalArgument, ParseError, ParsingError
from sealane.model.dsl.scored import Decay
from sealane.model.geo import distance_meters, read_point
from sealane.settings.units import parse_time

_NS_IN_MS = 1_000_000
Distances = Callable[[Docs], tuple[Values, Doubles]]
"""The values' starts, and each value's distance from the origin."""


def bind_decay(function: Decay, scope: Scope) -> Callable[[Docs], Doubles]:
    """Raises ParseError or IllegalArgument for parameters that do not fit the field."""
    mapped = scope.mapped(function.field)
    if mapped is None:
        raise ParsingError(f"unknown field [{function.field}]", line=1, col=0)
    parameters = orjson.loads(function.parameters)
    if mapped.type is FieldType.GEO_POINT:
        distances, scale, offset = _geo(mapped, parameters, scope)
    elif mapped.type in (FieldType.DATE, FieldType.DATE_NANOS):
        distances, scale, offset = _date(mapped, parameters, scope)
    elif is_numeric(mapped):
        distances, scale, offset = _numeric(mapped, parameters, scope)
    else:
        raise IllegalArgument(
            f"field [{mapped.path}] is of type [{mapped.type.value}], but only numeric types are "
            "supported."
        )
    falls = _curve(function.kind, scale, _number(parameters.get("decay", 0.5)))
    if offset < 0:
        raise IllegalArgument("function_score : offset must be > 0.0")

    def factor(docs: Docs) -> Doubles:
        column, apart = distances(docs)
        with np.errstate(over="ignore", invalid="ignore"):
            return falls(column.chosen(np.maximum(0.0, apart - offset), function.mode, 0.0))

    return factor


def _curve(kind: str, scale: float, decay: float) -> Callable[[Doubles], Doubles]:
    if scale <= 0:
        raise IllegalArgument("function_score : scale must be > 0.0.")
    if not 0 < decay < 1:
        raise IllegalArgument("function_score : decay must be in the range [0..1].")
    if kind == "gauss":
        width = 0.5 * scale * scale / math.log(decay)
        return lambda apart: np.exp(0.5 * np.square(apart) / width)
    if kind == "exp":
        slope = math.log(decay) / scale
        return lambda apart: np.exp(slope * apart)
    reach = scale / (1.0 - decay)
    return lambda apart: np.maximum(0.0, (reach - apart) / reach)


def _check_names(parameters: Mapping[str, Any]) -> None:
    for name in parameters:
        if name not in ("origin", "scale", "offset", "decay"):
            raise ParseError(f"parameter [{name}] not supported!")


def _number(value: Any) -> float:
    return values.floating(value, FieldType.DOUBLE)


def _numeric(
    mapped: Field, parameters: Mapping[str, Any], scope: Scope
) -> tuple[Distances, float, float]:
    _check_names(parameters)
    if "scale" not in parameters or "origin" not in parameters:
        raise ParseError("both [scale] and [origin] must be set for numeric fields.")
    origin = _number(parameters["origin"])

    def distances(docs: Docs) -> tuple[Values, Doubles]:
        column = numbers(mapped.path, docs, scope)
        return column, np.abs(column.data - origin)

    return distances, _number(parameters["scale"]), _number(parameters.get("offset", 0.0))


def _date(
    mapped: Field, parameters: Mapping[str, Any], scope: Scope
) -> tuple[Distances, float, float]:
    _check_names(parameters)
    if "scale" not in parameters:
        raise ParseError("[scale] must be set for date fields.")
    scale = parse_time(values.text_of(parameters["scale"]), "DecayFunctionParser.scale").ms
    offset = parse_time(
        values.text_of(parameters.get("offset", "0d")), "DecayFunctionParser.offset"
    ).ms
    origin: float
    if parameters.get("origin") is None:
        origin = scope.present_ms
    else:
        text = values.text_of(parameters["origin"])
        origin = values.date(text, mapped, scope.now_ms, round_up=False, fmt=None, zone=None)
    step = _NS_IN_MS if mapped.type is FieldType.DATE_NANOS else 1

    def distances(docs: Docs) -> tuple[Values, Doubles]:
        column = numbers(mapped.path, docs, scope)
        return column, np.abs(column.data - origin) / step

    return distances, float(scale), float(offset)


def _geo(
    mapped: Field, parameters: Mapping[str, Any], scope: Scope
) -> tuple[Distances, float, float]:
    _check_names(parameters)
    if "scale" not in parameters:
        raise ParseError("[origin] and [scale] must be set for geo fields.")
    lat, lon = read_point(parameters["origin"]) if "origin" in parameters else (0.0, 0.0)
    scale = distance_meters(values.text_of(parameters["scale"]))
    offset = distance_meters(values.text_of(parameters.get("offset", "0km")))

    def distances(docs: Docs) -> tuple[Values, Doubles]:
        starts, packed = whole_numbers(mapped.path, docs, scope)
        lats, lons = unpack_all(packed)
        apart = arc_meters(np.full(len(lats), lat), np.full(len(lons), lon), lats, lons)
        return Values(starts, apart), apart

    return distances, scale, offset
