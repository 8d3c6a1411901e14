"""A gateway that is about to stop refuses new requests; another one answers them."""

import pytest

from sealane.errors import NodeClosed, NodeDisconnected
from sealane.model.task import Context
from sealane.reduce.partial import ClusterAnswer
from sealane.remote.transport.messages import encode_answer
from sealane.testing.simulation import in_virtual_time
from tests.unit.remote.fakes import FakeDialer, FakeNode, cluster_of, context
from tests.unit.remote.registries import A, B, C, remotes, sniff
from tests.unit.remote.test_client import PARTIAL, REQUEST


def _answering(node: FakeNode, asked: list[str]) -> None:
    def answer(action: str, payload: bytes, ctx: Context) -> bytes:
        asked.append(node.info.name)
        return encode_answer(ClusterAnswer(PARTIAL, 4))

    node.answer = answer


def _closing(node: FakeNode, asked: list[str]) -> None:
    def answer(action: str, payload: bytes, ctx: Context) -> bytes:
        asked.append(node.info.name)
        raise NodeClosed(f"node closed [{node.info.name}][{node.info.address}]")

    node.answer = answer


@in_virtual_time
async def test_another_gateway_answers_what_a_closing_one_refuses() -> None:
    asked: list[str] = []
    nodes = cluster_of(A, B, C)
    for node in nodes[:2]:
        _closing(node, asked)
    _answering(nodes[2], asked)
    async with remotes(FakeDialer(*nodes), sniff()) as made:
        for _ in range(6):
            assert await made.client("eu").search(REQUEST, context()) == (PARTIAL, 4)
    assert asked.count("c") == 6


@in_virtual_time
async def test_with_all_of_them_closing_the_search_fails() -> None:
    asked: list[str] = []
    nodes = cluster_of(A)
    _closing(nodes[0], asked)
    async with remotes(FakeDialer(*nodes), sniff()) as made:
        with pytest.raises(NodeClosed):
            await made.client("eu").search(REQUEST, context())
    assert len(asked) == 3


@in_virtual_time
async def test_a_request_that_may_have_begun_is_not_repeated() -> None:
    asked: list[str] = []

    def broken(action: str, payload: bytes, ctx: Context) -> bytes:
        asked.append("a")
        raise NodeDisconnected("[a][10.0.0.1:9300][action] disconnected")

    nodes = cluster_of(A, B)
    for node in nodes:
        node.answer = broken
    async with remotes(FakeDialer(*nodes), sniff()) as made:
        with pytest.raises(NodeDisconnected):
            await made.client("eu").search(REQUEST, context())
    assert asked == ["a"]
