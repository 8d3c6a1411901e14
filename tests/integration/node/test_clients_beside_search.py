"""The official clients ask for what stands beside `_search`, over two real processes."""

from collections.abc import Iterator
from typing import Any

import elasticsearch8
import elasticsearch8.helpers
import opensearchpy
import opensearchpy.helpers
import pytest

from sealane.testing.process import NodeProcess

from .conftest import Fill

DOCUMENTS: list[dict[str, object]] = [{"n": n, "tag": f"t{n % 3}"} for n in range(12)]


@pytest.fixture
def client(europe: NodeProcess) -> Iterator[elasticsearch8.Elasticsearch]:
    with elasticsearch8.Elasticsearch(europe.url) as client:
        yield client


@pytest.fixture
def filled(europe: NodeProcess, americas: NodeProcess, index: str, fill: Fill) -> str:
    mapping = {"mappings": {"properties": {"tag": {"type": "keyword"}}}}
    for node in (europe, americas):
        node.call("PUT", f"/{index}", mapping)
        fill(node, index, DOCUMENTS)
    return index


def test_fields_names_and_terms(client: elasticsearch8.Elasticsearch, filled: str) -> None:
    """S-34, S-36, S-37."""
    both = f"{filled},americas:{filled}"
    caps = client.field_caps(index=both, fields=["n", "tag"])
    assert caps["indices"] == [f"americas:{filled}", filled]
    assert caps["fields"]["tag"]["keyword"]["aggregatable"]
    names = client.indices.resolve_index(name=both)
    assert [each["name"] for each in names["indices"]] == [filled, f"americas:{filled}"]
    terms = client.terms_enum(index=both, field="tag", string="t")
    assert (terms["terms"], terms["complete"]) == (["t0", "t1", "t2"], True)
    fields = client.indices.get_field_mapping(index=filled, fields="tag")
    assert fields[filled]["mappings"]["tag"]["mapping"] == {"tag": {"type": "keyword"}}
    assert len(client.search_shards(index=filled)["shards"]) == 1


def test_templates(client: elasticsearch8.Elasticsearch, filled: str) -> None:
    """S-31."""
    source = '{"query":{"term":{"tag":"{{tag}}"}},"size":{{size}}{{^size}}20{{/size}} }'
    client.put_script(id=filled, script={"lang": "mustache", "source": source})
    both = f"{filled},americas:{filled}"
    found = client.search_template(index=both, id=filled, params={"tag": "t1"})
    assert found["hits"]["total"]["value"] == 8
    rendered = client.render_search_template(id=filled, params={"tag": "x", "size": 3})
    assert rendered["template_output"] == {"query": {"term": {"tag": "x"}}, "size": 3}
    client.delete_script(id=filled)


@pytest.mark.filterwarnings("ignore::elasticsearch8.exceptions.GeneralAvailabilityWarning")
def test_reindex_and_by_query(client: elasticsearch8.Elasticsearch, filled: str) -> None:
    """S-38, S-39."""
    copied = client.reindex(
        source={"index": f"americas:{filled}", "query": {"term": {"tag": "t1"}}},
        dest={"index": f"{filled}-copy"},
        refresh=True,
    )
    assert (copied["created"], copied["failures"]) == (4, [])
    started = client.reindex(
        source={"index": f"americas:{filled}"},
        dest={"index": f"{filled}-copy"},
        wait_for_completion=False,
    )
    ended = client.tasks.get(task_id=started["task"], wait_for_completion=True)
    assert (ended["response"]["created"], ended["response"]["updated"]) == (8, 4)
    client.indices.refresh(index=f"{filled}-copy")
    removed = client.delete_by_query(
        index=f"{filled}-copy", query={"range": {"n": {"lt": 6}}}, refresh=True
    )
    assert removed["deleted"] == 6
    assert client.update_by_query(index=f"{filled}-copy", refresh=True)["updated"] == 6
    with pytest.raises(elasticsearch8.BadRequestError):
        client.delete_by_query(index=f"americas:{filled}", query={"match_all": {}})


def test_the_helpers_scan_and_reindex(client: elasticsearch8.Elasticsearch, filled: str) -> None:
    both = f"{filled},americas:{filled}"
    hits = list(elasticsearch8.helpers.scan(client, index=both, size=5))
    assert sorted((hit["_index"], int(hit["_id"])) for hit in hits) == sorted(
        (name, n) for name in (filled, f"americas:{filled}") for n in range(1, 13)
    )
    done = elasticsearch8.helpers.reindex(client, f"americas:{filled}", f"{filled}-helped")
    assert done == (12, 0)


def test_opensearch_py(europe: NodeProcess, filled: str) -> None:
    client: Any = opensearchpy.OpenSearch(europe.url)
    hits = list(opensearchpy.helpers.scan(client, index=f"americas:{filled}", size=5))
    assert len(hits) == 12
    assert client.field_caps(index=filled, fields="n")["fields"]["n"]["long"]["searchable"]
    client.close()
