"""The followers at work on this node: one for each index whose metadata says that it follows, and no other.

What is to run is read from the metadata alone, at start and after each change of it, so a restart finds what was there
and no step of a request can be lost between the two.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator

from sealane.cluster.metadata import ClusterMetadata, IndexMetadata
from sealane.model.access import bound
from sealane.model.replication import FollowState
from sealane.replication.follower.index import FollowerParts, IndexFollower
from sealane.transport.tasks import TaskScope

log = logging.getLogger("sealane.replication")


class RunningFollowers:
    """`start` once the indices are open, `close` before they are closed. `on_deleted` is told of a follower whose index
    has been removed, after its last request to the leader has ended.
    """

    def __init__(
        self, parts: FollowerParts, *, on_deleted: Callable[[IndexMetadata], None]
    ) -> None:
        self._parts = parts
        self._on_deleted = on_deleted
        self._scope = TaskScope("followers")
        self._running: dict[str, tuple[IndexFollower, asyncio.Task[None]]] = {}
        self._stopping: dict[str, list[IndexFollower]] = {}
        self._forget: Callable[[], None] = lambda: None

    def start(self) -> None:
        self._forget = self._parts.indices.on_change(self._changed)
        self._adjust(self._parts.indices.metadata)

    async def close(self) -> None:
        self._forget()
        await self._scope.close()
        self._running.clear()

    def __iter__(self) -> Iterator[IndexFollower]:
        for follower, _ in list(self._running.values()):
            yield follower

    def get(self, index_uuid: str) -> IndexFollower | None:
        found = self._running.get(index_uuid)
        return None if found is None else found[0]

    async def wait_stopped(self, index_uuid: str) -> None:
        """Until one that is to run no more has ended. At once where none runs."""
        for follower in list(self._stopping.get(index_uuid, ())):
            await follower.wait_ended()

    def _changed(self, old: ClusterMetadata, new: ClusterMetadata) -> None:
        # Whoever made the change may be a user, whose rights are bound here: followers have nothing to do with them.
        with bound(None):
            for uuid, (follower, _) in self._running.items():
                if new.by_uuid(uuid) is not old.by_uuid(uuid):
                    follower.metadata_changed()
            self._adjust(new)
            for index in old:
                if index.following is not None and new.by_uuid(index.uuid) is None:
                    self._scope.start(self._deleted(index), name=f"deleted {index.name}")

    def _adjust(self, metadata: ClusterMetadata) -> None:
        for uuid in [uuid for uuid in self._running if not _is_active(metadata.by_uuid(uuid))]:
            self._stop(uuid)
        for index in metadata:
            if index.uuid not in self._running and _is_active(index):
                self._begin(index)

    def _begin(self, index: IndexMetadata) -> None:
        follower = IndexFollower(index.uuid, self._parts)
        task = self._scope.start(self._run(follower), name=f"follower {index.name}")
        self._running[index.uuid] = (follower, task)
        log.info("the follower begins [%s]", index.name)

    async def _run(self, follower: IndexFollower) -> None:
        await self.wait_stopped(follower.uuid)
        await follower.run()

    def _stop(self, uuid: str) -> None:
        follower, task = self._running.pop(uuid)
        self._stopping.setdefault(uuid, []).append(follower)
        task.add_done_callback(lambda _: self._stopped(uuid, follower))
        task.cancel()
        log.info("the follower ends [%s]", uuid)

    def _stopped(self, uuid: str, follower: IndexFollower) -> None:
        follower.ended()
        left = self._stopping[uuid]
        left.remove(follower)
        if not left:
            del self._stopping[uuid]

    async def _deleted(self, index: IndexMetadata) -> None:
        await self.wait_stopped(index.uuid)
        self._on_deleted(index)


def _is_active(index: IndexMetadata | None) -> bool:
    return (
        index is not None
        and index.following is not None
        and index.following.state is FollowState.ACTIVE
    )
