"""The retention leases that followers hold on this cluster's shards."""

from sealane.cluster.stream_names import allows_name
from sealane.errors import ApiError, IndexClosed, IndexNotFound
from sealane.model.followers import ForgetFollower, ShardsAnswer
from sealane.model.replication import LEASE_SOURCE, ShardRef, lease_id
from sealane.model.task import Context
from sealane.replication.leader.names import LedShards, engine_errors


class LedLeases(LedShards):
    """Each call is about one lease of one shard, but for `forget`."""

    async def add_lease(
        self, shard: ShardRef, lease_id: str, retaining_seq_no: int, ctx: Context
    ) -> None:
        """As ChangeFeed.add_lease."""
        index = self._shard(shard)
        with engine_errors(index):
            await self._engine.add_lease(
                index.uuid, shard.shard, lease_id, retaining_seq_no, LEASE_SOURCE
            )

    async def renew_lease(
        self, shard: ShardRef, lease_id: str, retaining_seq_no: int, ctx: Context
    ) -> None:
        """As ChangeFeed.renew_lease."""
        index = self._retained(shard)
        with engine_errors(index):
            await self._engine.renew_lease(
                index.uuid, shard.shard, lease_id, retaining_seq_no, LEASE_SOURCE
            )

    async def remove_lease(self, shard: ShardRef, lease_id: str, ctx: Context) -> None:
        """As ChangeFeed.remove_lease."""
        index = self._retained(shard)
        with engine_errors(index):
            await self._engine.remove_lease(index.uuid, shard.shard, lease_id)

    async def forget(self, request: ForgetFollower, ctx: Context) -> ShardsAnswer:
        """Removes the one lease of that follower from each shard. Raises SecurityError, IndexNotFound, IndexClosed.

        The right is that of the action which the running request is; what could not be removed is told by shard.
        """
        name = request.leader_index
        access = self._guard()
        if not allows_name(self._indices.metadata, name, access):
            assert access is not None
            raise access.denial((name,))
        index = self._indices.metadata.index(name)
        if index is None:
            raise IndexNotFound(name)
        if not index.open:
            raise IndexClosed(name, index.uuid)
        lease = lease_id(
            follower_cluster=request.follower_cluster,
            follower_index=request.follower_index,
            follower_uuid=request.follower_index_uuid,
            alias=request.leader_remote_cluster,
            leader_index=name,
            leader_uuid=index.uuid,
        )
        failures: list[tuple[str, int, ApiError]] = []
        for shard in range(index.shards):
            try:
                with engine_errors(index):
                    await self._engine.remove_lease(index.uuid, shard, lease)
            except ApiError as error:
                failures.append((name, shard, error))
        return ShardsAnswer(
            total=index.shards, successful=index.shards - len(failures), failures=tuple(failures)
        )
