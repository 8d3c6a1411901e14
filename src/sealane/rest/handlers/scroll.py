"""`_search/scroll`: the next page of a scroll, and closing scrolls. The first page is `_search` with `scroll`."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sealane.errors import ActionRequestValidation, IllegalArgument
from sealane.model.access import acting, demand
from sealane.query import decode
from sealane.query.cursor import text_of
from sealane.query.located import token
from sealane.rest.handlers.pit import freed_response
from sealane.rest.params import boolean, string, time_ms
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route, no_indices
from sealane.rest.search_response import render_search
from sealane.search.coordinator import SearchService
from sealane.search.scroll import read
from sealane.search.shard_phases import CLEAR_ALL_SCROLLS
from sealane.settings import parse_time

_ALL = "_all"


def routes(service: SearchService) -> list[Route]:
    async def next_page(request: Request) -> Response:
        started = asyncio.get_running_loop().time()
        scroll_id, keep_ms = _wanted(request)
        if not scroll_id:
            raise ActionRequestValidation(["scrollId is missing"])
        page = await service.scrolls.next(scroll_id, keep_ms, request.ctx)
        took_ms = int((asyncio.get_running_loop().time() - started) * 1000)
        return json_response(
            render_search(
                replace(page.outcome, took_ms=took_ms),
                page.body,
                total_as_int=request.params.get("rest_total_hits_as_int", False),
            )
        )

    async def clear(request: Request) -> Response:
        named = request.path_params.get("scroll_id", request.params.get("scroll_id", ""))
        ids: Sequence[str] = [each for each in named.split(",") if each]
        if request.body.strip():
            ids = _ids_of(request.body)
        if not ids:
            raise ActionRequestValidation(["no scroll ids specified"])
        if list(ids) == [_ALL]:
            demand(CLEAR_ALL_SCROLLS)
            with acting(CLEAR_ALL_SCROLLS):
                return freed_response(await service.scrolls.close_all(request.ctx))
        return freed_response(await service.scrolls.close(ids, request.ctx))

    paths = ("/_search/scroll", "/_search/scroll/{scroll_id}")
    return [
        Route(
            methods=("GET", "POST"),
            paths=paths,
            handler=next_page,
            action="indices:data/read/scroll",
            indices=_scrolled_indices,
            params={"rest_total_hits_as_int": boolean, "scroll": time_ms, "scroll_id": string},
            body=True,
        ),
        Route(
            methods=("DELETE",),
            paths=paths,
            handler=clear,
            action="indices:data/read/scroll/clear",
            indices=no_indices,
            params={"scroll_id": string},
            body=True,
        ),
    ]


def _scrolled_indices(request: Request) -> Sequence[str]:
    """Of which clusters the scroll has indices: its id does not say which indices."""
    scroll_id, _ = _wanted(request)
    try:
        held = read(scroll_id) if scroll_id else ()
    except IllegalArgument:
        return ()  # who may scroll is told so by the handler
    return tuple(f"{each.alias}:*" if each.alias else "*" for each in held)


def _wanted(request: Request) -> tuple[str, int | None]:
    """The scroll's id, and how long to keep it from now on. What the body says goes before the parameters."""
    scroll_id = request.path_params.get("scroll_id", request.params.get("scroll_id", ""))
    keep_ms: int | None = request.params.get("scroll")
    if not request.body.strip():
        return scroll_id, keep_ms
    for name, value in _members(request.body).items():
        if name == "scroll_id" and isinstance(value, str):
            scroll_id = value
        elif name == "scroll" and isinstance(value, str):
            keep_ms = parse_time(value, "scroll").ms
        else:
            raise _unknown(name, value)
    return scroll_id, keep_ms


def _ids_of(raw: bytes) -> list[str]:
    ids: list[str] = []
    for name, value in _members(raw).items():
        if name != "scroll_id" or value is None or isinstance(value, dict):
            raise _unknown(name, value)
        for each in value if isinstance(value, list) else [value]:
            if each is None or isinstance(each, dict | list):
                raise IllegalArgument("scroll_id array element should only contain scroll_id")
            ids.append(text_of(each))
    return ids


def _members(raw: bytes) -> dict[str, Any]:
    body = decode(raw)
    if not isinstance(body, dict):
        raise IllegalArgument("Malformed content, must start with an object")
    return body


def _unknown(name: str, value: Any) -> IllegalArgument:
    return IllegalArgument(
        f"Unknown parameter [{name}] in request body or parameter is of the wrong type[{token(value)}] "
    )
