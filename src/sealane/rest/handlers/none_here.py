"""Lists of what a cluster of this version cannot have: clients ask for them before they show anything.

There are no templates of the older kind, no pipelines and no queue of cluster state changes, so each list is empty,
and what is asked for by name is not found.
"""

from typing import Final

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
