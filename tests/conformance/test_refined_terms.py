"""`ccs_refine_terms`: the second round for terms, over several clusters."""

from collections import Counter
from typing import Any

from sealane.model.search import SearchRequest
from sealane.model.task import Context
from sealane.reduce import ClusterAnswer
from sealane.testing.in_process import InProcessCluster
from tests.conformance.conftest import Pair

Json = dict[str, Any]
BOTH = "i,eu:i"
REFINED = f"/{BOTH}/_search?ccs_refine_terms=true"
MAPPING: Json = {
    "k": {"type": "keyword"},
    "n": {"type": "long"},
    "at": {"type": "date"},
    "year": {"type": "date", "format": "yyyy||epoch_millis"},
    "ok": {"type": "boolean"},
    "ip": {"type": "ip"},
}


async def put(cluster: InProcessCluster, *documents: Json, shards: int = 1) -> None:
    body = {
        "settings": {"number_of_shards": shards},
        "mappings": {"properties": MAPPING},
    }
    await cluster.call("PUT", "/i", body)
    await cluster.fill("i", {str(n): document for n, document in enumerate(documents)})


async def test_refined_terms_are_exact(pair: Pair) -> None:
    """S-95, S-96: the error is gone, counts and sums are those of the union, and nothing is counted twice."""
    here: list[Json] = [{"k": key, "n": 1} for key in "aaabbc"]
    there: list[Json] = [{"k": key, "n": 2} for key in "ccccbba"]
    await put(pair.local, *here, shards=2)
    await put(pair.eu, *there, shards=2)
    agg = {
        "terms": {"field": "k", "size": 2, "shard_size": 2, "show_term_doc_count_error": True},
        "aggs": {"s": {"sum": {"field": "n"}}},
    }
    body = {"size": 0, "aggs": {"x": agg}}
    answer = await pair.local.call("POST", REFINED, body)
    found = answer["aggregations"]["x"]
    exact = Counter(each["k"] for each in [*here, *there])
    assert found["doc_count_error_upper_bound"] == 0
    for bucket in found["buckets"]:
        key = bucket["key"]
        assert bucket["doc_count"] == exact[key]
        assert bucket["doc_count_error_upper_bound"] == 0
        assert bucket["s"]["value"] == sum(
            each["n"] for each in [*here, *there] if each["k"] == key
        )
    shown = sum(bucket["doc_count"] for bucket in found["buckets"])
    assert shown + found["sum_other_doc_count"] == len(here) + len(there)


async def test_refining_is_one_more_round_and_only_where_it_helps(pair: Pair) -> None:
    await put(pair.local, *[{"k": key} for key in "aab"])
    await put(pair.eu, *[{"k": key} for key in "abc"])
    whole = {"size": 0, "aggs": {"x": {"terms": {"field": "k"}}}}
    cut = {"size": 0, "aggs": {"x": {"terms": {"field": "k", "size": 1}}}}
    for body, rounds in ((whole, 1), (cut, 2)):
        before = pair.link.requests
        await pair.local.call("POST", REFINED, body)
        assert pair.link.requests - before == rounds


async def test_aggregations_over_refined_terms_see_them(pair: Pair) -> None:
    """A sibling pipeline is computed of the exact counts; other aggregations stay as they were."""
    await put(pair.local, *[{"k": key, "n": 1} for key in "aaabbc"], shards=2)
    await put(pair.eu, *[{"k": key, "n": 1} for key in "ccccbba"], shards=2)
    body = {
        "size": 0,
        "aggs": {
            "x": {"terms": {"field": "k", "size": 1, "shard_size": 1}},
            "most": {"max_bucket": {"buckets_path": "x>_count"}},
            "n": {"sum": {"field": "n"}},
        },
    }
    answer = await pair.local.call("POST", REFINED, body)
    found = answer["aggregations"]
    (bucket,) = found["x"]["buckets"]
    exact = {"a": 4, "b": 4, "c": 5}
    assert found["most"]["value"] == bucket["doc_count"] == exact[bucket["key"]]
    assert found["n"]["value"] == 13.0


async def test_keys_of_every_type_are_counted_again(pair: Pair) -> None:
    """Dates by their field's format, booleans and addresses as the request would name them."""
    made: list[Json] = [
        {"n": n % 7, "at": f"2024-01-0{n % 5 + 1}", "ok": n % 3 == 0, "ip": f"10.0.0.{n % 6}"}
        for n in range(60)
    ]
    await put(pair.local, *made[:25], shards=3)
    await put(pair.eu, *made[25:], shards=2)
    fields = ("n", "at", "ok", "ip")
    aggs = {field: {"terms": {"field": field, "size": 1, "shard_size": 1}} for field in fields}
    answer = await pair.local.call("POST", REFINED, {"size": 0, "aggs": aggs})
    whole = {field: {"terms": {"field": field, "size": 50}} for field in fields}
    exact = await pair.local.call("POST", f"/{BOTH}/_search", {"size": 0, "aggs": whole})
    for field in fields:
        (bucket,) = answer["aggregations"][field]["buckets"]
        assert bucket in exact["aggregations"][field]["buckets"]
        others = answer["aggregations"][field]["sum_other_doc_count"]
        assert bucket["doc_count"] + others == len(made)


async def test_dates_that_their_format_cannot_say_stay_as_they_are(pair: Pair) -> None:
    """Asking for the year of an instant would count another one."""
    await put(pair.local, *[{"year": 1704067200000 + n % 4} for n in range(20)], shards=2)
    await put(pair.eu, *[{"year": 1704067200000 + n % 3} for n in range(20)], shards=2)
    body = {"size": 0, "aggs": {"x": {"terms": {"field": "year", "size": 2, "shard_size": 2}}}}
    plain = await pair.local.call("POST", f"/{BOTH}/_search", body)
    before = pair.link.requests
    refined = await pair.local.call("POST", REFINED, body)
    assert pair.link.requests - before == 1
    assert refined["aggregations"] == plain["aggregations"]


async def test_hits_and_totals_are_those_of_the_first_round(pair: Pair) -> None:
    await put(pair.local, *[{"k": key, "n": at} for at, key in enumerate("aabbc")])
    await put(pair.eu, *[{"k": key, "n": at} for at, key in enumerate("bccd", 10)])
    body = {
        "size": 3,
        "sort": [{"n": "desc"}],
        "aggs": {"x": {"terms": {"field": "k", "size": 1}}},
    }
    answer = await pair.local.call("POST", REFINED, body)
    assert [hit["sort"] for hit in answer["hits"]["hits"]] == [[13], [12], [11]]
    assert answer["hits"]["total"]["value"] == 9
    assert answer["aggregations"]["x"]["buckets"] == [{"key": "b", "doc_count": 3}]
    assert answer["_clusters"]["successful"] == 2


async def test_a_cluster_that_is_lost_between_the_rounds(pair: Pair) -> None:
    """The first answer stands, with its bound; nothing fails."""
    await put(pair.local, *[{"k": key} for key in "aaab"])
    await put(pair.eu, *[{"k": key} for key in "bbc"])
    pair.link.skip_unavailable = True
    body = {"size": 0, "aggs": {"x": {"terms": {"field": "k", "size": 1}}}}
    asked = pair.link.search

    async def once(request: SearchRequest, ctx: Context) -> ClusterAnswer:
        answer = await asked(request, ctx)
        pair.link.is_cut = True
        return answer

    pair.link.search = once  # type: ignore[method-assign]
    answer = await pair.local.call("POST", REFINED, body)
    assert answer["_clusters"]["successful"] == 2
    assert answer["aggregations"]["x"]["sum_other_doc_count"] == 4
