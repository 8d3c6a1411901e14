"""Searches that outlive the request that began them: submit, look, wait, delete.

Each runs as a task of this node under its submit's, and tells how far it is; when it ends, what it found is kept until
it expires. It leaves the search to `coordinator`, keeping to `async_store` and showing to `rest`.
"""

import asyncio
from dataclasses import dataclass, replace
from typing import Final, Protocol

import msgspec

from sealane.clock import Clock, Ids
from sealane.errors import (
    ApiError,
    AsyncSearchFailed,
    IllegalArgument,
    Internal,
    ResourceNotFound,
    TaskCancelled,
)
from sealane.model.security import Subject
from sealane.model.task import Context, Task, TaskRegistry
from sealane.search.async_id import AsyncId
from sealane.search.async_progress import SearchSoFar
from sealane.search.async_store import AsyncStore
from sealane.search.client_search import ClientSearch
from sealane.search.coordinator import SearchService
from sealane.search.outcome import ClusterStatus, SearchOutcome
from sealane.transport.tasks import TaskScope

SEARCH_ACTION: Final = "indices:data/read/search"
_EXPIRED: Final = "async search has expired"
_DELETED: Final = "by user request"
_GOOD = (ClusterStatus.SUCCESSFUL,)


class AsyncLimits(Protocol):
    """The settings in force."""

    def response_bytes_max(self) -> int: ...
    def searches_max(self) -> int: ...
    def total_bytes_max(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AsyncView:
    """A search as it is now. `id` is None for one that is not kept. Times are wall milliseconds; `completed_ms` is
    None while it runs, and where it failed without an answer.
    """

    id: str | None
    is_partial: bool
    is_running: bool
    started_ms: int
    expires_ms: int
    completed_ms: int | None
    outcome: SearchOutcome | None
    error: ApiError | None


class AsyncSearch:
    """One search, running or ended. Implements Kept."""

    def __init__(
        self, id: AsyncId, task: Task, owner: Subject, request: ClientSearch, so_far: SearchSoFar
    ) -> None:
        self.id = id
        self.task = task
        self.owner = owner
        self.request = request
        self.so_far = so_far
        self.expires_at = 0.0
        self.expires_ms = 0
        self.size = 0
        self.is_kept = False
        """Whether it may be asked for by its id, as from when its submit has answered."""
        self.ended = asyncio.Event()
        self.begun_at = asyncio.get_running_loop().time()
        self._outcome: SearchOutcome | None = None
        self._error: ApiError | None = None

    @property
    def is_running(self) -> bool:
        return not self.ended.is_set()

    def keep(self, keep_ms: int) -> None:
        """Counts its time to live from its start, as the reference does."""
        self.expires_at = self.begun_at + keep_ms / 1000
        self.expires_ms = self.task.start_ms + keep_ms

    @property
    def outcome(self) -> SearchOutcome | None:
        """What it found, once it has ended."""
        return self._outcome

    def succeed(self, outcome: SearchOutcome) -> None:
        self._outcome = outcome
        self._end()

    def fail(self, error: ApiError) -> None:
        """What had come by then stays to be seen."""
        self._error = AsyncSearchFailed(error)
        self._outcome = self.so_far.failed(error, self._elapsed_ms())
        self._end()

    def drop_answer(self, error: ApiError) -> None:
        """What it found cannot be kept: the error says why."""
        self._error, self._outcome, self.size = error, None, 0

    def view(self, *, kept: bool = True) -> AsyncView:
        running = self.is_running
        outcome = self.so_far.outcome(self._elapsed_ms()) if running else self._outcome
        completed_ms = None
        if not running and outcome is not None:
            completed_ms = self.task.start_ms + outcome.took_ms
        return AsyncView(
            id=str(self.id) if kept else None,
            is_partial=running or self._error is not None or _is_partial(outcome),
            is_running=running,
            started_ms=self.task.start_ms,
            expires_ms=self.expires_ms,
            completed_ms=completed_ms,
            outcome=outcome,
            error=self._error,
        )

    def _end(self) -> None:
        self.ended.set()
        self.so_far.known.set()  # or nothing ever will
        self.so_far.forget()

    def _elapsed_ms(self) -> int:
        return int((asyncio.get_running_loop().time() - self.begun_at) * 1000)


class AsyncSearches:
    """The asynchronous searches of this node. `close` ends those that run."""

    def __init__(
        self,
        searches: SearchService,
        *,
        tasks: TaskRegistry,
        clock: Clock,
        ids: Ids,
        limits: AsyncLimits,
    ) -> None:
        self._searches = searches
        self._tasks = tasks
        self._clock = clock
        self._ids = ids
        self._limits = limits
        self._scope = TaskScope("async searches")
        self._store: AsyncStore[AsyncSearch] = AsyncStore(
            entries_max=limits.searches_max,
            bytes_max=limits.total_bytes_max,
            on_expiry=lambda search: search.task.cancel(_EXPIRED),
        )
        self.submitted = 0

    async def submit(
        self,
        request: ClientSearch,
        ctx: Context,
        *,
        wait_ms: int,
        keep_ms: int,
        keep_on_completion: bool,
    ) -> AsyncView:
        """Begins a search and waits for it, up to `wait_ms` milliseconds and at least until its clusters are known.

        One that ends by then is kept only with `keep_on_completion`; an error of the search is in the view. Whoever
        cancels the call cancels the search. Raises Rejected where too many are kept.
        """
        self._store.check_room()
        self.submitted += 1
        search = self._begin(request, ctx)
        search.keep(keep_ms)
        self._store.add(search)
        try:
            await search.so_far.known.wait()
            await _wait(search, wait_ms)
        except asyncio.CancelledError:
            self._store.remove(search)
            search.task.cancel(ctx.task.cancelled_reason or _DELETED)
            raise
        search.is_kept = search.is_running or keep_on_completion
        view = search.view(kept=search.is_kept)
        if not search.is_kept:
            self._store.remove(search)
        elif not search.is_running:
            self._judge_size(search)
        return view

    async def get(
        self, id: str, ctx: Context, *, wait_ms: int = 0, keep_ms: int | None = None
    ) -> tuple[AsyncView, ClientSearch]:
        """The search as it is once it has ended, or `wait_ms` have passed. `keep_ms` sets how long from now it is
        kept. Raises IllegalArgument for what is no id, ResourceNotFound for a search that is not kept.
        """
        search = self._find(id, ctx)
        if keep_ms is not None:
            self._extend(search, keep_ms)
        if search.is_running and wait_ms > 0:
            await _wait(search, wait_ms)
            if self._store.get(search.id) is None:
                raise ResourceNotFound(id)
        return search.view(), search.request

    def delete(self, id: str, ctx: Context) -> None:
        """Ends it, if it runs, on every cluster, and forgets it. Raises as `get` does."""
        search = self._find(id, ctx)
        self._store.remove(search)
        search.task.cancel(_DELETED)

    def node_of(self, id: str) -> str:
        """The node that keeps the search. Raises IllegalArgument for what is no id."""
        return AsyncId.read(id).task.node

    def statistics(self) -> dict[str, int]:
        running = sum(search.is_running for search in self._store)
        return {
            "running": running,
            "kept": len(self._store) - running,
            "kept_in_bytes": self._store.bytes,
            "submitted": self.submitted,
            "expired": self._store.expired,
        }

    async def close(self) -> None:
        self._store.close()
        await self._scope.close()

    # -- running -----------------------------------------------------------------------------------------------

    def _begin(self, request: ClientSearch, ctx: Context) -> AsyncSearch:
        running = self._tasks.start(
            SEARCH_ACTION,
            start_ms=self._clock.now_ms(),
            parent=ctx.task,
            description=f"async_search{{indices[{','.join(request.expressions)}]}}",
            headers=ctx.headers,
        )
        task = running.task
        id = AsyncId(self._ids.new(), task.id)
        so_far = SearchSoFar(
            request,
            lambda answers: self._searches.merge(request, answers, now_ms=task.start_ms),
        )
        search = AsyncSearch(id, task, ctx.subject, request, so_far)

        async def run() -> None:
            with running:
                await self._run(search, replace(ctx, task=task, start_ms=task.start_ms))

        job = self._scope.start(run(), name=f"async search [{task.id}]")
        task.on_cancel(lambda reason: _cancel(job))
        return search

    async def _run(self, search: AsyncSearch, ctx: Context) -> None:
        try:
            outcome = await self._searches.search(search.request, ctx, search.so_far)
        except asyncio.CancelledError:
            search.fail(TaskCancelled(ctx.task.cancelled_reason or "node closed"))
            if ctx.task.cancelled_reason is None:
                raise  # the node stops
        except ApiError as error:
            search.fail(error)
        else:
            search.succeed(outcome)
        finally:
            if search.is_running:
                search.fail(Internal("internal error in an async search, see the log"))
            if search.is_kept:
                self._judge_size(search)

    def _judge_size(self, search: AsyncSearch) -> None:
        """Keeps what an ended search found, or says why it cannot be kept."""
        if search.outcome is None:
            return
        size, limit = _size_of(search.outcome), self._limits.response_bytes_max()
        if size > limit:
            error = IllegalArgument(
                f"Can't store an async search response larger than [{limit}] bytes. This limit can be set by changing "
                "the [search.max_async_search_response_size] setting."
            )
        elif not self._store.has_room_for(size):
            error = IllegalArgument(
                f"Can't store an async search response of [{size}] bytes: all that are kept on this node may have "
                f"[{self._limits.total_bytes_max()}]. This limit can be set by changing the "
                "[search.async_search.max_total_size] setting."
            )
        else:
            search.size = size
            return
        search.drop_answer(error)

    def _find(self, id: str, ctx: Context) -> AsyncSearch:
        search = self._store.get(AsyncId.read(id))
        if search is None or search.owner.key != ctx.subject.key:
            raise ResourceNotFound(id)
        return search

    def _extend(self, search: AsyncSearch, keep_ms: int) -> None:
        """From now on, which may be shorter than before."""
        search.expires_at = asyncio.get_running_loop().time() + keep_ms / 1000
        search.expires_ms = self._clock.now_ms() + keep_ms
        self._store.reschedule(search)


async def _wait(search: AsyncSearch, wait_ms: int) -> None:
    try:
        async with asyncio.timeout(wait_ms / 1000):
            await search.ended.wait()
    except TimeoutError:
        pass  # whoever waited sees how far it is


def _cancel(job: "asyncio.Task[None]") -> None:
    job.cancel()


def _is_partial(outcome: SearchOutcome | None) -> bool:
    if outcome is None:
        return True
    answer = outcome.answer
    clusters = outcome.clusters.details if outcome.clusters is not None else ()
    return (
        answer.timed_out
        or answer.shards.failed > 0
        or any(each.status not in _GOOD for each in clusters)
    )


def _size_of(outcome: SearchOutcome) -> int:
    return len(msgspec.msgpack.encode(outcome.answer))
