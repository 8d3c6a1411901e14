"""What must hold of all followers together: while things happen, and once all is well.

What holds at every single change of a shard is judged where it happens (`shards`).
"""

import json
from collections.abc import Iterator
from typing import Final

from sealane.cluster.metadata import IndexMetadata, StoredIndex
from sealane.model.replication import NO_OPERATIONS, Following, FollowState, mark_of
from sealane.testing.replication_simulation.shards import WatchedShard
from sealane.testing.replication_simulation.site import Site
from sealane.testing.replication_simulation.world import World, follower_of

_REPLICATED: Final = ("index.mapping.total_fields.limit", "index.mapping.coerce")

Index = IndexMetadata | StoredIndex
"""As the cluster has published it, or as it is stored."""


class Judge:
    def __init__(self, world: World) -> None:
        self.world = world
        self.checks = world.checks
        self.excused: set[str] = set()
        """Followers, by uuid, whose leader has once been lost to them: they may have stopped, and stay so."""

    def followers(self) -> Iterator[tuple[Site, IndexMetadata, Following]]:
        """Those of sites that run."""
        for site in self.world.sites:
            if site.is_up:
                for index in list(site.running.indices.metadata):
                    if index.following is not None:
                        yield site, index, index.following

    # -- at any moment -------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Raises Violation."""
        self._excuse()
        for site, index, _ in self.followers():
            if index.open:
                self._check_readable(site, index)

    def _excuse(self) -> None:
        for site in self.world.sites:
            for uuid in site.stored():
                stored = site.stored_index(uuid)
                following = None if stored is None else stored.following
                if stored is not None and following is not None:
                    self._excuse_one(site, stored, following)

    def _excuse_one(self, site: Site, stored: Index, following: Following) -> None:
        if self._lost(site, stored, following) or self._is_older(site, stored, following):
            self.excused.add(stored.uuid)

    def _is_older(self, site: Site, stored: Index, following: Following) -> bool:
        """Whether its leader has less than it was told of: its metadata, or what is still to be copied."""
        if following.leader_uuid in self.world.metadata_replaced:
            return True
        for number in range(stored.shards):
            here, there = self._pair(site, stored, following, number)
            copy_to = following.copy_to[number] if following.copy_to else None
            if there is not None and there.was_replaced and (copy_to or 0) > here.checkpoint:
                return True
        return False

    def _check_readable(self, site: Site, index: IndexMetadata) -> None:
        engine = site.running.engine
        assert engine is not None, "a site that is up has an engine"
        opened = engine.opened(index.uuid)
        if opened is None or opened.held is not None:
            return
        self.checks["what may be searched is of one moment"] += 1
        for number in range(index.shards):
            shard = site.disk.shard(index.uuid, number)
            assert shard is not None, "an open index has shards"
            if difference := shard.difference():
                raise self.world.violation(
                    f"[{site.name}][{index.name}] may be searched, but {difference}"
                )

    # -- once all is well ----------------------------------------------------------------------------------------

    def late(self) -> str:
        """What is not yet as it should be; empty when all is."""
        for site, index, following in self.followers():
            if following.state is FollowState.PAUSED or not index.open:
                continue
            name = f"[{site.name}][{index.name}] after [{following.remote_cluster}]"
            running = site.running.replication.followers.running.get(index.uuid)
            if running is None:
                return f"{name} does not run"
            lost = self._lost(site, index, following)
            if running.failure is not None:
                if not lost and index.uuid not in self.excused:
                    return f"{name} has stopped without need: {running.failure.reason}"
                self.checks["a lost history is reported"] += 1
            elif self._is_half(following):
                self.checks["nobody is told of what is half a copy"] += 1
            elif lost:
                return f"{name} goes on though {lost}"
            elif behind := self._behind(site, index, following):
                return f"{name} {behind}"
        return ""

    def _is_half(self, following: Following) -> bool:
        """Whether its leader is no copy of its own leader yet, and answers nobody; that one is judged for it."""
        leader = self.world.site(following.remote_cluster).stored_index(following.leader_uuid)
        above = None if leader is None else leader.following
        return above is not None and above.is_copying

    def _behind(self, site: Site, index: IndexMetadata, following: Following) -> str:
        for number in range(index.shards):
            here, there = self._pair(site, index, following, number)
            assert there is not None, "a leader that is lost is told before"
            if here.checkpoint != there.checkpoint:
                return f"shard [{number}] is at [{here.checkpoint}], its leader at [{there.checkpoint}]"
            if difference := here.difference():
                return difference
        if following.is_copying:
            return "is level and not yet known to be"
        leader = self.world.site(following.remote_cluster).index(following.leader_index)
        if leader is not None and (what := self._unlike(site, index, leader)):
            return f"has other {what} than its leader"
        self.checks["a follower is equal to its leader"] += 1
        return ""

    def _unlike(self, site: Site, index: IndexMetadata, leader: IndexMetadata) -> str:
        """What of the metadata should be its leader's and is not."""
        if leader.uuid in self.world.metadata_replaced:
            return ""
        here, there = json.loads(index.mapping_json), json.loads(leader.mapping_json)
        if any(shard.was_replaced for shard in site.disk.watched(index.uuid)):
            # It has led before: its own fields stay.
            fields = there.get("properties", {})
            here["properties"] = {
                name: field for name, field in here.get("properties", {}).items() if name in fields
            }
            there["properties"] = fields
        if here != there:
            return "mappings"
        for key in _REPLICATED:
            if index.settings.get(key) != leader.settings.get(key):
                return f"settings [{key}]"
        return "" if index.aliases.keys() == leader.aliases.keys() else "aliases"

    def _lost(self, site: Site, index: Index, following: Following) -> str:
        """Why the follower cannot go on with what its leader is now; empty where it can."""
        leader_site = self.world.site(following.remote_cluster)
        if following.leader_uuid not in leader_site.stored():
            return "its leader is gone"
        for number in range(index.shards):
            here, there = self._pair(site, index, following, number)
            if there is None:
                return "its leader has no such shard"
            if not _may_follow(here, there):
                return f"shard [{number}] of its leader has another history"
            copy_to = following.copy_to[number] if following.copy_to else None
            if copy_to is not None and there.floor > max(here.checkpoint, copy_to) + 1:
                return f"operations up to [{there.floor}] are gone"
            if copy_to != NO_OPERATIONS and not _has_witness(there, following, number):
                return f"shard [{number}] of its leader is not what it was copied from"
        return ""

    def _pair(
        self, site: Site, index: Index, following: Following, number: int
    ) -> tuple[WatchedShard, WatchedShard | None]:
        here = site.disk.shard(index.uuid, number)
        assert here is not None, "an index has its shards"
        leader_site = self.world.site(following.remote_cluster)
        return here, leader_site.disk.shard(following.leader_uuid, number)

    def leases(self) -> None:
        """Whoever follows holds a lease on each shard of its leader. Raises Violation."""
        stopped = self.world.stopped()
        for site, index, following in self.followers():
            if following.state is FollowState.PAUSED or not index.open or index.uuid in stopped:
                continue
            for number in range(index.shards):
                _, there = self._pair(site, index, following, number)
                held = () if there is None else map(follower_of, there.held_leases)
                if index.uuid not in held:
                    raise self.world.violation(
                        f"[{site.name}][{index.name}] follows without a lease on shard [{number}]"
                    )
                self.checks["leases are renewed in time"] += 1

    def acknowledged(self, known: dict[tuple[str, int, int], tuple[str, int]]) -> None:
        """Nothing that a user was told of is lost, but where its disk was replaced. Raises Violation."""
        for (uuid, number, seq_no), (doc_id, version) in known.items():
            for site in self.world.sites:
                shard = site.disk.shard(uuid, number)
                if shard is None or shard.own is None or shard.was_replaced:
                    continue
                self.checks["what was acknowledged is there"] += 1
                op = shard.own.op(seq_no)
                if op is None or (op.id, op.version) != (doc_id, version):
                    raise self.world.violation(f"[{shard.label}] has lost [{seq_no}] of [{doc_id}]")


def _has_witness(leader: WatchedShard, following: Following, number: int) -> bool:
    """Whether the leader still has the operation that the follower's newest page was made with."""
    witness = following.copy_witnesses[number] if following.copy_witnesses else None
    found = None if witness is None else leader.log.get(witness.seq_no)
    return witness is None or found is None or mark_of(found) == witness


def _may_follow(here: WatchedShard, there: WatchedShard) -> bool:
    """Whether the leader has all of the follower's operations, and in the same order."""
    if there.own is not None:
        return here.may_follow(there.own)
    return here.checkpoint <= there.checkpoint and any(here.may_follow(line) for line in there.of)
