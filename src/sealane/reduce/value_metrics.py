"""Metrics with states of their own: weighted_avg, geo_bounds, geo_centroid."""

from math import inf, isinf, nan

from sealane.model.dsl import GeoBoundsAgg, GeoCentroidAgg, WeightedAvgAgg
from sealane.reduce.kahan import compensated_sum
from sealane.reduce.kinds import Json, Kind, Reduction, Show, register
from sealane.reduce.metric_states import BoundsPartial, CentroidPartial, WeightedPartial
from sealane.reduce.metrics import check_single_value
from sealane.reduce.number_format import decimal_format

# -- weighted_avg ------------------------------------------------------------------------------------------------


def _merge_weighted(
    reduction: Reduction, spec: WeightedAvgAgg, partials: list[WeightedPartial]
) -> WeightedPartial:
    return WeightedPartial(
        compensated_sum(partial.sum for partial in partials),
        compensated_sum(partial.weight for partial in partials),
    )


def _weighted(partial: WeightedPartial) -> float:
    return partial.sum / partial.weight if partial.weight else nan


def _weighted_number(spec: WeightedAvgAgg, partial: WeightedPartial, member: str) -> float:
    check_single_value(spec.name, member)
    return _weighted(partial)


def _render_weighted(
    body: Json, spec: WeightedAvgAgg, partial: WeightedPartial, show: Show
) -> None:
    if not partial.weight:
        body["value"] = None
        return
    value = body["value"] = _weighted(partial)
    if spec.format:
        body["value_as_string"] = decimal_format(value, spec.format)


# -- places ------------------------------------------------------------------------------------------------------


def _merge_bounds(
    reduction: Reduction, spec: GeoBoundsAgg, partials: list[BoundsPartial]
) -> BoundsPartial:
    return BoundsPartial(
        top=max((each.top for each in partials), default=-inf),
        bottom=min((each.bottom for each in partials), default=inf),
        east_left=min((each.east_left for each in partials), default=inf),
        east_right=max((each.east_right for each in partials), default=-inf),
        west_left=min((each.west_left for each in partials), default=inf),
        west_right=max((each.west_right for each in partials), default=-inf),
    )


def _render_bounds(body: Json, spec: GeoBoundsAgg, partial: BoundsPartial, show: Show) -> None:
    if isinf(partial.top):
        return
    left, right = _longitudes(spec, partial)
    body["bounds"] = {
        "top_left": {"lat": partial.top, "lon": left},
        "bottom_right": {"lat": partial.bottom, "lon": right},
    }


def _longitudes(spec: GeoBoundsAgg, partial: BoundsPartial) -> tuple[float, float]:
    """Where the box begins and ends; across the date line where that is narrower."""
    if isinf(partial.east_left):
        return partial.west_left, partial.west_right
    if isinf(partial.west_left):
        return partial.east_left, partial.east_right
    straight = partial.east_right - partial.west_left
    across = (180 - partial.east_left) - (-180 - partial.west_right)
    if spec.wrap_longitude and across < straight:
        return partial.east_left, partial.west_right
    return partial.west_left, partial.east_right


def _merge_centroids(
    reduction: Reduction, spec: GeoCentroidAgg, partials: list[CentroidPartial]
) -> CentroidPartial:
    filled = [partial for partial in partials if partial.count]
    if len(filled) < 2:
        return filled[0] if filled else CentroidPartial(0)
    count = sum(partial.count for partial in filled)
    return CentroidPartial(
        count,
        sum(partial.lat * partial.count for partial in filled) / count,
        sum(partial.lon * partial.count for partial in filled) / count,
    )


def _render_centroid(
    body: Json, spec: GeoCentroidAgg, partial: CentroidPartial, show: Show
) -> None:
    if partial.count:
        body["location"] = {"lat": partial.lat, "lon": partial.lon}
    body["count"] = partial.count


register(
    WeightedAvgAgg,
    Kind(
        partial=WeightedPartial,
        merge=_merge_weighted,
        render=_render_weighted,
        type_name=lambda *_: "weighted_avg",
        number=_weighted_number,
    ),
)
register(
    GeoBoundsAgg,
    Kind(
        partial=BoundsPartial,
        merge=_merge_bounds,
        render=_render_bounds,
        type_name=lambda *_: "geo_bounds",
    ),
)
register(
    GeoCentroidAgg,
    Kind(
        partial=CentroidPartial,
        merge=_merge_centroids,
        render=_render_centroid,
        type_name=lambda *_: "geo_centroid",
    ),
)
