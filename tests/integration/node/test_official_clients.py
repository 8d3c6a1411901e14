"""The official clients, unmodified, drive a pair of nodes: elasticsearch 8 and 9, and opensearch-py."""

import warnings
from collections.abc import Iterator
from typing import Any

import elasticsearch8
import elasticsearch8.helpers
import elasticsearch9
import elasticsearch9.helpers
import opensearchpy
import opensearchpy.helpers
import pytest

from sealane.testing.process import NodeProcess

LIBRARIES = {"8": elasticsearch8, "9": elasticsearch9}


@pytest.fixture(params=["8", "9"])
def library(request: pytest.FixtureRequest) -> Any:
    return LIBRARIES[request.param]


@pytest.fixture
def client(library: Any, europe: NodeProcess) -> Iterator[Any]:
    with library.Elasticsearch(europe.url) as client:
        yield client


def test_info_is_accepted_as_the_product(client: Any) -> None:
    """The client refuses a server that does not say it is Elasticsearch."""
    assert client.info()["tagline"] == "You Know, for Search"
    assert client.ping()


def test_documents(client: Any, library: Any, index: str) -> None:
    assert client.index(index=index, id="1", document={"n": 1})["result"] == "created"
    assert client.get(index=index, id="1")["_source"] == {"n": 1}
    assert client.update(index=index, id="1", doc={"m": 2})["result"] == "updated"
    assert client.exists(index=index, id="1")
    assert client.mget(index=index, ids=["1", "2"])["docs"][1]["found"] is False
    with pytest.raises(library.ConflictError):
        client.create(index=index, id="1", document={"n": 1})
    assert client.delete(index=index, id="1")["result"] == "deleted"
    with pytest.raises(library.NotFoundError):
        client.get(index=index, id="1")


def test_bulk_helper_and_search_over_both_clusters(
    client: Any, library: Any, americas: NodeProcess, index: str
) -> None:
    with library.Elasticsearch(americas.url) as remote:
        for target, numbers in ((client, range(50)), (remote, range(50, 100))):
            actions = ({"_index": index, "_id": str(n), "n": n} for n in numbers)
            assert library.helpers.bulk(target, actions, refresh=True)[0] == 50
    answer = client.search(
        index=[index, f"americas:{index}"],
        query={"range": {"n": {"gte": 45, "lt": 55}}},
        sort=[{"n": "asc"}],
        aggs={"top": {"max": {"field": "n"}}},
        source=["n"],
    )
    assert [hit["_source"]["n"] for hit in answer["hits"]["hits"]] == list(range(45, 55))
    assert answer["aggregations"]["top"]["value"] == 54.0
    assert answer["_clusters"]["successful"] == 2
    assert client.count(index=f"{index},americas:{index}")["count"] == 100


def test_indices(client: Any, library: Any, index: str) -> None:
    client.indices.create(
        index=index,
        mappings={"properties": {"k": {"type": "keyword"}}},
        settings={"number_of_shards": 2},
        aliases={f"{index}-alias": {}},
    )
    assert client.indices.exists(index=index)
    mapping = client.indices.get_mapping(index=index)[index]["mappings"]
    assert mapping == {"properties": {"k": {"type": "keyword"}}}
    settings = client.indices.get_settings(index=index)[index]["settings"]["index"]
    assert settings["number_of_shards"] == "2"
    assert index in client.indices.get_alias(name=f"{index}-alias")
    client.indices.delete(index=index)
    assert not client.indices.exists(index=index)
    with pytest.raises(library.NotFoundError):
        client.search(index=index)


def test_cluster_apis(client: Any) -> None:
    assert client.cluster.health()["status"] in ("green", "yellow")
    assert client.cluster.remote_info()["americas"]["connected"] is True
    assert "persistent" in client.cluster.get_settings()
    assert "europe-1" in str(client.cat.nodes(format="json"))


def test_msearch(client: Any, index: str) -> None:
    client.index(index=index, id="1", document={"n": 1}, refresh=True)
    answer = client.msearch(searches=[{"index": index}, {"size": 0}, {"index": "absent"}, {}])
    assert [each["status"] for each in answer["responses"]] == [200, 404]


def test_opensearch_py(europe: NodeProcess, index: str) -> None:
    host, _, port = europe.http.rpartition(":")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client = opensearchpy.OpenSearch(hosts=[{"host": host, "port": int(port)}])
    try:
        assert client.info()["version"]["number"]
        actions = ({"_index": index, "_id": str(n), "n": n} for n in range(10))
        assert opensearchpy.helpers.bulk(client, actions, refresh=True)[0] == 10
        answer = client.search(
            index=f"{index},americas:*", body={"query": {"term": {"n": 3}}, "size": 1}
        )
        assert answer["hits"]["total"]["value"] >= 1
        assert client.get(index=index, id="3")["_source"] == {"n": 3}
        with pytest.raises(opensearchpy.NotFoundError):
            client.get(index=index, id="99")
    finally:
        client.close()
