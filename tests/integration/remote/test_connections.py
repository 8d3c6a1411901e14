"""Remote clusters over real sockets: how many are opened, and that they come back."""

import asyncio

import pytest

from sealane.errors import ApiError, ConnectTransport, NodeDisconnected
from sealane.model.dsl import SearchBody
from sealane.model.search import SearchRequest
from sealane.model.task import Context, TaskRegistry
from sealane.reduce.partial import Partial
from tests.integration.remote.clusters import cluster, remotes, until

REQUEST = SearchRequest(
    indices=("logs",), body=SearchBody(raw=b"{}"), from_=0, size=10, final_reduce=False
)


def context() -> Context:
    with TaskRegistry("near").start("test", start_ms=0) as task:
        return Context(task=task)


async def test_sniff_opens_six_sockets_to_each_gateway() -> None:
    """And none besides: the connection to the seed is closed after the round."""
    async with (
        cluster("a", "b", "c", "d") as nodes,
        remotes(seeds=(str(nodes[0].door.address),)) as made,
    ):
        await until(lambda: made.describe()["far"]["num_nodes_connected"] == 3)
        await until(lambda: sorted(node.door.open for node in nodes) == [0, 6, 6, 6])
        assert sum(node.door.accepted for node in nodes) == 19


async def test_proxy_opens_exactly_the_sockets_wanted() -> None:
    """C-62."""
    async with (
        cluster("a", "b") as nodes,
        remotes(
            mode="proxy",
            proxy_address=str(nodes[0].door.address),
            proxy_socket_connections="4",
        ) as made,
    ):
        await until(lambda: made.describe()["far"]["num_proxy_sockets_connected"] == 4)
        assert [node.door.accepted for node in nodes] == [4, 0]


async def test_search_right_after_registering() -> None:
    """The first request waits for the first round; the answer is named by our alias."""
    async with (
        cluster("a") as nodes,
        remotes(seeds=(str(nodes[0].door.address),)) as made,
    ):
        answer = await made.client("far").search(REQUEST, context())
        (hit,) = answer.partial.hits
        assert (hit.index, hit.id, hit.source) == ("far:logs", "a", b"{}")


async def test_killed_proxy_sockets_come_back() -> None:
    """C-63."""
    async with (
        cluster("a") as nodes,
        remotes(
            mode="proxy",
            proxy_address=str(nodes[0].door.address),
            proxy_socket_connections="4",
        ) as made,
    ):
        await until(lambda: made.describe()["far"]["num_proxy_sockets_connected"] == 4)
        nodes[0].door.cut(2)
        await until(lambda: nodes[0].door.accepted == 6)
        await until(lambda: made.describe()["far"]["num_proxy_sockets_connected"] == 4)
        await until(lambda: nodes[0].door.open == 4)


async def test_one_killed_socket_replaces_a_gateways_connection() -> None:
    """C-104: its five siblings close with it, and six new ones are opened."""
    async with (
        cluster("a") as nodes,
        remotes(seeds=(str(nodes[0].door.address),), node_connections="1") as made,
    ):
        door = nodes[0].door
        await until(lambda: made.describe()["far"]["connected"] is True and door.open == 6)
        assert door.accepted == 7
        door.cut(1)
        await until(lambda: door.accepted == 14 and door.open == 6)
        await until(lambda: made.describe()["far"]["connected"] is True)


async def test_remote_returns_without_a_request() -> None:
    """C-57."""
    async with (
        cluster("a") as nodes,
        remotes(seeds=(str(nodes[0].door.address),)) as made,
    ):
        await until(lambda: made.describe()["far"]["connected"] is True)
        await nodes[0].door.stop()
        await until(lambda: made.statistics()["far"].misses >= 3)
        assert made.describe()["far"]["connected"] is False
        await nodes[0].door.start()
        await until(lambda: made.describe()["far"]["connected"] is True)


async def test_replacement_for_a_lost_gateway() -> None:
    """C-55, C-56: though the lost one was the only seed."""
    async with (
        cluster("a", "b", "c", "d") as nodes,
        remotes(seeds=(str(nodes[0].door.address),)) as made,
    ):
        await until(lambda: made.describe()["far"]["num_nodes_connected"] == 3)
        assert nodes[0].door.open == 6
        await nodes[0].door.stop()
        await until(lambda: made.describe()["far"]["num_nodes_connected"] == 3)
        await until(lambda: [node.door.open for node in nodes] == [0, 6, 6, 6])


async def test_refused_remote() -> None:
    """C-72, C-74: 502 when it must answer; when it may be skipped, the cause names address and
    reason."""
    async with cluster("a") as nodes:
        address = nodes[0].door.address
        await nodes[0].door.stop()
        async with remotes(seeds=(str(address),), skip_unavailable="false") as made:
            with pytest.raises(ConnectTransport) as caught:
                await made.client("far").search(REQUEST, context())
            assert caught.value.reason == f"[][{address}] connect_exception"
        async with remotes(seeds=(str(address),)) as made:
            with pytest.raises(ConnectTransport) as caught:
                await made.client("far").search(REQUEST, context())
            assert caught.value.reason == "Unable to connect to [far]"
            assert caught.value.caused_by is not None
            assert caught.value.caused_by.reason == f"[][{address}] connect_exception"


async def test_remote_killed_during_a_search() -> None:
    """C-40, C-76: an error, never a hang."""
    reached = asyncio.Event()

    class NeverAnswers:
        async def search(self, request: SearchRequest, ctx: Context) -> Partial:
            reached.set()
            await asyncio.Event().wait()
            raise AssertionError("unreachable")

    async with cluster("a") as nodes:
        nodes[0].answer_with(NeverAnswers())
        async with (
            remotes(seeds=(str(nodes[0].door.address),)) as made,
            asyncio.TaskGroup() as group,
        ):
            search = group.create_task(_error_of(made.client("far").search(REQUEST, context())))
            await reached.wait()
            await nodes[0].door.stop()
            assert isinstance(await search, NodeDisconnected)


async def test_another_node_at_a_publish_address() -> None:
    """C-53: the node that answers is not the one that was named, so it is not used."""
    async with cluster("a", "b") as nodes:
        nodes[1].restart_as("another")
        async with remotes(seeds=(str(nodes[0].door.address),)) as made:
            await until(lambda: made.describe()["far"]["connected"] is True)
            await until(lambda: made.statistics()["far"].rounds >= 2)
            assert made.describe()["far"]["num_nodes_connected"] == 1


async def test_the_local_node_as_its_own_seed() -> None:
    """C-60: a node may register the cluster it belongs to."""
    async with (
        cluster("a") as nodes,
        remotes(through=nodes[0].service, seeds=(str(nodes[0].door.address),)) as made,
    ):
        answer = await made.client("far").search(REQUEST, context())
        assert answer.partial.hits[0].index == "far:logs"


async def _error_of(call) -> ApiError:  # type: ignore[no-untyped-def]
    with pytest.raises(ApiError) as caught:
        await call
    return caught.value
