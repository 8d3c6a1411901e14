"""What happens in a run, drawn from its seed: clusters are built, followed and disturbed for some minutes, then left in
peace; what can be level must become level, what was lost must be said, and what was lost can be followed anew.
"""

import asyncio
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

from sealane.cluster.metadata import IndexMetadata
from sealane.model.replication import FollowState
from sealane.testing.replication_simulation.faults import Faults
from sealane.testing.replication_simulation.judge import Judge
from sealane.testing.replication_simulation.loop import InlineLoop
from sealane.testing.replication_simulation.plays import COPY as _COPY
from sealane.testing.replication_simulation.plays import LEADER as _LEADER
from sealane.testing.replication_simulation.plays import Plays
from sealane.testing.replication_simulation.site import Site
from sealane.testing.replication_simulation.users import Users
from sealane.testing.replication_simulation.world import World
from sealane.testing.simulation.trace import Trace
from sealane.transport.tasks import TaskScope

_LEVEL_WITHIN_S = 200.0
"""A connection that is found to be dead late, the patience with one that has come back, and the longest pause."""
_LEASE_S = 130.0
"""A little more than the shorter of the periods that are drawn."""
_LOOP = "the two would follow each other"

Act = Callable[[], Coroutine[Any, Any, object]]


class Scenario:
    def __init__(self, loop: InlineLoop, seed: int, trace: Trace) -> None:
        self.world = World(loop, seed, trace)
        self.chance: Random = self.world.chance
        self.users = Users(self.world)
        self.judge = Judge(self.world)
        self._promoted: list[tuple[Site, str, Site, str]] = []
        """Site and name of an index that was promoted, and those of its former leader."""
        self._acts: list[asyncio.Task[None]] = []
        self._plays = Plays(self.world, self.users)

    async def run(self) -> None:
        async with TaskScope("scenario") as scope:
            faults = Faults(self.world, scope, self.judge.look)
            await self._build()
            await self._disturb(faults, scope)
            await self._calm(faults)
            await self._follow_anew()
            self.judge.acknowledged(self.users.acknowledged)
        await self._take_down()

    # -- building ------------------------------------------------------------------------------------------------

    async def _build(self) -> None:
        world, chance = self.world, self.chance
        world.may_expire = chance.random() < 0.25
        world.replaces = chance.random() < 0.3
        sites = [world.add_site(name) for name in ("a", "b", "c")[: chance.choice((2, 2, 3))]]
        for here in sites:
            for there in sites:
                if here is not there:
                    world.connect(here, there)
        if chance.random() < 0.3:
            for link in world.links.values():
                link.loses, link.doubles, link.garbles = 0.03, 0.05, 0.05
        for site in sites:
            await site.start()
        settings = {"index.soft_deletes.retention.operations": "0"}
        if chance.random() < 0.3:
            settings = {"index.soft_deletes.retention.operations": str(chance.choice((5, 100)))}
        if world.may_expire and chance.random() < 0.5:
            settings["index.soft_deletes.retention_lease.period"] = "2m"
        first = sites[0]
        await self.users.create(first, _LEADER, chance.choice((1, 1, 1, 2, 3)), settings)
        for _ in range(chance.choice((0, 1, 3, 8))):
            await self.users.write(first, _LEADER, chance.randint(1, 15))
            if chance.random() < 0.3:
                await self.users.refresh(first, _LEADER)

    async def _begin_following(self) -> None:
        """The second site follows the first, the third one of both."""
        sites = self.world.sites
        await self.users.follow(sites[1], _COPY, sites[0], _LEADER)
        if len(sites) > 2:
            chained = self.chance.random() < 0.6
            leader = (sites[1], _COPY) if chained else (sites[0], _LEADER)
            await self.users.follow(sites[2], _COPY, *leader)

    # -- the busy time -------------------------------------------------------------------------------------------

    async def _disturb(self, faults: Faults, scope: TaskScope) -> None:
        chance = self.chance
        if chance.random() < 0.7:
            await self._begin_following()
        else:
            self._begin(scope, self._begin_following)
        for play in self._plays.draw(faults):
            self._begin(scope, play)
        for _ in range(chance.randint(8, 35)):
            kind = chance.random()
            if kind < 0.45:
                self._begin(scope, self._write_some)
            elif kind < 0.75:
                faults.begin()
            elif (act := self._draw_act()) is not None:
                self._begin(scope, act)
            self.judge.look()
            pause = chance.random()
            if pause < 0.1:
                await asyncio.sleep(chance.uniform(20, 90))
            elif pause < 0.85:
                await asyncio.sleep(10 ** chance.uniform(-3, 1))
        self.judge.look()

    def _begin(self, scope: TaskScope, act: Act) -> None:
        async def run() -> None:
            await act()

        self._acts.append(scope.start(run(), name="act"))

    async def _write_some(self) -> None:
        chance = self.chance
        found = self._indices(lambda index: index.following is None and index.open)
        if not found:
            return
        site, index = chance.choice(found)
        for _ in range(chance.choice((1, 1, 2, 6))):
            await self.users.write(site, index.name, chance.choice((1, 1, 4, 30)))
            if chance.random() < 0.3:
                await self.users.refresh(site, index.name)

    def _draw_act(self) -> Act | None:
        followers = self._indices(lambda index: index.following is not None)
        others = self._indices(lambda index: index.following is None)
        kind, chance, users = self.chance.random(), self.chance, self.users
        if kind < 0.5 and followers:
            site, index = chance.choice(followers)
            name = index.name
            acts: list[Act] = [
                lambda: self._pause_and_resume(site, name),
                lambda: self._pause_and_resume(site, name),
                lambda: self._close_and_open(site, name),
                lambda: users.refresh(site, name),
                lambda: self._promote(site, index),
                lambda: self._promote(site, index),
                lambda: users.unfollow(site, name),
                lambda: users.follow_anew(site, index),
                lambda: users.delete(site, name),
            ]
            return chance.choice(acts)
        if kind < 0.7 and self._promoted:
            there, leader, here, name = chance.choice(self._promoted)
            return lambda: users.fail_back(here, name, there, leader)
        if others:
            site, index = chance.choice(others)
            name = index.name
            acts = [
                lambda: users.change_settings(site, name),
                lambda: users.change_settings(site, name),
                lambda: users.change_mapping(site, name),
                lambda: users.change_mapping(site, name),
                lambda: self._close_and_open(site, name),
                lambda: users.refresh(site, name),
                lambda: self._make_anew(site, index),
            ]
            return chance.choice(acts)
        return None

    def _indices(self, wanted: Callable[[IndexMetadata], bool]) -> list[tuple[Site, IndexMetadata]]:
        return [
            (site, index)
            for site in self.world.sites
            if site.is_up
            for index in site.running.indices.metadata
            if wanted(index)
        ]

    async def _pause_and_resume(self, site: Site, name: str) -> None:
        await self.users.pause(site, name)
        if self.chance.random() < 0.8:
            await asyncio.sleep(10 ** self.chance.uniform(-3, 1.5))
            await self.users.resume(site, name)

    async def _close_and_open(self, site: Site, name: str) -> None:
        await self.users.set_open(site, name, False)
        await asyncio.sleep(10 ** self.chance.uniform(-3, 1.5))
        await self.users.set_open(site, name, True)

    async def _promote(self, site: Site, index: IndexMetadata) -> None:
        following = index.following
        assert following is not None, "only a follower is promoted"
        if await self.users.promote(site, index.name) is None:
            former = self.world.site(following.remote_cluster)
            self._promoted.append((site, index.name, former, following.leader_index))

    async def _make_anew(self, site: Site, index: IndexMetadata) -> None:
        """Another index under the same name."""
        await self.users.delete(site, index.name)
        await asyncio.sleep(10 ** self.chance.uniform(-3, 1))
        await self.users.create(site, index.name, index.shards, {})

    # -- the quiet time ------------------------------------------------------------------------------------------

    async def _calm(self, faults: Faults) -> None:
        faults.heal()
        self.world.trace.note("quiet")
        await self._until(self._restless, 1500.0)
        faults.heal()
        for site in self.world.sites:
            await site.buried()
            await site.start()
        for site, index in self._indices(lambda index: not index.open):
            await self.users.set_open(site, index.name, True)
        await self._until(self.judge.late, _LEVEL_WITHIN_S)
        for site, index in self._indices(lambda index: index.following is None):
            await self.users.write(site, index.name, self.chance.randint(1, 10))
        await self._until(self.judge.late, _LEVEL_WITHIN_S)
        self.judge.look()
        self.world.checks["all is level or told of"] += 1
        await self._outlast_leases()

    async def _outlast_leases(self) -> None:
        """Whoever follows renews; what nobody has renewed by now is gone, and needs not be waited for."""
        if not self.world.may_expire or self.chance.random() < 0.5:
            return
        await asyncio.sleep(_LEASE_S)
        for site, index in self._indices(lambda index: index.following is None):
            await self.users.write(site, index.name, 1)
            await self.users.refresh(site, index.name)
        self.world.is_quiet = True
        await asyncio.sleep(2 * _LEASE_S)
        for site, index in self._indices(lambda index: index.following is None):
            await self.users.write(site, index.name, 1)
            await self.users.refresh(site, index.name)
        await self._until(self.judge.late, _LEVEL_WITHIN_S)
        self.world.is_quiet = False
        self.judge.leases()

    def _restless(self) -> str:
        """Users are still at it."""
        running = [task for task in self._acts if not task.done()]
        return f"acts of users do not end: {running}" if running else ""

    async def _follow_anew(self) -> None:
        """What has stopped for good, and what is paused, can always be followed anew."""
        for site, index, following in list(self.judge.followers()):
            running = site.running.replication.followers.running.get(index.uuid)
            has_failed = running is not None and running.failure is not None
            if not has_failed and following.state is not FollowState.PAUSED:
                continue
            there = self.world.site(following.remote_cluster)
            if there.index(following.leader_index) is None:
                continue
            await self._follow_one_anew(site, index)
            self.world.checks["what was lost is followed anew"] += 1
        await self._until(self.judge.late, _LEVEL_WITHIN_S)

    async def _follow_one_anew(self, site: Site, index: IndexMetadata) -> None:
        """Its leader may follow itself, and be busy with that."""
        until = self.world.loop.time() + _LEVEL_WITHIN_S
        while (error := await self.users.follow_anew(site, index)) is not None:
            if _LOOP in error.reason:
                # What it followed has come to follow it.
                await self.users.set_open(site, index.name, True)
                return
            if self.world.loop.time() > until:
                raise self.world.violation(
                    f"[{site.name}][{index.name}] cannot be followed anew: {error.reason}"
                )
            await asyncio.sleep(5.0)

    async def _until(self, late: Callable[[], str], patience_s: float) -> None:
        until = self.world.loop.time() + patience_s
        while what := late():
            if self.world.loop.time() > until:
                raise self.world.violation(f"after {patience_s:g} s of peace: {what}")
            await asyncio.sleep(0.5)

    async def _take_down(self) -> None:
        for site in self.world.sites:
            await site.stop()
            await site.buried()
        await asyncio.sleep(60.0)
        own = asyncio.current_task()
        running = [task for task in asyncio.all_tasks() if task is not own]
        if running or self.world.loop.timers:
            raise self.world.violation(f"left are tasks {running}, timers {self.world.loop.timers}")
        self.world.checks["nothing is left"] += 1
