"""What may be seen of an index, in the engine's terms."""

from collections.abc import Iterable
from typing import NamedTuple

from sealane.cluster.resolve import ResolvedIndex
from sealane.model.dsl import MatchAll, Query, SearchBody
from sealane.model.security import FieldLimits, IndexLimits
from sealane.model.task import Context
from sealane.query.role_query import refuse_with_hidden_documents, visible_query


class Seen(NamedTuple):
    """Documents that a query matches, and of those some fields; None is all of them."""

    documents: Query | None = None
    fields: FieldLimits | None = None


_ALL = Seen()


def seen(limits: IndexLimits | None, ctx: Context) -> Seen:
    """For whoever asks. Raises ApiError for a query that cannot be read: then nothing may be seen."""
    if limits is None:
        return _ALL
    documents = visible_query(limits.queries, ctx.subject) if limits.queries else None
    return Seen(None if isinstance(documents, MatchAll) else documents, limits.fields)


def check_search(body: SearchBody, found: Iterable[ResolvedIndex]) -> None:
    """Raises RefusedUnderLimits for what a search may not ask of indices of which documents are hidden."""
    if body.suggest or body.profile:
        for each in found:
            if each.limits is not None and each.limits.queries:
                refuse_with_hidden_documents(body)
