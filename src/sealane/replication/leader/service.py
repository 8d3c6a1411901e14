"""This cluster as a leader: what followers elsewhere are answered, name by name by the rights of whoever asks.

It has no sessions and knows no follower: a request says whose history it continues and from where, and what must be
kept for it is a lease of the engine. How requests cross is `inbound.replication`'s business.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Final

import msgspec

from sealane.clock import Clock
from sealane.cluster.found_indices import Guard
from sealane.cluster.metadata import IndexMetadata
from sealane.cluster.stream_names import names_judged
from sealane.engine.base import Changes, ShardState
from sealane.errors import ApiError, IndexNotFound
from sealane.model.access import no_access_needed
from sealane.model.node import ClusterIdentity
from sealane.model.replication import (
    ChangesAnswer,
    ChangesRequest,
    LeaderCluster,
    LeaderIndex,
)
from sealane.model.task import Context
from sealane.remote.transport.messages_replication import HistoriesAnswer
from sealane.replication.leader.copies import ANSWER_MAX_BYTES, OPERATIONS_MAX, LedCopies
from sealane.replication.leader.described import leader_index, summary
from sealane.replication.leader.histories import check_continues, history_of
from sealane.replication.leader.leases import LedLeases
from sealane.replication.leader.names import (
    LeaderEngine,
    LeaderIndices,
    check_settled,
    engine_errors,
    not_open,
)
from sealane.replication.leader.polls import Polls
from sealane.replication.leader.rights import check_may_follow, may_follow

_GATHER_S: Final = 0.02
"""What is written one by one is told together with what comes in this time. Who has waited for longer than that when
something comes is told at once.
"""
_GATHER_MAX: Final = 1_000
"""So many operations are worth an answer by themselves."""
_SUMMARIES_AT_ONCE: Final = 500
"""Indices between which the loop does other things."""


def _all_open() -> Collection[str]:
    return ()


def _any_rate() -> int:
    return 0


def _one_version() -> int:
    return 0


class LeaderService(LedCopies, LedLeases):
    """Made by the composition root; `close` ends what waits.

    `unopened` are the uuids of indices that are not there although they should be, `copy_rate` the bytes a second of
    all copies together, 0 for any number. `rights_version` changes whenever anybody's rights may have.
    """

    def __init__(
        self,
        *,
        indices: LeaderIndices,
        engine: LeaderEngine,
        cluster: Callable[[], ClusterIdentity],
        clock: Clock,
        guard: Guard = no_access_needed,
        unopened: Callable[[], Collection[str]] = _all_open,
        copy_rate: Callable[[], int] = _any_rate,
        rights_version: Callable[[], int] = _one_version,
    ) -> None:
        super().__init__(indices=indices, engine=engine, guard=guard, copy_rate=copy_rate)
        self._cluster = cluster
        self._clock = clock
        self._unopened = unopened
        self._rights_version = rights_version
        self._polls = Polls()
        self._stop = indices.on_change(self._polls.changed)

    def close(self) -> None:
        """Who waits hears that the node closes, and asks another one or later."""
        self._stop()
        self._polls.close()

    @property
    def polls(self) -> int:
        """Followers that wait now."""
        return len(self._polls)

    # -- what there is -----------------------------------------------------------------------------------------------

    async def histories(self, name: str, ctx: Context) -> HistoriesAnswer:
        """Raises SecurityError for an index that whoever asks may not follow, IndexNotFound; NoShardAvailable for a
        follower whose own history is not settled.
        """
        check_may_follow(self._guard(), self._judged(name))
        found = self._described(name)
        index = self._indices.metadata.index(name)
        if index is None or not index.open:
            return HistoriesAnswer(uuid="")
        check_settled(index)
        try:
            states = [
                await self._engine.shard_state(found.uuid, shard) for shard in range(found.shards)
            ]
        except ApiError:
            states = []  # its primaries are not there; the follower says so
        for shard, state in enumerate(states):
            self._check_own(index, shard, state)
        return HistoriesAnswer(uuid=found.uuid, shards=tuple(map(history_of, states)))

    async def described(self, name: str, ctx: Context) -> LeaderIndex:
        """Without its histories. Raises IndexNotFound, also for what may not be followed: this is asked beside
        `histories`, by a node for itself.
        """
        if not may_follow(self._guard(), self._judged(name)):
            raise IndexNotFound(name)
        return self._described(name)

    async def index(self, name: str, ctx: Context) -> LeaderIndex:
        """Both in one: as ChangeFeed.index."""
        stands = await self.histories(name, ctx)
        found = self._described(name)
        if found.uuid != stands.uuid or not found.open:
            return found
        return msgspec.structs.replace(found, history=stands.shards)

    async def cluster(
        self, ctx: Context, *, newer_than: int | None = None, timeout_s: float = 60.0
    ) -> LeaderCluster | None:
        """As ChangeFeed.cluster. A lower version is news, too: the cluster is then not what it was."""
        if newer_than is not None:
            known, rights = newer_than, self._rights_version()
            is_news = await self._polls.metadata(
                lambda: self._indices.metadata.version != known, timeout_s
            )
            if not is_news or self._rights_version() != rights:
                return None  # whoever asked may have lost the right meanwhile: the next request is judged anew
        metadata, identity = self._indices.metadata, self._cluster()
        access, unopened = self._guard(), self._unopened()
        found = []
        for number, index in enumerate(metadata, 1):
            if may_follow(access, names_judged(metadata, index)):
                found.append(summary(metadata, index, identity.uuid, unopened))
            if number % _SUMMARIES_AT_ONCE == 0:
                await asyncio.sleep(0)
        return LeaderCluster(
            name=identity.name,
            uuid=identity.uuid,
            metadata_version=metadata.version,
            indices=tuple(found),
        )

    def _described(self, name: str) -> LeaderIndex:
        found = leader_index(self._indices.metadata, name, self._cluster())
        if found is None:
            raise IndexNotFound(name)
        return found

    # -- operations --------------------------------------------------------------------------------------------------

    async def changes(self, request: ChangesRequest, ctx: Context) -> ChangesAnswer:
        """As ChangeFeed.changes. The operations are read first and the versions after them, so these fit them all."""
        loop = asyncio.get_running_loop()
        began, waited = loop.time(), 0.0
        shard = request.shard
        index = self._shard(shard)
        found = await self._read(index, request)
        if _is_little(found, request):
            rights = self._rights_version()
            waits_from = loop.time()
            await self._wait(index, request)
            waited = loop.time() - waits_from
            index = self._shard(shard)
            if self._rights_version() == rights:
                found = await self._read(index, request)
            else:
                # Whoever asked may have lost the right meanwhile: the next request is judged anew.
                found = Changes(operations=(), state=found.state)
        index = self._shard(shard)
        return ChangesAnswer(
            operations=found.operations,
            checkpoint=found.state.checkpoint,
            max_seq_no=found.state.max_seq_no,
            mapping_version=index.mapping_version,
            settings_version=index.settings_version,
            aliases_version=index.aliases_version,
            history_uuid=found.state.history_uuid,
            now_ms=self._clock.now_ms(),
            took_ms=max(0, int((loop.time() - began - waited) * 1000)),
        )

    async def _read(self, index: IndexMetadata, request: ChangesRequest) -> Changes:
        shard, position = request.shard.shard, request.from_seq_no - 1
        with engine_errors(index):
            async with self._reads:
                state = await self._engine.shard_state(index.uuid, shard)
                check_continues(state, request.history_uuid, position)
                found = await self._engine.changes(
                    index.uuid,
                    shard,
                    request.from_seq_no,
                    max_count=min(request.max_count, OPERATIONS_MAX),
                    max_bytes=min(request.max_bytes, ANSWER_MAX_BYTES),
                    previous=request.previous,
                )
        self._check_own(index, shard, found.state)
        check_continues(found.state, request.history_uuid, position)
        return found

    async def _wait(self, index: IndexMetadata, request: ChangesRequest) -> None:
        """Until there may be something to tell, and where that comes soon, until it is worth an answer."""
        loop = asyncio.get_running_loop()
        first = request.from_seq_no
        enough = first - 1 + min(request.max_count, _GATHER_MAX)

        def reached(seq_no: int, timeout_s: float) -> Awaitable[ShardState]:
            return self._engine.wait_for_checkpoint(
                index.uuid, request.shard.shard, seq_no, timeout_s=timeout_s
            )

        async def wait(timeout_s: float) -> None:
            gathered_at = loop.time() + min(timeout_s, _GATHER_S)
            await reached(first, timeout_s)
            if (left_s := gathered_at - loop.time()) > 0:
                await reached(enough, left_s)

        try:
            await self._polls.until(index.uuid, wait, request.poll_timeout_ms / 1000)
        except IndexNotFound:
            # Closed or deleted: the metadata says which. Else it is being opened anew.
            self._shard(request.shard)
            raise not_open(index) from None


def _is_little(found: Changes, request: ChangesRequest) -> bool:
    """Nothing, though it is about what comes next; or so few that somebody who would have waited waits a moment."""
    operations, checkpoint = found.operations, found.state.checkpoint
    if not operations:
        # One that asks beyond that has more than there is here: it is to see that at once.
        return request.poll_timeout_ms > 0 and request.from_seq_no == checkpoint + 1
    return (
        request.poll_timeout_ms > 1000 * _GATHER_S
        and len(operations) < min(request.max_count, _GATHER_MAX)
        and operations[-1].seq_no == checkpoint
    )
