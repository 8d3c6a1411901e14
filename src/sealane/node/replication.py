"""The parts of a node that holds data by which its indices follow others."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from sealane.clock import Clock
from sealane.cluster.following_settings import check_pattern_overrides
from sealane.cluster.found_indices import Guard
from sealane.cluster.indices import IndexService
from sealane.cluster.settings_service import ClusterSettings
from sealane.cluster.store import StateStore
from sealane.model.access import bound
from sealane.model.followers import FollowAnswer, FollowRequest
from sealane.model.node import ClusterIdentity
from sealane.model.replication import Following
from sealane.model.security import ANONYMOUS, Subject
from sealane.model.task import Context, TaskRegistry
from sealane.replication.auto_follow.service import AutoFollow
from sealane.replication.feed import Feeds
from sealane.replication.follower.asking import Askings
from sealane.replication.follower.budget import ByteBudget
from sealane.replication.follower.copy import CopyLimits
from sealane.replication.follower.failures import Patience
from sealane.replication.follower.index import FollowerParts
from sealane.replication.follower.shard import Timing
from sealane.replication.followers import Followers, ServiceEngine
from sealane.replication.pending_leases import PendingLeases
from sealane.replication.throttle import Throttle
from sealane.rest.ccr_services import LeaderLeases, Replication
from sealane.security.rules import Authorize
from sealane.settings import ccr_settings as keys

PUT_FOLLOW = "indices:admin/xpack/ccr/put_follow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subjects:
    """How whoever asks is kept for later."""

    encode: Callable[[Subject], str]
    decode: Callable[[str], Subject]


def nobody() -> Subjects:
    """Of a node without security: it knows nobody, and asks as nobody."""
    return Subjects(encode=lambda _: "", decode=lambda _: ANONYMOUS)


def encoded() -> Subjects:
    """Of a node with security."""
    from sealane.security.rules.subject_codec import (  # a node without need not load the rules
        decode_subject,
        encode_subject,
    )

    return Subjects(encode=encode_subject, decode=decode_subject)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicationParts:
    """What is started once the indices are open, and closed before they are."""

    followers: Followers
    auto_follow: AutoFollow
    stop_listening: Callable[[], None]

    async def start(self) -> None:
        """Raises IllegalState for rules that cannot be read, IOFailure."""
        await self.followers.start()
        await self.auto_follow.start()

    async def close(self) -> None:
        self.stop_listening()
        await self.auto_follow.close()
        await self.followers.close()

    def services(self, leader: LeaderLeases) -> Replication:
        """For the handlers of the API."""
        return Replication(followers=self.followers, auto_follow=self.auto_follow, leader=leader)


class _FollowsAs:
    """What follows by a rule is judged by the rights of whoever has put the rule, as they are by now."""

    def __init__(self, followers: Followers, authorize: Authorize) -> None:
        self._followers = followers
        self._authorize = authorize

    async def follow(self, request: FollowRequest, ctx: Context) -> FollowAnswer:
        with bound(self._authorize(ctx.subject, PUT_FOLLOW, (request.index,))):
            return await self._followers.follow(request, ctx)


def make_replication(
    *,
    indices: IndexService,
    engine: ServiceEngine,
    store: StateStore,
    settings: ClusterSettings,
    feeds: Feeds,
    tasks: TaskRegistry,
    clock: Clock,
    identity: Callable[[], ClusterIdentity],
    guard: Guard,
    authorize: Authorize,
    subjects: Subjects,
    patience: Patience | None = None,
    chance: Callable[[], float] = random.random,
) -> ReplicationParts:
    """`identity` is this cluster's. All that is waited for is as long as the settings say at the time."""
    askings = Askings(tasks, clock, decode=subjects.decode)
    budget = ByteBudget(settings.get(keys.CCR_MAX_BUFFERED_BYTES))

    def encode(ctx: Context) -> str:
        return subjects.encode(ctx.subject)

    def following(name: str) -> Following | None:
        index = indices.metadata.index(name)
        return None if index is None else index.following

    parts = FollowerParts(
        indices=indices.followed,
        feeds=feeds,
        engine=engine,
        askings=askings,
        budget=budget,
        copy_limits=_copy_limits(settings),
        metadata_timeout_s=lambda: settings.get(keys.CCR_WAIT_FOR_METADATA).ms / 1000,
        timing=lambda: Timing(
            renew_interval_s=settings.get(keys.CCR_LEASE_RENEW_INTERVAL).ms / 1000
        ),
        patience=patience or Patience(),
        cluster_name=lambda: identity().name,
        chance=chance,
        clock=clock,
    )
    followers = Followers(
        parts=parts,
        engine=engine,
        pending=PendingLeases(
            store=store, feeds=feeds, askings=askings, clock=clock, chance=chance
        ),
        guard=guard,
        encode_subject=encode,
        cluster_uuid=lambda: identity().uuid,
    )
    auto_follow = AutoFollow(
        store=store,
        feeds=feeds,
        follows=_FollowsAs(followers, authorize),
        contexts=askings,
        encode_subject=encode,
        following=following,
        check_overrides=check_pattern_overrides,
        local_uuid=lambda: identity().uuid,
        wait_s=lambda: settings.get(keys.AUTO_FOLLOW_WAIT_FOR_METADATA).ms / 1000,
        clock=clock,
    )
    return ReplicationParts(
        followers=followers,
        auto_follow=auto_follow,
        stop_listening=settings.on_change(keys.CCR_MAX_BUFFERED_BYTES, budget.resize),
    )


def _copy_limits(settings: ClusterSettings) -> CopyLimits:
    """What the reference has under way of one shard, in so many chunks, is one page here."""
    return CopyLimits(
        page_bytes=lambda: (
            settings.get(keys.CCR_CHUNK_SIZE) * settings.get(keys.CCR_MAX_CONCURRENT_CHUNKS)
        ),
        timeout_s=lambda: settings.get(keys.CCR_ACTION_TIMEOUT).ms / 1000,
        throttle=Throttle(lambda: settings.get(keys.CCR_MAX_BYTES_PER_SEC)),
    )
