"""Replication as a node of production has it, put together for a simulated one: leader, followers, what they ask."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from sealane.cluster.serial import Serial
from sealane.cluster.settings_service import ClusterSettings
from sealane.inbound.replication import register_replication_handlers
from sealane.model.access import no_access_needed
from sealane.model.node import ClusterIdentity
from sealane.model.security import ANONYMOUS, Subject
from sealane.remote.transport.replication_client import RemoteFeeds
from sealane.replication.follower.asking import Askings
from sealane.replication.follower.budget import ByteBudget
from sealane.replication.follower.copy import CopyLimits
from sealane.replication.follower.failures import Patience
from sealane.replication.follower.index import FollowerParts
from sealane.replication.follower.shard import Timing
from sealane.replication.followers import Followers
from sealane.replication.leader.service import LeaderService
from sealane.replication.pending_leases import PendingLeases
from sealane.replication.throttle import Throttle
from sealane.security.rules import allow_all
from sealane.transport.tasks import TaskScope

if TYPE_CHECKING:
    from sealane.testing.replication_simulation.site import Program

_PAGE_BYTES: Final = 1500
_TIMEOUT_S: Final = 60.0


class Replicating:
    """Of one program; `start` once the indices are open, `close` before they are closed."""

    def __init__(self, program: "Program", settings: ClusterSettings, serial: Serial) -> None:
        site, engine, indices = program.site, program.engine, program.indices
        assert engine is not None, "the engine comes first"
        identity = ClusterIdentity(name=site.name, uuid=site.uuid)
        self._indices = indices
        self._scope = TaskScope(f"site {site.name}")
        self.leader = LeaderService(
            indices=indices.followed, engine=engine, cluster=lambda: identity, clock=site.clock
        )
        register_replication_handlers(
            program, leader=self.leader, authorize=allow_all, offload=_at_once
        )
        askings = Askings(program.tasks, site.clock, decode=_anonymous)
        feeds = RemoteFeeds(site.remotes)
        throttle = Throttle(lambda: 0)
        parts = FollowerParts(
            indices=indices.followed,
            feeds=feeds,
            engine=engine,
            askings=askings,
            budget=ByteBudget(1 << 20),
            copy_limits=CopyLimits(
                page_bytes=lambda: _PAGE_BYTES, timeout_s=lambda: _TIMEOUT_S, throttle=throttle
            ),
            metadata_timeout_s=lambda: _TIMEOUT_S,
            timing=Timing,
            patience=Patience(),
            cluster_name=lambda: site.name,
            chance=site.chance.random,
            clock=site.clock,
        )
        self.followers = Followers(
            parts=parts,
            engine=engine,
            pending=PendingLeases(
                store=program.store,
                feeds=feeds,
                askings=askings,
                clock=site.clock,
                chance=site.chance.random,
            ),
            guard=no_access_needed,
            encode_subject=lambda ctx: "",
            cluster_uuid=lambda: site.uuid,
        )

    async def start(self) -> None:
        self._scope.start(self._indices.opened.reopen_failed(), name="reopen")
        await self.followers.start()

    async def close(self) -> None:
        self.leader.close()
        await self.followers.close()
        await self._scope.close()


async def _at_once(work: Callable[[], bytes]) -> bytes:
    return work()


def _anonymous(text: str) -> Subject:
    return ANONYMOUS
