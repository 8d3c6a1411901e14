"""terms: counts by key, with bounds on what sources did not return."""

from sealane.errors import IllegalArgument
from sealane.model.dsl import BucketOrder, TermsAgg
from sealane.reduce.kinds import Json, Kind, Reduction, Show, register
from sealane.reduce.order import sort_buckets
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


def merge_terms(reduction: Reduction, spec: TermsAgg, partials: list[TermsPartial]) -> TermsPartial:
    """All sources' terms. Keys of long and double fields meet as doubles.

    Raises IllegalArgument when text meets numbers.
    """
    mapped = [partial for partial in partials if partial.key_type is not None]
    if not mapped:
        return TermsPartial([], error=0)
    as_double = _agree(spec, mapped)
    groups: dict[Key, list[tuple[TermBucket, int]]] = {}
    total_error = 0
    for partial in mapped:
        error = _source_error(reduction, spec, partial)
        if total_error != UNKNOWN:
            total_error = UNKNOWN if error == UNKNOWN else total_error + error
        for bucket in partial.buckets:
            key = float(bucket.key) if as_double else bucket.key
            # What the bucket's error already holds for this source is not counted twice.
            groups.setdefault(key, []).append((bucket, bucket.error - error))
    buckets = [
        TermBucket(
            key,
            sum(bucket.count for bucket, _ in group),
            reduction.trees(spec.subs, [bucket.aggs for bucket, _ in group]),
            UNKNOWN if total_error == UNKNOWN else sum(e for _, e in group) + total_error,
        )
        for key, group in groups.items()
    ]
    other = sum(partial.other for partial in mapped)
    key_type = "double" if as_double else mapped[0].key_type
    if reduction.final:
        buckets = [bucket for bucket in buckets if bucket.count >= spec.min_doc_count]
        sort_buckets(buckets, spec.order, spec.subs, key_type)
        other += sum(bucket.count for bucket in buckets[spec.size :])
        buckets = buckets[: spec.size]
        reduction.count(len(buckets))
    return TermsPartial(
        buckets,
        other=other,
        error=0 if len(mapped) == 1 and total_error != UNKNOWN else total_error,
        key_type=key_type,
        format=next((p.format for p in mapped if p.format is not None), None),
    )


def _agree(spec: TermsAgg, mapped: list[TermsPartial]) -> bool:
    """True when keys become doubles."""
    classes = {_CLASSES.get(partial.key_type or "", "long") for partial in mapped}
    if "string" in classes and len(classes) > 1:
        raise IllegalArgument(
            "Merging/Reducing the aggregations failed when computing the aggregation "
            f"[{spec.name}] because the field you gave in the aggregation query "
            "existed as two different types in two different indices"
        )
    return "double" in classes


def _source_error(reduction: Reduction, spec: TermsAgg, partial: TermsPartial) -> int:
    """How many documents of a term this source may have kept to itself; -1 when nothing bounds it."""
    if partial.error is not None:
        return partial.error
    if not partial.buckets or len(partial.buckets) < spec.effective_shard_size():
        return 0
    first = spec.order[0]
    if first.path == "_key":
        return 0
    if first != BucketOrder("_count", False):
        return UNKNOWN
    if reduction.by_cluster:
        # A cluster of one shard: the reference's merge of one answer forgets that it was cut.
        return 0
    return min(bucket.count for bucket in partial.buckets)


def _render(body: Json, spec: TermsAgg, partial: TermsPartial, show: Show) -> None:
    body["doc_count_error_upper_bound"] = partial.error or 0
    body["sum_other_doc_count"] = partial.other
    buckets = body["buckets"] = []
    for bucket in partial.buckets:
        shown: Json = {"key": bucket.key}
        if not isinstance(bucket.key, str):
            text = value_text(bucket.key, partial.key_type, spec.format, partial.format)
            if text is not None:
                shown["key_as_string"] = text
        shown["doc_count"] = bucket.count
        if spec.show_term_doc_count_error:
            shown["doc_count_error_upper_bound"] = bucket.error
        buckets.append(shown | show.aggs(spec.subs, bucket.aggs))


def _type_name(spec: TermsAgg, partial: TermsPartial) -> str:
    if partial.key_type in ("long", "date", "boolean"):
        return "lterms"
    return "dterms" if partial.key_type == "double" else "sterms"


register(
    TermsAgg,
    Kind(partial=TermsPartial, merge=merge_terms, render=_render, type_name=_type_name),
)
