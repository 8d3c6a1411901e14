"""rare_terms: terms of few documents. What is common anywhere is common everywhere."""

from collections.abc import Iterable

from sealane.model.dsl import RareTermsAgg
from sealane.reduce.hashing import murmur3_h1
from sealane.reduce.kinds import Json, Kind, Reduction, Show, register
from sealane.reduce.order import ip_bytes
from sealane.reduce.partial import Key, RareTermsPartial, TermBucket
from sealane.reduce.terms import key_type_of, render_key

_WIDTH = 8


def common_hash(key: Key) -> bytes:
    """Eight bytes by which a common term is remembered. Whole numbers hash as the double that they may meet."""
    text = key if isinstance(key, str) else repr(float(key))
    return murmur3_h1(text.encode()).to_bytes(_WIDTH, "big")


def packed(hashes: Iterable[bytes]) -> bytes:
    """Hashes as one value."""
    return b"".join(sorted(hashes))


def _unpacked(data: bytes) -> set[bytes]:
    return {data[at : at + _WIDTH] for at in range(0, len(data), _WIDTH)}


def merge_rare_terms(
    reduction: Reduction, spec: RareTermsAgg, partials: list[RareTermsPartial]
) -> RareTermsPartial:
    """All sources' rare terms that are rare together. Raises IllegalArgument when text meets numbers."""
    mapped = [partial for partial in partials if partial.key_type is not None]
    if not mapped:
        return RareTermsPartial([])
    key_type = key_type_of(spec.name, [partial.key_type for partial in mapped])
    common: set[bytes] = set()
    for partial in mapped:
        common |= _unpacked(partial.common)
    groups: dict[Key, list[TermBucket]] = {}
    for partial in mapped:
        for bucket in partial.buckets:
            key = float(bucket.key) if key_type == "double" else bucket.key
            groups.setdefault(key, []).append(bucket)
    buckets = []
    for key, group in groups.items():
        count = sum(bucket.count for bucket in group)
        if count > spec.max_doc_count:
            common.add(common_hash(key))
        elif not common or common_hash(key) not in common:
            aggs = reduction.trees(spec.subs, [bucket.aggs for bucket in group])
            buckets.append(TermBucket(key, count, aggs))
    if reduction.final:
        sort_rare(buckets, key_type)
        reduction.count(len(buckets))
    fmt = next((p.format for p in mapped if p.format is not None), None)
    return RareTermsPartial(buckets, packed(common), key_type, fmt)


def sort_rare(buckets: list[TermBucket], key_type: str | None) -> None:
    """By count, then by key."""
    if key_type == "ip":
        buckets.sort(key=lambda bucket: ip_bytes(str(bucket.key)))
    else:
        buckets.sort(key=lambda bucket: bucket.key)
    buckets.sort(key=lambda bucket: bucket.count)


def _render(body: Json, spec: RareTermsAgg, partial: RareTermsPartial, show: Show) -> None:
    body["buckets"] = [
        render_key(bucket.key, partial.key_type, spec.format, partial.format)
        | {"doc_count": bucket.count}
        | show.aggs(spec.subs, bucket.aggs)
        for bucket in partial.buckets
    ]


def _type_name(spec: RareTermsAgg, partial: RareTermsPartial) -> str:
    if partial.key_type is None:
        return "sterms"
    return "srareterms" if partial.key_type in ("keyword", "ip") else "lrareterms"


register(
    RareTermsAgg,
    Kind(
        partial=RareTermsPartial,
        merge=merge_rare_terms,
        render=_render,
        type_name=_type_name,
    ),
)
