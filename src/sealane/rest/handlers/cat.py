"""`_cat`: tables for people."""

from datetime import UTC, datetime

from sealane.cluster.views import IndexView
from sealane.errors import (
    IllegalArgument,
    IndexNotFound,
    NoShardAvailable,
)
from sealane.rest.cat_count import COUNT_PATHS
from sealane.rest.cat_table import Cell, Column, Size, Table, cat_response, cat_route, ratio_text
from sealane.rest.expressions import OPEN_AND_CLOSED, PERMISSIVE, options_of
from sealane.rest.handlers import cat_nodes
from sealane.rest.health import COLORS, health_of, index_health, is_data_node
from sealane.rest.params import INDICES_OPTIONS, boolean
from sealane.rest.request import TEXT, Request, Response
from sealane.rest.router import Route
from sealane.rest.services import Services

INDICES = (
    Column(name="health", aliases=("h",), help="current health status"),
    Column(name="status", aliases=("s",), help="open/close status"),
    Column(name="index", aliases=("i", "idx"), help="index name"),
    Column(name="uuid", aliases=("id", "uuid"), help="index uuid"),
    Column(
        name="pri",
        aliases=("p", "shards.primary", "shardsPrimary"),
        help="number of primary shards",
        right=True,
    ),
    Column(
        name="rep",
        aliases=("r", "shards.replica", "shardsReplica"),
        help="number of replica shards",
        right=True,
    ),
    Column(name="docs.count", aliases=("dc", "docsCount"), help="available docs", right=True),
    Column(name="docs.deleted", aliases=("dd", "docsDeleted"), help="deleted docs", right=True),
    Column(
        name="creation.date",
        aliases=("cd",),
        help="index creation date (millisecond value)",
        default=False,
    ),
    Column(
        name="creation.date.string",
        aliases=("cds",),
        help="index creation date (as string)",
        default=False,
    ),
    Column(
        name="store.size",
        aliases=("ss", "storeSize"),
        help="store size of primaries & replicas",
        right=True,
    ),
    Column(name="pri.store.size", help="store size of primaries", right=True),
    Column(name="dataset.size", help="total size of dataset", right=True),
)
HEALTH = (
    Column(name="epoch", aliases=("t", "time"), help="seconds since 1970-01-01 00:00:00"),
    Column(name="timestamp", aliases=("ts", "hms", "hhmmss"), help="time in HH:MM:SS"),
    Column(name="cluster", aliases=("cl",), help="cluster name"),
    Column(name="status", aliases=("st",), help="health status"),
    Column(
        name="node.total", aliases=("nt", "nodeTotal"), help="total number of nodes", right=True
    ),
    Column(
        name="node.data",
        aliases=("nd", "nodeData"),
        help="number of nodes that can store data",
        right=True,
    ),
    Column(
        name="shards",
        aliases=("t", "sh", "shards.total", "shardsTotal"),
        help="total number of shards",
        right=True,
    ),
    Column(
        name="pri",
        aliases=("p", "shards.primary", "shardsPrimary"),
        help="number of primary shards",
        right=True,
    ),
    Column(
        name="relo",
        aliases=("r", "shards.relocating", "shardsRelocating"),
        help="number of relocating nodes",
        right=True,
    ),
    Column(
        name="init",
        aliases=("i", "shards.initializing", "shardsInitializing"),
        help="number of initializing nodes",
        right=True,
    ),
    Column(
        name="unassign",
        aliases=("u", "shards.unassigned", "shardsUnassigned"),
        help="number of unassigned shards",
        right=True,
    ),
    Column(
        name="unassign.pri",
        aliases=("up", "shards.unassigned.primary", "shardsUnassignedPrimary"),
        help="number of unassigned primary shards",
        right=True,
    ),
    Column(
        name="pending_tasks",
        aliases=("pt", "pendingTasks"),
        help="number of pending tasks",
        right=True,
    ),
    Column(
        name="max_task_wait_time",
        aliases=("mtwt", "maxTaskWaitTime"),
        help="wait time of longest task pending",
        right=True,
    ),
    Column(
        name="active_shards_percent",
        aliases=("asp", "activeShardsPercent"),
        help="active number of shards in percent",
        right=True,
    ),
)


def _health(name: str, text: str) -> str:
    if text.lower() not in COLORS:
        raise IllegalArgument(f"unknown cluster health status [{text}]")
    return text.lower()


def routes(services: Services) -> list[Route]:
    async def indices(request: Request) -> Response:
        found = services.indices.find(request.indices, options_of(request.params, OPEN_AND_CLOSED))
        wanted = request.params.get("health")
        table = Table(INDICES)
        for index in found:
            cells = await _index_row(services, index)
            if cells is not None and (wanted is None or cells["health"] == wanted):
                table.rows.append(cells)
        return cat_response(table, request)

    async def health(request: Request) -> Response:
        columns = HEALTH[2:] if request.params.get("ts") is False else HEALTH
        return cat_response(Table(columns, [_health_row(services)]), request)

    tables = [
        cat_route(
            ("/_cat/indices", "/_cat/indices/{index}"),
            indices,
            "indices:monitor/settings/get",
            also=("cluster:monitor/state", "indices:monitor/stats"),
            **INDICES_OPTIONS,
            health=_health,
            pri=boolean,
            include_unloaded_segments=boolean,
        ),
        *cat_nodes.routes(services),
        cat_route(("/_cat/health",), health, "cluster:monitor/health"),
    ]
    paths = [*(path for route in tables for path in route.paths), *COUNT_PATHS]
    listing = "=^.^=\n" + "".join(f"{path}\n" for path in paths)

    async def overview(request: Request) -> Response:
        return Response(listing.encode(), content_type=TEXT)

    return [*tables, cat_route(("/_cat",), overview, "cluster:monitor/cat")]


async def _index_row(services: Services, index: IndexView) -> dict[str, Cell] | None:
    """None for an index deleted since it was found. One that could not be opened has no figures."""
    health = index_health(index, services.unopened())
    cells: dict[str, Cell] = {
        "health": health.status,
        "status": "open" if index.open else "close",
        "index": index.name,
        "uuid": index.uuid,
        "pri": index.shards,
        "rep": index.replicas,
        "creation.date": index.created_ms,
        "creation.date.string": _iso(index.created_ms),
    }
    if index.open:
        try:
            sizes = await services.indices.sizes(index)
        except NoShardAvailable:
            return cells
        except IndexNotFound:
            return None
        size = Size(sizes.store_bytes)
        cells |= {
            "docs.count": sizes.docs,
            "docs.deleted": sizes.deleted,
            "store.size": size,
            "pri.store.size": size,
            "dataset.size": size,
        }
    return cells


def _health_row(services: Services) -> dict[str, Cell]:
    nodes = services.cluster.nodes()
    health = health_of(services.indices.find((), PERMISSIVE), nodes, services.unopened())
    return {
        **_now(services),
        "cluster": services.cluster.identity.name,
        "status": health.status,
        "node.total": len(nodes),
        "node.data": sum(is_data_node(node) for node in nodes),
        "shards": health.active,
        "pri": health.active,
        "relo": 0,
        "init": health.initializing,
        "unassign": health.unassigned,
        "unassign.pri": health.unassigned_primaries,
        "pending_tasks": 0,
        "max_task_wait_time": "-",
        "active_shards_percent": ratio_text(health.active_percent),
    }


def _now(services: Services) -> dict[str, Cell]:
    now = datetime.fromtimestamp(services.clock.now_ms() / 1000, UTC)
    return {"epoch": int(now.timestamp()), "timestamp": now.strftime("%H:%M:%S")}


def _iso(ms: int) -> str:
    at = datetime.fromtimestamp(ms / 1000, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"
