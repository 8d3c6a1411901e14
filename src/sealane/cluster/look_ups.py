"""Documents that queries take their terms from."""

from collections.abc import Awaitable, Callable

from sealane.cluster.documents import Documents
from sealane.model.task import Context


def looked_up_in(
    documents: Documents,
) -> Callable[[str, str, str | None, Context], Awaitable[bytes | None]]:
    """Gives the source of a document as of now, refreshed or not; None where there is none.

    Raises IndexNotFound, and IllegalArgument for an alias of several indices.
    """

    async def look_up(index: str, doc_id: str, routing: str | None, ctx: Context) -> bytes | None:
        _, found = await documents.get(index, doc_id, routing=routing, ctx=ctx)
        return None if found is None else found.source

    return look_up
