"""Every action there is, and who may ask for it: of what REST offers and of what nodes ask each other.

A test holds the table complete over all routes and all that a node registers, so that what is new has to be put here,
and be thought about, before it can be asked for. An action that is in none of these sets is granted to nobody.
"""

from enum import StrEnum
from typing import Final

from sealane.security.rules.authority import (
    ABOUT_ONESELF,
    FOR_EVERYBODY,
    FORWARD,
    OF_THE_SAME_USER,
    PROXY,
)
from sealane.security.rules.cross_cluster import ALLOWED, CHANNEL

_SECURITY: Final = "cluster:admin/xpack/security/"


class Asked(StrEnum):
    """How an action is judged."""

    BY_PRIVILEGE = "by a privilege on the cluster, or on indices and then name by name"
    OF_ONESELF = "by everybody, about themselves"
    BY_EVERYBODY = "by everybody who is known"
    OF_OWN = "by everybody, and finds only what the same subject began"
    BY_NODES = "by the nodes of this cluster alone, for themselves"
    PASSED_ON = "by whoever may ask for what is passed on, which is judged again where it runs"


BY_NODES: Final = {
    "internal:cluster/coordination/join": "a node that wants to be of this cluster",
    "internal:cluster/coordination/leave": "a node that stops",
    "internal:coordination/fault_detection/leader_check": "a node that follows the master",
    "internal:security/authenticate": "a node without data, which keeps no users",
    "internal:security/cross_cluster_key": "a node without data, which keeps no keys",
    "internal:security/roles": "a node without data, which keeps no roles",
}
"""Granted by no privilege: only the node itself, as a member, asks for them."""

_CLUSTER: Final = frozenset(
    {
        "cluster:admin/analyze",
        "cluster:admin/component_template/delete",
        "cluster:admin/component_template/get",
        "cluster:admin/component_template/put",
        "cluster:admin/indices/scroll/clear_all",
        "cluster:admin/ingest/pipeline/get",
        "cluster:admin/nodes/reload_secure_settings",
        "cluster:admin/nodes/reload_secure_settings[n]",
        "cluster:admin/remote/test",
        "cluster:admin/script/delete",
        "cluster:admin/script/get",
        "cluster:admin/script/put",
        "cluster:admin/script_language/get",
        "cluster:admin/settings/update",
        "cluster:admin/tasks/cancel",
        "cluster:admin/xpack/ccr/auto_follow_pattern/activate",
        "cluster:admin/xpack/ccr/auto_follow_pattern/delete",
        "cluster:admin/xpack/ccr/auto_follow_pattern/get",
        "cluster:admin/xpack/ccr/auto_follow_pattern/put",
        "cluster:admin/xpack/ccr/pause_follow",
        "cluster:admin/xpack/ccr/resume_follow",
        "cluster:admin/xpack/ccr/verify",
        "cluster:internal/remote_cluster/handshake",
        "cluster:internal/remote_cluster/nodes",
        "cluster:monitor/async_search/status",
        "cluster:monitor/ccr/follow_info",
        "cluster:monitor/ccr/follow_stats",
        "cluster:monitor/ccr/stats",
        "cluster:monitor/health",
        "cluster:monitor/main",
        "cluster:monitor/metrics",
        "cluster:monitor/nodes/info",
        "cluster:monitor/nodes/stats",
        "cluster:monitor/remote/info",
        "cluster:monitor/remote/test",
        "cluster:monitor/settings",
        "cluster:monitor/state",
        "cluster:monitor/stats",
        "cluster:monitor/stats/remote",
        "cluster:monitor/task",
        "cluster:monitor/task/get",
        "cluster:monitor/tasks/lists",
        "cluster:monitor/tasks/lists/children",
        "cluster:monitor/xpack/ssl/certificates/get",
        "cluster:monitor/xpack/usage",
        "indices:admin/index_template/delete",
        "indices:admin/index_template/get",
        "indices:admin/index_template/put",
        "indices:admin/index_template/simulate",
        "indices:admin/index_template/simulate_index",
        "indices:admin/template/get",
        *(
            f"{_SECURITY}{each}"
            for each in (
                "api_key/bulk_update",
                "api_key/create",
                "api_key/get",
                "api_key/grant",
                "api_key/invalidate",
                "api_key/query",
                "api_key/update",
                "cache/clear",
                "cross_cluster/api_key/create",
                "cross_cluster/api_key/update",
                "explain_remote",
                "privilege/builtin/get",
                "privilege/delete",
                "privilege/get",
                "privilege/put",
                "realm/cache/clear",
                "role/bulk_delete",
                "role/bulk_put",
                "role/delete",
                "role/get",
                "role/put",
                "role/query",
                "role_mapping/delete",
                "role_mapping/get",
                "role_mapping/put",
                "roles/cache/clear",
                "user/delete",
                "user/get",
                "user/put",
                "user/query",
                "user/set_enabled",
            )
        ),
    }
)
_INDICES: Final = frozenset(
    {
        "indices:admin/aliases",
        "indices:admin/aliases/get",
        "indices:admin/analyze",
        "indices:admin/auto_create",
        "indices:admin/close",
        "indices:admin/create",
        "indices:admin/data_stream/create",
        "indices:admin/data_stream/delete",
        "indices:admin/data_stream/get",
        "indices:admin/data_stream/modify",
        "indices:admin/data_stream/promote",
        "indices:admin/delete",
        "indices:admin/flush",
        "indices:admin/forcemerge",
        "indices:admin/get",
        "indices:admin/mapping/put",
        "indices:admin/mappings/fields/get",
        "indices:admin/mappings/get",
        "indices:admin/open",
        "indices:admin/refresh",
        "indices:admin/resolve/cluster",
        "indices:admin/resolve/index",
        "indices:admin/rollover",
        "indices:admin/search/search_shards",
        "indices:admin/seq_no/add_retention_lease",
        "indices:admin/seq_no/remove_retention_lease",
        "indices:admin/seq_no/renew_retention_lease",
        "indices:admin/settings/update",
        "indices:admin/shards/search_shards",
        "indices:admin/validate/query",
        "indices:admin/xpack/ccr/forget_follower",
        "indices:admin/xpack/ccr/put_follow",
        "indices:admin/xpack/ccr/unfollow",
        "indices:data/read/async_search/submit",
        "indices:data/read/explain",
        "indices:data/read/field_caps",
        "indices:data/read/get",
        "indices:data/read/mget",
        "indices:data/read/mget[shard]",
        "indices:data/read/msearch",
        "indices:data/read/msearch/template",
        "indices:data/read/open_point_in_time",
        "indices:data/read/scroll",
        "indices:data/read/search",
        "indices:data/read/search/template",
        "indices:data/read/search[can_match]",
        "indices:data/read/search[free_context]",
        "indices:data/read/search[phase/fetch/id]",
        "indices:data/read/search[phase/query+scroll]",
        "indices:data/read/search[phase/query]",
        "indices:data/read/xpack/ccr/shard_changes",
        "indices:data/read/xpack/termsenum/list",
        "indices:data/write/bulk",
        "indices:data/write/bulk[s]",
        "indices:data/write/delete",
        "indices:data/write/delete/byquery",
        "indices:data/write/index",
        "indices:data/write/reindex",
        "indices:data/write/update",
        "indices:data/write/update/byquery",
        "indices:internal/admin/ccr/restore/file_chunk/get",
        "indices:internal/admin/ccr/restore/file_chunk/get[documents]",
        "indices:internal/admin/ccr/restore/session/put",
        "indices:monitor/data_stream/stats",
        "indices:monitor/settings/get",
        "indices:monitor/stats",
        # What this version refuses in words, which nobody without a right to read needs to know.
        "indices:data/read/eql/search",
        "indices:data/read/eql/search/status",
        "indices:data/read/graph/explore",
        "indices:data/read/mvt",
        "indices:data/read/query",
        "indices:data/read/query/async",
        "indices:data/read/query/async/stop",
        "indices:data/read/rank_eval",
        "indices:data/read/scripts/painless/_execute",
        "indices:data/read/sql",
        "indices:data/read/sql/async",
        "indices:data/read/sql/async/delete",
        "indices:data/read/sql/close",
    }
)

ACTIONS: Final[dict[str, Asked]] = {
    **dict.fromkeys(sorted(_CLUSTER | _INDICES), Asked.BY_PRIVILEGE),
    **dict.fromkeys(sorted(ABOUT_ONESELF), Asked.OF_ONESELF),
    **dict.fromkeys(sorted(FOR_EVERYBODY), Asked.BY_EVERYBODY),
    **dict.fromkeys(sorted(OF_THE_SAME_USER), Asked.OF_OWN),
    **dict.fromkeys(BY_NODES, Asked.BY_NODES),
    **dict.fromkeys(CHANNEL, Asked.OF_OWN),
    **dict.fromkeys(sorted(f"{PROXY}{each}" for each in ALLOWED), Asked.PASSED_ON),
    FORWARD: Asked.PASSED_ON,
}
"""By action, how it is judged."""
