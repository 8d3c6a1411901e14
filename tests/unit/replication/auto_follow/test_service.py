"""Rules over a remote whose indices come and go: what is followed, what is told, what is kept."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import msgspec
import pytest

from sealane.cluster.store import MemoryStateStore
from sealane.errors import (
    ActionRequestValidation,
    ApiError,
    ConnectTransport,
    IllegalArgument,
    IllegalState,
    NoSuchRemoteCluster,
    ResourceNotFound,
)
from sealane.model.followers import AutoFollowPattern, FollowAnswer, FollowRequest
from sealane.model.replication import Following, IndexSummary, LeaderCluster
from sealane.model.task import Context, TaskRegistry
from sealane.replication.auto_follow import AutoFollow
from sealane.replication.auto_follow.errors import ERRORS_MAX, RecentErrors
from sealane.transport.tasks import TaskScope


class _Clock:
    now = 1_000

    def now_ms(self) -> int:
        return self.now


class _Remote:
    """A remote cluster as its rules see it: its indices, and whether it answers."""

    def __init__(self) -> None:
        self.indices: dict[str, IndexSummary] = {}
        self.version = 1
        self.error: ApiError | None = None
        self.asked = 0
        self._changed = asyncio.Event()

    def add(self, name: str, *, uuid: str | None = None, **members: Any) -> None:
        self.indices[name] = IndexSummary(name=name, uuid=uuid or f"uuid-{name}", **members)
        self.tell()

    def remove(self, name: str) -> None:
        del self.indices[name]
        self.tell()

    def tell(self) -> None:
        self.version += 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def cluster(
        self, ctx: Context, *, newer_than: int | None = None, timeout_s: float = 60.0
    ) -> LeaderCluster | None:
        self.asked += 1
        if self.error is not None:
            raise self.error
        if newer_than is not None and self.version <= newer_than:
            try:
                async with asyncio.timeout(timeout_s):
                    await self._changed.wait()
            except TimeoutError:
                return None
            if self.error is not None:
                raise self.error
        return LeaderCluster(
            name="eu",
            uuid="eu-uuid",
            metadata_version=self.version,
            indices=tuple(self.indices.values()),
        )


class _SlowStore(MemoryStateStore):
    """Its writes wait until they may go."""

    def __init__(self) -> None:
        super().__init__()
        self.may_go, self.waits = asyncio.Event(), asyncio.Event()
        self.may_go.set()

    async def compare_and_set(self, changes: Any, expected: Any) -> int:
        if not self.may_go.is_set():
            self.waits.set()
            await self.may_go.wait()
        return await super().compare_and_set(changes, expected)


class _World:
    """The parts around the rules: feeds, and a follow API that remembers."""

    def __init__(self) -> None:
        self.store: MemoryStateStore = MemoryStateStore()
        self.remotes: dict[str, _Remote] = {"eu": _Remote()}
        self.followed: dict[str, Following] = {}
        self.requests: list[FollowRequest] = []
        self.refusals: dict[str, ApiError] = {}
        self.clock = _Clock()
        self._tasks = TaskRegistry("n")
        self._event = asyncio.Event()

    @property
    def eu(self) -> _Remote:
        return self.remotes["eu"]

    def feed(self, alias: str) -> Any:
        if alias not in self.remotes:
            raise NoSuchRemoteCluster(alias)
        return self.remotes[alias]

    async def follow(self, request: FollowRequest, ctx: Context) -> FollowAnswer:
        self.requests.append(request)
        self._event.set()
        refusal = self.refusals.get(request.index)
        if refusal is not None:
            raise refusal
        leader = self.remotes[request.remote_cluster].indices[request.leader_index]
        self.followed[request.index] = Following(
            remote_cluster=request.remote_cluster,
            leader_index=request.leader_index,
            leader_uuid=leader.uuid,
            history_uuids=("h",),
        )
        return FollowAnswer(index_created=True, shards_acked=False, following_started=False)

    @contextmanager
    def asking_as(
        self, subject: str, action: str, *, timeout_s: float | None = None
    ) -> Iterator[Context]:
        with self._tasks.start(action, start_ms=0) as task:
            yield Context(task=task)

    @asynccontextmanager
    async def rules(self) -> AsyncIterator[AutoFollow]:
        """The service on what the store holds: as after a start."""
        service = AutoFollow(
            store=self.store,
            feeds=self,
            follows=self,
            contexts=self,
            encode_subject=lambda ctx: "",
            following=self.followed.get,
            check_overrides=_refuse_analysis,
            local_uuid=lambda: "local-uuid",
            wait_s=lambda: 60.0,
            clock=self.clock,
        )
        await service.start()
        try:
            yield service
        finally:
            await service.close()

    def ctx(self) -> Context:
        with self._tasks.start("test", start_ms=0) as task:
            return Context(task=task)


def _refuse_analysis(settings: dict[str, Any]) -> None:
    if any(key.startswith("index.analysis") for key in settings):
        raise IllegalArgument("can not put auto-follow pattern that could override leader settings")


@pytest.fixture
def world() -> _World:
    return _World()


def _pattern(*patterns: str, name: str = "p", **members: Any) -> AutoFollowPattern:
    return AutoFollowPattern(
        name=name, remote_cluster="eu", leader_index_patterns=patterns or ("logs-*",), **members
    )


async def _until(condition: Any) -> None:
    """Lets the watches run until something holds; the test's own limit ends one that never does."""
    while not condition():  # noqa: ASYNC110  # no event tells
        await asyncio.sleep(0.001)


async def test_a_new_index_is_followed_and_an_old_one_is_not(world: _World) -> None:
    """R-76: within one poll, which answers as soon as there is something new."""
    world.eu.add("logs-old")
    async with world.rules() as rules:
        await rules.put(_pattern(), world.ctx())
        world.eu.add("logs-new")
        await _until(lambda: "logs-new" in world.followed)
        assert [each.index for each in world.requests] == ["logs-new"]
        await _until(lambda: rules.stats().successful_follow_indices == 1)
        await _until(lambda: "uuid-logs-new" in rules.get("p")[0].followed)


async def test_existing_indices_are_followed_where_that_is_asked_for(world: _World) -> None:
    """R-76: `include_existing` takes those that are there too."""
    world.eu.add("logs-old")
    async with world.rules() as rules:
        await rules.put(_pattern(include_existing=True), world.ctx())
        await _until(lambda: "logs-old" in world.followed)


async def test_an_index_of_a_pause_is_followed_on_resume(world: _World) -> None:
    """R-26, R-80: pause and resume are idempotent, `active` tells, and nothing that came meanwhile is lost."""
    async with world.rules() as rules:
        await rules.put(_pattern(), world.ctx())
        for _ in range(2):
            await rules.set_active("p", False)
        assert [each.active for each in rules.get("p")] == [False]
        world.eu.add("logs-1")
        await asyncio.sleep(0)
        assert world.requests == []
        for _ in range(2):
            await rules.set_active("p", True)
        assert [each.active for each in rules.get(None)] == [True]
        await _until(lambda: "logs-1" in world.followed)
        await rules.set_active("p", False)
        await rules.put(_pattern(), world.ctx())
        assert [each.active for each in rules.get("p")] == [True]


async def test_deleting_a_rule_keeps_its_followers(world: _World) -> None:
    """R-24, R-81: they go on, no new ones come, and a rule that is not there is 404."""
    async with world.rules() as rules:
        await rules.put(_pattern(), world.ctx())
        world.eu.add("logs-1")
        await _until(lambda: "logs-1" in world.followed)
        await rules.delete("p")
        world.eu.add("logs-2")
        await asyncio.sleep(0.01)
        assert set(world.followed) == {"logs-1"}
        assert rules.get(None) == []
        with pytest.raises(ResourceNotFound, match=r"auto-follow pattern \[p\] is missing"):
            rules.get("p")
        with pytest.raises(ResourceNotFound):
            await rules.delete("p")
        with pytest.raises(ResourceNotFound):
            await rules.set_active("p", True)


async def test_existing_indices_stay_alone_when_a_right_is_lost_and_returns(world: _World) -> None:
    """R-76: an index that is hidden for a while and shown again is not new."""
    world.eu.add("logs-old")
    async with world.rules() as rules:
        await rules.put(_pattern(), world.ctx())
        world.eu.remove("logs-old")
        world.eu.add("logs-1")
        await _until(lambda: "uuid-logs-1" in rules.get("p")[0].followed)
        world.eu.add("logs-old")
        world.eu.add("logs-2")
        await _until(lambda: "uuid-logs-2" in rules.get("p")[0].followed)
        assert [each.index for each in world.requests] == ["logs-1", "logs-2"]


async def test_a_rule_put_again_keeps_what_is_noted_meanwhile(world: _World) -> None:
    """R-86: an index is not followed once more under the name that the new rule gives."""
    world.store = store = _SlowStore()
    async with world.rules() as rules, TaskScope("test") as scope:
        await rules.put(_pattern(), world.ctx())
        store.may_go.clear()
        world.eu.add("logs-1")
        await store.waits.wait()
        again = _pattern(follow_index_pattern="{{leader_index}}-copy")
        put = scope.start(rules.put(again, world.ctx()))
        await asyncio.wait({put}, timeout=0.05)
        store.may_go.set()
        await put
        world.eu.add("logs-2")
        await _until(lambda: "uuid-logs-2" in rules.get("p")[0].followed)
        assert [each.index for each in world.requests] == ["logs-1", "logs-2-copy"]


async def test_a_failed_follow_is_told_and_tried_again(world: _World) -> None:
    """R-82: it is among the recent errors, and the counter of successes rises once it works."""
    world.refusals["logs-1"] = IllegalState("no room")
    async with world.rules() as rules:
        await rules.put(_pattern(), world.ctx())
        world.eu.add("logs-1")
        await _until(lambda: rules.stats().failed_follow_indices >= 2)
        (error,) = rules.stats().errors
        assert (error.subject, error.error.reason) == ("p:logs-1", "no room")
        assert rules.stats().successful_follow_indices == 0
        world.refusals.clear()
        await _until(lambda: rules.stats().successful_follow_indices == 1)
        assert rules.stats().errors == ()


async def test_two_rules_on_one_index_both_have_an_error(world: _World) -> None:
    """R-79: and none is followed."""
    async with world.rules() as rules:
        await rules.put(_pattern("logs-*", name="a"), world.ctx())
        await rules.put(_pattern("*-1", name="b"), world.ctx())
        world.eu.add("logs-1")
        await _until(lambda: len(rules.stats().errors) == 2)
        assert {each.subject for each in rules.stats().errors} == {"a:logs-1", "b:logs-1"}
        assert world.followed == {}


async def test_a_missing_remote_leaves_the_rule_idle_until_it_is_back(world: _World) -> None:
    """R-84: nothing is lost by an alias that goes and comes."""
    async with world.rules() as rules:
        await rules.put(_pattern(), world.ctx())
        remote = world.remotes.pop("eu")
        remote.tell()
        await _until(lambda: rules.stats().clusters[0].last_error is not None)
        remote.add("logs-1")
        assert world.followed == {}
        world.remotes["eu"] = remote
        await _until(lambda: "logs-1" in world.followed)
        await _until(lambda: rules.stats().clusters[0].last_error is None)
        assert rules.stats().failed_remote_cluster_state_requests == 0


async def test_a_remote_that_cannot_be_asked_is_counted_and_told(world: _World) -> None:
    """R-84: the error stands at each rule on it, and goes when the remote answers."""
    async with world.rules() as rules:
        await rules.put(_pattern(), world.ctx())
        world.eu.error = ConnectTransport("no way there")
        world.eu.tell()
        await _until(lambda: rules.stats().failed_remote_cluster_state_requests >= 1)
        assert [each.subject for each in rules.stats().errors] == ["p"]
        world.eu.error = None
        world.eu.add("logs-1")
        await _until(lambda: "logs-1" in world.followed)
        assert rules.stats().errors == ()


async def test_a_recreated_leader_is_followed_when_its_name_is_free(world: _World) -> None:
    """R-83: until then the error says what stands in the way."""
    async with world.rules() as rules:
        await rules.put(_pattern(), world.ctx())
        world.eu.add("logs-1")
        await _until(lambda: "logs-1" in world.followed)
        world.eu.remove("logs-1")
        world.refusals["logs-1"] = IllegalState("an open index with same name already exists")
        world.eu.add("logs-1", uuid="another")
        await _until(lambda: len(rules.stats().errors) == 1)
        world.refusals.clear()
        await _until(lambda: world.followed["logs-1"].leader_uuid == "another")


async def test_a_restart_neither_loses_nor_repeats(world: _World) -> None:
    """R-86: what was followed but not noted is only noted, and what came meanwhile is followed."""
    async with world.rules() as rules:
        await rules.put(_pattern(), world.ctx())
        world.eu.add("logs-1")
        await _until(lambda: "uuid-logs-1" in rules.get("p")[0].followed)
    key = "auto_follow/p"
    entry = await world.store.get(key)
    assert entry is not None
    stored = msgspec.json.decode(entry.value, type=AutoFollowPattern)
    unnoted = msgspec.structs.replace(stored, followed=())
    await world.store.compare_and_set({key: msgspec.json.encode(unnoted)}, {})
    world.eu.add("logs-2")
    async with world.rules() as rules:
        await _until(lambda: set(rules.get("p")[0].followed) == {"uuid-logs-1", "uuid-logs-2"})
    assert [each.index for each in world.requests] == ["logs-1", "logs-2"]


async def test_what_cannot_be_a_rule_is_refused(world: _World) -> None:
    """R-2, R-10, R-25: a bad name, an unknown remote, settings of the leader's."""
    async with world.rules() as rules:
        with pytest.raises(ActionRequestValidation):
            await rules.put(_pattern(name="_p"), world.ctx())
        unknown = msgspec.structs.replace(_pattern(), remote_cluster="nowhere")
        with pytest.raises(NoSuchRemoteCluster):
            await rules.put(unknown, world.ctx())
        with pytest.raises(IllegalArgument, match="override leader settings"):
            await rules.put(_pattern(settings={"index.analysis.x": "y"}), world.ctx())
        assert rules.get(None) == []


async def test_all_that_is_given_comes_back(world: _World) -> None:
    """R-24: also after a restart."""
    given = _pattern(
        leader_index_exclusion_patterns=("logs-private",),
        follow_index_pattern="{{leader_index}}-copy",
        settings={"index.number_of_replicas": "0"},
    )
    async with world.rules() as rules:
        await rules.put(given, world.ctx())
    async with world.rules() as rules:
        assert rules.get("p") == [given]


def test_the_newest_errors_are_kept() -> None:
    """R-82: at most 256, the newest first, one for each subject."""
    errors = RecentErrors(lambda: 5)
    for number in range(ERRORS_MAX + 10):
        errors.put("p", f"i{number}", IllegalState(str(number)))
    errors.put("p", "i20", IllegalState("again"))
    kept = errors.newest_first()
    assert len(kept) == ERRORS_MAX
    assert (kept[0].subject, kept[0].error.reason) == ("p:i20", "again")
    assert len({each.subject for each in kept}) == ERRORS_MAX
    errors.forget_pattern("p")
    assert errors.newest_first() == ()
