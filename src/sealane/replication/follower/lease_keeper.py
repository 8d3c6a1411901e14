"""The retention lease of one shard on its leader: it is there before anything is read, and renewed by a timer.

A timer, and not progress: also an idle leader, and a copy that takes longer than leases last, must keep what this
follower needs. A lease is never removed here.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from sealane.clock import Clock
from sealane.errors import ApiError, LeaseAlreadyExists, LeaseInvalid, LeaseNotFound, ReceiveTimeout
from sealane.model.replication import NO_OPERATIONS
from sealane.remote.transport.messages_replication import ADD_LEASE, RENEW_LEASE
from sealane.replication.feed import ChangeFeed
from sealane.replication.follower.failures import unwrapped
from sealane.replication.follower.ports import Asking, ShardIdentity

_log = logging.getLogger("sealane.replication")
_CALL_TIMEOUT_S: Final = 30.0
_WARN_AT: Final = (0.5, 0.8)
"""Parts of the lease's life after which it is said that it has not been renewed."""


class LeaseKeeper:
    """`retain_from` tells the lowest number that is still needed. `period_s` is how long the leader keeps a lease that
    is not renewed.
    """

    def __init__(
        self,
        identity: ShardIdentity,
        *,
        feed: ChangeFeed,
        asking: Asking,
        retain_from: Callable[[], int],
        interval_s: float,
        period_s: float,
        clock: Clock,
    ) -> None:
        self._identity = identity
        self._feed = feed
        self._asking = asking
        self._retain_from = retain_from
        self._interval_s = interval_s
        self._period_s = period_s
        self._clock = clock
        self._renewed_at: float | None = None
        self._warned = 0
        self.renewed_ms: int | None = None
        """Wall time at which the leader last took a renewal."""
        self.error: ApiError | None = None
        """Why the last renewal failed; None when it did not."""

    async def ensure(self) -> None:
        """Returns once the leader has the lease. Raises what the leader raises."""
        if await self._add(NO_OPERATIONS):
            return
        try:
            await self._renew(self._retain_from())
        except LeaseInvalid:
            # It is there, and retains more than is asked for: less cannot be asked for any more.
            pass
        except LeaseNotFound:
            await self._add(NO_OPERATIONS)

    async def run(self) -> None:
        """Renews until it is cancelled."""
        while True:
            await asyncio.sleep(self._interval_s)
            await self._keep()
            self._warn()

    async def _keep(self) -> None:
        wanted = self._retain_from()
        try:
            try:
                await self._renew(wanted)
            except LeaseNotFound:
                _log.info("the lease is gone, it is added again [%s]", self._identity.lease_id)
                await self._add(wanted)
        except LeaseInvalid:
            # It retains more than is asked for. That it gets no younger by this is told by `_warn`.
            self.error = None
        except ApiError as error:
            self.error = error

    async def _add(self, retaining_seq_no: int) -> bool:
        """False where there is one already."""
        try:
            await self._call(ADD_LEASE, retaining_seq_no)
        except LeaseAlreadyExists:
            return False
        self._renewed()
        return True

    async def _renew(self, retaining_seq_no: int) -> None:
        try:
            await self._call(RENEW_LEASE, retaining_seq_no)
        except LeaseInvalid:
            # While a copy runs the operation at its end is retained too, as a proof of the leader's history: unless it
            # had been discarded before.
            await self._call(RENEW_LEASE, retaining_seq_no + 1)
        self._renewed()

    async def _call(self, action: str, retaining_seq_no: int) -> None:
        """Raises what went wrong at the leader, without who passed it on."""
        identity = self._identity
        call = self._feed.add_lease if action == ADD_LEASE else self._feed.renew_lease
        try:
            async with asyncio.timeout(_CALL_TIMEOUT_S):
                with self._asking.asking(action, timeout_s=_CALL_TIMEOUT_S) as ctx:
                    await call(identity.leader, identity.lease_id, retaining_seq_no, ctx)
        except TimeoutError as late:
            text = f"[{action}] has not been answered in [{_CALL_TIMEOUT_S:g}s]"
            raise ReceiveTimeout(text) from late
        except ApiError as error:
            raise unwrapped(error) from None

    def _renewed(self) -> None:
        self.error = None
        self.renewed_ms = self._clock.now_ms()
        self._renewed_at = _now()
        self._warned = 0

    def _warn(self) -> None:
        """Once at each part of the lease's life."""
        if self._renewed_at is None:
            return
        age_s = _now() - self._renewed_at
        due = sum(age_s >= part * self._period_s for part in _WARN_AT)
        if due > self._warned:
            self._warned = due
            _log.warning(
                "the lease has not been renewed for [%d%%] of its time, what is not copied by its end may be lost to "
                "this follower [%s][%d]: %s",
                100 * age_s / self._period_s,
                self._identity.follower_index,
                self._identity.shard,
                self.error.reason if self.error is not None else "",
            )


def _now() -> float:
    return asyncio.get_running_loop().time()
