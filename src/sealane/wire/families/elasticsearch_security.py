"""How Elasticsearch 8.19 writes on whose behalf a node asks: the node itself, which is all that real servers are asked
as.

    authentication   version, user (internal, name), realm (node, name, type, no domain), no lookup, type, metadata
    subject info     version, authentication, role descriptors (none)

Both in base64.
"""

import base64
from functools import lru_cache

from sealane.wire.primitives import StreamOutput
from sealane.wire.versions import ELASTICSEARCH_WIRE

_INTERNAL = 4
"""The ordinal of the type of authentication that a node has by itself."""
_REALM = "__attach"
_SYSTEM = "_system"


@lru_cache(maxsize=8)
def authentication(user: str, *, node: str) -> str:
    """An internal user of that name."""
    out = StreamOutput().vint(ELASTICSEARCH_WIRE)
    _write_authentication(out, user, node)
    return _text(out)


@lru_cache(maxsize=8)
def system_info(*, node: str) -> str:
    """The node itself, for a server that is asked with a key."""
    out = StreamOutput().vint(ELASTICSEARCH_WIRE)
    _write_authentication(out, _SYSTEM, node)
    return _text(out.vint(0))


def _write_authentication(out: StreamOutput, user: str, node: str) -> None:
    out.boolean(True).string(user)
    out.string(node).string(_REALM).string(_REALM).boolean(False)
    out.boolean(False).vint(_INTERNAL).vint(0)


def _text(out: StreamOutput) -> str:
    return base64.b64encode(out.getvalue()).decode("ascii")
