"""The slow logs: searches that took longer than thresholds say, by shard and over clusters.

One line a search, of fields and values, in the logs `sealane.slowlog.query` and `sealane.slowlog.ccs`. Where no
threshold is set, nothing is measured.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sealane.cluster.metadata import ClusterMetadata
from sealane.engine.base import Reader, ShardSearch
from sealane.model.dsl import SearchBody
from sealane.model.task import Context
from sealane.reduce.partial import Partial, TotalHits
from sealane.search.client_search import ClientSearch
from sealane.search.expression import SHOWN_LOCAL
from sealane.search.failed_shards import FailedShard
from sealane.search.one_shard import ask_shard
from sealane.search.outcome import SearchOutcome
from sealane.settings import Setting, Settings, TimeValue
from sealane.settings import slow_log_settings as keys

_SOURCE_MAX: Final = 1_000
"""Bytes of a search's body that are shown."""
_TRACE: Final = 5
_LEVELS: Final[Mapping[str, int]] = {
    "warn": logging.WARNING,
    "info": logging.INFO,
    "debug": logging.DEBUG,
    "trace": _TRACE,
}

_query_log = logging.getLogger("sealane.slowlog.query")
_ccs_log = logging.getLogger("sealane.slowlog.ccs")
for _each in (_query_log, _ccs_log):
    _each.setLevel(_TRACE)  # the thresholds decide
logging.addLevelName(_TRACE, "TRACE")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Milliseconds from which on a search is logged, with the level, the longest first. Never empty."""

    steps: tuple[tuple[int, int], ...]

    def level(self, took_ms: float) -> int | None:
        return next((level for ms, level in self.steps if took_ms >= ms), None)


def thresholds(
    settings: Settings, of: Mapping[keys.Level, Setting[TimeValue]]
) -> Thresholds | None:
    """None where none is set."""
    set_ = {level: setting.get(settings) for level, setting in of.items()}
    steps = [(span.ms, _LEVELS[level]) for level, span in set_.items() if not span.is_off]
    return Thresholds(tuple(steps)) if steps else None


class ShardSlowLog:
    """Of the shards of this cluster, each by the settings of its index. `indices` are those there are now."""

    def __init__(self, indices: Callable[[], ClusterMetadata]) -> None:
        self._indices = indices
        self._seen: ClusterMetadata | None = None
        self._judged: dict[str, tuple[Settings, Thresholds | None]] = {}
        self._by_uuid: dict[str, Thresholds] = {}

    @property
    def is_on(self) -> bool:
        """Whether any index has a threshold."""
        now = self._indices()
        if now is not self._seen:
            self._seen = now
            self._judge(now)
        return bool(self._by_uuid)

    def _judge(self, now: ClusterMetadata) -> None:
        """Most changes leave the settings of most indices as they are: only others are read."""
        judged = {}
        for index in now:
            settings, limits = self._judged.get(index.uuid, (None, None))
            if settings is not index.settings:
                limits = thresholds(index.settings, keys.QUERY)
            judged[index.uuid] = index.settings, limits
        self._judged = judged
        self._by_uuid = {uuid: limits for uuid, (_, limits) in judged.items() if limits is not None}

    async def ask_shard(
        self,
        reader: Reader,
        uuid: str,
        shard: int,
        search: ShardSearch,
        ctx: Context,
        node_id: str,
    ) -> Partial | FailedShard:
        """As `ask_shard`, and logged where it takes long."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        answer = await ask_shard(reader, uuid, shard, search, ctx, node_id)
        limits = self._by_uuid.get(uuid)
        took_ms = (loop.time() - began) * 1000
        level = limits.level(took_ms) if limits is not None else None
        if level is not None:
            total = answer.total if isinstance(answer, Partial) else None
            fields = [
                f"[{search.index_name}][{shard}]",
                *_common(took_ms, total, search.body, ctx),
            ]
            _query_log.log(level, ", ".join(fields))
        return answer


_NO_INDICES: Final = ClusterMetadata()
NO_SLOW_LOG: Final = ShardSlowLog(lambda: _NO_INDICES)
"""Where there are no indices whose settings say anything."""


class CcsSlowLog:
    """Of searches over clusters, by cluster-wide settings. `settings` are those in force."""

    def __init__(self, settings: Callable[[], Settings]) -> None:
        self._settings = settings
        self._seen: Settings | None = None
        self._thresholds: Thresholds | None = None

    def note(self, request: ClientSearch, outcome: SearchOutcome, ctx: Context) -> None:
        """A search has ended. Logs it, with what each cluster took, where it was long."""
        now = self._settings()
        if now is not self._seen:
            self._seen, self._thresholds = now, thresholds(now, keys.CCS)
        if self._thresholds is None or outcome.clusters is None:
            return
        level = self._thresholds.level(outcome.took_ms)
        if level is not None:
            fields = [
                f"[{','.join(request.expressions)}]",
                *_common(outcome.took_ms, outcome.answer.total, request.body, ctx),
                f"clusters[{' '.join(_clusters(outcome))}]",
                f"ccs_minimize_roundtrips[{'true' if request.minimize_roundtrips else 'false'}]",
            ]
            _ccs_log.log(level, ", ".join(fields))


def _clusters(outcome: SearchOutcome) -> Iterable[str]:
    """`alias:status:took`, without what a cluster that never answered does not have."""
    for each in outcome.clusters.details if outcome.clusters is not None else ():
        took = "" if each.took_ms is None else f":{each.took_ms}ms"
        yield f"{each.alias or SHOWN_LOCAL}:{each.status}{took}"


def _common(
    took_ms: float, total: TotalHits | None, body: SearchBody, ctx: Context
) -> Iterable[str]:
    yield f"took[{TimeValue(int(took_ms * 1_000_000))}]"
    yield f"took_millis[{int(took_ms)}]"
    if total is None:
        yield "total_hits[-1]"
    else:
        yield f"total_hits[{total.value}{'' if total.exact else '+'} hits]"
    yield f"source[{body.raw[:_SOURCE_MAX].decode(errors='replace')}]"
    yield f"id[{ctx.headers.get('X-Opaque-Id', '')}]"
    if "trace.id" in ctx.headers:
        yield f"trace.id[{ctx.headers['trace.id']}]"
