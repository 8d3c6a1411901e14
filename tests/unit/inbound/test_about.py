"""What other clusters, and fellow nodes, are told of this one, and on whose authority."""

from collections.abc import Sequence

import pytest

from sealane.cluster.node_reports import REPORT, NodeReport, ReportRequest, encode_request
from sealane.errors import IllegalArgument, SecurityError
from sealane.inbound import register_about_handlers, register_report_handler
from sealane.model.access import Access
from sealane.model.clusters import (
    ClusterMatch,
    ClusterStats,
    ProductVersion,
    ResolveClusterRequest,
)
from sealane.model.security import Subject
from sealane.model.task import Context
from sealane.remote.transport.messages_clusters import (
    CLUSTER_STATS,
    RESOLVE_CLUSTER,
    decode_cluster_match,
    decode_cluster_stats,
    encode_resolve_cluster,
)
from sealane.security.rules import allow_all
from tests.unit.inbound.test_handlers import Handlers, context

MATCH = ClusterMatch(matches=True, version=ProductVersion("8.19.0"))
STATS = ClusterStats(
    cluster_uuid="u",
    status="green",
    versions=(),
    nodes=1,
    shards=1,
    indices=1,
    indices_bytes=1,
    memory_bytes=1,
)
REQUEST = ResolveClusterRequest(expressions=("logs-*",))
PAYLOADS = {
    RESOLVE_CLUSTER: encode_resolve_cluster(REQUEST),
    CLUSTER_STATS: b"",
    REPORT: encode_request(ReportRequest(("s",))),
}


class About:
    def __init__(self) -> None:
        self.asked: list[object] = []

    async def resolve_cluster(self, request: ResolveClusterRequest, ctx: Context) -> ClusterMatch:
        self.asked.append(request)
        return MATCH

    def section(self) -> dict[str, int]:
        self.asked.append("report")
        return {"x": 1}

    async def cluster_stats(self, ctx: Context) -> ClusterStats:
        self.asked.append("stats")
        return STATS


def handlers(about: About, decide=allow_all) -> Handlers:  # type: ignore[no-untyped-def]
    made, report = Handlers(), NodeReport()
    report.add("s", about.section)
    register_about_handlers(made, about=about, authorize=decide)
    register_report_handler(made, report=report, authorize=decide)
    return made


async def test_each_question_is_answered_by_this_cluster() -> None:
    about = About()
    made = handlers(about)
    answers = {action: await made[action](PAYLOADS[action], context()) for action in PAYLOADS}
    assert decode_cluster_match(answers[RESOLVE_CLUSTER]) == MATCH
    assert decode_cluster_stats(answers[CLUSTER_STATS]) == STATS
    assert answers[REPORT] == b'{"s":{"x":1}}'
    assert about.asked == [REQUEST, "stats", "report"]


@pytest.mark.parametrize(
    ("action", "indices"), [(RESOLVE_CLUSTER, ("logs-*",)), (CLUSTER_STATS, ()), (REPORT, ())]
)
async def test_every_question_is_authorized(action: str, indices: tuple[str, ...]) -> None:
    seen: list[tuple[str, tuple[str, ...]]] = []

    def refuse(subject: Subject, name: str, expressions: Sequence[str]) -> Access | None:
        seen.append((name, tuple(expressions)))
        raise SecurityError("not you")

    about = About()
    with pytest.raises(SecurityError, match="not you"):
        await handlers(about, refuse)[action](PAYLOADS[action], context())
    assert seen == [(action, indices)]
    assert about.asked == []


@pytest.mark.parametrize("action", list(PAYLOADS))
async def test_malformed_question(action: str) -> None:
    with pytest.raises(IllegalArgument, match="malformed message for action"):
        await handlers(About())[action](b"\xff", context())
