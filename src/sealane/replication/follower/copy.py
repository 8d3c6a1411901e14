"""The copy with which a shard begins to follow: the leader's live documents, page by page, in the order of their
numbers.

It can be stopped anywhere and goes on where it was: how far it is, is the shard's own checkpoint, and up to where it
goes is kept with the index. The documents of later pages come from later moments, so the shard is a state of one moment
only once it has the operations up to the last page's: until then it is not to be searched, which is the caller's part,
as is the lease.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from sealane.clock import Clock
from sealane.engine.base import ShardState
from sealane.errors import IllegalState, UnexpectedHistory
from sealane.model.document import Operation
from sealane.model.followers import CopyProgress
from sealane.model.replication import (
    NO_OPERATIONS,
    CopyAnswer,
    CopyRequest,
    CopyStart,
    HistoryMark,
)
from sealane.remote.transport.messages_replication import COPY, OPEN_COPY
from sealane.replication.feed import ChangeFeed
from sealane.replication.follower.asking import answered_within
from sealane.replication.follower.ports import Asking, LeaderSync, LeaderVersions, ShardIdentity
from sealane.replication.throttle import Throttle
from sealane.transport.tasks import run_together

_RENAMED_MAX: Final = 3
"""Promotions of a leader between two requests."""
_PAGE_DOCS: Final = 5_000
_PAGES_MAX: Final = 16
_OVERHEAD_BYTES: Final = 50
"""Of an operation, beside its id and source."""


class CopyTarget(Protocol):
    """The engine, as far as it is used here."""

    async def shard_state(self, index_uuid: str, shard: int) -> ShardState: ...

    async def mark(self, index_uuid: str, shard: int, seq_no: int) -> HistoryMark | None: ...

    async def apply_copied(
        self,
        index_uuid: str,
        shard: int,
        operations: Sequence[Operation],
        *,
        up_to: int,
        mark: HistoryMark | None = None,
    ) -> ShardState: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyLimits:
    """Of a node. As the settings have them now: how large a page is, and how long one answer may take."""

    page_bytes: Callable[[], int]
    timeout_s: Callable[[], float]
    throttle: Throttle
    pages: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_PAGES_MAX))
    """Of all copies together, in memory: what is asked for, and what is not written yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyPlace:
    """Where it is kept up to which number a shard is copied: None before that is known, NO_OPERATIONS where nothing has
    to be copied (any more); and the leader's operation of that number.
    """

    to_seq_no: Callable[[], int | None]
    mark: Callable[[], HistoryMark | None]
    put: Callable[[int, HistoryMark | None], Awaitable[None]]
    """Durable when it returns; the other too."""
    witness: Callable[[], HistoryMark | None]
    """The leader's last operation as of the newest page that was written."""
    put_witness: Callable[[HistoryMark], Awaitable[None]]
    adopt: Callable[[], Awaitable[str]]
    """Gives the shard, which is empty, the history that its leader has now; returns the name of it."""


class ShardCopy:
    """Implements Copier. `on_copied` is told the number that the shard must reach before it may be searched."""

    def __init__(
        self,
        *,
        identity: ShardIdentity,
        feed: ChangeFeed,
        asking: Asking,
        engine: CopyTarget,
        sync: LeaderSync,
        place: CopyPlace,
        limits: CopyLimits,
        on_copied: Callable[[int], None],
        clock: Clock,
    ) -> None:
        self._identity = identity
        self._feed = feed
        self._asking = asking
        self._engine = engine
        self._sync = sync
        self._place = place
        self._limits = limits
        self._on_copied = on_copied
        self._clock = clock
        self._progress: CopyProgress | None = None
        self._held_pages = 0
        self._witness: HistoryMark | None = None
        """The leader's last operation as of the newest page that has come."""

    @property
    def progress(self) -> CopyProgress | None:
        """None where nothing has been copied since this began."""
        return self._progress

    @property
    def mark(self) -> HistoryMark | None:
        """See Copier."""
        return self._place.mark()

    async def run(self, history_uuid: str) -> int:
        """See Copier."""
        identity = self._identity
        to_seq_no = self._place.to_seq_no()
        if to_seq_no is None:
            to_seq_no, history_uuid = await self._begin(history_uuid)
        state = await self._engine.shard_state(identity.follower_uuid, identity.shard)
        self._witness = self._place.witness()
        if to_seq_no == NO_OPERATIONS:
            target = state.checkpoint
        elif state.checkpoint >= to_seq_no and self._witness is not None:
            target = self._witness.seq_no
        else:
            mark = self._place.mark()
            if state.checkpoint > to_seq_no:
                # The leader need not keep the end of the copy any more, but what comes after the shard's last one.
                mark = await self._engine.mark(
                    identity.follower_uuid, identity.shard, state.checkpoint
                )
            # Asked again where all is copied already: from which moment the last page was is not known.
            first = min(state.checkpoint + 1, to_seq_no)
            target = await self._copy(first, to_seq_no, history_uuid, mark)
        self._on_copied(target)
        return target

    async def _begin(self, history_uuid: str) -> tuple[int, str]:
        """Up to which number is copied, and of which history: that of a leader may have another name by now, which is
        none of ours as long as nothing is copied.
        """
        start = await self._open()
        for _ in range(_RENAMED_MAX):
            if start.history_uuid == history_uuid:
                break
            history_uuid = await self._place.adopt()
            start = await self._open()
        if start.history_uuid != history_uuid:
            raise UnexpectedHistory(history_uuid, start.history_uuid)
        await self._place.put(start.checkpoint, start.mark)
        if start.checkpoint != NO_OPERATIONS:
            self._progress = self._made(NO_OPERATIONS, start.checkpoint, start.total_docs)
        return start.checkpoint, history_uuid

    async def _open(self) -> CopyStart:
        timeout_s = self._limits.timeout_s()
        with self._asking.asking(OPEN_COPY, timeout_s=timeout_s) as ctx:
            start = self._feed.open_copy(self._identity.leader, self._identity.lease_id, ctx)
            return await answered_within(start, timeout_s, OPEN_COPY)

    async def _copy(
        self, from_seq_no: int, to_seq_no: int, history_uuid: str, mark: HistoryMark | None
    ) -> int:
        """While one page is written the next is asked for. Returns the leader's checkpoint as of the last one."""

        async def read(first: int) -> CopyAnswer:
            await self._limits.pages.acquire()
            self._held_pages += 1
            return await self._page(first, to_seq_no, history_uuid, mark)

        try:
            page = await read(from_seq_no)
            while page.up_to < to_seq_no:
                ahead: list[CopyAnswer] = []

                async def read_on(
                    after: int = page.up_to + 1, into: list[CopyAnswer] = ahead
                ) -> None:
                    into.append(await read(after))

                await run_together([self._write(page), read_on()])
                page = ahead[0]
            await self._write(page)
            return page.checkpoint
        finally:
            while self._held_pages:
                self._release_page()

    def _release_page(self) -> None:
        self._held_pages -= 1
        self._limits.pages.release()

    async def _page(
        self, from_seq_no: int, to_seq_no: int, history_uuid: str, mark: HistoryMark | None
    ) -> CopyAnswer:
        request = CopyRequest(
            shard=self._identity.leader,
            from_seq_no=from_seq_no,
            to_seq_no=to_seq_no,
            max_count=_PAGE_DOCS,
            max_bytes=self._limits.page_bytes(),
            history_uuid=history_uuid,
            mark=self._witness or mark,
        )
        timeout_s = self._limits.timeout_s()
        with self._asking.asking(COPY, timeout_s=timeout_s) as ctx:
            page = await answered_within(self._feed.copy(request, ctx), timeout_s, COPY)
        if not from_seq_no <= page.up_to <= to_seq_no:
            raise IllegalState(
                f"a page of [{from_seq_no}] to [{to_seq_no}] cannot end with [{page.up_to}]"
            )
        self._witness = page.mark or self._witness
        size = _size(page.operations)
        if self._progress is None:
            self._progress = self._made(from_seq_no - 1, to_seq_no, page.total_docs)
        await self._limits.throttle.take(size)
        return page

    async def _write(self, page: CopyAnswer) -> None:
        identity = self._identity
        await self._sync.reach(LeaderVersions(page.mapping_version, 0, 0))
        state = await self._engine.shard_state(identity.follower_uuid, identity.shard)
        if page.up_to > state.checkpoint:
            if page.mark is not None and page.mark != self._place.witness():
                await self._place.put_witness(page.mark)
            new = [each for each in page.operations if each.seq_no > state.checkpoint]
            mark = self._place.mark()
            if mark is not None and mark.seq_no != page.up_to:
                mark = None
            await self._engine.apply_copied(
                identity.follower_uuid, identity.shard, new, up_to=page.up_to, mark=mark
            )
            self._note(page.up_to, new, page.total_docs)
        self._release_page()

    def _made(self, seq_no: int, to_seq_no: int, total_docs: int) -> CopyProgress:
        return CopyProgress(
            seq_no=seq_no,
            to_seq_no=to_seq_no,
            docs=0,
            total_docs=total_docs,
            bytes=0,
            started_ms=self._clock.now_ms(),
            running_ms=0,
        )

    def _note(self, up_to: int, written: Sequence[Operation], total_docs: int) -> None:
        known = self._progress
        assert known is not None, "a page was written that had not been read"
        self._progress = CopyProgress(
            seq_no=up_to,
            to_seq_no=known.to_seq_no,
            docs=known.docs + len(written),
            total_docs=total_docs,
            bytes=known.bytes + _size(written),
            started_ms=known.started_ms,
            running_ms=max(known.running_ms, self._clock.now_ms() - known.started_ms),
        )


def _size(operations: Sequence[Operation]) -> int:
    return sum(len(each.source or b"") + len(each.id) + _OVERHEAD_BYTES for each in operations)
