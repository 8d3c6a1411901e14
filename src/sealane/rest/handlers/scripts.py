"""`_scripts/{id}`: stored search templates."""

from sealane.cluster.scripts import StoredScript, StoredScripts, check_id
from sealane.query.mustache import compile_template
from sealane.query.template_body import MUSTACHE, read_script
from sealane.rest.params import MASTER, Parser, string, time_ms
from sealane.rest.request import ACKNOWLEDGED, Request, Response, json_response
from sealane.rest.router import Route, no_indices

_CHANGING: dict[str, Parser] = {**MASTER, "timeout": time_ms}


def routes(scripts: StoredScripts) -> list[Route]:
    async def put(request: Request) -> Response:
        script_id = request.path_params["id"]
        script = read_script(request.body)
        check_id(script_id)
        if script.lang == MUSTACHE:
            compile_template(script.source)
        await scripts.put(
            script_id,
            StoredScript(lang=script.lang, source=script.source, options=dict(script.options)),
        )
        return ACKNOWLEDGED

    async def get(request: Request) -> Response:
        script_id = request.path_params["id"]
        script = await scripts.get(script_id)
        if script is None:
            return json_response({"_id": script_id, "found": False}, 404)
        shown: dict[str, object] = {"lang": script.lang, "source": script.source}
        if script.options:
            shown["options"] = script.options
        return json_response({"_id": script_id, "found": True, "script": shown})

    async def delete(request: Request) -> Response:
        await scripts.delete(request.path_params["id"])
        return ACKNOWLEDGED

    async def languages(request: Request) -> Response:
        return json_response(
            {
                "types_allowed": ["inline", "stored"],
                "language_contexts": [{"language": MUSTACHE, "contexts": ["template"]}],
            }
        )

    return [
        Route(
            methods=("PUT", "POST"),
            paths=("/_scripts/{id}", "/_scripts/{id}/{context}"),
            handler=put,
            action="cluster:admin/script/put",
            indices=no_indices,
            params={**_CHANGING, "context": string},
            body=True,
        ),
        Route(
            methods=("GET",),
            paths=("/_scripts/{id}",),
            handler=get,
            action="cluster:admin/script/get",
            indices=no_indices,
            params=MASTER,
        ),
        Route(
            methods=("DELETE",),
            paths=("/_scripts/{id}",),
            handler=delete,
            action="cluster:admin/script/delete",
            indices=no_indices,
            params=_CHANGING,
        ),
        Route(
            methods=("GET",),
            paths=("/_script_language",),
            handler=languages,
            action="cluster:admin/script_language/get",
            indices=no_indices,
        ),
    ]
