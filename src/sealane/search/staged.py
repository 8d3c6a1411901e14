"""Searches that take several stages, each a search of its own: retrievers, nearest neighbours, the hits of groups.

The coordinator runs each of them; here is what leads to which. The last stage that looks for the answer's own hits is
the one whose progress is told.
"""

from sealane.search.client_search import ClientSearch
from sealane.search.group_hits import with_group_hits, without_group_hits
from sealane.search.neighbours import Search, with_neighbours
from sealane.search.outcome import SearchOutcome
from sealane.search.retrieval import search_by_retriever


async def search_in_stages(
    request: ClientSearch, search: Search, last: Search, step: Search
) -> SearchOutcome:
    """The outcome of a search whose body `has_stages`; its `took_ms` is left to the caller.

    `search` runs a stage, `last` the one that answers; `step` one that is counted as a part of another: as in the
    reference, the search for neighbours is one, those for the hits of groups and of retrievers are not. Raises what
    these raise.
    """
    body = request.body
    if body.has_group_hits:
        first = await search_in_stages_or_once(without_group_hits(request), search, last, step)
        return await with_group_hits(request, first, search)
    if body.retriever is not None:

        async def answer(each: ClientSearch) -> SearchOutcome:
            return await search_in_stages_or_once(each, search, last, step)

        return await search_by_retriever(request, search, answer)
    return await last(await with_neighbours(request, step))


async def search_in_stages_or_once(
    request: ClientSearch, search: Search, last: Search, step: Search
) -> SearchOutcome:
    """As `search_in_stages`, but also for a search of one stage."""
    if request.body.has_stages:
        return await search_in_stages(request, search, last, step)
    return await last(request)
