"""`_nodes/stats` and `_remote/info`: what each node reports, put together by one."""

from collections.abc import AsyncIterator

import pytest

from sealane.errors import ConnectTransport, IllegalArgument
from sealane.model.node import Address, NodeInfo
from tests.unit.rest.fakes import NODE, Client, World, assert_error

GATEWAY = NodeInfo(
    id="id-gw",
    ephemeral_id="e",
    name="gw",
    address=Address("10.0.0.2", 9300),
    roles=("remote_cluster_client",),
)
TRANSPORT = {"server_open": 6, "rx_size_in_bytes": 2048}


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """Two nodes that report alike."""
    world = World()
    world.cluster.others.append(GATEWAY)
    report = world.fellows.report
    report.add("transport", lambda: TRANSPORT)
    report.add("http", lambda: {"current_open": 1})
    report.add("remote_clusters", lambda: {"eu": {"rounds": 3}})
    report.add("remote_info", lambda: {"eu": {"connected": True}})
    report.add("remote_info_verbose", lambda: {"eu": {"connected": True, "last_error": None}})
    async with world.serve() as client:
        yield client


async def test_every_node_is_asked_for_all_it_has(client: Client) -> None:
    answer = (await client("GET", "/_nodes/stats")).json
    assert answer["_nodes"] == {"total": 2, "successful": 2, "failed": 0}
    assert answer["cluster_name"] == "esa"
    node = answer["nodes"]["id-gw"]
    assert (node["name"], node["host"], node["ip"]) == ("gw", "10.0.0.2", "10.0.0.2:9300")
    assert node["transport"] == TRANSPORT
    assert node["remote_clusters"] == {"eu": {"rounds": 3}}
    assert node["indices"]["docs"]["count"] == 0
    assert "jvm" not in node


async def test_metrics_choose_sections(client: Client) -> None:
    for path in ("/_nodes/stats/transport,jvm", "/_nodes/_all/stats/transport,jvm"):
        node = (await client("GET", path)).json["nodes"]["id-gw"]
        assert set(node) & {"transport", "http", "indices", "remote_clusters"} == {"transport"}


async def test_index_metrics_choose_parts_of_indices(client: Client) -> None:
    node = (await client("GET", "/_nodes/stats/indices/docs,translog")).json["nodes"][NODE.id]
    assert node["indices"] == {"docs": {"count": 0, "deleted": 0, "total_size_in_bytes": 0}}
    whole = (await client("GET", "/_nodes/stats/indices/_all")).json["nodes"][NODE.id]
    assert set(whole["indices"]) == {"docs", "shard_stats", "store"}


async def test_nodes_are_chosen_by_name(client: Client) -> None:
    answer = (await client("GET", "/_nodes/gw,nobody/stats")).json
    assert list(answer["nodes"]) == ["id-gw"]
    assert (await client("GET", "/_nodes/nobody/stats")).json["_nodes"]["total"] == 0


async def test_a_node_that_fails_is_counted_and_says_why(client: Client) -> None:
    client.world.fellows.failing["id-gw"] = ConnectTransport("[gw] connect_exception")
    answer = (await client("GET", "/_nodes/stats/http?timeout=2s")).json
    assert list(answer["nodes"]) == [NODE.id]
    assert answer["_nodes"] == {
        "total": 2,
        "successful": 1,
        "failed": 1,
        "failures": [
            {
                "type": "failed_node_exception",
                "reason": "Failed node [id-gw]",
                "node_id": "id-gw",
                "caused_by": {
                    "type": "connect_transport_exception",
                    "reason": "[gw] connect_exception",
                },
            }
        ],
    }
    assert {timeout_s for _, timeout_s in client.world.fellows.asked} == {2.0}


async def test_human_adds_texts(client: Client) -> None:
    node = (await client("GET", "/_nodes/gw/stats/transport?human")).json["nodes"]["id-gw"]
    assert node["transport"]["rx_size"] == "2kb"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("foo", "request [/_nodes/stats/foo] contains unrecognized metric: [foo]"),
        (
            "foo,transports,http",
            "request [/_nodes/stats/foo,transports,http] contains unrecognized metrics: [foo], "
            "[transports] -> did you mean [transport]?",
        ),
        (
            "indices/foo",
            "request [/_nodes/stats/indices/foo] contains unrecognized index metric: [foo]",
        ),
        (
            "transport/docs",
            "request [/_nodes/stats/transport/docs] contains index metrics [docs] but indices stats not requested",
        ),
        (
            "_all/docs",
            "request [/_nodes/stats/_all/docs] contains index metrics [docs] but all stats requested",
        ),
        (
            "_all,transport",
            "request [/_nodes/stats/_all,transport] contains _all and individual metrics [_all,transport]",
        ),
        (
            "?level=foo",
            "level parameter must be one of [node] or [indices] or [shards] but was [foo]",
        ),
        ("?foo", "request [/_nodes/stats/] contains unrecognized parameter: [foo]"),
    ],
)
async def test_what_cannot_be_asked(client: Client, path: str, reason: str) -> None:
    answer = await client("GET", f"/_nodes/stats/{path}")
    assert_error(answer, 400, "illegal_argument_exception", reason)


# -- _remote/info ------------------------------------------------------------------------------------------


async def test_remote_info_is_that_of_this_node_alone(client: Client) -> None:
    """C-78: no field is added where none was asked for."""
    answer = (await client("GET", "/_remote/info")).json
    assert answer == {"rb": {"connected": True, "mode": "sniff", "seeds": ["127.0.0.1:9301"]}}
    assert client.world.fellows.asked == []


async def test_remote_info_of_every_node(client: Client) -> None:
    answer = (await client("GET", "/_remote/info?nodes=_all")).json
    assert answer == {
        "nodes": {
            NODE.id: {"name": "esa-0", "remotes": {"eu": {"connected": True}}},
            "id-gw": {"name": "gw", "remotes": {"eu": {"connected": True}}},
        }
    }
    verbose = (await client("GET", "/_remote/info?nodes=_all&verbose=true")).json
    assert verbose["nodes"]["id-gw"]["remotes"]["eu"]["last_error"] is None


async def test_a_node_that_cannot_tell_shows_why(client: Client) -> None:
    error = IllegalArgument("node [gw] does not have the [remote_cluster_client] role")
    client.world.fellows.failing["id-gw"] = error
    answer = (await client("GET", "/_remote/info?nodes=_all")).json
    assert answer["nodes"]["id-gw"] == {"name": "gw", "error": error.to_cause()}
    assert "remotes" in answer["nodes"][NODE.id]


@pytest.mark.parametrize("value", ["", "gw", "_local", "_all,gw"])
async def test_no_other_nodes_can_be_named(client: Client, value: str) -> None:
    answer = await client("GET", f"/_remote/info?nodes={value}")
    reason = f"[nodes] must be [_all] but was [{value}]"
    assert_error(answer, 400, "illegal_argument_exception", reason)


async def test_remote_info_refuses_what_it_does_not_know(client: Client) -> None:
    """C-80."""
    reason = "request [/_remote/info] contains unrecognized parameter: [foo]"
    assert_error(
        await client("GET", "/_remote/info?foo=1"), 400, "illegal_argument_exception", reason
    )
    for method in ("POST", "DELETE", "PUT"):
        answer = await client(method, "/_remote/info")
        assert (answer.status, answer.headers["allow"]) == (405, "GET")
        assert answer.json["error"] == (
            f"Incorrect HTTP method for uri [/_remote/info] and method [{method}], allowed: [GET]"
        )
    answer = await client("GET", "/_remote/info/x")
    assert answer.status == 400
    assert answer.json == {"error": "no handler found for uri [/_remote/info/x] and method [GET]"}


async def test_remote_info_may_be_filtered(client: Client) -> None:
    """C-81."""
    answer = await client("GET", "/_remote/info?filter_path=*.connected")
    assert answer.json == {"rb": {"connected": True}}


async def test_remotes_are_counted_by_kind(client: Client) -> None:
    answer = (await client("GET", "/_xpack/usage")).json
    assert answer == {
        "remote_clusters": {
            "size": 1,
            "mode": {"proxy": 0, "sniff": 1},
            "security": {"cert": 1, "api_key": 0},
        }
    }


# -- _nodes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "count", "sections"),
    [
        ("/_nodes", 2, {"transport", "http"}),
        ("/_nodes/_all", 2, {"transport", "http"}),
        ("/_nodes/_all,http", 2, {"transport", "http"}),
        ("/_nodes/http", 2, {"http"}),
        ("/_nodes/transport,remote_cluster_server", 2, {"transport"}),
        ("/_nodes/remote_cluster_server", 2, set()),
        ("/_nodes/_all/http,_all", 2, {"http"}),
        ("/_nodes/gw/_all", 1, {"transport", "http"}),
        ("/_nodes/_local/_none", 1, set()),
        ("/_nodes/,/http", 2, {"http"}),
        ("/_nodes/http,foo", 0, set()),
        ("/_nodes/http/http", 0, set()),
        ("/_nodes/_none", 0, set()),
    ],
)
async def test_metrics_of_nodes(client: Client, path: str, count: int, sections: set[str]) -> None:
    """The metric of the port that is not there yet is known, as it is in 8.19.0 where it is not enabled."""
    answer = (await client("GET", path)).json
    assert answer["_nodes"] == {"total": count, "successful": count, "failed": 0}
    for node in answer["nodes"].values():
        assert set(node) & {"transport", "http", "remote_cluster_server"} == sections
