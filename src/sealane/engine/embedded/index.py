"""One open index of the embedded engine: its shards and its lock.

The lock is held on the loop while a job writes in the executor, so that no thread ever waits for another. A caller
that is cancelled leaves only when its job is done: what was begun is finished, and nobody else works beneath it.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import msgspec

from sealane.clock import Clock, Ids
from sealane.engine.base import IndexConfig, MappingSink
from sealane.engine.embedded.coercion import MAX_ID_BYTES, Flat, refused_id, refused_routing
from sealane.engine.embedded.documents import DocumentParser
from sealane.engine.embedded.index_files import claim_folder, mapped_errors
from sealane.engine.embedded.routing import routing_shards, shard_of
from sealane.engine.embedded.schedule import RefreshSchedule
from sealane.engine.embedded.shard import Shard
from sealane.engine.embedded.waiting import CheckpointWaiters
from sealane.engine.mapping import Mapping, MappingLimits, render_mapping
from sealane.errors import (
    ApiError,
    FollowingEngine,
    IllegalArgument,
    IllegalState,
    IndexNotFound,
    Internal,
)
from sealane.model.document import OpType, WriteOp, WriteResult

_LOG = logging.getLogger("sealane.engine")
_T = TypeVar("_T")
WRITER_IDLE_S = 60.0
_MAPPING_ATTEMPTS = 5

ParsedOps = list[Flat | ApiError | None]


async def settled(future: "asyncio.Future[_T]") -> _T:
    """The future's result. When cancelled, waits for it to end before leaving."""
    shielded = asyncio.shield(future)
    try:
        return await shielded
    except asyncio.CancelledError:
        while not future.done():
            try:
                await asyncio.wait({future})
            except asyncio.CancelledError:
                continue
        for each in (future, shielded):
            if each.done() and not each.cancelled():
                each.exception()  # nobody is there any more to be told of it
        raise


class OpenIndex:
    """Made by `open`. Every coroutine here may be cancelled; see the module."""

    def __init__(
        self, folder: Path, config: IndexConfig, clock: Clock, ids: Ids, executor: Executor
    ) -> None:
        self.config = config
        self.shards: list[Shard] = []
        self.is_closed = False
        self.held: ApiError | None = None
        """Why it must not be searched now, though it is open."""
        self.waiters = CheckpointWaiters()
        self._folder = folder
        self._clock = clock
        self._ids = ids
        self._executor = executor
        self._lock = asyncio.Lock()
        self._is_following = is_following(config)
        self._reset_parser()
        self._routing_shards = routing_shards(config.shards, config.settings)
        self.schedule = RefreshSchedule(config.settings, asyncio.get_running_loop().time())

    # -- life ----------------------------------------------------------------------------------------------------

    async def open(self, *, new: bool) -> None:
        """Opens every shard, recovering what was acknowledged; a `new` index is made.

        Raises IllegalState for files it does not know, and where an index that is not new has lost some; Internal where
        the disk fails.
        """

        def job() -> None:
            with mapped_errors():
                self._open(new)

        await self.exclusively(job)

    def _open(self, new: bool) -> None:
        if not new:
            for folder in (
                self._folder,
                *(self._folder / str(n) for n in range(self.config.shards)),
            ):
                if not folder.is_dir():
                    raise IllegalState(
                        f"the folder [{folder}] of index [{self.config.uuid}] is missing: restore it from a copy, "
                        "or delete the index"
                    )
        claim_folder(self._folder)
        try:
            for number in range(self.config.shards):
                folder = self._folder / str(number)
                self.shards.append(Shard(folder, number, self.config, self._clock, self._ids))
        except BaseException:
            for shard in self.shards:
                shard.close()
            self.shards.clear()
            raise

    async def close(self) -> None:
        self.waiters.end(IndexNotFound(self.config.uuid))
        try:
            await self.exclusively(self._close)
        finally:
            self.schedule.release()

    def _close(self) -> None:
        if self.is_closed:
            return
        self.is_closed = True
        with contextlib.ExitStack() as closing:  # all of them, whatever one raises
            for shard in self.shards:
                closing.callback(shard.close)

    async def abandon(self) -> None:
        """Closes without committing, for an index that is deleted."""
        self.waiters.end(IndexNotFound(self.config.uuid))
        await self.exclusively(self._abandon)
        self.schedule.release()

    def _abandon(self) -> None:
        if self.is_closed:
            return
        self.is_closed = True
        for shard in self.shards:
            shard.abandon()

    async def update_config(self, config: IndexConfig) -> None:
        def take() -> None:
            self._take_config(config)

        await self.exclusively(take)

    def _take_config(self, config: IndexConfig) -> None:
        self.config = config
        self._is_following = is_following(config)
        if config.mapping != self._parser.mapping:
            self._reset_parser()
        else:
            self.config = replace(config, mapping=self._parser.mapping)
        self.schedule.configure(config.settings)
        for shard in self.shards:
            shard.update_config(config)

    # -- writing -------------------------------------------------------------------------------------------------

    async def bulk(
        self, operations: Sequence[WriteOp], sink: MappingSink
    ) -> list[WriteResult | ApiError]:
        """As Writer.bulk. What new fields need is durable in `sink` before the first operation is logged."""
        if self.config.shards > 1:
            # An id decides the shard, so it has to be there before the shard is chosen.
            operations = [
                msgspec.structs.replace(op, id=self._ids.document()) if op.id is None else op
                for op in operations
            ]
        async with self._lock:
            self.require_open()
            if self._is_following:
                return [FollowingEngine() for _ in operations]
            loop = asyncio.get_running_loop()
            self.schedule.write(loop.time())
            try:
                outcomes = await self._bulk_locked(operations, sink)
            finally:
                self.tell_waiters()
            if not self.is_dirty:
                # It was so much that it has been refreshed already.
                self.schedule.refreshed(loop.time())
            return outcomes

    async def _bulk_locked(
        self, operations: Sequence[WriteOp], sink: MappingSink
    ) -> list[WriteResult | ApiError]:
        parsed: ParsedOps = []

        def parse_and_apply() -> list[WriteResult | ApiError] | None:
            parsed[:] = self._parse(operations)
            if self._parser.mapping is not self.config.mapping:
                return None
            return self._apply(operations, parsed)

        for _ in range(_MAPPING_ATTEMPTS):
            outcomes = await self.run(parse_and_apply)
            if outcomes is not None:
                return outcomes
            wanted = self._parser.mapping
            try:
                mapping = await sink.extend_mapping(self.config.uuid, render_mapping(wanted))
            except ApiError as exc:
                self._reset_parser()
                return await self.run(self._applying_known(operations, exc))
            except BaseException:
                self._reset_parser()
                raise
            self._reset_parser()
            if mapping == wanted:
                return await self.run(self._applying(operations, parsed, mapping))
            # Something else changed the mapping meanwhile: the documents must be read under what holds now.
            await self.run(self._taking(mapping))
        conflict = IllegalState(f"the mapping of index [{self.config.uuid}] keeps changing")
        return await self.run(self._applying_known(operations, conflict))

    def _applying(
        self, operations: Sequence[WriteOp], parsed: ParsedOps, mapping: Mapping
    ) -> Callable[[], list[WriteResult | ApiError]]:
        def job() -> list[WriteResult | ApiError]:
            self._take_config(replace(self.config, mapping=mapping))
            return self._apply(operations, parsed)

        return job

    def _taking(self, mapping: Mapping) -> Callable[[], None]:
        return lambda: self._take_config(replace(self.config, mapping=mapping))

    def _applying_known(
        self, operations: Sequence[WriteOp], refusal: ApiError
    ) -> Callable[[], list[WriteResult | ApiError]]:
        """For when the mapping cannot grow: only documents that need new fields are refused."""

        def job() -> list[WriteResult | ApiError]:
            parsed: ParsedOps = []
            for op in operations:
                outcome = self._parse_one(op)
                if self._parser.mapping is not self.config.mapping:
                    outcome = refusal
                    self._reset_parser()
                parsed.append(outcome)
            return self._apply(operations, parsed)

        return job

    def _parse(self, operations: Sequence[WriteOp]) -> ParsedOps:
        parse_one = self._parse_one
        return [parse_one(op) for op in operations]

    def _parse_one(self, op: WriteOp) -> Flat | ApiError | None:
        if op.id is not None and (len(op.id) > MAX_ID_BYTES or not op.id.isascii()):
            refusal = refused_id(op.id)
            if refusal is not None:
                return refusal
        if op.routing is not None:
            refusal = refused_routing(op.routing)
            if refusal is not None:
                return refusal
        if op.op is OpType.DELETE:
            return None
        assert op.source is not None, "an index operation has a source"
        try:
            return self._parser.parse(op.source, op.id or "")
        except ApiError as exc:
            return exc
        except Exception as exc:
            # A fault of ours costs this document, never the others of its request.
            _LOG.exception("document [%s] cannot be read", op.id)
            self._reset_parser()
            return Internal(f"the document cannot be read: {type(exc).__name__}")

    def _apply(
        self, operations: Sequence[WriteOp], parsed: ParsedOps
    ) -> list[WriteResult | ApiError]:
        if len(self.shards) == 1:
            outcomes = self.shards[0].apply(operations, parsed)
        else:
            outcomes = self._apply_routed(operations, parsed)
        for shard in self.shards:
            if shard.is_full:
                shard.refresh()
        return outcomes

    def _apply_routed(
        self, operations: Sequence[WriteOp], parsed: ParsedOps
    ) -> list[WriteResult | ApiError]:
        places: dict[int, list[int]] = {}
        for place, op in enumerate(operations):
            places.setdefault(self.shard_number(op.routing or op.id or ""), []).append(place)
        outcomes: dict[int, WriteResult | ApiError] = {}
        for number, here in places.items():
            results = self.shards[number].apply(
                [operations[place] for place in here], [parsed[place] for place in here]
            )
            outcomes.update(zip(here, results, strict=True))
        return [outcomes[place] for place in range(len(operations))]

    def shard_number(self, routing: str) -> int:
        return shard_of(routing, self.config.shards, self._routing_shards)

    def shard(self, number: int) -> Shard:
        """Raises IllegalArgument."""
        if not 0 <= number < len(self.shards):
            raise IllegalArgument(f"index [{self.config.uuid}] has no shard [{number}]")
        return self.shards[number]

    def tell_waiters(self) -> None:
        """Lets go of those who wait for what has been written."""
        for number in self.waiters.shards:
            self.waiters.reached(number, self.shards[number].checkpoint)

    # -- refresh -------------------------------------------------------------------------------------------------

    @property
    def is_dirty(self) -> bool:
        return any(shard.is_dirty for shard in self.shards)

    def is_refresh_due(self, now: float) -> bool:
        return self.is_dirty and self.schedule.is_due(now)

    async def refresh(self) -> None:
        if not self.is_dirty:
            # A bulk may be under way whose end the caller has not seen: nothing of it was acknowledged.
            return

        def job() -> None:
            for shard in self.shards:
                shard.refresh()

        async with self._lock:
            await self.run(job)
            self.schedule.refreshed(asyncio.get_running_loop().time())

    async def wait_for_refresh(self) -> None:
        """As Writer.wait_for_refresh."""
        if not self.is_dirty:
            return
        if self.schedule.is_crowded:
            await self.refresh()
            return
        await self.schedule.wait()

    async def release_writers(self, now: float) -> None:
        """Gives back the writers of an index that has not been written to for a while."""
        if now - self.schedule.last_write_s < WRITER_IDLE_S or self.is_dirty:
            return
        if any(shard.has_writer for shard in self.shards):
            await self.exclusively(self._release)

    def _release(self) -> None:
        for shard in self.shards:
            shard.release_writer()

    @property
    def is_untidy(self) -> bool:
        return any(shard.retained.is_untidy for shard in self.shards)

    async def tidy(self) -> None:
        """Removes some of what the logs retain no longer, or gives back its space."""

        def job() -> None:
            for shard in self.shards:
                if shard.retained.is_untidy and not self.is_closed:
                    shard.retained.tidy()

        await self.exclusively(job)

    # -- the lock ------------------------------------------------------------------------------------------------

    async def exclusively(self, job: Callable[[], _T]) -> _T:
        async with self._lock:
            return await self.run(job)

    async def run(self, job: Callable[[], _T]) -> _T:
        """Beside whatever else is under way."""
        return await settled(asyncio.get_running_loop().run_in_executor(self._executor, job))

    def require_open(self) -> None:
        """Raises IndexNotFound."""
        if self.is_closed:
            raise IndexNotFound(self.config.uuid)

    def _reset_parser(self) -> None:
        limits = MappingLimits.from_settings(self.config.settings)
        self._parser = DocumentParser(self.config.mapping, limits)


def is_following(config: IndexConfig) -> bool:
    """Whether the index takes operations of its leader alone."""
    return str(config.settings.get("index.xpack.ccr.following_index", "false")).lower() == "true"
