"""One address, several clusters: proxies that route by the server name in the TLS hello."""

from sealane.errors import TlsHandshake
from sealane.transport import TlsProblem
from tests.integration.proxies.conftest import StartProxy
from tests.integration.proxies.programs import Routes
from tests.integration.proxies.world import back_nodes, by_proxy, causes, front_node
from tests.integration.remote.clusters import until
from tests.integration.transport.certificates import Authority


async def test_two_clusters_behind_one_address(
    start_proxy: StartProxy, authority: Authority
) -> None:
    """C-64: two aliases that differ in nothing but their server name."""
    east_tls = authority.server_context("east.example")
    west_tls = authority.server_context("west.example")
    async with (
        back_nodes("east", "e", tls=east_tls) as (east,),
        back_nodes("west", "w", tls=west_tls) as (west,),
    ):
        by_name = {"east.example": east.info.address, "west.example": west.info.address}
        proxy = start_proxy(Routes(by_name=by_name))
        remotes = {
            alias: by_proxy(
                proxy.address, server_name=f"{alias}.example", proxy_socket_connections="2"
            )
            for alias in ("east", "west")
        }
        async with front_node(remotes, tls=authority.client_context()) as near:
            assert await near.ask("east") == "e"
            assert await near.ask("west") == "w"
            await until(lambda: (east.sockets, west.sockets) == (2, 2))


async def test_a_name_that_the_proxy_does_not_know(
    start_proxy: StartProxy, authority: Authority
) -> None:
    """C-64: it closes during the hello; the error says which name was sent and what to check."""
    tls = authority.server_context("east.example")
    async with back_nodes("east", "e", tls=tls) as (east,):
        proxy = start_proxy(Routes(by_name={"east.example": east.info.address}))
        keys = by_proxy(proxy.address, server_name="north.example", skip_unavailable="false")
        async with front_node({"east": keys}, tls=authority.client_context()) as near:
            (cause,) = tls_causes(await near.error("east"))
        assert cause.metadata["problem"] == TlsProblem.CLOSED
        assert cause.reason == (
            "the connection was closed during the TLS handshake, "
            "after a hello with server name [north.example]"
        )
        assert "cluster.remote.<alias>.server_name" in cause.metadata["next_step"]


async def test_a_name_that_leads_to_a_certificate_for_another(
    start_proxy: StartProxy, authority: Authority
) -> None:
    """C-64: the names that the certificate is for are told."""
    tls = authority.server_context("east.example", "127.0.0.1")
    async with back_nodes("east", "e", tls=tls) as (east,):
        proxy = start_proxy(Routes(by_name={"west.example": east.info.address}))
        keys = by_proxy(proxy.address, server_name="west.example", skip_unavailable="false")
        async with front_node({"east": keys}, tls=authority.client_context()) as near:
            (cause,) = tls_causes(await near.error("east"))
        assert cause.metadata["problem"] == TlsProblem.WRONG_NAME
        assert cause.reason == (
            "certificate verification failed: "
            "it is for [east.example, 127.0.0.1], not for [west.example]"
        )


async def test_a_host_name_is_the_server_name_where_none_is_set(
    start_proxy: StartProxy, authority: Authority
) -> None:
    """C-64."""
    async with back_nodes("east", "e", tls=authority.server_context("localhost")) as (east,):
        proxy = start_proxy(Routes(by_name={"localhost": east.info.address}))
        keys = by_proxy(f"localhost:{proxy.address.port}")
        async with front_node({"east": keys}, tls=authority.client_context()) as near:
            assert await near.ask("east") == "e"


async def test_plain_to_a_proxy_that_wants_a_server_name(
    start_proxy: StartProxy, authority: Authority
) -> None:
    """It passes nothing on; the error does not blame the node behind it."""
    tls = authority.server_context("east.example")
    async with back_nodes("east", "e", tls=tls) as (east,):
        proxy = start_proxy(Routes(by_name={"east.example": east.info.address}))
        keys = by_proxy(proxy.address, proxy_socket_connections="1", skip_unavailable="false")
        async with front_node({"east": keys}) as near:
            error = await near.error("east")
        assert error.es_type == "no_seed_node_left_exception"
        assert not tls_causes(error)
        assert east.sockets == 0


def tls_causes(error) -> list[TlsHandshake]:  # type: ignore[no-untyped-def]
    return [each for each in causes(error) if isinstance(each, TlsHandshake)]
