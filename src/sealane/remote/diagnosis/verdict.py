"""What the findings of a connection test amount to: would it connect, what decides that, and one
sentence for it. Pure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sealane.errors import ApiError, IllegalState, ReceiveTimeout
from sealane.model.node import ClusterIdentity, NodeInfo
from sealane.remote.config import Mode
from sealane.remote.diagnosis.advice import Circumstances, Role, advice
from sealane.remote.diagnosis.causes import Cause
from sealane.remote.diagnosis.report import Failure, NodeReport, Peer, Report, TargetReport
from sealane.remote.eligible import attribute_warning, is_gateway
from sealane.remote.protocols import NATIVE_FAMILY
from sealane.settings import TimeValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """All that a test saw. `targets` are in the order in which a connection would try them."""

    alias: str | None
    mode: Mode
    targets: tuple[TargetReport, ...]
    listed: tuple[NodeInfo, ...]
    gateway_attribute: str | None
    local: ClusterIdentity | None
    warnings: tuple[str, ...]
    nanos: int


def node_reports(nodes: Iterable[NodeInfo], attribute: str | None) -> list[NodeReport]:
    """Each node with whether it may be a gateway, and why not."""
    reports = []
    for node in nodes:
        eligible = is_gateway(node, attribute)
        why_not = "" if eligible else _why_not(node, attribute)
        reports.append(NodeReport(node=node, eligible=eligible, why_not=why_not))
    return reports


def _why_not(node: NodeInfo, attribute: str | None) -> str:
    if not is_gateway(node, None):
        return "a dedicated master is never a gateway"
    assert attribute is not None, "nothing else keeps a node from being one"
    value = node.attributes.get(attribute)
    if value is None:
        return f"it has no attribute [{attribute}], which must be [true]"
    return f"its attribute [{attribute}] is [{value}], which must be [true]"


def conclude(found: Findings) -> Report:
    """The report. It would connect when a gateway or a proxy socket can be had, unless some address
    leads to another cluster: then chance would decide what is searched."""
    nodes = _reached(found)
    peer = next((t.peer for t in found.targets if t.peer is not None), None)
    failure = _decisive(found, nodes)
    warnings = [*found.warnings, *_odd(found, peer)]
    return Report(
        alias=found.alias,
        mode=found.mode,
        nanos=found.nanos,
        summary=str(failure.advice) if failure else _success(found, peer, nodes),
        failure=failure,
        peer=peer,
        targets=found.targets,
        nodes=tuple(nodes),
        warnings=tuple(warnings),
    )


def _reached(found: Findings) -> list[NodeReport]:
    """The nodes, with whether one of the addresses behind each led to it."""
    tried: dict[str, bool] = {}
    for target in found.targets:
        if target.role is Role.NODE and target.node is not None:
            key = target.node.ephemeral_id
            tried[key] = tried.get(key, False) or target.ok
    return [
        NodeReport(
            node=each.node,
            eligible=each.eligible,
            why_not=each.why_not,
            reachable=tried.get(each.node.ephemeral_id),
        )
        for each in node_reports(found.listed, found.gateway_attribute)
    ]


def _decisive(found: Findings, nodes: Sequence[NodeReport]) -> Failure | None:
    """Why there would be no connection; None when there would be."""
    failures = [target.failure for target in found.targets if target.failure is not None]
    for failure in failures:
        if failure.advice.cause is Cause.WRONG_CLUSTER:
            return failure
    entries = [target for target in found.targets if target.role is not Role.NODE]
    if found.mode is Mode.PROXY:
        return None if any(target.ok for target in entries) else failures[0]
    if any(node.reachable for node in nodes):
        return None
    if not any(target.peer for target in entries):
        return failures[0]
    if not nodes:
        return _gave_up(found, entries)
    if not any(node.eligible for node in nodes):
        # Nodes that were not told might be.
        untold = [f for f in failures if f.advice.cause is Cause.NODES_REQUEST_FAILED]
        return untold[0] if untold else _no_gateway(found, entries)
    of_nodes = [t.failure for t in found.targets if t.role is Role.NODE and t.failure]
    return of_nodes[0] if of_nodes else _gave_up(found, entries)


def _no_gateway(found: Findings, entries: Sequence[TargetReport]) -> Failure:
    text = f"Unable to open any connections to remote cluster [{found.alias or ''}]"
    return _of_answering(entries, IllegalState(text))


def _gave_up(found: Findings, entries: Sequence[TargetReport]) -> Failure:
    """No time was left to ask for the nodes, or to try them."""
    text = f"connection test gave up after [{TimeValue(found.nanos)}]"
    return _of_answering(entries, ReceiveTimeout(text))


def _of_answering(entries: Sequence[TargetReport], error: ApiError) -> Failure:
    address = next(target.address for target in entries if target.peer)
    return Failure(error=error, advice=advice(error, None, Circumstances(address=address)))


def _success(found: Findings, peer: Peer | None, nodes: Sequence[NodeReport]) -> str:
    assert peer is not None, "somebody answered"
    what = f"cluster [{peer.cluster.name}] ({peer.product} {peer.version})".replace(" )", ")")
    name = f"[{found.alias}] connects to " if found.alias else "connects to "
    counts = []
    for role, plural in ((Role.SEED, "seeds"), (Role.PROXY, "addresses")):
        those = [target for target in found.targets if target.role is role]
        if those:
            good = sum(target.peer is not None for target in those)
            counts.append(f"{good} of {len(those)} {plural} answer")
    if found.mode is Mode.SNIFF:
        good = sum(bool(node.reachable) for node in nodes)
        counts.append(f"{good} of {len(nodes)} nodes can be gateways")
    text = f"{name}{what}: {', '.join(counts)}"
    failed = next((t.failure for t in found.targets if t.failure is not None), None)
    return f"{text}; {failed.advice}" if failed else text


def _odd(found: Findings, peer: Peer | None) -> list[str]:
    """What works all the same."""
    texts = [
        text
        for node in found.listed
        if (text := attribute_warning(node, found.gateway_attribute)) is not None
    ]
    if peer is None:
        return texts
    if found.local is not None and found.local.uuid and peer.cluster.uuid == found.local.uuid:
        texts.append(
            "this is the cluster that the test runs in: a search that names its indices with and "
            "without the alias finds each document twice"
        )
    if peer.family != NATIVE_FAMILY:
        texts.append(
            f"the remote is {peer.product}: this version connects to it, and cannot search it over "
            "the transport protocol yet"
        )
    return texts
