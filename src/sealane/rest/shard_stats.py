"""One shard as `_stats?level=shards` shows it: its figures, its history, and what is retained of it for followers.

Of the reference's members those that mean something here. Numbers in `commit.user_data` are texts, as it has them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sealane.cluster.opened import ShardReport
from sealane.engine.base import ShardState
from sealane.model.replication import Lease

Figures = dict[str, dict[str, int]]


def figures_of(docs: int, deleted: int, store_bytes: int, shards: int) -> Figures:
    """The sections of an index or of one shard of it."""
    return {
        "docs": {"count": docs, "deleted": deleted, "total_size_in_bytes": store_bytes},
        "shard_stats": {"total_count": shards},
        "store": {
            "size_in_bytes": store_bytes,
            "total_data_set_size_in_bytes": store_bytes,
            "reserved_in_bytes": 0,
        },
    }


def shards_json(
    reports: Sequence[ShardReport],
    node_id: str,
    version_created: str,
    wanted: Sequence[str],
) -> Mapping[str, Any]:
    """The copies of each shard, by its number: one each."""
    return {
        str(number): [_shard(report, node_id, version_created, wanted)]
        for number, report in enumerate(reports)
    }


def _shard(
    report: ShardReport, node_id: str, version_created: str, wanted: Sequence[str]
) -> dict[str, Any]:
    sizes, state = report.sizes, report.state
    figures = {} if sizes is None else figures_of(*sizes, 1)
    return {
        "routing": {"state": "STARTED", "primary": True, "node": node_id, "relocating_node": None},
        **{name: section for name, section in figures.items() if name in wanted},
        "commit": {
            "user_data": {
                "history_uuid": state.history_uuid,
                "es_version": version_created,
                "local_checkpoint": str(state.checkpoint),
                "max_seq_no": str(state.max_seq_no),
            }
        },
        "seq_no": {
            "max_seq_no": state.max_seq_no,
            "local_checkpoint": state.checkpoint,
            "global_checkpoint": state.checkpoint,
        },
        "retention_leases": _leases(state, report.leases),
    }


def _leases(state: ShardState, leases: Sequence[Lease]) -> dict[str, Any]:
    """The version rises with each lease that is added or renewed, as the reference's does."""
    return {
        "primary_term": state.primary_term,
        "version": max((each.timestamp_ms for each in leases), default=0),
        "leases": [
            {
                "id": each.id,
                "retaining_seq_no": each.retaining_seq_no,
                "timestamp": each.timestamp_ms,
                "source": each.source,
            }
            for each in leases
        ],
    }
