"""Proxy mode through real proxies that pass bytes on."""

import asyncio

from sealane.errors import ConnectTransport, NodeDisconnected
from sealane.model.node import Address
from tests.integration.proxies.conftest import StartProxy
from tests.integration.proxies.programs import Routes
from tests.integration.proxies.world import FrontNode, back_nodes, by_proxy, causes, front_node
from tests.integration.remote.clusters import until


async def test_exactly_the_sockets_wanted(start_proxy: StartProxy) -> None:
    """C-62: and a search is answered through them."""
    async with back_nodes("far", "a") as (node,):
        proxy = start_proxy(Routes(nodes=[node.info.address]))
        keys = by_proxy(proxy.address, proxy_socket_connections="4")
        async with front_node({"far": keys}) as near:
            assert await near.ask("far") == "a"
            await until(lambda: near.open("far") == 4 and node.sockets == 4)


async def test_the_publish_address_is_never_dialled(start_proxy: StartProxy) -> None:
    """C-69: nobody listens where the node says that it is."""
    async with back_nodes("far", "a") as (node,):
        proxy = start_proxy(Routes(nodes=[node.info.address]))
        node.publish(Address("127.0.0.1", 1))
        async with front_node({"far": by_proxy(proxy.address)}) as near:
            assert await near.ask("far") == "a"


async def test_a_proxy_that_dies_and_returns(start_proxy: StartProxy) -> None:
    """C-57, C-63: the sockets come back without a request; in between a search that may skip the
    cluster is told so at once."""
    async with back_nodes("far", "a") as (node,):
        proxy = start_proxy(Routes(nodes=[node.info.address]))
        keys = by_proxy(proxy.address, proxy_socket_connections="3")
        async with front_node({"far": keys}) as near:
            await until(lambda: near.open("far") == 3)
            proxy.kill()
            await until(lambda: near.open("far") == 0 and node.sockets == 0)
            error = await near.error("far")
            assert isinstance(error, ConnectTransport)
            assert error.reason == "Unable to connect to [far]"
            proxy.start()
            await until(lambda: near.open("far") == 3 and node.sockets == 3)
            assert await near.ask("far") == "a"


async def test_a_search_under_way_when_the_proxy_dies(start_proxy: StartProxy) -> None:
    """C-76: an error, never a hang."""
    async with back_nodes("far", "a") as (node,):
        reached = node.never_answers()
        proxy = start_proxy(Routes(nodes=[node.info.address]))
        async with (
            front_node({"far": by_proxy(proxy.address)}) as near,
            asyncio.TaskGroup() as group,
        ):
            search = group.create_task(near.error("far"))
            await reached.wait()
            proxy.kill()
            assert isinstance(await search, NodeDisconnected)


async def test_a_proxy_whose_node_is_down(start_proxy: StartProxy) -> None:
    """C-68, C-57: it accepts and closes; the cause is told, and the node's return is noticed."""
    async with back_nodes("far", "a") as (node,):
        proxy = start_proxy(Routes(nodes=[node.info.address]))
        await node.go_down()
        keys = by_proxy(proxy.address, proxy_socket_connections="2", skip_unavailable="false")
        async with front_node({"far": keys}) as near:
            error = await near.error("far")
            assert error.es_type == "no_seed_node_left_exception"
            reasons = [each.reason for each in causes(error)]
            assert "handshake failed because connection reset" in reasons
            await node.come_back()
            await until(lambda: near.open("far") == 2)
            assert await near.ask("far") == "a"


async def test_a_proxy_that_leads_to_another_cluster_later(start_proxy: StartProxy) -> None:
    """C-65: the remote is pinned to the first; sockets to the other are closed and not counted."""
    async with back_nodes("far", "a") as (node,), back_nodes("other", "b") as (stranger,):
        proxy = start_proxy(Routes(nodes=[node.info.address]))
        keys = by_proxy(proxy.address, proxy_socket_connections="2", skip_unavailable="false")
        async with front_node({"far": keys}) as near:
            await until(lambda: near.open("far") == 2)
            proxy.kill()
            await until(lambda: near.open("far") == 0)
            proxy.routes = Routes(nodes=[stranger.info.address])
            proxy.start()
            await fails_with(near, "unexpected remote cluster name Cluster [other]")
            assert near.open("far") == 0
            proxy.kill()
            proxy.routes = Routes(nodes=[node.info.address])
            proxy.start()
            await until(lambda: near.open("far") == 2)
            assert await near.ask("far") == "a"


async def test_all_nodes_behind_it_are_used(start_proxy: StartProxy) -> None:
    async with back_nodes("far", "a", "b") as nodes:
        proxy = start_proxy(Routes(nodes=[node.info.address for node in nodes]))
        keys = by_proxy(proxy.address, proxy_socket_connections="6")
        async with front_node({"far": keys}) as near:
            await until(lambda: near.open("far") == 6)
            await until(lambda: sum(node.sockets for node in nodes) == 6)
            assert all(node.sockets >= 2 for node in nodes)
            assert {await near.ask("far") for _ in range(6)} == {"a", "b"}


async def fails_with(near: FrontNode, text: str) -> None:
    """Returns when a search fails for that reason; before, it may share a round that began when the
    proxy was not there. One that is answered fails the test."""
    async with asyncio.timeout(20):
        while True:
            error = await near.error("far")
            if text in " ".join(each.reason for each in causes(error)):
                return
