"""What happens to sites and links: each lasts for a while, and all of it can be ended."""

import asyncio
from collections.abc import Callable

from sealane.cluster.metadata import KEY_PREFIX
from sealane.cluster.store import Entry
from sealane.testing.replication_simulation.link import State
from sealane.testing.replication_simulation.shards import WatchedShard
from sealane.testing.replication_simulation.site import Site
from sealane.testing.replication_simulation.world import World
from sealane.transport.tasks import TaskScope

_HOURS_MS = 3600 * 1000


class Backup:
    """A copy of one index's files, and of what the cluster knows of it."""

    def __init__(self, site: Site, uuid: str) -> None:
        self.site = site
        self.uuid = uuid
        self.entry: Entry = site.store._entries[KEY_PREFIX + uuid]
        self.followed = site.following(uuid) is not None
        self.shards = site.disk.copied(uuid)


class Faults:
    def __init__(self, world: World, scope: TaskScope, on_loss: Callable[[], None]) -> None:
        """`on_loss` hears of each moment at which a leader may have lost what its followers have."""
        self._on_loss = on_loss
        self.world = world
        self.chance = world.chance
        self._scope = scope
        self._lasting: list[asyncio.Task[None]] = []
        self._backups: list[Backup] = []

    def begin(self) -> None:
        kinds: list[Callable[[], None]] = [
            self._kill,
            self._kill,
            self._crash,
            self._crash,
            self._fail,
            self._fill,
            self._slow,
            self._link,
            self._link,
            self._link,
            self._cut,
            self._lossy,
            self._restart,
        ]
        if self.world.may_expire:
            kinds += [self._step, self._step]
        if self.world.replaces:
            kinds += [self._back_up, self._back_up, self._back_up, *[self._replace] * 4]
        self.chance.choice(kinds)()

    def heal(self) -> None:
        """Ends what lasts; sites that are down are started by whoever waits for them."""
        for task in self._lasting:
            task.cancel()
        for link in self.world.links.values():
            link.state = State.UP
            link.delay_s = 0.005
            link.loses = link.doubles = link.garbles = 0.0
        for site in self.world.sites:
            site.platter.is_full = site.platter.is_slow = False
            site.platter.crash_in = site.platter.fail_in = None

    # -- sites ---------------------------------------------------------------------------------------------------

    def _site(self) -> Site:
        return self.chance.choice(self.world.sites)

    def _lasts(self, end: Callable[[], None], seconds: float) -> None:
        async def wait() -> None:
            await asyncio.sleep(seconds)
            end()

        self._lasting.append(self._scope.start(wait()))

    def _span_s(self) -> float:
        return float(10 ** self.chance.uniform(-1, 2))

    def _kill(self) -> None:
        site, pause_s = self._site(), self._span_s()

        async def kill() -> None:
            await site.kill()
            await asyncio.sleep(pause_s)
            await site.start()

        self._scope.start(kill(), name=f"kill {site.name}")

    def _restart(self) -> None:
        site = self._site()

        async def restart() -> None:
            await site.stop()
            await site.start()

        self._scope.start(restart(), name=f"restart {site.name}")

    def _crash(self) -> None:
        """In the middle of one of the next changes."""
        site, pause_s = self._site(), self._span_s()
        site.platter.crash_in = self.chance.randrange(12)

        async def start() -> None:
            for _ in range(20):
                await asyncio.sleep(pause_s)
                if not site.is_up:
                    await site.start()
                    return

        self._scope.start(start(), name=f"crash {site.name}")

    def _fail(self) -> None:
        self._site().platter.fail_in = self.chance.randrange(6)

    def _fill(self) -> None:
        site = self._site()
        site.platter.is_full = True
        self.world.trace.note("full", site.name)

        def end() -> None:
            site.platter.is_full = False

        self._lasts(end, self._span_s())

    def _slow(self) -> None:
        site = self._site()
        site.platter.is_slow = True
        self.world.trace.note("slow", site.name)

        def end() -> None:
            site.platter.is_slow = False

        self._lasts(end, self._span_s())

    def _step(self) -> None:
        site = self._site()
        hours = self.chance.choice((-13, 13, 13))
        site.clock.skew_ms += hours * _HOURS_MS
        self.world.trace.note("clock", site.name, hours)

    # -- links ---------------------------------------------------------------------------------------------------

    def _link(self) -> None:
        link = self.chance.choice(list(self.world.links.values()))
        link.state = self.chance.choice((State.REFUSED, State.DARK, State.DARK, State.DEAF))
        self.world.trace.note("link", link.alias, str(link.state))
        if self.chance.random() < 0.5:
            link.cut()

        def end() -> None:
            link.state = State.UP

        self._lasts(end, self._span_s())

    def _cut(self) -> None:
        link = self.chance.choice(list(self.world.links.values()))
        self.world.trace.note("cut", link.alias)
        link.cut()

    def _lossy(self) -> None:
        link = self.chance.choice(list(self.world.links.values()))
        link.delay_s = self.chance.choice((0.005, 0.1, 1.0))
        link.loses = self.chance.choice((0.0, 0.05, 0.3))
        link.doubles = self.chance.choice((0.0, 0.2))
        link.garbles = self.chance.choice((0.0, 0.2))
        self.world.trace.note("lossy", link.alias)

        def end() -> None:
            link.delay_s = 0.005
            link.loses = link.doubles = link.garbles = 0.0

        self._lasts(end, self._span_s())

    # -- disks that are replaced ---------------------------------------------------------------------------------

    def _back_up(self) -> None:
        site = self._site()
        known = sorted(site.stored() & site.disk.indices.keys())
        backup = self.back_up(site, self.chance.choice(known)) if known else None
        if backup is not None:
            self._backups.append(backup)

    def back_up(self, site: Site, uuid: str) -> Backup | None:
        """None for an index that is not stored: it may still be shown while it is being deleted."""
        if uuid not in site.stored() or uuid not in site.disk.indices:
            return None
        self.world.trace.note("backup", site.name, uuid)
        return Backup(site, uuid)

    def _replace(self) -> None:
        if not self._backups:
            return
        backup = self.chance.choice(self._backups)
        self._scope.start(self.replace(backup), name="replace")

    async def replace(self, backup: Backup) -> None:
        """The site is killed, gets the old files, and is started."""
        site, uuid = backup.site, backup.uuid
        await (site.kill() if self.chance.random() < 0.5 else site.stop())
        await site.buried()
        if site.program is None and uuid in site.stored() and uuid in site.disk.indices:
            self.world.trace.note("replaced", site.name, uuid)
            follows = backup.followed or site.following(uuid) is not None
            if follows or self.chance.random() < 0.2:
                # A follower's place is kept with what it knows of its leader. Of others the metadata may be newer.
                site.store._entries[KEY_PREFIX + uuid] = backup.entry
                self.world.metadata_replaced.add(uuid)
            shards = []
            for shard in backup.shards:
                assert isinstance(shard, WatchedShard), "every shard here is watched"
                shards.append(shard.restored())
            site.disk.indices[uuid] = list(shards)
            self.world.forgotten.add(uuid)
            self.world.replaced.add(uuid)
            self.world.paused.discard(uuid)
            self._on_loss()
        await site.start()
