"""What a family of messages is to those above it: one object that frames, reads and writes for one
kind of peer.

A connection's family is settled by its handshake; from then on whoever holds the connection asks its
`Wire` and does not ask who the peer is. What the actions do is left to their handlers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from sealane.errors import ApiError
from sealane.model.node import ClusterIdentity, NodeInfo
from sealane.wire.compression import Scheme
from sealane.wire.versions import FamilyName


class Envelope(msgspec.Struct, frozen=True, array_like=True):
    """What a request carries beside its payload. Only Sealane's own messages carry all of it.

    `parent_node` and `parent_number` name the asking task; `time_left_ms` None means no deadline.
    """

    parent_node: str = ""
    parent_number: int = 0
    time_left_ms: int | None = None
    local_alias: str = ""
    start_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpHello:
    """The payload of a TCP handshake, either way. `version` is None in the empty block that old
    tools send.

    `sealane_format` is set by a peer that marked itself as Sealane: the highest message format it
    speaks.
    """

    version: int | None
    release: str | None = None
    sealane_format: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeHello:
    """The answer of the second handshake. `cluster_uuid` is empty where the family does not tell
    it."""

    node: NodeInfo
    cluster_name: str
    cluster_uuid: str
    release: str
    key_expires_ms: int | None = None
    """When the key ends by which the asking side came, where it does and the family tells it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """A cluster and its nodes, as one that connects to it wants to know them."""

    cluster: ClusterIdentity
    nodes: Sequence[NodeInfo]
    master_id: str | None


@dataclass(frozen=True, slots=True)
class Cancel:
    """A request to stop what runs for the task `parent`: the request with the id `request_id`, or
    all where that is None."""

    parent: tuple[str, int]
    request_id: int | None


class NodesAction(Protocol):
    """One action that tells a cluster's nodes: its request and its answer, both ways.

    Requests and answers are what the `Wire` calls the payload. Reading raises RemoteProtocolError,
    writing LocalProtocolError for an address that the family cannot express.
    """

    @property
    def action(self) -> str: ...

    def request(self, *, by_key: bool = False) -> bytes:
        """`by_key` for those nodes only that answer callers with a key."""

    def read_request(self, payload: bytes) -> bool:
        """Whether the answer is to have nodes at all. Raises IllegalArgument for a request that
        wants more than nodes."""

    def response(self, members: Membership) -> bytes: ...

    def read_response(self, payload: bytes) -> list[NodeInfo]: ...


class IdentityAction(Protocol):
    """The action that tells a cluster's uuid, of a family whose handshake tells its name only."""

    @property
    def action(self) -> str: ...

    def identity_request(self) -> bytes:
        """Answered by the node itself, whether or not its cluster has a master."""

    def read_identity(self, payload: bytes) -> ClusterIdentity:
        """`uuid` is empty where the node has not joined its cluster yet. Raises RemoteProtocolError."""


class Wire(Protocol):
    """One family, in the version in which Sealane speaks it. Stateless, one object for all
    connections."""

    @property
    def name(self) -> FamilyName: ...

    @property
    def product(self) -> str:
        """The name of the peer's product, for people."""

    @property
    def version(self) -> int:
        """The version id of every frame after the first handshake."""

    @property
    def actions(self) -> frozenset[str] | None:
        """What can be asked in this family; None where anything can."""

    @property
    def shakes_hands_on_every_channel(self) -> bool:
        """Whether each channel begins with a handshake, or only the first."""

    @property
    def answers_cancels(self) -> bool:
        """Whether a request to cancel is one of its own with an answer, or a frame with the id of
        the one that it takes back."""

    @property
    def nodes(self) -> Mapping[str, NodesAction]:
        """By action, the preferred one first: a peer that does not know it is asked by the next."""

    @property
    def identity(self) -> IdentityAction | None:
        """None where the second handshake tells all."""

    def scheme(self, wanted: Scheme | None) -> Scheme | None:
        """How requests are compressed where `wanted` is configured."""

    def node_response_body(
        self,
        node: NodeInfo,
        cluster: ClusterIdentity,
        release: str,
        key_expires_ms: int | None = None,
    ) -> bytes:
        """The answer of the second handshake. Raises LocalProtocolError where the family cannot
        express the node's address."""

    def read_node_response(self, body: bytes | memoryview) -> NodeHello:
        """Raises RemoteProtocolError, as all reading does."""

    def request_body(self, envelope: Envelope, payload: bytes) -> tuple[bytes, bytes]:
        """The two parts of a request's body, so that a large payload is not copied."""

    def read_request(self, body: bytes | memoryview) -> tuple[Envelope, bytes]: ...

    def error_body(self, error: ApiError, origin: str) -> bytes:
        """`origin` is `[node][address][action]` of the one that failed."""

    def read_error(self, body: bytes | memoryview) -> ApiError:
        """The error as the peer's handler raised it."""

    def cancel_requests(
        self, parent: tuple[str, int], request_id: int, *, banned: str | None = None
    ) -> list[tuple[str, bytes]]:
        """Actions and bodies, in this order, that take back a request sent for the task
        `parent`. `banned` is why that task was cancelled, where it was, for families that can tell."""

    def read_cancel(self, action: str, payload: bytes) -> Cancel | None:
        """None where `action` cancels nothing."""


class ForeignWire(Wire, Protocol):
    """A family of real servers: it also begins a connection to a peer whose family is not known
    yet."""

    @property
    def handshake_version(self) -> int:
        """The version id of the first frame."""

    def tcp_request_body(self, *, mark: bool) -> bytes:
        """`mark` tells a Sealane node that this is another one."""

    def read_tcp_response(self, body: bytes | memoryview, frame_version: int) -> TcpHello: ...

    def tcp_response_body(self, frame_version: int, sealane_format: int | None) -> bytes:
        """`sealane_format` only where the request carried a mark."""
