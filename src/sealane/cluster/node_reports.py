"""What each node of the cluster says about itself, collected by one of them.

A node's report has named sections, each made by the part that knows. The asking node gets those it names from every
node that is meant, or the error of a node that did not answer; no node holds the others up for long.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec

from sealane.cluster.fellows import Fellows
from sealane.errors import ApiError, IllegalArgument, TaskCancelled
from sealane.model.node import NodeInfo
from sealane.model.security import SYSTEM
from sealane.model.task import Context
from sealane.transport.tasks import run_together

REPORT: Final = "cluster:monitor/nodes/stats"
TIMEOUT_S: Final = 5.0
_AT_A_TIME: Final = 64
_SECTIONS_MAX: Final = 100

Section = Callable[[], Any] | Callable[[], Awaitable[Any]]


class ReportRequest(msgspec.Struct, frozen=True, array_like=True):
    sections: tuple[str, ...]


class NodeReport:
    """This node's own. A section is a function without arguments that returns what JSON can hold, or awaits it."""

    def __init__(self) -> None:
        self._sections: dict[str, Section] = {}

    def add(self, name: str, section: Section) -> None:
        self._sections[name] = section

    async def make(self, names: Sequence[str]) -> dict[str, Any]:
        """The sections named, as far as this node has them."""
        report = {}
        for name in names:
            section = self._sections.get(name)
            if section is not None:
                made = section()
                report[name] = await made if inspect.isawaitable(made) else made
        return report


class NodeReports:
    """Asks nodes for their reports."""

    def __init__(self, fellows: Callable[[], Fellows]) -> None:
        self._fellows = fellows

    async def collect(
        self,
        nodes: Sequence[NodeInfo],
        sections: Sequence[str],
        ctx: Context,
        *,
        timeout_s: float = TIMEOUT_S,
    ) -> list[tuple[NodeInfo, dict[str, Any] | ApiError]]:
        """One entry a node, in their order. Raises TaskCancelled."""
        payload = encode_request(ReportRequest(tuple(sections)))
        ctx = replace(ctx, subject=SYSTEM)  # whoever asked may ask for what is made of the reports
        fellows = self._fellows()
        slots = asyncio.Semaphore(_AT_A_TIME)
        answers: list[dict[str, Any] | ApiError] = [{} for _ in nodes]

        async def ask(at: int, node: NodeInfo) -> None:
            async with slots:
                try:
                    answer = await fellows.ask(node, REPORT, payload, ctx, timeout_s=timeout_s)
                    answers[at] = _read_report(answer)
                except TaskCancelled:
                    raise
                except ApiError as error:
                    answers[at] = error

        await run_together([ask(at, node) for at, node in enumerate(nodes)])
        return list(zip(nodes, answers, strict=True))


def encode_request(request: ReportRequest) -> bytes:
    return msgspec.msgpack.encode(request)


def read_request(payload: bytes) -> ReportRequest:
    """Raises IllegalArgument for bytes that are no such request."""
    try:
        request = msgspec.msgpack.decode(payload, type=ReportRequest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _malformed(error) from error
    if len(request.sections) > _SECTIONS_MAX:
        raise _malformed(f"more than {_SECTIONS_MAX} sections")
    return request


def encode_report(report: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode(report)


def _read_report(payload: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(payload, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _malformed(error) from error


def _malformed(problem: object) -> IllegalArgument:
    return IllegalArgument(f"malformed message for action [{REPORT}]: {problem}")
