"""A node's side of a cluster that another node is the master of: joining it, following its state, coming back to it.

The loop never gives up: while there is no master it tries the seeds again and again, with growing pauses. What it
knows of the cluster stays in use meanwhile. What is done with the state is left to those who take it.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from sealane.clock import Clock
from sealane.cluster.dialling import Dialer, NodeLink
from sealane.cluster.published import (
    FOLLOW,
    JOIN,
    LEAVE,
    FollowRequest,
    JoinRequest,
    LeaveRequest,
    Member,
    PublishedState,
    decode,
    encode,
)
from sealane.cluster.signal import Signal
from sealane.errors import ApiError, ConnectTransport, CoordinationStateRejected, ReceiveTimeout
from sealane.model.backoff import Backoff
from sealane.model.node import Address, ClusterIdentity, NodeInfo, may_be_master
from sealane.model.security import SYSTEM
from sealane.model.task import Context, TaskRegistry
from sealane.transport import ConnectionProfile
from sealane.wire.errors import RemoteProtocolError
from sealane.wire.families.sealane import NODES, SEALANE, decode_nodes

_log = logging.getLogger("sealane.cluster")

REJOIN_BACKOFF: Final = Backoff(first_s=0.2, max_s=10.0)
"""A master that restarts is back within seconds, and its members are few."""
JOIN_TIMEOUT_S: Final = 10.0
LEAVE_TIMEOUT_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinStatistics:
    """The state of the loop, for people. `rounds` counts attempts to join, `joins` those that succeeded."""

    joined: bool
    rounds: int
    joins: int
    version: int
    last_error: ApiError | None


class Joined:
    """This node as a member. `run` is its loop; `leave` says goodbye after that has ended."""

    def __init__(
        self,
        *,
        seeds: Sequence[Address],
        me: Callable[[], Member],
        identity: Callable[[], ClusterIdentity],
        take: Callable[[PublishedState], None],
        on_silence: Callable[[], None],
        dialer: Dialer,
        profile: ConnectionProfile,
        tasks: TaskRegistry,
        clock: Clock,
        chance: Callable[[], float],
        wait_s: float,
        patience_s: float,
        backoff: Backoff = REJOIN_BACKOFF,
    ) -> None:
        """`identity` is the cluster that this node is of, its uuid empty before the first join; `take` gets each state;
        `on_silence` hears when the master stopped answering though the connection to it holds.

        `wait_s` is how long a question for a newer state stays open, `patience_s` how much longer its answer may take.
        """
        self._seeds = seeds
        self._me = me
        self._identity = identity
        self._take = take
        self._on_silence = on_silence
        self._dialer = dialer
        self._profile = profile
        self._tasks = tasks
        self._clock = clock
        self._chance = chance
        self._wait_s = wait_s
        self._patience_s = patience_s
        self._backoff = backoff
        self._link: NodeLink | None = None
        self._state_changed = Signal()
        self._rounds = 0
        self._joins = 0
        self._last_error: ApiError | None = None
        self._left = False
        self._joining = False
        self.state: PublishedState | None = None
        """The last one taken, also while there is no master."""

    @property
    def has_master(self) -> bool:
        """Whether the master that published `state` is there."""
        return self._link is not None

    @property
    def master(self) -> NodeInfo | None:
        """The master that published `state`, whether it is there or not."""
        member = None if self.state is None else self.state.member(self.state.master_id)
        return None if member is None else member.node

    async def wait(self, timeout_s: float) -> NodeInfo | None:
        """The master once it is there; None where it is not within `timeout_s`."""
        return self.master if await self.wait_master(timeout_s) else None

    async def wait_master(self, timeout_s: float) -> bool:
        """Until there is a master; False where there is none within `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                while self._link is None:
                    await self._state_changed.wait()
        except TimeoutError:
            return False
        return True

    def statistics(self) -> JoinStatistics:
        return JoinStatistics(
            joined=self.has_master,
            rounds=self._rounds,
            joins=self._joins,
            version=0 if self.state is None else self.state.version,
            last_error=self._last_error,
        )

    # -- the loop ----------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Joins and follows until this node leaves."""
        misses = 0
        while not self._left:
            joined_before = self._joins
            try:
                await self._round()
            except ApiError as error:
                if repr(error) != repr(self._last_error):
                    _log.warning("not in the cluster: %s", error.reason)
                self._last_error = error
            misses = 1 if self._joins > joined_before else misses + 1
            await asyncio.sleep(self._backoff.pause_s(misses, self._chance()))

    async def _round(self) -> None:
        """One membership, from connecting to its end, which is an error unless this node leaves. Raises ApiError."""
        self._rounds += 1
        link = await self._connect()
        try:
            state = await self._join_or_leave(link)
            if state is None:
                return
            self._link = link
            self._joins += 1
            self._last_error = None
            self._apply(state)
            while True:
                newer = await self._follow(link)
                if newer is not None:
                    self._apply(newer)
        except ReceiveTimeout:
            self._on_silence()
            raise
        finally:
            if self._link is link:
                self._link = None
                _log.info("the master is gone")
            link.close()

    async def _join_or_leave(self, link: NodeLink) -> PublishedState | None:
        """Joins; None where this node was asked to go while the answer was under way, and has said goodbye."""
        self._joining = True
        try:
            state = await self._join(link)
            if not self._left:
                return state
            await self._say_goodbye(link)
            return None
        finally:
            self._joining = False
            self._state_changed.fire()

    async def _connect(self) -> NodeLink:
        """A connection to the master, by the first seed that leads to it. Raises the last one's error."""
        failure: ApiError = ConnectTransport("no seed hosts are set")
        for address in self._addresses():
            try:
                return await self._connect_by(address)
            except ApiError as error:
                failure = error
        raise failure

    async def _connect_by(self, address: Address) -> NodeLink:
        """A seed is the master, or a member that knows it. Raises ApiError."""
        link = await self._dial(address)
        if may_be_master(link.node.roles):
            return link
        try:
            answer = await self._ask(link, NODES, b"", JOIN_TIMEOUT_S)
            nodes = decode_nodes(answer)
        except RemoteProtocolError as wrong:
            raise CoordinationStateRejected(f"seed [{address}]: {wrong}") from wrong
        finally:
            link.close()
        for node in nodes:
            if may_be_master(node.roles):
                return await self._dial(node.address)
        raise CoordinationStateRejected(
            f"seed [{address}] is of this cluster and knows no master either"
        )

    async def _dial(self, address: Address) -> NodeLink:
        """A connection to a node of this cluster. Raises what the dialer raises, CoordinationStateRejected."""
        link = await self._dialer.connect(address, self._profile)
        problem = self._problem(link, address)
        if problem is not None:
            link.close()
            raise problem
        return link

    def _addresses(self) -> Sequence[Address]:
        """The seeds, and before them where the master was: it may have told another address than the seeds name."""
        master = self.master
        if master is None or master.address in self._seeds:
            return self._seeds
        return (master.address, *self._seeds)

    def _problem(self, link: NodeLink, address: Address) -> ApiError | None:
        found, ours = link.cluster, self._identity()
        if link.family != SEALANE.name:
            return CoordinationStateRejected(
                f"seed [{address}] is a node of [{link.family}], which this node cannot join"
            )
        if link.node.id == self._me().node.id:
            return CoordinationStateRejected(f"seed [{address}] is this node itself")
        if found.name != ours.name:
            return CoordinationStateRejected(
                f"seed [{address}] is of cluster [{found.name}], this node of [{ours.name}]: set [cluster.name] to "
                "the same on both"
            )
        if ours.uuid and found.uuid and found.uuid != ours.uuid:
            return CoordinationStateRejected(
                f"seed [{address}] is of the cluster with uuid [{found.uuid}], the data folder of this node of the one "
                f"with uuid [{ours.uuid}]: give it an empty data folder if it is to change"
            )
        return None

    async def _join(self, link: NodeLink) -> PublishedState:
        ours = self._identity()
        request = JoinRequest(member=self._me(), cluster_name=ours.name, cluster_uuid=ours.uuid)
        answer = await self._ask(link, JOIN, encode(request), JOIN_TIMEOUT_S)
        state = decode(PublishedState, answer, JOIN)
        if state.cluster_name != ours.name or (ours.uuid and state.cluster_uuid != ours.uuid):
            raise CoordinationStateRejected(
                f"[{link.node.name}] told the state of cluster [{state.cluster_name}][{state.cluster_uuid}], "
                f"this node is of [{ours.name}][{ours.uuid}]"
            )
        return state

    async def _follow(self, link: NodeLink) -> PublishedState | None:
        me, state = self._me().node, self.state
        assert state is not None, "followed before joining"
        request = FollowRequest(
            node_id=me.id,
            ephemeral_id=me.ephemeral_id,
            term=state.term,
            version=state.version,
            wait_ms=int(self._wait_s * 1000),
        )
        answer = await self._ask(link, FOLLOW, encode(request), self._wait_s + self._patience_s)
        return decode(PublishedState, answer, FOLLOW) if answer else None

    async def _ask(self, link: NodeLink, action: str, payload: bytes, timeout_s: float) -> bytes:
        now_ms = self._clock.now_ms()
        with self._tasks.start(action, start_ms=now_ms) as task:
            ctx = Context(task=task, subject=SYSTEM, start_ms=now_ms)
            return await link.request(action, payload, ctx, timeout_s=timeout_s)

    def _apply(self, state: PublishedState) -> None:
        if self._left:
            return
        self.state = state
        self._take(state)
        self._state_changed.fire()

    # -- the end -----------------------------------------------------------------------------------------------

    async def leave(self) -> None:
        """Tells the master that this node goes; a master that does not answer learns it by itself. Ends `run`, which
        says it instead while it joins.
        """
        self._left = True
        if self._link is not None:
            await self._say_goodbye(self._link)
        with suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_TIMEOUT_S):
                while self._joining:
                    await self._state_changed.wait()

    async def _say_goodbye(self, link: NodeLink) -> None:
        me = self._me().node
        request = LeaveRequest(node_id=me.id, ephemeral_id=me.ephemeral_id)
        with suppress(ApiError):
            await self._ask(link, LEAVE, encode(request), LEAVE_TIMEOUT_S)
