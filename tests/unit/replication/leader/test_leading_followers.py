"""A leader that follows itself, and one whose rights change under those who wait."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import msgspec
import pytest

from sealane.cluster.metadata import IndexMetadata
from sealane.errors import NoShardAvailable
from sealane.model.node import ClusterIdentity
from sealane.model.replication import NO_OPERATIONS, ChangesRequest, Following, ShardRef
from sealane.replication.leader.service import LeaderService
from sealane.testing.in_process import InProcessCluster, clusters
from sealane.transport import TaskScope
from tests.conformance.conftest import Noon
from tests.unit.replication.leader.test_service import context


@pytest.fixture
async def eu(tmp_path: Path) -> AsyncIterator[InProcessCluster]:
    async with clusters(tmp_path, "eu", clock=Noon()) as (eu,):
        await eu.fill("origin", {"1": {"n": 1}})
        yield eu


async def follower(
    eu: InProcessCluster,
    *,
    copy_to: Sequence[int | None],
    history_uuids: tuple[str, ...] = ("h",),
) -> IndexMetadata:
    """Of an index of a cluster `us`, which had it from one called `first`."""
    leader = await eu.leader.index("origin", context())
    following = Following(
        remote_cluster="us",
        leader_index="origin",
        leader_uuid=leader.uuid,
        history_uuids=history_uuids,
        copy_to=tuple(copy_to),
        origins=("first", "us"),
    )
    return await eu.indices.followed.create_follower("copy", leader, {}, following)


async def test_nobody_follows_what_is_still_being_copied(eu: InProcessCluster) -> None:
    """R-65: it is of no one moment; whoever would follow it tries again."""
    made = await follower(eu, copy_to=[5])
    with pytest.raises(NoShardAvailable, match="is being brought to what its own leader has"):
        await eu.leader.histories("copy", context())
    ref = ShardRef(index="copy", index_uuid=made.uuid, shard=0)
    with pytest.raises(NoShardAvailable):
        await eu.leader.add_lease(ref, "l", NO_OPERATIONS, context())
    seen = await eu.leader.cluster(context())
    assert seen is not None
    assert {each.name: each.is_ready for each in seen.indices} == {"copy": False, "origin": True}


async def test_leases_are_kept_while_their_leader_is_brought_back(eu: InProcessCluster) -> None:
    """R-72: a failback whose new leader is gone may take longer than leases last; who followed before goes on then."""
    made = await follower(eu, copy_to=[5])
    ref = ShardRef(index="copy", index_uuid=made.uuid, shard=0)
    await eu.engine.add_lease(made.uuid, 0, "l", 3, "ccr")
    await eu.leader.renew_lease(ref, "l", 4, context())
    assert [each.retaining_seq_no for each in await eu.engine.leases(made.uuid, 0)] == [4]
    await eu.leader.remove_lease(ref, "l", context())
    assert not await eu.engine.leases(made.uuid, 0)


async def test_a_history_that_is_not_its_leaders_is_shown_to_nobody(eu: InProcessCluster) -> None:
    """R-65: it will be given up, and whoever took it for its own could not go on."""
    made = await follower(eu, copy_to=[NO_OPERATIONS])
    with pytest.raises(NoShardAvailable):
        await eu.leader.histories("copy", context())
    await eu.engine.adopt_history(made.uuid, 0, "h")
    (shard,) = (await eu.leader.histories("copy", context())).shards
    assert shard.history_uuid == "h"
    described = await eu.leader.described("copy", context())
    assert described.origins == ("first", "us", "eu"), "where its operations have come through"
    assert not any("following" in key or "uuid" in key for key in described.settings)


async def test_a_promoted_one_is_read_under_its_new_name(eu: InProcessCluster) -> None:
    """R-109: by those who followed it before, too."""
    made = await follower(eu, copy_to=[NO_OPERATIONS])
    await eu.engine.adopt_history(made.uuid, 0, "h")
    await eu.indices.followed.stop_following(made.uuid)
    (state,) = await eu.engine.begin_history(made.uuid)
    asked = ChangesRequest(
        shard=ShardRef(index="copy", index_uuid=made.uuid, shard=0),
        from_seq_no=0,
        max_count=1,
        max_bytes=1,
        poll_timeout_ms=0,
        history_uuid="h",
    )
    assert (await eu.leader.changes(asked, context())).history_uuid == state.history_uuid


async def test_who_waits_while_rights_change_is_told_nothing_more(eu: InProcessCluster) -> None:
    """T-38: the next request is judged anew."""
    version = 0
    leader = LeaderService(
        indices=eu.indices.followed,
        engine=eu.engine,
        cluster=lambda: ClusterIdentity(name="eu", uuid="eu"),
        clock=Noon(),
        rights_version=lambda: version,
    )
    found = await leader.index("origin", context())
    asked = ChangesRequest(
        shard=ShardRef(index="origin", index_uuid=found.uuid, shard=0),
        from_seq_no=1,
        max_count=10,
        max_bytes=1000,
        poll_timeout_ms=600_000,
        history_uuid=found.history[0].history_uuid,
    )
    async with TaskScope("test") as tasks:
        waiting = tasks.start(leader.changes(asked, context()))
        while not leader.polls:  # noqa: ASYNC110
            await asyncio.sleep(0)
        version = 1
        await eu.call("PUT", "/origin/_doc/2", {"n": 2})
        assert list((await waiting).operations) == []
    again = await leader.changes(msgspec.structs.replace(asked), context())
    assert [each.id for each in again.operations] == ["2"]
    leader.close()


async def test_who_waits_for_indices_while_rights_change_is_told_of_none(
    eu: InProcessCluster,
) -> None:
    """T-38: names and settings of new indices are for who may follow them now."""
    version = 0
    leader = LeaderService(
        indices=eu.indices.followed,
        engine=eu.engine,
        cluster=lambda: ClusterIdentity(name="eu", uuid="eu"),
        clock=Noon(),
        rights_version=lambda: version,
    )
    seen = await leader.cluster(context())
    assert seen is not None
    async with TaskScope("test") as tasks:
        waiting = tasks.start(leader.cluster(context(), newer_than=seen.metadata_version))
        while not leader.polls:  # noqa: ASYNC110
            await asyncio.sleep(0)
        version = 1
        await eu.call("PUT", "/secret")
        assert await waiting is None
    again = await leader.cluster(context(), newer_than=seen.metadata_version)
    assert again is not None
    assert [each.name for each in again.indices] == ["origin", "secret"]
    leader.close()
