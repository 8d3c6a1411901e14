"""What users do in a run: they write, change what indices are, and follow, pause, promote, fail back.

Whatever they are told is right: only what no user may ever see is an error here. Every act ends, however it ends.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from sealane.cluster.metadata import IndexMetadata
from sealane.errors import ApiError, NodeClosed
from sealane.model.document import OpType, VersionType, WriteOp, WriteResult
from sealane.model.followers import FailbackRequest, FollowRequest
from sealane.model.replication import FollowParameters, FollowState
from sealane.model.task import Context
from sealane.testing.replication_simulation.site import Program, Site
from sealane.testing.replication_simulation.world import World

_PATIENCE_S = 400.0
"""The longest that an act may take: several requests, each of which may be lost and noticed late."""
_IDS = 25


class Users:
    def __init__(self, world: World) -> None:
        self.world = world
        self.chance = world.chance
        self.acknowledged: dict[tuple[str, int, int], tuple[str, int]] = {}
        """By index, shard and number: id and version of what was acknowledged."""
        self._written = 0
        self._going_on: Counter[str] = Counter()
        """By index, the acts under way that let a paused follower go on."""

    async def act(
        self, site: Site, what: str, do: Callable[[Program, Context], Awaitable[object]]
    ) -> ApiError | None:
        """One request to a site that runs; its error, if it has one. A site that is killed meanwhile answers nobody."""
        if not site.is_up:
            return None
        program = site.running
        self.world.trace.note("ask", site.name, what)
        error: ApiError | None = None

        async def ask() -> None:
            nonlocal error
            with program.tasks.start(what, start_ms=site.clock.now_ms()) as task:
                try:
                    await do(program, Context(task=task, start_ms=site.clock.now_ms()))
                except ApiError as caught:
                    error = caught

        work = program.ask(ask())
        await asyncio.wait((work,), timeout=_PATIENCE_S)
        if not work.done():
            raise self.world.violation(
                f"[{what}] at [{site.name}] has no answer after {_PATIENCE_S:g} s"
            )
        if work.cancelled():
            self.world.outcomes[f"{what}: nobody answers"] += 1
            return NodeClosed(f"[{site.name}] is closed")
        if not program.is_dead:
            work.result()
        outcome = "ok" if error is None else error.es_type
        self.world.outcomes[f"{what}: {outcome}"] += 1
        if error is not None:
            self.world.trace.note("refused", site.name, what, error.es_type, error.reason[:160])
        return error

    # -- documents -----------------------------------------------------------------------------------------------

    async def write(self, site: Site, name: str, count: int) -> ApiError | None:
        """A bulk of creates, updates and deletes."""
        operations = [self._draw_write() for _ in range(count)]

        async def do(program: Program, ctx: Context) -> None:
            target = await program.indices.write_target(name, auto_create=False)
            uuid = target.metadata.uuid
            assert program.engine is not None
            results = await program.engine.bulk(uuid, operations, ctx)
            if program.is_dead:
                return
            for result in results:
                if isinstance(result, WriteResult):
                    place = (uuid, result.shard, result.seq_no)
                    self.acknowledged[place] = (result.id, result.version)

        return await self.act(site, "write", do)

    def _draw_write(self) -> WriteOp:
        chance = self.chance
        self._written += 1
        doc_id = f"d{chance.randrange(_IDS)}" if chance.random() < 0.8 else None
        routing = f"r{chance.randrange(3)}" if chance.random() < 0.1 else None
        kind = chance.random()
        if doc_id is not None and kind < 0.2:
            return WriteOp(op=OpType.DELETE, id=doc_id, routing=routing)
        body: dict[str, object] = {"n": self._written}
        if chance.random() < 0.03:
            body[f"field{chance.randrange(20)}"] = "new"
        if chance.random() < 0.05:
            body["text"] = "x" * chance.choice((300, 3000))
        source = json.dumps(body).encode()
        if kind < 0.3 and doc_id is not None:
            return WriteOp(
                op=OpType.INDEX,
                id=doc_id,
                routing=routing,
                source=source,
                version=self._written,
                version_type=VersionType.EXTERNAL,
            )
        return WriteOp(op=OpType.INDEX, id=doc_id, routing=routing, source=source)

    async def refresh(self, site: Site, name: str) -> None:
        async def do(program: Program, ctx: Context) -> None:
            index = program.indices.metadata.index(name)
            if index is not None and index.open:
                await program.indices.refresh(index)

        await self.act(site, "refresh", do)

    # -- indices -------------------------------------------------------------------------------------------------

    async def create(self, site: Site, name: str, shards: int, settings: dict[str, str]) -> None:
        body = {
            "settings": {"index.number_of_shards": str(shards), **settings},
            "aliases": {"alias": {}} if self.chance.random() < 0.3 else {},
        }
        await self.act(site, "create", lambda program, ctx: program.indices.create(name, body))

    async def delete(self, site: Site, name: str) -> None:
        await self.act(site, "delete", lambda program, ctx: program.indices.delete([name]))

    async def set_open(self, site: Site, name: str, open: bool) -> None:
        what = "open" if open else "close"
        await self.act(site, what, lambda program, ctx: program.indices.set_open([name], open))

    async def change_settings(self, site: Site, name: str) -> None:
        """A dynamic one that is replicated, one that is not, or a static one, for which the index is closed."""
        chance = self.chance
        kind = chance.random()
        number = str(chance.randint(2, 50))
        if kind < 0.4:
            changes = {"index.mapping.total_fields.limit": str(1000 + chance.randint(2, 50))}
        elif kind < 0.7:
            changes = {"index.number_of_replicas": number}
        else:
            changes = {"index.mapping.coerce": chance.choice(("true", "false"))}
            await self.set_open(site, name, False)
        await self.act(
            site, "settings", lambda program, ctx: program.indices.put_settings([name], changes)
        )
        if kind >= 0.7:
            await self.set_open(site, name, True)

    async def change_mapping(self, site: Site, name: str) -> None:
        field = f"mapped{self.chance.randrange(30)}"
        mapping = {"properties": {field: {"type": "keyword"}}}
        await self.act(
            site, "mapping", lambda program, ctx: program.indices.put_mapping([name], mapping)
        )

    # -- followers -----------------------------------------------------------------------------------------------

    async def follow(self, here: Site, name: str, there: Site, leader: str) -> ApiError | None:
        request = FollowRequest(
            index=name,
            remote_cluster=there.name,
            leader_index=leader,
            settings={"index.number_of_replicas": "0"} if self.chance.random() < 0.5 else {},
            parameters=self.draw_parameters(),
            wait_for_active_shards=self.chance.choice((0, 0, 1)),
            timeout_s=10.0,
        )
        return await self.act(
            here, "follow", lambda program, ctx: program.replication.followers.follow(request, ctx)
        )

    def draw_parameters(self) -> FollowParameters:
        chance = self.chance
        if chance.random() < 0.3:
            return FollowParameters(read_poll_timeout="5s")
        return FollowParameters(
            max_read_request_operation_count=chance.choice((1, 2, 5, 20, 100)),
            max_outstanding_read_requests=chance.choice((1, 2, 3, 12)),
            max_read_request_size=chance.choice(("1b", "500b", "32mb")),
            max_write_request_operation_count=chance.choice((1, 3, 20, 1000)),
            max_write_request_size=chance.choice(("1b", "1kb", "1gb")),
            max_write_buffer_count=chance.choice((1, 10, 100_000)),
            max_write_buffer_size=chance.choice(("1b", "1kb", "512mb")),
            max_retry_delay=chance.choice(("100ms", "500ms", "5s")),
            read_poll_timeout=chance.choice(("400ms", "2s", "5s", "20s")),
        )

    async def pause(self, site: Site, name: str) -> ApiError | None:
        index = site.index(name)
        error = await self.act(
            site, "pause", lambda program, ctx: program.replication.followers.pause(name)
        )
        if error is None and index is not None and not self._going_on[index.uuid]:
            following = site.following(index.uuid)
            if following is not None and following.state is FollowState.PAUSED:
                self.world.paused.add(index.uuid)
        return error

    async def resume(self, site: Site, name: str) -> ApiError | None:
        parameters = self.draw_parameters()
        with self._goes_on(site, name):
            return await self.act(
                site,
                "resume",
                lambda program, ctx: program.replication.followers.resume(name, parameters, ctx),
            )

    @contextmanager
    def _goes_on(self, site: Site, name: str) -> Iterator[None]:
        """While it lasts a pause may have been the earlier of the two, whichever is answered first."""
        index = site.index(name)
        uuid = "" if index is None else index.uuid
        self.world.paused.discard(uuid)
        self._going_on[uuid] += 1
        try:
            yield
        finally:
            self._going_on[uuid] -= 1

    async def unfollow(self, site: Site, name: str) -> None:
        """All that it takes, and afterwards the index is open."""
        await self.pause(site, name)
        await self.set_open(site, name, False)
        await self.act(
            site, "unfollow", lambda program, ctx: program.replication.followers.unfollow(name, ctx)
        )
        await self.set_open(site, name, True)

    async def promote(self, site: Site, name: str) -> ApiError | None:
        async def do(program: Program, ctx: Context) -> None:
            for each in await program.replication.followers.promote([name], ctx):
                if each.error is not None:
                    raise each.error

        return await self.act(site, "promote", do)

    async def fail_back(self, here: Site, name: str, there: Site, leader: str) -> ApiError | None:
        request = FailbackRequest(
            index=name,
            remote_cluster=there.name,
            leader_index=leader,
            parameters=self.draw_parameters(),
        )
        with self._goes_on(here, name):
            return await self.act(
                here,
                "failback",
                lambda program, ctx: program.replication.followers.failback(request, ctx),
            )

    async def follow_anew(self, here: Site, index: IndexMetadata) -> ApiError | None:
        """What the errors of a lost history tell the user to do."""
        following = index.following
        assert following is not None, "only a follower is followed anew"
        there = self.world.site(following.remote_cluster)
        await self.pause(here, index.name)
        await self.set_open(here, index.name, False)
        return await self.follow(here, index.name, there, following.leader_index)
