"""Bucket aggregations over one cluster and over two, with what a real pair of Elasticsearch 8.19 answered.

`reference_buckets.json` holds the documents of both clusters, the requests and the answers: aggregations, or the error.
Nodes and index uuids are left out.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from sealane.testing.in_process import InProcessCluster
from tests.conformance.conftest import Pair

Json = dict[str, Any]
_FILE = Path(__file__).parent / "reference_buckets.json"
_GROUPS = (
    "composite",
    "terms",
    "rare, significant, addresses, samples, widths",
    "histograms, ranges, filters",
    "points",
)
_UNSTABLE = ("grouped", "index_uuid", "node")


@cache
def recorded() -> Json:
    found: Json = json.loads(_FILE.read_bytes())
    return found


async def fill(cluster: InProcessCluster, indices: Json) -> None:
    for name, index in indices.items():
        body = {
            "settings": {"number_of_shards": index["shards"]},
            "mappings": index["mappings"],
        }
        await cluster.call("PUT", f"/{name}", body)
        documents = {str(at): each for at, each in enumerate(index["documents"])}
        if documents:
            await cluster.fill(name, documents)


def stable(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: stable(each) for name, each in value.items() if name not in _UNSTABLE}
    return [stable(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("group", _GROUPS)
async def test_answers_as_the_reference(pair: Pair, group: str) -> None:
    """S-94, S-97, S-99, S-101, S-103, S-104, S-105, S-113, S-114, S-115."""
    recording = recorded()["groups"][group]
    corpus = recorded()["corpora"][recording["corpus"]]
    await fill(pair.local, corpus["local"])
    await fill(pair.eu, corpus["eu"])
    others = []
    for each in recording["answers"]:
        path = f"/{each['to']}/_search?typed_keys=true"
        answer = await pair.local.request("POST", path, each["body"])
        found = {"status": answer.status}
        found |= {
            name: stable(answer.body[name])
            for name in ("aggregations", "error")
            if name in answer.body
        }
        wanted = {
            name: stable(each[name]) for name in ("status", "aggregations", "error") if name in each
        }
        if found != wanted:
            others.append((each["to"], each["body"], found, wanted))
    assert not others, f"{len(others)} of {len(recording['answers'])}, first: {others[0]}"
