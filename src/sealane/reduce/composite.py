"""composite: buckets of key tuples in the request's order, a page at a time."""

from collections.abc import Iterable
from typing import Any

from sealane.errors import AggregationExecution
from sealane.model.dates import DEFAULT_FORMAT, format_date
from sealane.model.dsl import CompositeAgg, CompositeSource
from sealane.reduce.kinds import Json, Kind, Reduction, Show, register
from sealane.reduce.order import ip_bytes
from sealane.reduce.partial import CompositePartial, Key, TupleBucket
from sealane.reduce.tiles import tile_text


def merge_composites(
    reduction: Reduction, spec: CompositeAgg, partials: list[CompositePartial]
) -> CompositePartial:
    """The first `size` buckets of all sources'. A source that returned `size` has no other bucket before its last."""
    width = len(spec.sources)
    types = [_type_at(spec, partials, at) for at in range(width)]
    formats = [
        next((p.formats[at] for p in partials if p.formats[at] is not None), None)
        for at in range(width)
    ]
    groups: dict[tuple[Key | None, ...], list[TupleBucket]] = {}
    for partial in partials:
        for bucket in partial.buckets:
            groups.setdefault(tuple(bucket.key), []).append(bucket)
    keys = list(groups)
    sort_tuples(keys, spec.sources, types)
    buckets = [
        TupleBucket(
            list(key),
            sum(bucket.count for bucket in groups[key]),
            reduction.trees(spec.subs, [bucket.aggs for bucket in groups[key]]),
        )
        for key in keys[: spec.size]
    ]
    reduction.count(len(buckets))
    return CompositePartial(buckets, types, formats)


def _type_at(spec: CompositeAgg, partials: list[CompositePartial], at: int) -> str | None:
    types = {p.types[at] for p in partials if p.types[at] is not None}
    if len(types) > 1 and len({_comparable(each) for each in types}) > 1:
        raise AggregationExecution(
            f"source [{spec.sources[at].name}] of aggregation [{spec.name}] existed as two "
            "different types in two different indices"
        )
    return next((p.types[at] for p in partials if p.types[at] is not None), None)


def _comparable(key_type: str | None) -> str:
    return {"keyword": "text", "ip": "ip", "double": "double"}.get(key_type or "", "long")


def sort_tuples(
    keys: list[tuple[Key | None, ...]],
    sources: Iterable[CompositeSource],
    types: Iterable[str | None],
) -> None:
    """In place, by the request's order. `types` say how the parts of keys compare."""
    for at, (source, type_) in reversed(list(enumerate(zip(sources, types, strict=True)))):
        # Descending order is the ascending one turned round, and so is where None stands in it.
        first = source.missing_first != source.descending
        convert = ip_bytes if type_ == "ip" else None

        def place(
            key: tuple[Key | None, ...], at: int = at, first: bool = first, convert: Any = convert
        ) -> Any:
            value = key[at]
            if value is None:
                return (not first,)
            return (first, value if convert is None else convert(value))

        keys.sort(key=place, reverse=source.descending)


def _render(body: Json, spec: CompositeAgg, partial: CompositePartial, show: Show) -> None:
    keys = [_shown(spec, partial, bucket) for bucket in partial.buckets]
    if keys:
        body["after_key"] = keys[-1]
    body["buckets"] = [
        {"key": key, "doc_count": bucket.count} | show.aggs(spec.subs, bucket.aggs)
        for key, bucket in zip(keys, partial.buckets, strict=True)
    ]


def _shown(spec: CompositeAgg, partial: CompositePartial, bucket: TupleBucket) -> Json:
    rows = zip(spec.sources, bucket.key, partial.types, partial.formats, strict=True)
    return {source.name: _value(source, value, type_, own) for source, value, type_, own in rows}


def _value(
    source: CompositeSource, value: Key | None, type_: str | None, own: str | None
) -> Key | None:
    if value is None or isinstance(value, str):
        return value
    match source.kind:
        case "geotile_grid":
            return tile_text(int(value))
        case "date_histogram":
            return format_date(value, source.format, source.time_zone) if source.format else value
        case "histogram":
            if value != value:
                return "NaN"
            return format_date(int(value), own or DEFAULT_FORMAT) if type_ == "date" else value
    return bool(value) if type_ == "boolean" else value


register(
    CompositeAgg,
    Kind(
        partial=CompositePartial,
        merge=merge_composites,
        render=_render,
        type_name=lambda *_: "composite",
    ),
)
