"""C-66: a proxy address that is a name with several addresses, which change."""

from sealane.model.node import Address
from sealane.transport import AsyncioNetwork
from tests.integration.proxies.world import back_nodes, by_proxy, front_node
from tests.integration.remote.clusters import until


class Names(AsyncioNetwork):
    """The system's network with a resolver that a test fills: any name leads to `addresses`."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[Address] = []
        self.asked = 0

    async def resolve(self, host: str, port: int) -> list[Address]:
        self.asked += 1
        return list(self.addresses)


async def test_all_addresses_of_a_name_are_used() -> None:
    """C-66: the sockets are spread over them."""
    names = Names()
    async with back_nodes("far", "a", "b", "c") as nodes:
        names.addresses = [node.info.address for node in nodes]
        keys = by_proxy("proxy.example:9300", proxy_socket_connections="6")
        async with front_node({"far": keys}, network=names) as near:
            # A socket is there before its handshake has made it a connection.
            await until(lambda: near.open("far") == 6)
            assert [node.sockets for node in nodes] == [2, 2, 2]


async def test_the_name_is_resolved_again_for_each_round() -> None:
    """C-66: a remote that has moved is found at its new address, without a restart."""
    names = Names()
    async with back_nodes("far", "a") as (before,), back_nodes("far", "b") as (after,):
        names.addresses = [before.info.address]
        keys = by_proxy("proxy.example:9300", proxy_socket_connections="2")
        async with front_node({"far": keys}, network=names) as near:
            await until(lambda: near.open("far") == 2)
            asked = names.asked
            names.addresses = [after.info.address]
            await before.go_down()
            await until(lambda: after.sockets == 2 and near.open("far") == 2)
            assert names.asked > asked
            assert await near.ask("far") == "b"


async def test_an_address_that_refuses_is_passed_over() -> None:
    """C-66: the others serve in its place."""
    names = Names()
    async with back_nodes("far", "a", "b") as (a, b):
        names.addresses = [a.info.address, b.info.address]
        await b.go_down()
        keys = by_proxy("proxy.example:9300", proxy_socket_connections="4")
        async with front_node({"far": keys}, network=names) as near:
            await until(lambda: near.open("far") == 4 and a.sockets == 4)
