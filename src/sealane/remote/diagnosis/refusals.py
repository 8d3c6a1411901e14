"""What an operator is told when the other side has not let this node in: whose fault it is, and what to do.

Pure. Part of `advice`, of which it has the sentences about security.
"""

from collections.abc import Mapping
from typing import Final

from sealane.remote.diagnosis.causes import Cause

_REMOTE: Final = "on the remote cluster"
_RELOAD: Final = (
    "put it into the keystore with [sealane keystore add cluster.remote.<alias>.credentials] on every node here, and "
    "reload the secure settings"
)
_NEW_KEY: Final = f"make a cross-cluster API key {_REMOTE} with [POST /_security/cross_cluster/api_key], {_RELOAD}"


_KEY_PORT: Final = "the port of the remote cluster server, usually 9443"
_INSTEAD: Final[Mapping[Cause, str]] = {
    Cause.CONNECTION_REFUSED: "check that the node runs with [remote_cluster_server.enabled: true], that "
    f"[remote_cluster.host] there is an address that this host can reach, and {_KEY_PORT}",
    Cause.REMOTE_IS_PLAIN: f"use {_KEY_PORT}, and leave [xpack.security.remote_cluster_server.ssl.enabled] there at "
    "[true]: a key is not to cross a network in clear",
    Cause.HTTP_PORT: f"use {_KEY_PORT}",
    Cause.HTTPS_PORT: f"use {_KEY_PORT}",
    Cause.NOT_A_TRANSPORT_PORT: f"use {_KEY_PORT}",
    Cause.CLIENT_CERTIFICATE_MISSING: f"use {_KEY_PORT}, which asks for no certificate unless told to; this may be the "
    "ordinary transport port, where a key is of no use",
}


def step_with_a_key(cause: Cause, otherwise: str) -> str:
    """The next step for a node that comes with an API key: most often the port is the wrong one."""
    if cause is Cause.UNKNOWN_AUTHORITY:
        return f"use {_KEY_PORT}, where this is the ordinary transport port; else {otherwise}"
    return _INSTEAD.get(cause, otherwise)


def refused(cause: Cause, at: str, said: str) -> tuple[str, str] | None:
    """Explanation and next step; `said` is the other side's own sentence. None for causes of another kind."""
    match cause:
        case Cause.KEY_MISSING:
            return (
                f"{at} is a port for clusters that come with an API key, and this node has none for it",
                f"{_NEW_KEY}; or use the ordinary transport port, usually 9300, where certificates are trusted",
            )
        case Cause.KEY_UNKNOWN:
            return (
                f"{at} does not accept the API key: no such key, or another secret",
                f"compare the key with those that [GET /_security/api_key] shows {_REMOTE}, or have a new one made and "
                f"{_RELOAD}",
            )
        case Cause.KEY_EXPIRED:
            return (f"the API key for {at} has expired", _NEW_KEY)
        case Cause.KEY_INVALIDATED:
            return (f"the API key for {at} has been invalidated", _NEW_KEY)
        case Cause.KEY_OF_WRONG_TYPE:
            return (f"the API key for {at} is not one for other clusters", _NEW_KEY)
        case Cause.KEY_MALFORMED:
            return (
                f"what the keystore holds for {at} is not an API key",
                f"take the [encoded] of the answer that created the key, and {_RELOAD}",
            )
        case Cause.KEY_AT_TRANSPORT_PORT:
            return (
                f"{at} is an ordinary transport port, and this node has come with an API key",
                "use the port of the remote cluster server, usually 9443; or remove "
                "[cluster.remote.<alias>.credentials] from the keystore where certificates are to be trusted",
            )
        case Cause.KEY_NOT_CONFIGURED:
            return (said, f"{_NEW_KEY}; or leave [cluster.remote.<alias>.security_model] out")
        case Cause.CERTIFICATE_MODEL_REFUSED:
            return (
                f"{at} lets other clusters in by API key only",
                f"{_NEW_KEY}; then use the port of the remote cluster server, usually 9443",
            )
        case Cause.NOT_AUTHENTICATED:
            return (
                f"{at} wants to know who asks, and this node does not tell: {said}",
                "turn security on here, [xpack.security.enabled: true]",
            )
        case Cause.NOT_AUTHORIZED:
            return (
                f"{at} knows this node and refuses what it asks: {said}",
                f"widen the access of the API key {_REMOTE} with [PUT /_security/cross_cluster/api_key/<id>], or the "
                "role of the user",
            )
        case _:
            return None
