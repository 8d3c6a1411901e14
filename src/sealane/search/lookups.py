"""Queries that name a document to take their terms from: replaced by those terms before any cluster is asked.

So all clusters look for the same. The documents are this cluster's; one that is missing has no terms. A request without
such a query is never looked at here: `SearchBody.lookups` tells.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any

from sealane.errors import ActionRequestValidation, IllegalArgument, IndexNotFound
from sealane.model.search import IndicesOptions, SearchRequest
from sealane.model.task import Context
from sealane.query import decode, parse_search_body
from sealane.query.any_json import dumps
from sealane.search.client_search import ClientSearch
from sealane.search.protocols import LocalClient

LookUp = Callable[[str, str, str | None, Context], Awaitable[bytes | None]]
"""The source of a document of this cluster by index, id and routing; None where there is none."""

_LOOKUP = frozenset(("index", "id", "path"))
_MAX_LOOKUPS = 1024


async def with_lookups(request: ClientSearch, look_up: LookUp, ctx: Context) -> ClientSearch:
    """The request with the terms in place of the documents. Raises what looking a document up raises."""
    body = decode(request.body.raw)
    found = _Found(look_up, ctx)
    for members, field in list(_terms_lookups(body)):
        lookup = members[field]
        source = await found.document(lookup["index"], lookup["id"], lookup.get("routing"))
        members[field] = list(_values(source, lookup["path"].split(".")))
    only = request.expressions[0] if len(request.expressions) == 1 else None
    for container, key in list(_like_queries(body)):
        container[key] = await _likened(container[key], only, found)
    resolved = replace(parse_search_body(dumps(body)), lookups=False)
    return replace(request, body=resolved)


class _Found:
    """The documents of one request, each looked up once."""

    def __init__(self, look_up: LookUp, ctx: Context) -> None:
        self._look_up = look_up
        self._ctx = ctx
        self._kept: dict[tuple[str, str, str | None], Any] = {}

    async def document(self, index: str, doc_id: str, routing: str | None) -> Any:
        """The JSON of a document; None where there is none."""
        key = (index, doc_id, routing)
        if key not in self._kept:
            if len(self._kept) >= _MAX_LOOKUPS:
                raise IllegalArgument(f"more than [{_MAX_LOOKUPS}] documents to take terms from")
            source = await _document(key, self._look_up, self._ctx)
            self._kept[key] = None if source is None else decode(source)
        return self._kept[key]


async def _likened(query: dict[str, Any], only: str | None, found: _Found) -> dict[str, Any]:
    """A more_like_this with documents of this cluster in place of their ids, and those left out of what it finds.

    An item without an index is of the index that is searched, if that is one of this cluster; what remains is looked
    for by each shard among its own.
    """
    members = dict(query["more_like_this"])
    left_out: list[str] = []
    for name in ("like", "unlike"):
        items = members.get(name)
        if not isinstance(items, list):
            items = [] if items is None else [items]
        taken = []
        for item in items:
            index = item.get("_index", only) if isinstance(item, dict) and "_id" in item else None
            if index is not None and not any(char in index for char in ":*,<"):
                doc_id = str(item["_id"])
                routing = item.get("routing", item.get("_routing"))
                source = await found.document(index, doc_id, routing)
                if source is not None:
                    if name == "like":
                        left_out.append(doc_id)
                    kept = {"doc": source} | {k: item[k] for k in ("fields",) if k in item}
                    taken.append(kept)
                    continue
            taken.append(item)
        if taken:
            members[name] = taken
    whole = {"more_like_this": members}
    if not left_out or members.get("include") in (True, "true"):
        return whole
    return {"bool": {"must": [whole], "must_not": [{"ids": {"values": left_out}}]}}


def _like_queries(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each more_like_this query: what holds it, and under which key."""
    members = enumerate(value) if isinstance(value, list) else value.items()
    for key, item in members:
        if isinstance(item, dict) and isinstance(item.get("more_like_this"), dict):
            yield value, key
        elif isinstance(item, dict | list):
            yield from _like_queries(item)


def _terms_lookups(value: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """Each terms query that names a document: its members, and the field whose terms it looks for."""
    if isinstance(value, list):
        for item in value:
            yield from _terms_lookups(item)
    elif isinstance(value, dict):
        members = value.get("terms")
        if isinstance(members, dict):
            for field, lookup in members.items():
                if isinstance(lookup, dict) and lookup.keys() >= _LOOKUP:
                    yield members, field
        for item in value.values():
            yield from _terms_lookups(item)


def _values(value: Any, path: list[str]) -> Iterator[Any]:
    """The scalars at a path, those of arrays and of objects in arrays too. A name may itself hold dots."""
    if isinstance(value, list):
        for item in value:
            yield from _values(item, path)
    elif not path:
        if value is not None and not isinstance(value, dict):
            yield value
    elif isinstance(value, dict):
        for taken in range(1, len(path) + 1):
            name = ".".join(path[:taken])
            if name in value:
                yield from _values(value[name], path[taken:])


async def _document(
    key: tuple[str, str, str | None], look_up: LookUp, ctx: Context
) -> bytes | None:
    index, doc_id, routing = key
    if ":" in index:
        raise IllegalArgument(
            "Cross-cluster calls are not supported in this context but remote indices were "
            f"requested: [{index}]"
        )
    if not doc_id:
        raise ActionRequestValidation(["id is missing"])
    if not index or "*" in index or "," in index:
        raise IndexNotFound(index)
    return await look_up(index, doc_id, routing, ctx)


def by_search(local: LocalClient) -> LookUp:
    """Looks documents up by searching for them: where documents themselves are not at hand, on a node without data.

    Sees what the last refresh made visible.
    """
    options = IndicesOptions(allow_no_indices=False, expand_open=False)

    async def look_up(index: str, doc_id: str, routing: str | None, ctx: Context) -> bytes | None:
        query = {"query": {"ids": {"values": [doc_id]}}, "size": 1}
        found, _ = await local.search(
            SearchRequest(
                indices=(index,),
                body=parse_search_body(dumps(query)),
                options=options,
                from_=0,
                size=1,
                final_reduce=True,
                routing=() if routing is None else (routing,),
            ),
            ctx,
        )
        return found.hits[0].source if found.hits else None

    return look_up
