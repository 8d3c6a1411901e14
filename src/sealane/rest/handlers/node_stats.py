"""`_nodes/stats`: what each node has counted since its start. Figures that a node does not have are left out."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sealane.cluster.node_reports import NodeReports
from sealane.errors import IllegalArgument
from sealane.rest.human import is_for_people, with_texts
from sealane.rest.node_answers import node_head, nodes_header, reports_of, timeout_of
from sealane.rest.node_choice import chosen_nodes
from sealane.rest.params import boolean, ignored, time_ms, with_suggestions
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route, no_indices
from sealane.rest.services import NodeServices
from sealane.search.cluster_stats import NO_INDICES

_OURS: Final = (
    "indices",
    "os",
    "process",
    "fs",
    "transport",
    "http",
    "discovery",
    "remote_clusters",
)
"""Sections that nodes report, in the reference's order; the last is not the reference's."""
_IF_NAMED: Final = ("certificates",)
"""Ours too, but not among all."""
_METRICS: Final = (
    *_OURS,
    *_IF_NAMED,
    "adaptive_selection",
    "allocations",
    "breaker",
    "indexing_pressure",
    "ingest",
    "jvm",
    "repositories",
    "script",
    "script_cache",
    "thread_pool",
)
_INDEX_METRICS: Final = (
    "bulk",
    "completion",
    "dense_vector",
    "docs",
    "fielddata",
    "flush",
    "get",
    "indexing",
    "mappings",
    "merge",
    "query_cache",
    "recovery",
    "refresh",
    "request_cache",
    "search",
    "segments",
    "shard_stats",
    "sparse_vector",
    "store",
    "translog",
    "warmer",
)
_ALL: Final = "_all"


def routes(services: NodeServices) -> list[Route]:
    reports = NodeReports(lambda: services.fellows)

    async def stats(request: Request) -> Response:
        path = request.path_params
        metrics, index_metrics = _wanted(
            request, path.get("metric", _ALL), path.get("index_metric")
        )
        nodes = chosen_nodes(services.cluster, path.get("node_id", ""))
        timeout_s = timeout_of(request)
        answers = await reports.collect(nodes, metrics, request.ctx, timeout_s=timeout_s)
        now_ms = services.clock.now_ms()
        body: dict[str, Any] = {
            "_nodes": nodes_header(answers),
            "cluster_name": services.cluster.identity.name,
            "nodes": {
                node.id: {
                    "timestamp": now_ms,
                    **node_head(node),
                    **_sections(report, metrics, index_metrics),
                }
                for node, report in reports_of(answers)
            },
        }
        return json_response(with_texts(body) if is_for_people(request) else body)

    return [
        Route(
            methods=("GET",),
            paths=(
                "/_nodes/stats",
                "/_nodes/stats/{metric}",
                "/_nodes/stats/{metric}/{index_metric}",
                "/_nodes/{node_id}/stats",
                "/_nodes/{node_id}/stats/{metric}",
                "/_nodes/{node_id}/stats/{metric}/{index_metric}",
            ),
            handler=stats,
            action="cluster:monitor/nodes/stats",
            indices=no_indices,
            params={
                "completion_fields": ignored,
                "fielddata_fields": ignored,
                "fields": ignored,
                "groups": ignored,
                "include_segment_file_sizes": boolean,
                "include_unloaded_segments": boolean,
                "level": _level,
                "timeout": time_ms,
            },
        ),
    ]


def _level(name: str, text: str) -> str:
    """Shards and indices are not told apart: there are no figures of them but their sums."""
    if text not in ("node", "indices", "shards"):
        raise IllegalArgument(
            f"level parameter must be one of [node] or [indices] or [shards] but was [{text}]"
        )
    return text


def _wanted(
    request: Request, metric: str, index_metric: str | None
) -> tuple[Sequence[str], Collection[str]]:
    """Sections to ask for, and the parts of `indices` to show. Raises IllegalArgument."""
    path = request.path
    named = [each for each in metric.split(",") if each]
    if named == [_ALL]:
        if index_metric is not None:
            raise IllegalArgument(
                f"request [{path}] contains index metrics [{index_metric}] but all stats requested"
            )
        return _OURS, _INDEX_METRICS
    if _ALL in named:
        raise IllegalArgument(f"request [{path}] contains _all and individual metrics [{metric}]")
    _refuse_unknown(path, "metric", named, _METRICS)
    parts: Collection[str] = _INDEX_METRICS
    if index_metric is not None:
        if "indices" not in named:
            raise IllegalArgument(
                f"request [{path}] contains index metrics [{index_metric}] but indices stats not requested"
            )
        wanted = [each for each in index_metric.split(",") if each]
        if wanted != [_ALL]:
            _refuse_unknown(path, "index metric", wanted, _INDEX_METRICS)
            parts = wanted
    return [each for each in (*_OURS, *_IF_NAMED) if each in named], parts


def _refuse_unknown(path: str, kind: str, named: Sequence[str], known: Sequence[str]) -> None:
    unknown = sorted({each for each in named if each not in known})
    if unknown:
        plural = "s" if len(unknown) > 1 else ""
        listed = ", ".join(with_suggestions(each, known) for each in unknown)
        raise IllegalArgument(f"request [{path}] contains unrecognized {kind}{plural}: {listed}")


def _sections(
    report: Mapping[str, Any], metrics: Sequence[str], index_metrics: Collection[str]
) -> dict[str, Any]:
    sections: dict[str, Any] = {name: report[name] for name in metrics if name in report}
    if "indices" in metrics:
        figures = report.get("indices") or NO_INDICES.to_json()
        shown = {name: part for name, part in figures.items() if name in index_metrics}
        sections = {"indices": shown, **{k: v for k, v in sections.items() if k != "indices"}}
    return sections
