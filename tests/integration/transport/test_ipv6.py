"""IPv6 from end to end: listening, seeds with brackets, publish addresses, addresses in certificates."""

import socket
from pathlib import Path

import pytest

from sealane.testing.process import NodeProcess, register
from tests.integration.proxies.world import back_nodes, by_proxy, front_node
from tests.integration.remote.clusters import until
from tests.integration.transport.certificates import Authority


def has_loopback() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


pytestmark = pytest.mark.skipif(
    not has_loopback(), reason="this machine has no IPv6 loopback address"
)


@pytest.mark.parametrize("encrypted", [False, True])
async def test_sniff_with_a_seed_in_brackets(encrypted: bool, tmp_path: Path) -> None:
    """The node publishes an IPv6 address, which is dialled and, with TLS, checked."""
    authority = Authority(tmp_path)
    server = authority.server_context("::1") if encrypted else None
    client = authority.client_context() if encrypted else None
    async with back_nodes("far", "a", tls=server, host="::1") as (node,):
        seed = str(node.info.address)
        assert seed == f"[::1]:{node.info.address.port}"
        async with front_node({"far": {"seeds": (seed,)}}, tls=client) as near:
            assert await near.ask("far") == "a"
            shown = near.remotes.describe(verbose=True)["far"]
            assert shown["seeds"] == [seed]
            assert seed in str(shown["nodes"])


async def test_proxy_with_an_address_in_brackets() -> None:
    async with back_nodes("far", "a", host="::1") as (node,):
        keys = by_proxy(str(node.info.address), proxy_socket_connections="2")
        async with front_node({"far": keys}) as near:
            await until(lambda: near.open("far") == 2)
            assert await near.ask("far") == "a"


def test_a_node_listens_on_both_loopback_addresses(tmp_path: Path) -> None:
    """Without `network.host`, as the reference; others are told the one of IPv4."""
    with (
        NodeProcess("near", tmp_path / "near") as near,
        NodeProcess("far", tmp_path / "far", **{"network.host": "_local_"}) as far,
    ):
        (shown,) = far.call("GET", "/_nodes/http,transport")["nodes"].values()
        for section, address in (("http", far.http), ("transport", far.transport)):
            host, _, port = address.rpartition(":")
            assert host == "127.0.0.1"
            assert shown[section]["publish_address"] == address
            assert shown[section]["bound_address"] == [f"[::1]:{port}", address]
        near.call(
            "PUT",
            "/_cluster/settings",
            {
                "persistent": {
                    f"cluster.remote.{alias}": {"mode": "proxy", "proxy_address": address}
                    for alias, address in (
                        ("four", far.transport),
                        ("six", far.transport.replace("127.0.0.1", "[::1]")),
                    )
                }
            },
        )
        far.call("PUT", "/cities/_doc/1?refresh=true", {"name": "Cusco"})
        far.http = far.http.replace("127.0.0.1", "[::1]")
        assert far.call("GET", "/cities/_search")["hits"]["total"]["value"] == 1
        found = near.call("GET", "/four:cities,six:cities/_search")
        assert found["hits"]["total"]["value"] == 2


def test_nodes_that_listen_on_ipv6_only(tmp_path: Path) -> None:
    with (
        NodeProcess("near", tmp_path / "near", **{"network.host": "::1"}) as near,
        NodeProcess("far", tmp_path / "far", **{"network.host": "::1"}) as far,
    ):
        assert far.transport.startswith("[::1]:")
        assert far.http.startswith("[::1]:")
        register(near, far)
        far.call("PUT", "/cities/_doc/1?refresh=true", {"name": "Cusco"})
        found = near.call("GET", "/far:cities/_search")
        assert found["hits"]["total"]["value"] == 1
