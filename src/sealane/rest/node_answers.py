"""The frame of answers that several nodes contribute to: how many were asked, and which failed."""

from collections.abc import Mapping, Sequence
from typing import Any

from sealane.cluster.node_reports import TIMEOUT_S
from sealane.errors import ApiError
from sealane.model.node import NodeInfo
from sealane.rest.request import Request

Answers = Sequence[tuple[NodeInfo, Mapping[str, Any] | ApiError]]


def nodes_header(answers: Answers) -> dict[str, Any]:
    """The object `_nodes`."""
    failed = [(node, answer) for node, answer in answers if isinstance(answer, ApiError)]
    header: dict[str, Any] = {
        "total": len(answers),
        "successful": len(answers) - len(failed),
        "failed": len(failed),
    }
    if failed:
        header["failures"] = [_failure(node, error) for node, error in failed]
    return header


def node_failures(answers: Answers) -> dict[str, Any]:
    """The member `node_failures` of answers about tasks; nothing where all nodes answered."""
    failed = [_failure(node, each) for node, each in answers if isinstance(each, ApiError)]
    return {"node_failures": failed} if failed else {}


def _failure(node: NodeInfo, error: ApiError) -> dict[str, Any]:
    return {
        "type": "failed_node_exception",
        "reason": f"Failed node [{node.id}]",
        "node_id": node.id,
        "caused_by": error.to_cause(),
    }


def reports_of(answers: Answers) -> list[tuple[NodeInfo, Mapping[str, Any]]]:
    """Of the nodes that answered."""
    return [(node, answer) for node, answer in answers if not isinstance(answer, ApiError)]


def node_head(node: NodeInfo) -> dict[str, Any]:
    """How a node is told beside what it answered; `ip` is with the port there."""
    address = str(node.address)
    return {
        "name": node.name,
        "transport_address": address,
        "host": node.address.host,
        "ip": address,
        "roles": sorted(node.roles),
        "attributes": node.attributes,
    }


def timeout_of(request: Request) -> float:
    """How long each node may take: the request's `timeout`, in seconds."""
    timeout_ms = request.params.get("timeout")
    return TIMEOUT_S if timeout_ms is None or timeout_ms < 0 else timeout_ms / 1000
