"""The APIs under `_security`, as the node with the users, roles and keys serves them."""

from sealane.rest.handlers.security import (
    account,
    api_keys,
    caches,
    cross_cluster_keys,
    explain_remote,
    granted_keys,
    mappings,
    privileges,
    queried,
    roles,
    users,
)
from sealane.rest.router import Route
from sealane.rest.services import ClusterView, RemoteInfo
from sealane.security.stores.security import Security


def routes(security: Security, cluster: ClusterView, remotes: RemoteInfo) -> list[Route]:
    """Nothing of it is there on a node without security, whose paths are then as unknown as the reference's."""
    return [
        *account.routes(security),
        *users.routes(security),
        *roles.routes(security),
        *api_keys.routes(security),
        *granted_keys.routes(security),
        *cross_cluster_keys.routes(security),
        *privileges.routes(),
        *queried.routes(security),
        *explain_remote.routes(security, remotes),
        *mappings.routes(security),
        *caches.routes(security, cluster),
    ]
