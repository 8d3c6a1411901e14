"""Reports of nodes, collected by one of them."""

import asyncio

import msgspec
import pytest

from sealane.cluster.node_reports import (
    REPORT,
    NodeReport,
    NodeReports,
    ReportRequest,
    encode_report,
    encode_request,
    read_request,
)
from sealane.errors import ApiError, ConnectTransport, IllegalArgument, TaskCancelled
from sealane.model.node import Address, NodeInfo
from sealane.model.task import Context, Task, TaskId


def node(name: str) -> NodeInfo:
    return NodeInfo(id=name, ephemeral_id=name, name=name, address=Address("h", 1))


NODES = [node("a"), node("b")]
CONTEXT = Context(task=Task(TaskId("n", 1), "test", None, 0, ""))


class Fellows:
    """Answers by node name: bytes, or an error. `asked` are the sections wanted."""

    local = NODES[0]

    def __init__(self, **answers: bytes | ApiError) -> None:
        self.answers = answers
        self.asked: list[tuple[str, ...]] = []

    def nodes(self) -> list[NodeInfo]:
        return NODES

    async def ask(
        self, node: NodeInfo, action: str, payload: bytes, ctx: Context, *, timeout_s: float
    ) -> bytes:
        assert action == REPORT
        self.asked.append(read_request(payload).sections)
        await asyncio.sleep(0)
        answer = self.answers[node.name]
        if isinstance(answer, ApiError):
            raise answer
        return answer


async def test_a_report_has_the_sections_named_as_far_as_there_are() -> None:
    async def slow() -> dict[str, int]:
        await asyncio.sleep(0)
        return {"x": 1}

    report = NodeReport()
    report.add("slow", slow)
    report.add("quick", lambda: {"y": 2})
    report.add("other", lambda: {"z": 3})
    assert await report.make(("quick", "slow", "absent")) == {"quick": {"y": 2}, "slow": {"x": 1}}


async def test_each_node_answers_or_fails_by_itself() -> None:
    lost = ConnectTransport("gone")
    fellows = Fellows(a=encode_report({"s": 1}), b=lost)
    found = await NodeReports(lambda: fellows).collect(NODES, ("s",), CONTEXT)
    assert found == [(NODES[0], {"s": 1}), (NODES[1], lost)]
    assert fellows.asked == [("s",), ("s",)]
    assert await NodeReports(lambda: fellows).collect((), ("s",), CONTEXT) == []


async def test_an_answer_that_is_none_is_that_nodes_failure() -> None:
    fellows = Fellows(a=b"[1]", b=b"\xff")
    found = await NodeReports(lambda: fellows).collect(NODES, ("s",), CONTEXT)
    assert all(isinstance(answer, IllegalArgument) for _, answer in found)


async def test_a_cancelled_request_ends() -> None:
    fellows = Fellows(a=TaskCancelled("x"), b=encode_report({}))
    with pytest.raises(TaskCancelled):
        await NodeReports(lambda: fellows).collect(NODES, ("s",), CONTEXT)


@pytest.mark.parametrize(
    "payload", [b"", b"\xc1", b"\x90", encode_request(ReportRequest(("s",) * 101))]
)
def test_a_request_that_is_none_is_refused(payload: bytes) -> None:
    with pytest.raises(IllegalArgument, match="cluster:monitor/nodes/stats"):
        read_request(payload)


def test_fields_of_the_request_may_be_appended() -> None:
    longer = msgspec.msgpack.encode([["s"], "from a later version"])
    assert read_request(longer) == ReportRequest(("s",))
