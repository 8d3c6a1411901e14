"""T-4: what an honest remote answers is believed, whatever brings hits or names of indices with it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.integration.cluster.nodes import RunningNode, started

pytestmark = pytest.mark.asyncio(loop_scope="module")
MAPPING = {
    "properties": {
        "s": {"type": "completion"},
        "word": {"type": "keyword"},
        "parts": {"type": "nested", "properties": {"p": {"type": "keyword"}}},
    }
}
BODIES: dict[str, Any] = {
    "umlauts": {"query": {"term": {"word": "äß"}}},
    "inner hits": {
        "query": {"nested": {"path": "parts", "query": {"match_all": {}}, "inner_hits": {}}}
    },
    "groups": {
        "collapse": {"field": "word", "inner_hits": {"name": "g", "size": 2}},
        "sort": ["word"],
    },
    "completions": {"suggest": {"x": {"prefix": "do", "completion": {"field": "s"}}}},
    "hits of buckets": {
        "aggs": {"w": {"terms": {"field": "word"}, "aggs": {"top": {"top_hits": {}}}}}
    },
    "a profile": {"profile": True},
    "sorts": {"sort": [{"word": "asc"}, {"n": "desc"}, "_score"]},
    "a failed shard": {"query": {"range": {"n": {"gte": "x"}}}},
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def asking(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningNode]:
    folder = tmp_path_factory.mktemp("honest")
    async with started(folder / "a") as one, started(folder / "b", cluster__name="b") as other:
        for node in (one, other):
            await node.call("PUT", "/i", {"mappings": MAPPING})
            for number, word in enumerate(("äß", "doc", "doc")):
                body = {"n": number, "word": word, "s": word, "parts": [{"p": "x"}, {"p": "y"}]}
                await node.call("PUT", f"/i/_doc/{number}?refresh=true", body)
        reach = {"mode": "proxy", "proxy_address": other.transport, "skip_unavailable": True}
        settings = {"persistent": {"cluster.remote.b": reach}}
        await one.call("PUT", "/_cluster/settings", settings)
        yield one


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
@pytest.mark.parametrize("trips", ["true", "false"])
@pytest.mark.parametrize("names", ["i,b:i", "b:i"])
async def test_an_honest_remote(asking: RunningNode, names: str, trips: str, body: Any) -> None:
    """T-4: alone and with the local cluster, in one round trip and in many."""
    target = f"/{names}/_search?ccs_minimize_roundtrips={trips}"
    answer = await asking.request("POST", target, body)
    assert "malformed message" not in answer.text
    assert "is not one to what it was asked" not in answer.text
    if body is BODIES["a failed shard"]:
        return
    assert answer.status == 200, answer.text
    assert answer.body["_clusters"]["details"]["b"]["status"] == "successful", answer.text
    assert '"b:i"' in answer.text
