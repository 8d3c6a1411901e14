"""`_async_search`: submit, get, status, delete."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from sealane.errors import ActionRequestValidation
from sealane.model.dates import format_date
from sealane.query import decode
from sealane.rest.forward import PassOn
from sealane.rest.human import is_for_people
from sealane.rest.params import Parser, boolean, string, time_ms
from sealane.rest.request import ACKNOWLEDGED, Headers, Request, Response, json_response
from sealane.rest.router import Route, no_indices, path_indices
from sealane.rest.search_params import SEARCH_PARAMS, UNSUGGESTED, client_search
from sealane.rest.search_response import render_clusters, render_search
from sealane.search.async_search import AsyncSearches, AsyncView
from sealane.search.client_search import ClientSearch
from sealane.search.outcome import SearchOutcome
from sealane.settings import TimeValue

_WAIT_MS: Final = 1_000
_KEEP_MS: Final = 5 * 24 * 3_600_000
_KEEP_MIN_MS: Final = 1_000
_DEFAULTS: Final[Mapping[str, Any]] = {
    "batched_reduce_size": 5,
    "request_cache": True,
}
"""Where an asynchronous search differs from another, beside that it asks shard by shard unless it is told otherwise."""

_SUBMIT_PARAMS: Final[Mapping[str, Parser]] = {
    **SEARCH_PARAMS,
    "keep_alive": time_ms,
    "keep_on_completion": boolean,
    "scroll": string,
    "wait_for_completion_timeout": time_ms,
}
_GET_PARAMS: Final[Mapping[str, Parser]] = {
    "keep_alive": time_ms,
    "typed_keys": boolean,
    "wait_for_completion_timeout": time_ms,
}


async def _not_elsewhere(node_id: str, request: Request) -> Response | None:
    """Of a cluster of one node."""
    return None


def routes(searches: AsyncSearches, pass_on: PassOn = _not_elsewhere) -> list[Route]:
    """`pass_on` asks the node that keeps a search."""

    async def submit(request: Request) -> Response:
        params = request.params
        wanted = replace(
            client_search(request.indices, request.body, {**_DEFAULTS, **_of_search(params)}),
            # No default among the parameters: a point in time allows for none.
            minimize_roundtrips=params.get("ccs_minimize_roundtrips", False),
        )
        _validate(params, request.body)
        view = await searches.submit(
            wanted,
            request.ctx,
            wait_ms=params.get("wait_for_completion_timeout", _WAIT_MS),
            keep_ms=params.get("keep_alive", _KEEP_MS),
            keep_on_completion=params.get("keep_on_completion", False),
        )
        return _response(view, wanted, request)

    async def get(request: Request) -> Response:
        params, id = request.params, request.path_params["id"]
        answered = await pass_on(searches.node_of(id), request)
        if answered is not None:
            return answered
        view, wanted = await searches.get(
            id,
            request.ctx,
            wait_ms=params.get("wait_for_completion_timeout", 0),
            keep_ms=_keep_alive(params),
        )
        return _response(view, wanted, request)

    async def status(request: Request) -> Response:
        id = request.path_params["id"]
        answered = await pass_on(searches.node_of(id), request)
        if answered is not None:
            return answered
        view, _ = await searches.get(id, request.ctx, keep_ms=_keep_alive(request.params))
        return json_response(_status(view, request))

    async def delete(request: Request) -> Response:
        id = request.path_params["id"]
        answered = await pass_on(searches.node_of(id), request)
        if answered is not None:
            return answered
        searches.delete(id, request.ctx)
        return ACKNOWLEDGED

    return [
        Route(
            methods=("POST",),
            paths=("/_async_search", "/{index}/_async_search"),
            handler=submit,
            action="indices:data/read/async_search/submit",
            indices=path_indices,
            params=_SUBMIT_PARAMS,
            unsuggested=UNSUGGESTED,
            body=True,
        ),
        Route(
            methods=("GET",),
            paths=("/_async_search/{id}",),
            handler=get,
            action="indices:data/read/async_search/get",
            indices=no_indices,
            params=_GET_PARAMS,
        ),
        Route(
            methods=("GET",),
            paths=("/_async_search/status/{id}",),
            handler=status,
            action="cluster:monitor/async_search/status",
            indices=no_indices,
            params={"keep_alive": time_ms},
        ),
        Route(
            methods=("DELETE",),
            paths=("/_async_search/{id}",),
            handler=delete,
            action="indices:data/read/async_search/delete",
            indices=no_indices,
        ),
    ]


# -- what is asked -----------------------------------------------------------------------------------------------


def _of_search(params: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in params.items() if name != "scroll"}


def _validate(params: Mapping[str, Any], body: bytes) -> None:
    """Raises ActionRequestValidation with all that an asynchronous search may not ask."""
    problems = []
    if "scroll" in params:
        problems.append("[scroll] queries are not supported")
    if _asks_suggestions_only(body):
        problems.append("suggest-only queries are not supported")
    keep_ms = params.get("keep_alive", _KEEP_MS)
    if keep_ms < _KEEP_MIN_MS:
        problems.append(_too_short(keep_ms))
    if params.get("pre_filter_shard_size", 1) != 1:
        problems.append("[pre_filter_shard_size] cannot be changed for async search queries")
    if problems:
        raise ActionRequestValidation(problems)


def _asks_suggestions_only(body: bytes) -> bool:
    if b'"suggest"' not in body:
        return False
    asked = decode(body)
    others = ("query", "knn", "aggs", "aggregations", "retriever")
    return "suggest" in asked and not any(name in asked for name in others)


def _keep_alive(params: Mapping[str, Any]) -> int | None:
    """The new time to live, if one is given. Raises ActionRequestValidation for one that is too short."""
    keep_ms: int | None = params.get("keep_alive")
    if keep_ms is None or keep_ms == -1:
        return None
    if keep_ms < _KEEP_MIN_MS:
        raise ActionRequestValidation([_too_short(keep_ms)])
    return keep_ms


def _too_short(keep_ms: int) -> str:
    shown = TimeValue.of_ms(keep_ms)
    return f"[keep_alive] must be greater or equals than 1 second, got:{shown}"


# -- how it is answered ------------------------------------------------------------------------------------------


def _response(view: AsyncView, wanted: ClientSearch, request: Request) -> Response:
    shown: dict[str, Any] = {} if view.id is None else {"id": view.id}
    shown["is_partial"] = view.is_partial
    shown["is_running"] = view.is_running
    shown |= _times(view, for_people=is_for_people(request))
    if view.outcome is not None:
        shown["response"] = render_search(
            view.outcome,
            wanted.body,
            typed_keys=request.params.get("typed_keys", False),
            total_as_int=request.params.get("rest_total_hits_as_int", False),
        )
    if view.error is not None:
        shown["error"] = view.error.to_cause()
    return json_response(shown, _http_status(view), _headers(view))


def _status(view: AsyncView, request: Request) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": view.id,
        "is_running": view.is_running,
        "is_partial": view.is_partial,
        **_times(view, for_people=is_for_people(request)),
    }
    outcome = view.outcome
    shown["_shards"] = _shards(outcome)
    if outcome is not None and outcome.clusters is not None and outcome.clusters.total:
        shown["_clusters"] = render_clusters(outcome.clusters)
    if not view.is_running:
        shown["completion_status"] = _http_status(view)
    return shown


def _times(view: AsyncView, *, for_people: bool) -> dict[str, Any]:
    times = {"start_time": view.started_ms, "expiration_time": view.expires_ms}
    if view.completed_ms is not None:
        times["completion_time"] = view.completed_ms
    shown: dict[str, Any] = {}
    for name, ms in times.items():
        if for_people:
            shown[name] = format_date(ms)
        shown[f"{name}_in_millis"] = ms
    return shown


def _shards(outcome: SearchOutcome | None) -> dict[str, int]:
    if outcome is None:
        return {"total": 0, "successful": 0, "skipped": 0, "failed": 0}
    counts = outcome.answer.shards
    return {
        "total": counts.total,
        "successful": counts.successful,
        "skipped": counts.skipped,
        "failed": counts.failed,
    }


def _http_status(view: AsyncView) -> int:
    return 200 if view.error is None else view.error.status


def _headers(view: AsyncView) -> Headers:
    """The id again for clients that read no bodies, and whether there is more to come."""
    if view.id is None:
        return ()
    running = b"?1" if view.is_running else b"?0"
    return (
        (b"X-Elasticsearch-Async-Id", view.id.encode()),
        (b"X-Elasticsearch-Async-Is-Running", running),
    )
