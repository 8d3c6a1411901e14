"""Buckets of addresses, distances and filters in pairs."""

from sealane.model.dsl import (
    AdjacencyMatrixAgg,
    GeoDistanceAgg,
    IpPrefixAgg,
    IpRangeAgg,
    RangeBucketSpec,
)
from sealane.model.ip_addresses import ip_text
from sealane.reduce.fixed_buckets import merge_buckets
from sealane.reduce.kinds import Json, Kind, Reduction, Show, register
from sealane.reduce.number_format import java_double
from sealane.reduce.partial import BucketsPartial, CountBucket, Key, TermBucket, TermsPartial

_V4_BITS = 32


def prefix_mask(spec: IpPrefixAgg) -> int:
    """The bits of an address that an ip_prefix keeps; of an IPv4 prefix the last 32 at most."""
    bits = 128 if spec.is_ipv6 else _V4_BITS
    return ((1 << spec.prefix_length) - 1) << (bits - spec.prefix_length)


def masked(address: int, mask: int) -> int:
    return address & mask


def merge_keyed(
    reduction: Reduction,
    spec: IpPrefixAgg | AdjacencyMatrixAgg,
    partials: list[TermsPartial],
) -> TermsPartial:
    """Buckets by key, ascending by it; at the end those with documents enough."""
    groups: dict[Key, list[TermBucket]] = {}
    for partial in partials:
        for bucket in partial.buckets:
            groups.setdefault(bucket.key, []).append(bucket)
    buckets = [
        TermBucket(
            key,
            sum(bucket.count for bucket in groups[key]),
            reduction.trees(spec.subs, [bucket.aggs for bucket in groups[key]]),
        )
        for key in sorted(groups, key=str)
    ]
    if reduction.final:
        least = spec.min_doc_count if isinstance(spec, IpPrefixAgg) else 1
        buckets = [bucket for bucket in buckets if bucket.count >= least]
        reduction.count(len(buckets))
    return TermsPartial(buckets)


def _prefixes(body: Json, spec: IpPrefixAgg, partial: TermsPartial, show: Show) -> None:
    buckets: list[tuple[str, Json]] = []
    for bucket in partial.buckets:
        number = int(str(bucket.key), 16)
        text = ip_text(number) if spec.is_ipv6 else ip_text(0xFFFF_0000_0000 | number)
        if spec.append_prefix_length:
            text = f"{text}/{spec.prefix_length}"
        shown: Json = {}
        if not spec.is_ipv6:
            shown["netmask"] = ip_text(0xFFFF_0000_0000 | prefix_mask(spec))
        shown["doc_count"] = bucket.count
        shown["is_ipv6"] = spec.is_ipv6
        shown["prefix_length"] = spec.prefix_length
        buckets.append((text, shown | show.aggs(spec.subs, bucket.aggs)))
    _put(body, buckets, spec.keyed)


def _put(body: Json, buckets: list[tuple[str, Json]], keyed: bool) -> None:
    if keyed:
        body["buckets"] = dict(buckets)
    else:
        body["buckets"] = [{"key": key} | shown for key, shown in buckets]


def _matrix(body: Json, spec: AdjacencyMatrixAgg, partial: TermsPartial, show: Show) -> None:
    body["buckets"] = [
        {"key": bucket.key, "doc_count": bucket.count} | show.aggs(spec.subs, bucket.aggs)
        for bucket in partial.buckets
    ]


def _merge_spans(
    reduction: Reduction, spec: IpRangeAgg | GeoDistanceAgg, partials: list[BucketsPartial]
) -> BucketsPartial:
    reduction.count(len(spec.ranges))
    if not partials:
        partials = [BucketsPartial([CountBucket(0) for _ in spec.ranges])]
    return merge_buckets(reduction, spec, partials)


def _ip_ranges(body: Json, spec: IpRangeAgg, partial: BucketsPartial, show: Show) -> None:
    buckets: list[tuple[str, Json]] = []
    for each, bucket in zip(spec.ranges, partial.buckets, strict=True):
        shown: Json = {}
        if each.from_ is not None:
            shown["from"] = ip_text(each.from_)
        if each.to is not None:
            shown["to"] = ip_text(each.to)
        shown["doc_count"] = bucket.count
        buckets.append((each.key or "", shown | show.aggs(spec.subs, bucket.aggs)))
    _put(body, buckets, spec.keyed)


def _rings(body: Json, spec: GeoDistanceAgg, partial: BucketsPartial, show: Show) -> None:
    buckets: list[tuple[str, Json]] = []
    for each, bucket in zip(spec.ranges, partial.buckets, strict=True):
        shown: Json = {"from": float(each.from_ or 0.0)}
        if each.to is not None:
            shown["to"] = float(each.to)
        shown["doc_count"] = bucket.count
        key = each.key if each.key is not None else _ring_key(each)
        buckets.append((key, shown | show.aggs(spec.subs, bucket.aggs)))
    _put(body, buckets, spec.keyed)


def _ring_key(each: RangeBucketSpec) -> str:
    low = java_double(float(each.from_)) if each.from_ else "*"
    return f"{low}-{'*' if each.to is None else java_double(float(each.to))}"


register(
    IpRangeAgg,
    Kind(
        partial=BucketsPartial,
        merge=_merge_spans,
        render=_ip_ranges,
        type_name=lambda *_: "ip_range",
    ),
)
register(
    GeoDistanceAgg,
    Kind(
        partial=BucketsPartial,
        merge=_merge_spans,
        render=_rings,
        type_name=lambda *_: "geo_distance",
    ),
)
register(
    IpPrefixAgg,
    Kind(
        partial=TermsPartial,
        merge=merge_keyed,
        render=_prefixes,
        type_name=lambda *_: "ip_prefix",
    ),
)
register(
    AdjacencyMatrixAgg,
    Kind(
        partial=TermsPartial,
        merge=merge_keyed,
        render=_matrix,
        type_name=lambda *_: "adjacency_matrix",
    ),
)
