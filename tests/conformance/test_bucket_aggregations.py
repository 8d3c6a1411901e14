"""Bucket aggregations beyond the common ones, over several clusters: section "Aggregations" of the checklist."""

import itertools
from collections import Counter
from typing import Any

import pytest

from sealane.testing.in_process import InProcessCluster
from tests.conformance.conftest import Pair

Json = dict[str, Any]
BOTH = "i,eu:i"

MAPPING: Json = {
    "k": {"type": "keyword"},
    "k2": {"type": "keyword"},
    "n": {"type": "long"},
    "d": {"type": "double"},
    "at": {"type": "date"},
    "ip": {"type": "ip"},
    "t": {"type": "text"},
    "g": {"type": "geo_point"},
    "ok": {"type": "boolean"},
}


async def put(
    cluster: InProcessCluster, *documents: Json, index: str = "i", shards: int = 1, **mapping: Json
) -> None:
    body = {
        "settings": {"number_of_shards": shards},
        "mappings": {"properties": MAPPING | mapping},
    }
    await cluster.call("PUT", f"/{index}", body)
    await cluster.fill(index, {str(n): document for n, document in enumerate(documents)})


async def search(pair: Pair, agg: Json, *, expression: str = BOTH, **body: Any) -> Json:
    whole = {"size": 0, "aggs": {"x": agg}, **body}
    answer = await pair.local.call("POST", f"/{expression}/_search", whole)
    shown: Json = answer["aggregations"]["x"]
    return shown


async def refusal(pair: Pair, agg: Json, *, expression: str = BOTH) -> tuple[int, str]:
    answer = await pair.local.request("POST", f"/{expression}/_search", {"aggs": {"x": agg}})
    error = answer.body["error"]
    while error.get("type") == "search_phase_execution_exception" or "failed_shards" in error:
        shards = error.get("failed_shards")
        error = shards[0]["reason"] if shards else error["caused_by"]
    return answer.status, error["reason"]


def counts(buckets: list[Json]) -> dict[Any, int]:
    return {bucket["key"]: bucket["doc_count"] for bucket in buckets}


# -- composite ---------------------------------------------------------------------------------------------------


async def pages(pair: Pair, sources: list[Json], size: int) -> list[tuple[tuple[Any, ...], int]]:
    """All buckets of a composite, a page after the other."""
    found: list[tuple[tuple[Any, ...], int]] = []
    after: Json | None = None
    while True:
        composite: Json = {"sources": sources, "size": size}
        if after is not None:
            composite["after"] = after
        page = await search(pair, {"composite": composite})
        found += [(tuple(each["key"].values()), each["doc_count"]) for each in page["buckets"]]
        if "after_key" not in page:
            return found
        after = page["after_key"]


@pytest.mark.parametrize("size", [1, 2, 5])
async def test_paging_through_a_composite_visits_each_key_once(pair: Pair, size: int) -> None:
    """S-103: keys of one cluster, of the other and of both; several values, and none."""
    here: list[Json] = [
        {"k": "a", "n": 1},
        {"k": ["a", "b"], "n": 12},
        {"n": 3},
        {"k": "c", "n": 3},
    ]
    there: list[Json] = [
        {"k": "b", "n": 2},
        {"k": "d"},
        {"k": "a", "n": 14},
        {"k": "a", "n": [1, 2]},
    ]
    await put(pair.local, *here, shards=2)
    await put(pair.eu, *there)
    sources = [
        {"k": {"terms": {"field": "k", "missing_bucket": True, "order": "desc"}}},
        {"n": {"histogram": {"field": "n", "interval": 10}}},
    ]
    wanted: Counter[tuple[Any, ...]] = Counter()
    for document in [*here, *there]:
        keys = document.get("k", [None])
        numbers = document.get("n", [])
        tens = {
            number // 10 * 10.0 for number in (numbers if isinstance(numbers, list) else [numbers])
        }
        wanted.update(itertools.product(keys if isinstance(keys, list) else [*keys], tens))
    found = await pages(pair, sources, size)
    assert Counter(dict(found)) == wanted
    assert len(found) == len(wanted)
    assert [key for key, _ in found] == sorted(
        wanted, key=lambda key: (key[0] is None, [-ord(key[0] or "a")], key[1])
    )


async def test_a_composite_shows_its_keys_as_the_reference(pair: Pair) -> None:
    """Formats of dates, text of addresses, booleans; the last key is where to go on."""
    document = {"at": "2024-03-31T01:30:00Z", "ip": "::ffff:10.0.0.1", "ok": True, "d": 7.4}
    await put(pair.local, document)
    await put(pair.eu, document)
    sources = [
        {
            "day": {
                "date_histogram": {
                    "field": "at",
                    "calendar_interval": "month",
                    "time_zone": "Europe/Berlin",
                    "format": "yyyy-MM",
                }
            }
        },
        {"at": {"date_histogram": {"field": "at", "fixed_interval": "1h"}}},
        {"ip": {"terms": {"field": "ip"}}},
        {"ok": {"terms": {"field": "ok"}}},
        {"d": {"histogram": {"field": "d", "interval": 5}}},
        {"none": {"terms": {"field": "no_such", "missing_bucket": True}}},
    ]
    key = {
        "day": "2024-03",
        "at": 1711846800000,
        "ip": "10.0.0.1",
        "ok": True,
        "d": 5.0,
        "none": None,
    }
    found = await search(pair, {"composite": {"sources": sources}})
    assert found == {"after_key": key, "buckets": [{"key": key, "doc_count": 2}]}
    again = await search(pair, {"composite": {"sources": sources, "after": key}})
    assert again == {"buckets": []}


@pytest.mark.parametrize(
    ("composite", "reason"),
    [
        ({"sources": []}, "[1:39] [composite] failed to parse field [sources]"),
        (
            {"sources": [{"a": {"terms": {"field": "k"}}}], "after": {}},
            "[after] has 0 value(s) but [sources] has 1",
        ),
        (
            {"sources": [{"a": {"terms": {"field": "k"}}}], "after": {"b": "x"}},
            "Missing value for [after.a]",
        ),
        (
            {"sources": [{"a": {"terms": {"field": "k"}}}], "after": {"a": None}},
            "Invalid value for [after.a], expected comparable, got [null]",
        ),
        (
            {"sources": [{"a": {"terms": {"field": "k", "missing_order": "last"}}}]},
            "missingOrder can only be set if missingBucket is true",
        ),
        (
            {"sources": [{"a": {"terms": {"field": "n"}}}], "after": {"a": "x"}},
            "Cannot set after key in the composite aggregation [x] - incompatible value in the "
            'position 0: For input string: "x"',
        ),
        (
            {"sources": [{"a": {"terms": {"field": "k"}}}], "size": 70000},
            "Trying to create too many buckets. Must be less than or equal to: [65536] but was "
            "[70000]. This limit can be set by changing the [search.max_buckets] cluster level "
            "setting.",
        ),
    ],
)
async def test_what_a_composite_cannot_be(pair: Pair, composite: Json, reason: str) -> None:
    """S-103: each with the reference's words."""
    await put(pair.local, {"k": "a"})
    await put(pair.eu, {"k": "a"})
    assert await refusal(pair, {"composite": composite}) == (400, reason)


async def test_a_composite_may_be_in_a_filter_only(pair: Pair) -> None:
    await put(pair.local, {"k": "a", "ok": True}, {"k": "b"})
    await put(pair.eu, {"k": "a", "ok": True})
    composite = {"composite": {"sources": [{"k": {"terms": {"field": "k"}}}]}}
    inside = {"filter": {"term": {"ok": True}}, "aggs": {"c": composite}}
    found = (await search(pair, inside))["c"]["buckets"]
    assert found == [{"key": {"k": "a"}, "doc_count": 2}]
    status, reason = await refusal(pair, {"terms": {"field": "k"}, "aggs": {"c": composite}})
    assert (status, reason) == (
        400,
        "[composite] aggregation cannot be used with a parent aggregation of type: "
        "[TermsAggregatorFactory]",
    )


# -- terms of several fields, rare and significant ones ------------------------------------------------------------


async def test_terms_of_several_fields(pair: Pair) -> None:
    """S-94, S-97: counted together over the clusters; whole and fractional parts meet as doubles."""
    await put(
        pair.local, {"k": "a", "n": 1, "ok": True}, {"k": "a", "n": 1, "ok": True}, {"k": "b"}
    )
    await put(pair.eu, {"k": "a", "n": 1.0, "ok": True}, {"k": "b", "n": 2.5}, n={"type": "double"})
    agg = {
        "multi_terms": {
            "terms": [{"field": "k"}, {"field": "n"}, {"field": "ok", "missing": False}]
        },
        "aggs": {"s": {"sum": {"field": "n"}}},
    }
    assert await search(pair, agg) == {
        "doc_count_error_upper_bound": 0,
        "sum_other_doc_count": 0,
        "buckets": [
            {
                "key": ["a", 1.0, True],
                "key_as_string": "a|1.0|true",
                "doc_count": 3,
                "s": {"value": 3.0},
            },
            {
                "key": ["b", 2.5, False],
                "key_as_string": "b|2.5|false",
                "doc_count": 1,
                "s": {"value": 2.5},
            },
        ],
    }


async def test_a_term_that_is_rare_here_and_common_there_is_not_rare(pair: Pair) -> None:
    """S-105: also where it is rare everywhere, but not together."""
    await put(pair.local, {"k": "rare"}, {"k": "common"}, {"k": "both"})
    await put(pair.eu, *[{"k": "common"}] * 5, {"k": "both"})
    found = await search(pair, {"rare_terms": {"field": "k", "max_doc_count": 1}})
    assert found["buckets"] == [{"key": "rare", "doc_count": 1}]
    found = await search(pair, {"rare_terms": {"field": "k", "max_doc_count": 2}})
    assert counts(found["buckets"]) == {"rare": 1, "both": 2}


async def test_significance_is_by_the_sizes_of_all_clusters(pair: Pair) -> None:
    """S-104: jlh of 3 of 4 found documents, where 4 of 10 have the term."""
    await put(pair.local, *[{"k": "a", "ok": True}] * 2, {"k": "a", "ok": False}, {"k": "b"})
    await put(pair.eu, {"k": "a", "ok": True}, {"k": "b", "ok": True}, *[{"k": "b"}] * 4)
    agg = {"significant_terms": {"field": "k", "min_doc_count": 1}}
    found = await search(pair, agg, query={"term": {"ok": True}})
    here, everywhere = 3 / 4, 4 / 10
    assert found == {
        "doc_count": 4,
        "bg_count": 10,
        "buckets": [
            {
                "key": "a",
                "doc_count": 3,
                "score": (here - everywhere) * (here / everywhere),
                "bg_count": 4,
            }
        ],
    }


async def test_significant_words_of_texts(pair: Pair) -> None:
    """S-104: read out of the sources, their background out of the index."""
    await put(pair.local, {"t": "Red fish", "ok": True}, {"t": "blue fish"}, {"t": "blue bird"})
    await put(pair.eu, {"t": "red, red bird", "ok": True}, {"t": "blue dog"})
    agg = {"significant_text": {"field": "t", "min_doc_count": 2}}
    found = await search(pair, agg, query={"term": {"ok": True}})
    assert found == {
        "doc_count": 2,
        "bg_count": 5,
        "buckets": [{"key": "red", "doc_count": 2, "score": 1.5, "bg_count": 2}],
    }


async def test_partitions_of_terms_are_whole_together(pair: Pair) -> None:
    """Each key is in one partition, the same in every cluster."""
    await put(pair.local, *[{"n": n} for n in range(20)])
    await put(pair.eu, *[{"n": n} for n in range(10, 30)])
    found: list[int] = []
    for partition in range(4):
        include = {"partition": partition, "num_partitions": 4}
        terms = await search(pair, {"terms": {"field": "n", "size": 30, "include": include}})
        found += [each["key"] for each in terms["buckets"]]
    assert sorted(found) == list(range(30))


# -- histograms that fit the data ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("buckets", "interval", "keys"),
    [
        (100, "1d", 63),
        (20, "7d", 9),
        (4, "1M", 3),
        (2, "3M", 1),
    ],
)
async def test_dates_find_the_interval_of_the_union(
    pair: Pair, buckets: int, interval: str, keys: int
) -> None:
    """S-102: each cluster alone would choose a finer one."""
    await put(pair.local, {"at": "2024-01-01T00:00:00Z"}, {"at": "2024-01-02T10:00:00Z"})
    await put(pair.eu, {"at": "2024-03-03T00:00:00Z"}, {"at": "2024-03-03T10:00:00Z"})
    found = await search(pair, {"auto_date_histogram": {"field": "at", "buckets": buckets}})
    assert (found["interval"], len(found["buckets"])) == (interval, keys)
    assert sum(each["doc_count"] for each in found["buckets"]) == 4
    assert found["buckets"][0]["key_as_string"] == "2024-01-01T00:00:00.000Z"


async def test_widths_that_fit_the_values(pair: Pair) -> None:
    """The nearest clusters of values are merged, also those of different clusters of nodes."""
    await put(pair.local, *[{"d": each} for each in (1.0, 2.0, 50.0)])
    await put(pair.eu, *[{"d": each} for each in (1.5, 52.0, 100.0)])
    found = await search(pair, {"variable_width_histogram": {"field": "d", "buckets": 3}})
    assert found["buckets"] == [
        {"min": 1.0, "key": 1.5, "max": 2.0, "doc_count": 3},
        {"min": 50.0, "key": 51.0, "max": 52.0, "doc_count": 2},
        {"min": 100.0, "key": 100.0, "max": 100.0, "doc_count": 1},
    ]


# -- addresses, filters in pairs, samples ---------------------------------------------------------------------------


async def test_ranges_and_prefixes_of_addresses(pair: Pair) -> None:
    """S-113."""
    await put(pair.local, {"ip": "10.0.0.1"}, {"ip": "10.0.1.1"}, {"ip": "2001:db8::1"})
    await put(pair.eu, {"ip": ["10.0.0.9", "10.0.1.9"]}, {"ip": "192.168.0.1"})
    ranges = [{"mask": "10.0.0.0/24"}, {"from": "10.0.1.0", "to": "192.168.0.1"}]
    found = await search(pair, {"ip_range": {"field": "ip", "ranges": ranges}})
    assert found["buckets"] == [
        {"key": "10.0.0.0/24", "from": "10.0.0.0", "to": "10.0.1.0", "doc_count": 2},
        {"key": "10.0.1.0-192.168.0.1", "from": "10.0.1.0", "to": "192.168.0.1", "doc_count": 2},
    ]
    found = await search(pair, {"ip_prefix": {"field": "ip", "prefix_length": 24}})
    assert found["buckets"][1] == {
        "key": "10.0.0.0",
        "netmask": "255.255.255.0",
        "doc_count": 2,
        "is_ipv6": False,
        "prefix_length": 24,
    }
    wide = {"field": "ip", "prefix_length": 64, "is_ipv6": True, "append_prefix_length": True}
    found = await search(pair, {"ip_prefix": wide})
    assert counts(found["buckets"]) == {"::/64": 4, "2001:db8::/64": 1}


async def test_filters_in_pairs(pair: Pair) -> None:
    """S-113: what only one cluster has, and nothing that none has."""
    await put(pair.local, {"k": "a", "n": 1})
    await put(pair.eu, {"k": "a", "n": 5}, {"k": "b"})
    filters = {
        "a": {"term": {"k": "a"}},
        "b": {"term": {"k": "b"}},
        "five": {"term": {"n": 5}},
    }
    found = await search(pair, {"adjacency_matrix": {"filters": filters}})
    assert counts(found["buckets"]) == {"a": 2, "a&five": 1, "b": 1, "five": 1}


async def test_samples(pair: Pair) -> None:
    """S-113: each shard samples its own; at a probability of 1 all documents are."""
    await put(pair.local, *[{"k": "a", "n": n} for n in range(5)], {"k": "b", "n": 9})
    await put(pair.eu, {"k": "a", "n": 1}, {"n": 2})
    subs = {"aggs": {"n": {"value_count": {"field": "n"}}}}
    found = await search(pair, {"sampler": {"shard_size": 4}, **subs})
    assert found == {"doc_count": 6, "n": {"value": 6}}
    found = await search(pair, {"diversified_sampler": {"field": "k"}, **subs})
    assert found == {"doc_count": 3, "n": {"value": 3}}
    found = await search(pair, {"random_sampler": {"probability": 1, "seed": 7}, **subs})
    assert found == {"seed": 7, "probability": 1, "doc_count": 8, "n": {"value": 8}}
    found = await search(pair, {"diversified_sampler": {"field": "no_such"}, **subs})
    assert found == {"doc_count": 0}


# -- points --------------------------------------------------------------------------------------------------------


async def test_grids_are_sorted_and_cut_after_the_merge(pair: Pair) -> None:
    """S-114: a cell that no cluster has first is first together."""
    berlin, paris, rome = [13.4, 52.5], [2.35, 48.85], [12.5, 41.9]
    await put(pair.local, *[{"g": each} for each in (berlin, berlin, paris, paris, paris)])
    await put(pair.eu, *[{"g": each} for each in (berlin, berlin, rome, rome, rome)])
    found = await search(pair, {"geohash_grid": {"field": "g", "precision": 3, "size": 2}})
    assert found["buckets"] == [{"key": "u33", "doc_count": 4}, {"key": "u09", "doc_count": 3}]
    found = await search(pair, {"geotile_grid": {"field": "g", "precision": 4, "size": 1}})
    assert found["buckets"] == [{"key": "4/8/5", "doc_count": 10}]


async def test_rings_around_a_place(pair: Pair) -> None:
    """S-113."""
    await put(pair.local, {"g": "52.5,13.4"}, {"g": "48.85,2.35"})
    await put(pair.eu, {"g": "52.4,13.1"}, {"n": 1})
    ranges = [{"to": 100}, {"from": 100, "to": 2000}]
    agg = {"field": "g", "origin": "52.5,13.4", "unit": "km", "ranges": ranges}
    found = await search(pair, {"geo_distance": agg})
    assert found["buckets"] == [
        {"key": "*-100.0", "from": 0.0, "to": 100.0, "doc_count": 2},
        {"key": "100.0-2000.0", "from": 100.0, "to": 2000.0, "doc_count": 1},
    ]


# -- rules for all -------------------------------------------------------------------------------------------------

KINDS: dict[str, Json] = {
    "composite": {"sources": [{"k": {"terms": {"field": "k"}}}]},
    "multi_terms": {"terms": [{"field": "k"}, {"field": "k2"}]},
    "rare_terms": {"field": "k", "max_doc_count": 9},
    "significant_terms": {"field": "k", "min_doc_count": 1},
    "significant_text": {"field": "t", "min_doc_count": 1},
    "ip_range": {"field": "ip", "ranges": [{"from": "10.0.0.0"}]},
    "ip_prefix": {"field": "ip", "prefix_length": 8},
    "variable_width_histogram": {"field": "n"},
    "auto_date_histogram": {"field": "at"},
    "diversified_sampler": {"field": "k"},
    "geohash_grid": {"field": "g"},
    "geotile_grid": {"field": "g"},
    "geo_distance": {"field": "g", "origin": "0,0", "ranges": [{"to": 1}]},
}


@pytest.mark.parametrize("kind", KINDS)
async def test_fields_that_one_cluster_lacks_change_nothing(pair: Pair, kind: str) -> None:
    """S-115: the answer is that of the cluster that has them, whichever is the remote."""
    document = {
        "k": "a",
        "k2": "b",
        "t": "word",
        "ip": "10.0.0.1",
        "n": 3,
        "at": "2024-01-01",
        "g": "0,0",
    }
    await put(pair.local, document)
    await pair.eu.call("PUT", "/empty", {"mappings": {}})
    await pair.eu.fill("empty", {"1": {"other": 1}})
    await pair.local.call("PUT", "/empty", {"mappings": {}})
    await pair.local.fill("empty", {"1": {"other": 1}})
    await put(pair.eu, document)
    agg: Json = {kind: KINDS[kind]}
    if kind != "significant_text":
        agg["aggs"] = {"c": {"value_count": {"field": "n"}}}
    alone = await search(pair, agg, expression="i")
    if not kind.startswith("significant"):
        assert await search(pair, agg, expression="i,eu:empty") == alone
        assert await search(pair, agg, expression="empty,eu:i") == alone
    nothing = await search(pair, agg, expression="empty,eu:empty")
    assert nothing == await search(pair, agg, expression="empty")


@pytest.mark.parametrize(
    "kind", ["categorize_text", "time_series", "frequent_item_sets", "geohex_grid"]
)
async def test_kinds_that_are_not_here_say_so(pair: Pair, kind: str) -> None:
    await put(pair.local, {"k": "a"})
    answer = await pair.local.request("POST", "/i/_search", {"aggs": {"x": {kind: {"field": "t"}}}})
    assert answer.status == 400
    reason = answer.body["error"]["reason"]
    assert reason == f"[{kind}] aggregation is not supported by this version"


async def test_too_many_buckets_at_the_final_merge(pair: Pair) -> None:
    """S-117: with the limit and the setting's name; each cluster alone stays below."""
    await pair.local.call("PUT", "/_cluster/settings", {"persistent": {"search.max_buckets": 3}})
    await put(pair.local, {"k": "a"}, {"k": "b"})
    await put(pair.eu, {"k": "c"}, {"k": "d"})
    agg = {"composite": {"sources": [{"k": {"terms": {"field": "k"}}}]}}
    assert len((await search(pair, agg, expression="i"))["buckets"]) == 2
    status, reason = await refusal(pair, agg)
    assert status == 400
    assert reason.startswith(
        "Trying to create too many buckets. Must be less than or equal to: [3]"
    )
    assert "[search.max_buckets]" in reason


async def test_terms_of_the_index_name_the_cluster(pair: Pair) -> None:
    """`_index` is a field of every document; of another cluster it carries the alias."""
    await put(pair.local, {"k": "a"})
    await put(pair.eu, {"k": "a"}, {"k": "b"})
    found = await search(pair, {"terms": {"field": "_index"}})
    assert counts(found["buckets"]) == {"eu:i": 2, "i": 1}
