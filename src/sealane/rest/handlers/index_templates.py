"""`_index_template`, `_component_template` and what an index would get of them (`_simulate`)."""

from collections.abc import Mapping
from typing import Any

from sealane.cluster.catalog import (
    ComponentTemplate,
    IndexTemplate,
    StreamTemplate,
    TemplateBody,
)
from sealane.cluster.template_service import Templates
from sealane.errors import ActionRequestValidation, ParseError
from sealane.query.template_requests import read_component_template, read_index_template
from sealane.rest.bodies import require_body
from sealane.rest.params import MASTER, Parser, boolean, ignored, string
from sealane.rest.request import ACKNOWLEDGED, Request, Response, json_response
from sealane.rest.router import Route, no_indices
from sealane.rest.template_json import shown_component, shown_simulation, shown_template
from sealane.settings import flatten
from sealane.settings.index_settings import normalized

_GET: dict[str, Parser] = {
    **MASTER,
    "local": ignored,
    "flat_settings": boolean,
    "include_defaults": boolean,
}
_PUT: dict[str, Parser] = {**MASTER, "create": boolean, "cause": string}


def routes(templates: Templates) -> list[Route]:
    return [*_index(templates), *_components(templates), *_simulated(templates)]


def _index(templates: Templates) -> list[Route]:
    async def put(request: Request) -> Response:
        template = _template(require_body(request.body))
        name, create = request.path_params["name"], request.params.get("create", False)
        await templates.put(name, template, create=create)
        return ACKNOWLEDGED

    async def get(request: Request) -> Response:
        name = request.path_params.get("name")
        found = templates.find(name)
        flat = request.params.get("flat_settings", False)
        shown = [
            {"name": each, "index_template": shown_template(template, flat=flat)}
            for each, template in found.items()
        ]
        return json_response({"index_templates": shown}, _status(name, shown))

    async def delete(request: Request) -> Response:
        await templates.delete(request.path_params["name"])
        return ACKNOWLEDGED

    return _kept("_index_template", "indices:admin/index_template", put, get, delete)


def _components(templates: Templates) -> list[Route]:
    async def put(request: Request) -> Response:
        found = read_component_template(require_body(request.body))
        component = ComponentTemplate(
            template=_body(found["template"]),
            version=found.get("version"),
            meta=found.get("_meta"),
            deprecated=found.get("deprecated"),
        )
        name, create = request.path_params["name"], request.params.get("create", False)
        await templates.put_component(name, component, create=create)
        return ACKNOWLEDGED

    async def get(request: Request) -> Response:
        name = request.path_params.get("name")
        found = templates.find_components(name)
        flat = request.params.get("flat_settings", False)
        shown = [
            {"name": each, "component_template": shown_component(component, flat=flat)}
            for each, component in found.items()
        ]
        return json_response({"component_templates": shown}, _status(name, shown))

    async def delete(request: Request) -> Response:
        await templates.delete_component(request.path_params["name"])
        return ACKNOWLEDGED

    return _kept("_component_template", "cluster:admin/component_template", put, get, delete)


def _kept(api: str, action: str, put: Any, get: Any, delete: Any) -> list[Route]:
    named = (f"/{api}/{{name}}",)
    return [
        Route(
            methods=("PUT", "POST"),
            paths=named,
            handler=put,
            action=f"{action}/put",
            indices=no_indices,
            params=_PUT,
            body=True,
        ),
        Route(
            methods=("GET", "HEAD"),
            paths=named,
            handler=get,
            action=f"{action}/get",
            indices=no_indices,
            params=_GET,
        ),
        Route(
            methods=("GET",),
            paths=(f"/{api}",),
            handler=get,
            action=f"{action}/get",
            indices=no_indices,
            params=_GET,
        ),
        Route(
            methods=("DELETE",),
            paths=named,
            handler=delete,
            action=f"{action}/delete",
            indices=no_indices,
            params={**MASTER, "timeout": MASTER["master_timeout"]},
        ),
    ]


def _simulated(templates: Templates) -> list[Route]:
    async def simulate_index(request: Request) -> Response:
        added = _template(request.body) if request.body else None
        found = templates.simulate_index(request.path_params["name"], added)
        return json_response({} if found is None else shown_simulation(found))

    async def simulate(request: Request) -> Response:
        name = request.path_params.get("name")
        if name is None and not request.body:
            raise ActionRequestValidation(
                ["either index name or index template body must be specified for simulation"]
            )
        body = _template(request.body) if request.body else None
        return json_response(shown_simulation(templates.simulate(name, body)))

    params: dict[str, Parser] = {**_PUT, "include_defaults": boolean}
    return [
        Route(
            methods=("POST",),
            paths=("/_index_template/_simulate_index/{name}",),
            handler=simulate_index,
            action="indices:admin/index_template/simulate_index",
            indices=no_indices,
            params=params,
            body=True,
        ),
        Route(
            methods=("POST",),
            paths=("/_index_template/_simulate", "/_index_template/_simulate/{name}"),
            handler=simulate,
            action="indices:admin/index_template/simulate",
            indices=no_indices,
            params=params,
            body=True,
        ),
    ]


def _status(name: str | None, shown: list[Any]) -> int:
    """A pattern that fits none is not found, but for the one of all."""
    return 404 if not shown and name not in (None, "*", "_all") else 200


def _template(raw: bytes) -> IndexTemplate:
    found = read_index_template(raw)
    stream = found.get("data_stream")
    body = found.get("template")
    return IndexTemplate(
        index_patterns=found["index_patterns"],
        template=None if body is None else _body(body),
        composed_of=found.get("composed_of", ()),
        priority=found.get("priority"),
        version=found.get("version"),
        meta=found.get("_meta"),
        data_stream=None if stream is None else StreamTemplate(**stream),
        allow_auto_create=found.get("allow_auto_create"),
        ignore_missing_component_templates=found.get("ignore_missing_component_templates"),
        deprecated=found.get("deprecated"),
    )


def _body(members: Mapping[str, Any]) -> TemplateBody:
    settings, mappings = members.get("settings"), members.get("mappings")
    if mappings is not None and set(mappings) == {"_doc"} and isinstance(mappings["_doc"], dict):
        mappings = mappings["_doc"]
    return TemplateBody(
        settings=None if settings is None else dict(normalized(flatten(settings))),
        mappings=None if mappings is None else dict(mappings),
        aliases=_aliases(members.get("aliases")),
        lifecycle=members.get("lifecycle"),
    )


def _aliases(given: Mapping[str, Any] | None) -> dict[str, dict[str, Any]] | None:
    if given is None:
        return None
    for name, alias in given.items():
        if not isinstance(alias, dict):
            raise ParseError(f"alias [{name}] must be an object")
    return dict(given)
