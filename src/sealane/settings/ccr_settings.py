"""Settings of cross-cluster replication: how fast indices are copied, how long is waited, how much is buffered.

Names, defaults and ranges are the reference's, but for the two at the end of the list.
"""

from typing import Final

from sealane.settings.parse import as_bool, as_bytes, as_int, as_time
from sealane.settings.registry import AnySetting
from sealane.settings.setting import Setting
from sealane.settings.units import TimeValue

_RECOVERY: Final = "ccr.indices.recovery."
_KB: Final = 1024
_MB: Final = 1024 * _KB
_GB: Final = 1024 * _MB

CCR_ENABLED: Final = Setting[bool](
    key="xpack.ccr.enabled",
    default="true",
    parse=as_bool,
    help="Whether this node has the APIs of cross-cluster replication, and follows.",
)
CCR_POOL_SIZE: Final = Setting[int](
    key="xpack.ccr.ccr_thread_pool.size",
    default="32",
    parse=as_int(min=1),
    help="Taken so that files of the reference serve; following needs no threads here.",
)
CCR_POOL_QUEUE: Final = Setting[int](
    key="xpack.ccr.ccr_thread_pool.queue_size",
    default="100",
    parse=as_int(min=-1),
    help="Taken so that files of the reference serve; following needs no threads here.",
)
CCR_MAX_BYTES_PER_SEC: Final = Setting[int](
    key=_RECOVERY + "max_bytes_per_sec",
    default="40mb",
    parse=as_bytes(min=-1),
    dynamic=True,
    help="How much a node sends a second, and receives, while indices are copied for followers; 0 or -1 for no limit.",
)
CCR_CHUNK_SIZE: Final = Setting[int](
    key=_RECOVERY + "chunk_size",
    default="1mb",
    parse=as_bytes(min=_KB, max=_GB),
    dynamic=True,
    help="About how large one answer of such a copy is.",
)
CCR_MAX_CONCURRENT_CHUNKS: Final = Setting[int](
    key=_RECOVERY + "max_concurrent_file_chunks",
    default="5",
    parse=as_int(min=1, max=10),
    dynamic=True,
    help="How many requests for such answers may be under way for one shard.",
)
CCR_ACTIVITY_TIMEOUT: Final = Setting[TimeValue](
    key=_RECOVERY + "recovery_activity_timeout",
    default="60s",
    parse=as_time(min="0ms"),
    dynamic=True,
    help="Taken so that settings of the reference serve; a copy keeps nothing open at its leader here.",
)
CCR_ACTION_TIMEOUT: Final = Setting[TimeValue](
    key=_RECOVERY + "internal_action_timeout",
    default="60s",
    parse=as_time(min="0ms"),
    dynamic=True,
    help="How long one request of such a copy may take.",
)
CCR_WAIT_FOR_METADATA: Final = Setting[TimeValue](
    key="ccr.wait_for_metadata_timeout",
    default="60s",
    parse=as_time(min="0ms"),
    dynamic=True,
    help="How long a question whether the metadata of a remote cluster has changed may stay open.",
)
AUTO_FOLLOW_WAIT_FOR_METADATA: Final = Setting[TimeValue](
    key="ccr.auto_follow.wait_for_metadata_timeout",
    default=CCR_WAIT_FOR_METADATA.raw,
    parse=as_time(min="0ms"),
    dynamic=True,
    help="The same for auto-following alone. Deprecated.",
)
CCR_MAX_BUFFERED_BYTES: Final = Setting[int](
    key="ccr.max_buffered_bytes",
    default="256mb",
    parse=as_bytes(min=_MB, max=2**50),
    dynamic=True,
    help="What all followers of a node together may hold that was read and is not written yet.",
)
CCR_LEASE_RENEW_INTERVAL: Final = Setting[TimeValue](
    key="ccr.retention_lease.renew_interval",
    default="30s",
    parse=as_time(min="1ms"),
    dynamic=True,
    help="How often a follower renews its retention leases at the leader.",
)

CCR_SETTINGS: Final[tuple[AnySetting, ...]] = (
    CCR_ENABLED,
    CCR_POOL_SIZE,
    CCR_POOL_QUEUE,
    CCR_MAX_BYTES_PER_SEC,
    CCR_CHUNK_SIZE,
    CCR_MAX_CONCURRENT_CHUNKS,
    CCR_ACTIVITY_TIMEOUT,
    CCR_ACTION_TIMEOUT,
    CCR_WAIT_FOR_METADATA,
    AUTO_FOLLOW_WAIT_FOR_METADATA,
    CCR_MAX_BUFFERED_BYTES,
    CCR_LEASE_RENEW_INTERVAL,
)
