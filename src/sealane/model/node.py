"""Who a node and a cluster are, on the wire and on disk."""

from collections.abc import Sequence

import msgspec


class Address(msgspec.Struct, frozen=True, array_like=True, order=True):
    """A host (name or address, without brackets) and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class NodeInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One node. `id` is kept across starts, `ephemeral_id` is new at each; `address` is the one it publishes."""

    id: str
    ephemeral_id: str
    name: str
    address: Address
    roles: tuple[str, ...] = ()
    attributes: dict[str, str] = {}
    version: str = ""
    """Release of the product, for people."""


class ClusterIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """`uuid` is made once, with the first start's state; `name` is a setting."""

    name: str
    uuid: str


ROLES = ("data", "ingest", "master", "remote_cluster_client")
"""Roles of a node unless `node.roles` says otherwise."""


def may_be_master(roles: Sequence[str]) -> bool:
    """Whether a node with these roles keeps the cluster's data and state: in a cluster of ours, its one master."""
    return any(role in ("data", "master") or role.startswith("data_") for role in roles)
