"""Hits of a query phase that is apart from the fetch phase: where the documents are, and what they are ranked by.

What is shown of a document is read by `fetch`, of those alone that win over all shards.
"""

from collections.abc import Sequence

import tantivy

from sealane.engine.base import FoundDoc, ShardSearch
from sealane.engine.embedded.search.collect import Plan
from sealane.engine.embedded.search.rank import Row
from sealane.engine.embedded.view import SEQ_NO
from sealane.reduce.partial import Hit

_DOC_BITS = 32


def bare_hits(rows: list[Row], plan: Plan) -> list[Hit]:
    """One hit for each row. Index and shard are left out: whoever asked the shard knows them."""
    keys = plan.keys if not plan.by_score else None
    return [
        Hit(
            index="",
            id="",
            score=row.score,
            sort=None
            if keys is None
            else [key.shown(value) for key, value in zip(keys, row.values, strict=True)],
            group=row.group,
            doc=row.address.segment_ord << _DOC_BITS | row.address.doc,
        )
        for row in rows
    ]


def rows_of(docs: Sequence[FoundDoc], plan: Plan, request: ShardSearch) -> list[Row]:
    """The rows of documents that were found before, in the same view. Their sort values are not known any more."""
    addresses = [
        tantivy.DocAddress(each.doc >> _DOC_BITS, each.doc & (1 << _DOC_BITS) - 1) for each in docs
    ]
    numbers = plan.scope.state.view.searcher.fast_field_values(SEQ_NO, addresses)
    unknown: list[None] = [None] * (0 if plan.by_score else len(plan.keys))
    return [
        Row(list(unknown), address, int(number or 0), each.score, each.group)
        for each, address, number in zip(docs, addresses, numbers, strict=True)
    ]
