"""The official clients' own ways of reading everything: the scan helper, and points in time."""

from collections.abc import Iterator
from typing import Any

import elasticsearch8
import elasticsearch8.helpers
import elasticsearch9
import elasticsearch9.helpers
import pytest

from sealane.testing.process import NodeProcess

from .conftest import Fill

LIBRARIES = {"8": elasticsearch8, "9": elasticsearch9}


@pytest.fixture(params=["8", "9"])
def library(request: pytest.FixtureRequest) -> Any:
    return LIBRARIES[request.param]


@pytest.fixture
def client(library: Any, europe: NodeProcess) -> Iterator[Any]:
    with library.Elasticsearch(europe.url) as client:
        yield client


@pytest.fixture
def both(index: str, europe: NodeProcess, americas: NodeProcess, fill: Fill) -> str:
    """An expression for an index of both clusters, with the numbers to 100 in it."""
    fill(europe, index, [{"n": n} for n in range(0, 100, 2)])
    fill(americas, index, [{"n": n} for n in range(1, 100, 2)])
    return f"{index},americas:{index}"


@pytest.mark.parametrize("options", [{}, {"preserve_order": True, "query": {"sort": "n"}}])
def test_the_scan_helper(client: Any, library: Any, both: str, options: dict[str, Any]) -> None:
    """S-40: unsorted by `_doc`, and in order; it closes what it opened."""
    found = [
        hit["_source"]["n"] for hit in library.helpers.scan(client, index=both, size=7, **options)
    ]
    assert sorted(found) == list(range(100))
    assert not options or found == list(range(100))
    stats = client.nodes.stats(metric="indices", index_metric="search")
    (node,) = stats["nodes"].values()
    assert node["indices"]["search"]["scroll_current"] == 0


def test_pages_of_a_point_in_time(client: Any, both: str) -> None:
    """S-42, S-43, S-62."""
    pit = client.open_point_in_time(index=both, keep_alive="1m")["id"]
    after: dict[str, Any] = {}
    found: list[int] = []
    while True:
        page = client.search(
            pit={"id": pit, "keep_alive": "1m"}, sort=[{"n": "desc"}], size=30, **after
        )
        hits = page["hits"]["hits"]
        if not hits:
            break
        found += [hit["_source"]["n"] for hit in hits]
        pit, after = page["pit_id"], {"search_after": hits[-1]["sort"]}
    assert found == list(range(99, -1, -1))
    assert client.close_point_in_time(id=pit).body == {"succeeded": True, "num_freed": 2}
