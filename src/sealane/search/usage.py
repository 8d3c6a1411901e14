"""How searches across clusters are used: counted where they are coordinated, shown in `_cluster/stats`.

Which searches count, and under which names, is as the reference does it: one that names a remote, from the moment on
that the local cluster's part of the names is known to be right.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sealane.errors import (
    ApiError,
    ClusterBlock,
    ConnectTransport,
    IndexClosed,
    IndexNotFound,
    InvalidIndexName,
    NodeDisconnected,
    NodeNotConnected,
    NoSeedNodeLeft,
    ParseError,
    SearchPhaseExecution,
    TaskCancelled,
)
from sealane.model.task import Context
from sealane.model.usage import ClusterUsage, SearchUsage, Spread
from sealane.search.expression import LOCAL, SHOWN_LOCAL, ClusterTarget
from sealane.search.outcome import ClusterStatus, SearchOutcome

CLUSTERS_MAX: Final = 10_000
"""Aliases counted by themselves; they may come and go for as long as a node runs."""

_CLIENT_HEADER: Final = "X-elastic-product-origin"
_CLIENTS: Final = frozenset(
    {
        "beats",
        "cloud",
        "connectors",
        "connectors-cli",
        "elasticsearch",
        "enterprise-search",
        "fleet",
        "kibana",
        "logstash",
        "ml",
        "observability",
        "security",
    }
)
"""Clients that are counted by name; others are none."""

_BEFORE: Final = (IndexNotFound, IndexClosed, InvalidIndexName, ClusterBlock, ParseError)
"""Errors about the local cluster's names: such a search has not begun."""

_REASONS: Final[Mapping[str, str]] = {
    "index_not_found_exception": "not_found",
    "security_exception": "security",
    "receive_timeout_transport_exception": "timeout",
    "timeout_exception": "timeout",
    SearchPhaseExecution.es_type: "remotes_unavailable",
    ConnectTransport.es_type: "remotes_unavailable",
    NodeDisconnected.es_type: "remotes_unavailable",
    NodeNotConnected.es_type: "remotes_unavailable",
    NoSeedNodeLeft.es_type: "remotes_unavailable",
}
"""Of a failure that came from a remote cluster; the others are `other`."""


ASYNC: Final = "async"
PIT: Final = "pit"
"""Features of a search that its round trips and names do not tell."""


class UsageCounter:
    """The counts of this node since its start."""

    def __init__(self) -> None:
        self.counts = SearchUsage()

    def succeeded(
        self,
        targets: Sequence[ClusterTarget],
        outcome: SearchOutcome,
        ctx: Context,
        *,
        minimize_roundtrips: bool,
        features: Collection[str] = (),
    ) -> None:
        if not self._begin(targets, ctx, minimize_roundtrips, features):
            return
        counts = self.counts
        counts.success += 1
        counts.took.add(outcome.took_ms)
        trips = counts.took_one_trip if minimize_roundtrips else counts.took_two_trips
        trips.add(outcome.took_ms)
        details = outcome.clusters.details if outcome.clusters is not None else ()
        counts.skipped += any(each.status is ClusterStatus.SKIPPED for each in details)
        for each in details:
            usage = self._of(each.alias)
            if each.status is ClusterStatus.SKIPPED:
                usage.skipped += 1
            else:
                usage.total += 1
                usage.took.add(each.took_ms or 0)

    def failed(
        self,
        targets: Sequence[ClusterTarget],
        error: ApiError | asyncio.CancelledError,
        ctx: Context,
        *,
        minimize_roundtrips: bool,
        features: Collection[str] = (),
    ) -> None:
        remote = isinstance(error, ApiError) and "cluster" in error.metadata
        if isinstance(error, _BEFORE) and not remote:
            return
        if self._begin(targets, ctx, minimize_roundtrips, features):
            reason = "other"
            if isinstance(error, asyncio.CancelledError | TaskCancelled):
                reason = "canceled"
            elif remote:
                reason = _REASONS.get(error.es_type, "other")
            _count(self.counts.failure_reasons, reason)

    def _begin(
        self,
        targets: Sequence[ClusterTarget],
        ctx: Context,
        minimize_roundtrips: bool,
        features: Collection[str],
    ) -> bool:
        """Counts what is counted however the search ends. False for one that names no remote."""
        remotes = sum(target.alias != LOCAL for target in targets)
        if not remotes:
            return False
        counts = self.counts
        counts.total += 1
        counts.remotes += remotes
        counts.remotes_max = max(counts.remotes_max, remotes)
        if minimize_roundtrips:
            _count(counts.features, "mrt_on")
        if any("*" in each for target in targets for each in target.expressions):
            _count(counts.features, "wildcards")
        for feature in features:
            _count(counts.features, feature)
        client = ctx.headers.get(_CLIENT_HEADER)
        if client in _CLIENTS:
            _count(counts.clients, client)
        return True

    def _of(self, alias: str) -> ClusterUsage:
        known = self.counts.clusters.get(alias)
        if known is not None:
            return known
        usage = ClusterUsage()
        if len(self.counts.clusters) < CLUSTERS_MAX:
            self.counts.clusters[alias] = usage
        return usage


def usage_json(counts: SearchUsage) -> dict[str, Any]:
    """The object `_search` below `ccs`."""
    return {
        "total": counts.total,
        "success": counts.success,
        "skipped": counts.skipped,
        "took": _spread_json(counts.took),
        "took_mrt_true": _spread_json(counts.took_one_trip),
        "took_mrt_false": _spread_json(counts.took_two_trips),
        "remotes_per_search_max": counts.remotes_max,
        # A whole number, rounded up: so the reference shows it.
        "remotes_per_search_avg": float(-(-counts.remotes // counts.total))
        if counts.total
        else 0.0,
        "failure_reasons": counts.failure_reasons,
        "features": counts.features,
        "clients": counts.clients,
        "clusters": {
            alias or SHOWN_LOCAL: {
                "total": usage.total,
                "skipped": usage.skipped,
                "took": _spread_json(usage.took),
            }
            for alias, usage in counts.clusters.items()
        },
    }


def _spread_json(spread: Spread) -> dict[str, int]:
    return {"max": spread.max, "avg": spread.average, "p90": spread.percentile(90)}


def _count(counts: dict[str, int], key: str) -> None:
    counts[key] = counts.get(key, 0) + 1
