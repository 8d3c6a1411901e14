"""Followers, rules and leases in memory: what the handlers hand on, and answers for a test to prepare."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sealane.errors import ApiError, IndexNotFound, ResourceNotFound
from sealane.model.followers import (
    AutoFollowPattern,
    AutoFollowStats,
    FailbackAnswer,
    FailbackRequest,
    FollowAnswer,
    FollowerInfo,
    FollowRequest,
    ForgetFollower,
    IndexFollowStats,
    Promoted,
    ShardsAnswer,
    UnfollowAnswer,
    Verified,
)
from sealane.model.replication import FollowParameters
from sealane.model.task import Context
from sealane.rest.ccr_services import Replication


@dataclass
class FakeFollowers:
    """`failing` is raised by whatever is asked for an index of that name."""

    followed: list[FollowRequest] = field(default_factory=list)
    resumed: list[tuple[str, FollowParameters]] = field(default_factory=list)
    paused: list[str] = field(default_factory=list)
    failed_back: list[FailbackRequest] = field(default_factory=list)
    failing: dict[str, ApiError] = field(default_factory=dict)
    infos: Sequence[FollowerInfo] = ()
    statistics: Sequence[IndexFollowStats] = ()
    leases_pending: tuple[str, ...] = ()
    promotions: Sequence[Promoted] = ()
    verified: Verified | None = None
    asked: list[Sequence[str] | None] = field(default_factory=list)

    def _check(self, index: str) -> None:
        if index in self.failing:
            raise self.failing[index]

    async def follow(self, request: FollowRequest, ctx: Context) -> FollowAnswer:
        self._check(request.index)
        self.followed.append(request)
        waited = request.wait_for_active_shards != 0
        return FollowAnswer(index_created=True, shards_acked=waited, following_started=waited)

    async def pause(self, index: str) -> None:
        self._check(index)
        self.paused.append(index)

    async def resume(self, index: str, parameters: FollowParameters, ctx: Context) -> None:
        self._check(index)
        self.resumed.append((index, parameters))

    async def unfollow(self, index: str, ctx: Context) -> UnfollowAnswer:
        self._check(index)
        return UnfollowAnswer(leases_pending=self.leases_pending)

    def info(self, expressions: Sequence[str]) -> Sequence[FollowerInfo]:
        self.asked.append(expressions)
        for each in expressions:
            if each.startswith("none"):
                raise IndexNotFound(each)
        return self.infos

    def stats(self, expressions: Sequence[str] | None) -> Sequence[IndexFollowStats]:
        self.asked.append(expressions)
        for each in expressions or ():
            if each.startswith("none"):
                raise ResourceNotFound(f"No shard follow tasks for follower indices [{each}]")
        return self.statistics

    async def promote(self, expressions: Sequence[str], ctx: Context) -> Sequence[Promoted]:
        self.asked.append(expressions)
        return self.promotions

    async def failback(self, request: FailbackRequest, ctx: Context) -> FailbackAnswer:
        self.failed_back.append(request)
        return FailbackAnswer(common_seq_nos=(9, -1), undone=(2, 0), touched_ids=(1, 0))

    async def verify(self, index: str, ctx: Context) -> Verified:
        self._check(index)
        assert self.verified is not None
        return self.verified


@dataclass
class FakeRules:
    patterns: dict[str, AutoFollowPattern] = field(default_factory=dict)
    active: dict[str, bool] = field(default_factory=dict)
    statistics: AutoFollowStats = field(default_factory=AutoFollowStats)

    def _check(self, name: str) -> None:
        if name not in self.patterns:
            raise ResourceNotFound(f"auto-follow pattern [{name}] is missing")

    async def put(self, pattern: AutoFollowPattern, ctx: Context) -> None:
        self.patterns[pattern.name] = pattern

    def get(self, name: str | None) -> Sequence[AutoFollowPattern]:
        if name is None:
            return list(self.patterns.values())
        self._check(name)
        return [self.patterns[name]]

    async def delete(self, name: str) -> None:
        self._check(name)
        del self.patterns[name]

    async def set_active(self, name: str, active: bool) -> None:
        self._check(name)
        self.active[name] = active

    def stats(self) -> AutoFollowStats:
        return self.statistics


@dataclass
class FakeLeases:
    forgotten: list[ForgetFollower] = field(default_factory=list)
    answer: ShardsAnswer = field(default_factory=lambda: ShardsAnswer(total=1, successful=1))

    async def forget(self, request: ForgetFollower, ctx: Context) -> ShardsAnswer:
        self.forgotten.append(request)
        return self.answer


@dataclass
class FakeReplication:
    followers: FakeFollowers = field(default_factory=FakeFollowers)
    rules: FakeRules = field(default_factory=FakeRules)
    leases: FakeLeases = field(default_factory=FakeLeases)

    def parts(self) -> Replication:
        return Replication(followers=self.followers, auto_follow=self.rules, leader=self.leases)
