"""What the findings of a test amount to."""

import pytest

from sealane.errors import ApiError, ConnectTransport, IllegalState, ReceiveTimeout
from sealane.model.node import Address, ClusterIdentity, NodeInfo
from sealane.remote.config import Mode
from sealane.remote.diagnosis.advice import Circumstances, Role, advice
from sealane.remote.diagnosis.causes import Cause
from sealane.remote.diagnosis.report import Failure, Peer, Report, TargetReport
from sealane.remote.diagnosis.verdict import Findings, conclude, node_reports
from sealane.transport import Step, faults
from tests.unit.remote.fakes import EU, node

A, B = node("a", 9300), node("b", 9301)
MASTER = node("m", 9302, roles=("master",))
REFUSED = ConnectionRefusedError(111, "Connection refused")


def failure(error: ApiError, role: Role = Role.SEED, step: Step | None = None) -> Failure:
    around = Circumstances(address="10.0.0.1:9300", role=role)
    return Failure(error=error, advice=advice(error, step, around))


def refused(role: Role = Role.SEED) -> Failure:
    return failure(faults.connect_failed("", "", A.address, REFUSED), role)


def target(
    info: NodeInfo,
    *,
    role: Role = Role.SEED,
    failed: Failure | None = None,
    answered: bool = True,
    family: str = "sealane",
    cluster: ClusterIdentity = EU,
) -> TargetReport:
    peer = Peer(node=info, cluster=cluster, family=family, version=info.version)
    return TargetReport(
        role=role,
        address=str(info.address),
        addresses=(info.address,),
        dialled=info.address,
        steps=(),
        peer=peer if answered else None,
        failure=failed,
        node=info if role is Role.NODE else None,
    )


def verdict(
    *targets: TargetReport,
    listed: tuple[NodeInfo, ...] = (),
    mode: Mode = Mode.SNIFF,
    attribute: str | None = None,
    local: ClusterIdentity | None = None,
) -> Report:
    return conclude(
        Findings(
            alias="eu",
            mode=mode,
            targets=targets,
            listed=listed,
            gateway_attribute=attribute,
            local=local,
            warnings=(),
            nanos=5_000_000,
        )
    )


def cause_of(report: Report) -> Cause | None:
    return report.failure.advice.cause if report.failure else None


def test_one_gateway_is_enough() -> None:
    report = verdict(
        target(A), target(A, role=Role.NODE), target(B, role=Role.NODE, answered=False,
        failed=refused(Role.NODE)), listed=(A, B),
    )  # fmt: skip
    assert report.ok
    assert [each.reachable for each in report.nodes] == [True, False]
    assert report.summary.startswith(
        "[eu] connects to cluster [eu] (Sealane 8.19.0): 1 of 1 seeds answer, 1 of 2 nodes can be "
        "gateways; the publish address [10.0.0.1:9300] cannot be reached"
    )


def test_no_seed_answers() -> None:
    """The first seed's failure decides, as it is tried first."""
    silent = failure(faults.connect_timeout("", B.address, 5))
    report = verdict(
        target(A, failed=refused(), answered=False), target(B, failed=silent, answered=False)
    )
    assert cause_of(report) is Cause.CONNECTION_REFUSED
    assert report.peer is None


def test_a_dead_seed_does_not_hide_the_nodes_failures() -> None:
    report = verdict(
        target(A, failed=refused(), answered=False),
        target(B),
        target(B, role=Role.NODE, failed=refused(Role.NODE), answered=False),
        listed=(B,),
    )
    assert cause_of(report) is Cause.PUBLISH_ADDRESS_UNREACHABLE


def test_only_dedicated_masters() -> None:
    report = verdict(target(A, failed=refused(), answered=False), target(MASTER), listed=(MASTER,))
    assert cause_of(report) is Cause.NO_ELIGIBLE_NODE
    assert report.failure is not None
    assert report.failure.error.reason == ("Unable to open any connections to remote cluster [eu]")


def test_a_master_that_does_not_tell_its_nodes() -> None:
    """Whether one of them could be a gateway is not known."""
    untold = failure(ReceiveTimeout("no list"), step=Step.NODES)
    report = verdict(target(MASTER, failed=untold), listed=(MASTER,))
    assert cause_of(report) is Cause.NODES_REQUEST_FAILED


def test_a_seed_that_does_not_tell_its_nodes_may_serve_alone() -> None:
    untold = failure(ReceiveTimeout("no list"), step=Step.NODES)
    report = verdict(target(A, failed=untold), target(A, role=Role.NODE), listed=(A,))
    assert report.ok
    assert "did not tell the nodes of its cluster" in report.summary


def test_another_cluster_decides_whatever_else_works() -> None:
    text = "remote cluster name [us] does not match expected remote cluster name [eu]"
    wrong = failure(IllegalState(text), step=Step.NAME)
    report = verdict(target(A), target(B, failed=wrong), target(A, role=Role.NODE), listed=(A,))
    assert cause_of(report) is Cause.WRONG_CLUSTER


def test_no_time_left_for_the_nodes() -> None:
    report = verdict(target(A), listed=(A,))
    assert cause_of(report) is Cause.OUT_OF_TIME


def test_one_address_of_a_proxy_is_enough() -> None:
    proxies = (
        target(A, role=Role.PROXY, failed=refused(), answered=False),
        target(B, role=Role.PROXY),
    )
    report = verdict(*proxies, mode=Mode.PROXY)
    assert report.ok
    assert "1 of 2 addresses answer" in report.summary
    assert cause_of(verdict(proxies[0], mode=Mode.PROXY)) is Cause.CONNECTION_REFUSED


def test_a_foreign_product_says_what_it_can_do() -> None:
    report = verdict(target(A, family="elasticsearch"), target(A, role=Role.NODE), listed=(A,))
    assert report.ok
    assert "(Elasticsearch 8.19.0)" in report.summary
    assert report.warnings == (
        "the remote is Elasticsearch: this version connects to it, and cannot search it over the "
        "transport protocol yet",
    )
    assert report.to_json()["cluster"]["product"] == "elasticsearch"


def test_the_own_cluster_is_a_warning() -> None:
    report = verdict(target(A), target(A, role=Role.NODE), listed=(A,), local=EU)
    assert report.ok
    assert "this is the cluster that the test runs in" in report.warnings[0]


@pytest.mark.parametrize(
    ("info", "why_not"),
    [
        (A, "it has no attribute [gw], which must be [true]"),
        (node("x", 1, gw="false"), "its attribute [gw] is [false], which must be [true]"),
        (node("x", 1, gw="true"), ""),
        (MASTER, "a dedicated master is never a gateway"),
    ],
)
def test_why_a_node_is_no_gateway(info: NodeInfo, why_not: str) -> None:
    (report,) = node_reports([info], "gw")
    assert (report.eligible, report.why_not) == (not why_not, why_not)


def test_a_name_that_did_not_resolve_as_json() -> None:
    lost = TargetReport(
        role=Role.SEED,
        address="db:9300",
        addresses=(),
        dialled=None,
        steps=(),
        failure=failure(faults.unknown_host("db")),
    )
    body = lost.to_json()
    assert (body["addresses"], body["dialled"], body["ok"]) == ([], None, False)
    assert "node" not in body


def test_an_error_keeps_the_references_own_members() -> None:
    body = failure(ConnectTransport("[][x] y", caused_by=IllegalState("z"))).to_json()
    assert list(body) == ["type", "reason", "caused_by", "cause", "explanation", "next_step"]


def test_addresses_are_shown_with_brackets() -> None:
    info = node("v6", 9300)
    shown = TargetReport(
        role=Role.SEED,
        address="[::1]:9300",
        addresses=(Address("::1", 9300),),
        dialled=Address("::1", 9300),
        steps=(),
        peer=Peer(node=info, cluster=EU, family="sealane", version="1"),
    )
    assert shown.to_json()["addresses"] == ["[::1]:9300"]
