"""The local cluster of a node without data, asked at the node that holds it."""

from collections.abc import Sequence

import pytest

from sealane.errors import ClusterBlock, IndexNotFound, NodeNotConnected
from sealane.model.clusters import ClusterMatch, ProductVersion
from sealane.model.node import NodeInfo
from sealane.model.search import SearchRequest
from sealane.model.task import Context
from sealane.query import parse_search_body
from sealane.remote.transport.data_node import DataNodeClient
from sealane.remote.transport.messages_clusters import (
    RESOLVE_CLUSTER,
    decode_resolve_cluster,
    encode_cluster_match,
)
from tests.unit.remote.fakes import context
from tests.unit.remote.registries import A


class Fellows:
    """Knows one index, and keeps what it is asked."""

    local = A

    def __init__(self) -> None:
        self.asked: list[str] = []

    def nodes(self) -> Sequence[NodeInfo]:
        return [A]

    async def ask(
        self, node: NodeInfo, action: str, payload: bytes, ctx: Context, *, timeout_s: float
    ) -> bytes:
        self.asked.append(action)
        asked = decode_resolve_cluster(payload)
        if asked.expressions != ("there",):
            raise IndexNotFound("missing")
        return encode_cluster_match(ClusterMatch(matches=True, version=ProductVersion("8.19.0")))


def named(name: str) -> SearchRequest:
    return SearchRequest(
        indices=(name,), body=parse_search_body(b"{}"), from_=0, size=10, final_reduce=False
    )


async def test_names_are_judged_by_the_data_node_where_it_may_be_asked() -> None:
    fellows = Fellows()
    client = DataNodeClient(fellows, lambda: A, lambda: True)
    await client.judge_names(named("missing"), context(), may_ask=False)
    assert fellows.asked == []
    await client.judge_names(named("there"), context(), may_ask=True)
    with pytest.raises(IndexNotFound):
        await client.judge_names(named("missing"), context(), may_ask=True)
    assert fellows.asked == [RESOLVE_CLUSTER] * 2


async def test_a_data_node_that_is_away_is_the_error_of_its_cluster() -> None:
    gone = DataNodeClient(Fellows(), lambda: A, lambda: False)
    with pytest.raises(NodeNotConnected):
        await gone.judge_names(named("i"), context(), may_ask=True)
    unknown = DataNodeClient(Fellows(), lambda: None, lambda: False)
    with pytest.raises(ClusterBlock):
        await unknown.judge_names(named("i"), context(), may_ask=True)
