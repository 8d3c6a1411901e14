"""Lists of what a cluster of this version cannot have: clients ask for them before they show anything.

There are no templates, pipelines or data streams here and no queue of cluster state changes, so each list is empty, and
what is asked for by name is not found.
"""

from typing import Any, Final

from sealane.errors import ResourceNotFound
from sealane.rest.params import MASTER, Parser, boolean, ignored
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route, no_indices

_PARAMS: Final[dict[str, Parser]] = {
    **MASTER,
    "expand_wildcards": ignored,
    "flat_settings": boolean,
    "include_defaults": boolean,
    "local": ignored,
    "summary": boolean,
}


def routes() -> list[Route]:
    return [
        *_listed(
            "_index_template",
            "index_templates",
            "index template matching [{}] not found",
            "indices:admin/index_template/get",
        ),
        *_listed(
            "_component_template",
            "component_templates",
            "component template matching [{}] not found",
            "cluster:admin/component_template/get",
        ),
        *_listed(
            "_data_stream",
            "data_streams",
            "no such index [{}]",
            "indices:admin/data_stream/get",
        ),
        _unlisted("/_template", "/_template/{name}", "indices:admin/template/get", always=200),
        _unlisted(
            "/_ingest/pipeline",
            "/_ingest/pipeline/{name}",
            "cluster:admin/ingest/pipeline/get",
            always=404,
        ),
        Route(
            methods=("GET",),
            paths=("/_cluster/pending_tasks",),
            handler=_pending,
            action="cluster:monitor/task",
            indices=no_indices,
            params={**MASTER, "local": ignored},
        ),
    ]


async def _pending(request: Request) -> Response:
    return json_response({"tasks": []})


def _listed(api: str, member: str, missing: str, action: str) -> list[Route]:
    """A list under one member; a plain name that is not in it is an error."""

    async def get(request: Request) -> Response:
        name = request.path_params.get("name")
        if name is not None and "*" not in name and name != "_all":
            raise ResourceNotFound(missing.format(name))
        nothing: dict[str, Any] = {member: []}
        return json_response(nothing, 404 if name not in (None, "*", "_all") else 200)

    return [
        Route(
            methods=("GET", "HEAD"),
            paths=(f"/{api}/{{name}}",),
            handler=get,
            action=action,
            indices=no_indices,
            params=_PARAMS,
        ),
        Route(
            methods=("GET",),
            paths=(f"/{api}",),
            handler=get,
            action=action,
            indices=no_indices,
            params=_PARAMS,
        ),
    ]


def _unlisted(whole: str, named: str, action: str, *, always: int) -> Route:
    """An object by name, which is empty; `always` is the status where no name was given."""

    async def get(request: Request) -> Response:
        return json_response({}, 404 if "name" in request.path_params else always)

    return Route(
        methods=("GET",),
        paths=(whole, named),
        handler=get,
        action=action,
        indices=no_indices,
        params=_PARAMS,
    )
