"""APIs of the reference that this node does not serve, each refused with what to use instead.

Without these routes their paths would be taken for names of indices and documents, and the answer would mislead.
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from sealane.errors import IllegalArgument
from sealane.rest.params import Parser, ignored
from sealane.rest.request import Request, Response
from sealane.rest.router import Route, no_indices, path_indices


class _AnyParameter(Mapping[str, Parser]):
    """Knows every parameter: what is refused as a whole is not judged in its parts."""

    def __getitem__(self, name: str) -> Parser:
        return ignored

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


class Refused(NamedTuple):
    """`instead` ends the sentence `use ...`."""

    api: str
    methods: tuple[str, ...]
    paths: tuple[str, ...]
    instead: str


_GET_POST: Final = ("GET", "POST")
_SORTED: Final = "[_search] with a [bool] query, sorted by time"
_AGGREGATED: Final = "[_search] with a query and aggregations"

REFUSED: Final = (
    Refused("_eql/search", _GET_POST, ("/{index}/_eql/search",), _SORTED),
    Refused("_eql/search", ("GET", "DELETE"), ("/_eql/search/{id}",), _SORTED),
    Refused("_eql/search/status", ("GET",), ("/_eql/search/status/{id}",), _SORTED),
    Refused("_query", ("POST",), ("/_query", "/_query/async"), _AGGREGATED),
    Refused("_query/async", ("GET", "DELETE"), ("/_query/async/{id}",), _AGGREGATED),
    Refused("_query/async/stop", ("POST",), ("/_query/async/{id}/stop",), _AGGREGATED),
    Refused("_sql", _GET_POST, ("/_sql", "/_sql/translate"), _AGGREGATED),
    Refused("_sql/close", ("POST",), ("/_sql/close",), _AGGREGATED),
    Refused("_sql/async", ("GET",), ("/_sql/async/{id}", "/_sql/async/status/{id}"), _AGGREGATED),
    Refused("_sql/async/delete", ("DELETE",), ("/_sql/async/delete/{id}",), _AGGREGATED),
    Refused(
        "_graph/explore",
        _GET_POST,
        ("/{index}/_graph/explore",),
        "[_search] with [significant_terms] or [terms] aggregations",
    ),
    Refused(
        "_mvt",
        _GET_POST,
        ("/{index}/_mvt/{field}/{zoom}/{x}/{y}",),
        "[_search] with a [geotile_grid] aggregation",
    ),
    Refused(
        "_rank_eval",
        _GET_POST,
        ("/_rank_eval", "/{index}/_rank_eval"),
        "[_msearch] with the queries to rate",
    ),
    Refused(
        "_scripts/painless/_execute",
        _GET_POST,
        ("/_scripts/painless/_execute",),
        "queries and aggregations without scripts",
    ),
)


def routes() -> list[Route]:
    return [_route(each) for each in REFUSED]


def _route(refused: Refused) -> Route:
    async def refuse(request: Request) -> Response:
        raise IllegalArgument(
            f"[{refused.api}] is not supported by this version, use {refused.instead} instead"
        )

    return Route(
        methods=refused.methods,
        paths=refused.paths,
        handler=refuse,
        action="indices:data/read/" + refused.api.strip("_"),
        indices=path_indices if "{index}" in refused.paths[-1] else no_indices,
        params=_AnyParameter(),
        body=True,
    )
