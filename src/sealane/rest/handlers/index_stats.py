"""`_stats`: how large indices are. Of the reference's sections those with figures here: documents, shards, store."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sealane.cluster.views import IndexView
from sealane.errors import IllegalArgument
from sealane.rest.expressions import STRICT, options_of
from sealane.rest.params import INDICES_OPTIONS, boolean, ignored, names, string
from sealane.rest.request import Request, Response, json_response
from sealane.rest.router import Route, path_indices
from sealane.rest.services import Services
from sealane.rest.shard_stats import Figures, figures_of, shards_json
from sealane.settings.index_settings import VERSION_CREATED

METRICS: Final = (
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
    "suggest",
    "translog",
    "warmer",
)
"""The names that the reference knows; most have no figures here and are left out of the answer."""
_LEVELS: Final = ("cluster", "indices", "shards")


def routes(services: Services) -> list[Route]:
    async def stats(request: Request) -> Response:
        wanted = _metrics(request)
        level = request.params.get("level", "indices")
        if level not in _LEVELS:
            raise IllegalArgument(
                "level parameter must be one of [cluster] or [indices] or [shards] but was "
                f"[{level}]"
            )
        options = options_of(request.params, STRICT)
        found = services.indices.find(request.indices, options, forbid_closed=True)
        return json_response(await _shown(services, found, wanted, level))

    return [
        Route(
            methods=("GET",),
            paths=("/_stats", "/{index}/_stats", "/_stats/{metrics}", "/{index}/_stats/{metrics}"),
            handler=stats,
            action="indices:monitor/stats",
            indices=path_indices,
            params={
                **INDICES_OPTIONS,
                "completion_fields": names,
                "fielddata_fields": names,
                "fields": names,
                "forbid_closed_indices": ignored,
                "groups": names,
                "include_segment_file_sizes": boolean,
                "include_unloaded_segments": boolean,
                "level": string,
            },
        )
    ]


def _metrics(request: Request) -> Sequence[str]:
    """Raises IllegalArgument for a metric that does not exist, and for `_all` beside others."""
    text = request.path_params.get("metrics", "_all")
    asked = [each for each in text.split(",") if each]
    if asked in (["_all"], []):
        return METRICS
    if "_all" in asked:
        raise IllegalArgument(
            f"request [{request.path}] contains _all and individual metrics [{text}]"
        )
    unknown = [each for each in asked if each not in METRICS]
    if unknown:
        plural = "s" if len(unknown) > 1 else ""
        listed = ", ".join(f"[{each}]" for each in unknown)
        raise IllegalArgument(
            f"request [{request.path}] contains unrecognized metric{plural}: {listed}"
        )
    return asked


async def _shown(
    services: Services, found: Sequence[IndexView], wanted: Sequence[str], level: str
) -> dict[str, Any]:
    unopened = services.unopened()
    indices: dict[str, Any] = {}
    every: list[Figures] = []
    for index in found:
        is_red = index.uuid in unopened
        figures = {} if is_red else await _figures(services, index, wanted)
        every.append(figures)
        health = "red" if is_red else "yellow" if index.replicas else "green"
        indices[index.name] = {
            "uuid": index.uuid,
            "health": health,
            "status": "open",
            "primaries": figures,
            "total": figures,  # replicas have no second node to be on
        }
        if level == "shards":
            indices[index.name]["shards"] = {} if is_red else await _shards(services, index, wanted)
    total = _summed(every)
    shards = sum(index.shards for index in found if index.uuid not in unopened)
    shown: dict[str, Any] = {
        "_shards": {
            "total": sum(index.shards * (1 + index.replicas) for index in found),
            "successful": shards,
            "failed": 0,
        },
        "_all": {"primaries": total, "total": total},
    }
    return shown if level == "cluster" else {**shown, "indices": indices}


async def _figures(services: Services, index: IndexView, wanted: Sequence[str]) -> Figures:
    sizes = await services.indices.sizes(index)
    sections = figures_of(sizes.docs, sizes.deleted, sizes.store_bytes, index.shards)
    return {name: section for name, section in sections.items() if name in wanted}


async def _shards(services: Services, index: IndexView, wanted: Sequence[str]) -> Mapping[str, Any]:
    reports = await services.indices.shard_reports(index)
    created = index.settings.text(VERSION_CREATED.key, "")
    return shards_json(reports, services.cluster.local_node.id, created or "", wanted)


def _summed(every: Iterable[Figures]) -> Figures:
    total: Figures = {}
    for figures in every:
        for name, section in figures.items():
            into = total.setdefault(name, dict.fromkeys(section, 0))
            for key, value in section.items():
                into[key] += value
    return total
