"""A leader and a follower in memory, and the link between them: for the shell of a shard."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from random import Random

from sealane.clock import RandomIds
from sealane.engine.base import IndexConfig
from sealane.engine.mapping import Mapping
from sealane.errors import ApiError, UnexpectedHistory
from sealane.model.document import Operation, OpType, WriteOp
from sealane.model.followers import CopyProgress, ShardFollowStats
from sealane.model.replication import (
    LEASE_SOURCE,
    ChangesAnswer,
    ChangesRequest,
    CopyAnswer,
    CopyRequest,
    CopyStart,
    FollowParameters,
    HistoryMark,
    LeaderCluster,
    LeaderIndex,
    ShardHistory,
    ShardRef,
)
from sealane.model.task import Context, TaskRegistry
from sealane.replication.feed import Exactness
from sealane.replication.follower.budget import ByteBudget
from sealane.replication.follower.failures import Patience
from sealane.replication.follower.ports import LeaderVersions, ShardIdentity
from sealane.replication.follower.shard import ShardFollower, Timing
from sealane.settings.follow_parameters import limits_of
from sealane.testing.fake_engine import FakeEngine, FakeMappings
from sealane.transport.tasks import TaskScope

LEADER, FOLLOWER = "leader-uuid", "follower-uuid"
LEASE = "c/follower/follower-uuid-following-r/leader/leader-uuid"


class LoopClock:
    """Wall time that goes with the loop's."""

    def now_ms(self) -> int:
        return 1_000_000 + round(asyncio.get_running_loop().time() * 1000)


class Asks:
    """Implements Asking; `running` are the requests under way."""

    def __init__(self) -> None:
        self.tasks = TaskRegistry("n")

    @contextmanager
    def asking(self, action: str, *, timeout_s: float | None = None) -> Iterator[Context]:
        with self.tasks.start(action, start_ms=0) as task:
            yield Context(task=task)


class Synced:
    """Implements LeaderSync: every version is reached at once, or `error` is raised."""

    def __init__(self) -> None:
        self.versions = LeaderVersions(1, 1, 1)
        self.error: ApiError | None = None

    async def reach(self, wanted: LeaderVersions) -> None:
        if self.error is not None:
            raise self.error
        self.versions = wanted


class CopyOf:
    """Implements Copier with as many steps as it is given: each an error, or None for success."""

    def __init__(self) -> None:
        self.progress: CopyProgress | None = None
        self.mark: HistoryMark | None = None
        self.steps: list[ApiError | None] = []
        self.histories: list[str] = []
        self.ran_with_lease: list[bool] = []
        self.has_lease: Callable[[], Awaitable[bool]] | None = None
        self.gate: asyncio.Event | None = None

    async def run(self, history_uuid: str) -> int:
        self.histories.append(history_uuid)
        if self.has_lease is not None:
            self.ran_with_lease.append(await self.has_lease())
        if self.gate is not None:
            await self.gate.wait()
        step = self.steps.pop(0) if self.steps else None
        if step is not None:
            raise step
        return -1


class Link:
    """Implements ChangeFeed on a leader's engine. `error` fails every request; `stalled` lets none be answered."""

    exactness = Exactness.OPERATIONS

    def __init__(self, engine: FakeEngine) -> None:
        self.engine = engine
        self.error: ApiError | None = None
        self.stalled = False
        self.lease_error: ApiError | None = None
        self.asked: list[ChangesRequest] = []
        self.renewals: list[int] = []
        self.versions = LeaderVersions(1, 1, 1)

    async def _pass(self, error: ApiError | None = None) -> None:
        if self.stalled:
            await asyncio.Event().wait()
        if error is not None or self.error is not None:
            raise error or self.error  # type: ignore[misc]
        await asyncio.sleep(0.001)

    async def changes(self, request: ChangesRequest, ctx: Context) -> ChangesAnswer:
        self.asked.append(request)
        await self._pass()
        shard = request.shard.shard
        waited = asyncio.get_running_loop().create_task(
            self.engine.wait_for_checkpoint(
                LEADER, shard, request.from_seq_no, timeout_s=request.poll_timeout_ms / 1000
            )
        )
        try:
            while not waited.done():
                await asyncio.wait([waited], timeout=1.0)
                await self._pass()
        finally:
            waited.cancel()
        await self._check_history(request)
        found = await self.engine.changes(
            LEADER,
            shard,
            request.from_seq_no,
            max_count=request.max_count,
            max_bytes=request.max_bytes,
            previous=request.previous,
        )
        return ChangesAnswer(
            operations=found.operations,
            checkpoint=found.state.checkpoint,
            max_seq_no=found.state.max_seq_no,
            mapping_version=self.versions.mapping,
            settings_version=self.versions.settings,
            aliases_version=self.versions.aliases,
            history_uuid=found.state.history_uuid,
            now_ms=LoopClock().now_ms(),
            took_ms=1,
        )

    async def _check_history(self, request: ChangesRequest) -> None:
        state = await self.engine.shard_state(LEADER, request.shard.shard)
        names = {state.history_uuid: state.checkpoint}
        names |= {each.history_uuid: each.up_to for each in state.ancestors}
        if request.from_seq_no - 1 > names.get(request.history_uuid, -2):
            raise UnexpectedHistory(request.history_uuid, state.history_uuid)

    async def index(self, name: str, ctx: Context) -> LeaderIndex:
        await self._pass()
        state = await self.engine.shard_state(LEADER, 0)
        history = ShardHistory(
            history_uuid=state.history_uuid,
            primary_term=state.primary_term,
            max_seq_no=state.max_seq_no,
            checkpoint=state.checkpoint,
            ancestors=state.ancestors,
        )
        return LeaderIndex(
            name=name,
            uuid=LEADER,
            settings={},
            mapping=b"{}",
            mapping_version=1,
            settings_version=1,
            aliases={},
            aliases_version=1,
            history=(history,),
        )

    async def add_lease(self, shard: ShardRef, lease_id: str, number: int, ctx: Context) -> None:
        await self._pass(self.lease_error)
        await self.engine.add_lease(LEADER, shard.shard, lease_id, number, LEASE_SOURCE)

    async def renew_lease(self, shard: ShardRef, lease_id: str, number: int, ctx: Context) -> None:
        self.renewals.append(number)
        await self._pass(self.lease_error)
        await self.engine.renew_lease(LEADER, shard.shard, lease_id, number, LEASE_SOURCE)

    async def remove_lease(self, shard: ShardRef, lease_id: str, ctx: Context) -> None:
        raise AssertionError("a shard never removes its lease")

    async def cluster(
        self, ctx: Context, *, newer_than: int | None = None, timeout_s: float = 60.0
    ) -> LeaderCluster | None:
        raise AssertionError("a shard does not ask for it")

    async def open_copy(self, shard: ShardRef, lease_id: str, ctx: Context) -> CopyStart:
        raise AssertionError("that is the copier's")

    async def copy(self, request: CopyRequest, ctx: Context) -> CopyAnswer:
        raise AssertionError("that is the copier's")

    async def documents(
        self, shard: ShardRef, ids: Sequence[str], history_uuid: str, ctx: Context
    ) -> Sequence[Operation]:
        raise AssertionError("that is for a failback")


@dataclass(kw_only=True)
class World:
    leader: FakeEngine
    follower: FakeEngine
    link: Link
    shard: ShardFollower
    copier: CopyOf
    sync: Synced
    asks: Asks
    budget: ByteBudget
    fatal: list[ApiError] = field(default_factory=list)
    histories: list[str] = field(default_factory=list)

    async def write(self, count: int = 1, size: int = 10) -> None:
        op = WriteOp(op=OpType.INDEX, source=b'{"a":"' + b"x" * size + b'"}')
        with self.asks.tasks.start("bulk", start_ms=0) as task:
            await self.leader.bulk(LEADER, [op] * count, Context(task=task))

    async def level(self, *, timeout_s: float = 600.0) -> None:
        """Until the follower has all that the leader has, in virtual time."""
        async with asyncio.timeout(timeout_s):
            wanted = (await self.leader.shard_state(LEADER, 0)).checkpoint
            await self.follower.wait_for_checkpoint(FOLLOWER, 0, wanted, timeout_s=2 * timeout_s)

    async def state(self) -> int:
        return (await self.follower.shard_state(FOLLOWER, 0)).checkpoint

    async def is_equal(self) -> bool:
        return await self._log(self.leader, LEADER) == await self._log(self.follower, FOLLOWER)

    @staticmethod
    async def _log(engine: FakeEngine, uuid: str) -> list[Operation]:
        found = await engine.changes(uuid, 0, 0, max_count=1_000_000, max_bytes=1 << 40)
        return list(found.operations)

    @property
    def stats(self) -> ShardFollowStats:
        return self.shard.stats()


def made(
    leader: FakeEngine,
    follower: FakeEngine,
    *,
    parameters: FollowParameters,
    timing: Timing,
    patience: Patience,
) -> World:
    link, copier, sync, asks = Link(leader), CopyOf(), Synced(), Asks()
    budget = ByteBudget(1 << 20)
    fatal: list[ApiError] = []
    histories: list[str] = []
    identity = ShardIdentity(
        remote_cluster="r",
        leader=ShardRef(index="leader", index_uuid=LEADER, shard=0),
        follower_index="follower",
        follower_uuid=FOLLOWER,
        lease_id=LEASE,
    )
    shard = ShardFollower(
        identity,
        feed=link,
        engine=follower,
        sync=sync,
        copier=copier,
        asking=asks,
        limits=limits_of(parameters),
        budget=budget,
        timing=timing,
        patience=patience,
        chance=Random(1).random,
        clock=LoopClock(),
        on_fatal=fatal.append,
        on_history=histories.append,
    )
    return World(
        leader=leader,
        follower=follower,
        link=link,
        shard=shard,
        copier=copier,
        sync=sync,
        asks=asks,
        budget=budget,
        fatal=fatal,
        histories=histories,
    )


async def engines() -> tuple[FakeEngine, FakeEngine]:
    """Both empty, and of one history."""
    leader = FakeEngine(clock=LoopClock(), ids=RandomIds(), mappings=FakeMappings())
    follower = FakeEngine(clock=LoopClock(), ids=RandomIds(), mappings=FakeMappings())
    mapping = Mapping()
    await leader.open_index(IndexConfig(uuid=LEADER, shards=1, mapping=mapping), new=True)
    await follower.open_index(IndexConfig(uuid=FOLLOWER, shards=1, mapping=mapping), new=True)
    history = (await leader.shard_state(LEADER, 0)).history_uuid
    await follower.adopt_history(FOLLOWER, 0, history)
    return leader, follower


@asynccontextmanager
async def world(
    parameters: FollowParameters | None = None,
    *,
    timing: Timing | None = None,
    patience: Patience | None = None,
    running: bool = True,
) -> AsyncIterator[World]:
    """A follower at work, with its shard's task stopped at the end."""
    leader, follower = await engines()
    there = made(
        leader,
        follower,
        parameters=parameters or FollowParameters(),
        timing=timing or Timing(),
        patience=patience or Patience(),
    )
    async with TaskScope("test") as scope:
        if running:
            scope.start(there.shard.run(), name="shard")
        yield there
    await leader.close()
    await follower.close()
