"""What `_remote/info?verbose=true` tells of how a remote is secured: the model in force, whether this node was let in,
and what may go wrong with its key soon.
"""

from collections.abc import Mapping
from typing import Final

from sealane.errors import ApiError
from sealane.remote.cluster import RemoteCluster
from sealane.remote.config import Model, NodeConfig, RemoteConfig, SniffConfig
from sealane.settings.secure_settings import credentials_key, missing_credentials_hint

_KEY_PORT: Final = 9443
"""Where remote cluster servers usually listen."""
_DAY_MS: Final = 24 * 3600 * 1000
_SOON_DAYS: Final = 30
_REFUSED, _FORBIDDEN = 401, 403
_SECURITY: Final = "security_exception"


def security(cluster: RemoteCluster, node: NodeConfig, now_ms: int) -> dict[str, object]:
    """`authenticated` and `authorized` are null while neither a connection nor a refusal tells."""
    config = cluster.config
    by_key = config.model is Model.API_KEY
    refusal = None if cluster.nodes else _refusal(cluster)
    known = bool(cluster.nodes) or None
    days = _days_left(cluster, now_ms)
    shown: dict[str, object] = {
        "security_model": str(Model.API_KEY) if by_key else node.security_model,
        "authenticated": False if refusal == _REFUSED else known or (refusal and True),
        "authorized": False if refusal == _FORBIDDEN else known,
    }
    if by_key:
        shown["credentials_digest"] = config.key_digest
        shown["key_expires_in_days"] = days
    return shown


def security_warnings(
    cluster: RemoteCluster, now_ms: int, unused_keys: Mapping[str, str]
) -> list[str]:
    """What an operator should look at. `unused_keys` are shown where they may be meant: by remotes without one."""
    config = cluster.config
    found: list[str] = []
    if config.model is Model.API_KEY:
        days = _days_left(cluster, now_ms)
        if days is not None and days <= _SOON_DAYS:
            when = "has expired" if days < 0 else f"expires in [{days}] days"
            found.append(
                f"the API key of [{credentials_key(config.alias)}] {when}: have the remote's administrator make "
                "another one, or give this one more time"
            )
    elif config.key_digest is not None:
        found.append(
            f"the keystore holds [{credentials_key(config.alias)}], but "
            f"[cluster.remote.{config.alias}.security_model] is [{config.model}]: the key is not used"
        )
    else:
        if _KEY_PORT in _ports(config):
            found.append(missing_credentials_hint(config.alias, _KEY_PORT))
        found += unused_keys.values()
    return found


def _days_left(cluster: RemoteCluster, now_ms: int) -> int | None:
    ends = cluster.key_expires_ms
    return None if ends is None else (ends - now_ms) // _DAY_MS


def _refusal(cluster: RemoteCluster) -> int | None:
    """The status with which the remote has refused the last attempt, where security was why."""
    last = cluster.statistics().last_error
    error: ApiError | None = None if last is None else last.error
    while error is not None:
        if error.es_type == _SECURITY:
            return error.status
        error = error.caused_by or next(iter(error.suppressed), None)
    return None


def _ports(config: RemoteConfig) -> set[int]:
    reach = config.reach
    if isinstance(reach, SniffConfig):
        return {seed.address.port for seed in reach.seeds}
    return {reach.address.address.port}
