"""Writing and reading documents by index name: bulk, get, mget, update, and when a write becomes
searchable.

It turns names into indices, groups a bulk by index, and adds to errors what only it knows
(`index`, `index_uuid`, `shard`). How a shard stores a document is the engine's; what a request
looks like is rest's.
"""

import asyncio
from collections.abc import Sequence
from enum import StrEnum

import msgspec

from sealane.cluster.catalog import DataStream
from sealane.cluster.partial_updates import Update, merged
from sealane.cluster.placed_errors import placed, unreadable
from sealane.cluster.stream_writes import alone, is_creation, refusal
from sealane.cluster.target_source import Target, TargetSource
from sealane.cluster.visible_documents import get_visible
from sealane.engine.base import Reader, Writer
from sealane.errors import (
    ApiError,
    IllegalArgument,
    IndexNotFound,
    NoShardAvailable,
    RefusedUnderLimits,
    VersionConflict,
)
from sealane.model.access import acting, current_access
from sealane.model.document import Document, OpType, VersionType, WriteOp, WriteResult
from sealane.model.task import Context

NOOP = "noop"
NO_UPDATE = "Can't execute an update request if field or document level security is enabled"
_NO_UPDATE_IN_BULK = (
    "Can't execute a bulk item request with update requests embedded if field or document level "
    "security is enabled"
)
UPDATE = "indices:data/write/update"
BULK_SHARD = "indices:data/write/bulk[s]"
"""The action on the index of a bulk's items, beside what each of them does."""


class Refresh(StrEnum):
    """`wait_for` answers once the write is searchable; `true` says in the answer that it forced
    that.
    """

    NO = "false"
    NOW = "true"
    WAIT = "wait_for"


class BulkItem(msgspec.Struct, kw_only=True):
    """One item as asked. `error` is set on one that cannot run; it takes its place in the
    answer.
    """

    action: str
    index: str
    op: WriteOp | Update
    require_alias: bool = False
    require_data_stream: bool = False
    error: ApiError | None = None


class Outcome(msgspec.Struct):
    """What became of an item. `result` is `noop` for an update that changed nothing.

    `copies` is how many shard copies a write concerns. `source` is set for an update that was to
    return it.
    """

    index: str
    id: str | None
    result: WriteResult | ApiError
    copies: int = 1
    source: bytes | None = None


class _Group:
    """The items of one concrete index that have not been handed to the engine yet."""

    __slots__ = ("ids", "items", "ops", "sources")

    def __init__(self) -> None:
        self.items: list[int] = []
        self.ops: list[WriteOp] = []
        self.ids: set[str] = set()
        """Filled only where updates are about: an update must see what came before it."""
        self.sources: dict[int, bytes] = {}


class Documents:
    """`indices` resolves names; `engine` stores. Neither is closed here."""

    def __init__(self, indices: TargetSource, reader: Reader, writer: Writer) -> None:
        self._indices = indices
        self._reader = reader
        self._writer = writer

    # -- reading ---------------------------------------------------------------------------------------

    async def get(
        self,
        name: str,
        doc_id: str,
        *,
        routing: str | None = None,
        realtime: bool = True,
        refresh: bool = False,
        version: int | None = None,
        ctx: Context | None = None,
    ) -> tuple[str, Document | None]:
        """The concrete index's name and the document, or what may be seen of it.

        Raises VersionConflict where `version` is not the one found, Internal without a context where that decides
        which documents there are.
        """
        target = self._indices.read_target(name)
        routing = _routed(routing, name, target.routing)
        try:
            hidden = target.limits is not None and bool(target.limits.queries)
            if refresh or (hidden and realtime):
                await self._writer.refresh(target.uuid)
            if target.limits is None:
                found = await self._reader.get(
                    target.uuid, doc_id, routing=routing, realtime=realtime
                )
            else:
                found = await get_visible(
                    self._reader, target, target.limits, doc_id, routing, realtime, ctx
                )
        except NoShardAvailable as error:
            raise unreadable(error, target, doc_id, routing) from error
        except ApiError as error:
            raise placed(error, target) from error
        if found is not None and version is not None and found.version != version:
            raise placed(
                VersionConflict(
                    f"[{doc_id}]: version conflict, current version [{found.version}] is different than "
                    f"the one provided [{version}]"
                ),
                target,
            )
        return target.name, found

    # -- writing -----------------------------------------------------------------------------------------------

    async def write(self, item: BulkItem, refresh: Refresh, ctx: Context) -> Outcome:
        """One item alone. Raises the ApiError that bulk would have put into its outcome."""
        (outcome,) = await self.bulk([item], refresh, ctx)
        if isinstance(outcome.result, RefusedUnderLimits):
            raise RefusedUnderLimits(NO_UPDATE)
        if isinstance(outcome.result, ApiError):
            raise alone(outcome.result, item.op)
        return outcome

    async def bulk(
        self, items: Sequence[BulkItem], refresh: Refresh, ctx: Context
    ) -> list[Outcome]:
        """One outcome each, in order. What one item does wrong keeps no other from being written."""
        by_name: dict[tuple[str, bool, bool], list[int]] = {}
        outcomes: list[Outcome | None] = [None] * len(items)
        for at, item in enumerate(items):
            if item.error is not None:
                outcomes[at] = Outcome(item.index, item.op.id, item.error)
                continue
            key = (item.index, item.require_alias, item.require_data_stream)
            numbers = by_name.get(key)
            if numbers is None:
                by_name[key] = [at]
            else:
                numbers.append(at)
        by_uuid: dict[str, tuple[Target, list[int]]] = {}
        for numbers in by_name.values():
            await self._resolve(numbers, items, outcomes, by_uuid)
        for target, numbers in by_uuid.values():
            numbers.sort()
            await self._write_index(target, numbers, items, outcomes, ctx)
        if refresh is not Refresh.NO:
            written = [
                target
                for target, numbers in by_uuid.values()
                if any(_wrote(outcomes[at]) for at in numbers)
            ]
            await self._refresh(written, refresh)
        assert all(outcome is not None for outcome in outcomes)
        return outcomes  # type: ignore[return-value]

    async def _resolve(
        self,
        numbers: list[int],
        items: Sequence[BulkItem],
        outcomes: list[Outcome | None],
        by_uuid: dict[str, tuple[Target, list[int]]],
    ) -> None:
        """Files the items of one name under its index; gives those without one their error."""
        first = items[numbers[0]]
        name = first.index
        creates = any(_makes_index(items[at]) for at in numbers)
        try:
            with acting(_shard_action()):
                target = await self._indices.write_target(
                    name,
                    require_alias=first.require_alias,
                    auto_create=creates,
                    require_data_stream=first.require_data_stream,
                )
        except ApiError as error:
            for at in numbers:
                outcomes[at] = Outcome(name, items[at].op.id, error)
            return
        _judge_items(target, numbers, items)
        if target.stream is not None:
            numbers = _written_to_stream(target, target.stream, numbers, items, outcomes)
            if not numbers:
                return
        filed = by_uuid.setdefault(target.uuid, (target, []))
        filed[1].extend(numbers)
        if target.routing is not None:
            for at in numbers:
                _route(items[at], name, target.routing)

    async def _refresh(self, written: Sequence[Target], refresh: Refresh) -> None:
        """All indices at once: each may have its own interval to wait for."""
        if len(written) == 1:
            await self._refresh_one(written[0], refresh)
            return
        try:
            async with asyncio.TaskGroup() as group:
                for target in written:
                    group.create_task(self._refresh_one(target, refresh))
        except* ApiError as failed:
            raise failed.exceptions[0] from None

    async def _refresh_one(self, target: Target, refresh: Refresh) -> None:
        try:
            if refresh is Refresh.WAIT:
                await self._writer.wait_for_refresh(target.uuid)
            else:
                await self._writer.refresh(target.uuid)
        except IndexNotFound:
            pass  # deleted since: what was written was acknowledged, and nobody can search it

    async def _write_index(
        self,
        target: Target,
        numbers: list[int],
        items: Sequence[BulkItem],
        outcomes: list[Outcome | None],
        ctx: Context,
    ) -> None:
        """All items of one index, in order, in as few engine calls as their dependencies allow."""
        has_updates = any(type(items[at].op) is Update for at in numbers)
        group = _Group()
        for at in numbers:
            item = items[at]
            op = item.op
            if item.error is not None:
                outcomes[at] = Outcome(target.name, op.id, item.error)
                continue
            if type(op) is Update:
                if op.id in group.ids:
                    await self._flush(target, group, items, outcomes, ctx)
                    group = _Group()
                prepared = await self._prepare(target, op, group, at, outcomes)
                if prepared is None:
                    continue
                op = prepared
            group.items.append(at)
            group.ops.append(op)  # type: ignore[arg-type]
            if has_updates and op.id is not None:
                group.ids.add(op.id)
        await self._flush(target, group, items, outcomes, ctx)

    async def _prepare(
        self,
        target: Target,
        update: Update,
        group: _Group,
        at: int,
        outcomes: list[Outcome | None],
    ) -> WriteOp | None:
        """The write an update comes to; None when its outcome is known already."""
        try:
            if target.limits is not None:
                raise RefusedUnderLimits(
                    _NO_UPDATE_IN_BULK, suppressed=[RefusedUnderLimits(_NO_UPDATE_IN_BULK)]
                )
            found = await self._reader.get(target.uuid, update.id, routing=update.routing)
            op = merged(update, found)
        except ApiError as error:
            outcomes[at] = Outcome(target.name, update.id, placed(error, target))
            return None
        if op is None:
            assert found is not None
            outcomes[at] = _unchanged(update, found, target)
            return None
        if update.returned is not None:
            assert op.source is not None
            group.sources[at] = op.source
        return op

    async def _flush(
        self,
        target: Target,
        group: _Group,
        items: Sequence[BulkItem],
        outcomes: list[Outcome | None],
        ctx: Context,
    ) -> None:
        if not group.ops:
            return
        try:
            results: Sequence[WriteResult | ApiError] = await self._writer.bulk(
                target.uuid, group.ops, ctx
            )
        except ApiError as error:
            results = [error] * len(group.ops)
        name, copies = target.name, target.replicas + 1
        for at, op, result in zip(group.items, group.ops, results, strict=True):
            if type(result) is WriteResult:
                outcomes[at] = Outcome(name, result.id, result, copies, group.sources.get(at))
                continue
            assert isinstance(result, ApiError)
            update = items[at].op
            if type(update) is Update and isinstance(result, VersionConflict):
                outcomes[at] = await self._retry(target, update, result, ctx)
            else:
                outcomes[at] = Outcome(name, op.id, placed(result, target))

    async def _retry(
        self, target: Target, update: Update, conflict: ApiError, ctx: Context
    ) -> Outcome:
        """An update whose document changed under it, once more from the read on, as often as it allows."""
        for _ in range(update.retry_on_conflict):
            try:
                found = await self._reader.get(target.uuid, update.id, routing=update.routing)
                op = merged(update, found)
                if op is None:
                    assert found is not None
                    return _unchanged(update, found, target)
                (result,) = await self._writer.bulk(target.uuid, [op], ctx)
            except ApiError as error:
                return Outcome(target.name, update.id, placed(error, target))
            if isinstance(result, WriteResult):
                shown = op.source if update.returned is not None else None
                return Outcome(target.name, update.id, result, target.replicas + 1, shown)
            conflict = result
            if not isinstance(result, VersionConflict):
                break
        return Outcome(target.name, update.id, placed(conflict, target))


def _wrote(outcome: Outcome | None) -> bool:
    return (
        outcome is not None
        and isinstance(outcome.result, WriteResult)
        and outcome.result.result != NOOP
    )


def _shard_action() -> str:
    """By what a name that is written to is judged. One update alone is judged as such."""
    access = current_access()
    return UPDATE if access is not None and access.action == UPDATE else BULK_SHARD


def _judge_items(target: Target, numbers: Sequence[int], items: Sequence[BulkItem]) -> None:
    """Gives the items that the request may not do on the name their error: a bulk may hold what one may do beside
    what one may not.
    """
    access = current_access()
    if access is None:
        return
    for at in numbers:
        part = access.acting(_action_of(items[at]))
        if not any(part.allows(name) for name in target.names_judged):
            items[at].error = items[at].error or part.denial((target.asked,))


def _written_to_stream(
    target: Target,
    stream: DataStream,
    numbers: Sequence[int],
    items: Sequence[BulkItem],
    outcomes: list[Outcome | None],
) -> list[int]:
    """Those of the items that a data stream, or its backing index, takes; the others get their error."""
    taken: list[int] = []
    is_first = True
    for at in numbers:
        item = items[at]
        is_first = is_first and not is_creation(item.op)
        refused = item.error or refusal(stream, target.asked, item.op, is_first=is_first)
        if refused is None:
            taken.append(at)
        else:
            outcomes[at] = Outcome(item.index, item.op.id, refused)
    return taken


def _action_of(item: BulkItem) -> str:
    if item.action == OpType.DELETE:
        return "indices:data/write/delete"
    if isinstance(item.op, Update):
        return UPDATE
    return f"indices:data/write/index:op_type/{item.op.op.value}"


def _makes_index(item: BulkItem) -> bool:
    """Whether the item may bring its index into being: all but a delete that is not versioned from outside."""
    if item.action != OpType.DELETE:
        return True
    op = item.op
    return isinstance(op, WriteOp) and op.version_type is not VersionType.INTERNAL


def _routed(given: str | None, alias: str, demanded: str | None) -> str | None:
    """The routing in force. Raises IllegalArgument where a request and its alias name two."""
    if demanded is None or given == demanded:
        return given
    if given is not None:
        raise IllegalArgument(
            f"Alias [{alias}] has index routing associated with it [{demanded}], and was provided "
            f"with routing value [{given}], rejecting operation"
        )
    return demanded


def _route(item: BulkItem, alias: str, demanded: str) -> None:
    """Applies an alias's routing. A request that names another one gets an error."""
    try:
        routing = _routed(item.op.routing, alias, demanded)
    except IllegalArgument as error:
        item.error = error
    else:
        item.op = msgspec.structs.replace(item.op, routing=routing)


def _unchanged(update: Update, found: Document, target: Target) -> Outcome:
    result = WriteResult(
        id=update.id,
        result=NOOP,
        version=found.version,
        seq_no=found.seq_no,
        primary_term=found.primary_term,
    )
    shown = found.source if update.returned is not None else None
    return Outcome(target.name, update.id, result, target.replicas + 1, shown)
