"""`_cat/count`: a search for everything, of which the total is shown. So it counts what whoever asks may see."""

from datetime import UTC, datetime
from typing import Final

from sealane.query import parse_search_body
from sealane.rest.cat_table import Cell, Column, Table, cat_response, cat_route
from sealane.rest.request import Request, Response
from sealane.rest.router import Route
from sealane.search.client_search import ClientSearch
from sealane.search.coordinator import SearchService

COUNT_PATHS: Final = ("/_cat/count", "/_cat/count/{index}")
_COLUMNS: Final = (
    Column(name="epoch", aliases=("t", "time"), help="seconds since 1970-01-01 00:00:00"),
    Column(name="timestamp", aliases=("ts", "hms", "hhmmss"), help="time in HH:MM:SS"),
    Column(name="count", aliases=("dc", "docs.count", "docsCount"), help="the document count"),
)
_EVERYTHING: Final = b'{"size":0,"track_total_hits":true}'


def count_route(service: SearchService) -> Route:
    """With and without an index. Raises as the search does."""

    async def count(request: Request) -> Response:
        wanted = ClientSearch(expressions=request.indices, body=parse_search_body(_EVERYTHING))
        total = (await service.search(wanted, request.ctx)).answer.total
        now = datetime.fromtimestamp(request.ctx.start_ms / 1000, UTC)
        row: dict[str, Cell] = {
            "epoch": int(now.timestamp()),
            "timestamp": now.strftime("%H:%M:%S"),
            "count": 0 if total is None else total.value,
        }
        columns = _COLUMNS[2:] if request.params.get("ts") is False else _COLUMNS
        return cat_response(Table(columns, [row]), request)

    return cat_route(COUNT_PATHS, count, "indices:data/read/search")
