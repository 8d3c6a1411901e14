"""Which nodes a request means: ids, names, addresses, roles and attributes, in the reference's grammar."""

from collections.abc import Sequence

from sealane.errors import IllegalArgument
from sealane.model.node import ROLE_LETTERS, NodeInfo, is_data_role, may_be_master
from sealane.model.patterns import matches
from sealane.rest.services import ClusterView

_COORDINATING_ONLY = "coordinating_only"


def chosen_nodes(cluster: ClusterView, expression: str) -> list[NodeInfo]:
    """The nodes that a comma-separated list names, in the cluster's order; an empty list names all.

    `_local`, `_master`, `_all`, ids, patterns of names and addresses, `attribute:value`, and `role:true` or
    `role:false`, which takes nodes out again. Raises IllegalArgument for another value of a role.
    """
    nodes = cluster.nodes()
    wanted = [each for each in expression.split(",") if each]
    if not wanted:
        return list(nodes)
    chosen: set[str] = set()
    for each in wanted:
        _choose(each, nodes, cluster, chosen)
    return [node for node in nodes if node.id in chosen]


def _choose(wanted: str, nodes: Sequence[NodeInfo], cluster: ClusterView, chosen: set[str]) -> None:
    if wanted == "_local":
        chosen.add(cluster.local_node.id)
        return
    if wanted == "_master":
        chosen.add(cluster.master_id)
        return
    name, colon, value = wanted.partition(":")
    if colon and (name in ROLE_LETTERS or name == _COORDINATING_ONLY):
        with_role = {node.id for node in nodes if _has_role(node, name)}
        if _is_true(value):
            chosen |= with_role
        else:
            chosen -= with_role
        return
    for node in nodes:
        if (
            wanted in ("_all", node.id)
            or any(matches(wanted, shown) for shown in (node.name, node.address.host))
            or (
                colon
                and any(
                    matches(name, key) and matches(value, text)
                    for key, text in node.attributes.items()
                )
            )
        ):
            chosen.add(node.id)


def _has_role(node: NodeInfo, role: str) -> bool:
    if role == _COORDINATING_ONLY:
        return "ingest" not in node.roles and not may_be_master(node.roles)
    if role.startswith("data_"):
        return role in node.roles or "data" in node.roles
    if role == "data":
        return any(is_data_role(each) for each in node.roles)
    return role in node.roles


def _is_true(text: str) -> bool:
    if text not in ("true", "false", ""):
        raise IllegalArgument(
            f"Failed to parse value [{text}] as only [true] or [false] are allowed."
        )
    return text != "false"
