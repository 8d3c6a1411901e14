"""`_reindex`, `_update_by_query` and `_delete_by_query`: from a request to the service and back to JSON."""

import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sealane.cluster.task_lists import task_json
from sealane.errors import ApiError, IllegalArgument, NumberFormatError
from sealane.model.task import Context
from sealane.query.by_query_body import read_by_query, read_reindex
from sealane.rest.params import (
    INDICES_OPTIONS,
    Parser,
    active_shards,
    boolean,
    ignored,
    integer,
    names,
    string,
    time_ms,
)
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Handler, Route, no_indices, path_indices
from sealane.rest.search_params import indices_options
from sealane.search.bulk_by_scroll import KEEP_MS, BulkFailure, Done, Progress
from sealane.search.by_query import ByQueryService, Options, refuse_remote
from sealane.search.running_by_query import Ended, Run, RunningByQuery

REINDEX = "indices:data/write/reindex"
UPDATE = "indices:data/write/update/byquery"
DELETE = "indices:data/write/delete/byquery"


def _rate(name: str, text: str) -> float:
    """Documents a second; infinite for -1."""
    problem = "[requests_per_second] must be a float greater than 0. Use -1 to disable throttling."
    try:
        rate = float(text)
    except ValueError as error:
        raise IllegalArgument(
            problem, caused_by=NumberFormatError(f'For input string: "{text}"')
        ) from error
    if rate == -1:
        return math.inf
    if not rate > 0:
        raise IllegalArgument(problem)
    return rate


def _slices(name: str, text: str) -> int | None:
    """Accepted as a wish: the shards of a page are searched side by side anyway. None is `auto`."""
    if text == "auto":
        return None
    try:
        slices = int(text)
    except ValueError as error:
        raise IllegalArgument(
            f'[slices] must be a positive integer or the string "auto", but was [{text}]',
            caused_by=NumberFormatError(f'For input string: "{text}"'),
        ) from error
    if slices < 1:
        raise IllegalArgument("[slices] must be at least 1")
    return slices


_SHARED: dict[str, Parser] = {
    "max_docs": integer,
    "refresh": boolean,
    "requests_per_second": _rate,
    "scroll": time_ms,
    "slices": _slices,
    "timeout": time_ms,
    "wait_for_active_shards": active_shards,
    "wait_for_completion": boolean,
}

_REINDEX_PARAMS: dict[str, Parser] = {**_SHARED, "require_alias": boolean}

_BY_QUERY_PARAMS: dict[str, Parser] = {
    **_SHARED,
    **INDICES_OPTIONS,
    "conflicts": string,
    "preference": string,
    "request_cache": boolean,
    "routing": names,
    "scroll_size": integer,
    "search_timeout": time_ms,
    "search_type": ignored,
    "stats": ignored,
    "version": boolean,
}


def routes(service: ByQueryService, running: RunningByQuery) -> list[Route]:
    async def reindex(request: Request) -> Response:
        params = request.params
        wanted = read_reindex(request.body, max_docs=params.get("max_docs"))
        service.judge_reindex(wanted, request.ctx)
        options = _options(params)

        async def run(progress: Progress, ctx: Context) -> Done:
            return await service.reindex(wanted, options, progress, ctx)

        described = f"reindex from [{', '.join(wanted.indices)}] to [{wanted.dest.index}]"
        return await _answer(running, request, run, REINDEX, described)

    def by_query(
        change: Callable[..., Awaitable[Done]], action: str, word: str, *, needs_query: bool
    ) -> Handler:
        """Changes what a query finds, by a method of the service."""

        async def handle(request: Request) -> Response:
            refuse_remote(request.indices)
            wanted = read_by_query(request.body, request.params, needs_query=needs_query)
            options = _options(request.params)

            async def run(progress: Progress, ctx: Context) -> Done:
                return await change(request.indices, wanted, options, progress, ctx)

            described = f"{word} [{', '.join(request.indices)}]"
            return await _answer(running, request, run, action, described)

        return handle

    delete = by_query(service.delete, DELETE, "delete-by-query", needs_query=True)
    update = by_query(service.update, UPDATE, "update-by-query", needs_query=False)
    return [
        Route(
            methods=("POST",),
            paths=("/_reindex",),
            handler=reindex,
            action=REINDEX,
            indices=no_indices,
            params=_REINDEX_PARAMS,
            body=True,
        ),
        Route(
            methods=("POST",),
            paths=("/{index}/_delete_by_query",),
            handler=delete,
            action=DELETE,
            indices=path_indices,
            params=_BY_QUERY_PARAMS,
            body=True,
        ),
        Route(
            methods=("POST",),
            paths=("/{index}/_update_by_query",),
            handler=update,
            action=UPDATE,
            indices=path_indices,
            params=_BY_QUERY_PARAMS,
            body=True,
        ),
    ]


def _options(params: Mapping[str, Any]) -> Options:
    return Options(
        refresh=params.get("refresh", False),
        keep_ms=params.get("scroll", KEEP_MS),
        requests_per_second=params.get("requests_per_second", math.inf),
        routing=params.get("routing", ()),
        indices=indices_options(params),
        require_alias=params.get("require_alias", False),
    )


async def _answer(
    running: RunningByQuery, request: Request, run: Run, action: str, described: str
) -> Response:
    """The end of it, or the task in which it goes on."""
    if not request.params.get("wait_for_completion", True):
        return json_response({"task": running.start(action, described, run, request.ctx)})
    done = await run(Progress(), request.ctx)
    return json_response(done_json(done, action), done.status)


def done_json(done: Done, action: str) -> dict[str, Any]:
    counters = done.progress.to_json(created=action == REINDEX, updated=action != DELETE)
    return {
        "took": done.took_ms,
        "timed_out": done.timed_out,
        **counters,
        "failures": [
            *(_bulk_failure(each) for each in done.bulk_failures),
            *(
                {
                    "index": each.index,
                    "shard": each.shard,
                    "node": each.node,
                    "reason": ApiError.from_wire(each.error).to_cause(),
                }
                for each in done.search_failures
            ),
        ],
    }


def _bulk_failure(failure: BulkFailure) -> dict[str, Any]:
    return {
        "index": failure.index,
        "id": failure.id,
        "cause": failure.error.to_cause(),
        "status": failure.error.status,
    }


class ByQueryRecords:
    """Implements TaskRecords for requests of this kind that run in the background."""

    def __init__(self, running: RunningByQuery) -> None:
        self._running = running

    def status(self, number: int) -> dict[str, Any] | None:
        return self._running.status(number)

    async def wait(self, number: int, timeout_s: float) -> None:
        await self._running.wait(number, timeout_s)

    def ended(self, number: int) -> dict[str, Any] | None:
        ended = self._running.result(number)
        return None if ended is None else _ended_json(ended)


def _ended_json(ended: Ended) -> dict[str, Any]:
    """What `_tasks/{id}` shows of a task that has ended."""
    task = task_json(ended.task, ended.task.start_ms + ended.took_ms)
    shown: dict[str, Any] = {
        "completed": True,
        "task": {**task, "status": ended.progress.to_json()},
    }
    if ended.done is not None:
        shown["response"] = done_json(ended.done, ended.task.action)
    if ended.error is not None:
        shown["error"] = ended.error.to_cause()
    return shown
