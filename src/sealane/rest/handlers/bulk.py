"""`_bulk`."""

import asyncio

from sealane.model.dsl import SourceFilter
from sealane.rest.bulk_body import BulkDefaults, read_bulk
from sealane.rest.handlers.documents import WRITE_PARAMS, refresh_policy
from sealane.rest.handlers.write_answers import bulk_items
from sealane.rest.params import boolean, ignored, names, string
from sealane.rest.request import Request, Response
from sealane.rest.router import Route, path_indices
from sealane.rest.services import Services
from sealane.rest.source_filter import source_filter_of_params


def routes(services: Services) -> list[Route]:
    async def bulk(request: Request) -> Response:
        params = request.params
        started = asyncio.get_running_loop().time()
        returned: SourceFilter | None = source_filter_of_params(params) if params else None
        defaults = BulkDefaults(
            index=request.index,
            routing=params.get("routing"),
            require_alias=params.get("require_alias", False),
            require_data_stream=params.get("require_data_stream", False),
            pipeline=params.get("pipeline"),
            returned=returned,
        )
        refresh = refresh_policy(params)
        items = read_bulk(request.body, defaults)
        outcomes = await services.documents.bulk(items, refresh, request.ctx)
        failed, shown = bulk_items(items, outcomes, refresh)
        took = int((asyncio.get_running_loop().time() - started) * 1000)
        errors = "true" if failed else "false"
        return Response(f'{{"errors":{errors},"took":{took},"items":[{shown}]}}'.encode())

    return [
        Route(
            methods=("POST", "PUT"),
            paths=("/_bulk", "/{index}/_bulk"),
            handler=bulk,
            action="indices:data/write/bulk",
            indices=path_indices,
            params={
                **WRITE_PARAMS,
                "pipeline": string,
                "require_alias": boolean,
                "require_data_stream": boolean,
                "list_executed_pipelines": boolean,
                "include_source_on_error": ignored,
                "_source": string,
                "_source_includes": names,
                "_source_excludes": names,
                "type": ignored,
            },
            body=True,
        )
    ]
