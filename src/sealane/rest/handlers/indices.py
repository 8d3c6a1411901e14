"""Indices as a whole: create, get, delete, exists, mappings, settings, refresh, flush."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from sealane.cluster.views import IndexView
from sealane.errors import (
    ActionRequestValidation,
    IllegalArgument,
    IndexNotFound,
    NoShardAvailable,
    ParseError,
)
from sealane.model.patterns import matches
from sealane.rest.bodies import read_object, require_body
from sealane.rest.expressions import (
    CHANGING,
    CLOSED_ONLY,
    OPEN_AND_CLOSED,
    STRICT,
    options_of,
)
from sealane.rest.index_json import index_settings
from sealane.rest.params import (
    INDICES_OPTIONS,
    Parser,
    active_shards,
    boolean,
    ignored,
    names,
    string,
    time_ms,
)
from sealane.rest.request import ACKNOWLEDGED, Request, Response, json_response
from sealane.rest.router import Handler, Route, path_indices
from sealane.rest.services import Services
from sealane.settings import flatten
from sealane.settings.index_settings import normalized

_TIMES: dict[str, Parser] = {"master_timeout": time_ms, "timeout": time_ms}
_CREATE_KEYS = ("settings", "mappings", "aliases")
_FEATURES = ("aliases", "mappings", "settings")


def _features(name: str, text: str) -> tuple[str, ...]:
    wanted = names(name, text)
    for each in wanted:
        if each not in _FEATURES:
            raise IllegalArgument(f"Invalid features specified [{each}]")
    return wanted


_SHOWN: dict[str, Parser] = {
    **INDICES_OPTIONS,
    **_TIMES,
    "flat_settings": boolean,
    "include_defaults": boolean,
    "local": ignored,
}


def routes(services: Services) -> list[Route]:
    return [
        *_whole(services),
        *_mappings(services),
        *_settings(services),
        *_states(services),
        *_upkeep(services),
    ]


def _whole(services: Services) -> list[Route]:
    async def create(request: Request) -> Response:
        body = read_object(request.body, exact=True) if request.body else {}
        for key in body:
            if key not in _CREATE_KEYS:
                raise ParseError(f"unknown key [{key}] for create index")
        name = await services.indices.create(request.index, body)
        return json_response({"acknowledged": True, "shards_acknowledged": True, "index": name})

    async def get(request: Request) -> Response:
        params = request.params
        found = services.indices.find(request.indices, options_of(params, STRICT))
        features = params.get("features", _FEATURES)
        shown: dict[str, Any] = {}
        for index in found:
            entry: dict[str, Any] = {
                "aliases": index.aliases if "aliases" in features else {},
                "mappings": index.mapping if "mappings" in features else {},
                "settings": {},
            }
            if "settings" in features:
                entry |= index_settings(services, index, params)
            if index.data_stream is not None:
                entry["data_stream"] = index.data_stream
            shown[index.name] = entry
        return json_response(shown)

    async def delete(request: Request) -> Response:
        await services.indices.delete(request.indices, options_of(request.params, OPEN_AND_CLOSED))
        return ACKNOWLEDGED

    async def exists(request: Request) -> Response:
        services.indices.find(request.indices, options_of(request.params, STRICT))
        return Response()

    def deleted(request: Request) -> Sequence[str]:
        services.indices.check_destructive(request.indices, "index / indices is missing")
        return request.indices

    path = ("/{index}",)
    return [
        Route(
            methods=("PUT",),
            paths=path,
            handler=create,
            action="indices:admin/create",
            indices=path_indices,
            params={**_TIMES, "wait_for_active_shards": active_shards},
            body=True,
        ),
        Route(
            methods=("GET",),
            paths=path,
            handler=get,
            action="indices:admin/get",
            indices=path_indices,
            params={**_SHOWN, "features": _features},
        ),
        Route(
            methods=("DELETE",),
            paths=("/", "/{index}"),
            handler=delete,
            action="indices:admin/delete",
            indices=deleted,
            params={**INDICES_OPTIONS, **_TIMES},
        ),
        Route(
            methods=("HEAD",),
            paths=path,
            handler=exists,
            action="indices:admin/get",
            indices=path_indices,
            params={**_SHOWN, "features": _features},
        ),
    ]


def _mappings(services: Services) -> list[Route]:
    async def get(request: Request) -> Response:
        found = services.indices.find(request.indices, options_of(request.params, STRICT))
        return json_response({index.name: {"mappings": index.mapping} for index in found})

    async def put(request: Request) -> Response:
        mapping = read_object(require_body(request.body))
        await services.indices.put_mapping(
            request.indices, mapping, options_of(request.params, CHANGING)
        )
        return ACKNOWLEDGED

    return [
        Route(
            methods=("GET",),
            paths=("/_mapping", "/{index}/_mapping", "/_mappings", "/{index}/_mappings"),
            handler=get,
            action="indices:admin/mappings/get",
            indices=path_indices,
            params={**INDICES_OPTIONS, **_TIMES, "local": ignored},
        ),
        Route(
            methods=("PUT", "POST"),
            paths=("/{index}/_mapping", "/{index}/_mappings"),
            handler=put,
            action="indices:admin/mapping/put",
            indices=path_indices,
            params={**INDICES_OPTIONS, **_TIMES, "write_index_only": boolean},
            body=True,
        ),
    ]


def _settings(services: Services) -> list[Route]:
    async def get(request: Request) -> Response:
        found = services.indices.find(request.indices, options_of(request.params, OPEN_AND_CLOSED))
        name = request.path_params.get("name", "")
        patterns = [each for each in name.split(",") if each and each != "_all"]
        shown = {}
        for index in found:
            entry = index_settings(services, index, request.params, _selects(patterns))
            if entry["settings"] or not patterns:
                shown[index.name] = entry
        return json_response(shown)

    async def put(request: Request) -> Response:
        body = read_object(require_body(request.body), exact=True)
        changes = normalized(flatten(body.get("settings", body)))
        if not changes:
            raise ActionRequestValidation(["no settings to update"])
        await services.indices.put_settings(
            request.indices,
            changes,
            options_of(request.params, CHANGING),
            preserve_existing=request.params.get("preserve_existing", False),
        )
        return ACKNOWLEDGED

    return [
        Route(
            methods=("GET",),
            paths=(
                "/_settings",
                "/_settings/{name}",
                "/{index}/_settings",
                "/{index}/_settings/{name}",
            ),
            handler=get,
            action="indices:monitor/settings/get",
            indices=path_indices,
            params=_SHOWN,
        ),
        Route(
            methods=("PUT",),
            paths=("/_settings", "/{index}/_settings"),
            handler=put,
            action="indices:admin/settings/update",
            indices=path_indices,
            params={
                **INDICES_OPTIONS,
                **_TIMES,
                "flat_settings": boolean,
                "preserve_existing": boolean,
                "reopen": boolean,
            },
            body=True,
        ),
    ]


def _selects(patterns: Sequence[str]) -> Callable[[str], bool]:
    if not patterns:
        return lambda key: True
    return lambda key: any(matches(pattern, key) for pattern in patterns)


def _states(services: Services) -> list[Route]:
    async def close(request: Request) -> Response:
        options = options_of(request.params, STRICT)
        names = await services.indices.set_open(request.indices, False, options)
        return json_response(
            {
                "acknowledged": True,
                "shards_acknowledged": bool(names),
                "indices": {name: {"closed": True} for name in names},
            }
        )

    async def reopen(request: Request) -> Response:
        options = options_of(request.params, CLOSED_ONLY)
        await services.indices.set_open(request.indices, True, options)
        return json_response({"acknowledged": True, "shards_acknowledged": True})

    def named(request: Request) -> Sequence[str]:
        services.indices.check_destructive(request.indices, "index is missing")
        return request.indices

    def state(name: str, handler: Handler) -> Route:
        return Route(
            methods=("POST",),
            paths=(f"/_{name}", f"/{{index}}/_{name}"),
            handler=handler,
            action=f"indices:admin/{name}",
            indices=named,
            params={**INDICES_OPTIONS, **_TIMES, "wait_for_active_shards": _awaited_shards},
        )

    return [state("close", close), state("open", reopen)]


def _awaited_shards(name: str, text: str) -> int | None:
    return None if text == "index-setting" else active_shards(name, text)


def _upkeep(services: Services) -> list[Route]:
    def on_each(
        work: Callable[[IndexView], Awaitable[None]],
    ) -> Callable[[Request], Awaitable[Response]]:
        async def handler(request: Request) -> Response:
            _check_flush(request.params)
            found = services.indices.find(
                request.indices, options_of(request.params, STRICT), forbid_closed=True
            )
            done = []
            for index in found:
                try:
                    await work(index)
                except (IndexNotFound, NoShardAvailable):
                    continue  # deleted since it was found, or never opened: none of its shards
                done.append(index)
            return json_response({"_shards": _shards(found, done)})

        return handler

    refresh = on_each(services.indices.refresh)

    def upkeep(name: str, methods: tuple[str, ...], params: Mapping[str, Parser]) -> Route:
        return Route(
            methods=methods,
            paths=(f"/_{name}", f"/{{index}}/_{name}"),
            handler=refresh,
            action=f"indices:admin/{name}",
            indices=path_indices,
            params={**INDICES_OPTIONS, **params},
        )

    return [
        upkeep("refresh", ("GET", "POST"), {"force": boolean}),
        # A commit is what a refresh does here, so the two are one.
        upkeep("flush", ("GET", "POST"), {"force": boolean, "wait_if_ongoing": boolean}),
        upkeep(
            "forcemerge",
            ("POST",),
            {
                "flush": boolean,
                "max_num_segments": string,
                "only_expunge_deletes": boolean,
                "wait_for_completion": boolean,
            },
        ),
    ]


def _check_flush(params: Mapping[str, Any]) -> None:
    if params.get("force") and params.get("wait_if_ongoing") is False:
        raise ActionRequestValidation(["wait_if_ongoing must be true for a force flush"])


def _shards(indices: Sequence[IndexView], done: Sequence[IndexView]) -> dict[str, int]:
    return {
        "total": sum(index.shards * (1 + index.replicas) for index in indices),
        "successful": sum(index.shards for index in done),
        "failed": 0,
    }
