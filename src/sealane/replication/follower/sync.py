"""Mapping, settings and aliases of a follower, brought to its leader's for all its shards at once."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from sealane.errors import ApiError, IllegalState, IndexNotFound
from sealane.model.replication import Following
from sealane.remote.transport.messages_replication import STATE
from sealane.replication.checks import check_not_older, check_same_leader
from sealane.replication.feed import ChangeFeed
from sealane.replication.follower.asking import answered_within
from sealane.replication.follower.ports import Asking, LeaderVersions
from sealane.replication.indices import FollowerIndices
from sealane.transport.tasks import TaskScope

_ROUNDS_MAX: Final = 3
"""A request that was under way already may answer what was before; one of our own does not."""

log = logging.getLogger("sealane.replication")


class LeaderWentBack(IllegalState):
    """The leader has lost what it told of: what was read of it with that has to be read again."""


class IndexSync:
    """Implements LeaderSync for one follower; its work ends with `scope`."""

    def __init__(
        self,
        *,
        index_uuid: str,
        indices: FollowerIndices,
        feed: ChangeFeed,
        asking: Asking,
        timeout_s: Callable[[], float],
        scope: TaskScope,
    ) -> None:
        self._uuid = index_uuid
        self._indices = indices
        self._feed = feed
        self._asking = asking
        self._timeout_s = timeout_s
        self._scope = scope
        self._running: asyncio.Task[ApiError | None] | None = None

    @property
    def versions(self) -> LeaderVersions:
        index = self._indices.metadata.by_uuid(self._uuid)
        if index is None or index.following is None:
            return LeaderVersions(0, 0, 0)
        return _versions_of(index.following)

    async def reach(self, wanted: LeaderVersions) -> None:
        """See LeaderSync."""
        for _ in range(_ROUNDS_MAX):
            if _covers(self.versions, wanted):
                return
            if self._running is None:
                self._running = self._scope.start(self._bring(), name="leader metadata")
            error = await asyncio.shield(self._running)
            if error is not None:
                raise error
        if not _covers(self.versions, wanted):
            raise LeaderWentBack(
                f"the leader has told of [{wanted}] of mapping, settings and aliases, and shows [{self.versions}]"
            )

    async def _bring(self) -> ApiError | None:
        """One error for all that wait: it is returned, for nobody may be left to look at it."""
        try:
            await self._take()
        except ApiError as error:
            return error
        finally:
            self._running = None
        return None

    async def _take(self) -> None:
        index = self._indices.metadata.by_uuid(self._uuid)
        if index is None or index.following is None:
            raise IndexNotFound(self._uuid)
        timeout_s = self._timeout_s()
        with self._asking.asking(STATE, timeout_s=timeout_s) as ctx:
            asked = self._feed.index(index.following.leader_index, ctx)
            leader = await answered_within(asked, timeout_s, STATE)
        check_same_leader(index.name, index.following, leader)
        check_not_older(index.name, index.following, leader)
        await self._indices.take_leader(self._uuid, leader)
        log.info(
            "the follower has its leader's metadata [%s][mapping %d][settings %d][aliases %d]",
            index.name,
            leader.mapping_version,
            leader.settings_version,
            leader.aliases_version,
        )


def _versions_of(following: Following) -> LeaderVersions:
    return LeaderVersions(
        following.mapping_version, following.settings_version, following.aliases_version
    )


def _covers(reached: LeaderVersions, wanted: LeaderVersions) -> bool:
    return (
        reached.mapping >= wanted.mapping
        and reached.settings >= wanted.settings
        and reached.aliases >= wanted.aliases
    )
