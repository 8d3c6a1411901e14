"""What the handlers of `_ccr` need: the followers of this cluster, the rules that make followers, and the leases that
followers elsewhere have here. The composition root hands in the real ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

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


class Followers(Protocol):
    """The indices here that follow others. Names are concrete; expressions are names, aliases, patterns and `_all`,
    open and closed indices alike, and those that do not follow are left out.
    """

    async def follow(self, request: FollowRequest, ctx: Context) -> FollowAnswer:
        """Raises NoSuchRemoteCluster, IndexNotFound, IllegalArgument, IndexClosed, SnapshotRestore,
        ResourceAlreadyExists.
        """

    async def pause(self, index: str) -> None:
        """Raises IndexNotFound; IllegalArgument for what does not follow, or is paused."""

    async def resume(self, index: str, parameters: FollowParameters, ctx: Context) -> None:
        """`parameters` replace all that were given before. A follower that has failed starts again. Raises
        IndexNotFound, IllegalArgument, ResourceAlreadyExists where it runs.
        """

    async def unfollow(self, index: str, ctx: Context) -> UnfollowAnswer:
        """Raises IndexNotFound, IllegalArgument."""

    def info(self, expressions: Sequence[str]) -> Sequence[FollowerInfo]:
        """Raises IndexNotFound for a name without a pattern that is no index."""

    def stats(self, expressions: Sequence[str] | None) -> Sequence[IndexFollowStats]:
        """Of those that are not paused; None is all. Raises ResourceNotFound `No shard follow tasks for follower
        indices [x]` for an expression, other than `_all` and `*`, that leads to none.
        """

    async def promote(self, expressions: Sequence[str], ctx: Context) -> Sequence[Promoted]:
        """Raises IndexNotFound; IllegalArgument for a name that is no follower."""

    async def failback(self, request: FailbackRequest, ctx: Context) -> FailbackAnswer: ...

    async def verify(self, index: str, ctx: Context) -> Verified:
        """Raises IndexNotFound; IllegalArgument for what does not follow."""


class AutoFollow(Protocol):
    """The rules by which new indices of remote clusters are followed."""

    async def put(self, pattern: AutoFollowPattern, ctx: Context) -> None:
        """In place of one of that name. `followed` and `subject` are filled in. Raises NoSuchRemoteCluster,
        IllegalArgument.
        """

    def get(self, name: str | None) -> Sequence[AutoFollowPattern]:
        """By name; None is all. Raises ResourceNotFound `auto-follow pattern [x] is missing`."""

    async def delete(self, name: str) -> None:
        """Raises ResourceNotFound."""

    async def set_active(self, name: str, active: bool) -> None:
        """Raises ResourceNotFound."""

    def stats(self) -> AutoFollowStats: ...


class LeaderLeases(Protocol):
    """The retention leases that followers elsewhere hold on indices here."""

    async def forget(self, request: ForgetFollower, ctx: Context) -> ShardsAnswer:
        """Removes the lease from every shard. Raises IndexNotFound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replication:
    """All of it, as one node has it."""

    followers: Followers
    auto_follow: AutoFollow
    leader: LeaderLeases
