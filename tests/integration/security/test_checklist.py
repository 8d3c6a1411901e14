"""What the checklist says of ports, of who is listed, and of callers without a name."""

import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sealane.errors import ApiError
from sealane.node import registry
from sealane.settings import Settings
from tests.integration.cluster.nodes import Answer, until
from tests.integration.security.pair import (
    Pair,
    SecuredNode,
    remote_indices,
    secured_node,
    secured_pair,
)

KEY_FOR_ALL: Mapping[str, Any] = {"search": [{"names": ["*"]}]}


@pytest.mark.parametrize("name", ["port", "bind_host", "publish_port", "tcp.no_delay"])
def test_the_port_for_keys_is_no_profile(name: str) -> None:
    """X-24: the node does not start, and is told which setting is meant."""
    settings = Settings(
        {
            f"transport.profiles._remote_cluster.{name}": "1",
            "remote_cluster_server.enabled": "true",
        }
    )
    with pytest.raises(ApiError, match=rf"use \[remote_cluster\.{name}\]"):
        registry().validate(settings)


async def test_who_comes_with_a_key_is_told_of_nodes_that_take_it(tmp_path: Path) -> None:
    """X-30: with a key only nodes whose port for keys is open, with a certificate all."""
    async with secured_pair(tmp_path) as pair:
        joining = {
            "node.name": "second",
            "node.roles": ("remote_cluster_client",),
            "discovery.seed_hosts": (pair.east.transport,),
            "path.data": str(tmp_path / "second"),
        }
        async with secured_node(tmp_path, "east", pair.authority, joining):
            pair.west.keep(east=(await pair.key())["encoded"])
            await pair.register("cert", "sniff", pair.east.transport)
            await pair.register("east", "sniff", pair.east.remote_cluster)
            await until(lambda: _connected(pair, "cert", 2))
            await until(lambda: _connected(pair, "east", 1))
            assert (await pair.search("east:logs-1")).status == 200
            assert await _connected(pair, "east", 1)


async def _connected(pair: Pair, alias: str, nodes: int) -> bool:
    return bool((await pair.info(alias))["num_nodes_connected"] == nodes)


async def test_callers_without_a_name(tmp_path: Path) -> None:
    """X-40, T-8: those of the asking cluster have the roles that it gives them, also on remotes; those of the asked
    one are of no use to who comes with a key.
    """
    anonymous = "xpack.security.authc.anonymous.roles"
    async with secured_pair(
        tmp_path, west={anonymous: ("guest",)}, east={anonymous: ("superuser",)}
    ) as pair:
        await pair.west.make("PUT", "/_security/role/guest", remote_indices("logs-1"))
        pair.west.keep(east=(await pair.key(KEY_FOR_ALL))["encoded"])
        await pair.register("east", "proxy", pair.east.remote_cluster, skip_unavailable=False)
        assert (await _anonymous(pair.west, "/east:logs-1/_search")).status == 200
        for target in ("/east:private-1/_search", "/_security/user"):
            denied = await _anonymous(pair.west, target)
            assert (denied.status, "_anonymous" in denied.text) == (403, True)
        await pair.user("ann", **remote_indices("logs-*"))
        widened = await pair.search("east:private-1", user="ann")
        assert widened.status == 403
        assert "with assigned roles [ann,guest]" in widened.text
        assert (await _anonymous(pair.east, "/private-1/_search")).status == 200


async def _anonymous(node: SecuredNode, target: str) -> Answer:
    return await node.request("GET", target)


async def test_a_port_where_nobody_listens(tmp_path: Path) -> None:
    """X-67: neither registering it nor searching it waits for longer than connections are waited for."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nobody = f"127.0.0.1:{unused.getsockname()[1]}"
        async with secured_pair(tmp_path) as pair:
            pair.west.keep(gone=(await pair.key())["encoded"])
            limit = {"persistent": {"cluster.remote.initial_connect_timeout": "1s"}}
            refused = await pair.west.ask("PUT", "/_cluster/settings", limit)
            assert refused.status == 400  # of the node's file alone, as in the reference
            await pair.register("gone", "sniff", nobody, skip_unavailable=False)
            answer = await pair.search("gone:logs-1")
            assert answer.status >= 500
            assert answer.body["error"]["type"] in (
                "connect_transport_exception",
                "no_seed_node_left_exception",
            )
            last = (await pair.info("gone"))["last_error"]
            assert last["cause"] == "connection_refused"
