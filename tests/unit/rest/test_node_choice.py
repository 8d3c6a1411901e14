"""Which nodes an expression means, as 8.19.0 chose them."""

import pytest

from sealane.errors import IllegalArgument
from sealane.model.node import Address, NodeInfo
from sealane.rest.node_choice import chosen_nodes
from tests.unit.rest.fakes import NODE, FakeCluster


def gateway(name: str, *roles: str, host: str = "10.0.0.2", **attributes: str) -> NodeInfo:
    return NodeInfo(
        id=f"id-{name}",
        ephemeral_id="e",
        name=name,
        address=Address(host, 9300),
        roles=roles,
        attributes=attributes,
    )


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("", ["esa-0", "gw-1", "gw-2"]),
        (",", ["esa-0", "gw-1", "gw-2"]),
        ("_all", ["esa-0", "gw-1", "gw-2"]),
        ("*", ["esa-0", "gw-1", "gw-2"]),
        ("_local", ["esa-0"]),
        ("_master", ["esa-0"]),
        ("gw-1", ["gw-1"]),
        ("gw-*", ["gw-1", "gw-2"]),
        ("id-gw-2", ["gw-2"]),
        ("10.0.*", ["gw-1", "gw-2"]),
        ("10.0.0.2:9300", []),
        ("nobody", []),
        ("nobody,gw-2", ["gw-2"]),
        ("data:true", ["esa-0"]),
        ("data_hot:true", ["esa-0"]),
        ("data:false", []),
        ("_all,data:false", ["gw-1", "gw-2"]),
        ("data:false,_all", ["esa-0", "gw-1", "gw-2"]),
        ("coordinating_only:true", ["gw-2"]),
        ("remote_cluster_client:true", ["esa-0", "gw-2"]),
        ("rack:r*", ["gw-1"]),
        ("ra*:r1", ["gw-1"]),
        ("rack:x", []),
    ],
)
def test_chosen(expression: str, expected: list[str]) -> None:
    cluster = FakeCluster()
    cluster.others = [
        gateway("gw-1", "ingest", rack="r1"),
        gateway("gw-2", "remote_cluster_client"),
    ]
    assert [node.name for node in chosen_nodes(cluster, expression)] == expected


def test_a_role_is_there_or_not() -> None:
    with pytest.raises(IllegalArgument, match=r"Failed to parse value \[x\]"):
        chosen_nodes(FakeCluster(), "data:x")
    assert chosen_nodes(FakeCluster(), NODE.id) == [NODE]
