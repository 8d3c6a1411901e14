"""Searches in phases through real sockets, and through a node without data: points in time, scrolls, both modes."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.integration.cluster.nodes import RunningNode, joining, started

Json = dict[str, Any]


@dataclass
class Nodes:
    """A data node and a gateway that joined it; another cluster of such two, which the first knows as `eu`."""

    data: RunningNode
    gateway: RunningNode
    eu_data: RunningNode


@pytest.fixture
async def nodes(tmp_path: Path) -> AsyncIterator[Nodes]:
    async with (
        started(tmp_path / "d") as data,
        started(tmp_path / "g", **joining(data)) as gateway,
        started(tmp_path / "e") as eu_data,
        started(tmp_path / "eg", **joining(eu_data)) as eu_gateway,
    ):
        for number, node in enumerate((data, eu_data)):
            await node.call("PUT", "/i", {"settings": {"number_of_shards": 2}})
            lines = "".join(
                f'{{"index":{{"_id":"{number}-{n}"}}}}\n{{"n":{n * 2 + number}}}\n'
                for n in range(10)
            )
            await node.call("POST", "/i/_bulk?refresh=true", lines.encode())
        address = eu_gateway.transport
        settings = {"cluster.remote.eu.mode": "proxy", "cluster.remote.eu.proxy_address": address}
        await data.call("PUT", "/_cluster/settings", {"persistent": settings})
        yield Nodes(data, gateway, eu_data)


def numbers(answer: Json) -> list[int]:
    return [hit["_source"]["n"] for hit in answer["hits"]["hits"]]


async def open_contexts(*nodes: RunningNode) -> list[int]:
    found = []
    for node in nodes:
        stats = await node.call("GET", "/_nodes/_local/stats/indices/search")
        (figures,) = stats["nodes"].values()
        found.append(figures["indices"]["search"]["open_contexts"])
    return found


@pytest.mark.parametrize("through", ["data", "gateway"])
async def test_both_modes_through_gateways_on_both_sides(nodes: Nodes, through: str) -> None:
    """S-49: over proxies, one frame a phase."""
    node: RunningNode = getattr(nodes, through)
    body = {"sort": "n", "size": 7, "aggs": {"s": {"sum": {"field": "n"}}}}
    answers = [
        await node.call("POST", f"/i,eu:i/_search?ccs_minimize_roundtrips={flag}", body)
        for flag in ("true", "false")
    ]
    assert numbers(answers[0]) == numbers(answers[1]) == list(range(7))
    assert answers[0]["aggregations"] == answers[1]["aggregations"]
    assert await open_contexts(nodes.data, nodes.eu_data) == [0, 0]


async def test_a_point_in_time_goes_on_at_any_node_of_the_cluster(nodes: Nodes) -> None:
    """S-42, S-43."""
    opened = await nodes.gateway.call("POST", "/i,eu:i/_pit?keep_alive=1m")
    assert await open_contexts(nodes.data, nodes.eu_data) == [2, 2]
    await nodes.eu_data.call("DELETE", "/i/_doc/1-0?refresh=true")
    pit = {"id": opened["id"]}
    pages = []
    body: Json = {"pit": pit, "sort": "n", "size": 8}
    for node in (nodes.data, nodes.gateway, nodes.data):
        answer = await node.call("POST", "/_search", body)
        pages += numbers(answer)
        body["search_after"] = answer["hits"]["hits"][-1]["sort"]
    assert pages == list(range(20))
    assert await nodes.data.call("DELETE", "/_pit", pit) == {"succeeded": True, "num_freed": 4}
    assert await open_contexts(nodes.data, nodes.eu_data) == [0, 0]


async def test_a_scroll_goes_on_at_any_node_of_the_cluster(nodes: Nodes) -> None:
    """S-40."""
    body = {"sort": "n", "size": 8}
    first = await nodes.data.call("POST", "/i,eu:i/_search?scroll=1m", body)
    scroll = {"scroll_id": first["_scroll_id"], "scroll": "1m"}
    second = await nodes.gateway.call("POST", "/_search/scroll", scroll)
    third = await nodes.data.call("POST", "/_search/scroll", scroll)
    assert numbers(first) + numbers(second) + numbers(third) == list(range(20))
    closed = await nodes.gateway.call(
        "DELETE", "/_search/scroll", {"scroll_id": first["_scroll_id"]}
    )
    assert closed == {"succeeded": True, "num_freed": 4}
    assert await open_contexts(nodes.data, nodes.eu_data) == [0, 0]
