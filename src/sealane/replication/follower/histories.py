"""Which history a shard that is to follow has, and what has to be done before it may.

What is recorded with the follower and what its shards say can differ after a crash between two steps; each difference
that such a crash can leave is known here, and every other one is an error.
"""

from collections.abc import Awaitable, Callable
from enum import StrEnum

from sealane.engine.base import ShardState
from sealane.errors import UnexpectedHistory
from sealane.model.replication import NO_OPERATIONS, Ancestor, LeaderIndex
from sealane.replication.follower.kept import Kept, copy_to_of
from sealane.replication.follower.present import ReplicaEngine


class Settling(StrEnum):
    """What is to be done for one shard."""

    NOTHING = "nothing"
    ADOPT = "adopt"
    """It has no operation yet: it takes its leader's history."""
    RETURN = "return"
    """Nothing was written since the recorded history: what a promotion has begun is given up."""
    RECORD = "record"
    """It has gone on under the name that its leader was promoted to: that has to be recorded."""


def settling(recorded: str, state: ShardState, copy_to: int | None) -> Settling:
    """Raises UnexpectedHistory for a shard that is no copy of what is recorded."""
    if state.history_uuid == recorded:
        return Settling.NOTHING
    if state.max_seq_no == NO_OPERATIONS and copy_to in (None, NO_OPERATIONS):
        return Settling.ADOPT
    name, ancestors = written_history(recorded, state)
    if name == recorded:
        return Settling.RETURN
    if any(each.history_uuid == recorded for each in ancestors):
        return Settling.RECORD
    raise UnexpectedHistory(recorded, state.history_uuid)


def written_history(recorded: str, state: ShardState) -> tuple[str, tuple[Ancestor, ...]]:
    """The shard's history and the former ones, without those in which nothing was written since the recorded one: each
    attempt of a promotion may have begun one. A name of the leader's that goes with them is learnt from it again.
    """
    name, ancestors = state.history_uuid, state.ancestors
    while name != recorded and ancestors and ancestors[0].up_to == state.max_seq_no:
        name, ancestors = ancestors[0].history_uuid, ancestors[1:]
    return name, ancestors


class Histories:
    """Of one follower. `leader` asks what is followed now, with its histories."""

    def __init__(
        self,
        index_uuid: str,
        *,
        kept: Kept,
        engine: ReplicaEngine,
        leader: Callable[[], Awaitable[LeaderIndex]],
    ) -> None:
        self._uuid = index_uuid
        self._kept = kept
        self._engine = engine
        self._leader = leader

    async def settle(self) -> None:
        """When it returns, each shard has the history that is recorded. Raises UnexpectedHistory, and what asking the
        leader raises, which is done where a shard has nothing yet.
        """
        following = self._kept.following
        leader: LeaderIndex | None = None
        for shard, recorded in enumerate(following.history_uuids):
            state = await self._engine.shard_state(self._uuid, shard)
            step = settling(recorded, state, copy_to_of(following, shard))
            if step is Settling.ADOPT:
                if leader is None:
                    leader = await self._leader()
                    await self._kept.take_anew(leader)
                await self._adopt(shard, recorded, leader)
            elif step is not Settling.NOTHING:
                name, ancestors = written_history(recorded, state)
                if name != state.history_uuid:
                    await self._engine.adopt_history(self._uuid, shard, name, ancestors=ancestors)
                if name != recorded:
                    await self._kept.record_history(shard, name)

    async def adopt(self, shard: int) -> str:
        """Gives a shard that has nothing yet the history that its leader has now; returns the name of it."""
        recorded = self._kept.following.history_uuids[shard]
        leader = await self._leader()
        await self._kept.take_anew(leader)
        await self._adopt(shard, recorded, leader)
        return leader.history[shard].history_uuid

    async def _adopt(self, shard: int, recorded: str, leader: LeaderIndex) -> None:
        """Nothing has been taken from the leader yet, so whatever its history is by now will do."""
        history = leader.history[shard]
        if history.history_uuid != recorded:
            await self._kept.record_history(shard, history.history_uuid)
        await self._engine.adopt_history(
            self._uuid, shard, history.history_uuid, ancestors=history.ancestors
        )
