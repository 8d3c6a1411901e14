"""Documents found page by page and written one bulk a page: what `_reindex` and the by-query APIs are made of.

It leaves finding to the search service, over any number of clusters, and writing to this cluster's documents.
"""

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from sealane.cluster.documents import BulkItem, Outcome, Refresh
from sealane.errors import ApiError, VersionConflict
from sealane.model.access import acting
from sealane.model.document import WriteResult
from sealane.model.task import Context, Task, TaskId
from sealane.reduce.partial import Hit, ShardFailure
from sealane.search.client_search import ClientSearch
from sealane.search.outcome import ClusterStatus, SearchOutcome
from sealane.search.pit import Freed
from sealane.search.scroll import ScrollPage

KEEP_MS: Final = 300_000
"""How long a page may take, unless the request says otherwise."""
SEARCH: Final = "indices:data/read/search"
SCROLL: Final = "indices:data/read/scroll"
BULK: Final = "indices:data/write/bulk"
CLEAR: Final = "indices:data/read/scroll/clear"
_CLOSE_S: Final = 5.0
"""How long the end waits for the contexts to be closed; they expire by themselves too."""


class Pages(Protocol):
    """Scrolls over any clusters."""

    async def next(self, scroll_id: str, keep_ms: int | None, ctx: Context) -> ScrollPage: ...

    async def close(self, scroll_ids: Sequence[str], ctx: Context) -> Freed: ...


class Searches(Protocol):
    """The search service."""

    @property
    def scrolls(self) -> Pages: ...

    async def search(self, request: ClientSearch, ctx: Context) -> SearchOutcome: ...


class Writes(Protocol):
    """The documents of this cluster."""

    async def bulk(
        self, items: Sequence[BulkItem], refresh: Refresh, ctx: Context
    ) -> list[Outcome]: ...


@dataclass(slots=True)
class Progress:
    """How far it is: the counters of the answer. `requests_per_second` is in force for the next page on."""

    total: int = 0
    updated: int = 0
    created: int = 0
    deleted: int = 0
    batches: int = 0
    version_conflicts: int = 0
    noops: int = 0
    throttled_ms: int = 0
    requests_per_second: float = math.inf
    cancelled: str | None = None

    @property
    def done(self) -> int:
        return self.updated + self.created + self.deleted + self.version_conflicts + self.noops

    def to_json(self, *, created: bool = True, updated: bool = True) -> dict[str, Any]:
        """Some APIs leave out counters that they cannot have."""
        rate = self.requests_per_second
        shown: dict[str, Any] = {"total": self.total}
        if updated:
            shown["updated"] = self.updated
        if created:
            shown["created"] = self.created
        shown |= {
            "deleted": self.deleted,
            "batches": self.batches,
            "version_conflicts": self.version_conflicts,
            "noops": self.noops,
            "retries": {"bulk": 0, "search": 0},
            "throttled_millis": self.throttled_ms,
            "requests_per_second": -1.0 if rate == math.inf else rate,
        }
        if self.cancelled is not None:
            shown["canceled"] = self.cancelled
        shown["throttled_until_millis"] = 0
        return shown


@dataclass(frozen=True, slots=True)
class BulkFailure:
    """A document that could not be written."""

    index: str
    id: str | None
    error: ApiError


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The end of one. Failures ended it: those of documents, or those of shards."""

    took_ms: int
    progress: Progress
    timed_out: bool = False
    bulk_failures: tuple[BulkFailure, ...] = ()
    search_failures: tuple[ShardFailure, ...] = ()

    @property
    def status(self) -> int:
        """Of the answer: that of the worst failure."""
        statuses = [200, *(each.error.status for each in self.bulk_failures)]
        statuses += [int(each.error.get("status", 500)) for each in self.search_failures]
        return 408 if self.timed_out else max(statuses)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What to find, and what to do with each document. `max_docs` None takes all there are."""

    search: ClientSearch
    write: Callable[[Hit], BulkItem]
    max_docs: int | None = None
    proceed: bool = False
    refresh: bool = False
    progress: Progress = field(default_factory=Progress)


class BulkByScroll:
    def __init__(self, searches: Searches, documents: Writes) -> None:
        self._searches = searches
        self._documents = documents

    async def run(self, work: Work, ctx: Context) -> Done:
        """Runs to the end, or to the first failure. The scroll is closed whatever happens.

        Raises as the search does that begins it; TaskCancelled.
        """
        clock = asyncio.get_running_loop().time
        started, progress = clock(), work.progress
        keep_ms = work.search.scroll_ms or KEEP_MS
        with acting(SEARCH):
            page = await self._searches.search(work.search, ctx)
        held = page.scroll_id
        total = page.answer.total.value if page.answer.total is not None else 0
        progress.total = total if work.max_docs is None else min(total, work.max_docs)
        bulk_failures: list[BulkFailure] = []
        search_failures: list[ShardFailure] = []
        timed_out = False
        try:
            while True:
                ctx.task.check()
                timed_out = page.answer.timed_out
                search_failures += _lost(page)
                hits = self._wanted(page.answer.hits, work)
                if not hits or search_failures or timed_out:
                    break
                began = clock()
                progress.batches += 1
                bulk_failures += await self._write(hits, work, ctx)
                if bulk_failures or (work.max_docs is not None and progress.done >= work.max_docs):
                    break
                wait_s = _wait_s(len(hits), clock() - began, progress)
                held = page.scroll_id or held
                if held is None:
                    break
                # The contexts have to outlive the wait, which comes when they have been kept for it.
                kept_ms = keep_ms + int(wait_s * 1000)
                with acting(SCROLL):
                    page = (await self._searches.scrolls.next(held, kept_ms, ctx)).outcome
                await self._throttle(wait_s, progress)
        finally:
            if held is not None:
                await self._close(held, ctx)
        return Done(
            took_ms=int((clock() - started) * 1000),
            progress=progress,
            timed_out=timed_out,
            bulk_failures=tuple(bulk_failures),
            search_failures=tuple(search_failures),
        )

    @staticmethod
    def _wanted(hits: Sequence[Hit], work: Work) -> Sequence[Hit]:
        if work.max_docs is None:
            return hits
        return hits[: max(0, work.max_docs - work.progress.done)]

    async def _write(self, hits: Sequence[Hit], work: Work, ctx: Context) -> list[BulkFailure]:
        """Writes a page; the failures that end the whole."""
        refresh = Refresh.NOW if work.refresh else Refresh.NO
        with acting(BULK):
            outcomes = await self._documents.bulk([work.write(hit) for hit in hits], refresh, ctx)
        failures = [_counted(each, work) for each in outcomes]
        return [each for each in failures if each is not None]

    @staticmethod
    async def _throttle(wait_s: float, progress: Progress) -> None:
        if wait_s > 0:
            await asyncio.sleep(wait_s)
            progress.throttled_ms += int(wait_s * 1000)

    async def _close(self, scroll_id: str, ctx: Context) -> None:
        # No part of the task, which may have been cancelled: the request would be refused.
        task = Task(TaskId(ctx.task.id.node, 0), CLEAR, None, ctx.start_ms, "")
        own = Context(task=task, subject=ctx.subject, start_ms=ctx.start_ms)
        try:
            async with asyncio.timeout(_CLOSE_S):
                with acting(CLEAR):
                    await self._searches.scrolls.close([scroll_id], own)
        except (TimeoutError, ApiError):
            pass  # a remote that is gone lets its contexts expire


def _wait_s(docs: int, took_s: float, progress: Progress) -> float:
    """What a page that took so long lacks of the time which the wanted rate gives it."""
    return max(0.0, docs / progress.requests_per_second - took_s)


def _counted(outcome: Outcome, work: Work) -> BulkFailure | None:
    """Counts an outcome; gives it as a failure where it ends the whole."""
    progress, result = work.progress, outcome.result
    if isinstance(result, WriteResult):
        match result.result:
            case "created":
                progress.created += 1
            case "updated":
                progress.updated += 1
            case "deleted":
                progress.deleted += 1
            case _:
                progress.noops += 1
        return None
    if isinstance(result, VersionConflict):
        progress.version_conflicts += 1
        if work.proceed:
            return None
    return BulkFailure(outcome.index, outcome.id, result)


def _lost(outcome: SearchOutcome) -> Sequence[ShardFailure]:
    """What is missing of the documents: of shards, and of clusters that were left out. A copy that lacks the documents
    of a whole cluster must not look complete.
    """
    details = outcome.clusters.details if outcome.clusters is not None else ()
    clusters = [
        failure
        for each in details
        if each.status in (ClusterStatus.SKIPPED, ClusterStatus.FAILED)
        for failure in each.failures
    ]
    return [*outcome.answer.failures, *clusters]
