"""percentiles, percentile_ranks, boxplot, median_absolute_deviation: what is read out of sketches of values."""

from collections.abc import Callable, Sequence
from math import inf, isfinite, isnan, nan

from sealane.model.dsl import HdrPercentilesAgg, PercentilesAgg, SketchAgg, SketchKind
from sealane.reduce import hdr
from sealane.reduce.kinds import Json, Kind, NoNumber, NotNumeric, Reduction, Show, register
from sealane.reduce.metric_states import DigestPartial, HdrPartial
from sealane.reduce.metrics import check_single_value
from sealane.reduce.number_format import java_double
from sealane.reduce.tdigest import Digest, cdf, digest_of, merged, quantile
from sealane.reduce.value_text import value_text

AnyPercentiles = PercentilesAgg | HdrPercentilesAgg


def digest_partial(
    pairs: Sequence[tuple[float, int]], compression: float, value_type: str, format_: str | None
) -> DigestPartial:
    """The state of distinct values, ascending, with their counts."""
    digest = digest_of([value for value, _ in pairs], [count for _, count in pairs], compression)
    return _partial(digest, value_type, format_)


def _partial(digest: Digest, value_type: str, format_: str | None) -> DigestPartial:
    some = bool(digest.means)
    return DigestPartial(
        list(digest.means),
        list(digest.weights),
        digest.compression,
        digest.exact,
        digest.low if some else 0.0,
        digest.high if some else 0.0,
        value_type,
        format_,
    )


def _digest(partial: DigestPartial) -> Digest:
    return Digest(
        partial.means,
        partial.weights,
        partial.compression,
        partial.exact,
        partial.low,
        partial.high,
    )


def _merge_digests(
    reduction: Reduction, spec: PercentilesAgg | SketchAgg, partials: list[DigestPartial]
) -> DigestPartial:
    if len(partials) == 1:
        return partials[0]
    leader = _leader(partials) or DigestPartial([], [])
    found = merged([_digest(partial) for partial in partials], spec.compression)
    return _partial(found, leader.value_type, leader.format)


def _leader(partials: list[DigestPartial]) -> DigestPartial | None:
    """The one whose field's type the answer has: the first that counted anything."""
    return next((p for p in partials if p.means), partials[0] if partials else None)


def _merge_hdr(
    reduction: Reduction, spec: HdrPercentilesAgg, partials: list[HdrPartial]
) -> HdrPartial:
    if len(partials) == 1:
        return partials[0]
    counts: dict[int, int] = {}
    for partial in partials:
        for slot, count in zip(partial.slots, partial.counts, strict=True):
            counts[slot] = counts.get(slot, 0) + count
    leader = next((p for p in partials if p.slots or p.zeros), partials[0] if partials else None)
    slots = sorted(counts)
    return HdrPartial(
        spec.digits,
        slots,
        [counts[slot] for slot in slots],
        sum(partial.zeros for partial in partials),
        "double" if leader is None else leader.value_type,
        None if leader is None else leader.format,
    )


# -- percentiles -------------------------------------------------------------------------------------------------


def _of_digest(spec: PercentilesAgg, partial: DigestPartial) -> Callable[[float], float]:
    digest = _digest(partial)
    if spec.ranks:
        return lambda value: cdf(digest, value) * 100.0
    return lambda percent: quantile(digest, percent / 100.0)


def _of_hdr(spec: HdrPercentilesAgg, partial: HdrPartial) -> Callable[[float], float]:
    read = hdr.percent_below if spec.ranks else hdr.value_at
    return lambda point: read(point, partial.slots, partial.counts, partial.zeros, partial.digits)


def _reader(spec: AnyPercentiles, partial: DigestPartial | HdrPartial) -> Callable[[float], float]:
    if isinstance(partial, HdrPartial):
        assert isinstance(spec, HdrPercentilesAgg)
        return _of_hdr(spec, partial)
    assert isinstance(spec, PercentilesAgg)
    return _of_digest(spec, partial)


def _percentiles_number(
    spec: AnyPercentiles, partial: DigestPartial | HdrPartial, member: str
) -> float:
    return _reader(spec, partial)(_point(member))


def _point(member: str) -> float:
    """The percent, or value, that a path names."""
    if not member:
        raise NoNumber(
            "Missing value key in [null] which refers to a multi-value metric aggregation"
        )
    try:
        return float(member)
    except ValueError:
        raise NotNumeric(f'For input string: "{member}"') from None


def _render_percentiles(
    body: Json, spec: AnyPercentiles, partial: DigestPartial | HdrPartial, show: Show
) -> None:
    read = _reader(spec, partial)
    rows = [(point, read(point)) for point in spec.points]
    texts = [_text(value, spec, partial) for _, value in rows]
    if spec.keyed:
        values: Json = {}
        for (point, value), text in zip(rows, texts, strict=True):
            key = java_double(point)
            values[key] = None if isnan(value) else float(value)
            if text is not None:
                values[f"{key}_as_string"] = text
        body["values"] = values
        return
    body["values"] = listed = []
    for (point, value), text in zip(rows, texts, strict=True):
        row: Json = {"key": float(point), "value": None if isnan(value) else float(value)}
        if text is not None:
            row["value_as_string"] = text
        listed.append(row)


def _text(
    value: float, spec: AnyPercentiles | SketchAgg, partial: DigestPartial | HdrPartial
) -> str | None:
    if isnan(value):
        return None
    return value_text(value, partial.value_type, spec.format, partial.format)


def _percentiles_type(sketch: str) -> Callable[[AnyPercentiles, object], str]:
    return lambda spec, _: f"{sketch}_percentile_ranks" if spec.ranks else f"{sketch}_percentiles"


# -- boxplot, median_absolute_deviation --------------------------------------------------------------------------


def _deviation(partial: DigestPartial) -> float:
    """The median of how far values are from their median."""
    digest = _digest(partial)
    if not digest.means:
        return nan
    median = quantile(digest, 0.5)
    counts: dict[float, int] = {}
    for mean, weight in zip(digest.means, digest.weights, strict=True):
        distance = abs(median - mean)
        counts[distance] = counts.get(distance, 0) + weight
    distances = sorted(counts)
    weights = [counts[each] for each in distances]
    found = digest_of(distances, weights, digest.compression, exact=digest.exact)
    return quantile(found, 0.5)


_QUARTILES = {"q1": 0.25, "q2": 0.5, "q3": 0.75}
_BOX_MEMBERS = ("min", "max", "q1", "q2", "q3", "lower", "upper")
_WHISKER = 1.5


def _box(partial: DigestPartial) -> dict[str, float]:
    """The seven numbers of a boxplot. Whiskers end at the last values within one and a half boxes of the box."""
    digest = _digest(partial)
    if not digest.means:
        return dict.fromkeys(_BOX_MEMBERS, nan) | {"min": inf, "max": -inf}
    box = {"min": digest.low, "max": digest.high}
    box |= {name: quantile(digest, q) for name, q in _QUARTILES.items()}
    length = _WHISKER * (box["q3"] - box["q1"])
    least, most = box["q1"] - length, box["q3"] + length
    box["lower"] = min((mean for mean in digest.means if mean >= least), default=digest.high)
    box["upper"] = max((mean for mean in digest.means if mean <= most), default=digest.low)
    return box


def _sketch_number(spec: SketchAgg, partial: DigestPartial, member: str) -> float:
    if spec.kind is SketchKind.MEDIAN_ABSOLUTE_DEVIATION:
        check_single_value(spec.name, member)
        return _deviation(partial)
    if not member:
        raise NoNumber(
            "Missing value key in [null] which refers to a multi-value metric aggregation"
        )
    if member not in _BOX_MEMBERS:
        raise NoNumber(
            "No enum constant org.elasticsearch.xpack.analytics.boxplot."
            f"InternalBoxplot.Metrics.{member.upper()}"
        )
    return _box(partial)[member]


def _render_sketch(body: Json, spec: SketchAgg, partial: DigestPartial, show: Show) -> None:
    if spec.kind is SketchKind.MEDIAN_ABSOLUTE_DEVIATION:
        value = _deviation(partial)
        body["value"] = float(value) if isfinite(value) else None
        text = _text(value, spec, partial)
        if text is not None:
            body["value_as_string"] = text
        return
    box = _box(partial)
    for name, value in box.items():
        body[name] = float(value) if isfinite(value) else java_double(value)
    if partial.means:
        shown = {f"{name}_as_string": _text(value, spec, partial) for name, value in box.items()}
        body |= {name: text for name, text in shown.items() if text is not None}


register(
    PercentilesAgg,
    Kind(
        partial=DigestPartial,
        merge=_merge_digests,
        render=_render_percentiles,
        type_name=_percentiles_type("tdigest"),
        number=_percentiles_number,
    ),
)
register(
    HdrPercentilesAgg,
    Kind(
        partial=HdrPartial,
        merge=_merge_hdr,
        render=_render_percentiles,
        type_name=_percentiles_type("hdr"),
        number=_percentiles_number,
    ),
)
register(
    SketchAgg,
    Kind(
        partial=DigestPartial,
        merge=_merge_digests,
        render=_render_sketch,
        type_name=lambda spec, _: spec.kind.value,
        number=_sketch_number,
    ),
)
