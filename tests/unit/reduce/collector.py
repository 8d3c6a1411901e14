"""A shard in a few lines: what each aggregation collects from plain documents. For tests of the merge."""

from math import floor
from typing import Any

from sealane.model import dsl
from sealane.model.dates import DEFAULT_FORMAT, Rounding, resolve_date_math
from sealane.reduce.hashing import hash_doubles, hash_longs, hash_strings
from sealane.reduce.hll import HyperLogLog, precision_from_threshold
from sealane.reduce.order import sort_buckets
from sealane.reduce.partial import (
    AggPartial,
    BucketsPartial,
    CountBucket,
    HistogramBucket,
    HistogramPartial,
    MetricPartial,
    TermBucket,
    TermsPartial,
)

TYPES = {
    "k": "keyword",
    "n": "long",
    "x": "double",
    "b": "boolean",
    "d": "date",
    "ip": "ip",
}
Documents = list[dict[str, Any]]


def collect_tree(specs: tuple[dsl.Agg, ...], documents: Documents) -> dict[str, AggPartial]:
    """One shard's partials of all aggregations."""
    return {spec.name: _collect(spec, documents, documents) for spec in specs}


def _collect(spec: Any, documents: Documents, everything: Documents) -> AggPartial:
    def subs(selected: Documents) -> dict[str, AggPartial] | None:
        return {sub.name: _collect(sub, selected, everything) for sub in spec.subs} or None

    match spec:
        case dsl.MetricAgg():
            return _metric(spec, documents)
        case dsl.CardinalityAgg():
            sketch = HyperLogLog(precision_from_threshold(spec.precision_threshold))
            values = _values(documents, spec.field)
            if TYPES[spec.field] == "keyword":
                sketch.collect(hash_strings(value.encode() for value in values))
            else:
                hasher = hash_doubles if TYPES[spec.field] == "double" else hash_longs
                sketch.collect(hasher(values))
            return sketch.to_partial()
        case dsl.TermsAgg():
            return _terms(spec, documents, subs)
        case dsl.HistogramAgg() | dsl.DateHistogramAgg():
            groups = _groups(documents, _key(spec), spec.field)
            buckets = [
                HistogramBucket(key, len(groups[key]), subs(groups[key])) for key in sorted(groups)
            ]
            return HistogramPartial(buckets, _format(spec.field))
        case dsl.RangeAgg():
            return _ranges(spec, documents, subs)
        case dsl.FiltersAgg():
            chosen = [_matching(query, documents) for query in spec.filters]
            if spec.other_bucket_key is not None:
                taken = [document for group in chosen for document in group]
                chosen.append([document for document in documents if document not in taken])
            return BucketsPartial([CountBucket(len(group), subs(group)) for group in chosen])
        case dsl.FilterAgg():
            selected = _matching(spec.filter, documents)
        case dsl.MissingAgg():
            selected = [document for document in documents if spec.field not in document]
        case _:
            selected = everything
    return BucketsPartial([CountBucket(len(selected), subs(selected))])


def _values(documents: Documents, field: str) -> list[Any]:
    values = [document[field] for document in documents if field in document]
    return [int(value) if isinstance(value, bool) else value for value in values]


def _format(field: str) -> str | None:
    return DEFAULT_FORMAT if TYPES.get(field) == "date" else None


def _matching(query: dsl.Query, documents: Documents) -> Documents:
    if isinstance(query, dsl.Term):
        return [document for document in documents if document.get(query.field) == query.value]
    return documents


def _groups(documents: Documents, key: Any, field: str) -> dict[Any, Documents]:
    groups: dict[Any, Documents] = {}
    for document in documents:
        for value in _values([document], field):
            groups.setdefault(key(value), []).append(document)
    return groups


def _metric(spec: dsl.MetricAgg, documents: Documents) -> MetricPartial:
    values = _values(documents, spec.field)
    if TYPES.get(spec.field) == "keyword":
        values = [1.0] * len(values)
    return MetricPartial(
        len(values),
        float(sum(values)),
        min(values, default=None),
        max(values, default=None),
        float(sum(value * value for value in values)),
        TYPES.get(spec.field, "double"),
        _format(spec.field),
    )


def _terms(spec: dsl.TermsAgg, documents: Documents, subs: Any) -> TermsPartial:
    if spec.field not in TYPES:
        return TermsPartial([])
    groups = _groups(documents, lambda value: value, spec.field)
    buckets = [TermBucket(key, len(group), subs(group)) for key, group in groups.items()]
    sort_buckets(buckets, spec.order, spec.subs, TYPES[spec.field])
    size = spec.effective_shard_size()
    other = sum(bucket.count for bucket in buckets[size:])
    return TermsPartial(buckets[:size], other, None, TYPES[spec.field], _format(spec.field))


def _key(spec: dsl.HistogramAgg | dsl.DateHistogramAgg) -> Any:
    if isinstance(spec, dsl.HistogramAgg):
        return lambda value: (
            floor((value - spec.offset) / spec.interval) * spec.interval + spec.offset
        )
    return Rounding(
        spec.calendar_interval,
        spec.fixed_interval_ms,
        time_zone=spec.time_zone,
        offset_ms=spec.offset_ms,
    ).floor


def _ranges(spec: dsl.RangeAgg, documents: Documents, subs: Any) -> BucketsPartial:
    def end(value: Any) -> Any:
        if value is None or not spec.date:
            return value
        return resolve_date_math(value, 0, spec.format or DEFAULT_FORMAT, time_zone=spec.time_zone)

    bounds = [(end(each.from_), end(each.to)) for each in spec.ranges]
    chosen = [
        [
            document
            for document in documents
            for value in _values([document], spec.field)
            if (low is None or value >= low) and (high is None or value < high)
        ]
        for low, high in bounds
    ]
    return BucketsPartial(
        [CountBucket(len(group), subs(group)) for group in chosen], bounds, _format(spec.field)
    )
