"""What a node without data answers other clusters: the data node's answers, as they come."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from sealane.errors import IllegalArgument, NodeClosed, SecurityError
from sealane.inbound import (
    register_about_handlers,
    register_handlers,
    register_phase_handlers,
)
from sealane.inbound.handlers import register_nodes_handler
from sealane.inbound.indices import register_indices_handlers
from sealane.inbound.passed_on import register_passed_on
from sealane.inbound.replication import register_replication_handlers
from sealane.model.access import Access
from sealane.model.security import Subject
from sealane.model.task import Context
from sealane.remote.transport.messages import SEARCH, encode_search
from sealane.remote.transport.messages_phases import (
    CAN_MATCH,
    FETCH,
    FREE,
    OPEN,
    QUERY,
    SCROLL,
    SHARDS,
    CanMatchRequest,
    FetchRequest,
    FreeRequest,
    OpenRequest,
    Phase,
    QueryRequest,
    ScrollRequest,
    ShardsRequest,
    ShardTarget,
    WantedDocs,
)
from sealane.remote.transport.messages_replication import CHANGES, COPY
from sealane.security.rules import allow_all
from sealane.testing.fixed_nodes import FixedNodes
from sealane.transport import TaskScope
from tests.unit.inbound.test_about import PAYLOADS, About
from tests.unit.inbound.test_handlers import NODE, REQUEST, Handlers, LocalSearch, context
from tests.unit.inbound.test_indices import INDICES_PAYLOADS, Indices
from tests.unit.inbound.test_replication import REPLICATION_PAYLOADS, Leader, Offload

_LOGS = ShardTarget("logs-1", "uuid", 0)
PHASE_PAYLOADS = {
    SHARDS.action: SHARDS.encode(
        ShardsRequest(indices=("logs-*",), options=(False, True, True, False, False))
    ),
    CAN_MATCH.action: CAN_MATCH.encode(CanMatchRequest(body=b"{}", targets=[_LOGS])),
    QUERY.action: QUERY.encode(QueryRequest(body=b"{}", size=1, targets=[_LOGS])),
    FETCH.action: FETCH.encode(FetchRequest(body=b"{}", wanted=[WantedDocs(_LOGS, [])])),
    OPEN.action: OPEN.encode(OpenRequest(targets=[_LOGS], keep_ms=1)),
    SCROLL.action: SCROLL.encode(ScrollRequest(contexts=["a:1"])),
    FREE.action: FREE.encode(FreeRequest(contexts=["a:1"])),
}


class NoPhases:
    async def run(self, phase: Phase[Any, Any], request: Any, ctx: Context) -> Any:
        raise AssertionError("nobody asks")


class DataNode:
    def __init__(self) -> None:
        self.asked: list[tuple[str, bytes, str]] = []

    async def ask(self, action: str, payload: bytes, ctx: Context) -> bytes:
        self.asked.append((action, payload, ctx.local_alias))
        return b"\xc1 undecodable"


def passed_on(data_node: DataNode, decide=allow_all) -> Handlers:  # type: ignore[no-untyped-def]
    made = Handlers()
    register_passed_on(made, ask=data_node.ask, authorize=decide)
    return made


async def test_bytes_go_there_and_come_back_unread() -> None:
    data_node = DataNode()
    payload = encode_search(REQUEST)
    answer = await passed_on(data_node)[SEARCH](payload, context("eu"))
    assert answer == b"\xc1 undecodable"
    assert data_node.asked == [(SEARCH, payload, "eu")]


async def test_who_may_is_asked_with_the_indices_that_are_named() -> None:
    asked: list[tuple[str, Sequence[str]]] = []

    def deny(subject: Subject, action: str, indices: Sequence[str]) -> Access | None:
        asked.append((action, tuple(indices)))
        raise SecurityError("no")

    data_node = DataNode()
    made = passed_on(data_node, deny)
    payloads = {
        **PAYLOADS,
        **PHASE_PAYLOADS,
        **INDICES_PAYLOADS,
        **REPLICATION_PAYLOADS,
        SEARCH: encode_search(REQUEST),
    }
    for action, handler in made.items():
        with pytest.raises(SecurityError):
            await handler(payloads[action], context())
    assert (SEARCH, ("logs-*",)) in asked
    assert (QUERY.action, ("logs-1",)) in asked
    assert len(asked) == len(made)
    assert data_node.asked == []


async def test_what_is_no_request_is_refused_here() -> None:
    data_node = DataNode()
    with pytest.raises(IllegalArgument, match="malformed message"):
        await passed_on(data_node)[SEARCH](b"\xc1", context())
    assert data_node.asked == []


def test_other_clusters_find_the_same_actions_on_every_node() -> None:
    with_data, without = Handlers(), passed_on(DataNode())
    register_handlers(
        with_data, local=LocalSearch(), nodes=FixedNodes(lambda: [NODE]), authorize=allow_all
    )
    register_about_handlers(with_data, about=About(), authorize=allow_all)
    register_phase_handlers(with_data, local=NoPhases(), authorize=allow_all)
    register_indices_handlers(with_data, local=Indices(), authorize=allow_all)
    register_replication_handlers(
        with_data, leader=Leader(), authorize=allow_all, offload=Offload()
    )
    register_nodes_handler(without, nodes=FixedNodes(lambda: [NODE]), authorize=allow_all)
    assert without.keys() == with_data.keys()


async def test_a_node_that_stops_lets_no_follower_wait() -> None:
    """Whoever reads on hears that the node closes; whatever else runs is given its time."""
    delivered = asyncio.Event()

    async def ask(action: str, payload: bytes, ctx: Context) -> bytes:
        delivered.set()
        return await asyncio.get_running_loop().create_future()

    made = Handlers()
    stop = register_passed_on(made, ask=ask, authorize=allow_all)
    async with TaskScope("test") as tasks:
        for action, ends in ((CHANGES, True), (COPY, False)):
            delivered.clear()
            waiting = tasks.start(made[action](REPLICATION_PAYLOADS[action], context()))
            await delivered.wait()
            if ends:
                stop()
                with pytest.raises(NodeClosed):
                    await waiting
            else:
                assert not waiting.done()
