"""Groups, neighbours and fused ranks over several clusters equal those of one that holds all documents."""

import random
from pathlib import Path
from typing import Any

import pytest

from sealane.testing.in_process import InProcessCluster, clusters

Json = dict[str, Any]

_NAMES = ("local", "a", "b", "c")
_MAPPING = {
    "k": {"type": "keyword"},
    "g": {"type": "long"},
    "u": {"type": "long"},
    "v": {"type": "dense_vector", "dims": 2, "similarity": "l2_norm"},
    "c": {"type": "completion"},
}


def _document(rnd: random.Random, number: int) -> Json:
    document: Json = {"u": number, "v": [rnd.uniform(-9, 9), rnd.uniform(-9, 9)]}
    if rnd.random() < 0.8:
        document["k"] = rnd.choice("abcdef")
    if rnd.random() < 0.8:
        document["g"] = rnd.randrange(5)
    document["c"] = {"input": f"word {chr(97 + number % 26)}{number}", "weight": number}
    return document


def _body(rnd: random.Random) -> Json:
    near = {
        "field": "v",
        "query_vector": [rnd.uniform(-9, 9), rnd.uniform(-9, 9)],
        "k": rnd.choice([1, 5, 12]),
        "num_candidates": 60,
    }
    by_number: Json = {
        "standard": {
            "query": {"range": {"u": {"gte": rnd.randrange(40)}}},
            "sort": [{"u": rnd.choice(["asc", "desc"])}],
        }
    }
    by_value = {
        "function_score": {
            "query": {"range": {"u": {"gte": 5}}},
            "functions": [{"field_value_factor": {"field": "u"}}],
            "boost_mode": "replace",
        }
    }
    order = [{"u": rnd.choice(["asc", "desc"])}]
    inner = {
        "name": "others",
        "size": rnd.choice([1, 3]),
        "from": rnd.choice([0, 1]),
        "sort": order,
    }
    kinds: list[Json] = [
        {"collapse": {"field": rnd.choice(["k", "g"])}, "sort": order},
        {"collapse": {"field": "k", "inner_hits": inner}, "sort": order},
        {"knn": near},
        {"knn": [near, {**near, "query_vector": [0, 0], "filter": {"term": {"k": "a"}}}]},
        {"retriever": {"rrf": {"retrievers": [by_number, {"knn": near}]}}},
        {
            "retriever": {
                "linear": {
                    "retrievers": [
                        {"retriever": {"knn": near}, "weight": 2, "normalizer": "minmax"},
                        {"retriever": {"standard": {"query": by_value}}, "weight": 0.1},
                    ]
                }
            }
        },
        {"suggest": {"s": {"prefix": "wor", "completion": {"field": "c"}}}},
    ]
    body = rnd.choice(kinds)
    if "suggest" not in body:
        body = {**body, "size": rnd.choice([1, 4, 10]), "from": rnd.choice([0, 0, 2])}
        body["aggs"] = {"a": {"terms": {"field": "k"}}}
    return body


def _seen(answer: Json) -> Json:
    """What must be equal: documents are told apart by their number, not by where they are."""

    def hit(each: Json) -> Json:
        shown: Json = {
            name: each[name] for name in ("_score", "sort", "fields", "_source") if name in each
        }
        if "inner_hits" in each:
            inner = each["inner_hits"]["others"]["hits"]
            shown["inner"] = [inner["total"], [hit(one) for one in inner["hits"]]]
        return shown

    seen: Json = {
        "total": answer["hits"]["total"],
        "best": answer["hits"]["max_score"],
        "hits": [hit(each) for each in answer["hits"]["hits"]],
        "aggs": answer.get("aggregations"),
    }
    if "suggest" in answer:
        options = answer["suggest"]["s"][0]["options"]
        seen["options"] = [(each["text"], each["_score"], each["_source"]) for each in options]
    return seen


async def _make(cluster: InProcessCluster, index: str, documents: Json, shards: int) -> None:
    body = {"settings": {"number_of_shards": shards}, "mappings": {"properties": _MAPPING}}
    await cluster.call("PUT", f"/{index}", body)
    await cluster.fill(index, documents)


@pytest.mark.parametrize("seed", range(12))
async def test_any_split_answers_as_the_whole(tmp_path: Path, seed: int) -> None:
    """S-49, S-64, S-119, S-120, S-121."""
    rnd = random.Random(seed)
    names = _NAMES[: rnd.choice([2, 3, 4])]
    documents = {str(number): _document(rnd, number) for number in range(rnd.choice([0, 7, 60]))}
    async with clusters(tmp_path, *names) as made:
        local = made[0]
        homes: dict[str, Json] = {name: {} for name in names}
        for doc_id, document in documents.items():
            homes[rnd.choice(names)][doc_id] = document
        for cluster, name in zip(made, names, strict=True):
            await _make(cluster, "i", homes[name], rnd.choice([1, 2, 3]))
            if cluster is not local:
                local.register(cluster)
        await _make(local, "u", documents, 1)
        for _ in range(12):
            body = _body(rnd)
            whole = await local.call("POST", "/u/_search", body)
            trips = rnd.choice(["true", "false"])
            target = f"/i,*:i/_search?ccs_minimize_roundtrips={trips}"
            split = await local.call("POST", target, body)
            assert _seen(split) == _seen(whole), f"seed {seed}: {body}"
