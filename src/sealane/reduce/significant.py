"""significant_terms and significant_text: scored once all sources' counts are known, by the sizes of all of them."""

from sealane.model.dsl import SignificantTermsAgg
from sealane.reduce.heuristics import score
from sealane.reduce.java_order import largest, table_order
from sealane.reduce.kinds import Json, Kind, Reduction, Show, register
from sealane.reduce.partial import Key, SignificantBucket, SignificantPartial
from sealane.reduce.terms import key_type_of, render_key


def merge_significant(
    reduction: Reduction, spec: SignificantTermsAgg, partials: list[SignificantPartial]
) -> SignificantPartial:
    """All sources' counts; at the end the best of them. Raises IllegalArgument when text meets numbers."""
    mapped = [partial for partial in partials if partial.key_type is not None]
    if not mapped:
        return SignificantPartial([])
    merged = SignificantPartial(
        [],
        sum(partial.found for partial in mapped),
        sum(partial.background for partial in mapped),
        key_type_of(spec.name, [partial.key_type for partial in mapped]),
        next((p.format for p in mapped if p.format is not None), None),
    )
    groups: dict[Key, list[SignificantBucket]] = {}
    for partial in mapped:
        for bucket in partial.buckets:
            key = float(bucket.key) if merged.key_type == "double" else bucket.key
            groups.setdefault(key, []).append(bucket)
    merged.buckets = [
        SignificantBucket(
            key,
            sum(bucket.count for bucket in group),
            sum(bucket.background for bucket in group),
            reduction.trees(spec.subs, [bucket.aggs for bucket in group]),
        )
        for key, group in groups.items()
    ]
    if reduction.final:
        merged.buckets = _best(spec, merged)
        reduction.count(len(merged.buckets))
    return merged


def _best(spec: SignificantTermsAgg, partial: SignificantPartial) -> list[SignificantBucket]:
    """The most significant first; equal ones as the reference's hash table and heap leave them."""
    buckets = partial.buckets
    scores = {id(bucket): _score(spec, partial, bucket) for bucket in buckets}
    in_order = [buckets[at] for at in table_order([_text(spec, partial, b) for b in buckets])]
    enough = (
        bucket
        for bucket in in_order
        if scores[id(bucket)] > 0 and bucket.count >= spec.min_doc_count
    )
    size = min(spec.size, len(buckets))
    return largest(enough, size, lambda bucket: scores[id(bucket)])


def _text(spec: SignificantTermsAgg, partial: SignificantPartial, bucket: SignificantBucket) -> str:
    shown = render_key(bucket.key, partial.key_type, spec.format, partial.format)
    return str(shown.get("key_as_string", bucket.key))


def best_of_shard(
    spec: SignificantTermsAgg, partial: SignificantPartial
) -> list[SignificantBucket]:
    """What a shard returns: as many as asked for, significant there or not. Buckets come in the order of their keys."""
    scores = {id(bucket): _score(spec, partial, bucket) for bucket in partial.buckets}
    size = min(spec.effective_shard_size(), len(partial.buckets))
    return largest(partial.buckets, size, lambda bucket: scores[id(bucket)])


def _score(
    spec: SignificantTermsAgg, partial: SignificantPartial, bucket: SignificantBucket
) -> float:
    return score(spec.heuristic, bucket.count, partial.found, bucket.background, partial.background)


def _render(body: Json, spec: SignificantTermsAgg, partial: SignificantPartial, show: Show) -> None:
    if partial.key_type is not None:
        body["doc_count"] = partial.found
        body["bg_count"] = partial.background
    buckets = body["buckets"] = []
    for bucket in partial.buckets:
        shown = render_key(bucket.key, partial.key_type, spec.format, partial.format)
        if partial.key_type == "boolean":
            shown["key_as_string"] = bool(bucket.key)
        shown["doc_count"] = bucket.count
        shown["score"] = _score(spec, partial, bucket)
        shown["bg_count"] = bucket.background
        buckets.append(shown | show.aggs(spec.subs, bucket.aggs))


def _type_name(spec: SignificantTermsAgg, partial: SignificantPartial) -> str:
    return "sigsterms" if partial.key_type in ("keyword", "ip", None) else "siglterms"


register(
    SignificantTermsAgg,
    Kind(
        partial=SignificantPartial,
        merge=merge_significant,
        render=_render,
        type_name=_type_name,
    ),
)
