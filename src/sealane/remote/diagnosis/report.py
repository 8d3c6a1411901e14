"""What a connection test found, as plain data and as the JSON that REST and the command line show."""

from dataclasses import dataclass, field
from typing import Any

from sealane.errors import ApiError
from sealane.model.node import Address, ClusterIdentity, NodeInfo
from sealane.remote.config import Mode
from sealane.remote.diagnosis.advice import Advice, Role
from sealane.remote.diagnosis.steps import StepRecord, took
from sealane.wire.families.known import PRODUCTS

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An error as the connection raises it, and what to tell about it."""

    error: ApiError
    advice: Advice

    def to_json(self) -> Json:
        return {
            **self.error.to_cause(),
            "cause": str(self.advice.cause),
            "explanation": self.advice.explanation,
            "next_step": self.advice.next_step,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Who answered: its node, its cluster, its product by wire family and its release."""

    node: NodeInfo
    cluster: ClusterIdentity
    family: str
    version: str

    @property
    def product(self) -> str:
        return PRODUCTS.get(self.family, self.family)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetReport:
    """One address that was dialled. `dialled` is None where its name did not resolve."""

    role: Role
    address: str
    addresses: tuple[Address, ...]
    dialled: Address | None
    steps: tuple[StepRecord, ...]
    peer: Peer | None = None
    failure: Failure | None = None
    node: NodeInfo | None = None
    """The node that is listed with this address, for a publish address."""

    @property
    def ok(self) -> bool:
        return self.failure is None

    def to_json(self) -> Json:
        body: Json = {
            "role": str(self.role),
            "address": self.address,
            "addresses": [str(each) for each in self.addresses],
            "dialled": None if self.dialled is None else str(self.dialled),
        }
        shown = self.node or (self.peer.node if self.peer else None)
        if shown is not None:
            body["node"] = {"id": shown.id, "name": shown.name}
        body["ok"] = self.ok
        body["steps"] = [each.to_json() for each in self.steps]
        if self.failure is not None:
            body["error"] = self.failure.to_json()
        return body


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeReport:
    """One node of the remote cluster. `why_not` says why it is not eligible; `reachable` is None
    where its address was not tried."""

    node: NodeInfo
    eligible: bool
    why_not: str = ""
    reachable: bool | None = None

    def to_json(self) -> Json:
        body: Json = {
            "id": self.node.id,
            "name": self.node.name,
            "transport_address": str(self.node.address),
            "version": self.node.version,
            "roles": list(self.node.roles),
            "eligible": self.eligible,
        }
        if self.why_not:
            body["reason"] = self.why_not
        body["reachable"] = self.reachable
        return body


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The outcome of one test. `failure` is the one that decides, None when it would connect."""

    alias: str | None
    mode: Mode
    nanos: int
    summary: str
    failure: Failure | None
    peer: Peer | None
    targets: tuple[TargetReport, ...]
    nodes: tuple[NodeReport, ...] = ()
    warnings: tuple[str, ...] = field(default=())

    @property
    def ok(self) -> bool:
        return self.failure is None

    def to_json(self) -> Json:
        """The body of `POST /_remote/<alias>/_test`."""
        body: Json = {
            "ok": self.ok,
            "alias": self.alias,
            "mode": str(self.mode),
            **took(self.nanos),
            "summary": self.summary,
        }
        if self.failure is not None:
            body["error"] = self.failure.to_json()
        body["cluster"] = None if self.peer is None else _cluster(self.peer)
        body["targets"] = [each.to_json() for each in self.targets]
        body["nodes"] = [each.to_json() for each in self.nodes]
        body["warnings"] = list(self.warnings)
        return body


def _cluster(peer: Peer) -> Json:
    return {
        "name": peer.cluster.name,
        "uuid": peer.cluster.uuid or None,
        "product": peer.family,
        "version": peer.version,
    }
