"""One cluster of one node: what outlives its program, and the program, which is the production's own parts.

Only the engine, the disk and the way to other clusters are simulated. A program that is killed changes nothing more,
whatever its tasks still try.
"""

import asyncio
import random
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from typing import Any, Protocol, TypeVar

import msgspec

from sealane.cluster.indices import IndexService
from sealane.cluster.metadata import KEY_PREFIX, IndexMetadata, StoredIndex
from sealane.cluster.serial import Serial
from sealane.cluster.settings_service import ClusterSettings
from sealane.cluster.store import Entry
from sealane.errors import ApiError, NoSuchRemoteCluster
from sealane.inbound.actions import Handler
from sealane.model.replication import Following
from sealane.model.task import Context, TaskRegistry
from sealane.query import decode, parse_query
from sealane.remote import REMOTE_ADVICE, REMOTE_RULES, REMOTE_SETTINGS
from sealane.settings import Registry, Settings
from sealane.settings import node_settings as keys
from sealane.testing.fake_engine import FakeEngine
from sealane.testing.replication_simulation.disk import (
    Platter,
    ProgramStore,
    SimulatedDisk,
    SimulatedStore,
)
from sealane.testing.replication_simulation.link import SimulatedLink
from sealane.testing.replication_simulation.loop import InlineLoop
from sealane.testing.replication_simulation.replicating import Replicating
from sealane.testing.replication_simulation.shards import Watcher

T = TypeVar("T")
REGISTRY = Registry((*keys.NODE_SETTINGS, *REMOTE_SETTINGS), REMOTE_RULES, REMOTE_ADVICE)
_BEGAN_MS = 1_700_000_000_000
_STOPS_WITHIN_S = 60.0


class Surroundings(Watcher, Protocol):
    """The world, as a site uses it."""

    loop: InlineLoop
    chance: random.Random


class SiteClock:
    """Wall time of one site: `skew_ms` is how far it is off."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.skew_ms = 0

    def now_ms(self) -> int:
        return _BEGAN_MS + self.skew_ms + int(self._loop.time() * 1000)


class SiteIds:
    """Ids that tell where and in which order they were made."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._made = 0

    def new(self) -> str:
        self._made += 1
        return f"{self._name}{self._made:021}"

    def document(self) -> str:
        self._made += 1
        return f"{self._name}{self._made:019}"


class Remotes:
    """The other sites, by name: what production asks for a remote's client."""

    def __init__(self) -> None:
        self._links: dict[str, SimulatedLink] = {}

    def add(self, link: SimulatedLink) -> None:
        self._links[link.alias] = link

    def client(self, alias: str) -> SimulatedLink:
        if alias not in self._links:
            raise NoSuchRemoteCluster(alias)
        return self._links[alias]

    def aliases(self) -> Sequence[str]:
        return tuple(self._links)


class Program:
    """One run of a node, from its start until it is killed or stopped."""

    def __init__(self, site: "Site") -> None:
        self.site = site
        self.handlers: dict[str, Handler] = {}
        self.tasks = TaskRegistry(site.name)
        self.store = ProgramStore(site.store)
        self.is_dead = False
        self._ready = asyncio.Event()
        self._stop = asyncio.Event()
        self._asked: set[asyncio.Task[Any]] = set()
        """What users and other sites have asked for, and wait for."""
        self.indices: IndexService
        self.engine: FakeEngine | None = None
        self.replication: Replicating
        self.run_task: asyncio.Task[None]

    def register(self, action: str, handler: Handler) -> None:
        self.handlers[action] = handler

    async def start(self) -> None:
        """Raises what the start raises; killed meanwhile, it just ends."""
        self.run_task = asyncio.ensure_future(self._run())  # noqa: TID251
        ready = asyncio.ensure_future(self._ready.wait())  # noqa: TID251
        await asyncio.wait((self.run_task, ready), return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if self.run_task.done() and not self.is_dead:
            self.run_task.result()

    @property
    def is_ready(self) -> bool:
        return self._ready.is_set() and not self.run_task.done()

    async def stop(self) -> None:
        """In order: whoever still waits for an answer gets none."""
        self._drop()
        self._stop.set()
        await asyncio.wait((self.run_task,), timeout=_STOPS_WITHIN_S)
        assert self.run_task.done(), f"[{self.site.name}] does not stop"
        if not self.run_task.cancelled():
            self.run_task.result()

    def die(self) -> None:
        """At this moment. What its tasks still do has no effect on anything."""
        self.is_dead = True
        self.store.kill()
        if self.engine is not None:
            self.engine.kill()
        self._drop()

    async def bury(self) -> None:
        """Until all its tasks have ended."""
        self.run_task.cancel()
        await asyncio.wait((self.run_task,))
        if not self.run_task.cancelled():
            self.run_task.exception()

    def _drop(self) -> None:
        for task in self._asked:
            task.cancel()

    def ask(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Work for somebody outside. Cancelled when the program ends."""
        task = asyncio.ensure_future(work)  # noqa: TID251
        self._asked.add(task)
        task.add_done_callback(self._asked.discard)
        return task

    async def _run(self) -> None:
        site = self.site
        async with AsyncExitStack() as stack:
            serial = await stack.enter_async_context(Serial())
            settings = ClusterSettings(
                store=self.store, registry=REGISTRY, node=site.settings, serial=serial
            )
            await settings.load()
            self.indices = IndexService(
                store=self.store,
                settings=settings,
                serial=serial,
                clock=site.clock,
                ids=site.ids,
                check_filter=lambda raw: parse_query(decode(raw)),
            )
            self.engine = FakeEngine(
                clock=site.clock, ids=site.ids, mappings=self.indices, disk=site.disk
            )
            await self.indices.load()
            for orphan in site.disk.indices.keys() - self.indices.known_uuids():
                await self.engine.delete_index(orphan)
            stack.push_async_callback(self.engine.close)
            await self.indices.start(self.engine)
            self.replication = Replicating(self, settings, serial)
            await self.replication.start()
            stack.push_async_callback(self.replication.close)
            self._ready.set()
            await self._stop.wait()

    # -- what other sites ask ------------------------------------------------------------------------------------

    def deliver(
        self, alias: str, action: str, payload: bytes, ctx: Context
    ) -> "asyncio.Task[bytes]":
        return self.ask(self._answer(action, payload, ctx))

    async def _answer(self, action: str, payload: bytes, ctx: Context) -> bytes:
        with self.tasks.start(action, start_ms=ctx.start_ms) as task:
            there = Context(
                task=task, deadline=ctx.deadline, local_alias=self.site.name, start_ms=ctx.start_ms
            )
            try:
                return await self.handlers[action](payload, there)
            except asyncio.CancelledError:
                task.cancel("the asker has gone")
                raise
            except ApiError:
                if self.is_dead:
                    # What happens to it in its last moment is told to nobody.
                    raise asyncio.CancelledError from None
                raise


class Site:
    """What outlives the program: disk, state store, clock, and the alias by which others know it."""

    def __init__(self, world: Surroundings, name: str) -> None:
        self.name = name
        self.world = world
        self.uuid = f"cluster-{name}"
        self.clock = SiteClock(world.loop)
        self.ids = SiteIds(name)
        self.platter = Platter(name, random.Random(world.chance.random()), world.trace)
        self.disk = SimulatedDisk(self.platter, world)
        self.store = SimulatedStore(self.platter)
        self.settings = Settings({})
        self.remotes = Remotes()
        self.program: Program | None = None
        self.chance = random.Random(world.chance.random())
        self._decoded: dict[str, tuple[Entry, StoredIndex]] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._stopped = asyncio.Event()
        """Set but while a program ends in order: another one may not have the same disk meanwhile."""
        self._stopped.set()
        self.platter.on_crash = self._crash

    @property
    def is_up(self) -> bool:
        return self.program is not None and self.program.is_ready and not self.program.is_dead

    @property
    def running(self) -> Program:
        assert self.program is not None, f"[{self.name}] does not run"
        return self.program

    def deliver(
        self, alias: str, action: str, payload: bytes, ctx: Context
    ) -> "asyncio.Task[bytes]":
        return self.running.deliver(alias, action, payload, ctx)

    async def start(self) -> None:
        await self._stopped.wait()
        if self.program is not None:
            return
        self.world.trace.note("start", self.name)
        program = self.program = Program(self)
        try:
            await program.start()
        except ApiError as error:
            # Its disk is full, say: whoever starts it once more may be luckier.
            self.world.trace.note("start_failed", self.name, error.reason)
            if self.program is program:
                self.program = None

    async def stop(self) -> None:
        program, self.program = self.program, None
        if program is not None:
            self.world.trace.note("stop", self.name)
            self._stopped.clear()
            try:
                await program.stop()
            except ApiError as error:
                self.world.trace.note("stop_failed", self.name, error.reason)
            finally:
                self._stopped.set()

    async def kill(self) -> None:
        program = self._die()
        if program is not None:
            await program.bury()

    def _die(self) -> Program | None:
        program, self.program = self.program, None
        if program is not None:
            self.world.trace.note("kill", self.name)
            self.platter.crash_in = None
            program.die()
        return program

    def _crash(self) -> None:
        """The program ends in the middle of a change: the one who makes it cannot wait for that."""
        program = self._die()
        if program is not None:
            task = asyncio.ensure_future(program.bury())  # noqa: TID251
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    async def buried(self) -> None:
        """Until nothing is left of programs that have crashed."""
        if self._ending:
            await asyncio.wait(self._ending)

    # -- what is stored ------------------------------------------------------------------------------------------

    def stored(self) -> set[str]:
        """The uuids of its indices."""
        prefix = len(KEY_PREFIX)
        return {key[prefix:] for key in self.store._entries if key.startswith(KEY_PREFIX)}

    def following(self, index_uuid: str) -> Following | None:
        """As it is on the disk."""
        stored = self.stored_index(index_uuid)
        return None if stored is None else stored.following

    def stored_index(self, index_uuid: str) -> StoredIndex | None:
        entry = self.store._entries.get(KEY_PREFIX + index_uuid)
        if entry is None:
            return None
        known = self._decoded.get(index_uuid)
        if known is None or known[0] is not entry:
            known = (entry, msgspec.json.decode(entry.value, type=StoredIndex))
            self._decoded[index_uuid] = known
        return known[1]

    def index(self, name: str) -> IndexMetadata | None:
        return self.running.indices.metadata.index(name) if self.is_up else None
