"""geohash_grid and geotile_grid: cells by number of documents, then by name from the last."""

from sealane.model.dsl import GeoGridAgg
from sealane.reduce.kinds import Json, Kind, Reduction, Show, register
from sealane.reduce.partial import Key, TermBucket, TermsPartial
from sealane.reduce.tiles import GEOHASH_MAX, tile_text


def merge_grids(
    reduction: Reduction, spec: GeoGridAgg, partials: list[TermsPartial]
) -> TermsPartial:
    """All sources' cells; at the end the fullest of them."""
    groups: dict[Key, list[TermBucket]] = {}
    for partial in partials:
        for bucket in partial.buckets:
            groups.setdefault(bucket.key, []).append(bucket)
    buckets = [
        TermBucket(
            key,
            sum(bucket.count for bucket in group),
            reduction.trees(spec.subs, [bucket.aggs for bucket in group]),
        )
        for key, group in groups.items()
    ]
    if reduction.final:
        buckets = fullest(buckets, spec.size)
        reduction.count(len(buckets))
    return TermsPartial(buckets)


def fullest(buckets: list[TermBucket], most: int) -> list[TermBucket]:
    """The cells with the most documents, those of equal numbers from the last key on."""
    return sorted(buckets, key=lambda each: (each.count, _place(each.key)), reverse=True)[:most]


def _place(key: Key) -> tuple[bool, Key]:
    """Hashes of 12 characters fill a signed number, in which the eastern half is below zero."""
    return (isinstance(key, str) and len(key) == GEOHASH_MAX and key < "h"), key


def _render(body: Json, spec: GeoGridAgg, partial: TermsPartial, show: Show) -> None:
    buckets = body["buckets"] = []
    for bucket in partial.buckets:
        key = tile_text(bucket.key) if isinstance(bucket.key, int) else bucket.key
        shown: Json = {"key": key, "doc_count": bucket.count}
        buckets.append(shown | show.aggs(spec.subs, bucket.aggs))


register(
    GeoGridAgg,
    Kind(
        partial=TermsPartial,
        merge=merge_grids,
        render=_render,
        type_name=lambda spec, _: spec.kind,
    ),
)
