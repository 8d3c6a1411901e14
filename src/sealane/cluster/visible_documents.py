"""A document by its id, for somebody who may not see all documents of the index, or not all of their fields."""

from typing import Protocol

import msgspec
import orjson

from sealane.cluster.metadata import IndexMetadata
from sealane.engine.base import Reader, ShardSearch
from sealane.engine.embedded.routing import routing_shards, shard_of
from sealane.errors import Internal
from sealane.model.document import Document
from sealane.model.security import IndexLimits
from sealane.model.task import Context
from sealane.query import parse_search_body
from sealane.query.role_query import visible_query
from sealane.query.visible_source import visible_source


class Target(Protocol):
    """The index that is read from."""

    @property
    def metadata(self) -> IndexMetadata: ...


async def get_visible(
    reader: Reader,
    target: Target,
    limits: IndexLimits,
    doc_id: str,
    routing: str | None,
    realtime: bool,
    ctx: Context | None,
) -> Document | None:
    """What may be seen of a document; None where it is hidden as where there is none.

    Where documents are hidden it is looked for by a search, which sees what the last refresh made visible. Raises
    Internal without a context then, and what the search raises.
    """
    index = target.metadata
    if limits.queries:
        return await _search(reader, index, limits, doc_id, routing, ctx)
    found = await reader.get(index.uuid, doc_id, routing=routing, realtime=realtime)
    if found is None or limits.fields is None:
        return found
    return msgspec.structs.replace(found, source=visible_source(found.source, limits.fields))


async def _search(
    reader: Reader,
    index: IndexMetadata,
    limits: IndexLimits,
    doc_id: str,
    routing: str | None,
    ctx: Context | None,
) -> Document | None:
    if ctx is None:
        raise Internal("which documents may be seen depends on who asks")
    body = {
        "query": {"ids": {"values": [doc_id]}},
        "size": 1,
        "version": True,
        "seq_no_primary_term": True,
        "track_total_hits": False,
    }
    request = ShardSearch(
        index_name=index.name,
        body=parse_search_body(orjson.dumps(body)),
        size=1,
        now_ms=ctx.start_ms,
        documents=visible_query(limits.queries, ctx.subject),
        fields=limits.fields,
        request_cache=False,
    )
    total = routing_shards(index.shards, index.settings)
    shard = shard_of(routing or doc_id, index.shards, total)
    hits = (await reader.search(index.uuid, shard, request, ctx)).hits
    if not hits:
        return None
    hit = hits[0]
    assert hit.source is not None
    assert hit.version is not None
    assert hit.seq_no is not None
    assert hit.primary_term is not None
    return Document(
        id=hit.id,
        version=hit.version,
        seq_no=hit.seq_no,
        primary_term=hit.primary_term,
        source=hit.source,
        routing=hit.routing,
    )
