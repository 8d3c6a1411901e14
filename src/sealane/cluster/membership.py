"""The master's side of a cluster of several nodes: who is a member, and the state that all of them follow.

A member's open question for a newer state is its lease. When its connection is lost it has a short grace to come
back; when it stops asking it expires; when it says goodbye it is gone at once. What a member does with the state is
left to `joined`, how requests arrive to `inbound`.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from sealane.clock import Ids
from sealane.cluster.published import (
    FollowRequest,
    JoinRequest,
    LeaveRequest,
    Member,
    PublishedState,
)
from sealane.cluster.signal import Signal
from sealane.errors import CoordinationStateRejected, Rejected
from sealane.model.node import ClusterIdentity, may_be_master
from sealane.settings import Settings

_log = logging.getLogger("sealane.cluster")

MEMBERS_MAX: Final = 1000
GRACE_S: Final = 1.0
"""What a member gets for connecting again once its connection is lost."""
WAIT_MAX_S: Final = 30.0
"""The longest that a question for a newer state stays open."""


class SharedScopes(Protocol):
    """The settings that hold for the whole cluster."""

    @property
    def persistent(self) -> Settings: ...
    @property
    def transient(self) -> Settings: ...


@dataclass(slots=True)
class _Lease:
    """One member besides the master. `taken` is the version it has last said to have, 0 before it has said so."""

    member: Member
    taken: int = 0
    polls: int = 0
    """Questions it has asked; only the last one's end counts."""
    expiry: asyncio.TimerHandle | None = field(default=None)

    def hold(self) -> None:
        if self.expiry is not None:
            self.expiry.cancel()
            self.expiry = None


class Membership:
    """Of the cluster whose master this node is. Lives in one event loop; `close` drops its timers."""

    def __init__(
        self,
        *,
        identity: ClusterIdentity,
        local: Callable[[], Member],
        settings: SharedScopes,
        ids: Ids,
        lease_s: float,
        grace_s: float = GRACE_S,
        security_version: Callable[[], int] = lambda: 0,
    ) -> None:
        """`local` is this node, asked at each publication: its HTTP address comes late. So is `security_version`."""
        self._security_version = security_version
        self._identity = identity
        self._local = local
        self._settings = settings
        self._ids = ids
        self._lease_s = lease_s
        self._grace_s = grace_s
        self._leases: dict[str, _Lease] = {}
        self._published = Signal()
        self._taken = Signal()
        self._on_change: list[Callable[[], None]] = []
        self._version = 0
        self._stopping = False
        self.state: PublishedState | None = None
        """None before the first `publish`: nobody can join yet."""

    def on_change(self, callback: Callable[[], None]) -> None:
        """Runs `callback` after each publication."""
        self._on_change.append(callback)

    def publish(self) -> int:
        """Makes a new version of what is so now, and wakes the members that wait for one. Returns its number."""
        self.state = self._next_state()
        self._published.fire()
        for callback in self._on_change:
            callback()
        return self._version

    async def wait_taken(self, version: int, timeout_s: float) -> bool:
        """Until every member has taken `version`, or has gone; False where that takes longer than `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                while any(lease.taken < version for lease in self._leases.values()):
                    await self._taken.wait()
        except TimeoutError:
            return False
        return True

    # -- what members ask --------------------------------------------------------------------------------------

    def join(self, request: JoinRequest) -> PublishedState:
        """Makes the node a member, in place of what it was before. Raises CoordinationStateRejected, Rejected."""
        node = request.member.node
        if self.state is None or self._stopping:
            when = "stops" if self._stopping else "starts"
            raise CoordinationStateRejected(f"node [{node.name}] cannot join: the master {when}")
        self._check(request)
        known = self._leases.pop(node.id, None)
        if known is not None:
            known.hold()
        elif len(self._leases) >= MEMBERS_MAX:
            raise Rejected(
                f"node [{node.name}] cannot join: [{MEMBERS_MAX}] nodes have joined already"
            )
        lease = _Lease(request.member)
        self._leases[node.id] = lease
        if known is None or known.member != request.member:
            _log.info("node joined: [%s][%s]", node.name, node.address)
            self.publish()
        self._expire_in(node.id, lease, self._lease_s)
        return self.state

    def _check(self, request: JoinRequest) -> None:
        node, ours = request.member.node, self._identity
        if request.cluster_name != ours.name:
            raise CoordinationStateRejected(
                f"node [{node.name}] is of cluster [{request.cluster_name}] and cannot join cluster [{ours.name}]: "
                "set [cluster.name] to the same on both"
            )
        if request.cluster_uuid and request.cluster_uuid != ours.uuid:
            raise CoordinationStateRejected(
                f"node [{node.name}] was of the cluster with uuid [{request.cluster_uuid}] and cannot join the one "
                f"with uuid [{ours.uuid}]: give it an empty data folder if it is to change"
            )
        master = self._local().node
        if node.id == master.id:
            raise CoordinationStateRejected(
                f"node [{node.name}] has the node id [{node.id}] of the master: its data folder is a copy"
            )
        if may_be_master(node.roles):
            shown = ", ".join(node.roles)
            raise CoordinationStateRejected(
                f"node [{node.name}] has the roles [{shown}] and cannot join: a cluster has one node that holds data, "
                f"and here that is [{master.name}]"
            )
        known = self._leases.get(node.id)
        if known is not None and known.member.node.address != node.address and known.expiry is None:
            raise CoordinationStateRejected(
                f"node [{node.name}][{node.address}] has the node id [{node.id}] of a node that is here, "
                f"[{known.member.node.name}][{known.member.node.address}]: its data folder is a copy"
            )

    async def follow(self, request: FollowRequest) -> PublishedState | None:
        """The state as soon as it is newer than the asker's, None when it is not within the wait.

        Raises CoordinationStateRejected for a node that is no member, or one of an earlier start of this master.
        """
        lease = self._leases.get(request.node_id)
        if lease is None or lease.member.node.ephemeral_id != request.ephemeral_id:
            raise CoordinationStateRejected(
                f"node [{request.node_id}] is not a member of the cluster; it has to join again"
            )
        if request.term == self._term():
            lease.taken = max(lease.taken, min(request.version, self._version))
            self._taken.fire()
        lease.hold()
        lease.polls += 1
        poll, left_s = lease.polls, self._lease_s
        try:
            async with asyncio.timeout(min(request.wait_ms / 1000, WAIT_MAX_S)):
                while (request.term, request.version) == (self._term(), self._version):
                    await self._published.wait()
                    if self._stopping:
                        raise CoordinationStateRejected("the master stops")
        except TimeoutError:
            return None
        except asyncio.CancelledError:
            left_s = self._grace_s
            raise
        finally:
            if poll == lease.polls and self._leases.get(request.node_id) is lease:
                self._expire_in(request.node_id, lease, left_s)
        return self.state

    def leave(self, request: LeaveRequest) -> None:
        """The node goes. One that has gone, or started again since, changes nothing."""
        lease = self._leases.get(request.node_id)
        if lease is not None and lease.member.node.ephemeral_id == request.ephemeral_id:
            self._remove(request.node_id, lease, "it says goodbye")

    # -- leases ------------------------------------------------------------------------------------------------

    def _expire_in(self, node_id: str, lease: _Lease, seconds: float) -> None:
        lease.hold()
        why = "it did not connect again" if seconds < self._lease_s else "it did not ask in time"
        loop = asyncio.get_running_loop()
        lease.expiry = loop.call_later(seconds, self._remove, node_id, lease, why)

    def _remove(self, node_id: str, lease: _Lease, why: str) -> None:
        lease.hold()
        if self._leases.get(node_id) is not lease:
            return
        del self._leases[node_id]
        node = lease.member.node
        _log.info("node left: [%s][%s], %s", node.name, node.address, why)
        self.publish()
        self._taken.fire()

    def close(self) -> None:
        """The master stops: open questions and waits for members end at once, so that they hold nothing up, and nobody
        joins any more.
        """
        self._stopping = True
        self._published.fire()
        for lease in self._leases.values():
            lease.hold()
        self._leases.clear()
        self._taken.fire()

    def _term(self) -> str:
        return "" if self.state is None else self.state.term

    def _next_state(self) -> PublishedState:
        self._version += 1
        local = self._local()
        return PublishedState(
            cluster_name=self._identity.name,
            cluster_uuid=self._identity.uuid,
            master_id=local.node.id,
            term=local.node.ephemeral_id,
            version=self._version,
            state_uuid=self._ids.new(),
            members=(local, *(lease.member for lease in self._leases.values())),
            persistent=dict(self._settings.persistent),
            transient=dict(self._settings.transient),
            security_version=self._security_version(),
        )
