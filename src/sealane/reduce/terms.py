"""terms: counts by key, with bounds on what sources did not return."""

import functools
from collections.abc import Callable, Iterable
from typing import Protocol

from sealane.errors import IllegalArgument
from sealane.model.dsl import BucketOrder, TermsAgg
from sealane.reduce.kinds import Json, Kind, Reduction, Show, register
from sealane.reduce.order import sort_buckets
from sealane.reduce.packed_terms import PackedSum, can_pack, size_of, smallest_count, unpacked
from sealane.reduce.partial import Key, TermBucket, TermsPartial
from sealane.reduce.value_text import value_text

_CLASSES = {
    "keyword": "string",
    "ip": "string",
    "text": "string",
    "double": "double",
    "float": "double",
}
UNKNOWN = -1
_BY_COUNT = (BucketOrder("_count", False), BucketOrder("_key", True))


def merge_terms(reduction: Reduction, spec: TermsAgg, partials: list[TermsPartial]) -> TermsPartial:
    """All sources' terms. Keys of long and double fields meet as doubles.

    Raises IllegalArgument when text meets numbers.
    """
    mapped = [partial for partial in partials if partial.key_type is not None]
    if not mapped:
        return TermsPartial([], error=0)
    key_type = key_type_of(spec.name, [partial.key_type for partial in mapped])
    as_double = key_type == "double"
    errors = [
        source_error(
            reduction, spec, each.error, size_of(each), functools.partial(smallest_count, each)
        )
        for each in mapped
    ]
    total_error = UNKNOWN if UNKNOWN in errors else sum(errors)
    merged = TermsPartial(
        [],
        other=sum(partial.other for partial in mapped),
        error=0 if len(mapped) == 1 and total_error != UNKNOWN else total_error,
        key_type=key_type,
        format=next((p.format for p in mapped if p.format is not None), None),
    )
    sources = list(zip(mapped, errors, strict=True))
    if _as_columns(spec, mapped, key_type):
        added = PackedSum(spec, sources, error=total_error)
        if not reduction.final:
            merged.packed = added.packed()
            return merged
        merged.buckets, dropped = added.best(spec.size, spec.min_doc_count, merged.key_type)
        merged.other += dropped
        reduction.count(len(merged.buckets))
        return merged
    buckets = _added(reduction, spec, sources, as_double=as_double, total_error=total_error)
    if reduction.final:
        buckets = [bucket for bucket in buckets if bucket.count >= spec.min_doc_count]
        sort_buckets(buckets, spec.order, spec.subs, merged.key_type)
        merged.other += sum(bucket.count for bucket in buckets[spec.size :])
        buckets = buckets[: spec.size]
        reduction.count(len(buckets))
    merged.buckets = buckets
    return merged


def _as_columns(spec: TermsAgg, mapped: list[TermsPartial], key_type: str | None) -> bool:
    """Whether to merge without a bucket object for every term. Keys that become doubles may become equal."""
    return (
        any(partial.packed is not None for partial in mapped)
        and all(key_type != "double" or partial.key_type == "double" for partial in mapped)
        and spec.order == _BY_COUNT
        and can_pack(spec)
    )


def _added(
    reduction: Reduction,
    spec: TermsAgg,
    sources: list[tuple[TermsPartial, int]],
    *,
    as_double: bool,
    total_error: int,
) -> list[TermBucket]:
    groups: dict[Key, list[tuple[TermBucket, int]]] = {}
    for partial, error in sources:
        for bucket in unpacked(partial):
            key = float(bucket.key) if as_double else bucket.key
            # The two zeros are different keys, which no set of numbers knows.
            same = (key or str(key)) if as_double else key
            # What the bucket's error already holds for this source is not counted twice.
            groups.setdefault(same, []).append((bucket, bucket.error - error))
    return [
        TermBucket(
            float(key) if as_double else key,
            sum(bucket.count for bucket, _ in group),
            reduction.trees(spec.subs, [bucket.aggs for bucket, _ in group]),
            UNKNOWN if total_error == UNKNOWN else sum(e for _, e in group) + total_error,
        )
        for key, group in groups.items()
    ]


def key_type_of(name: str, types: Iterable[str | None]) -> str | None:
    """The type of keys of several types, of which None says nothing: the first, or doubles where any are.

    Raises IllegalArgument when text meets numbers.
    """
    known = [each for each in types if each is not None]
    classes = {_CLASSES.get(each, "long") for each in known}
    if "string" in classes and len(classes) > 1:
        raise IllegalArgument(
            "Merging/Reducing the aggregations failed when computing the aggregation "
            f"[{name}] because the field you gave in the aggregation query "
            "existed as two different types in two different indices"
        )
    return "double" if "double" in classes else next(iter(known), None)


class _CutByShards(Protocol):
    """Terms of one field or of several."""

    @property
    def order(self) -> tuple[BucketOrder, ...]: ...

    def effective_shard_size(self) -> int: ...


def source_error(
    reduction: Reduction,
    spec: _CutByShards,
    known: int | None,
    size: int,
    smallest: Callable[[], int],
) -> int:
    """How many documents of a term a source may have kept to itself; -1 when nothing bounds it.

    `known` is what it says itself; else it follows from the number of its buckets and the `smallest` count of them.
    """
    if known is not None:
        return known
    if not size or size < spec.effective_shard_size():
        return 0
    first = spec.order[0]
    if first.path == "_key":
        return 0
    if first != BucketOrder("_count", False):
        return UNKNOWN
    if reduction.by_cluster:
        # A cluster of one shard: the reference's merge of one answer forgets that it was cut.
        return 0
    return smallest()


def _render(body: Json, spec: TermsAgg, partial: TermsPartial, show: Show) -> None:
    body["doc_count_error_upper_bound"] = partial.error or 0
    body["sum_other_doc_count"] = partial.other
    buckets = body["buckets"] = []
    for bucket in partial.buckets:
        shown = render_key(bucket.key, partial.key_type, spec.format, partial.format)
        shown["doc_count"] = bucket.count
        if spec.show_term_doc_count_error:
            shown["doc_count_error_upper_bound"] = bucket.error
        buckets.append(shown | show.aggs(spec.subs, bucket.aggs))


def render_key(key: Key, key_type: str | None, wanted: str | None, own: str | None) -> Json:
    """`key`, and `key_as_string` where the type or the request's format has one."""
    shown: Json = {"key": key}
    if not isinstance(key, str):
        text = value_text(key, key_type, wanted, own)
        if text is not None:
            shown["key_as_string"] = text
    return shown


def _type_name(spec: TermsAgg, partial: TermsPartial) -> str:
    if partial.key_type in ("long", "date", "boolean"):
        return "lterms"
    return "dterms" if partial.key_type == "double" else "sterms"


register(
    TermsAgg,
    Kind(partial=TermsPartial, merge=merge_terms, render=_render, type_name=_type_name),
)
