"""Everything in one run: sites, the links between them, and the truth about their shards."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from typing import Final

from sealane.model.document import Operation
from sealane.model.replication import Following, FollowState, Lease
from sealane.testing.replication_simulation.histories import Lines
from sealane.testing.replication_simulation.link import SimulatedLink
from sealane.testing.replication_simulation.loop import InlineLoop
from sealane.testing.replication_simulation.shards import WatchedShard
from sealane.testing.replication_simulation.site import Site
from sealane.testing.simulation.trace import Trace
from sealane.testing.simulation.world import Violation

FOLLOWING_TAG: Final = "-following-"


class World:
    """`chance` is the only source of what is drawn. Implements shards.Watcher."""

    def __init__(self, loop: InlineLoop, seed: int, trace: Trace) -> None:
        self.loop = loop
        self.chance = random.Random(seed)
        self.trace = trace
        self.lines = Lines()
        self.checks: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.sites: list[Site] = []
        self.links: dict[tuple[str, str], SimulatedLink] = {}
        self.first_violation = ""
        self.may_expire = False
        """Whether leases may run out in this run: clocks step, or the period is short."""
        self.is_quiet = False
        """Whether all has been well for longer than a lease lasts."""
        self.paused: set[str] = set()
        """Followers, by uuid, that a user has paused, and was told so."""
        self.replaces = False
        """Whether data of indices is replaced by old copies in this run."""
        self.replaced: set[str] = set()
        """Indices, by uuid, whose data was."""
        self.metadata_replaced: set[str] = set()
        """Those whose metadata was, too: its versions count anew from what they were, so news may be missed."""
        self.forgotten: set[str] = set()
        """Followers, by uuid, whose lease a user removed, or that were put back to an old copy."""

    def add_site(self, name: str) -> Site:
        site = Site(self, name)
        self.sites.append(site)
        return site

    def connect(self, here: Site, there: Site) -> None:
        link = SimulatedLink(there.name, there, random.Random(self.chance.random()), self.trace)
        self.links[here.name, there.name] = link
        here.remotes.add(link)

    def shards(self) -> Iterator[tuple[Site, str, int, WatchedShard]]:
        for site in self.sites:
            for uuid, shards in list(site.disk.indices.items()):
                for number, shard in enumerate(shards):
                    assert isinstance(shard, WatchedShard)
                    yield site, uuid, number, shard

    def place(self, wanted: WatchedShard) -> tuple[Site, str, int] | None:
        for site, uuid, number, shard in self.shards():
            if shard is wanted:
                return site, uuid, number
        return None

    def violation(self, text: str) -> Violation:
        """To be raised. It counts whoever catches it: production may take it for a failure of its own."""
        self.first_violation = self.first_violation or f"at {self.loop.time():.6f}: {text}"
        self.trace.note("VIOLATION", text)
        return Violation(text)

    # -- what shards tell ----------------------------------------------------------------------------------------

    def followed(self, shard: WatchedShard, lease: Lease) -> None:
        self.judge_lease(shard, lease)

    def judge_lease(self, shard: WatchedShard, lease: Lease) -> None:
        """A lease retains all that its follower has not got for good."""
        uuid = follower_of(lease.id)
        if uuid in self.forgotten:
            return
        place, found = self.place(shard), self.find(uuid)
        if place is None or found is None:
            return
        site, following = found
        behind = site.disk.shard(uuid, place[2])
        if behind is None or following is None or following.leader_uuid != place[1]:
            # It follows somebody else by now: its former lease is to be removed.
            return
        copy_to = following.copy_to[place[2]] if following.copy_to else None
        self.checks["a lease keeps what its follower needs"] += 1
        if copy_to is None:
            return
        needed = max(behind.checkpoint, copy_to) + 1
        if behind.checkpoint < copy_to:
            needed = copy_to + 1
        if lease.retaining_seq_no > needed >= shard.floor:
            raise self.violation(
                f"the lease on [{shard.label}] retains from [{lease.retaining_seq_no}] on, its follower "
                f"[{behind.label}] needs [{needed}]"
            )

    def left(self, shard: WatchedShard, lease_id: str) -> None:
        uuid = follower_of(lease_id)
        found = self.find(uuid)
        self.trace.note("lease_gone", shard.label, uuid)
        if found is None or uuid in self.forgotten:
            return
        site, following = found
        if following is not None and following.leader_uuid == lease_id.rpartition("/")[2]:
            raise self.violation(
                f"the lease of the follower [{site.name}][{uuid}] on [{shard.label}] was removed while it follows"
            )
        self.checks["a lease is removed once nobody follows"] += 1

    def copied(self, shard: WatchedShard) -> None:
        place = self.place(shard)
        if place is None or self.may_expire:
            return
        site, uuid, number = place
        following = site.following(uuid)
        if following is None or following.remote_cluster not in {each.name for each in self.sites}:
            return
        leader = self.site(following.remote_cluster).disk.shard(following.leader_uuid, number)
        if leader is None or leader.branches:
            return
        self.checks["a copy is made under a lease"] += 1
        if not any(follower_of(each) == uuid for each in leader.held_leases):
            raise self.violation(f"[{shard.label}] copies [{leader.label}] without a lease on it")

    def comes(self, shard: WatchedShard, op: Operation) -> None:
        """Fields are mapped before there is a document that has them; a paused follower gets nothing."""
        place = self.place(shard)
        if place is None:
            return
        site, uuid, _ = place
        stored = site.stored_index(uuid)
        if stored is None:
            return
        if uuid in self.paused:
            raise self.violation(f"[{site.name}][{stored.name}] is paused, and gets {op}")
        following = stored.following
        is_told = following is not None and following.leader_uuid not in self.metadata_replaced
        if is_told and op.source is not None and b"field" in op.source:
            self.checks["fields are mapped before they come"] += 1
            mapped = json.loads(bytes(stored.mapping)).get("properties", {})
            missing = json.loads(op.source).keys() - mapped.keys()
            if missing:
                raise self.violation(
                    f"[{site.name}][{stored.name}] has no field {missing} for {op}"
                )

    def expired(self, shard: WatchedShard, lease: Lease) -> None:
        self.trace.note("expired", shard.label, follower_of(lease.id))
        found = self.find(follower_of(lease.id))
        is_wanted = (
            self.is_quiet
            and found is not None
            and found[1] is not None
            and found[1].state is FollowState.ACTIVE
            and follower_of(lease.id) not in self.stopped()
        )
        if not self.may_expire or is_wanted:
            raise self.violation(f"the lease [{lease.id}] on [{shard.label}] has expired")

    def stopped(self) -> set[str]:
        """Followers, by uuid, that have stopped for good."""
        return {
            follower.uuid
            for site in self.sites
            if site.is_up
            for follower in site.running.replication.followers.running
            if follower.failure is not None
        }

    # -- finding -------------------------------------------------------------------------------------------------

    def site(self, name: str) -> Site:
        return next(site for site in self.sites if site.name == name)

    def find(self, index_uuid: str) -> tuple[Site, Following | None] | None:
        """Where an index is, as it is stored, and whom it follows."""
        for site in self.sites:
            if index_uuid in site.stored():
                return site, site.following(index_uuid)
        return None


def follower_of(lease_id: str) -> str:
    """The uuid of the follower whose lease it is."""
    return lease_id.partition(FOLLOWING_TAG)[0].rpartition("/")[2]
