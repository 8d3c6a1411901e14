"""What real servers learn of this cluster, and what is learned of theirs, with both ends in one
process."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from msgspec import structs

from sealane.errors import (
    ActionNotFound,
    IllegalArgument,
    IllegalState,
    SecurityError,
    TransportSerialization,
)
from sealane.inbound import register_foreign_handlers
from sealane.model.access import Access
from sealane.model.node import ROLES, Address, ClusterIdentity, NodeInfo
from sealane.model.security import Subject
from sealane.model.task import Context, Task, TaskId
from sealane.remote.transport.nodes import NodesRequest
from sealane.security.rules import allow_all
from sealane.transport import ConnectionProfile
from sealane.wire.families.elasticsearch import ELASTICSEARCH, REMOTE_NODES
from sealane.wire.families.known import FOREIGN
from sealane.wire.families.opensearch import OPENSEARCH
from sealane.wire.families.protocol import ForeignWire, Membership, Wire
from sealane.wire.families.states import STATE
from tests.foreign_nodes import a_foreign_server
from tests.transport_nodes import FixedClock, TransportNode

CLUSTER = ClusterIdentity(name="east", uuid="uuid-1")
NODES = [
    NodeInfo(
        id=f"id-{number}",
        ephemeral_id=f"eph-{number}",
        name=f"gateway-{number}",
        address=Address(f"10.0.0.{number}", 9300),
        roles=ROLES,
        attributes={"gw": "true"},
    )
    for number in range(1, 5)
]
MEMBERS = Membership(cluster=CLUSTER, nodes=NODES, master_id="id-1")


class Handlers(dict):
    def register_foreign(self, action, handler) -> None:
        assert action not in self
        self[action] = handler


def context() -> Context:
    return Context(task=Task(TaskId("n", 1), "test", None, 0, ""))


def handlers(members=lambda: MEMBERS, decide=allow_all) -> Handlers:
    made = Handlers()
    register_foreign_handlers(made, members=members, authorize=decide)
    return made


async def ask(node: TransportNode, server: TransportNode) -> list[NodeInfo]:
    connection = await node.transport.connect(server.address, ConnectionProfile(2))
    return await NodesRequest(node.tasks, FixedClock())(connection)


@pytest.mark.parametrize("wire", FOREIGN, ids=lambda wire: wire.name)
async def test_all_nodes_of_the_cluster_are_told(wire: ForeignWire) -> None:
    """C-107: as they are at that moment."""
    members = [MEMBERS]
    async with a_foreign_server(wire) as (client, server):
        register_foreign_handlers(server.transport, members=lambda: members[0], authorize=allow_all)
        assert [node.id for node in await ask(client, server)] == [n.id for n in NODES]
        members[0] = replace(MEMBERS, nodes=NODES[2:])
        assert [node.name for node in await ask(client, server)] == ["gateway-3", "gateway-4"]


async def test_a_server_without_the_short_list_is_asked_for_its_state() -> None:
    async with a_foreign_server(ELASTICSEARCH) as (client, server):
        made = handlers()
        server.transport.register_foreign(STATE, made[STATE])
        assert [node.id for node in await ask(client, server)] == [n.id for n in NODES]


async def test_a_server_that_tells_no_nodes_at_all_is_an_error() -> None:
    async with a_foreign_server(ELASTICSEARCH) as (client, server):
        with pytest.raises(ActionNotFound, match=STATE):
            await ask(client, server)


@pytest.mark.parametrize("wire", FOREIGN, ids=lambda wire: wire.name)
async def test_an_answer_that_cannot_be_read_is_an_error_of_its_own(wire: ForeignWire) -> None:
    async def nonsense(payload: bytes, ctx: Context, wire: Wire) -> bytes:
        return b"\xff" * 40

    async with a_foreign_server(wire) as (client, server):
        server.transport.register_foreign(next(iter(wire.nodes)), nonsense)
        with pytest.raises(TransportSerialization, match="Failed to deserialize response of"):
            await ask(client, server)


async def test_an_action_of_the_other_product_is_unknown() -> None:
    with pytest.raises(ActionNotFound):
        await handlers()[REMOTE_NODES](b"\0", context(), OPENSEARCH)


async def test_nodes_that_serve_api_keys_are_none() -> None:
    codec = ELASTICSEARCH.nodes[REMOTE_NODES]
    answer = await handlers()[REMOTE_NODES](b"\1", context(), ELASTICSEARCH)
    assert codec.read_response(answer) == []


@pytest.mark.parametrize("wire", FOREIGN, ids=lambda wire: wire.name)
async def test_a_malformed_request_is_refused(wire: ForeignWire) -> None:
    for action in wire.nodes:
        with pytest.raises(IllegalArgument, match="malformed message for action"):
            await handlers()[action](b"\xff", context(), wire)


@pytest.mark.parametrize("wire", FOREIGN, ids=lambda wire: wire.name)
async def test_every_action_is_authorized(wire: ForeignWire) -> None:
    asked: list[str] = []

    def refuse(subject: Subject, action: str, indices: Sequence[str]) -> Access | None:
        asked.append(action)
        raise SecurityError("not you")

    for action, codec in wire.nodes.items():
        with pytest.raises(SecurityError, match="not you"):
            await handlers(decide=refuse)[action](codec.request(), context(), wire)
    assert asked == list(wire.nodes)


@pytest.mark.parametrize("wire", FOREIGN, ids=lambda wire: wire.name)
async def test_a_node_with_a_name_for_an_address_is_an_error_that_says_so(
    wire: ForeignWire,
) -> None:
    """Real servers are told addresses as bytes."""
    named = replace(MEMBERS, nodes=[structs.replace(NODES[0], address=Address("a.example", 9300))])
    for action, codec in wire.nodes.items():
        with pytest.raises(IllegalState, match=r"publish address \[a.example\] is a name"):
            await handlers(lambda: named)[action](codec.request(), context(), wire)
