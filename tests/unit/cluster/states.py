"""Nodes and states of one small cluster."""

from collections.abc import Mapping

from sealane.cluster.published import JoinRequest, Member, PublishedState
from sealane.model.node import Address, ClusterIdentity, NodeInfo
from sealane.settings import Value

IDENTITY = ClusterIdentity(name="one", uuid="u")


def node(name: str, *, start: int = 1, port: int = 9300, **more: object) -> NodeInfo:
    """A node; `start` counts its starts, each of which has an ephemeral id of its own. `m` holds the data."""
    roles = ("data", "master") if name == "m" else ("remote_cluster_client",)
    given = {"roles": roles, **more}
    return NodeInfo(
        id=f"id-{name}",
        ephemeral_id=f"{name}-{start}",
        name=name,
        address=Address(f"{name}.local", port),
        **given,  # type: ignore[arg-type]
    )


def member(name: str, *, start: int = 1, port: int = 9300) -> Member:
    return Member(node=node(name, start=start, port=port), http=f"{name}.local:9200")


def joining(name: str, *, start: int = 1, port: int = 9300, uuid: str = "") -> JoinRequest:
    return JoinRequest(
        member=member(name, start=start, port=port), cluster_name="one", cluster_uuid=uuid
    )


def state(
    *names: str,
    version: int = 1,
    start: int = 1,
    persistent: Mapping[str, Value] | None = None,
    transient: Mapping[str, Value] | None = None,
) -> PublishedState:
    """As the master `m` publishes it; `names` are the other members."""
    return PublishedState(
        cluster_name="one",
        cluster_uuid="u",
        master_id="id-m",
        term=f"m-{start}",
        version=version,
        state_uuid=f"s{version}",
        members=(member("m", start=start), *(member(name) for name in names)),
        persistent=dict(persistent or {}),
        transient=dict(transient or {}),
    )
