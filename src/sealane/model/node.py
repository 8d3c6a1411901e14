"""Who a node and a cluster are, on the wire and on disk."""

from collections.abc import Mapping, Sequence

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


ROLE_LETTERS: Mapping[str, str] = {
    "data": "d",
    "data_cold": "c",
    "data_content": "s",
    "data_frozen": "f",
    "data_hot": "h",
    "data_warm": "w",
    "ingest": "i",
    "master": "m",
    "ml": "l",
    "remote_cluster_client": "r",
    "transform": "t",
    "voting_only": "v",
}
"""The reference's roles, and how each is abbreviated in tables and messages."""


def is_data_role(role: str) -> bool:
    """`data`, or that of one tier."""
    return role == "data" or role.startswith("data_")


def may_be_master(roles: Sequence[str]) -> bool:
    """Whether a node with these roles keeps the cluster's data and state: in a cluster of ours, its one master."""
    return any(role == "master" or is_data_role(role) for role in roles)
