"""What `sealane ccr` shows of a follower, made from the answers of `_ccr/info` and `_ccr/stats`. Nothing is printed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sealane.settings import TimeValue, bytes_text

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One follower. `operations` were applied so far, `errors` are what to tell below the table."""

    index: str
    leader: str
    status: str
    doing: str = ""
    behind: int | None = None
    lag_ms: int | None = None
    operations: int = 0
    errors: tuple[str, ...] = ()

    @property
    def lag(self) -> str:
        if self.lag_ms is None:
            return ""
        return str(TimeValue.of_ms(self.lag_ms)) if self.lag_ms else "none"


def rows_of(info: Json, stats: Json) -> list[Row]:
    """One row a follower in `info`. `stats` may be of all of them."""
    shards = {each["index"]: each["shards"] for each in stats["indices"]}
    return [_row(each, shards.get(each["follower_index"], ())) for each in info["follower_indices"]]


def rate(now: Row, before: Row | None, seconds: float) -> float | None:
    """Operations a second between two looks; None where there is nothing to compare with, as after a restart."""
    if before is None or seconds <= 0 or now.operations < before.operations:
        return None
    return (now.operations - before.operations) / seconds


def _row(info: Json, shards: Sequence[Json]) -> Row:
    led = {
        "index": info["follower_index"],
        "leader": f"{info['remote_cluster']}:{info['leader_index']}",
        "status": info["status"],
    }
    failure = _reason(info.get("failure"))
    if not shards:
        return Row(**led, errors=failure)
    errors = (each for shard in shards for each in _errors(shard))
    return Row(
        **led,
        doing=_doing(shards),
        behind=sum(_behind(shard) for shard in shards),
        lag_ms=_lag(shards),
        operations=sum(shard["operations_written"] for shard in shards),
        errors=tuple(dict.fromkeys((*failure, *errors))),
    )


def _behind(shard: Json) -> int:
    behind: int = shard["leader_global_checkpoint"] - shard["follower_global_checkpoint"]
    return max(0, behind)


def _lag(shards: Sequence[Json]) -> int | None:
    """That of the worst shard; None where one does not know."""
    lags = [_ours(shard).get("lag_millis") for shard in shards]
    known = [each for each in lags if each is not None]
    return max(known) if len(known) == len(lags) else None


def _doing(shards: Sequence[Json]) -> str:
    """How far the copy is; after that what its shards do."""
    copies = [copy for shard in shards if (copy := _ours(shard).get("copy"))]
    phases = [_ours(shard).get("phase", "") for shard in shards]
    if copies and "copying" in phases:
        docs, total = (sum(each[name] for each in copies) for name in ("docs", "total_docs"))
        percent = 100 * docs // total if total else 100
        size = bytes_text(sum(each["bytes"] for each in copies))
        return f"copying {min(percent, 100)}% ({size})"
    for worst in ("failed", "waiting", "copying", "starting"):
        if worst in phases:
            return worst
    slow = {_ours(shard).get("slowest") for shard in shards} - {None}
    return f"following, slowest: {slow.pop()}" if len(slow) == 1 else phases[0]


def _errors(shard: Json) -> list[str]:
    ours = _ours(shard)
    lease = ours.get("lease", {}).get("last_error")
    return [
        *_reason(shard.get("fatal_exception")),
        *(reason for each in shard["read_exceptions"] for reason in _reason(each["exception"])),
        *_reason(ours.get("last_error")),
        *(f"retention lease: {each}" for each in _reason(lease)),
    ]


def _reason(error: Json | None) -> tuple[str, ...]:
    return () if error is None else (f"{error['reason']}",)


def _ours(shard: Json) -> Json:
    """Another product has none of it."""
    found: Json = shard.get("sealane", {})
    return found
