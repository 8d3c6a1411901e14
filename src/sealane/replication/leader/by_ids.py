"""Live documents of one shard by their ids, for an older leader that returns to what it was.

An id alone tells of no shard where routing was given, so each is looked up by a routing that leads to the shard asked.
"""

import asyncio
from collections.abc import Sequence
from itertools import count
from typing import Final, Protocol

from sealane.cluster.metadata import IndexMetadata
from sealane.engine.embedded.routing import routing_shards, shard_of
from sealane.model.document import Document, Operation, OpKind
from sealane.settings.index_settings import INDEX_REGISTRY

_AT_ONCE: Final = 100
"""Look-ups between which the loop does other things."""
_ENTRY_BYTES: Final = 50


class Gets(Protocol):
    async def get(
        self, index_uuid: str, doc_id: str, *, routing: str | None = None, realtime: bool = True
    ) -> Document | None: ...


async def documents_by_ids(
    engine: Gets, index: IndexMetadata, shard: int, ids: Sequence[str], max_bytes: int
) -> tuple[list[Operation], int]:
    """The operations that made them (`wall_ms` 0), and how many of the ids these are all of: about `max_bytes`, and at
    least one id.
    """
    routing = _routing_to(index, shard)
    found: list[Operation] = []
    size = 0
    for number, doc_id in enumerate(ids, 1):
        document = await engine.get(index.uuid, doc_id, routing=routing)
        if document is not None:
            found.append(_operation(document))
            size += len(document.source) + len(doc_id) + _ENTRY_BYTES
            if size >= max_bytes:
                return found, number
        if number % _AT_ONCE == 0:
            await asyncio.sleep(0)
    return found, len(ids)


def _routing_to(index: IndexMetadata, shard: int) -> str:
    """Some routing whose documents are in that shard."""
    settings = INDEX_REGISTRY.defaults(index.settings).merged(index.settings)
    places = routing_shards(index.shards, settings)
    return next(text for text in map(str, count()) if shard_of(text, index.shards, places) == shard)


def _operation(document: Document) -> Operation:
    return Operation(
        document.seq_no,
        document.primary_term,
        document.version,
        OpKind.INDEX,
        document.id,
        document.routing,
        document.source,
        0,
    )
