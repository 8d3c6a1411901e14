"""The named privileges and the actions each of them stands for.

The names are the reference's of 8.19, in the order in which a server lists them: those that grant less come first.
What the patterns of those grant whose actions are asked for here was compared with a running server's answers. The
others are kept so that roles may hold them, and not all of what they stand for was confirmed. What a pattern matches is
`privileges`' business.
"""

from typing import Final

_AUTO_PUT: Final = "indices:admin/mapping/auto_put"
_CREATE_INDEX: Final = (
    "indices:admin/create",
    "indices:admin/auto_create",
    "indices:admin/data_stream/create",
)
_BULK: Final = ("indices:data/write/bulk*", "indices:data/write/simulate/bulk*")
_HANDSHAKES: Final = (
    "cluster:internal/remote_cluster/handshake",
    "cluster:internal/remote_cluster/nodes",
    "cluster:internal/admin/tasks/ban",
    "cluster:internal/admin/tasks/cancel_child",
    "cluster:monitor/xpack/info",
)
_CHILD_TASKS: Final = "cluster:monitor/tasks/lists/children"
"""Of this product alone: which tasks of another cluster run here."""
_TEMPLATES: Final = ("indices:admin/template/*", "indices:admin/index_template/*")
_SECURITY: Final = "cluster:admin/xpack/security/"

INDEX_PATTERNS: Final[dict[str, tuple[str, ...]]] = {
    "manage_failure_store": (),
    "read_failure_store": (),
    "none": (),
    "create_doc": (
        "indices:data/write/index",
        "indices:data/write/index[*",
        "indices:data/write/index:op_type/create",
        *_BULK,
        _AUTO_PUT,
    ),
    "create": ("indices:data/write/index*", *_BULK, _AUTO_PUT),
    "auto_configure": (_AUTO_PUT, "indices:admin/auto_create"),
    "create_index": _CREATE_INDEX,
    "delete": ("indices:data/write/delete*", *_BULK),
    "delete_index": ("indices:admin/delete", "indices:admin/data_stream/delete"),
    "index": (
        "indices:data/write/index*",
        "indices:data/write/update*",
        *_BULK,
        _AUTO_PUT,
    ),
    "maintenance": (
        "indices:admin/refresh*",
        "indices:admin/flush*",
        "indices:admin/synced_flush",
        "indices:admin/forcemerge*",
    ),
    "manage_data_stream_lifecycle": ("indices:admin/data_stream/lifecycle/*",),
    "manage_follow_index": (
        "indices:admin/xpack/ccr/put_follow",
        "indices:admin/xpack/ccr/unfollow",
        "indices:admin/close*",
        "indices:admin/data_stream/promote",
        "indices:admin/rollover",
    ),
    "manage_ilm": ("indices:admin/ilm/*",),
    "manage_leader_index": ("indices:admin/xpack/ccr/forget_follower*",),
    "monitor": ("indices:monitor/*",),
    "view_index_metadata": (
        "indices:admin/aliases/get",
        "indices:admin/get",
        "indices:admin/mappings/fields/get*",
        "indices:admin/mappings/get",
        "indices:admin/shards/search_shards",
        "indices:admin/search/search_shards",
        "indices:admin/validate/query*",
        "indices:monitor/settings/get",
        "indices:admin/ilm/explain",
        "indices:admin/data_stream/lifecycle/get",
        "indices:admin/data_stream/lifecycle/explain",
        "indices:admin/data_stream/get",
        "indices:admin/resolve/index",
        "indices:admin/resolve/cluster",
        "indices:data/read/field_caps*",
        "indices:data/read/xpack/rollup/get/index/caps",
    ),
    "cross_cluster_replication": (
        "indices:data/read/xpack/ccr/shard_changes*",
        "indices:monitor/stats*",
        "indices:admin/seq_no/add_retention_lease*",
        "indices:admin/seq_no/remove_retention_lease*",
        "indices:admin/seq_no/renew_retention_lease*",
    ),
    "cross_cluster_replication_internal": (
        "indices:internal/admin/ccr/restore/session/clear*",
        "indices:internal/admin/ccr/restore/session/put*",
        "indices:internal/admin/ccr/restore/file_chunk/get*",
        "internal:transport/proxy/indices:internal/admin/ccr/restore/session/clear*",
        "internal:transport/proxy/indices:internal/admin/ccr/restore/file_chunk/get*",
    ),
    "manage": (
        "indices:monitor/*",
        "indices:admin/*",
        "indices:data/read/field_caps*",
        "indices:data/read/xpack/rollup/get/index/caps*",
    ),
    "read": (
        "indices:data/read/*",
        "indices:admin/resolve/index",
        "indices:admin/resolve/cluster",
    ),
    "read_cross_cluster": (
        "internal:transport/proxy/indices:data/read/*",
        "indices:admin/shards/search_shards",
        "indices:admin/search/search_shards",
        "indices:admin/resolve/cluster",
        "indices:data/read/esql",
        "indices:data/read/esql/compute",
    ),
    "write": ("indices:data/write/*", _AUTO_PUT),
    "all": ("indices:*", "internal:transport/proxy/indices:*"),
}

CLUSTER_EXCEPTIONS: Final[dict[str, tuple[str, ...]]] = {
    "manage_security": (f"{_SECURITY}delegate_pki*",),
    "manage": (f"{_SECURITY}*",),
    "manage_connector": tuple(
        f"cluster:admin/xpack/connector/secret/{each}" for each in ("delete", "get", "post", "put")
    ),
}
"""What a name does not grant although its patterns do."""

CLUSTER_PATTERNS: Final[dict[str, tuple[str, ...]]] = {
    # Only for the keys of whoever asks: `permission` knows.
    "manage_own_api_key": tuple(
        f"{_SECURITY}api_key/{each}"
        for each in ("bulk_update", "create", "get", "invalidate", "query", "update")
    ),
    # Names that are left from what other releases have.
    "manage_data_stream_global_retention": (),
    "monitor_data_stream_global_retention": (),
    "none": (),
    "cancel_task": ("cluster:admin/tasks/cancel*",),
    "cross_cluster_replication": (*_HANDSHAKES, "cluster:monitor/state"),
    "cross_cluster_search": (
        *_HANDSHAKES,
        "cluster:monitor/stats",
        "cluster:monitor/stats/remote",
        _CHILD_TASKS,
    ),
    "delegate_pki": (f"{_SECURITY}delegate_pki*", f"{_SECURITY}token/invalidate"),
    "grant_api_key": (f"{_SECURITY}api_key/grant*",),
    "manage_autoscaling": ("cluster:admin/autoscaling/*",),
    "manage_index_templates": (
        *_TEMPLATES,
        "cluster:admin/component_template/*",
    ),
    "manage_logstash_pipelines": ("cluster:admin/logstash/pipeline/*",),
    "manage_oidc": (f"{_SECURITY}oidc/*",),
    "manage_saml": (
        f"{_SECURITY}saml/*",
        "cluster:monitor/xpack/security/saml/metadata",
        f"{_SECURITY}token/invalidate",
        f"{_SECURITY}token/refresh",
    ),
    "manage_search_application": ("cluster:admin/xpack/application/search_application/*",),
    "manage_search_query_rules": ("cluster:admin/xpack/query_rules/*",),
    "manage_search_synonyms": ("cluster:admin/synonyms/*", "cluster:admin/synonym_rules/*"),
    "manage_service_account": (f"{_SECURITY}service_account/*",),
    "manage_token": (f"{_SECURITY}token/*",),
    "manage_user_profile": (f"{_SECURITY}profile/*",),
    "monitor_connector": tuple(
        f"cluster:admin/xpack/connector/{each}"
        for each in ("get", "list", "sync_job/get", "sync_job/list")
    ),
    "monitor_enrich": ("cluster:monitor/xpack/enrich/*", "cluster:admin/xpack/enrich/get"),
    "monitor_inference": (
        "cluster:monitor/xpack/inference*",
        "cluster:monitor/xpack/ml/trained_models/deployment/infer",
    ),
    "monitor_ml": ("cluster:monitor/xpack/ml/*",),
    "monitor_rollup": ("cluster:monitor/xpack/rollup/*",),
    "monitor_snapshot": (
        "cluster:admin/snapshot/status*",
        "cluster:admin/snapshot/get",
        "cluster:admin/repository/get",
    ),
    "monitor_stats": ("cluster:monitor/stats*",),
    "monitor_text_structure": ("cluster:monitor/text_structure/*",),
    "monitor_watcher": ("cluster:monitor/xpack/watcher/*",),
    "post_behavioral_analytics_event": ("cluster:admin/xpack/application/analytics/post_event",),
    "read_ccr": ("cluster:monitor/state", f"{_SECURITY}user/has_privileges"),
    "read_connector_secrets": ("cluster:admin/xpack/connector/secret/get",),
    "read_fleet_secrets": ("cluster:admin/fleet/secrets/get",),
    "read_ilm": ("cluster:admin/ilm/get", "cluster:admin/ilm/operation_mode/get"),
    "read_pipeline": (
        "cluster:admin/ingest/pipeline/get",
        "cluster:admin/ingest/pipeline/simulate",
    ),
    "read_security": (
        f"{_SECURITY}api_key/get",
        f"{_SECURITY}api_key/query",
        f"{_SECURITY}privilege/builtin/get",
        f"{_SECURITY}privilege/get",
        f"{_SECURITY}profile/get",
        f"{_SECURITY}profile/has_privileges",
        f"{_SECURITY}profile/suggest",
        f"{_SECURITY}role/get",
        f"{_SECURITY}role/query",
        f"{_SECURITY}role_mapping/get",
        f"{_SECURITY}service_account/get",
        f"{_SECURITY}service_account/credential/get*",
        f"{_SECURITY}user/get",
        f"{_SECURITY}user/list_privileges",
        f"{_SECURITY}user/has_privileges",
        f"{_SECURITY}user/query",
        f"{_SECURITY}settings/get",
    ),
    "read_slm": (
        "cluster:admin/slm/get",
        "cluster:admin/slm/status",
        "cluster:admin/ilm/operation_mode/get",
    ),
    "transport_client": ("cluster:monitor/nodes/liveness", "cluster:monitor/state"),
    "write_connector_secrets": (
        "cluster:admin/xpack/connector/secret/delete",
        "cluster:admin/xpack/connector/secret/post",
        "cluster:admin/xpack/connector/secret/put",
    ),
    "write_fleet_secrets": (
        "cluster:admin/fleet/secrets/post",
        "cluster:admin/fleet/secrets/delete",
    ),
    "create_snapshot": (
        "cluster:admin/snapshot/create*",
        "cluster:admin/snapshot/status*",
        "cluster:admin/snapshot/get",
        "cluster:admin/repository/get",
    ),
    "manage_behavioral_analytics": ("cluster:admin/xpack/application/analytics/*",),
    "manage_ccr": (
        "cluster:admin/xpack/ccr/*",
        "cluster:monitor/state",
        f"{_SECURITY}user/has_privileges",
    ),
    "manage_connector": ("cluster:admin/xpack/connector/*",),
    "manage_enrich": ("cluster:admin/xpack/enrich/*", "cluster:monitor/xpack/enrich/*"),
    "manage_ilm": ("cluster:admin/ilm/*",),
    "manage_inference": (
        "cluster:admin/xpack/inference/*",
        "cluster:monitor/xpack/inference*",
        "cluster:monitor/xpack/ml/trained_models/deployment/infer",
    ),
    "manage_ml": ("cluster:admin/xpack/ml/*", "cluster:monitor/xpack/ml/*"),
    "manage_rollup": ("cluster:admin/xpack/rollup/*", "cluster:monitor/xpack/rollup/*"),
    "manage_slm": (
        "cluster:admin/slm/*",
        "cluster:admin/ilm/start",
        "cluster:admin/ilm/stop",
        "cluster:admin/ilm/operation_mode/get",
    ),
    "manage_watcher": ("cluster:admin/xpack/watcher/*", "cluster:monitor/xpack/watcher/*"),
    "monitor_data_frame_transforms": (
        "cluster:monitor/data_frame/*",
        "cluster:monitor/transform/*",
    ),
    "monitor_transform": ("cluster:monitor/data_frame/*", "cluster:monitor/transform/*"),
    "manage_api_key": (f"{_SECURITY}api_key/*",),
    "manage_ingest_pipelines": ("cluster:admin/ingest/pipeline/*",),
    "manage_pipeline": ("cluster:admin/ingest/pipeline/*",),
    "manage_data_frame_transforms": (
        "cluster:admin/data_frame/*",
        "cluster:monitor/data_frame/*",
        "cluster:monitor/transform/*",
        "cluster:admin/transform/*",
    ),
    "manage_transform": (
        "cluster:admin/data_frame/*",
        "cluster:monitor/data_frame/*",
        "cluster:monitor/transform/*",
        "cluster:admin/transform/*",
    ),
    "manage_security": (f"{_SECURITY}*",),
    "monitor": (
        "cluster:monitor/*",
        "indices:admin/template/get",
        "indices:admin/index_template/get",
        "cluster:admin/component_template/get",
    ),
    "manage": ("cluster:*", *_TEMPLATES),
    "all": ("cluster:*", *_TEMPLATES),
}
