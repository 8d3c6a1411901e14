"""Single documents: `_doc`, `_create`, `_update`, `_source`, `_mget`."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from sealane.cluster.documents import BulkItem, Refresh
from sealane.errors import (
    ActionRequestValidation,
    ApiError,
    IllegalArgument,
    ResourceNotFound,
)
from sealane.model.access import acting
from sealane.model.document import OpType, VersionType, WriteOp
from sealane.model.dsl import WHOLE_SOURCE
from sealane.query.source import filter_source
from sealane.rest.bodies import clean_source, not_xcontent, require_body
from sealane.rest.handlers.write_answers import found_body, status_of, write_body
from sealane.rest.mget_body import read_mget
from sealane.rest.params import (
    BODY_AS_PARAMETER,
    active_shards,
    boolean,
    ignored,
    integer,
    long,
    names,
    string,
    time_ms,
)
from sealane.rest.request import Request, Response
from sealane.rest.router import Route, no_indices, path_indices
from sealane.rest.services import Services
from sealane.rest.source_filter import NO_SOURCE, source_filter_of_params
from sealane.rest.update_body import read_update, refuse_script
from sealane.rest.write_rules import item_problems, version_type_of


def _refresh(name: str, text: str) -> Refresh:
    if text == "":
        return Refresh.NOW
    try:
        return Refresh(text)
    except ValueError as error:
        raise IllegalArgument(f"Unknown value for refresh: [{text}].") from error


def _op_type(name: str, text: str) -> OpType:
    if text not in ("index", "create"):
        raise IllegalArgument(f"opType must be 'create' or 'index', found: [{text}]")
    return OpType(text)


def _version_type(name: str, text: str) -> VersionType:
    return version_type_of(text)


WRITE_PARAMS = {
    "refresh": _refresh,
    "routing": string,
    "timeout": time_ms,
    "wait_for_active_shards": active_shards,
}
_CONDITIONS = {"if_seq_no": long, "if_primary_term": long, "version": long}
_SOURCE = {"_source": string, "_source_includes": names, "_source_excludes": names}
_READ = {
    **_SOURCE,
    "preference": ignored,
    "realtime": boolean,
    "refresh": boolean,
    "routing": string,
    "version": long,
    "version_type": _version_type,
    "force_synthetic_source": ignored,
}
_INDEX = {
    **WRITE_PARAMS,
    **_CONDITIONS,
    "version_type": _version_type,
    "op_type": _op_type,
    "pipeline": string,
    "require_alias": boolean,
    "require_data_stream": boolean,
    "include_source_on_error": ignored,
}


def refresh_policy(params: Mapping[str, Any]) -> Refresh:
    policy: Refresh = params.get("refresh", Refresh.NO)
    return policy


_MGET_SHARD = "indices:data/read/mget[shard]"
"""What each document of `_mget` is judged by."""


def routes(services: Services) -> list[Route]:
    return [*_writes(services), *_reads(services)]


def _writes(services: Services) -> list[Route]:
    async def index(request: Request) -> Response:
        item = _index_item(request, request.params.get("op_type", OpType.INDEX))
        return await _write(services, item, request)

    async def create(request: Request) -> Response:
        return await _write(services, _index_item(request, OpType.CREATE), request)

    async def delete(request: Request) -> Response:
        op = _write_op(request, OpType.DELETE, None)
        item = BulkItem(action="delete", index=request.index, op=op)
        return await _write(services, item, request)

    async def update(request: Request) -> Response:
        params = request.params
        op, problems, scripted = read_update(
            request.body,
            request.path_params["id"],
            retry_on_conflict=params.get("retry_on_conflict", 0),
            routing=params.get("routing"),
            if_seq_no=params.get("if_seq_no"),
            if_primary_term=params.get("if_primary_term"),
            returned=source_filter_of_params(params),
            as_upsert=params.get("doc_as_upsert", False),
            versioned=params.get("version_type", VersionType.INTERNAL) is not VersionType.INTERNAL
            or "version" in params,
        )
        if problems:
            raise ActionRequestValidation(problems)
        if scripted:
            raise refuse_script()
        item = BulkItem(
            action="update",
            index=request.index,
            op=op,
            require_alias=params.get("require_alias", False),
        )
        return await _write(services, item, request)

    doc = ("/{index}/_doc/{id}",)
    return [
        Route(
            methods=("PUT", "POST"),
            paths=doc,
            handler=index,
            action="indices:data/write/index",
            indices=path_indices,
            params=_INDEX,
            body=True,
        ),
        Route(
            methods=("POST",),
            paths=("/{index}/_doc",),
            handler=index,
            action="indices:data/write/index",
            indices=path_indices,
            params=_INDEX,
            body=True,
        ),
        Route(
            methods=("PUT", "POST"),
            paths=("/{index}/_create/{id}",),
            handler=create,
            action="indices:data/write/index",
            indices=path_indices,
            params=_INDEX,
            body=True,
        ),
        Route(
            methods=("DELETE",),
            paths=doc,
            handler=delete,
            action="indices:data/write/delete",
            indices=path_indices,
            params={**WRITE_PARAMS, **_CONDITIONS, "version_type": _version_type},
        ),
        Route(
            methods=("POST",),
            paths=("/{index}/_update/{id}",),
            handler=update,
            action="indices:data/write/update",
            indices=path_indices,
            params={
                **WRITE_PARAMS,
                **_CONDITIONS,
                **_SOURCE,
                "retry_on_conflict": integer,
                "require_alias": boolean,
                "doc_as_upsert": boolean,
                "version_type": _version_type,
                "lang": ignored,
                "include_source_on_error": ignored,
            },
            body=True,
        ),
    ]


def _reads(services: Services) -> list[Route]:
    async def get(request: Request) -> Response:
        doc_id = request.path_params["id"]
        name, found = await _get(services, request, doc_id)
        wanted = source_filter_of_params(request.params)
        if wanted is None:
            wanted = NO_SOURCE if request.params.get("stored_fields") else WHOLE_SOURCE
        return Response(found_body(name, doc_id, found, wanted), 404 if found is None else 200)

    async def source(request: Request) -> Response:
        doc_id = request.path_params["id"]
        wanted = source_filter_of_params(request.params) or WHOLE_SOURCE
        if not wanted.enabled:
            raise ActionRequestValidation(["fetching source can not be disabled"])
        name, found = await _get(services, request, doc_id)
        if found is None:
            raise ResourceNotFound(f"Document not found [{name}]/[{doc_id}]")
        return Response(filter_source(found.source, (wanted,)))

    async def mget(request: Request) -> Response:
        shown = []
        for wanted in read_mget(request.body, request.index, request.params):
            try:
                with acting(_MGET_SHARD):
                    name, found = await services.documents.get(
                        wanted.index,
                        wanted.id,
                        routing=wanted.routing,
                        realtime=request.params.get("realtime", True),
                        refresh=request.params.get("refresh", False),
                        version=wanted.version,
                        ctx=request.ctx,
                    )
            except ApiError as error:
                shown.append(wanted.failed(error))
            else:
                shown.append(found_body(name, wanted.id, found, wanted.source))
        return Response(b'{"docs":[' + b",".join(shown) + b"]}")

    return [
        Route(
            methods=("GET", "HEAD"),
            paths=("/{index}/_doc/{id}",),
            handler=get,
            action="indices:data/read/get",
            indices=path_indices,
            params={**_READ, "stored_fields": names},
        ),
        Route(
            methods=("GET", "HEAD"),
            paths=("/{index}/_source/{id}",),
            handler=source,
            action="indices:data/read/get",
            indices=path_indices,
            params=_READ,
        ),
        Route(
            methods=("GET", "POST"),
            paths=("/_mget", "/{index}/_mget"),
            handler=mget,
            action="indices:data/read/mget",
            indices=lambda request: path_indices(request) if request.index else no_indices(request),
            params={
                **_SOURCE,
                **BODY_AS_PARAMETER,
                "preference": ignored,
                "realtime": boolean,
                "refresh": boolean,
                "routing": string,
                "stored_fields": names,
                "force_synthetic_source": ignored,
            },
            body=True,
            check=lambda request: read_mget(request.body, request.index, request.params),
        ),
    ]


async def _get(services: Services, request: Request, doc_id: str) -> tuple[str, Any]:
    params = request.params
    return await services.documents.get(
        request.index,
        doc_id,
        routing=params.get("routing"),
        realtime=params.get("realtime", True),
        refresh=params.get("refresh", False),
        version=params.get("version"),
        ctx=request.ctx,
    )


def _index_item(request: Request, op_type: OpType) -> BulkItem:
    body = require_body(request.body)
    if body.lstrip()[:1] != b"{":
        raise not_xcontent()
    pipeline = request.params.get("pipeline")
    if pipeline not in (None, "_none"):
        raise IllegalArgument(f"pipeline with id [{pipeline}] does not exist")
    op = _write_op(request, op_type, clean_source(body))
    return BulkItem(
        action=op_type.value,
        index=request.index,
        op=op,
        require_alias=request.params.get("require_alias", False),
        require_data_stream=request.params.get("require_data_stream", False),
    )


def _write_op(request: Request, op_type: OpType, source: bytes | None) -> WriteOp:
    params = request.params
    doc_id = request.path_params.get("id")
    if doc_id is None and "op_type" not in params:
        op_type = OpType.CREATE if params.get("if_seq_no") is None else op_type
    op = WriteOp(
        op=op_type,
        id=doc_id,
        routing=params.get("routing"),
        source=source,
        if_seq_no=params.get("if_seq_no"),
        if_primary_term=params.get("if_primary_term"),
        version=params.get("version"),
        version_type=params.get("version_type", VersionType.INTERNAL),
    )
    problems = item_problems(op)
    if problems:
        raise ActionRequestValidation(problems)
    return op


async def _write(services: Services, item: BulkItem, request: Request) -> Response:
    refresh = refresh_policy(request.params)
    outcome = await services.documents.write(item, refresh, request.ctx)
    result = outcome.result
    assert not isinstance(result, ApiError)
    status = status_of(result)
    headers: tuple[tuple[bytes, bytes], ...] = ()
    if status == 201:
        where = f"/{quote(outcome.index, safe='')}/_doc/{quote(result.id, safe='')}"
        if item.op.routing is not None:
            where += f"?routing={quote(item.op.routing, safe='')}"
        headers = ((b"Location", where.encode()),)
    return Response(write_body(item, outcome, refresh), status, headers=headers)
