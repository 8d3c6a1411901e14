"""`_data_stream`: made, shown, measured, changed, promoted and removed."""

from collections.abc import Sequence
from typing import Any

from sealane.cluster.catalog import TIMESTAMP
from sealane.cluster.data_stream_service import DataStreams, StreamChange, StreamView
from sealane.cluster.views import IndexView
from sealane.errors import ApiError
from sealane.model.task import Context
from sealane.query.body import parse_search_body
from sealane.query.template_requests import read_stream_changes
from sealane.rest.bodies import require_body
from sealane.rest.expressions import STRICT, options_of
from sealane.rest.health import health_of
from sealane.rest.params import MASTER, Parser, boolean, ignored, time_ms
from sealane.rest.params import names as listed
from sealane.rest.request import ACKNOWLEDGED, Request, Response, json_response
from sealane.rest.router import Route, no_indices
from sealane.rest.services import Services
from sealane.search.client_search import ClientSearch
from sealane.search.coordinator import SearchService
from sealane.settings.units import bytes_text

_ACTION = "indices:admin/data_stream"
_WILDCARDS: dict[str, Parser] = {"expand_wildcards": listed}
_CHANGING: dict[str, Parser] = {**MASTER, "timeout": time_ms}
_LATEST = b'{"size":1,"_source":false,"track_total_hits":false,"sort":[{"@timestamp":"desc"}]}'
_NANOS_PER_MS = 10**6


def routes(services: Services, streams: DataStreams, searches: SearchService) -> list[Route]:
    return [*_looking(services, streams, searches), *_changing(streams)]


def _names(request: Request) -> Sequence[str]:
    """What is in the path; none means all."""
    found = [name for name in request.path_params.get("name", "").split(",") if name]
    return found or ("*",)


def _looking(services: Services, streams: DataStreams, searches: SearchService) -> list[Route]:
    async def get(request: Request) -> Response:
        found = streams.find(_names(request), options_of(request.params, STRICT))
        return json_response({"data_streams": [_shown(services, each) for each in found]})

    async def stats(request: Request) -> Response:
        found = streams.find(_names(request), options_of(request.params, STRICT))
        human = "human" in request.params
        shown, total, shards, answered = [], 0, 0, 0
        for view in found:
            size = 0
            for index in view.indices:
                shards += index.shards * (1 + index.replicas)
                stored = await _size(services, IndexView(index))
                if stored is not None:
                    size += stored
                    answered += index.shards
            total += size
            shown.append(
                {
                    "data_stream": view.stream.name,
                    "backing_indices": len(view.indices),
                    **_sizes("store_size", size, human),
                    "maximum_timestamp": await _latest(searches, view, request.ctx),
                }
            )
        return json_response(
            {
                "_shards": {"total": shards, "successful": answered, "failed": 0},
                "data_stream_count": len(found),
                "backing_indices": sum(len(view.indices) for view in found),
                **_sizes("total_store_size", total, human),
                "data_streams": shown,
            }
        )

    return [
        Route(
            methods=("GET",),
            paths=("/_data_stream", "/_data_stream/{name}"),
            handler=get,
            action=f"{_ACTION}/get",
            indices=_names,
            params={
                **MASTER,
                **_WILDCARDS,
                "include_defaults": boolean,
                "local": ignored,
                "verbose": boolean,
            },
        ),
        Route(
            methods=("GET",),
            paths=("/_data_stream/_stats", "/_data_stream/{name}/_stats"),
            handler=stats,
            action="indices:monitor/data_stream/stats",
            indices=_names,
            params={**_WILDCARDS, "human": boolean, "forbid_closed_indices": ignored},
        ),
    ]


def _changing(streams: DataStreams) -> list[Route]:
    async def create(request: Request) -> Response:
        await streams.create(request.path_params["name"])
        return ACKNOWLEDGED

    async def delete(request: Request) -> Response:
        await streams.delete(_names(request), options_of(request.params, STRICT))
        return ACKNOWLEDGED

    async def promote(request: Request) -> Response:
        await streams.promote(request.path_params["name"])
        return ACKNOWLEDGED

    async def modify(request: Request) -> Response:
        actions = [
            StreamChange(kind == "add_backing_index", each["data_stream"], each["index"])
            for kind, each in read_stream_changes(require_body(request.body))
        ]
        await streams.modify(actions)
        return ACKNOWLEDGED

    named = ("/_data_stream/{name}",)
    return [
        Route(
            methods=("PUT",),
            paths=named,
            handler=create,
            action=f"{_ACTION}/create",
            indices=_names,
            params=_CHANGING,
            body=True,
        ),
        Route(
            methods=("DELETE",),
            paths=named,
            handler=delete,
            action=f"{_ACTION}/delete",
            indices=_names,
            params={**MASTER, **_WILDCARDS},
        ),
        Route(
            methods=("POST",),
            paths=("/_data_stream/_promote/{name}",),
            handler=promote,
            action=f"{_ACTION}/promote",
            indices=_names,
            params=MASTER,
        ),
        Route(
            methods=("POST",),
            paths=("/_data_stream/_modify",),
            handler=modify,
            action=f"{_ACTION}/modify",
            indices=no_indices,
            params=_CHANGING,
            body=True,
        ),
    ]


def _shown(services: Services, view: StreamView) -> dict[str, Any]:
    stream = view.stream
    views = [IndexView(index) for index in view.indices]
    health = health_of(views, services.cluster.nodes(), services.unopened())
    shown: dict[str, Any] = {
        "name": stream.name,
        "timestamp_field": {"name": TIMESTAMP},
        "indices": [
            {
                "index_name": index.name,
                "index_uuid": index.uuid,
                "prefer_ilm": True,
                "managed_by": "Unmanaged",
                "index_mode": "standard",
            }
            for index in view.indices
        ],
        "generation": stream.generation,
    }
    if stream.meta is not None:
        shown["_meta"] = stream.meta
    shown["status"] = health.status.upper()
    if view.template is not None:
        shown["template"] = view.template
    return shown | {
        "next_generation_managed_by": "Unmanaged",
        "prefer_ilm": True,
        "hidden": stream.hidden,
        "system": False,
        "allow_custom_routing": stream.allow_custom_routing,
        "replicated": stream.replicated,
        "rollover_on_write": stream.rollover_on_write,
        "settings": {},
        "index_mode": "standard",
        "failure_store": {"enabled": False, "rollover_on_write": False, "indices": []},
    }


async def _size(services: Services, index: IndexView) -> int | None:
    """None for an index that is closed or was never opened."""
    if not index.open:
        return None
    try:
        return (await services.indices.sizes(index)).store_bytes
    except ApiError:
        return None


async def _latest(searches: SearchService, view: StreamView, ctx: Context) -> int:
    """The highest time of a document that is searchable, in milliseconds; 0 without any."""
    names = tuple(index.name for index in view.indices if index.open)
    if not names:
        return 0
    search = ClientSearch(expressions=names, body=parse_search_body(_LATEST))
    hits = (await searches.search(search, ctx)).answer.hits
    latest = hits[0].sort[0] if hits and hits[0].sort else None
    if not isinstance(latest, int):
        return 0
    field = view.indices[-1].mapping.get(TIMESTAMP)
    in_nanos = field is not None and field.type == "date_nanos"
    return latest // (_NANOS_PER_MS if in_nanos else 1)


def _sizes(name: str, size: int, human: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {name: bytes_text(size)} if human else {}
    return {**shown, f"{name}_bytes": size}
