"""`_search/template`, `_msearch/template` and `_render/template`: rendering, then a search like any other."""

import asyncio
from typing import Any

from sealane.cluster.scripts import StoredScripts
from sealane.errors import ApiError, TaskCancelled
from sealane.query.template_body import Template, read_template
from sealane.rest.handlers import scripts
from sealane.rest.msearch import CONCURRENT, MSEARCH_PARAMS, answer_item
from sealane.rest.msearch_items import Item, read_items
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route, no_indices, path_indices
from sealane.rest.search_params import SEARCH_PARAMS, UNSUGGESTED, client_search
from sealane.rest.search_response import render_search
from sealane.search.coordinator import SearchService
from sealane.search.fan_out import ask_all
from sealane.search.templates import SearchTemplates


def routes(stored: StoredScripts, service: SearchService) -> list[Route]:
    """Templates as they are used, and `_scripts`, where they are stored."""
    templates = SearchTemplates(stored)

    async def search(request: Request) -> Response:
        params = request.params
        body = await templates.render_search(read_template(request.body))
        wanted = client_search(request.indices, body, params)
        outcome = await service.search(wanted, request.ctx)
        return json_response(
            render_search(
                outcome,
                wanted.body,
                typed_keys=params.get("typed_keys", False),
                total_as_int=params.get("rest_total_hits_as_int", False),
            )
        )

    async def msearch(request: Request) -> Response:
        started = asyncio.get_running_loop().time()
        items = [(each, read_template(each.body)) for each in read_items(request)]

        async def answer(item: tuple[Item, Template]) -> dict[str, Any]:
            each, template = item
            try:
                body = await templates.render_search(template)
                wanted = client_search(each.indices, body, each.params)
            except TaskCancelled:
                raise
            except ApiError as error:
                return error.to_body()
            return await answer_item(service, wanted, request.ctx, request.params)

        responses = await ask_all(
            answer, items, at_a_time=request.params.get("max_concurrent_searches", CONCURRENT)
        )
        took = int((asyncio.get_running_loop().time() - started) * 1000)
        return json_response({"took": took, "responses": responses})

    async def render(request: Request) -> Response:
        template = read_template(request.body, request.path_params.get("id"))
        return json_response({"template_output": await templates.simulate(template)})

    return [
        *scripts.routes(stored),
        Route(
            methods=("GET", "POST"),
            paths=("/_search/template", "/{index}/_search/template"),
            handler=search,
            action="indices:data/read/search/template",
            indices=path_indices,
            params=SEARCH_PARAMS,
            unsuggested=UNSUGGESTED,
            body=True,
        ),
        Route(
            methods=("GET", "POST"),
            paths=("/_msearch/template", "/{index}/_msearch/template"),
            handler=msearch,
            action="indices:data/read/msearch/template",
            indices=path_indices,
            params=MSEARCH_PARAMS,
            body=True,
        ),
        Route(
            methods=("GET", "POST"),
            paths=("/_render/template", "/_render/template/{id}"),
            handler=render,
            action="indices:data/read/search/template",
            indices=no_indices,
            body=True,
        ),
    ]
