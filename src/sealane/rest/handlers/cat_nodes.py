"""`_cat/nodes`, `_cat/master`, `_cat/nodeattrs`: the nodes of the cluster, as tables."""

from collections.abc import Mapping

import msgspec

from sealane.cluster.node_reports import NodeReports
from sealane.errors import ApiError
from sealane.model.node import ROLE_LETTERS, NodeInfo
from sealane.rest.cat_table import Cell, Column, Table, cat_response, cat_route
from sealane.rest.load import NodeLoad
from sealane.rest.params import boolean
from sealane.rest.request import Request, Response
from sealane.rest.router import Route
from sealane.rest.services import NodeServices

LOAD = "load"
"""The section of a node's report with its NodeLoad."""
_LOAD_TIMEOUT_S = 1.0
"""A node that does not say how busy it is in this time is shown without."""
_SHORT_ID = 4

NODES = (
    Column(name="id", aliases=("id", "nodeId"), help="unique node id", default=False),
    Column(name="ip", aliases=("i",), help="ip address"),
    Column(name="port", aliases=("po",), help="bound transport port", default=False),
    Column(name="http_address", aliases=("http",), help="bound http address", default=False),
    Column(name="version", aliases=("v",), help="es version", default=False),
    Column(name="heap.percent", aliases=("hp", "heapPercent"), help="used heap ratio", right=True),
    Column(
        name="ram.percent",
        aliases=("rp", "ramPercent"),
        help="used machine memory ratio",
        right=True,
    ),
    Column(name="cpu", aliases=("cpu",), help="recent cpu usage", right=True),
    Column(name="load_1m", aliases=("l",), help="1m load avg", right=True),
    Column(name="load_5m", aliases=("l",), help="5m load avg", right=True),
    Column(name="load_15m", aliases=("l",), help="15m load avg", right=True),
    Column(
        name="node.role",
        aliases=("r", "role", "nodeRole"),
        help="m:master eligible node, d:data node, i:ingest node, -:coordinating node only",
    ),
    Column(name="master", aliases=("m",), help="*:current master"),
    Column(name="name", aliases=("n",), help="node name"),
)
MASTER = (
    Column(name="id", help="node id"),
    Column(name="host", aliases=("h",), help="host name"),
    Column(name="ip", help="ip address"),
    Column(name="node", aliases=("n",), help="node name"),
)
ATTRIBUTES = (
    Column(name="node", aliases=("name",), help="node name"),
    Column(name="id", aliases=("id", "nodeId"), help="unique node id", default=False),
    Column(name="host", aliases=("h",), help="host name"),
    Column(name="ip", aliases=("i",), help="ip address"),
    Column(name="port", aliases=("po",), help="bound transport port", default=False),
    Column(name="attr", aliases=("attr.name",), help="attribute description"),
    Column(name="value", aliases=("attr.value",), help="attribute value"),
)


def routes(services: NodeServices) -> list[Route]:
    """What every node answers, whether it holds data or not."""
    reports = NodeReports(lambda: services.fellows)

    async def nodes(request: Request) -> Response:
        loads = await _loads(services, reports, request)
        full_id = request.params.get("full_id", False)
        rows = [
            _node_row(services, node, loads.get(node.id, NodeLoad()), full_id=full_id)
            for node in services.cluster.nodes()
        ]
        return cat_response(Table(NODES, list(rows)), request)

    async def master(request: Request) -> Response:
        wanted = services.cluster.master_id
        found = next((node for node in services.cluster.nodes() if node.id == wanted), None)
        row: dict[str, Cell] = dict.fromkeys(("id", "host", "ip", "node"), "-")
        if found is not None:
            host = found.address.host
            row = {"id": found.id, "host": host, "ip": host, "node": found.name}
        return cat_response(Table(MASTER, [row]), request)

    async def attributes(request: Request) -> Response:
        rows: list[Mapping[str, Cell]] = [
            {
                "node": node.name,
                "id": node.id[:_SHORT_ID],
                "host": node.address.host,
                "ip": node.address.host,
                "port": node.address.port,
                "attr": name,
                "value": value,
            }
            for node in services.cluster.nodes()
            for name, value in node.attributes.items()
        ]
        return cat_response(Table(ATTRIBUTES, rows), request)

    return [
        cat_route(
            ("/_cat/nodes",),
            nodes,
            "cluster:monitor/state",
            also=("cluster:monitor/nodes/info", "cluster:monitor/nodes/stats"),
            full_id=boolean,
            include_unloaded_segments=boolean,
        ),
        cat_route(("/_cat/master",), master, "cluster:monitor/state"),
        cat_route(("/_cat/nodeattrs",), attributes, "cluster:monitor/state"),
    ]


async def _loads(
    services: NodeServices, reports: NodeReports, request: Request
) -> dict[str, NodeLoad]:
    """How busy each node is, by its id, as far as it says so in time."""
    local = services.cluster.local_node.id
    loads = {local: services.load()}
    others = [node for node in services.cluster.nodes() if node.id != local]
    for node, report in await reports.collect(
        others, (LOAD,), request.ctx, timeout_s=_LOAD_TIMEOUT_S
    ):
        if not isinstance(report, ApiError) and LOAD in report:
            loads[node.id] = msgspec.convert(report[LOAD], NodeLoad)
    return loads


def _node_row(
    services: NodeServices, node: NodeInfo, load: NodeLoad, *, full_id: bool
) -> dict[str, Cell]:
    cluster = services.cluster
    one, five, fifteen = load.load or (None, None, None)
    return {
        "id": node.id if full_id else node.id[:_SHORT_ID],
        "ip": node.address.host,
        "port": node.address.port,
        "http_address": cluster.http_address(node.id),
        "version": node.version,
        "heap.percent": load.memory_percent,
        "ram.percent": load.ram_percent,
        "cpu": load.cpu_percent,
        "load_1m": _two_digits(one),
        "load_5m": _two_digits(five),
        "load_15m": _two_digits(fifteen),
        "node.role": "".join(sorted(ROLE_LETTERS.get(role, "") for role in node.roles)) or "-",
        "master": "*" if node.id == cluster.master_id else "-",
        "name": node.name,
    }


def _two_digits(value: float | None) -> str | None:
    return None if value is None else f"{value:.2f}"
