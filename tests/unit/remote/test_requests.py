"""Requests to a remote: which connection they get, how long they wait for one."""

import asyncio

import pytest

from sealane.errors import (
    ConnectTransport,
    IllegalArgument,
    NoSuchRemoteCluster,
)
from sealane.testing.simulation import in_virtual_time, settle
from tests.unit.remote.fakes import (
    FakeDialer,
    FakeNode,
    cluster_of,
    context,
    refused,
)
from tests.unit.remote.registries import A, B, C, connected, failure, remotes, sniff


@in_virtual_time
async def test_request_right_after_the_settings() -> None:
    """A remote that may be skipped is waited for while its first round runs."""
    async with remotes(FakeDialer(*cluster_of(A)), sniff()) as made:
        connection = await made.cluster("eu").connection(context())
        assert connection.node == A


@in_virtual_time
async def test_first_round_is_not_waited_for_without_end() -> None:
    """Five seconds after the configuration requests fail at once."""
    silent = FakeNode(A, silent=True)
    async with remotes(FakeDialer(silent), sniff()) as made:
        loop = asyncio.get_running_loop()
        error = await failure(made)
        assert (loop.time(), error.reason) == (5.0, "Unable to connect to [eu]")
        assert error.caused_by is not None, "C-74: the address and how far it got"
        assert error.caused_by.reason == (
            "[][10.0.0.1:9300] not connected yet, the connect round of remote cluster [eu] goes on"
        )
        await failure(made)
        assert loop.time() == 5.0, "the next one does not wait again"


@in_virtual_time
async def test_first_round_is_not_waited_for_beyond_the_deadline() -> None:
    silent = FakeNode(A, silent=True)
    async with remotes(FakeDialer(silent), sniff()) as made:
        await failure(made, deadline=1.0)
        assert asyncio.get_running_loop().time() == 1.0


@in_virtual_time
async def test_skippable_remote_fails_at_once_and_is_tried_in_the_background() -> None:
    """C-73, C-74: the reason names the alias, its cause the address; the next request finds it
    back.
    """
    nodes = cluster_of(A)
    nodes[0].error = refused(A.address)
    async with remotes(FakeDialer(*nodes), sniff()) as made:
        loop = asyncio.get_running_loop()
        await settle(20)
        nodes[0].error = None
        asked_at = loop.time()
        error = await failure(made)
        assert loop.time() == asked_at
        assert isinstance(error, ConnectTransport)
        assert error.reason == "Unable to connect to [eu]"
        assert error.caused_by is not None
        assert error.caused_by.reason == "[][10.0.0.1:9300] connect_exception"
        await settle()
        assert (await made.cluster("eu").connection(context())).node == A
        assert loop.time() == asked_at


@in_virtual_time
async def test_first_gateway_is_used_before_the_round_ends() -> None:
    """Another node that does not answer holds up no request."""
    nodes = [*cluster_of(A), FakeNode(B, silent=True)]
    nodes[0].listed = [A, B]
    async with remotes(FakeDialer(*nodes), sniff(skip_unavailable="false")) as made:
        assert (await made.cluster("eu").connection(context())).node == A
        assert asyncio.get_running_loop().time() == 0.0
        assert made.statistics()["eu"].running


@in_virtual_time
async def test_nodes_that_did_not_answer_are_tried_last() -> None:
    """So that a round's deadline does not keep it from ever reaching the others."""
    nodes = cluster_of(A, B, C)
    nodes[1].silent = True
    dialer = FakeDialer(*nodes)
    async with remotes(dialer, sniff(node_connections="2")) as made:
        await settle(31)
        assert connected(made) == ["a", "c"]
        nodes[2].go_down()
        nodes[2].error = None
        await settle()
        assert dialer.dialled[-1] == C.address
        assert connected(made) == ["a", "c"]


@in_virtual_time
async def test_needed_remote_is_waited_for() -> None:
    """`skip_unavailable: false` begins a round at once and uses what it opens."""
    nodes = cluster_of(A)
    nodes[0].error = refused(A.address)
    async with remotes(FakeDialer(*nodes), sniff(skip_unavailable="false")) as made:
        await settle(20)
        nodes[0].error = None
        assert (await made.cluster("eu").connection(context())).node == A


@in_virtual_time
async def test_needed_remote_is_waited_for_until_the_deadline() -> None:
    silent = FakeNode(A, silent=True)
    async with remotes(FakeDialer(silent), sniff(skip_unavailable="false")) as made:
        loop = asyncio.get_running_loop()
        error = await failure(made, deadline=2.0)
        assert (loop.time(), error.reason) == (2.0, "Unable to connect to [eu]")


@in_virtual_time
async def test_a_black_hole_costs_no_connect_timeout() -> None:
    """C-72: ten seconds at most; as soon as a round has failed, with that round's own error."""
    silent = FakeNode(A, silent=True)
    async with remotes(FakeDialer(silent), sniff(skip_unavailable="false")) as made:
        loop = asyncio.get_running_loop()
        error = await failure(made)
        assert (loop.time(), error.reason) == (10.0, "Unable to connect to [eu]")
        await settle(30)
        asked_at = loop.time()
        error = await failure(made)
        assert loop.time() == asked_at + 10.0
        assert error.reason == "[][10.0.0.1:9300] connect_timeout[30s]"
        assert error.status == 502


@in_virtual_time
async def test_gateways_take_turns() -> None:
    async with remotes(FakeDialer(*cluster_of(A, B, C)), sniff()) as made:
        await settle()
        names = [(await made.cluster("eu").connection(context())).node.name for _ in range(6)]
        assert sorted(names[:3]) == ["a", "b", "c"]
        assert names[:3] == names[3:]


@in_virtual_time
async def test_unknown_alias() -> None:
    """C-71."""
    async with remotes(FakeDialer(), sniff()) as made:
        for call in (made.client, made.skip_unavailable):
            with pytest.raises(NoSuchRemoteCluster, match=r"no such remote cluster: \[nope\]"):
                call("nope")


@in_virtual_time
async def test_node_without_the_role() -> None:
    """C-61: it opens nothing, takes settings without complaint, and names itself and the role."""
    dialer = FakeDialer(*cluster_of(A))
    async with remotes(dialer, sniff(), roles=("data",)) as made:
        made.apply(sniff(skip_unavailable="false"))
        await settle()
        assert not dialer.dialled
        with pytest.raises(IllegalArgument) as caught:
            made.describe()
        assert caught.value.reason == "node [local] does not have the [remote_cluster_client] role"
        for call in (made.aliases, lambda: made.client("eu")):
            with pytest.raises(IllegalArgument) as caught:
                call()
            assert caught.value.reason == (
                "node [local] does not have the remote cluster client role enabled"
            )
