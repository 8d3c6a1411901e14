"""multi_terms: as terms, with keys of several parts."""

import functools
from typing import Any

from sealane.model.dates import DEFAULT_FORMAT, format_date
from sealane.model.dsl import MultiTermsAgg
from sealane.reduce.kinds import Json, Kind, Reduction, Show, register
from sealane.reduce.number_format import java_double
from sealane.reduce.order import ip_bytes, sort_buckets
from sealane.reduce.partial import Key, MultiTermsPartial, TupleBucket
from sealane.reduce.terms import UNKNOWN, key_type_of, source_error


def merge_multi_terms(
    reduction: Reduction, spec: MultiTermsAgg, partials: list[MultiTermsPartial]
) -> MultiTermsPartial:
    """All sources' tuples. Raises IllegalArgument where text meets numbers in one place of them."""
    sources = [partial for partial in partials if partial.types]
    if not sources:
        return MultiTermsPartial([], error=0)
    width = len(spec.terms)
    types = [key_type_of(spec.name, [p.types[at] for p in sources]) for at in range(width)]
    errors = [
        source_error(
            reduction, spec, each.error, len(each.buckets), functools.partial(_smallest, each)
        )
        for each in sources
    ]
    total = UNKNOWN if UNKNOWN in errors else sum(errors)
    groups: dict[tuple[Key | None, ...], list[tuple[TupleBucket, int]]] = {}
    for partial, error in zip(sources, errors, strict=True):
        for bucket in partial.buckets:
            key = tuple(map(_promoted, bucket.key, types))
            groups.setdefault(key, []).append((bucket, bucket.error - error))
    buckets = [
        TupleBucket(
            list(key),
            sum(bucket.count for bucket, _ in group),
            reduction.trees(spec.subs, [bucket.aggs for bucket, _ in group]),
            UNKNOWN if total == UNKNOWN else sum(error for _, error in group) + total,
        )
        for key, group in groups.items()
    ]
    other = sum(partial.other for partial in sources)
    if reduction.final:
        buckets = [bucket for bucket in buckets if bucket.count >= spec.min_doc_count]
        sort_tuple_buckets(buckets, spec, types)
        other += sum(bucket.count for bucket in buckets[spec.size :])
        buckets = buckets[: spec.size]
        reduction.count(len(buckets))
    formats = [
        next((p.formats[at] for p in sources if p.formats[at] is not None), None)
        for at in range(width)
    ]
    error = 0 if len(sources) == 1 and total != UNKNOWN else total
    return MultiTermsPartial(buckets, other, error, types, formats)


def _smallest(partial: MultiTermsPartial) -> int:
    return min(bucket.count for bucket in partial.buckets)


def _promoted(value: Key | None, key_type: str | None) -> Key | None:
    return float(value) if key_type == "double" and isinstance(value, int) else value


def sort_tuple_buckets(
    buckets: list[TupleBucket], spec: MultiTermsAgg, types: list[str | None]
) -> None:
    """By the request's order; keys compare place by place."""

    def place(key: list[Key | None]) -> list[Any]:
        return [
            ip_bytes(str(value)) if type_ == "ip" else value
            for value, type_ in zip(key, types, strict=True)
        ]

    if "ip" in types:
        known = {id(bucket): bucket.key for bucket in buckets}
        for bucket in buckets:
            bucket.key = place(bucket.key)
        sort_buckets(buckets, spec.order, spec.subs)
        for bucket in buckets:
            bucket.key = known[id(bucket)]
        return
    sort_buckets(buckets, spec.order, spec.subs)


def _render(body: Json, spec: MultiTermsAgg, partial: MultiTermsPartial, show: Show) -> None:
    body["doc_count_error_upper_bound"] = partial.error or 0
    body["sum_other_doc_count"] = partial.other
    buckets = body["buckets"] = []
    for bucket in partial.buckets:
        key = [
            _value(*each) for each in zip(bucket.key, partial.types, partial.formats, strict=True)
        ]
        shown: Json = {"key": key, "key_as_string": "|".join(map(_text, key))}
        shown["doc_count"] = bucket.count
        if spec.show_term_doc_count_error:
            shown["doc_count_error_upper_bound"] = bucket.error
        buckets.append(shown | show.aggs(spec.subs, bucket.aggs))


def _value(value: Key | None, key_type: str | None, own: str | None) -> Key | None:
    if key_type == "date" and isinstance(value, int):
        return format_date(value, own or DEFAULT_FORMAT)
    return bool(value) if key_type == "boolean" else value


def _text(value: Key | None) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return java_double(value) if isinstance(value, float) else str(value)


register(
    MultiTermsAgg,
    Kind(
        partial=MultiTermsPartial,
        merge=merge_multi_terms,
        render=_render,
        type_name=lambda *_: "multi_terms",
    ),
)
