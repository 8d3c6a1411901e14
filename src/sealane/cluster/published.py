"""What the nodes of a cluster tell each other about it: who is a member, which settings hold, and the
messages of joining, following and leaving.

The data node is the master: it makes each PublishedState, and the others only take them.
"""

from typing import Final, TypeVar

import msgspec

from sealane.errors import IllegalArgument
from sealane.model.node import Address, NodeInfo
from sealane.settings import Settings, Value

JOIN: Final = "internal:cluster/coordination/join"
FOLLOW: Final = "internal:coordination/fault_detection/leader_check"
"""A member's standing question whether there is a newer state; while it is open the member is there."""
LEAVE: Final = "internal:cluster/coordination/leave"


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A node as the others show it. Addresses are `host:port`, `http` the one that is published."""

    node: NodeInfo
    http: str = ""
    bound_http: tuple[str, ...] = ()
    bound_transport: tuple[str, ...] = ()
    max_content_length: int = 0
    remote_cluster: Address | None = None
    """Where it answers remote clusters that come with a key; None where it does not."""
    bound_remote_cluster: tuple[str, ...] = ()


class PublishedState(msgspec.Struct, frozen=True, kw_only=True):
    """The cluster as its master published it. Versions grow within one `term`, which is the master's start."""

    cluster_name: str
    cluster_uuid: str
    master_id: str
    term: str
    version: int
    state_uuid: str
    members: tuple[Member, ...]
    """The master first, the others in the order in which they joined."""
    persistent: dict[str, Value] = {}
    transient: dict[str, Value] = {}
    security_version: int = 0
    """Of users, roles and keys: with another one than before, what was asked about them is asked anew."""

    def member(self, node_id: str) -> Member | None:
        return next((each for each in self.members if each.node.id == node_id), None)

    @property
    def persistent_settings(self) -> Settings:
        return Settings(self.persistent)

    @property
    def transient_settings(self) -> Settings:
        return Settings(self.transient)


class JoinRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A node asks to become a member. `cluster_uuid` is the one it was of before; empty at first."""

    member: Member
    cluster_name: str
    cluster_uuid: str = ""


class FollowRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A member has taken state `version` of `term`, and asks for a newer one within `wait_ms`."""

    node_id: str
    ephemeral_id: str
    term: str
    version: int
    wait_ms: int


class LeaveRequest(msgspec.Struct, frozen=True, kw_only=True):
    node_id: str
    ephemeral_id: str


M = TypeVar("M", PublishedState, JoinRequest, FollowRequest, LeaveRequest)
_encoder = msgspec.msgpack.Encoder()


def encode(message: PublishedState | JoinRequest | FollowRequest | LeaveRequest) -> bytes:
    return _encoder.encode(message)


def decode(kind: type[M], payload: bytes, action: str) -> M:
    """Raises IllegalArgument for bytes that are no such message."""
    try:
        return msgspec.msgpack.decode(payload, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise IllegalArgument(f"malformed message for action [{action}]: {error}") from error
