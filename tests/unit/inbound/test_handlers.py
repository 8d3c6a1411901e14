"""What other clusters are answered, and on whose authority."""

from collections.abc import Sequence

import pytest

from sealane.errors import IllegalArgument, SecurityError
from sealane.inbound import register_handlers
from sealane.inbound.actions import Handler
from sealane.model.access import Access
from sealane.model.dsl import SearchBody
from sealane.model.node import Address, NodeInfo
from sealane.model.search import SearchRequest
from sealane.model.security import Subject
from sealane.model.task import Context, Task, TaskId
from sealane.reduce.partial import ClusterAnswer, Hit, Partial, ShardCounts
from sealane.remote.transport.messages import (
    SEARCH,
    decode_answer,
    encode_search,
)
from sealane.security.rules import allow_all
from sealane.testing.fixed_nodes import FixedNodes
from sealane.wire.families.sealane import NODES, decode_nodes


class Handlers(dict[str, Handler]):
    def register(self, action: str, handler: Handler) -> None:
        assert action not in self
        self[action] = handler


class LocalSearch:
    """Answers one hit, named as the caller knows this cluster."""

    def __init__(self) -> None:
        self.asked: list[SearchRequest] = []

    async def search(self, request: SearchRequest, ctx: Context) -> ClusterAnswer:
        self.asked.append(request)
        hit = Hit(f"{ctx.local_alias}:logs", "1", None)
        partial = Partial(hits=[hit], total=None, max_score=None, shards=ShardCounts(1, 1))
        return ClusterAnswer(partial, 3)


NODE = NodeInfo(id="i", ephemeral_id="e", name="n", address=Address("10.0.0.1", 9300))
REQUEST = SearchRequest(
    indices=("logs-*",), body=SearchBody(raw=b"{}"), from_=0, size=10, final_reduce=False
)


def context(alias: str = "eu") -> Context:
    return Context(task=Task(TaskId("n", 1), "test", None, 0, ""), local_alias=alias)


def handlers(local: LocalSearch, decide=allow_all) -> Handlers:  # type: ignore[no-untyped-def]
    made = Handlers()
    register_handlers(made, local=local, nodes=FixedNodes(lambda: [NODE]), authorize=decide)
    return made


async def test_search_runs_on_this_cluster() -> None:
    local = LocalSearch()
    payload = await handlers(local)[SEARCH](encode_search(REQUEST), context())
    assert decode_answer(payload).partial.hits[0].index == "eu:logs"
    (asked,) = local.asked
    assert (asked.indices, asked.size, asked.final_reduce) == (("logs-*",), 10, False)


async def test_nodes_are_those_of_the_moment() -> None:
    assert decode_nodes(await handlers(LocalSearch())[NODES](b"", context())) == [NODE]


@pytest.mark.parametrize(("action", "indices"), [(SEARCH, ("logs-*",)), (NODES, ())])
async def test_every_action_is_authorized(action: str, indices: tuple[str, ...]) -> None:
    """A refusal names its reason, and nothing has run."""
    seen: list[tuple[str, tuple[str, ...]]] = []

    def refuse(subject: Subject, name: str, expressions: Sequence[str]) -> Access | None:
        seen.append((name, tuple(expressions)))
        raise SecurityError("not you")

    local = LocalSearch()
    made = handlers(local, refuse)
    payload = encode_search(REQUEST) if action == SEARCH else b""
    with pytest.raises(SecurityError, match="not you"):
        await made[action](payload, context())
    assert seen == [(action, indices)]
    assert not local.asked


@pytest.mark.parametrize("action", [SEARCH, NODES])
async def test_malformed_request(action: str) -> None:
    with pytest.raises(IllegalArgument, match="malformed message for action"):
        await handlers(LocalSearch())[action](b"\xff", context())
