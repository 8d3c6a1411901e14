"""What replication needs of the indices of this cluster; `cluster` implements it by structure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from sealane.cluster.metadata import ClusterMetadata, IndexMetadata
from sealane.errors import ApiError
from sealane.model.replication import Following, LeaderIndex

OverridesMap = Mapping[str, str | tuple[str, ...] | None]


class FollowerIndices(Protocol):
    """Changes of follower indices. What is refused to a user is done here: this is the dedicated API.

    Each change is durable, published and carried out by the engine when its method returns.
    """

    @property
    def metadata(self) -> ClusterMetadata:
        """As last published. `IndexMetadata.following` tells a follower."""

    def on_change(
        self, callback: Callable[[ClusterMetadata, ClusterMetadata], None]
    ) -> Callable[[], None]:
        """Calls `callback(old, new)` on the loop after each published change. Returns how to stop it."""

    async def hold_reads(self, uuid: str, reason: ApiError | None) -> None:
        """Keeps the index out of searches and gets from now on; None lifts it. A closed one is left alone: it is held
        when it is opened, as long as its copy is not complete.
        """

    def check_follower(
        self, name: str, remote_cluster: str, leader: LeaderIndex, overrides: OverridesMap
    ) -> None:
        """Raises what `create_follower` would, without doing anything."""

    async def create_follower(
        self,
        name: str,
        leader: LeaderIndex,
        overrides: OverridesMap,
        following: Following,
        *,
        stream: str | None = None,
    ) -> IndexMetadata:
        """Makes an empty follower with the leader's settings, mapping and aliases. Reads of it are held in the engine
        whenever it is opened while `Following.is_copying`; whoever ends the copy lifts that. With `stream` it is a
        backing index of that replicated data stream from the same change on, which is made where it is not there.

        A closed index of that name is replaced where it is a follower that is paused, or none any more. Raises
        SnapshotRestore (500) where an open one has the name, TaskAlreadyExists for a follower that is not paused,
        IllegalArgument for overrides of replicated settings and for a stream that is not replicated, IllegalState where
        the stream's name is taken, InvalidIndexName.
        """

    async def change_following(
        self, uuid: str, change: Callable[[Following], Following]
    ) -> IndexMetadata:
        """Raises IndexNotFound; IllegalArgument where it is no follower."""

    async def take_leader(self, uuid: str, leader: LeaderIndex) -> IndexMetadata:
        """Brings mapping, replicated settings (closing and opening it for static ones) and aliases to the leader's, and
        notes its versions in `following`. What already is so is not touched.

        Raises IllegalArgument for a mapping that cannot be merged; IndexNotFound.
        """

    async def stop_following(self, uuid: str) -> IndexMetadata:
        """Drops the marker setting and `following` in one change: an ordinary index from then on."""

    async def promote_streams(self, uuids: Sequence[str]) -> None:
        """The data streams of indices that follow nobody any more become ordinary ones, where none of theirs does."""

    async def begin_following(
        self, uuid: str, leader: LeaderIndex, overrides: OverridesMap, following: Following
    ) -> IndexMetadata:
        """The opposite, for a failback: an ordinary open index becomes a follower, with its documents as they are.

        Raises IllegalArgument where its shards or its static settings are not the leader's.
        """

    async def set_open(self, uuid: str, open: bool) -> None: ...
