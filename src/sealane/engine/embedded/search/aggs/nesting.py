"""Which aggregations may be inside of which others."""

from collections.abc import Iterable

from sealane.errors import IllegalArgument
from sealane.model import dsl

_SAMPLING = dsl.RandomSamplerAgg
_ALONE = frozenset(
    (
        "FilterAgg",
        "GlobalAgg",
        "MissingAgg",
        "NestedAgg",
        "RandomSamplerAgg",
        "ReverseNestedAgg",
        "SamplerAgg",
    )
)
"""Kinds that have one bucket."""
_TRANSPARENT = frozenset(("FilterAgg", "NestedAgg"))
"""Kinds that a composite may be in."""
_FACTORIES = {
    "CompositeAgg": "CompositeAggregationFactory",
    "MultiTermsAgg": "MultiTermsAggregationFactory",
    "GeoDistanceAgg": "GeoDistanceRangeAggregatorFactory",
}


def check_parents(
    aggs: Iterable[dsl.Agg], around: dsl.Agg | None = None, opaque: dsl.Agg | None = None
) -> None:
    """Raises IllegalArgument where one is where the reference does not let it be.

    `around` is the nearest with more than one bucket around these, `opaque` the nearest that no composite may be in.
    """
    for each in aggs:
        if opaque is not None and isinstance(each, dsl.CompositeAgg):
            raise IllegalArgument(
                "[composite] aggregation cannot be used with a parent aggregation of type: "
                f"[{factory_name(opaque)}]"
            )
        if around is not None and isinstance(each, dsl.VariableWidthHistogramAgg):
            raise IllegalArgument(
                "[variable_width_histogram] cannot be nested inside an aggregation that collects "
                "more than a single bucket."
            )
        if each.subs:
            _check_top_level(each)
            kind = type(each).__name__
            check_parents(
                each.subs,
                around if kind in _ALONE else each,
                opaque if kind in _TRANSPARENT else each,
            )


def _check_top_level(parent: dsl.Agg) -> None:
    for sub in parent.subs:
        if isinstance(sub, dsl.GlobalAgg):
            raise IllegalArgument(
                f"Aggregation [{parent.name}] cannot have a global sub-aggregation [{sub.name}]. "
                "Global aggregations can only be defined as top level aggregations"
            )
        if isinstance(sub, _SAMPLING) and not isinstance(parent, _SAMPLING):
            raise IllegalArgument(
                f"[random_sampler] aggregation [{sub.name}] cannot have a parent aggregation"
            )


def factory_name(agg: dsl.Agg) -> str:
    """The reference's name for what makes the aggregators of a kind."""
    if isinstance(agg, dsl.RangeAgg) and agg.date:
        return "DateRangeAggregatorFactory"
    if isinstance(agg, dsl.SamplerAgg) and agg.field is not None:
        return "DiversifiedAggregatorFactory"
    if isinstance(agg, dsl.GeoGridAgg):
        return f"Geo{'Tile' if agg.kind == 'geotile_grid' else 'Hash'}GridAggregatorFactory"
    name = type(agg).__name__
    return _FACTORIES.get(name) or f"{name.removesuffix('Agg')}AggregatorFactory"
