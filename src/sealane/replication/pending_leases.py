"""Retention leases that followers which are gone have left at their leaders: what must not be forgotten until they are
removed, though the leader may be away for long.

One entry of the state store for each index here and each leader that it has left. A lease is only ever put here once
its index here follows that leader no more; it may follow another one by then.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from sealane.clock import Clock
from sealane.cluster.store import StateStore
from sealane.errors import ApiError, IndexNotFound, Internal, LeaseNotFound
from sealane.model.replication import ShardRef
from sealane.remote.transport.messages_replication import REMOVE_LEASE
from sealane.replication.feed import Feeds
from sealane.replication.follower.asking import Askings
from sealane.replication.follower.failures import unwrapped
from sealane.replication.lines import Lines

KEY_PREFIX: Final = "replication_lease/"
_GIVEN_UP_MS: Final = 7 * 24 * 3600 * 1000
"""Nobody has renewed it since: a leader drops it by itself after half a day, unless it was told otherwise."""
_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 300.0
_ASKED_S: Final = 30.0
_GONE: Final = frozenset({LeaseNotFound.es_type, IndexNotFound.es_type})
"""Without an index, or with another one in its place, there is no lease either."""

log = logging.getLogger("sealane.replication")


class LeftLease(msgspec.Struct, frozen=True, kw_only=True):
    """Disk format 1. The lease of this name on each shard of one leader."""

    lease_id: str
    remote_cluster: str
    leader_index: str
    leader_uuid: str
    shards: int
    subject: str
    since_ms: int


class PendingLeases:
    """`load`, then `run` in the background. `last_error` is why the last attempt of all did not do."""

    def __init__(
        self,
        *,
        store: StateStore,
        feeds: Feeds,
        askings: Askings,
        clock: Clock,
        chance: Callable[[], float],
    ) -> None:
        self._store = store
        self._feeds = feeds
        self._askings = askings
        self._clock = clock
        self._chance = chance
        self._left: dict[str, LeftLease] = {}
        self._unstored: set[str] = set()
        self._lines = Lines()
        self._more = asyncio.Event()
        self.last_error: ApiError | None = None

    @property
    def lease_ids(self) -> tuple[str, ...]:
        return tuple(each.lease_id for each in self._left.values())

    async def load(self) -> None:
        """Reads what is stored; what cannot be read is left there, and named in the log. Raises IOFailure."""
        for key, entry in (await self._store.scan(KEY_PREFIX)).items():
            try:
                self._left[key] = msgspec.json.decode(entry.value, type=LeftLease)
            except msgspec.DecodeError as error:
                log.error("the stored lease [%s] cannot be read: %s", key, error)

    async def add(self, follower_uuid: str, lease: LeftLease) -> None:
        """Durable when it returns, unless the disk fails: what made the lease needless has happened, so that is no
        error, and is tried on.
        """
        key = _key(follower_uuid, lease.lease_id)
        self._left[key] = lease
        self._unstored.add(key)
        self._more.set()
        try:
            await self._keep(key)
        except ApiError as error:
            self._note(key, error)

    async def forget(self, follower_uuid: str, lease_id: str) -> None:
        """The index is to follow again, and may need the same lease: it is removed no more when this returns. Those at
        other leaders are. Raises IOFailure where that cannot be kept.
        """
        key = _key(follower_uuid, lease_id)
        if self._left.pop(key, None) is None:
            return
        self._unstored.discard(key)
        async with self._lines.one(key):
            await self._store.compare_and_set({key: None}, {})

    async def settle(self, follower_uuid: str, *, within_s: float) -> Sequence[str]:
        """Removes the leases of one follower, those that it left last first. Returns those that could not be: that is
        tried on.
        """
        prefix = _key(follower_uuid, "")
        keys = [key for key in reversed(self._left) if key.startswith(prefix)]
        try:
            async with asyncio.timeout(within_s):
                for key in keys:
                    await self._settle_one(key)
        except TimeoutError:
            log.info("the leases of a follower are removed later [%s]: no answer yet", prefix)
        return tuple(self._left[key].lease_id for key in keys if key in self._left)

    async def _settle_one(self, key: str) -> None:
        try:
            await self._remove(key)
        except ApiError as error:
            self._note(key, error)

    async def run(self) -> None:
        """Tries until there is none left, with longer and longer pauses, until cancelled."""
        pause_s = _FIRST_PAUSE_S
        while True:
            if not self._left:
                self._more.clear()
                await self._more.wait()
                pause_s = _FIRST_PAUSE_S
            await asyncio.sleep(pause_s * (0.5 + self._chance() / 2))
            for key in list(self._left):
                try:
                    async with asyncio.timeout(_ASKED_S):
                        await self._remove(key)
                except TimeoutError:
                    pass  # the next round asks again
                except ApiError as error:
                    self._note(key, error)
                except Exception as fault:
                    log.exception("the removal of leases broke [%s]", key)
                    self.last_error = Internal(f"the removal of leases broke: {fault!r}")
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def _keep(self, key: str) -> None:
        if key in self._unstored:
            await self._store.compare_and_set({key: msgspec.json.encode(self._left[key])}, {})
            self._unstored.discard(key)

    async def _remove(self, key: str) -> None:
        async with self._lines.one(key):
            lease = self._left.get(key)
            if lease is not None:
                await self._keep(key)
                await self._remove_everywhere(key, lease)

    async def _remove_everywhere(self, key: str, lease: LeftLease) -> None:
        if self._clock.now_ms() - lease.since_ms < _GIVEN_UP_MS:
            feed = self._feeds.feed(lease.remote_cluster)
            for number in range(lease.shards):
                shard = ShardRef(
                    index=lease.leader_index, index_uuid=lease.leader_uuid, shard=number
                )
                try:
                    with self._askings.asking_as(
                        lease.subject, REMOVE_LEASE, timeout_s=_ASKED_S
                    ) as ctx:
                        await feed.remove_lease(shard, lease.lease_id, ctx)
                except ApiError as error:
                    if unwrapped(error).es_type not in _GONE:
                        raise
            log.info("the leases are removed [%s]", lease.lease_id)
        else:
            log.warning("the leases are left to expire [%s]", lease.lease_id)
        await self._store.compare_and_set({key: None}, {})
        self._left.pop(key, None)
        self.last_error = None

    def _note(self, key: str, error: ApiError) -> None:
        if self.last_error is None or self.last_error.reason != error.reason:
            log.info("leases cannot be removed yet [%s]: %s", key, error.reason)
        self.last_error = error


def _key(follower_uuid: str, lease_id: str) -> str:
    return f"{KEY_PREFIX}{follower_uuid}/{lease_id}"
