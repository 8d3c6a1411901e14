"""`_cluster/stats`: the cluster as a whole, how searches over other clusters went, and those clusters on request."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from sealane.cluster.node_reports import NodeReports
from sealane.model.node import NodeInfo, may_be_master
from sealane.model.usage import SearchUsage
from sealane.rest.human import is_for_people, with_texts
from sealane.rest.node_answers import nodes_header, reports_of, timeout_of
from sealane.rest.node_choice import chosen_nodes
from sealane.rest.params import boolean, time_ms
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route, no_indices
from sealane.rest.services import Services
from sealane.search.cluster_stats import ClusterTotals, IndexTotals, RemoteFigures, RemoteTotals
from sealane.search.usage import usage_json

USAGE = "search_usage"
"""The section of a node's report with its SearchUsage."""
_SECTIONS = ("os", "os_info", "process", "fs", USAGE)
_COUNTED_ROLES = (
    "data",
    "data_cold",
    "data_content",
    "data_frozen",
    "data_hot",
    "data_warm",
    "index",
    "ingest",
    "master",
    "ml",
    "remote_cluster_client",
    "search",
    "transform",
    "voting_only",
)
_UNAVAILABLE = "unavailable"

Report = tuple[NodeInfo, Mapping[str, Any]]


def routes(services: Services, totals: ClusterTotals, remotes: RemoteTotals) -> list[Route]:
    reports = NodeReports(lambda: services.fellows)

    async def stats(request: Request) -> Response:
        cluster = services.cluster
        nodes = chosen_nodes(cluster, request.path_params.get("node_id", ""))
        timeout_s = timeout_of(request)
        answers = await reports.collect(nodes, _SECTIONS, request.ctx, timeout_s=timeout_s)
        answered = reports_of(answers)
        holds_data = any(may_be_master(node.roles) for node, _ in answered)
        found = await totals.index_totals()
        body: dict[str, Any] = {
            "_nodes": nodes_header(answers),
            "cluster_name": cluster.identity.name,
            "cluster_uuid": cluster.identity.uuid,
            "timestamp": services.clock.now_ms(),
        }
        if any(node.id == cluster.master_id for node, _ in answered):
            body["status"] = found.status
        body["indices"] = _indices(found if holds_data else found.none(), services.build.number)
        body["nodes"] = _nodes(answered)
        body["ccs"] = {"_search": usage_json(_usage(answered))}
        if request.params.get("include_remotes", False):
            asked = await remotes.collect(request.ctx)
            body["ccs"]["clusters"] = {alias: _remote(each) for alias, each in asked.items()}
        return json_response(with_texts(body) if is_for_people(request) else body)

    return [
        Route(
            methods=("GET",),
            paths=("/_cluster/stats", "/_cluster/stats/nodes/{node_id}"),
            handler=stats,
            action="cluster:monitor/stats",
            indices=no_indices,
            params={"include_remotes": boolean, "timeout": time_ms},
        ),
    ]


def _indices(totals: IndexTotals, version: str) -> dict[str, Any]:
    count, figures = len(totals.primaries), totals.to_json()
    return {
        "count": count,
        "shards": _shards(totals.primaries),
        "docs": figures["docs"],
        "store": figures["store"],
        "versions": [
            {
                "version": version,
                "index_count": count,
                "primary_shard_count": totals.shards,
                "total_primary_bytes": totals.store_bytes,
            }
        ]
        if count
        else [],
    }


def _shards(primaries: Sequence[int]) -> dict[str, Any]:
    """Those that are on a node: a replica has none to be on."""
    if not primaries:
        return {}
    per_index = {
        "min": min(primaries),
        "max": max(primaries),
        "avg": sum(primaries) / len(primaries),
    }
    return {
        "total": sum(primaries),
        "primaries": sum(primaries),
        "replication": 0.0,
        "index": {
            "shards": per_index,
            "primaries": per_index,
            "replication": {"min": 0.0, "max": 0.0, "avg": 0.0},
        },
    }


def _nodes(answered: Sequence[Report]) -> dict[str, Any]:
    nodes = [node for node, _ in answered]
    count = {role: sum(role in node.roles for node in nodes) for role in _COUNTED_ROLES}
    for tier in [role for role in _COUNTED_ROLES if role.startswith("data_")]:
        count[tier] = sum(tier in node.roles or "data" in node.roles for node in nodes)
    only = sum(not node.roles for node in nodes)
    return {
        "count": {"total": len(nodes), "coordinating_only": only, **count},
        "versions": sorted({node.version for node in nodes}),
        "os": _os([report for _, report in answered]),
        "process": _process([report["process"] for _, report in answered if "process" in report]),
        "fs": _sums(
            [report["fs"]["total"] for _, report in answered if "total" in report.get("fs", {})],
            ("total_in_bytes", "free_in_bytes", "available_in_bytes"),
        ),
        "plugins": [],
    }


def _os(reports: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    infos = [report["os_info"] for report in reports if "os_info" in report]
    memory = _sums(
        [report["os"]["mem"] for report in reports if "mem" in report.get("os", {})],
        ("total_in_bytes", "adjusted_total_in_bytes", "free_in_bytes", "used_in_bytes"),
    )
    total = memory["total_in_bytes"]
    for part in ("free", "used"):
        share = memory[f"{part}_in_bytes"] / total if total else 0
        memory[f"{part}_percent"] = round(100 * share)
    return {
        **_sums(infos, ("available_processors", "allocated_processors")),
        "names": _counted("name", infos, "name"),
        "pretty_names": _counted("pretty_name", infos, "pretty_name"),
        "architectures": _counted("arch", infos, "arch"),
        "mem": memory,
    }


def _process(processes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    opened = [
        each["open_file_descriptors"] for each in processes if "open_file_descriptors" in each
    ]
    return {
        "cpu": {"percent": sum(each["cpu"]["percent"] for each in processes)},
        "open_file_descriptors": {
            "min": min(opened, default=0),
            "max": max(opened, default=0),
            "avg": sum(opened) // len(opened) if opened else 0,
        },
    }


def _sums(parts: Sequence[Mapping[str, Any]], names: Sequence[str]) -> dict[str, Any]:
    return {name: sum(part.get(name, 0) for part in parts) for name in names}


def _counted(name: str, parts: Sequence[Mapping[str, Any]], key: str) -> list[dict[str, Any]]:
    counts = Counter(part[key] for part in parts if key in part)
    return [{name: text, "count": count} for text, count in counts.items()]


def _usage(answered: Sequence[Report]) -> SearchUsage:
    whole = SearchUsage()
    for _, report in answered:
        if USAGE in report:
            whole.merge(msgspec.convert(report[USAGE], SearchUsage, str_keys=True))
    return whole


def _remote(figures: RemoteFigures) -> dict[str, Any]:
    traits, stats = figures.traits, figures.stats
    return {
        "cluster_uuid": stats.cluster_uuid if stats else _UNAVAILABLE,
        "mode": traits.mode,
        "skip_unavailable": traits.skip_unavailable,
        "transport.compress": traits.compress,
        "status": stats.status if stats else _UNAVAILABLE,
        "version": list(stats.versions) if stats else [],
        "nodes_count": stats.nodes if stats else 0,
        "shards_count": stats.shards if stats else 0,
        "indices_count": stats.indices if stats else 0,
        "indices_total_size_in_bytes": stats.indices_bytes if stats else 0,
        "max_heap_in_bytes": stats.heap_max_bytes if stats else 0,
        "mem_total_in_bytes": stats.memory_bytes if stats else 0,
    }
