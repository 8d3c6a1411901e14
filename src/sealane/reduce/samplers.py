"""sampler, diversified_sampler and random_sampler: one bucket of some of the documents."""

from sealane.model.dsl import RandomSamplerAgg, SamplerAgg
from sealane.reduce.fixed_buckets import merge_buckets, single_number
from sealane.reduce.kinds import Json, Kind, Reduction, Show, register
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


def merge_samplers(
    reduction: Reduction, spec: SamplerAgg, partials: list[BucketsPartial]
) -> BucketsPartial:
    """Added up. A sample by a field that no source has has no aggregations below it."""
    mapped = [partial for partial in partials if partial.buckets[0].aggs is not None]
    if partials and not mapped:
        return BucketsPartial([CountBucket(0)])
    return merge_buckets(reduction, spec, mapped)


def _sample(body: Json, spec: SamplerAgg, partial: BucketsPartial, show: Show) -> None:
    bucket = partial.buckets[0]
    body["doc_count"] = bucket.count
    if bucket.aggs is not None:
        known = tuple(sub for sub in spec.subs if sub.name in bucket.aggs)
        body |= show.aggs(known, bucket.aggs)


def merge_random(
    reduction: Reduction, spec: RandomSamplerAgg, partials: list[BucketsPartial]
) -> BucketsPartial:
    """Added up; at the end counts and sums below are what they would be of all documents, as far as chance tells."""
    merged = merge_buckets(reduction, spec, partials)
    share = spec.probability or 1.0
    bucket = merged.buckets[0]
    if reduction.final and share < 1.0 and bucket.aggs is not None:
        scaled = {name: _scaled(state, 1.0 / share) for name, state in bucket.aggs.items()}
        return BucketsPartial([CountBucket(bucket.count, scaled)])
    return merged


def _tree(tree: dict[str, AggPartial] | None, by: float) -> dict[str, AggPartial] | None:
    return tree and {name: _scaled(state, by) for name, state in tree.items()}


def _scaled(state: AggPartial, by: float) -> AggPartial:
    """Counts and sums times `by`; what a sample says of values, such as extremes and distinct ones, as it is."""

    def count(number: int) -> int:
        return int(number * by + 0.5)

    match state:
        case MetricPartial():
            return MetricPartial(
                count(state.count),
                state.sum * by,
                state.min,
                state.max,
                state.sum_of_squares * by,
                state.value_type,
                state.format,
            )
        case TermsPartial():
            terms = [
                TermBucket(each.key, count(each.count), _tree(each.aggs, by), each.error)
                for each in state.buckets
            ]
            other = count(state.other)
            return TermsPartial(terms, other, state.error, state.key_type, state.format)
        case HistogramPartial():
            bars = [
                HistogramBucket(each.key, count(each.count), _tree(each.aggs, by))
                for each in state.buckets
            ]
            return HistogramPartial(bars, state.format)
        case BucketsPartial():
            fixed = [CountBucket(count(each.count), _tree(each.aggs, by)) for each in state.buckets]
            return BucketsPartial(fixed, state.bounds, state.format)
    return state


def _random(body: Json, spec: RandomSamplerAgg, partial: BucketsPartial, show: Show) -> None:
    bucket = partial.buckets[0]
    body["seed"] = spec.seed or 0
    if spec.shard_seed is not None:
        body["shard_seed"] = spec.shard_seed
    body["probability"] = spec.probability
    body["doc_count"] = bucket.count
    body |= show.aggs(spec.subs, bucket.aggs)


register(
    SamplerAgg,
    Kind(
        partial=BucketsPartial,
        merge=merge_samplers,
        render=_sample,
        type_name=lambda *_: "sampler",
        number=single_number,
        is_single_bucket=True,
    ),
)
register(
    RandomSamplerAgg,
    Kind(
        partial=BucketsPartial,
        merge=merge_random,
        render=_random,
        type_name=lambda *_: "random_sampler",
        number=single_number,
        is_single_bucket=True,
    ),
)
